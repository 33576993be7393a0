"""How many messages a proposal saves: estimated at the states of the log, and in a replay.

The two need not agree, because in a replay each policy makes its own states. Where less is sent today, more room is
left tomorrow: a budget (`pacing`) lowers the bar, caps and cooldowns let more through. The estimate knows nothing of
that, so for messages the replay is to be believed.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from botopt.engine.build import build
from botopt.learning.evaluation import Estimate, interval
from botopt.learning.learner import Learner
from botopt.model.decision import Outcome
from botopt.model.policy import Policy
from botopt.model.user_state import UserState
from botopt.verify.evaluating.matching import Reading
from botopt.verify.evaluating.rounds import Round

PerUser = dict[int, float]
"""Messages by the number of the user, counted from 0 in the order in which the log meets them."""


class Saving(msgspec.Struct, frozen=True):
    """Changes of the number of messages on the later days, as shares of those there are now: -0.1 is a tenth fewer.

    `estimated` and `replayed` each have their interval over users. `apart` is the estimated less the replayed one, of
    which the interval leaves out what users have in common. `before` and `after` are the messages of the replay.
    """

    before: int
    after: int
    estimated: Estimate
    replayed: Estimate
    apart: Estimate

    @property
    def agree(self) -> bool:
        """Whether the two differ by no more than they are unsure of."""
        return not self.apart.excludes_zero


def saving(old: Sequence[Round], new: Sequence[Round], before: PerUser, after: PerUser) -> Saving:
    """Both changes, and how far they lie apart.

    Args:
        old: the rounds of the policy as it is.
        new: those of the proposed one.
        before: what the policy as it is sends in a replay of the same days; at least one message.
        after: what the proposed one sends there.
    """
    estimated, parts = _changed(_masses(old), _masses(new))
    replayed, others = _changed(before, after)
    users = parts.keys() | others.keys()
    apart = [parts.get(user, 0.0) - others.get(user, 0.0) for user in users]
    return Saving(
        round(sum(before.values())),
        round(sum(after.values())),
        _over_users(estimated, list(parts.values())),
        _over_users(replayed, list(others.values())),
        _over_users(estimated - replayed, apart),
    )


def _masses(rounds: Sequence[Round]) -> PerUser:
    found: PerUser = {}
    for each in rounds:
        found[each.user] = found.get(each.user, 0.0) + each.supported + each.unsupported
    return found


def _changed(before: PerUser, after: PerUser) -> tuple[float, PerUser]:
    """The change as a share, and each user's part in its deviation."""
    total = sum(before.values())
    share = sum(after.values()) / total - 1 if total else 0.0
    users = before.keys() | after.keys()
    if not total:
        return share, dict.fromkeys(users, 0.0)
    return share, {user: (after.get(user, 0.0) - (1 + share) * before.get(user, 0.0)) / total for user in sorted(users)}


def _over_users(value: float, parts: Sequence[float]) -> Estimate:
    return interval(value, [len(parts) * part for part in parts])


def replayed(policy: Policy, reading: Reading, from_us: int, until_us: int) -> PerUser:
    """Messages after `from_us` and up to `until_us` when the policy decides all events itself.

    Clicks on messages that it does not send are lost: nobody knows which others there would have been.
    """
    engine, learner = build(policy), Learner(policy)
    states: dict[str, tuple[int, UserState]] = {}
    found: PerUser = {}
    for each in reading.matched:
        event = each.event
        if policy.learns and learner.is_boundary(event.user, event.time_us, each.ordinal):
            learner.turn(event.time_us)
        number, state = states.setdefault(event.user, (len(states), UserState()))
        learned = learner.learned if policy.learns else None
        for decision in engine.decide(state, event, learned=learned):
            sent = decision.outcome is Outcome.SENT and decision.time_us is not None
            if sent and from_us < decision.time_us <= until_us:  # type: ignore[operator]
                found[number] = found.get(number, 0.0) + 1
    return found
