"""The page about settings, categories, what is known about users, and channels."""

from __future__ import annotations

from collections.abc import Iterator

from botopt.authoring.channel_schemas import HONESTY, NEVER_LIVE, known_type
from botopt.authoring.handbook.contents import Contents
from botopt.authoring.handbook.effects import consent_sentence
from botopt.authoring.handbook.field_table import field_table
from botopt.authoring.handbook.learned import (
    experiment_sentence,
    pacing_sentence,
    policy_sentences,
    send_time_sentence,
)
from botopt.authoring.handbook.markup import Html, Part, joined, link, listing, table, tag
from botopt.authoring.handbook.page import Page, event_page_name, shell
from botopt.authoring.handbook.said import place
from botopt.authoring.handbook.wording import counted, duration_words
from botopt.engine.numbers import number
from botopt.model.policy import Channel, Settings


def settings_page(book: Contents) -> Page:
    """What holds for all messages."""
    policy = book.policy
    body = joined(
        listing(*_settings(policy.settings), *policy_sentences(policy)),
        tag("h2", "Categories", id="categories"),
        _categories(book),
        *_experiments(book),
        tag("h2", "Users", id="users"),
        tag("p", "What may be known about a user, besides the id, the time zone and the language."),
        field_table(policy.attributes, "Attributes of users"),
        tag("h2", "Channels", id="channels"),
        _channels(book),
        between="\n",
    )
    return shell("settings.html", "Settings", book.title, policy.revision, body)


def _settings(settings: Settings) -> Iterator[Part]:
    yield f"A message is sent if its score is above {number(settings.threshold)}, unless its event type says otherwise."
    yield f"Users without a time zone of their own are in {settings.timezone}."
    yield f"Where there is no text in the user's language, the one in {settings.locale} is sent."
    yield f"A message is ignored if the user has not answered it within {duration_words(settings.ignored_after_us)}."
    yield f"The same event within {duration_words(settings.dedupe_window_us)} counts once."
    if settings.holdout:
        share = number(settings.holdout * 100)
        yield (
            f"{share}% of all users get no messages but those that are always sent, to measure what messages are "
            f"worth. The seed is {settings.seed}."
        )
    else:
        yield "There is no holdout: all users get messages."
    fatigue = settings.fatigue
    if settings.pacing is not None:
        pass  # it takes the place of fatigue
    elif fatigue.per_message and fatigue.limit:
        yield (
            f"Each message of the last {duration_words(fatigue.within_us)} that was not clicked raises the threshold "
            f"by {number(fatigue.per_message)}, by {number(fatigue.limit)} at the most."
        )
    else:
        yield "Unanswered messages do not raise the threshold."
    engagement = settings.engagement
    if engagement.effect:
        yield (
            f"Clicks raise later scores and silence lowers them: by a factor from {number(engagement.low)} to "
            f"{number(engagement.high)}. It is expected that {number(engagement.prior * 100)}% of messages are "
            f"clicked, and that counts as much as {number(engagement.strength)} messages of the user's own. "
            f"After {duration_words(engagement.half_life_us)} an answer counts half. "
            f"The exponent is {number(engagement.effect)}."
        )
    else:
        yield "Clicks and silence do not change scores."


def _categories(book: Contents) -> Html:
    rows: list[tuple[Part, ...]] = []
    for category in book.policy.categories.values():
        ours = [one for one in book.deciding if one.category == category.name]
        links = joined(*(link(event_page_name(one.name), one.name) for one in ours), between=", ")
        engagement = "count" if category.engagement else "do not count"
        learned = [] if category.send_time is None else [send_time_sentence(category.send_time)]
        learned += [] if category.pacing is None else [pacing_sentence(category.pacing)]
        told = " ".join((consent_sentence(category.consent), *learned))
        rows.append((category.name, told, engagement, links, place(category.position)))
    if not rows:
        return tag("p", "There are none: every message is sent until the user refuses it.")
    return table(("Category", "Consent", "Clicks and silence", "Event types", "Where"), rows, "Kinds of messages")


def _experiments(book: Contents) -> Iterator[Html]:
    experiments = book.policy.experiments.values()
    if not experiments:
        return
    rows: list[tuple[Part, ...]] = [
        (one.name, one.description, experiment_sentence(one), place(one.position)) for one in experiments
    ]
    yield tag("h2", "Experiments", id="experiments")
    yield table(("Experiment", "What for", "Who", "Where"), rows, "Splits of users")


def _channels(book: Contents) -> Html:
    rows: list[tuple[Part, ...]] = []
    for channel in book.policy.channels.values():
        used = sum(channel.name in book.policy.channels_of(one) for one in book.deciding)
        limit = "any length" if channel.max_length is None else f"{channel.max_length:,} characters"
        told = (channel.type, _way(channel), limit, counted(used, "event type"))
        rows.append((channel.name, *told, place(channel.position)))
    if not rows:
        return tag("p", "There are none.")
    types = sorted({channel.type for channel in book.policy.channels.values()})
    found = [(name, known_type(name)) for name in types]
    about: list[tuple[Part, ...]] = [
        (name, type_.summary, HONESTY[type_.honesty]) for name, type_ in found if type_ is not None
    ]
    return joined(
        table(("Channel", "Type", "How", "Takes", "Used by", "Where"), rows, "Where messages go"),
        table(("Type", "What it does", "What our tests of it rest on"), about, "Types of channels"),
        tag("p", NEVER_LIVE.strip(), class_="faint"),
    )


def _way(channel: Channel) -> str:
    """Where users are reached, how fast, and what takes over."""
    delivery = channel.delivery
    words = [f"to user.{delivery.to}" if delivery.to else "to the user's id"]
    if delivery.messages:
        each = counted(delivery.messages, "message")
        words.append(f"at most {each} in {duration_words(delivery.per_us)}")
    if delivery.reply:
        words.append(f"texts that come back go to {delivery.reply}")
    words.append(f"tried again for {duration_words(delivery.retry_for_us)}")
    words.append(f"then {delivery.fallback} takes over" if delivery.fallback else "then it has failed")
    return "; ".join(words)
