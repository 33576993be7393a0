"""Which variant of a template, and its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botopt.engine.conditions import BoundMatcher, bind_conditions
from botopt.engine.hashes import draw
from botopt.engine.history import RECENT
from botopt.engine.values import Getter, getter, rate_of
from botopt.engine.work import Stop, Work
from botopt.learning.lessons import whole
from botopt.learning.variants import chances, less_likely, likelihoods, shared, taken
from botopt.model.condition import Scope
from botopt.model.decision import Choice, Reason, Rendered
from botopt.model.errors import RenderError
from botopt.model.learned import Snapshot
from botopt.model.policy import Choose, FieldSpec, Template, Variant
from botopt.model.ports import BoundVariant, Network, Renderer
from botopt.model.user_state import Lesson, Response, UserState


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

    __slots__ = (
        "_always",
        "_attributes",
        "_believed",
        "_bound",
        "_differs",
        "_event_type",
        "_matcher",
        "_recent_us",
        "_renderer",
        "_seed",
        "_when_bits",
        "template",
    )

    def __init__(
        self,
        template: Template,
        event_type: str,
        network: Network,
        renderer: Renderer,
        attributes: Mapping[str, FieldSpec],
        seed: int = 0,
    ) -> None:
        self.template = template
        self._seed = seed
        self._recent_us = RECENT * template.recency.half_life_us
        self._differs = template.differs
        self._believed: dict[tuple[str, tuple[str, ...]], tuple[list[float], list[float]]] = {}
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
                drawn = draw(self._seed, "variant", work.event.key)
                chosen, chance = _weighted(variants, drawn)
                work.worded = Choice("variant", names, chosen.name, drawn, chance)
                return chosen

    def _learned(self, work: Work, variants: Sequence[Variant], names: tuple[str, ...]) -> Variant:
        """The variant that does better than the others is the likelier one."""
        place, work.worded, work.lesson = self.learned(
            names, work.learned.snapshot, work.state, work.event.key, work.now_us, rate_of(work)
        )
        return variants[place]

    def learned(
        self,
        names: tuple[str, ...],
        snapshot: Snapshot,
        state: UserState,
        key: str,
        now_us: int,
        rate: float,
    ) -> tuple[int, Choice, Lesson]:
        """Which of these variants, how that came about, and what is to be learned from it.

        `key` is `Event.key`, `rate` the click rate that the user's history leads to expect.
        """
        template = self.template.name
        if len(names) == 1:
            return 0, Choice("variant", names, names[0], None, 1.0), Lesson(template, names[0], _NO_ODDS, whole(rate))
        odds = self.odds(names, snapshot, state, now_us)
        drawn = draw(self._seed, "variant", key)
        place = taken(odds, drawn)
        known = _NO_ODDS
        if self._differs:
            known = {name: whole(chance) for name, chance in zip(names, odds, strict=True)}
        lesson = Lesson(template, names[place], known, whole(rate))
        return place, Choice("variant", names, names[place], drawn, odds[place]), lesson

    def odds(self, names: tuple[str, ...], snapshot: Snapshot, state: UserState, now_us: int) -> Sequence[float]:
        """The chance that learning gives each of these variants; they sum to 1."""
        template = self.template.name
        believed = self._believed.get((snapshot.id, names))
        if believed is None:
            if len(self._believed) >= _MOST_BELIEVED:
                self._believed.clear()
            arms = snapshot.arms.get(template, {})
            scores = [arms[name].score if name in arms else 0.0 for name in names]
            believed = self._believed[snapshot.id, names] = (likelihoods(scores), chances(scores))
        likely, odds = believed
        had = self.had_lately(state, names, now_us)
        if had is None:
            return odds
        likely, recency = list(likely), self.template.recency
        for name, sent_us in had.items():
            likely[names.index(name)] *= less_likely(now_us - sent_us, recency)
        return shared(likely)

    def had_lately(self, state: UserState, names: Sequence[str], now_us: int) -> Mapping[str, int] | None:
        """When the user was last sent each of these variants, if that still matters; None: none of them."""
        found: dict[str, int] | None = None
        template, since_us = self.template.name, now_us - self._recent_us
        for send in reversed(state.sends):
            if send.time_us <= since_us:
                break
            lesson = send.lesson
            if lesson is None or lesson.template != template or send.response is _FAILED:
                continue
            if lesson.variant in names:
                if found is None:
                    found = {lesson.variant: send.time_us}
                else:
                    found.setdefault(lesson.variant, send.time_us)
                if len(found) == len(names):
                    break
        return found

    def render(self, work: Work, variant: Variant) -> Rendered:
        """The variant's words.

        Raises:
            botopt.model.errors.RenderError: they went over their bounds.
        """
        bound, getters = self.bound(variant.name)
        values = [get(work) for get in getters]
        return bound.render(values, locale=work.locale, timezone=work.timezone, now_us=work.now_us)

    def plain(self) -> Sequence[tuple[Variant, BoundVariant]]:
        """The variants that every event may get, where nothing but learning chooses among them and their words need
        nothing but fields of the event; else nothing.
        """
        found = [self._always] if self._always is not None else []
        if self.template.choose is Choose.LEARN and not self._differs:
            found = list(self.template.variants)
        try:
            pairs = [(variant, self.bound(variant.name)[0]) for variant in found]
        except RenderError:
            return ()
        return pairs if all(ref.scope is Scope.EVENT for _, bound in pairs for ref in bound.inputs) else ()

    def bound(self, variant: str) -> tuple[BoundVariant, tuple[Getter, ...]]:
        """The compiled variant and the functions that look up its inputs."""
        pair = self._bound.get(variant)
        if pair is None:
            bound = self._renderer.bind(self.template.name, variant, self._event_type)
            pair = (bound, tuple(getter(ref, self._attributes) for ref in bound.inputs))
            self._bound[variant] = pair
        return pair


_FAILED = Response.FAILED
_MOST_BELIEVED = 256
_NO_ODDS: dict[str, int] = {}  # nobody changes the odds of a lesson


def _weighted(variants: Sequence[Variant], drawn: float) -> tuple[Variant, float]:
    total = sum(variant.weight for variant in variants)
    mark, reached = drawn * total, 0.0
    for variant in variants:
        reached += variant.weight
        if mark < reached:
            return variant, variant.weight / total
    return variants[-1], variants[-1].weight / total
