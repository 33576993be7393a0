"""The user's word on the category and on the channel: two questions, each answered by the latest word on it."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.engine.stages.stage import Stage
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import Category, Consent, EventType, Policy
from botopt.model.user_state import ConsentWord


def category_word(words: Sequence[ConsentWord], category: str | None, channel: str) -> bool | None:
    """The latest word on the category (None: no word). A word on everything answers it, one on a pair only there."""
    for word in reversed(words):
        everything = word.category is None and word.channel is None
        named = category is not None and word.category == category and word.channel in (None, channel)
        if everything or named:
            return word.granted
    return None


def channel_word(words: Sequence[ConsentWord], category: str | None, channel: str) -> bool | None:
    """The latest word on the channel (None: no word). Words on everything are about categories.

    `subscribed` with nothing clears all earlier words, so a refusal of the channel does not outlive it.
    """
    for word in reversed(words):
        if word.channel == channel and word.category in (None, category):
            return word.granted
    return None


def refusal(words: Sequence[ConsentWord], category: Category | None, channel: str) -> str | None:
    """Why a message may not be sent, as a word for explanations: `category`, `channel`, or None: it may."""
    consent = Consent.OPT_OUT if category is None else category.consent
    if consent is Consent.NOT_NEEDED:
        return None
    name = None if category is None else category.name
    on_category = category_word(words, name, channel)
    if on_category is False or (consent is Consent.OPT_IN and on_category is None):
        return "category"
    if channel_word(words, name, channel) is False:
        return "channel"
    return None


def bind(policy: Policy, event_type: EventType) -> Stage | None:
    """For every event type whose category asks for consent."""
    category = None if event_type.category is None else policy.categories[event_type.category]
    if category is not None and category.consent is Consent.NOT_NEEDED:
        return None

    def stops(work: Work) -> tuple[Stop, ...]:
        if refusal(work.state.consent, category, work.channel) is None:
            return ()
        return (Stop(Reason.NO_CONSENT),)

    return stops
