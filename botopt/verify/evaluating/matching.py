"""Events of a log with the decisions about them, in the order in which they were decided."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from os import fspath
from pathlib import Path

import msgspec

from botopt.engine.hashes import decision_id
from botopt.model.decision import Outcome, Reason
from botopt.model.errors import UsageError
from botopt.model.event import Event
from botopt.model.policy import FEEDBACK_TYPES, Policy
from botopt.model.user_state import NEVER_US
from botopt.sources.envelope import Decoder
from botopt.sources.jsonl import STDIN
from botopt.verify.inputs import Inputs
from botopt.verify.log import Log, Logged, Problem, read_log
from botopt.verify.log.model import Matched

_SQLITE = b"SQLite format 3\0"


class Reading(msgspec.Struct, frozen=True):
    """A log, read for one policy.

    `until_us` is the newest time of it, `from_us` that of its first decision. `decided` are the event types about which
    the log holds decisions. `unpriced` counts records that do not say with which chance they were drawn, `unmatched`
    decisions whose event the log does not hold, `unread` events that the new policy cannot read.
    """

    matched: tuple[Matched, ...]
    decided: frozenset[str]
    decisions: int
    from_us: int
    until_us: int
    unpriced: int
    unmatched: int
    unread: int
    problems: tuple[Problem, ...] = ()


def read(names: Sequence[str | Path], policy: Policy) -> Reading:
    """Read decisions and events, and put them together.

    Args:
        names: files of records, of events, or of both, in any mix; also state files, for their decisions.
        policy: whose event types say what an event may hold.

    Raises:
        UsageError: standard input is named, which cannot be read twice.
        InputError: a file cannot be read.
    """
    paths = [fspath(name) for name in names]
    if STDIN in paths:
        raise UsageError("a log is read twice: name files, not standard input (-)")
    log = read_log(paths, ignored_after_us=policy.settings.ignored_after_us)
    files = [path for path in paths if not _is_state(path)]
    reader = _Reader(policy)
    streams = [list(reader.events(path)) for path in files]
    events = [event for _, event in heapq.merge(*streams, key=lambda pair: pair[0])]
    return _together(log, events, reader)


def _is_state(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


class _Reader:
    """Events as the policy reads them."""

    def __init__(self, policy: Policy) -> None:
        self._decoder = Decoder(policy)
        self.unpriced = 0
        self.unread = 0
        self._seen: set[str] = set()

    def events(self, path: str) -> Iterator[tuple[int, Event]]:
        """Those of a file, each with the newest time up to it, in the order of lines."""
        newest_us = NEVER_US
        with Inputs([path]) as inputs:
            for line in inputs:
                if _is_record(line.raw):
                    self.unpriced += b'"choices":' not in line.raw.replace(b'"choices" :', b'"choices":')
                    continue
                found = self._decoder.decode(line.raw, line.number)
                if not isinstance(found, Event):
                    self.unread += found is not None
                    continue
                if found.key in self._seen and found.type not in FEEDBACK_TYPES:
                    continue
                self._seen.add(found.key)
                newest_us = max(newest_us, found.time_us)
                yield newest_us, found


def _is_record(raw: bytes) -> bool:
    return b'"outcome"' in raw and b'"event_type"' in raw and b'"revision"' in raw


def _together(log: Log, events: Sequence[Event], reader: _Reader) -> Reading:
    waiting: dict[tuple[str, str], list[Logged]] = {}
    decided, count, from_us = set(), 0, None
    for logged in log.decisions:
        decision = logged.decision
        if decision.event_id is None or decision.user is None or decision.time_us is None:
            continue
        if decision.event_type is not None and decision.outcome is not Outcome.REJECTED:
            decided.add(decision.event_type)
            count += decision.reason is not Reason.DUPLICATE
            reader.unpriced += any(not 0 < choice.propensity <= 1 for choice in decision.choices)
            from_us = decision.time_us if from_us is None else from_us
        waiting.setdefault((decision.user, decision.event_id), []).append(logged)
    matched = [_matched(event, ordinal, waiting) for ordinal, event in enumerate(events)]
    found = sum(len(each.chain) for each in matched)
    until_us = NEVER_US if log.until_us is None else log.until_us
    return Reading(
        tuple(matched),
        frozenset(decided),
        count,
        until_us if from_us is None else from_us,
        until_us,
        reader.unpriced,
        count - found,
        reader.unread,
        log.problems,
    )


def _matched(event: Event, ordinal: int, waiting: dict[tuple[str, str], list[Logged]]) -> Matched:
    """An id says which event a decision is about, and the how-manieth about it: see `decision_id`."""
    logged = waiting.get((event.user, event.id))
    if not logged:
        return Matched(event, ordinal)
    chain: list[Logged] = []
    refused = False
    for each in tuple(logged):  # in the order of time
        decision = each.decision
        if decision.outcome is Outcome.REJECTED:
            refused = refused or not chain
        elif decision.time_us is None or decision.reason is Reason.DUPLICATE:
            continue
        elif decision_id(event.key, len(chain), decision.time_us).hex() == decision.id:
            chain.append(each)
            logged.remove(each)
    return Matched(event, ordinal, tuple(chain), refused and not chain)
