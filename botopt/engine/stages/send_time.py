"""A message that may wait goes at the user's better hour (`send_time`), once.

Which hours are allowed only depends on the hour it is, the weekday, how many hours are left and which quiet hours
concern the message, wherever a zone's clock is not changed in between: these lists are remembered, and so is the best
of them for users about whom too little is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from botopt.engine.calendar import is_quiet_at
from botopt.engine.hashes import draw
from botopt.engine.stages.stage import Stage
from botopt.engine.work import Stop, Work
from botopt.learning.send_time import DELAY, is_known, values
from botopt.model.decision import Choice, Reason
from botopt.model.durations import DAY_US, HOUR_US
from botopt.model.learned import Snapshot
from botopt.model.learning_policy import SendTime
from botopt.model.policy import EventType, Policy, QuietHours
from botopt.model.zones import local, steady_offset_us

NOW = "now"
_MOST_LISTS = 20_000
_MONDAY_US = 4 * DAY_US  # 1970-01-05


class Hours(msgspec.Struct, frozen=True, gc=False):
    """When a message could go: now, and at the beginning of later hours. All are parallel.

    `steps` are the hours from the beginning of the present one (0 is now), `numbers` the hours of the user's day (0 to
    23), `names` what records say.
    """

    steps: tuple[float, ...]
    numbers: tuple[int, ...]
    names: tuple[str, ...]


class Offer(msgspec.Struct, frozen=True, gc=False):
    """When a message could go, and the place of the best of them. `explore` is the share that is drawn from all."""

    hours: Hours
    best: int
    explore: float

    def chance(self, place: int) -> float:
        """How likely it goes at this one."""
        return self.explore / len(self.hours.steps) + (1.0 - self.explore if place == self.best else 0.0)


Offering = Callable[[Work], Offer | None]
"""What a message is offered; None where it cannot wait."""


def bind(policy: Policy, event_type: EventType) -> Stage | None:
    """Only for event types that may wait."""
    if event_type.send_time is None:
        return None
    seed = policy.settings.seed

    def stops(work: Work) -> Sequence[Stop]:
        work.hour = None
        offer = None if work.plan.offering is None else work.plan.offering(work)
        if offer is None:
            return ()
        hours, event = offer.hours, work.event
        number = len(hours.steps)
        drawn = draw(seed, "send_time", event.user, event.source, event.id)
        explores = drawn < offer.explore
        place = min(int(drawn / offer.explore * number), number - 1) if explores else offer.best
        work.hour = Choice("send_time", hours.names, hours.names[place], drawn, offer.chance(place))
        if place == 0:
            return ()
        return (Stop(Reason.SEND_TIME, None, _begin_us(work) + int(hours.steps[place] * HOUR_US), hold=True),)

    return stops


def offering(event_type: EventType) -> Offering | None:
    """The function that says what a message of this type is offered; None where none may wait."""
    send_time = event_type.send_time
    if send_time is None:
        return None
    explore, allowed = send_time.explore, _allowing(send_time, event_type)
    known: dict[tuple[str, tuple[float, ...], tuple[int, ...]], int] = {}

    def best_for_everybody(snapshot: Snapshot, hours: Hours) -> int:
        key = (snapshot.id, hours.steps, hours.numbers)
        place = known.get(key)
        if place is None:
            if len(known) >= _MOST_LISTS:
                known.clear()
            place = known[key] = best_of(snapshot.hours, hours)
        return place

    def offered(work: Work) -> Offer | None:
        if work.timed or work.control:
            return None
        hours, snapshot = allowed(work), work.learned.snapshot
        if len(hours.steps) < 2:
            return None
        if is_known(work.state.hours):
            return Offer(hours, best_of(values(work.state.hours, snapshot.hours), hours), explore)
        return Offer(hours, best_for_everybody(snapshot, hours), explore)

    return offered


def best_of(by_hour: Sequence[float], hours: Hours) -> int:
    """The place of the hour that is worth most, less what waiting for it costs; the earliest of equals."""
    best, highest = 0, -1.0
    for place, (number, step) in enumerate(zip(hours.numbers, hours.steps, strict=True)):
        worth = by_hour[number] - DELAY * step
        if worth > highest:
            best, highest = place, worth
    return best


def _begin_us(work: Work) -> int:
    """When the present hour of the user's day began."""
    offset_us = steady_offset_us(work.now_us, work.timezone)
    if offset_us is not None:
        return work.now_us - (work.now_us + offset_us) % HOUR_US
    return work.now_us - _into_hour_us(local(work.now_us, work.timezone))


def _allowing(send_time: SendTime, event_type: EventType) -> Callable[[Work], Hours]:
    """The function that lists when a message may go: until it may wait no longer, not in quiet hours, not expired."""
    within_us, expires_us = send_time.within_us, event_type.expires_after_us
    lists: dict[tuple[int, int, tuple[QuietHours, ...]], Hours] = {}

    def allowed(work: Work) -> Hours:
        now_us, timezone = work.now_us, work.timezone
        last_us = work.seen_us + within_us
        if expires_us is not None:
            last_us = min(last_us, work.event.time_us + expires_us)
        quiet = tuple(
            bound.suppression.kind
            for bound in work.plan.quiet
            if isinstance(bound.suppression.kind, QuietHours) and bound.chosen(work)
        )
        offset_us = steady_offset_us(now_us, timezone)
        if offset_us is None or (last_us > now_us and steady_offset_us(last_us, timezone) != offset_us):
            return _listed(_changing(now_us, last_us, timezone, quiet))
        wall_us = now_us + offset_us
        begin_us = now_us - wall_us % HOUR_US
        hour = (wall_us - _MONDAY_US) // HOUR_US % (7 * 24)
        key = (hour, (last_us - begin_us) // HOUR_US, quiet)
        found = lists.get(key)
        if found is None:
            if len(lists) >= _MOST_LISTS:
                lists.clear()
            found = lists[key] = _listed(_steady(hour, key[1], quiet))
        return found

    return allowed


_Found = list[tuple[float, int]]
"""The step and the hour of the week (from Monday 00:00) of each."""


def _steady(hour: int, last: int, quiet: Sequence[QuietHours]) -> _Found:
    later = ((step, (hour + step) % 168) for step in range(1, last + 1))
    return [
        (0, hour),
        *((step, there) for step, there in later if not any(is_quiet_at(kind, there * 60) for kind in quiet)),
    ]


def _changing(now_us: int, last_us: int, timezone: str, quiet: Sequence[QuietHours]) -> _Found:
    """Where the clock is changed in between, each hour is looked up."""
    wall = local(now_us, timezone)
    begin_us = now_us - _into_hour_us(wall)
    found: _Found = [(0, wall.weekday() * 24 + wall.hour)]
    us = begin_us
    while us <= last_us:
        us += HOUR_US
        there = local(us, timezone)
        if past_us := _into_hour_us(there):  # somewhere the clock is changed by half an hour
            us += HOUR_US - past_us
            there = local(us, timezone)
        minute = (there.weekday() * 24 + there.hour) * 60 + there.minute
        if us <= last_us and not any(is_quiet_at(kind, minute) for kind in quiet):
            found.append(((us - begin_us) / HOUR_US, minute // 60))
    return found


def _into_hour_us(wall: datetime) -> int:
    return (wall.minute * 60 + wall.second) * 1_000_000 + wall.microsecond


def _listed(found: _Found) -> Hours:
    return Hours(
        tuple(step for step, _ in found),
        tuple(hour % 24 for _, hour in found),
        tuple(f"{hour % 24:02}:00" if step else NOW for step, hour in found),
    )
