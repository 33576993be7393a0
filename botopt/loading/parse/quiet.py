"""Quiet hours that together never end."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.loading.parse.findings import Findings
from botopt.loading.parse.scopes import in_scope
from botopt.loading.parse.wording import named
from botopt.model.policy import EventType, QuietHours, Suppression

_DAY = 24 * 60


def refuse_endless_quiet(findings: Findings, events: Sequence[EventType], suppressions: Sequence[Suppression]) -> None:
    """A finding for each set of unconditional quiet hours that leaves some event type no minute of the week."""
    quiet = [s for s in suppressions if isinstance(s.kind, QuietHours) and s.when is None and s.unless is None]
    seen: set[tuple[str, ...]] = set()
    for event in events if len(quiet) > 1 else ():
        concerned = [s for s in quiet if _covers(s, event)]
        ids = tuple(s.id for s in concerned)
        if ids in seen or not never_ends([s.kind for s in concerned if isinstance(s.kind, QuietHours)]):
            continue
        seen.add(ids)
        message = f'together the quiet hours {named(ids)} never end for "{event.name}"'
        hint = "shorten them, or type mute: always if nothing shall be sent"
        findings.report("B115", max(s.position for s in concerned), message, hint)


def _covers(suppression: Suppression, event: EventType) -> bool:
    channels = {event.channel, *(rule.channel for rule in event.rules)} - {None}
    whole = not suppression.channels or channels <= set(suppression.channels)
    return whole and in_scope(event, suppression.events, suppression.categories, suppression.channels)


def never_ends(hours: Sequence[QuietHours]) -> bool:
    """Whether these quiet hours together leave no minute of the week."""
    quiet = bytearray(7 * _DAY)
    for one in hours:
        length = (one.end - one.start) % _DAY or _DAY
        for day in one.days or range(7):
            begin = day * _DAY + one.start
            for minute in range(begin, begin + length):
                quiet[minute % (7 * _DAY)] = 1
    return all(quiet)
