"""What a scorer looks at: a few numbers about the user and the message (`botopt.model.click_model.FEATURES`).

They are worked out for almost every event, so the functions here are bound to an event type beforehand, look at a
user's messages once, and at no more of them than they must. None hangs on how much of the past a state still holds:
of messages older than 30 days only `ignored_in_a_row` knows, and that is carried on when they are forgotten.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import itemgetter

from botopt.engine.history import FEEDBACK_WINDOW_US
from botopt.learning.engagement import Prior, prior_of, rate
from botopt.learning.send_time import value_at
from botopt.model.click_model import FEATURES
from botopt.model.durations import DAY_US
from botopt.model.learned import Snapshot
from botopt.model.policy import Settings
from botopt.model.user_state import Response, Send, UserState
from botopt.model.zones import hour_of

Looking = Callable[[UserState, int, Snapshot, float], Sequence[float]]
"""(state, now_us, snapshot, raw score) -> the values of the features."""

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


def bind(names: Sequence[str], settings: Settings, event_type: str) -> Looking:
    """The function that works out these features, in this order, for messages of one event type."""
    engagement, usual_timezone = settings.engagement, settings.timezone
    known: Snapshot | None = None
    prior, type_rate, unknown_rate = Prior(engagement.prior), 0.0, 0.0
    hours: Sequence[float] = ()

    def turn(snapshot: Snapshot) -> None:
        nonlocal known, prior, type_rate, unknown_rate, hours
        known, prior, hours = snapshot, prior_of(engagement, snapshot, event_type), snapshot.hours
        type_rate = logit(snapshot.types.get(event_type, snapshot.rate))
        unknown_rate = logit(prior.rate * prior.ratio)

    def look(state: UserState, now_us: int, snapshot: Snapshot, raw: float) -> Sequence[float]:
        if snapshot is not known:
            turn(snapshot)
        zone = state.attributes.get("timezone") if state.attributes else None
        hour = hour_of(now_us, zone if isinstance(zone, str) else usual_timezone)
        total, user_rate = state.total, unknown_rate
        if total.outcome_count:
            user_rate = logit(rate(total, state.by_type.get(event_type), now_us, engagement, prior))
        return (
            user_rate,
            type_rate,
            math.log(max(value_at(state.hours, hours, hour) * 24, _LEAST)),
            *_of_messages(state, now_us),
            raw,
        )

    places = [list(FEATURES).index(name) for name in names]
    if places == list(range(len(FEATURES))):
        return look
    if not places:
        return lambda state, now_us, snapshot, raw: ()
    if len(places) == 1:
        return lambda state, now_us, snapshot, raw: (look(state, now_us, snapshot, raw)[places[0]],)
    pick = itemgetter(*places)
    return lambda state, now_us, snapshot, raw: pick(look(state, now_us, snapshot, raw))


_NEVER = (0.0, 0.0, MOST_DAYS, MOST_DAYS)


def _of_messages(  # noqa: C901, PLR0912 - each message is looked at once
    state: UserState, now_us: int
) -> tuple[float, float, float, float, float]:
    """From `sent_24h` to `ignored_in_a_row`: what a user's messages say, the newest first.

    Beyond a week only the last click and those ignored since then matter, and of the latter 20.
    """
    if not state.sends:
        return (*_NEVER, float(min(state.ignored_run, MOST_MESSAGES)))
    clicked, dismissed, ignored, failed = Response.CLICKED, Response.DISMISSED, Response.IGNORED, Response.FAILED
    day_us, week_us, month_us = now_us - DAY_US, now_us - 7 * DAY_US, now_us - FEEDBACK_WINDOW_US
    sent = unanswered = run = 0
    click: Send | None = None
    newest_us = 0
    counts = True  # messages ignored up to here are in a row
    for send in reversed(state.sends):
        response, time_us = send.response, send.time_us
        if response is failed:
            continue
        if not newest_us:
            newest_us = time_us
        if time_us > week_us:
            if time_us > day_us:
                sent += 1
            if response is not clicked:
                unanswered += 1
            elif click is None:
                click, counts = send, False
            if not counts:
                continue
        elif click is not None or run >= MOST_MESSAGES or not (counts or time_us > month_us):
            break
        elif response is clicked:
            click, counts = send, False
            break
        if response is ignored:
            run += counts
        elif response is dismissed:
            counts = False
    since_click = MOST_DAYS
    if click is not None and click.time_us > month_us and run < MOST_MESSAGES:
        since_click = (now_us - click.response_us) / DAY_US
    since_sent = (now_us - newest_us) / DAY_US if newest_us > month_us else MOST_DAYS
    if counts:
        run += state.ignored_run
    most = MOST_MESSAGES
    return float(min(sent, most)), float(min(unanswered, most)), since_click, since_sent, float(min(run, most))
