"""Everything that can happen in a small policy, by trying it all out on the real engine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice, product

import msgspec

from botopt.engine.engine import Engine
from botopt.engine.history import retention
from botopt.model.condition import Condition, Literal, Scope, ValueType, references
from botopt.model.decision import Decision
from botopt.model.event import Event
from botopt.model.policy import FieldSpec, Policy
from botopt.model.user_state import Response, Send, Tally, UserState
from botopt.network.reference import ReferenceNetwork
from botopt.network.samples import leaves, literals
from botopt.rendering.renderer import TemplateRenderer

MONDAY_US = 1_772_409_600_000_000  # 2026-03-02T00:00:00Z
MINUTE_US = 60_000_000
MANY = 1e7


class Trial(msgspec.Struct):
    """One event of type `a`, decided in one state; `released` is what came of it if it was held."""

    state: str
    fact: tuple[object, ...]
    decision: Decision
    released: tuple[Decision, ...]

    @property
    def rules(self) -> frozenset[str]:
        return frozenset(part.id or "" for part in self.decision.parts if part.part == "rule")

    @property
    def skipped(self) -> bool:
        return self.decision.outcome == "skipped"

    @property
    def worth(self) -> bool:
        assert self.decision.score is not None
        assert self.decision.threshold is not None
        return self.decision.score > self.decision.threshold

    @property
    def last(self) -> Decision:
        return self.released[-1] if self.released else self.decision

    def outcome(self) -> tuple[object, ...]:
        """What a rule or suppression could change."""
        return tuple(
            (
                one.outcome,
                one.reason,
                one.by,
                one.message and (one.message.template, one.message.variant, one.message.channel),
            )
            for one in (self.decision, *self.released)
        )


def engine_of(policy: Policy) -> Engine:
    renderer = TemplateRenderer(policy)
    return Engine(policy, ReferenceNetwork(), renderer, retention(policy, renderer))


def conditions(policy: Policy) -> Iterator[Condition]:
    for event_type in policy.events.values():
        yield from (rule.when.condition for rule in event_type.rules)
    for suppression in policy.suppressions:
        yield from (when.condition for when in suppression.conditions)
    for template in policy.templates.values():
        yield from (variant.when.condition for variant in template.variants if variant.when is not None)


def trials(policy: Policy, *, like: Policy | None = None, every: int = 1) -> list[Trial]:
    """Every event of type `a` that could matter, in every state, or one of so many.

    `like`: the policy whose constants say which those are.
    """
    like = like or policy
    engine = engine_of(policy)
    fields = policy.events["a"].fields
    used = {(ref.scope, ref.name) for one in conditions(like) for ref in references(one)}
    plans = ["free", "pro", "vip"] if (Scope.USER, "plan") in used else ["free"]
    choices = [_values(spec, like) for spec in fields.values()]
    times = _times(like, used)
    states = _states(like, used)
    found = []
    for time_us, plan, fact, (name, make) in islice(product(times, plans, product(*choices), states), 0, None, every):
        data = {field: value for field, value in zip(fields, fact, strict=True) if value is not None}
        state = make(time_us, plan)
        decisions = engine.decide(state, Event("e1", "", "a", "u1", time_us, data))
        held = decisions[-1].outcome == "held"
        released = engine.release(state, time_us + 30 * 86_400_000_000) if held else []
        found.append(Trial(name, (*fact, plan, time_us), decisions[-1], tuple(released)))
    return found


def _times(policy: Policy, used: set[tuple[Scope, str]]) -> list[int]:
    scopes = {scope for scope, _ in used}
    quiet = [one for one in policy.suppressions if type(one.kind).__name__ == "QuietHours"]
    if Scope.TIME not in scopes and not quiet:
        return [MONDAY_US + 10 * 60 * MINUTE_US]
    minutes = {0, 359, 360, 480, 479, 510, 720, 719, 1200, 1199, 1319, 1320, 1439}
    if quiet and Scope.TIME in scopes:
        minutes |= set(range(0, 1440, 60))
    days = (0, 2, 5, 6) if Scope.TIME in scopes else (0,)
    return [MONDAY_US + (day * 1440 + minute) * MINUTE_US for day in days for minute in sorted(minutes)]


def _states(policy: Policy, used: set[tuple[Scope, str]]):
    def plain(now_us: int, plan: str) -> UserState:
        return UserState(clock_us=now_us - 1, attributes={"plan": plan})

    def fan(now_us: int, plan: str) -> UserState:
        tally = Tally(MANY, MANY, now_us, int(MANY), int(MANY))
        return UserState(clock_us=now_us - 1, attributes={"plan": plan}, total=tally, by_type={"a": tally})

    def tired(now_us: int, plan: str) -> UserState:
        sends = [
            Send(bytes([n]), "z", "sms", now_us - 5 * 3_600_000_000 - n, Response.DISMISSED) for n in range(20, 0, -1)
        ]
        tally = Tally(0.0, MANY, now_us, 0, int(MANY))
        return UserState(clock_us=now_us - 1, attributes={"plan": plan}, total=tally, by_type={"a": tally}, sends=sends)

    def both(now_us: int, plan: str) -> UserState:
        state = after(now_us, plan)
        state.total = state.by_type["a"] = Tally(MANY, MANY, now_us, int(MANY), int(MANY))
        return state

    def after(now_us: int, plan: str) -> UserState:
        sends = [Send(b"1", "a", "chat", now_us - 60_000_000, Response.CLICKED, now_us - 1)]
        times = {"a": [now_us - 60_000_000, now_us - 30_000_000], "z": [now_us - 60_000_000]}
        state = UserState(clock_us=now_us - 1, attributes={"plan": plan}, sends=sends, times=times)
        state.total = Tally(3.0, 10.0, now_us, 3, 10)
        return state

    states = [("plain", plain)]
    settings = policy.settings
    if settings.engagement.effect:
        states += [("fan", fan), ("tired", tired)]
    kinds = {type(one.kind).__name__ for one in policy.suppressions}
    if {scope for scope, _ in used} & {Scope.COUNT, Scope.SEEN, Scope.SENT, Scope.ENGAGEMENT} or kinds & {
        "Cooldown",
        "Limit",
        "Mute",
    }:
        states.append(("after", after))
        if settings.engagement.effect:
            states.append(("both", both))
    return states


def _values(spec: FieldSpec, policy: Policy) -> list[object]:
    constants: set[object] = set()
    names = {spec.name}
    for condition in conditions(policy):
        for leaf in leaves(condition):
            if names & {ref.name for ref in references(leaf)}:
                constants |= {literal.value for literal in literals(leaf) if isinstance(literal, Literal)}
    absent: list[object] = [None] if spec.can_be_absent else []
    match spec.type:
        case ValueType.BOOLEAN:
            return [True, False, *absent]
        case ValueType.INTEGER:
            return [*range(7), *absent]
        case ValueType.NUMBER:
            numbers = {float(one) for one in constants if isinstance(one, int | float)} | {0.0, 5.0}
            near = {end for one in numbers for end in (one, math.nextafter(one, 1e9), 2 * one + 0.5)} | {0.25}
            most = math.inf if spec.maximum is None else spec.maximum
            return [
                *sorted(one for one in near if 0 <= one <= most),
                *([] if math.isinf(most) else [most]),
                *absent,
            ]
        case _:
            if spec.one_of:
                return [*spec.one_of, *absent]
            texts = [str(one) for one in constants if isinstance(one, str)] + [
                "",
                "zz",
                "xb",
                "xc",
                "bc",
                "abc",
                "zabc",
            ]
            longest = 99 if spec.max_length is None else spec.max_length
            return [*dict.fromkeys(text for text in texts if len(text) <= longest), *absent]


def without_rule(policy: Policy, rule: str, part: str = "") -> Policy:
    """The policy without a rule of `a`, or without one of its parts."""
    event_type = policy.events["a"]
    rules = []
    for one in event_type.rules:
        if one.id != rule:
            rules.append(one)
        elif part:
            rules.append(msgspec.structs.replace(one, **{part: False if part == "skip" else None}))
    changed = msgspec.structs.replace(event_type, rules=tuple(rules))
    return msgspec.structs.replace(policy, events={**policy.events, "a": changed})


def without_suppression(policy: Policy, name: str) -> Policy:
    return msgspec.structs.replace(policy, suppressions=tuple(one for one in policy.suppressions if one.id != name))


def changed(some: Iterable[Trial], others: Iterable[Trial]) -> list[tuple[Trial, Trial]]:
    """Where two policies decide differently."""
    return [(one, other) for one, other in zip(some, others, strict=True) if one.outcome() != other.outcome()]
