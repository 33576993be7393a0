"""What comes in: an event, or a line that is none."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from botopt.model.policy import Value


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened to a user, read and checked against its event type.

    `type` is the declared name (an `accepts` alias is already resolved). `source` is empty in the native
    form. `data` holds the declared fields only, defaults filled in; an absent field has no key. Times are
    microseconds since 1970 UTC, also those in `data`. For `user.updated`, `data` holds the changes, with
    None for an attribute that goes back to its default.
    """

    id: str
    source: str
    type: str
    user: str
    time_us: int
    data: Mapping[str, Value] = {}

    @property
    def key(self) -> str:
        """Its identity as one text: user, source and id, which hold no control characters, separated by NUL."""
        return f"{self.user}\0{self.source}\0{self.id}"


def line_digest(input_number: int, line: int, raw: bytes) -> bytes:
    """What tells rejected lines apart: 16 bytes over the input's place, the line's number and its bytes."""
    return blake2b(b"%d:%d:" % (input_number, line) + raw, digest_size=16).digest()


def request_digest(received_us: int, place: int, raw: bytes) -> bytes:
    """The same for what a live service gets: no two events share the time of their receipt and their place."""
    return blake2b(b"received:%d:%d:" % (received_us, place) + raw, digest_size=16).digest()


class Line(msgspec.Struct, frozen=True):
    """Where an event came from. `number` counts from 1 in its file or request, `input_number` counts files from 0.

    `received_us`: when a live service got the request; None for files.
    """

    number: int = 0
    raw: bytes = b""
    input_number: int = 0
    received_us: int | None = None

    @property
    def digest(self) -> bytes:
        """What tells it apart from every other line and every other request."""
        if self.received_us is None:
            return line_digest(self.input_number, self.number, self.raw)
        return request_digest(self.received_us, self.number, self.raw)


class Rejected(msgspec.Struct, frozen=True):
    """A line that is no event. `detail` is a sentence, its general part before the first colon.

    `digest` is a `line_digest` or a `request_digest`. `by` is the field or envelope key at fault. Names that could be
    read are kept.
    """

    line: int
    detail: str
    digest: bytes
    by: str | None = None
    event_id: str | None = None
    event_type: str | None = None
    user: str | None = None
    time_us: int | None = None
