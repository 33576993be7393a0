"""What a scorer looks at: a few numbers about the user and the message (`botopt.model.click_model.FEATURES`).

They are worked out for almost every event, so the functions here are bound to an event type beforehand, look at a
user's messages once, and at no more of them than they must. None hangs on how much of the past a state still holds:
of messages older than 30 days only `ignored_in_a_row` knows, and that is carried on when they are forgotten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from botopt.engine.history import FEEDBACK_WINDOW_US
from botopt.learning.engagement import prior_of
from botopt.learning.engagement import rate as rate_of
from botopt.learning.send_time import is_known, value_at
from botopt.model.durations import DAY_US, HOUR_US
from botopt.model.learned import Snapshot
from botopt.model.policy import Settings
from botopt.model.user_state import Response, Send, UserState
from botopt.model.zones import hour_of, steady_offset_us


class Looking(Protocol):
    """Works out the values of all `FEATURES`, in their order, for a message of one event type."""

    def __call__(
        self, state: UserState, now_us: int, snapshot: Snapshot, raw: float, rate: float | None = None
    ) -> Sequence[float]:
        """`raw` is the score before engagement, `rate` that of `engagement.rate`, where it is known already."""


MOST_DAYS = 30.0
"""Days since the last message or click, at most; they stand for never, too."""

MOST_MESSAGES = 20
"""Counts go up to this."""

_LEAST = 1e-6


def logit(share: float) -> float:
    """The log-odds of a share, which is kept a millionth away from 0 and 1."""
    if share < _LEAST:
        share = _LEAST
    elif share > 1 - _LEAST:
        share = 1 - _LEAST
    return math.log(share / (1 - share))


def _of_hour(share: float) -> float:
    """How many times as much is done near an hour as on average, as a logarithm."""
    return math.log(max(share * 24, _LEAST))


@lru_cache(maxsize=64)
def _of_hours(shares: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(map(_of_hour, shares))


def bind(settings: Settings, event_type: str) -> Looking:
    """The function that works out the features for messages of one event type."""
    engagement, usual_timezone = settings.engagement, settings.timezone
    known: Snapshot | None = None
    type_rate = 0.0
    hours: Sequence[float] = ()
    of_hours: Sequence[float] = ()
    usual_hour = begin_us = end_us = 0  # the hour on the usual wall, and how long it is that

    def turn(snapshot: Snapshot) -> None:
        nonlocal known, type_rate, hours, of_hours
        known, hours, of_hours = snapshot, snapshot.hours, _of_hours(snapshot.hours)
        type_rate = logit(snapshot.types.get(event_type, snapshot.rate))

    def other_hour(now_us: int) -> int:
        nonlocal usual_hour, begin_us, end_us
        usual_hour = hour_of(now_us, usual_timezone)
        offset_us = steady_offset_us(now_us, usual_timezone)
        if offset_us is not None:
            begin_us = now_us - (now_us + offset_us) % HOUR_US
            end_us = min(begin_us + HOUR_US, (now_us // DAY_US + 1) * DAY_US)
            begin_us = max(begin_us, now_us // DAY_US * DAY_US)
        return usual_hour

    def look(
        state: UserState, now_us: int, snapshot: Snapshot, raw: float, rate: float | None = None
    ) -> Sequence[float]:
        if snapshot is not known:
            turn(snapshot)
        if rate is None:
            prior = prior_of(engagement, snapshot, event_type)
            rate = rate_of(state.total, state.by_type.get(event_type), now_us, engagement, prior)
        zone = state.attributes.get("timezone") if state.attributes else None
        if isinstance(zone, str):
            hour = hour_of(now_us, zone)
        else:
            hour = usual_hour if begin_us <= now_us < end_us else other_hour(now_us)
        own = state.hours
        of_hour = of_hours[hour] if own is None or not is_known(own) else _of_hour(value_at(own, hours, hour))
        return _of_messages(state, now_us, logit(rate), type_rate, of_hour, raw)

    return look


_COUNTS = tuple(float(number) for number in range(MOST_MESSAGES + 1))
_CLICKED, _DISMISSED, _IGNORED, _FAILED = Response.CLICKED, Response.DISMISSED, Response.IGNORED, Response.FAILED


def _of_messages(  # noqa: C901, PLR0912 - each message is looked at once
    state: UserState, now_us: int, user_rate: float, type_rate: float, of_hour: float, raw: float
) -> Sequence[float]:
    """All features in their order; from `sent_24h` to `ignored_in_a_row` what a user's messages say, the newest first.

    Beyond a week only the last click and those ignored since then matter, and of the latter 20.
    """
    since_click = since_sent = MOST_DAYS
    run = state.ignored_run
    if not state.sends:
        return user_rate, type_rate, of_hour, 0.0, 0.0, since_click, since_sent, _COUNTS[min(run, MOST_MESSAGES)], raw
    day_us, week_us, month_us = now_us - DAY_US, now_us - _WEEK_US, now_us - FEEDBACK_WINDOW_US
    sent = unanswered = ignored_since = newest_us = 0
    click: Send | None = None
    counts = True  # messages ignored up to here are in a row
    for send in reversed(state.sends):
        response, time_us = send.response, send.time_us
        if response is _FAILED:
            continue
        if not newest_us:
            newest_us = time_us
        if time_us > week_us:
            if time_us > day_us:
                sent += 1
            if response is _CLICKED:
                if click is None:
                    click, counts = send, False
                continue
            unanswered += 1
        elif click is not None or ignored_since >= MOST_MESSAGES or not (counts or time_us > month_us):
            break
        elif response is _CLICKED:
            click, counts = send, False
            break
        if counts:
            if response is _IGNORED:
                ignored_since += 1
            elif response is _DISMISSED:
                counts = False
    if click is not None and click.time_us > month_us and ignored_since < MOST_MESSAGES:
        since_click = (now_us - click.response_us) / DAY_US
    if newest_us > month_us:
        since_sent = (now_us - newest_us) / DAY_US
    ignored_since += run if counts else 0
    return (
        user_rate,
        type_rate,
        of_hour,
        _COUNTS[sent if sent < MOST_MESSAGES else MOST_MESSAGES],
        _COUNTS[unanswered if unanswered < MOST_MESSAGES else MOST_MESSAGES],
        since_click,
        since_sent,
        _COUNTS[ignored_since if ignored_since < MOST_MESSAGES else MOST_MESSAGES],
        raw,
    )


_WEEK_US = 7 * DAY_US
