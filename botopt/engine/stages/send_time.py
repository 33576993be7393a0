"""A message that may wait goes at the user's better hour (`send_time`), once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from botopt.engine.calendar import is_quiet
from botopt.engine.hashes import draw
from botopt.engine.stages.stage import Stage
from botopt.engine.work import Stop, Work
from botopt.learning.send_time import DELAY, values
from botopt.model.decision import Choice, Reason
from botopt.model.policy import HOUR_US, EventType, Policy, QuietHours, SendTime
from botopt.model.zones import local

NOW = "now"


class Hour:
    """When a message could go: an instant, and the hour of the user's day that it falls in."""

    __slots__ = ("name", "number", "us")

    def __init__(self, us: int, wall: datetime, *, now: bool = False) -> None:
        self.us = us
        self.number = wall.hour
        self.name = NOW if now else f"{wall:%H:%M}"


def bind(policy: Policy, event_type: EventType) -> Stage | None:
    """Only for event types that may wait."""
    send_time = event_type.send_time
    if send_time is None:
        return None

    def stops(work: Work) -> Sequence[Stop]:
        work.hour = None
        if work.timed or work.control:
            return ()
        hours = allowed(work, send_time)
        if len(hours) < 2:
            return ()
        worths = worth(work, hours)
        best = max(range(len(hours)), key=worths.__getitem__)  # the first of equals: the earliest
        event = work.event
        drawn = draw(work.plan.settings.seed, "send_time", event.user, event.source, event.id)
        place, share = best, send_time.explore
        if drawn < share:
            place = min(int(drawn / share * len(hours)), len(hours) - 1)
        chance = share / len(hours) + (1.0 - share if place == best else 0.0)
        chosen = hours[place]
        work.hour = Choice("send_time", tuple(hour.name for hour in hours), chosen.name, drawn, chance)
        return () if place == 0 else (Stop(Reason.SEND_TIME, None, chosen.us, hold=True),)

    return stops


def allowed(work: Work, send_time: SendTime) -> list[Hour]:
    """Now, and the beginning of each later hour of the user's day until the message may wait no longer: not in quiet
    hours, and not after it expires.
    """
    now_us, event_type = work.now_us, work.plan.event_type
    last_us = work.seen_us + send_time.within_us
    if event_type.expires_after_us is not None:
        last_us = min(last_us, work.event.time_us + event_type.expires_after_us)
    wall = local(now_us, work.timezone)
    hours = [Hour(now_us, wall, now=True)]
    quiet = [bound for bound in work.plan.bounds if isinstance(bound.suppression.kind, QuietHours)]
    kinds = [bound.suppression.kind for bound in quiet if bound.chosen(work)]
    us = now_us + HOUR_US - ((wall.minute * 60 + wall.second) * 1_000_000 + wall.microsecond)
    steady = us <= last_us and local(last_us, work.timezone).utcoffset() == wall.utcoffset()
    naive = wall.replace(minute=0, second=0, microsecond=0, tzinfo=None)
    step = 0
    while us <= last_us:
        step += 1
        there = naive + timedelta(hours=step) if steady else local(us, work.timezone)
        if not any(is_quiet(kind, there) for kind in kinds if isinstance(kind, QuietHours)):
            hours.append(Hour(us, there))
        us += HOUR_US
    return hours


def worth(work: Work, hours: Sequence[Hour]) -> list[float]:
    """What each is worth: how much the user does near that hour, less what waiting costs."""
    by_hour = values(work.state.hours, work.learned.snapshot.hours)
    return [by_hour[hour.number] - DELAY * ((hour.us - work.now_us) / HOUR_US) for hour in hours]
