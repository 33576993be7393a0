"""The decisions of a log, kept so that the numbers of a policy can be turned without asking its engine again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from botopt.authoring.tuning.knobs import Knob, Sort, Turned, steps, values
from botopt.engine.engine import Engine
from botopt.engine.history import retention, together
from botopt.engine.plan import Plan
from botopt.engine.rounding import exact
from botopt.engine.scoring import clamp
from botopt.engine.stages.stage import Stage
from botopt.engine.work import Work
from botopt.model.decision import Decision, Reason
from botopt.model.policy import Cooldown, Limit, Policy, Suppression
from botopt.network.network import make_network
from botopt.rendering.renderer import TemplateRenderer
from botopt.verify.evaluating.asking import ask
from botopt.verify.evaluating.matching import Reading
from botopt.verify.evaluating.rounds import Answer
from botopt.verify.evaluating.walking import Walk
from botopt.verify.evaluating.weighing import Opened
from botopt.verify.log.folding import Asked
from botopt.verify.log.model import Logged

_WINDOW_STEPS = 3
_NOTHING = Answer(0.0)


class Totals(msgspec.Struct):
    """Messages, those that the log says nothing about, and clicks (by inverse propensity), all expected."""

    messages: float = 0.0
    unsupported: float = 0.0
    clicks: float = 0.0

    def add(self, other: Totals) -> None:
        """Add others."""
        self.messages += other.messages
        self.unsupported += other.unsupported
        self.clicks += other.clicks


class _Case(msgspec.Struct, gc=False):
    """One decision: what its score is made of, and what follows where it is high enough."""

    logged: Logged | None
    answer: Answer
    fired: tuple[str, ...] = ()
    factor: float = 1.0
    added: float = 0.0
    lift: float | None = None
    explores: float = 0.0
    always: bool = False
    stopped: frozenset[tuple[Knob, float]] = frozenset()

    @property
    def decision(self) -> Decision | None:
        """What was decided."""
        return None if self.logged is None else self.logged.decision


class Cases:
    """All decisions about events within some time, by event type, each event's together."""

    def __init__(self, policy: Policy, reading: Reading, from_us: int, until_us: int) -> None:
        self._policy = policy
        self._from_us, self._until_us = from_us, until_us
        self._base = values(policy)
        self._tighter = _Tighter(policy, self._base)
        self._chains: dict[str, list[tuple[Asked, list[_Case]]]] = defaultdict(list)
        self._open: dict[tuple[int, str, str], tuple[Asked, list[_Case]]] = {}
        self._known: dict[tuple[str, tuple[tuple[Knob, float], ...]], Totals] = {}
        Walk(self._tighter.engine, self._take, lambda _: False).run(reading.matched)

    def totals(self, turned: Turned) -> Totals:
        """What there would be with these numbers."""
        found = Totals()
        for name in self._chains:
            found.add(self._of_type(name, turned))
        return found

    def _of_type(self, name: str, turned: Turned) -> Totals:
        """Most numbers concern one event type, so what is known of the others is kept."""
        key = (name, tuple(sorted(item for item in turned.items() if self._concerns(item[0], name))))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._worked_out(name, {**self._base, **turned}, frozenset(turned.items()))
        return known

    def _concerns(self, knob: Knob, name: str) -> bool:
        return knob.is_window or knob.sort == Sort.BAR or knob.owner == name

    def _worked_out(self, name: str, now: Mapping[Knob, float], turned: frozenset[tuple[Knob, float]]) -> Totals:
        total = Totals()
        for first, cases in self._chains[name]:
            opened, waits = Opened(first), True
            for case in cases:
                waits = opened.step(self._answer(name, case, now, turned), case.decision)
            if waits:
                continue  # the log ends before its message went
            done = opened.close(cases[-1].logged)
            if done is not None:
                total.messages += done.supported + done.unsupported
                total.unsupported += done.unsupported
                total.clicks += done.weight * done.clicked
        return total

    def _answer(
        self, name: str, case: _Case, now: Mapping[Knob, float], turned: frozenset[tuple[Knob, float]]
    ) -> Answer:
        if case.stopped and not case.stopped.isdisjoint(turned):
            return _NOTHING
        passing = 1.0 if case.always else _passing(name, case, now)
        return Answer(passing, case.answer.sends, case.answer.waits) if passing else _NOTHING

    def _take(self, asked: Asked) -> Answer:
        work = asked.work
        answer = _NOTHING if work is None else ask(work, thorough=True)
        key = (asked.user, asked.event.source, asked.event.id)
        if asked.first and self._from_us <= asked.time_us <= self._until_us:
            self._open[key] = (asked, [])
            self._chains[asked.event.type].append(self._open[key])
        opened = self._open.get(key)
        if opened is not None:
            case = _Case(asked.logged, answer)
            if work is not None:
                _fill(case, work)
                case.stopped = self._tighter.stopped(work) if answer.sends or answer.waits else frozenset()
            opened[1].append(case)
        return answer


def _fill(case: _Case, work: Work) -> None:
    plan = work.plan
    case.fired = tuple(rule.id for bit, rule in plan.rule_bits if work.mask & bit)
    case.factor = work.factor * work.scorer_factor
    case.added, case.lift = work.fatigue, work.lift
    case.explores = plan.settings.engagement.explore if plan.explores and not work.control else 0.0
    case.always = all(reason is not Reason.BELOW_THRESHOLD for reason, _ in plan.stages)


def _passing(name: str, case: _Case, now: Mapping[Knob, float]) -> float:
    """As `botopt.engine.scoring`, with other numbers."""
    raw = now[Knob(Sort.WEIGHT, name)]
    bar = now.get(Knob(Sort.THRESHOLD, name), now[Knob(Sort.BAR)])
    for rule in case.fired:
        raw += now.get(Knob(Sort.RULE_SCORE, name, rule), 0.0)
        bar += now.get(Knob(Sort.RULE_THRESHOLD, name, rule), 0.0)
    raw = clamp(raw)
    added = case.added if case.lift is None else bar * (case.lift - 1.0)
    score, needed = exact(clamp(raw * case.factor)), exact(clamp(bar + added))
    if score > needed:
        return 1.0
    return case.explores if needed < exact(raw) else 0.0


class _Tighter:
    """What tighter windows would stop, asked at the states of the log."""

    def __init__(self, policy: Policy, base: Mapping[Knob, float]) -> None:
        asked: list[tuple[Knob, float, Policy, TemplateRenderer]] = []
        renderer = TemplateRenderer(policy)
        keep = retention(policy, renderer)
        for knob, now in base.items():
            for value in steps(knob, now, most=_WINDOW_STEPS) if knob.is_window else ():
                other = with_window(policy, knob, value)
                asked.append((knob, value, other, TemplateRenderer(other)))
                keep = together(keep, retention(other, asked[-1][-1]))
        self.engine = Engine(policy, make_network("auto"), renderer, keep)
        self._stages: dict[str, list[tuple[Knob, float, Plan, Stage]]] = defaultdict(list)
        for knob, value, other, words in asked:
            reason = Reason.COOLDOWN if knob.sort == Sort.COOLDOWN else Reason.CAPPED
            for plan in Engine(other, make_network("auto"), words, keep).plans():
                for found, stage in plan.ordinary:
                    if found is reason and any(bound.suppression.id == knob.owner for bound in plan.bounds):
                        self._stages[plan.event_type.name].append((knob, value, plan, stage))

    def stopped(self, work: Work) -> frozenset[tuple[Knob, float]]:
        """The windows that would stop it, by their value."""
        found = []
        for knob, value, plan, stage in self._stages.get(work.event.type, ()):
            other = Work(plan, work.state, work.event, work.now_us, work.seen_us, work.attempt, work.learned)
            other.id, other.template, other.channel, other.control = work.id, work.template, work.channel, work.control
            if stage(other):
                found.append((knob, value))
        return frozenset(found)


def with_window(policy: Policy, knob: Knob, value: float) -> Policy:
    """The policy with another cooldown or limit."""
    return msgspec.structs.replace(policy, suppressions=tuple(_turned(policy.suppressions, knob, value)))


def _turned(suppressions: Sequence[Suppression], knob: Knob, value: float) -> list[Suppression]:
    found = []
    for each in suppressions:
        kind = each.kind
        if each.id == knob.owner and isinstance(kind, Cooldown):
            kind = msgspec.structs.replace(kind, window_us=int(value))
        elif each.id == knob.owner and isinstance(kind, Limit):
            kind = msgspec.structs.replace(kind, count=int(value))
        found.append(msgspec.structs.replace(each, kind=kind))
    return found
