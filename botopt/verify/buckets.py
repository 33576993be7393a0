"""Users in buckets: a hash of the user's id, found in a line without decoding it where that is certain to be right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from zlib import crc32

from botopt.model.event import Event

BUCKETS = 256

_USER = re.compile(rb'"user":[ \t]*"([^"\\]*)"')


class Buckets:
    """`decode` reads a line and its number: an event, or something else for what is none."""

    def __init__(self, decode: Callable[[bytes, int], object]) -> None:
        self._decode = decode

    def of(self, lines: Sequence[bytes]) -> bytes:
        """The bucket of each line's user. Every way of writing a user's id must lead to the same.

        Without a backslash and with `"user"` in it once, a line that is an event has its user there; for all others
        the decoder says it. A line that is no event concerns nobody.
        """
        search = _USER.search
        together = b"\n".join(lines)
        if b"\\" not in together and b'"specversion"' not in together and together.count(b'"user"') == len(lines):
            with suppress(TypeError):  # not once in each: twice in one, and in another there is none to be found
                return bytes([crc32(search(raw)[1]) % BUCKETS for raw in lines])  # type: ignore[index]
        return bytes(map(self._one, lines))

    def _one(self, raw: bytes) -> int:
        found = _USER.search(raw)
        if found is not None and raw.count(b'"user"') == 1 and b"\\" not in raw and b'"specversion"' not in raw:
            return crc32(found[1]) % BUCKETS
        event = self._decode(raw, 1)
        return crc32(event.user.encode()) % BUCKETS if isinstance(event, Event) else 0


def dealt_out(buckets: bytes, workers: int, first: float = 1.0) -> bytes:
    """The worker of each bucket: the largest first, each to the worker that has least so far.

    `first` is what the first worker takes, measured by what each of the others does; 0 where it takes none.
    """
    sizes = Counter(buckets)
    load = [0.0] * workers
    cost = [1 / first if first else float("inf"), *[1.0] * (workers - 1)]
    worker_of = bytearray(BUCKETS)
    for bucket in sorted(range(BUCKETS), key=lambda bucket: -sizes[bucket]):
        size = sizes[bucket] + 1
        worker = min(range(workers), key=lambda worker: load[worker] + size * cost[worker])
        worker_of[bucket] = worker
        load[worker] += size * cost[worker]
    return bytes(worker_of)
