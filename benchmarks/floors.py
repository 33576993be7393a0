"""What any program in Python pays for the same events: `python -m benchmarks.floors FLOOR FOLDER EVENTS OUT REVISION`.

`read` takes the lines from the file, `decode` makes each a dictionary (orjson), and `encode` writes it again.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson

BLOCK = 1 << 20


def read(events: Path, out: Path) -> None:
    """Only take the lines."""
    with events.open("rb") as source:
        for _ in source:
            pass
    out.touch()


def decode(events: Path, out: Path) -> None:
    """Decode each line."""
    loads = orjson.loads
    with events.open("rb") as source:
        for raw in source:
            loads(raw)
    out.touch()


def encode(events: Path, out: Path) -> None:
    """Decode each line, and write it as it was."""
    loads, dumps = orjson.loads, orjson.dumps
    with events.open("rb") as source, out.open("wb") as target:
        while block := source.readlines(BLOCK):
            target.write(b"".join([dumps(loads(raw), option=orjson.OPT_APPEND_NEWLINE) for raw in block]))


FLOORS: Mapping[str, Callable[[Path, Path], None]] = {"read": read, "decode": decode, "encode": encode}


if __name__ == "__main__":
    gc.disable()
    FLOORS[sys.argv[1]](Path(sys.argv[3]), Path(sys.argv[4]))
