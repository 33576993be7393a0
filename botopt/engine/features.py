"""What a scorer looks at: a dozen numbers about the user and the message, each 0 where nothing is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from botopt.engine.values import ignored_in_a_row, rate_of, unanswered_since
from botopt.engine.work import Work
from botopt.learning.send_time import values as hour_values
from botopt.model.policy import DAY_US
from botopt.model.user_state import Response
from botopt.model.zones import local

_LONG_AGO = 30.0
"""Days that stand for never."""


def _logit(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(share / (1 - share))


def _rate(work: Work) -> float:
    return _logit(rate_of(work))


def _type_rate(work: Work) -> float:
    snapshot = work.learned.snapshot
    return _logit(snapshot.types.get(work.event.type, snapshot.rate))


def _hour(work: Work) -> float:
    everybody = work.learned.snapshot.hours
    hour = local(work.now_us, work.timezone).hour
    return math.log(max(hour_values(work.state.hours, everybody)[hour] * 24, 1e-6))


def _sent_lately(work: Work) -> float:
    since = work.now_us - DAY_US
    number = 0
    for send in reversed(work.state.sends):
        if send.time_us <= since:
            break
        number += send.response is not Response.FAILED
    return float(number)


def _unanswered(work: Work) -> float:
    return float(unanswered_since(work, work.now_us - 7 * DAY_US))


def _since_click(work: Work) -> float:
    for send in reversed(work.state.sends):
        if send.response is Response.CLICKED:
            return min(max(work.now_us - send.response_us, 0) / DAY_US, _LONG_AGO)
    return _LONG_AGO


def _since_sent(work: Work) -> float:
    for send in reversed(work.state.sends):
        if send.response is not Response.FAILED:
            return min((work.now_us - send.time_us) / DAY_US, _LONG_AGO)
    return _LONG_AGO


def _ignored(work: Work) -> float:
    return float(min(ignored_in_a_row(work), 20))


def _raw(work: Work) -> float:
    return work.raw


FEATURES: Mapping[str, Callable[[Work], float]] = {
    "user_rate": _rate,
    "type_rate": _type_rate,
    "hour": _hour,
    "sent_24h": _sent_lately,
    "unanswered_7d": _unanswered,
    "days_since_click": _since_click,
    "days_since_sent": _since_sent,
    "ignored_in_a_row": _ignored,
    "raw_score": _raw,
}
"""By name: the log-odds of `engagement.rate`; those of the event type's rate among all users; the logarithm of how much
more active than usual the user is at this hour; messages sent within a day; those without a click within a week; days
since the last click and the last message, at most 30; messages ignored in a row, at most 20; the raw score.
"""


def features(work: Work, names: Sequence[str]) -> list[float]:
    """The values of these, in this order."""
    return [FEATURES[name](work) for name in names]
