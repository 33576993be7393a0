"""Counting changes. What lanes counted of different users is put together, the same however users are dealt out."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import nsmallest

from botopt.verify.diff.edits import Edit
from botopt.verify.diff.kinds import SEEN, Kind, end_of
from botopt.verify.diff.loads import Loads, joined
from botopt.verify.diff.report import Affected, Change, Consequence, Difference, Load
from botopt.verify.diff.stories import Order, Story, Track

SAMPLES = 3
"""Samples of each kind for each edit."""

_AFFECTED = 5
_Passed = tuple[Kind, str, str, str | None, Kind | None, str, tuple[int, ...]]
_Group = tuple[int, Kind, bool]
_Sample = tuple[Order, Change]


class Tally:
    """What one lane counted. `take` is given each track when its end is known."""

    def __init__(self, samples: int = SAMPLES) -> None:
        self.wanted = samples
        self.lines = 0
        self.decided = 0
        self.users = 0
        self.users_changed = 0
        self.counts: Counter[tuple[Kind, bool]] = Counter()
        self.only_numbers: dict[str | None, int] = {}
        self.by_type: Counter[tuple[str, Kind]] = Counter()
        self.moves: Counter[tuple[str, str, str]] = Counter()
        self.by_edit: Counter[_Group] = Counter()
        self.passed: Counter[_Passed] = Counter()
        self.examples: dict[_Passed, _Sample] = {}
        self.samples: dict[_Group, list[_Sample]] = {}
        self.loads: tuple[Load, Load] = (Load(), Load())
        self.affected: tuple[Affected, ...] = ()

    def numbers(self, event_type: str | None) -> None:
        """One event that ends alike, with other numbers."""
        self.only_numbers[event_type] = self.only_numbers.get(event_type, 0) + 1

    def take(self, story: Story, user: str | None, track: Track) -> None:
        """One event whose end is known."""
        kind = track.kind
        if kind is None:
            return
        if kind is Kind.NUMBERS:
            self.numbers(track.type)
            return
        direct = bool(track.direct)
        name = track.type or ""
        self.counts[kind, direct] += 1
        self.by_type[name, kind] += 1
        before, after = end_of(track.old)[0], end_of(track.new)[0]
        if before != after:
            self.moves[name, before, after] += 1
        for edit in track.edits:
            self.by_edit[edit, kind, direct] += 1
        if kind in SEEN and not story.noticed:
            story.noticed = True
            self.users_changed += 1
        self._sample((track.edits[0] if track.edits else -1, kind, direct), kind, user, track)
        if not direct and track.cause is not None:
            self._pass_on(kind, user, track, track.cause)

    def _sample(self, group: _Group, kind: Kind, user: str | None, track: Track) -> None:
        known = self.samples.setdefault(group, [])
        if len(known) < self.wanted or (known and track.order < known[-1][0]):
            insort(known, (track.order, track.change(kind, user)), key=lambda sample: sample[0])
            del known[self.wanted :]

    def _pass_on(self, kind: Kind, user: str | None, track: Track, cause: Track) -> None:
        key = (kind, track.type or "", end_of(track.silent)[0], track.window, cause.kind, cause.type or "", track.edits)
        self.passed[key] += 1
        known = self.examples.get(key)
        if known is None or track.order < known[0]:
            self.examples[key] = track.order, track.change(kind, user)

    def close(self, old: Loads, new: Loads) -> None:
        """Nothing more comes; these are the messages of both."""
        self.loads = old.load(), new.load()
        users = old.totals.keys() | new.totals.keys()
        found = (Affected(user, old.totals[user], new.totals[user]) for user in users)
        self.affected = _most_affected(found)


def together(tallies: Sequence[Tally], edits: Sequence[Edit]) -> Difference:
    """What lanes counted of different users, together. Every lane has read all lines."""
    total = Tally()
    for tally in tallies:
        total.counts.update(tally.counts)
        total.by_type.update(tally.by_type)
        for name, events in tally.only_numbers.items():
            total.counts[Kind.NUMBERS, True] += events
            total.by_type[name or "", Kind.NUMBERS] += events
        total.moves.update(tally.moves)
        total.by_edit.update(tally.by_edit)
        total.passed.update(tally.passed)
    return Difference(
        edits=tuple(edits),
        lines=sum(tally.lines for tally in tallies),
        decided=sum(tally.decided for tally in tallies),
        counts=tuple((*key, number) for key, number in sorted(total.counts.items())),
        by_type=tuple((*key, number) for key, number in sorted(total.by_type.items())),
        moves=tuple((*key, number) for key, number in sorted(total.moves.items())),
        by_edit=tuple((*key, number) for key, number in sorted(total.by_edit.items())),
        consequences=_consequences(total.passed, [tally.examples for tally in tallies]),
        samples=_samples([tally.samples for tally in tallies], max(tally.wanted for tally in tallies)),
        old=joined(tally.loads[0] for tally in tallies),
        new=joined(tally.loads[1] for tally in tallies),
        affected=_most_affected(one for tally in tallies for one in tally.affected),
        users=sum(tally.users for tally in tallies),
        users_changed=sum(tally.users_changed for tally in tallies),
    )


def _consequences(passed: Counter[_Passed], found: Iterable[dict[_Passed, _Sample]]) -> tuple[Consequence, ...]:
    examples: dict[_Passed, _Sample] = {}
    for some in found:
        for key, sample in some.items():
            known = examples.get(key)
            if known is None or sample[0] < known[0]:
                examples[key] = sample
    listed = sorted(passed.items(), key=lambda pair: (-pair[1], *map(repr, pair[0])))
    return tuple(Consequence(*key, number, examples[key][1]) for key, number in listed)


def _samples(found: Sequence[dict[_Group, list[_Sample]]], wanted: int) -> tuple[Change, ...]:
    groups = sorted({group for some in found for group in some})
    listed: list[Change] = []
    for group in groups:
        some = [sample for samples in found for sample in samples.get(group, ())]
        listed += (change for _, change in nsmallest(wanted, some, key=lambda sample: sample[0]))
    return tuple(listed)


def _most_affected(found: Iterable[Affected]) -> tuple[Affected, ...]:
    changed = (one for one in found if one.old != one.new)
    return tuple(nsmallest(_AFFECTED, changed, key=lambda one: (-abs(one.new - one.old), one.user)))
