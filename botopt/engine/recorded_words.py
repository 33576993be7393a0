"""What a decision record says about learning, in the sentences of explanations, and what it cannot say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from botopt.engine.experiments import PURPOSE
from botopt.engine.learned_words import arm_words, bar_words, chance_words, explored_words, hour_words
from botopt.model.counting import percent
from botopt.model.decision import Choice, Decision


class Told(msgspec.Struct, frozen=True):
    """One sentence, the draw behind it, if there was one, and what stands behind it and is not recorded."""

    text: str
    choice: Choice | None = None
    unknown: tuple[str, ...] = ()


def recorded(decision: Decision) -> tuple[Told, ...]:
    """A sentence for each learner that had a say and for each draw; nothing where there was neither."""
    return tuple(_told(decision))


def unknown(told: Iterable[Told]) -> tuple[str, ...]:
    """What records do not say of these."""
    return tuple(dict.fromkeys(each for one in told for each in one.unknown))


def _told(decision: Decision) -> Iterator[Told]:
    yield from (Told(arm_words(each), each) for each in decision.choices if each.purpose.startswith(PURPOSE))
    by_part = {part.part: part.value for part in decision.parts}
    choices = {each.purpose: each for each in decision.choices}
    if decision.snapshot is not None:
        learned = by_part.keys() & {"pacing", "scorer"} or choices.keys() & {"explore", "send_time"}
        also = () if learned else ("whether this user is in the control group",)
        yield Told(
            f"all users: what was known of them is snapshot {decision.snapshot}", None, ("what all users did", *also)
        )
        factor = by_part.get("engagement", 1.0)
        history = f"engagement: what this user clicked and ignored makes the score × {factor:.3g}"
        yield Told(history, None, ("how many messages this user clicked",))
    if "scorer" in by_part:
        text = f"scorer: what it says of a click makes the score × {by_part['scorer']:.3g}"
        yield Told(text, None, ("which chance the scorer gave a click, and why",))
    if "explore" in choices:
        yield Told(explored_words(choices["explore"]), choices["explore"])
    if "pacing" in by_part:
        yield Told(_pacing(by_part["pacing"], decision.threshold or 0.0), None, ("how many messages were saved up",))
    if "send_time" in choices:
        hour = choices["send_time"]
        text = f"send_time: {hour_words(hour)}; it had a chance of {percent(hour.propensity)}"
        yield Told(text, hour, ("when this user is usually there",))
    if "variant" in choices:
        yield _variant(decision, choices["variant"])


def _pacing(moved: float, needed: float) -> str:
    """By what the bar was multiplied follows from where it is, unless it was stopped at 0 or 1."""
    usual = needed - moved
    if 0 < needed < 1 and usual > 0:
        return f"pacing: {bar_words(needed / usual, needed)}"
    return f"pacing: the bar is moved by {moved:+.3g}, to {needed:.3g}"


def _variant(decision: Decision, choice: Choice) -> Told:
    template = "" if decision.message is None else f" of {decision.message.template}"
    if len(choice.eligible) == 1:
        return Told(f"variants{template}: only {choice.chosen} may go to this user", choice)
    if choice.draw is None:
        return Told(f"variants{template}: {choice.chosen}, the first, as always in the control group", choice)
    learned = () if decision.snapshot is None else ("how each variant did before",)
    return Told(f"variants{template}: {chance_words(choice)}", choice, learned)
