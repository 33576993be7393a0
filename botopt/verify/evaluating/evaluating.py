"""`botopt evaluate` from its beginning to its end: read, refuse what cannot be answered, walk, measure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from botopt.engine.build import build
from botopt.model.counting import number_of
from botopt.model.durations import DAY_US
from botopt.model.event import Event
from botopt.model.instants import instant_text
from botopt.model.policy import Policy
from botopt.verify.evaluating.matching import Reading, read
from botopt.verify.evaluating.measuring import Evaluation, measure
from botopt.verify.evaluating.rounds import Round
from botopt.verify.evaluating.walking import Walk
from botopt.verify.evaluating.weighing import Weighing


class Evaluated(msgspec.Struct, frozen=True):
    """An evaluation, and what was and was not looked at.

    `from_us` and `until_us` bound the decisions; `since` says why earlier ones were left out. `unanswered` messages
    were sent so late that their answer may still come, or their answer is not known. `notes` are sentences.
    """

    evaluation: Evaluation
    from_us: int
    until_us: int
    since: str | None = None
    unanswered: int = 0
    notes: tuple[str, ...] = ()


class _Training(msgspec.Struct):
    last_day: str


class _Model(msgspec.Struct):
    digest: str
    training: _Training


def evaluate(names: Sequence[str | Path], policy: Policy, folder: Path) -> Evaluated:
    """What this policy would have got on this log.

    Args:
        names: the files of the log: decision records, and the events that were decided.
        policy: the one to evaluate.
        folder: its workspace, where its model file says up to when it was trained.

    Raises:
        UsageError: standard input is named.
        InputError: a file cannot be read.
    """
    reading = read(names, policy)
    until_us = reading.until_us - policy.settings.ignored_after_us
    notes = _notes(reading)
    refused = unusable(reading)
    chosen = chosen_until(policy, folder)
    from_us, since = reading.from_us, None
    if chosen is not None and chosen[0] >= reading.from_us:
        from_us, since = chosen
        if from_us >= until_us:
            refused = (
                (
                    f"the policy was chosen on this log: {since}, and the log ends at "
                    f"{instant_text(reading.until_us)}. A policy looks better than it is where it was chosen; "
                    "evaluate it on days after that"
                ),
            )
    if refused:
        nothing = msgspec.structs.replace(measure(()), refusals=refused)
        return Evaluated(nothing, from_us, until_us, since, 0, notes)
    rounds, unanswered = rounds_of(reading, policy, from_us, until_us)
    return Evaluated(measure(rounds), from_us, until_us, since, unanswered, notes)


def rounds_of(reading: Reading, policy: Policy, from_us: int, until_us: int) -> tuple[list[Round], int]:
    """Walk over a log with a policy: its rounds, and how many had no known answer.

    Decisions before `from_us` are folded into the states, and not put to the policy.
    """
    weighing = Weighing(from_us, until_us)

    def undecided(event: Event) -> bool:
        return event.type not in reading.decided and from_us <= event.time_us <= until_us

    Walk(build(policy), weighing.take, undecided).run(reading.matched)
    return weighing.rounds, weighing.unanswered


def chosen_until(policy: Policy, folder: Path) -> tuple[int, str] | None:
    """Up to when the log goes on which the policy, or its model, was chosen; and that in words."""
    found = []
    tuned_us = policy.settings.tuned_until_us
    if tuned_us is not None:
        found.append((tuned_us, f"it was tuned on a log until {instant_text(tuned_us)} (settings.tuned_until)"))
    if policy.scorer is not None:
        day = _trained_until(folder, policy.scorer.model.digest)
        if day is not None:
            end_us = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000 + DAY_US
            found.append((end_us, f"its scorer was trained on a log until the end of {day}"))
    return max(found, default=None)


def _trained_until(folder: Path, digest: str) -> str | None:
    for path in sorted(folder.rglob("*.json")):
        try:
            model = msgspec.json.decode(path.read_bytes(), type=_Model)
        except (OSError, ValueError):
            continue
        if digest and model.digest == digest:
            return model.training.last_day
    return None


def unusable(reading: Reading) -> tuple[str, ...]:
    """Why nothing at all can be said from such a log; nothing where something can."""
    if not reading.decisions:
        return (
            (
                "the log holds no decision records: write them with botopt replay EVENTS --out decisions.jsonl, or "
                "fetch those of a service"
            ),
        )
    if reading.unpriced:
        return (
            (
                f"{number_of(reading.unpriced, 'record')} of the log {'does' if reading.unpriced == 1 else 'do'} not "
                "say with which chance what was done was drawn (choices): nothing can be learned of what was not done"
            ),
        )
    if not reading.matched:
        return ("the log holds no events: name the file of the events that were decided, too",)
    if reading.unmatched > reading.decisions / 2:
        return (
            (
                f"the log holds the events of {reading.decisions - reading.unmatched:,} of {reading.decisions:,} "
                "decisions: name all files of events that were decided"
            ),
        )
    return ()


def _notes(reading: Reading) -> tuple[str, ...]:
    notes = []
    if reading.unmatched:
        notes.append(f"{number_of(reading.unmatched, 'decision')} left out: the log does not hold the event")
    if reading.unread:
        notes.append(f"{number_of(reading.unread, 'line')} left out: no event that this policy can read")
    notes += [f"{each.count:,} x {each.words}, first {each.first}" for each in reading.problems]
    return tuple(notes)
