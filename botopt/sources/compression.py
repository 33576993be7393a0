"""Compressed input: known by its first bytes, unpacked piece by piece, and never quietly cut off."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import chain

from botopt.model.errors import InputError

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
"""A frame that says something about the others; parallel packers begin with one."""

_OUT = 1 << 17
_ZSTD_IN = 64
"""Bytes given to Zstandard at once: it unpacks all of them, at worst to 2 MB. Small pieces cost next to nothing."""


def pieces(name: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The content of a file, unpacked where it is packed.

    Raises:
        InputError: it is damaged, cut off, or not what its name says.
    """
    first = next(chunks, b"")
    chunks = chain((first,), chunks) if first else chunks
    if first.startswith(_GZIP):
        return _gunzipped(name, chunks)
    if first.startswith(_ZSTD) or _SKIPPABLE.match(first):
        return _unzstd(name, chunks)
    for ending, kind in ((".gz", "gzip"), (".zst", "Zstandard")):
        if name.endswith(ending):
            raise InputError(f"{name} is not a {kind} file, though it is named like one")
    return chunks


def _gunzipped(name: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Members one after another; zeros may fill up the end."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                if unpacker.eof:
                    rest = rest.lstrip(b"\0")
                    if not rest:
                        break
                    unpacker = zlib.decompressobj(wbits=31)
                out = unpacker.decompress(rest, _OUT)
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if out:
                    yield out
    except zlib.error as fault:
        raise _damaged(name) from fault
    if not unpacker.eof:
        raise _cut_off(name)


def _unzstd(name: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Frames one after another. Not by the library's own reader: that takes a file that is cut off for a whole one."""
    import zstandard

    def unpacker() -> zstandard.ZstdDecompressionObj:
        return zstandard.ZstdDecompressor().decompressobj()

    frame = unpacker()
    begun = False
    try:
        for chunk in chunks:
            for start in range(0, len(chunk), _ZSTD_IN):
                rest = chunk[start : start + _ZSTD_IN]
                while rest:
                    if frame.eof:
                        frame = unpacker()
                    begun = True
                    out = frame.decompress(rest)
                    rest = frame.unused_data if frame.eof else b""
                    for at in range(0, len(out), _OUT):
                        yield out[at : at + _OUT]
    except zstandard.ZstdError as fault:
        raise _damaged(name) from fault
    if begun and not frame.eof:
        raise _cut_off(name)


def _damaged(name: str) -> InputError:
    return InputError(f"{name} is damaged: it cannot be unpacked to its end")


def _cut_off(name: str) -> InputError:
    return InputError(f"{name} is cut off: its end is missing, so its last lines cannot be read")
