"""From rounds to an answer: what the new policy would have got, how sure that is, or why nothing can be said."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from botopt.learning import evaluation
from botopt.learning.evaluation import LEAST_CLICKS, LEAST_EFFECTIVE, Estimate
from botopt.model.counting import number_of
from botopt.verify.evaluating.rounds import Action, Round

MOST_UNSUPPORTED = 0.20
"""The share of the new policy's messages that the log may say nothing about."""

_STRENGTH = 20.0
"""Messages that a wider group's click rate is worth against a narrower one's, in the model of the direct method."""


class Side(msgspec.Struct, frozen=True):
    """One policy: its messages, and its clicks in each decision and in each message."""

    messages: float
    per_decision: Estimate
    per_message: Estimate


class Evaluation(msgspec.Struct, frozen=True):
    """The answer. `refusals` are sentences; where there are any, there are no estimates.

    `decisions` are events decided, `users` whose they are. `effective` is the effective number of the messages in the
    log, `largest` their largest weight, `clicks` those the new policy had a share in. `unsupported` is the share of its
    messages that the log says nothing about; no estimate counts a click for them. `difference` is in clicks per
    decision, the new policy's less the logged one's; `at_best` the same if unsupported messages were clicked as others.
    """

    decisions: int
    users: int
    logged_messages: int
    logged_clicks: int
    new_messages: float
    unsupported: float
    effective: float
    largest: float
    clicks: int
    refusals: tuple[str, ...] = ()
    logged: Side | None = None
    new: Side | None = None
    inverse: Estimate | None = None
    robust: Estimate | None = None
    direct: Estimate | None = None
    difference: Estimate | None = None
    at_best: Estimate | None = None

    @property
    def verdict(self) -> str:
        """`better` or `worse` in clicks per decision, or `open`: the interval of the difference holds 0."""
        if self.difference is None or self.at_best is None:
            return "refused"
        if self.difference.low > 0:
            return "better"
        return "worse" if self.at_best.high < 0 else "open"


def measure(rounds: Sequence[Round]) -> Evaluation:
    """What these rounds say."""
    sent = [each for each in rounds if each.taken is not None]
    weights = [each.weight for each in sent]
    mass = sum(each.supported + each.unsupported for each in rounds)
    beyond = sum(each.unsupported for each in rounds)
    found = Evaluation(
        decisions=len(rounds),
        users=len({each.user for each in rounds}),
        logged_messages=len(sent),
        logged_clicks=sum(each.clicked for each in sent),
        new_messages=mass,
        unsupported=beyond / mass if mass else 0.0,
        effective=evaluation.effective_size(weights),
        largest=max(weights, default=0.0),
        clicks=sum(each.clicked and each.weight > 0 for each in sent),
    )
    refusals = _refusals(found)
    if refusals:
        return msgspec.structs.replace(found, refusals=refusals)
    return _estimated(found, rounds)


def change(old: Sequence[Round], new: Sequence[Round]) -> Estimate:
    """Clicks per decision of one policy less those of another, from the rounds of the same log in the same order.

    What both say alike is taken out of the interval. Neither may have been refused.
    """
    users = {user: place for place, user in enumerate(dict.fromkeys(each.user for each in old))}
    groups = [users[each.user] for each in old]
    rewards = [float(each.clicked) for each in old]
    one, apart_one = evaluation.per_round(
        [each.supported for each in old], [each.weight for each in old], rewards, groups
    )
    other, apart_other = evaluation.per_round(
        [each.supported for each in new], [each.weight for each in new], rewards, groups
    )
    return _difference(other, apart_other, one, apart_one, groups)


def _refusals(found: Evaluation) -> tuple[str, ...]:
    said = []
    if not found.decisions:
        return ("the log holds no decision whose event it holds, too, and whose answer is known",)
    if not found.new_messages:
        return ("the policy would have sent nothing: there is nothing to estimate",)
    if found.unsupported > MOST_UNSUPPORTED:
        said.append(
            f"the log says nothing about {found.unsupported:.0%} of the policy's messages, at most "
            f"{MOST_UNSUPPORTED:.0%} may be so: it never sent them there. Let the running policy try them on a few "
            "users (settings.engagement.explore, choose: weighted, experiment), and evaluate on that log"
        )
    if found.effective < LEAST_EFFECTIVE:
        said.append(
            f"the messages of the log are worth {found.effective:.0f} for this policy, at least "
            f"{LEAST_EFFECTIVE:.0f} are needed: it does what the log did too rarely. A longer log, or one with more "
            "chance in it, helps"
        )
    if found.clicks < LEAST_CLICKS:
        said.append(
            f"{number_of(found.clicks, 'click')} of the log {'tells' if found.clicks == 1 else 'tell'} of this "
            f"policy, at least {LEAST_CLICKS} are needed: a longer log helps"
        )
    return tuple(said)


def _estimated(found: Evaluation, rounds: Sequence[Round]) -> Evaluation:
    users = {user: place for place, user in enumerate(dict.fromkeys(each.user for each in rounds))}
    groups = [users[each.user] for each in rounds]
    weights = [each.weight for each in rounds]
    rewards = [float(each.clicked) for each in rounds]
    masses = [each.supported for each in rounds]
    whole = [each.supported + each.unsupported for each in rounds]
    new, apart = evaluation.per_round(masses, weights, rewards, groups)
    best, best_apart = evaluation.per_round(whole, weights, rewards, groups)
    logged = evaluation.mean(rewards, groups)
    own = [reward - logged.value for reward in rewards]
    model = _Model(rounds)
    taken = [0.0 if each.taken is None else model.rate(each, each.taken) for each in rounds]
    expected = [sum(mass * model.rate(each, action) for action, mass in each.masses) for each in rounds]
    sent = [float(each.taken is not None) for each in rounds]
    return msgspec.structs.replace(
        found,
        logged=Side(found.logged_messages, logged, evaluation.snips(sent, rewards, groups)),
        new=Side(found.new_messages, new, evaluation.snips(weights, rewards, groups)),
        inverse=evaluation.ips(weights, rewards, groups),
        robust=evaluation.doubly_robust(weights, rewards, taken, expected, groups),
        direct=evaluation.direct(expected, groups),
        difference=_difference(new, apart, logged, own, groups),
        at_best=_difference(best, best_apart, logged, own, groups),
    )


def _difference(
    new: Estimate, apart: Sequence[float], old: Estimate, own: Sequence[float], groups: Sequence[int]
) -> Estimate:
    """Of two estimates from the same rounds, with what they have in common taken out."""
    value = new.value - old.value
    return evaluation.interval(value, [one - other for one, other in zip(apart, own, strict=True)], groups)


class _Model:
    """Click rates of the log by event type and message, each shrunk to the wider one, for the direct method.

    Nobody is foretold from their own clicks: users fall into two halves, and each is foretold from the other.
    """

    def __init__(self, rounds: Sequence[Round]) -> None:
        self._counts: list[dict[tuple[object, ...], list[float]]] = [{}, {}]
        for each in rounds:
            if each.taken is None:
                continue
            for key in _keys(each.event_type, each.taken):
                count = self._counts[(each.user + 1) % 2].setdefault(key, [0.0, 0.0])
                count[0] += each.clicked
                count[1] += 1

    def rate(self, met: Round, action: Action) -> float:
        """What is expected of a message there."""
        counts = self._counts[met.user % 2]
        rate = 0.0
        for place, key in enumerate(_keys(met.event_type, action)):
            clicks, sends = counts.get(key, (0.0, 0.0))
            strength = _STRENGTH if place else 1.0
            rate = (clicks + strength * rate) / (sends + strength)
        return rate


def _keys(event_type: str, action: Action) -> tuple[tuple[object, ...], ...]:
    return (), (event_type,), (event_type, action)
