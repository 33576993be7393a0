"""Lengths of time that do not fit each other: cooldowns, limits, quiet hours and what expires."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from botopt.engine.calendar import is_quiet_at
from botopt.model.codes import finding
from botopt.model.condition import Scope, duration_text
from botopt.model.diagnostic import Diagnostic
from botopt.model.durations import DAY_US, HOUR_US, MINUTE_US
from botopt.model.policy import Calendar, Cooldown, EventType, Limit, Policy, QuietHours, Suppression
from botopt.verify.analysis.moments import DAY, WEEK, Moment
from botopt.verify.analysis.nodes import LEAF, Node
from botopt.verify.analysis.outlook import Outlook, Standing
from botopt.verify.analysis.outlooks import outlooks
from botopt.verify.analysis.space import UndecidedError
from botopt.verify.analysis.witness import as_test, scene_of
from botopt.verify.checks.suppressions import is_blocked

_CLOCK_CHANGE_US = 2 * HOUR_US
"""No zone puts its clocks forward by more at once, but where the date line moves."""

_CALENDAR_US = {Calendar.DAY: DAY_US + _CLOCK_CHANGE_US, Calendar.WEEK: 7 * DAY_US + _CLOCK_CHANGE_US}
"""How long a day or a week of a calendar can be."""


def cooldowns_leave_room(policy: Policy) -> Iterator[Diagnostic]:
    """Cooldowns that are longer than what another suppression protects from, so that it never decides (B410).

    A cooldown C leaves a cooldown S nothing to do if it is longer, compares no other keys than S does, and concerns
    all that S concerns. It leaves a limit of N nothing to do if N messages never fit into the limit's window at its
    distance. Only a cooldown without `when` and `unless` counts.
    """
    long = [one for one in policy.suppressions if isinstance(one.kind, Cooldown) and not one.conditions]
    for suppression in policy.suppressions:
        if not isinstance(suppression.kind, Cooldown | Limit):
            continue
        concerned = [one.event_type for one in outlooks(policy).values() if suppression in one.suppressions]
        if not concerned or any(event_type.always for event_type in concerned):
            continue  # what `always` sends counts, and no cooldown holds it back
        stronger = next((one for one in long if _leaves_nothing(one, suppression, concerned, policy)), None)
        if stronger is not None:
            assert isinstance(stronger.kind, Cooldown)
            length = duration_text(stronger.kind.window_us)
            message = (
                f"the cooldown {stronger.id} of {length} {_outdoes(suppression)}, "
                f"so {suppression.id} never decides anything"
            )
            hint = f"shorten {stronger.id}, narrow its scope, or delete {suppression.id}"
            yield finding("B410", stronger.position, message, hint)


def _outdoes(suppression: Suppression) -> str:
    match suppression.kind:
        case Limit():
            return f"keeps messages so far apart that {suppression.id} is never full when the next one may come"
        case Cooldown(window_us=window_us):
            return f"is longer than {suppression.id} with {duration_text(window_us)}"
        case _:
            return f"is longer than {suppression.id}"


def _leaves_nothing(cooldown: Suppression, other: Suppression, concerned: Sequence[EventType], policy: Policy) -> bool:
    assert isinstance(cooldown.kind, Cooldown)
    window_us, per = cooldown.kind.window_us, set(cooldown.kind.per)
    if cooldown is other or not _covers(cooldown, other, concerned, policy):
        return False
    match other.kind:
        case Cooldown() as shorter:
            fields = per - {"event"} <= set(shorter.per) and ("event" not in per or "event" in shorter.per)
            same = window_us == shorter.window_us and per == set(shorter.per) and cooldown.id < other.id
            return fields and (window_us > shorter.window_us or same)
        case Limit() as limit:
            if per and not (per == {"event"} and len(concerned) == 1 and other.events):
                return False
            length_us = limit.window_us if limit.calendar is None else _CALENDAR_US[limit.calendar]
            kept = sum(slots for _, slots in limit.reserved)
            return -(-length_us // window_us) - 1 < limit.count - kept
        case _:
            return False


def _covers(cooldown: Suppression, other: Suppression, concerned: Sequence[EventType], policy: Policy) -> bool:
    """Whether all sends and messages that `other` looks at are in the cooldown's scope."""
    return (
        (not cooldown.events or all(one.name in cooldown.events for one in concerned))
        and (not cooldown.categories or all(one.category in cooldown.categories for one in concerned))
        and (
            not cooldown.channels
            or (bool(other.channels) and set(other.channels) <= set(cooldown.channels))
            or all(set(policy.channels_of(one)) <= set(cooldown.channels) for one in concerned)
        )
    )


def holds_end_in_time(policy: Policy) -> Iterator[Diagnostic]:
    """Quiet hours that hold messages of a type only to let each of them expire (B411)."""
    for outlook in outlooks(policy).values():
        event_type = outlook.event_type
        expires_us = event_type.expires_after_us
        if expires_us is None or not event_type.enabled or event_type.always or not outlook.space.moments:
            continue
        for suppression in outlook.suppressions:
            kind = suppression.kind
            if isinstance(kind, QuietHours) and kind.hold and not _is_short(kind, expires_us):
                try:
                    found = None if is_blocked(outlook) else _swallowed(outlook, suppression, expires_us)
                except UndecidedError:
                    continue
                if found is not None:
                    yield found


def _is_short(kind: QuietHours, expires_us: int) -> bool:
    """Whether not even the longest hold outlives a message."""
    return ((kind.end - kind.start) % DAY or DAY) * MINUTE_US <= expires_us


def _swallowed(outlook: Outlook, suppression: Suppression, expires_us: int) -> Diagnostic | None:
    kind = suppression.kind
    assert isinstance(kind, QuietHours)
    space = outlook.space
    place = space.places[Scope.TIME, "", 0]
    late = early = 0
    for bit, moment in enumerate(space.moments):
        if is_quiet_at(kind, moment.begin):
            outlived = _until_end_us(kind, moment) - _CLOCK_CHANGE_US >= expires_us
            late |= outlived << bit
            early |= (not outlived) << bit

    def worth(standing: Standing, _: int) -> bool:
        covered = not suppression.channels or standing.channel in suppression.channels
        return standing.worth > 0 and standing.skipped_by is None and covered

    chosen = outlook.chosen(suppression)

    def at(mask: int) -> Sequence[Node]:
        return [chosen, Node(LEAF, place, mask)]

    if not late or (early and outlook.find(worth, also=at(early), first=outlook.helpful) is not None):
        return None
    found = outlook.find(worth, also=at(late), first=outlook.helpful)
    if found is None:
        return None
    name = outlook.event_type.name
    least = min(
        _until_end_us(kind, moment)
        for bit, moment in enumerate(space.moments)
        if late >> bit & 1 and outlook.find(worth, also=at(1 << bit), first=outlook.helpful) is not None
    )
    message = (
        f'{suppression.id} holds messages of "{name}" only to let them expire: it holds each for more than '
        f"{duration_text(least)}, and they expire after {duration_text(expires_us)}"
    )
    hint = f"type action: drop, lengthen expires_after of {name}, or end the hours earlier"
    answers = {rule.when.condition: bool(found.mask >> bit & 1) for bit, rule in enumerate(outlook.rules)}
    scene = scene_of(outlook, found.box, answers, awake=False)
    plain = found.standing.plain and not outlook.policy.settings.holdout
    then = [{"advance": "24h", "expect": {"reason": "expired"}}]
    witness = as_test(outlook, scene, f"B411 {name}", {"outcome": "held"}, then) if plain else ""
    return finding("B411", suppression.position, message, hint, witness=witness)


def _until_end_us(kind: QuietHours, moment: Moment) -> int:
    """From the end of a quiet moment until it is quiet no longer; hours of the next day that follow at once count."""
    minute, waited = moment.end % WEEK, 0
    while is_quiet_at(kind, (minute + waited) % WEEK) and waited < WEEK:
        waited += 1
    return waited * MINUTE_US
