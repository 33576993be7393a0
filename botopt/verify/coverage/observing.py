"""Counts what happens while tests run. It only looks: no decision depends on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from botopt.engine.explain import traced
from botopt.engine.pipeline import ORDER, WAIVED_BY_ALWAYS
from botopt.engine.stages.capped import slots
from botopt.engine.stages.scope import Bound
from botopt.engine.work import Work
from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.event import Event
from botopt.model.policy import (
    Conversation,
    Cooldown,
    Inhibition,
    Limit,
    Mute,
    Policy,
    QuietHours,
    Resolution,
)
from botopt.model.user_state import Send
from botopt.network.tracing import Trace
from botopt.verify.coverage import targets
from botopt.verify.coverage.report import CoverageReport, Covered

_REASONS = {
    Mute: Reason.MUTED,
    Resolution: Reason.RESOLVED,
    Inhibition: Reason.INHIBITED,
    Conversation: Reason.IN_CONVERSATION,
    Cooldown: Reason.COOLDOWN,
    Limit: Reason.CAPPED,
    QuietHours: Reason.QUIET_HOURS,
}
_WORTH = {
    Reason.EXPIRED: targets.EXPIRED,
    Reason.SKIPPED: targets.SKIPPED,
    Reason.BELOW_THRESHOLD: targets.BELOW,
}

Key = tuple[str, str, str]


class Coverage:
    """An observer of the engine that counts which targets of a policy are reached; feed it all tests.

    Each decision counts once for each target that it reaches.
    """

    def __init__(self, policy: Policy) -> None:
        self._targets = targets.targets_of(policy)
        self._reached: Counter[Key] = Counter()
        self._held: dict[str, str] = {}

    def decided(self, work: Work, decision: Decision) -> None:
        """Count what this decision reached; the state has not taken it in yet."""
        found = {*self._about_type(work, decision), *_rules(work), *_words(decision), *_remembered(work)}
        for bound in work.plan.bounds:
            found.update(_suppression(work, bound, decision))
        found.update(self._holding(work, decision))
        self._reached.update(found)

    def responded(self, event: Event, send: Send) -> None:
        """Responses reach nothing by themselves; what follows from them does."""

    def report(self) -> CoverageReport:
        """Every target with its count, by file and line."""
        return CoverageReport(tuple(Covered(target, self._reached[target.key]) for target in self._targets))

    def _about_type(self, work: Work, decision: Decision) -> Iterator[Key]:
        name = work.event.type
        if decision.outcome is Outcome.SENT:
            yield "event type", name, targets.SENT
            if work.plan.event_type.always and _waived(work):
                yield "event type", name, targets.WAIVED
        elif decision.reason in _WORTH:
            yield "event type", name, _WORTH[decision.reason]
        elif decision.reason is Reason.NO_CONSENT and work.plan.category is not None:
            yield "category", work.plan.category.name, targets.REFUSED

    def _holding(self, work: Work, decision: Decision) -> Iterator[Key]:
        """Which quiet hours let go of a message; nothing but this remembers who held it."""
        key = work.event.key
        if work.is_release and key in self._held:
            yield "suppression", self._held.pop(key), targets.RELEASED
        if decision.outcome is Outcome.HELD and decision.by is not None:
            self._held[key] = decision.by


def _waived(work: Work) -> bool:
    return any(stage(work) for reason, stage in work.plan.all_stages if reason in WAIVED_BY_ALWAYS)


def _rules(work: Work) -> Iterator[Key]:
    for bit, rule in work.plan.rule_bits:
        name = f"{work.event.type}/{rule.id}"
        yield "rule", name, targets.MATCHED if work.mask & bit else targets.NOT_MATCHED
        for leaf in _leaves(traced(work, rule.when)):
            yield "rule", name, targets.part("", leaf.text, leaf.holds)


def _leaves(trace: Trace) -> Iterator[Trace]:
    if trace.joint:
        for inner in trace.parts:
            yield from _leaves(inner)
    else:
        yield trace


def _words(decision: Decision) -> Iterator[Key]:
    message = decision.message
    if message is not None:
        variant = f"{message.template}/{message.variant}"
        yield "variant", variant, targets.CHOSEN
        yield "locale", f"{variant}/{message.locale}", targets.RENDERED


def _remembered(work: Work) -> Iterator[Key]:
    for name in (*work.state.times, *work.state.past):
        if work.state.times.get(name) or work.state.past.get(name):
            yield "event type", name, targets.REMEMBERED


def _suppression(work: Work, bound: Bound, decision: Decision) -> Iterator[Key]:
    """A suppression is asked when nothing before it in the order has stopped the message already."""
    suppression, kind = bound.suppression, bound.suppression.kind
    if isinstance(kind, Mute) and kind.window_us is not None:
        mute = work.state.mutes.get(suppression.id)
        if mute is not None and mute.cause == work.id:
            yield "suppression", suppression.id, targets.BEGAN
    if work.plan.event_type.always or not bound.covers(work):
        return
    own = ORDER.index(_REASONS[type(kind)])
    at = len(ORDER) if decision.reason is None else ORDER.index(decision.reason)
    if at < own:
        return
    for role, when in targets.conditions_of(suppression):
        for leaf in _leaves(traced(work, when)):
            yield "suppression", suppression.id, targets.part(role, leaf.text, leaf.holds)
    if at > own:
        yield "suppression", suppression.id, targets.LET_PASS
    elif decision.by == suppression.id:
        yield "suppression", suppression.id, targets.HELD if decision.outcome is Outcome.HELD else targets.STOPPED
        yield from _reserved(work, bound)


def _reserved(work: Work, bound: Bound) -> Iterator[Key]:
    """Slots were kept where fewer messages than the limit were sent, and another category had to wait."""
    kind = bound.suppression.kind
    if not isinstance(kind, Limit) or not kind.reserved:
        return
    sends = slots(bound, work).sends
    if len(sends) >= kind.count:
        return
    for category, count in kind.reserved:
        used = sum(bound.categories.get(send.event_type) == category for send in sends)
        if category != work.plan.event_type.category and used < count:
            yield "suppression", bound.suppression.id, targets.reserved(category)
