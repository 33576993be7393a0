"""Which variant of a template, and its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botopt.engine.conditions import BoundMatcher, bind_conditions
from botopt.engine.hashes import draw
from botopt.engine.history import RECENT
from botopt.engine.values import Getter, getter, rate_of
from botopt.engine.work import Stop, Work
from botopt.learning.lessons import whole
from botopt.learning.variants import chances, lately, taken
from botopt.model.condition import Scope
from botopt.model.decision import Choice, Reason, Rendered
from botopt.model.errors import RenderError
from botopt.model.policy import Choose, FieldSpec, Template, Variant
from botopt.model.ports import BoundVariant, Network, Renderer
from botopt.model.user_state import Lesson, Response


def word(work: Work) -> None:
    """Choose the variant and write the words; over its bounds, the message is stopped instead."""
    template = work.plan.template_plan(work.template)
    variant = template.choose(work)
    work.variant = variant.name
    try:
        work.rendered = template.render(work, variant)
    except RenderError:
        work.stop = Stop(Reason.RENDER_FAILED, work.template)


class TemplatePlan:
    """A template bound to one event type. Variants are compiled when first used."""

    __slots__ = ("_always", "_attributes", "_bound", "_event_type", "_matcher", "_renderer", "_when_bits", "template")

    def __init__(
        self,
        template: Template,
        event_type: str,
        network: Network,
        renderer: Renderer,
        attributes: Mapping[str, FieldSpec],
    ) -> None:
        self.template = template
        self._event_type = event_type
        self._renderer = renderer
        self._attributes = attributes
        first = template.variants[0] if template.variants else None
        without_question = first is not None and first.when is None and template.choose is Choose.FIRST
        self._always: Variant | None = first if without_question else None
        self._bound: dict[str, tuple[BoundVariant, tuple[Getter, ...]]] = {}
        conditions = [variant.when.condition for variant in template.variants if variant.when is not None]
        self._matcher: BoundMatcher | None = bind_conditions(network, conditions, attributes)
        bits = iter(range(len(conditions)))
        self._when_bits = tuple(0 if variant.when is None else 1 << next(bits) for variant in template.variants)

    def eligible(self, work: Work) -> list[Variant]:
        """The variants whose `when` holds, in their order."""
        mask = self._matcher.match(work) if self._matcher is not None else 0
        pairs = zip(self.template.variants, self._when_bits, strict=True)
        return [variant for variant, bit in pairs if not bit or mask & bit]

    def choose(self, work: Work) -> Variant:
        """Pick a variant and record the draw, if there was one.

        Draws are keyed on the event's identity without the attempt, so a release keeps its wording, as far as what was
        learned meanwhile leaves the chances alone. In the control group `learn` takes the first.
        """
        if self._always is not None:
            return self._always
        variants = self.eligible(work)
        names = tuple(variant.name for variant in variants)
        match self.template.choose:
            case Choose.FIRST:
                return variants[0]
            case Choose.LEARN if work.control:
                work.worded = Choice("variant", names, names[0], None, 1.0)
                return variants[0]
            case Choose.LEARN:
                return self._learned(work, variants, names)
            case Choose.WEIGHTED:
                drawn = _draw(work)
                chosen, chance = _weighted(variants, drawn)
                work.worded = Choice("variant", names, chosen.name, drawn, chance)
                return chosen

    def _learned(self, work: Work, variants: Sequence[Variant], names: tuple[str, ...]) -> Variant:
        """The variant that does better than the others is the likelier one."""
        odds = chances(self.scores(work, names)) if len(names) > 1 else [1.0]
        drawn = _draw(work) if len(names) > 1 else None
        place = 0 if drawn is None else taken(odds, drawn)
        work.worded = Choice("variant", names, names[place], drawn, odds[place])
        known = {name: whole(chance) for name, chance in zip(names, odds, strict=True)}
        work.lesson = Lesson(self.template.name, names[place], known, whole(rate_of(work)))
        return variants[place]

    def scores(self, work: Work, names: Sequence[str]) -> list[float]:
        """How much better than expected each variant does, less what it loses by having been sent to this user
        lately.
        """
        arms = work.learned.snapshot.arms.get(self.template.name, {})
        scores = {name: arms[name].score if name in arms else 0.0 for name in names}
        for name, sent_us in self.lately(work, names).items():
            scores[name] -= lately(work.now_us - sent_us, self.template.recency)
        return list(scores.values())

    def lately(self, work: Work, names: Sequence[str]) -> dict[str, int]:
        """When the user was last sent each of these variants, if that still matters."""
        found: dict[str, int] = {}
        since_us = work.now_us - RECENT * self.template.recency.half_life_us
        for send in reversed(work.state.sends):
            lesson = send.lesson
            if send.time_us <= since_us or len(found) == len(names):
                break
            if lesson is None or lesson.template != self.template.name or send.response is Response.FAILED:
                continue
            if lesson.variant in names:
                found.setdefault(lesson.variant, send.time_us)
        return found

    def render(self, work: Work, variant: Variant) -> Rendered:
        """The variant's words.

        Raises:
            botopt.model.errors.RenderError: they went over their bounds.
        """
        bound, getters = self.bound(variant.name)
        values = [get(work) for get in getters]
        return bound.render(values, locale=work.locale, timezone=work.timezone, now_us=work.now_us)

    def plain(self) -> tuple[Variant, BoundVariant] | None:
        """The variant that every event gets, if its words need nothing but fields of the event."""
        if self._always is None:
            return None
        try:
            bound, _ = self.bound(self._always.name)
        except RenderError:
            return None
        return (self._always, bound) if all(ref.scope is Scope.EVENT for ref in bound.inputs) else None

    def bound(self, variant: str) -> tuple[BoundVariant, tuple[Getter, ...]]:
        """The compiled variant and the functions that look up its inputs."""
        pair = self._bound.get(variant)
        if pair is None:
            bound = self._renderer.bind(self.template.name, variant, self._event_type)
            pair = (bound, tuple(getter(ref, self._attributes) for ref in bound.inputs))
            self._bound[variant] = pair
        return pair


def _draw(work: Work) -> float:
    event = work.event
    return draw(work.plan.settings.seed, "variant", event.user, event.source, event.id)


def _weighted(variants: Sequence[Variant], drawn: float) -> tuple[Variant, float]:
    total = sum(variant.weight for variant in variants)
    mark, reached = drawn * total, 0.0
    for variant in variants:
        reached += variant.weight
        if mark < reached:
            return variant, variant.weight / total
    return variants[-1], variants[-1].weight / total
