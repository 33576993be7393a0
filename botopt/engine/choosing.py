"""Which variant of a template, and its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botopt.engine.conditions import BoundMatcher, bind_conditions
from botopt.engine.hashes import draw
from botopt.engine.values import Getter, getter
from botopt.engine.work import Stop, Work
from botopt.model.condition import Scope
from botopt.model.decision import Choice, Reason, Rendered
from botopt.model.errors import RenderError
from botopt.model.policy import Choose, FieldSpec, Template, Variant
from botopt.model.ports import BoundVariant, Network, Renderer


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

        Draws are keyed on the event's identity without the attempt, so a release keeps its wording.
        `learn` takes the first, and says so in the record, until there is something to learn from.
        """
        if self._always is not None:
            return self._always
        variants = self.eligible(work)
        names = tuple(variant.name for variant in variants)
        match self.template.choose:
            case Choose.FIRST:
                return variants[0]
            case Choose.LEARN:
                work.choices = (Choice("variant", names, None, 1.0),)
                return variants[0]
            case Choose.WEIGHTED:
                event = work.event
                drawn = draw(work.plan.settings.seed, "variant", event.user, event.source, event.id)
                chosen, chance = _weighted(variants, drawn)
                work.choices = (Choice("variant", names, drawn, chance),)
                return chosen

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


def _weighted(variants: Sequence[Variant], drawn: float) -> tuple[Variant, float]:
    total = sum(variant.weight for variant in variants)
    mark, reached = drawn * total, 0.0
    for variant in variants:
        reached += variant.weight
        if mark < reached:
            return variant, variant.weight / total
    return variants[-1], variants[-1].weight / total
