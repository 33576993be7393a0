"""Files of records and events, and state files, read into one log."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path

from botopt.model.decision import Decision
from botopt.model.durations import DAY_US
from botopt.model.event import Event
from botopt.sources.jsonl import STDIN
from botopt.verify.inputs import BOM, BROKEN, Inputs
from botopt.verify.log.lines import Lines, fault_of
from botopt.verify.log.model import Log, Logged, Problem
from botopt.verify.log.pairing import Fates
from botopt.verify.log.states import read_state

_SQLITE = b"SQLite format 3\0"


class Problems:
    """Counts what could not be read or paired, by its words."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}

    def add(self, words: str, first: str, count: int = 1) -> None:
        """It was met once more, or `count` times more."""
        self._counts[words] = self._counts.get(words, 0) + count
        self._first.setdefault(words, first)

    def all(self) -> tuple[Problem, ...]:
        """The most frequent first."""
        ordered = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Problem(words, count, self._first[words]) for words, count in ordered)


def read_log(
    paths: Iterable[str | PathLike[str]],
    *,
    ignored_after_us: int = DAY_US,
    texts: bool = False,
    data: bool = False,
) -> Log:
    """Read decision records and events from any mix of files, and pair each message with its answer.

    A decision that stands in several files counts once, and so does an event.

    Args:
        paths: JSON lines, plain, gzip or Zstandard, `-` for standard input; or state files. Records and events may
            stand in one file.
        ignored_after_us: `settings.ignored_after` of the policy that decided.
        texts: keep the words of messages.
        data: keep the data of all events, not only of those of reserved types.

    Raises:
        InputError: a file cannot be read. A line that cannot be read is none: `Log.problems` counts it.
        StateError: a state file cannot be read.
    """
    with _without_collection():
        names = [fspath(path) for path in paths]
        states = [name for name in names if _is_state(name)]
        decisions: dict[str, Decision] = {}
        events: list[Event] = []
        problems, fates = Problems(), Fates()
        lines = Lines(texts=texts, data=data)
        _read_lines([name for name in names if name not in states], lines, decisions, events, problems)
        seen_us = [read_state(Path(name), lines, decisions, fates, problems.add) for name in states]
        events.sort(key=lambda event: event.time_us)
        times = [decision.time_us for decision in decisions.values() if decision.time_us is not None]
        times += [us for us in seen_us if us is not None]
        until_us = max([*times, *(event.time_us for event in events[-1:])], default=None)
        fates.pair(decisions, events, ignored_after_us, problems.add)
        return Log(
            tuple(
                _logged(decision, fates, until_us, ignored_after_us)
                for decision in sorted(decisions.values(), key=lambda each: (each.time_us or 0, each.id))
            ),
            tuple(events),
            problems.all(),
            until_us,
        )


def _logged(decision: Decision, fates: Fates, until_us: int | None, ignored_after_us: int) -> Logged:
    return Logged(decision, *fates.of(decision, until_us, ignored_after_us))


@contextmanager
def _without_collection() -> Iterator[None]:
    """Nothing that is made here has cycles, and looking for them among millions of values takes longer than reading."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _is_state(name: str) -> bool:
    if name == STDIN:
        return False
    try:
        with Path(name).open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except (OSError, ValueError):  # `Inputs` says what is wrong
        return False


def _read_lines(
    names: Sequence[str], lines: Lines, decisions: dict[str, Decision], events: list[Event], problems: Problems
) -> None:
    seen: set[int] = set()
    read = lines.read
    with Inputs(names) as inputs:
        for block in inputs.blocks():
            for number, raw in enumerate(block.lines, block.first):
                try:
                    found = read(raw if number > 1 else raw.removeprefix(BOM))
                except BROKEN:
                    if raw.strip():
                        name = names[block.input_number]
                        problems.add(fault_of(raw), f"{'standard input' if name == STDIN else name}, line {number}")
                    continue
                if isinstance(found, Decision):
                    decisions.setdefault(found.id, found)
                    continue
                key = hash((found.user, found.source, found.id))
                if key not in seen:
                    seen.add(key)
                    events.append(found)
