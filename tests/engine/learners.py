"""Policies that learn, and runs of them: event after event with a learner beside, as every run takes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from botopt.engine.build import build
from botopt.engine.lines.engine import LineEngine
from botopt.learning.learner import Learner
from botopt.model.condition import Comparison, Literal, Ref, Scope, ValueType
from botopt.model.decision import Choice, Decision
from botopt.model.event import Event, Line
from botopt.model.learning_policy import Experiment, Pacing, Scorer, SendTime
from botopt.model.policy import Policy, When
from botopt.model.record import decode_line, encode_line
from botopt.model.user_state import Tally, UserState
from botopt.sources.envelope import Decoder
from tests.engine.support import CALM, HOUR, TEMPLATES, Wire, Workspace, at, base

LIVELY = "fatigue: {per_message: 0}"
"""Settings under which the history has its usual say."""


def learning(
    policy: Policy | None = None,
    *,
    engagement: Mapping[str, Any] | None = None,
    pacing: Pacing | None = None,
    paced: Mapping[str, Pacing] | None = None,
    timed: Mapping[str, SendTime] | None = None,
    scorer: Scorer | None = None,
    experiments: Iterable[Experiment] = (),
    split: Mapping[str, tuple[str, str]] | None = None,
    always: Iterable[str] = (),
    expires: Mapping[str, int] | None = None,
    **settings: Any,
) -> Policy:
    """A policy with learners switched on.

    `paced` are categories, `timed` and `expires` event types with what they have, `split` rules by id with the
    experiment and the arm that they ask for.
    """
    policy = policy or Workspace(base("", LIVELY)).engine.policy
    old = policy.settings
    whens = {rule: _in_arm(policy, *asked) for rule, asked in (split or {}).items()}
    expires = expires or {}
    events = {
        name: replace(
            event_type,
            send_time=(timed or {}).get(name),
            always=name in tuple(always) or event_type.always,
            expires_after_us=expires.get(name, event_type.expires_after_us),
            rules=tuple(replace(rule, when=whens.get(rule.id, rule.when)) for rule in event_type.rules),
        )
        for name, event_type in policy.events.items()
    }
    categories = {
        name: replace(category, pacing=(paced or {}).get(name)) for name, category in policy.categories.items()
    }
    chosen = replace(old, engagement=replace(old.engagement, **(engagement or {})), pacing=pacing, **settings)
    named = {experiment.name: experiment for experiment in experiments}
    return replace(policy, settings=chosen, events=events, categories=categories, scorer=scorer, experiments=named)


def _in_arm(policy: Policy, experiment: str, arm: str) -> When:
    return When(Comparison("==", Ref(Scope.EXPERIMENT, experiment, ValueType.TEXT), Literal(arm)))


def written(
    suppression: str = "", settings: str = CALM, events: str = "", rules: str = "[]", templates: str = TEMPLATES
) -> Policy:
    """A policy as authors write it."""
    return Workspace(base(suppression, settings, events, rules), templates).engine.policy


class Course:
    """A run in one process, by the engine that explains, or with `fast` by the one that writes lines."""

    def __init__(self, policy: Policy, *, fast: bool = False) -> None:
        self.policy = policy
        self.engine = build(policy, network="reference")
        self.learner = Learner(policy)
        self.states: dict[str, UserState] = {}
        self.lines = bytearray()
        self._lines = LineEngine(self.engine, self.learner.learned) if fast else None
        self._decoder = Decoder(policy)
        self._ordinal = 0

    def state(self, user: str = "u") -> UserState:
        """What is known about a user; it may be changed."""
        return self.states.setdefault(user, UserState())

    def continues(self, other: Course) -> None:
        """Take over from another run where it stopped."""
        self.states, self._ordinal = other.states, other._ordinal
        self.learner.restore(other.learner.keep(), other.learner.since())

    def __call__(self, *wires: Wire, until: str | int | None = None) -> list[Decision]:
        """The records that these events lead to, and those of messages that are due until then."""
        found: list[Decision] = []
        for wire in wires:
            self._ordinal += 1
            event = self._decoder.decode(json.dumps(wire).encode(), self._ordinal)
            if isinstance(event, Event):
                found += self._take(event)
        if until is not None:
            for user in sorted(self.states):
                found += self._written(self.engine.release(self.states[user], at(until), learned=self.learner.learned))
        return found

    def _take(self, event: Event) -> list[Decision]:
        learner = self.learner
        if not learner.low_us <= event.time_us < learner.next_us and learner.is_boundary(
            event.user, event.time_us, self._ordinal
        ):
            learner.turn(event.time_us)
        state = self.state(event.user)
        if self._lines is not None and self._lines.take(state, event):
            text = "".join(self._lines.lines).encode()
            self._lines.lines.clear()
            self.lines += text
            return [decode_line(line) for line in text.splitlines()]
        return self._written(self.engine.decide(state, event, Line(self._ordinal), learned=learner.learned))

    def _written(self, decisions: list[Decision]) -> list[Decision]:
        for decision in decisions:
            self.lines += encode_line(decision)
        return decisions


def choice(decision: Decision, purpose: str) -> Choice | None:
    """The draw for something, if there was one."""
    return next((choice for choice in decision.choices if choice.purpose == purpose), None)


def term(decision: Decision, name: str) -> float | None:
    """One part of a record."""
    return next((part.value for part in decision.parts if part.part == name), None)


def ignores(state: UserState, event_type: str = "a", time: str | int = "08:00", number: int = 50) -> None:
    """A user who was sent so many messages and clicked none."""
    state.total = Tally(0.0, float(number), at(time), 0, number)
    state.by_type[event_type] = Tally(0.0, float(number), at(time), 0, number)


def explained(decision: Decision) -> None:
    """Every term of a record leads to its score and its threshold, by the language's formulas.

    Records have six decimals, so sums of a few are right to five.
    """
    if decision.score is None or decision.threshold is None:
        return
    raw = min(max(sum(part.value for part in decision.parts if part.part in ("base", "rule")), 0.0), 1.0)
    factor = 1.0
    for part in decision.parts:
        if part.part in ("engagement", "scorer"):
            factor *= part.value
    explored = term(decision, "explore") or 0.0
    score = min(max(raw * factor, 0.0), 1.0) + explored
    assert abs(score - decision.score) < 1e-5, decision
    kinds = [part.part for part in decision.parts]
    assert kinds.count("fatigue") + kinds.count("pacing") == 1, kinds
    order = ["base", "rule", "engagement", "scorer", "explore", "threshold", "fatigue", "pacing"]
    assert kinds == sorted(kinds, key=order.index)


def bar(decision: Decision, threshold: float) -> float:
    """The threshold that a record's terms lead to, where the policy has this one."""
    added = sum(part.value for part in decision.parts if part.part in ("threshold", "fatigue", "pacing"))
    return min(max(threshold + added, 0.0), 1.0)


def every(hours: float, number: int, start: str | int = "09:00") -> list[int]:
    """So many times, so far apart."""
    return [at(start) + int(step * hours * HOUR) for step in range(number)]
