"""Thompson sampling on raw click rates, in place of botopt's own choice of variants: a counter-example.

It lives here and not in botopt: its chances have no closed form, so nothing of what it learns can be evaluated
afterwards, and a variant that goes to warm users only looks better to it than it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random

from botopt.engine.choosing import TemplatePlan
from botopt.engine.hashes import draw
from botopt.engine.work import Work
from botopt.learning.lessons import whole
from botopt.model.decision import Choice
from botopt.model.policy import Variant
from botopt.model.user_state import Lesson


def _chosen(self: TemplatePlan, work: Work, variants: Sequence[Variant], names: tuple[str, ...]) -> Variant:
    """One draw from Beta(1 + clicks, 1 + other messages) for each; the highest is sent."""
    event, template = work.event, self.template.name
    random = Random(draw(work.plan.settings.seed, "thompson", event.user, event.id))
    arms = work.learned.snapshot.arms.get(template, {})
    sampled = []
    for name in names:
        arm = arms.get(name)
        sends, clicks = (0.0, 0.0) if arm is None else (arm.sends, arm.clicks)
        sampled.append(random.betavariate(1 + clicks, 1 + max(sends - clicks, 0.0)))
    place = max(range(len(names)), key=sampled.__getitem__)
    work.worded = Choice("variant", names, names[place], None, 0.5)
    work.lesson = Lesson(template, names[place], {names[place]: whole(0.5)}, 0)
    return variants[place]


@contextmanager
def thompson() -> Iterator[None]:
    """While entered, `choose: learn` is Thompson sampling in this process and those forked from it."""
    before = TemplatePlan._learned
    TemplatePlan._learned = _chosen  # type: ignore[method-assign]
    try:
        yield
    finally:
        TemplatePlan._learned = before  # type: ignore[method-assign]
