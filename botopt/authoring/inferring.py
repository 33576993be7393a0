"""Recorded events -> event types, attributes, categories and channels that a policy could declare for them."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from botopt.authoring.inferring_lines import Recorded, recorded
from botopt.authoring.inferring_names import grouped
from botopt.authoring.inferring_stats import FieldsStats, TypeStats
from botopt.model.event import Line
from botopt.model.policy import RESERVED_TYPES, Policy
from botopt.sources.faults import Fault

MOST_TYPES = 500
_MOST_LAST = 100_000
_MOST_NAMES = 100
_MOST_FAULTS = 3
_DAY_US = 86_400_000_000
_CONSENT = ("user.subscribed", "user.unsubscribed")


class Declared(msgspec.Struct, frozen=True):
    """What a workspace declares already; nothing of it is proposed again."""

    types: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()


class Proposal(msgspec.Struct, frozen=True):
    """What to declare.

    `events` leads from a name to the names under which its events came and what they hold. `faults` are the first
    lines that are no events, `unfit` counts those and all others.
    """

    lines: int
    unfit: int
    faults: tuple[str, ...]
    first_us: int
    last_us: int
    events: Mapping[str, tuple[tuple[str, ...], TypeStats]]
    attributes: FieldsStats
    categories: tuple[str, ...]
    channels: tuple[str, ...]
    remarks: tuple[str, ...]
    declared: Declared

    @property
    def empty(self) -> bool:
        """Whether there is nothing to declare."""
        return not (self.events or self.attributes.fields or self.categories or self.channels)


def declared_in(workspace: Path) -> Declared:
    """What the workspace in this folder declares, as far as it can be read; nothing where there is none."""
    from botopt.delivery.registry import CHANNEL_TYPES
    from botopt.loading.policy import load_policy

    if not (workspace / "rules").is_dir():
        return Declared()
    return _declared(load_policy(workspace, channel_types=CHANNEL_TYPES).partial)


def _declared(policy: Policy) -> Declared:
    other_names = {name for event_type in policy.events.values() for name in event_type.accepts}
    return Declared(
        frozenset(policy.events) | other_names,
        frozenset(policy.attributes),
        frozenset(policy.categories),
        frozenset(policy.channels),
    )


def infer(lines: Iterable[Line], declared: Declared | None = None) -> Proposal:
    """Look at every line once; memory stays bounded, however many there are."""
    looking = _Looking(declared or Declared())
    for line in lines:
        looking.look(line)
    return looking.proposal()


class _Looking:
    """What was seen so far."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self.types: dict[str, TypeStats] = {}
        self.attributes = FieldsStats()
        self.consent: dict[str, dict[str, None]] = {"category": {}, "channel": {}}
        self.lines = self.unfit = 0
        self.faults: list[str] = []
        self.left_out = 0
        self.first_us = self.last_us = -1
        self._last: OrderedDict[tuple[str, str], int] = OrderedDict()

    def look(self, line: Line) -> None:
        try:
            event = recorded(line)
        except Fault as fault:
            self.lines += 1
            self.unfit += 1
            if len(self.faults) < _MOST_FAULTS:
                self.faults.append(f"line {line.number}: {fault.detail}")
            return
        if event is not None:
            self.lines += 1
            self._see(event)

    def _see(self, event: Recorded) -> None:
        self.first_us = event.at_us if self.first_us < 0 else min(self.first_us, event.at_us)
        self.last_us = max(self.last_us, event.at_us)
        if event.type == "user.updated":
            self.attributes.add(event.data)
        elif event.type in _CONSENT:
            for key, names in self.consent.items():
                name = event.data.get(key)
                if isinstance(name, str) and len(names) < _MOST_NAMES:
                    names[name] = None
        elif event.type not in RESERVED_TYPES and event.type not in self.declared.types:
            self._see_type(event)

    def _see_type(self, event: Recorded) -> None:
        stats = self.types.get(event.type)
        if stats is None:
            if len(self.types) >= MOST_TYPES or not event.type.isprintable() or event.type.isspace():
                self.left_out += 1
                return
            stats = self.types[event.type] = TypeStats()
        stats.see(event.user, event.at_us // _DAY_US, event.data)
        key = (event.type, event.user)
        last_us = self._last.pop(key, None)
        if last_us is not None:
            stats.repeat(max(0, event.at_us - last_us))
        self._last[key] = event.at_us if last_us is None else max(last_us, event.at_us)
        if len(self._last) > _MOST_LAST:
            self._last.popitem(last=False)

    def proposal(self) -> Proposal:
        events: dict[str, tuple[tuple[str, ...], TypeStats]] = {}
        for name, members in grouped(self.types, self.declared.types).items():
            merged = TypeStats()
            for member in members:
                merged.merge(self.types[member])
            events[name] = (members, merged)
        for name in ("id", "timezone", "locale", *self.declared.attributes):
            self.attributes.fields.pop(name, None)
        often = Counter({name: stats.events for name, (_, stats) in events.items()})
        return Proposal(
            self.lines,
            self.unfit,
            tuple(self.faults),
            self.first_us,
            self.last_us,
            {name: events[name] for name in sorted(often, key=lambda name: (-often[name], name))},
            self.attributes,
            self._named("category", self.declared.categories),
            self._named("channel", self.declared.channels),
            tuple(self._remarks()),
            self.declared,
        )

    def _named(self, key: str, declared: frozenset[str]) -> tuple[str, ...]:
        return tuple(sorted(name for name in self.consent[key] if _is_name(name) and name not in declared))

    def _remarks(self) -> Iterable[str]:
        if self.left_out:
            yield f"{self.left_out:,} events are left out: more than {MOST_TYPES} types, or a name nobody can read"
        for key, names in self.consent.items():
            if odd := sorted(name for name in names if not _is_name(name)):
                yield f"this {key} can have no such name in a policy: {', '.join(odd)[:200]}"


def _is_name(text: str) -> bool:
    from botopt.loading.parse.scalars import NAME

    return NAME.fullmatch(text) is not None
