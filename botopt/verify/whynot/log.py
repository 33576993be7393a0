"""A decision log: files of records, read as often as needed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile
from typing import Self

import msgspec

from botopt.model.errors import InputError, UsageError
from botopt.model.event import Line
from botopt.model.instants import instant_us
from botopt.sources.jsonl import STDIN
from botopt.verify.inputs import BOM, BROKEN, Inputs
from botopt.verify.whynot.model import Logged


class _Timed(msgspec.Struct):
    time: str | None


class _Any(msgspec.Struct):
    type: str | None = None
    specversion: str | None = None


_decode = msgspec.json.Decoder(Logged).decode
_decode_time = msgspec.json.Decoder(_Timed).decode


class Log:
    """Records of several files, one after another. Standard input is copied to a temporary file first."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._paths = list(names)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Have everything at hand.

        Raises:
            InputError: standard input cannot be read.
        """
        with ExitStack() as held:
            for number, name in enumerate(self.names):
                if name == STDIN:
                    if sys.stdin is None:
                        raise InputError("there is no standard input to read")
                    copy = held.enter_context(NamedTemporaryFile(prefix="botopt-", suffix=".jsonl"))
                    copyfileobj(sys.stdin.buffer, copy)
                    copy.flush()
                    self._paths[number] = copy.name
            self._stack = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the copy."""
        self._stack.close()

    def give(self, take: Callable[[Logged], None]) -> None:
        """Every record to whoever takes it; a ValueError of theirs means that it is none.

        Raises:
            UsageError: a line is no record.
            InputError: a file cannot be read.
        """
        with Inputs(self._paths) as inputs:
            for block in inputs.blocks():
                for number, raw in enumerate(block.lines, block.first):
                    try:
                        take(_decode(raw if number > 1 else raw.removeprefix(BOM)))
                    except BROKEN as fault:
                        if raw.strip():
                            raise self._no_record(Line(number, raw, block.input_number)) from fault

    def newest_us(self) -> int | None:
        """The newest decision time of all, or None where no record has one."""
        newest, newest_us = "", None
        with Inputs(self._paths) as inputs:
            for line in inputs:
                if line.raw.strip():
                    try:
                        time = _decode_time(line.raw.removeprefix(BOM)).time
                        if time is not None and time[:19] >= newest[:19]:
                            us = instant_us(time)  # within a second, texts are not in the order of times
                            if newest_us is None or us > newest_us:
                                newest, newest_us = time, us
                    except BROKEN as fault:
                        raise self._no_record(line) from fault
        return newest_us

    def with_ids(self, ids: Collection[str]) -> dict[str, Logged]:
        """The records of these ids, as far as the log holds them."""
        found: dict[str, Logged] = {}
        if not ids:
            return found
        pattern = re.compile(b"|".join(re.escape(f'"{one}"'.encode()) for one in sorted(ids)))
        with Inputs(self._paths) as inputs:
            for block in inputs.blocks():
                for raw in filter(pattern.search, block.lines):
                    record = _decode(raw.removeprefix(BOM))
                    if record.id in ids:
                        found[record.id] = record
                if len(found) == len(ids):
                    break
        return found

    def _no_record(self, line: Line) -> UsageError:
        name = self.names[line.input_number]
        shown = "standard input" if name == STDIN else name
        try:
            found = msgspec.json.decode(line.raw, type=_Any)
        except BROKEN:
            found = _Any()
        if found.type is not None:
            out = Path(shown).name.partition(".")[0] if name != STDIN else "events"
            return UsageError(
                f"{shown}, line {line.number}: an event, and a decision is needed: "
                f"write them with botopt replay {name} --out {out}.decisions.jsonl"
            )
        return UsageError(f"{shown}, line {line.number}: no decision record")
