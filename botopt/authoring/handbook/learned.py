"""What is learned, and for whom, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from botopt.authoring.handbook.wording import duration_words, listed
from botopt.engine.numbers import number
from botopt.learning.variants import floor
from botopt.model.learning_policy import EngagementSettings, Experiment, Pacing, ScorerUse, SendTime
from botopt.model.policy import EventType, Policy, Settings, Template

_PERIODS = {3_600_000_000: "an hour", 86_400_000_000: "a day", 604_800_000_000: "a week"}


def share_words(share: float) -> str:
    """`3%`."""
    return f"{number(round(share * 100, 9))}%"


def pacing_sentence(pacing: Pacing) -> str:
    """How many messages a user gets, and how that is held."""
    per = _PERIODS.get(pacing.per_us) or duration_words(pacing.per_us)
    return (
        f"Each user gets {number(pacing.messages)} messages {'in ' if per[0].isdigit() else ''}{per} on average: the "
        "threshold falls for users who got fewer, rises for those who got more, and a user whose budget is used up "
        "gets none. Unanswered messages do not raise the threshold besides."
    )


def send_time_sentence(send_time: SendTime) -> str:
    """How long messages wait, and for what."""
    explore = f" {share_words(send_time.explore)} go at an hour that is drawn." if send_time.explore else ""
    return (
        f"A message may wait up to {duration_words(send_time.within_us)} for the hour of the day at which this user is "
        f"most active; never in quiet hours, and never until it expires.{explore}"
    )


def engagement_sentences(settings: EngagementSettings) -> Iterator[str]:
    """What of all users is learned, and who gets a message all the same."""
    if settings.learn and settings.effect:
        yield (
            "How many messages are clicked is learned from all users, for each event type; that stands behind what is "
            "known of one user."
        )
    if settings.explore and settings.effect:
        yield (
            f"{share_words(settings.explore)} of the messages that only the user's own clicks and silence keep back "
            "are sent all the same: so nothing is silent for ever."
        )


def policy_sentences(policy: Policy) -> Iterator[str]:
    """What the settings say about learning."""
    settings = policy.settings
    yield from engagement_sentences(settings.engagement)
    if settings.pacing is not None:
        yield pacing_sentence(settings.pacing)
    if policy.scorer is not None:
        place = "in place of" if policy.scorer.use is ScorerUse.REPLACE else "besides"
        yield f"The model {policy.scorer.model.name} says how likely a click is, {place} clicks and silence."
    if settings.control:
        yield (
            f"For {share_words(settings.control)} of all users nothing is learned or drawn: for them the rules decide "
            "as they are written."
        )
    if policy.learns:
        yield f"What was learned of all users changes every {_every(settings)}."


def _every(settings: Settings) -> str:
    words = duration_words(settings.refresh_us)
    return words.removeprefix("1 ")


def experiment_sentence(experiment: Experiment) -> str:
    """Its arms and their shares."""
    arms = [f"{share_words(share)} are in “{name}”" for name, share in experiment.arms]
    return f"Of all users {listed(arms, 'and')}."


def choose_sentence(template: Template) -> str:
    """How variants that do better are preferred."""
    recency = template.recency
    lately = (
        f" One that the user had lately counts less, half as much less after {duration_words(recency.half_life_us)}."
        if recency.penalty
        else ""
    )
    return (
        "Among the variants whose condition holds one is drawn; those that are clicked more are likelier, and each has "
        f"a chance of {share_words(floor(len(template.variants)))} at least.{lately}"
    )


def event_pacing(policy: Policy, event_type: EventType) -> Pacing | None:
    """The budget that its messages come out of."""
    category = policy.categories.get(event_type.category or "")
    return policy.settings.pacing if category is None or category.pacing is None else category.pacing
