"""Lines of bytes from files: plain, gzip, Zstandard, or standard input; memory stays bounded whatever comes."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self, cast

from botopt.model.errors import InputError
from botopt.model.event import Line

MAX_LINE_BYTES = 1 << 20
"""A longer line is no event; only its first bytes are kept."""

STDIN = "-"
_CHUNK = 1 << 18


class InputFile:
    """One input. Iterate it for its lines; `position` says how much of `size` was read, in bytes of the file."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self._number = number
        self._raw: IO[bytes] | None = None
        self.size = 0

    @property
    def interactive(self) -> bool:
        """Whether a person or a live pipe writes it right now."""
        return self.name == STDIN and sys.stdin.isatty()

    def __enter__(self) -> Self:
        """Open it.

        Raises:
            InputError: there is no such file, or it cannot be read.
        """
        if self.name == STDIN:
            self._raw = sys.stdin.buffer
            return self
        path = Path(self.name)
        try:
            if path.is_dir():
                raise InputError(f"{self.name} is a folder; name the files in it")
            self._raw = path.open("rb")
            self.size = path.stat().st_size
        except OSError as fault:
            raise InputError(f"{self.name} cannot be read: {(fault.strerror or str(fault)).lower()}") from fault
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, unless it is standard input."""
        if self._raw is not None and self.name != STDIN:
            self._raw.close()

    def position(self) -> int:
        """Bytes read from the file so far."""
        return self._raw.tell() if self._raw is not None and self.size else 0

    def __iter__(self) -> Iterator[Line]:
        """Every line with its number, without its line break.

        Raises:
            InputError: the file is damaged or cut off.
        """
        try:
            for number, raw in enumerate(_lines(self._stream()), 1):
                yield Line(number, raw, self._number)
        except (OSError, EOFError, zlib.error) as fault:
            raise InputError(f"{self.name} cannot be read to its end: {fault}") from fault
        except Exception as fault:
            if type(fault).__name__ != "ZstdError":
                raise
            raise InputError(f"{self.name} cannot be read to its end: {fault}") from fault

    def _stream(self) -> IO[bytes]:
        assert self._raw is not None
        if self.name.endswith(".gz"):
            return cast("IO[bytes]", gzip.GzipFile(fileobj=self._raw))
        if self.name.endswith(".zst"):
            import zstandard

            reader = zstandard.ZstdDecompressor().stream_reader(self._raw, read_across_frames=True)
            return cast("IO[bytes]", io.BufferedReader(reader, _CHUNK))
        return self._raw


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines without their breaks; of a line that is too long, one byte more than is allowed."""
    while raw := stream.readline(MAX_LINE_BYTES + 2):
        if raw.endswith(b"\n"):
            yield raw[:-1].removesuffix(b"\r")
            continue
        if len(raw) >= MAX_LINE_BYTES + 2:
            while (rest := stream.readline(_CHUNK)) and not rest.endswith(b"\n"):
                pass
        yield raw
