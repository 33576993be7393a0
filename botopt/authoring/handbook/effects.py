"""What a rule changes, and what a suppression stops, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from botopt.authoring.handbook.wording import counted, duration_words, listed, name_words, quoted
from botopt.model.policy import (
    Calendar,
    Consent,
    Conversation,
    Cooldown,
    Inhibition,
    Limit,
    Mute,
    QuietHours,
    Resolution,
    Rule,
    Suppression,
)
from botopt.network.tracing import value_text

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CALENDAR = {
    Calendar.DAY: "on one day of the user's calendar (it begins at 00:00)",
    Calendar.WEEK: "in one week of the user's calendar (it begins on Monday at 00:00)",
}
_CONSENT = {
    Consent.NOT_NEEDED: "No consent is asked for: nobody can refuse these messages.",
    Consent.OPT_OUT: "Not sent to users who refused these messages, or messages on this channel.",
    Consent.OPT_IN: "Sent only to users who asked for these messages, and who did not refuse this channel.",
}
REFUSABLE = "Not sent to users who refused all messages, or messages on this channel."
"""Consent where there is no category."""


def effects(rule: Rule) -> Iterator[str]:
    """What happens when the rule matches, in the order of the language."""
    if rule.score is not None:
        yield _moved("the score", rule.score)
    if rule.threshold is not None:
        yield _moved("the score that is needed", rule.threshold)
    if rule.message is not None:
        yield f"the message is {quoted(rule.message)}"
    if rule.channel is not None:
        yield f"it goes to {quoted(rule.channel)}"
    if rule.skip:
        yield "no message is sent, whatever the score"


def _moved(what: str, by: float) -> str:
    if by == 0:
        return f"{what} stays the same"
    return f"{what} {'rises' if by > 0 else 'falls'} by {value_text(abs(by))}"


def consent_sentence(consent: Consent | None) -> str:
    """What a category asks of users; None for no category."""
    return REFUSABLE if consent is None else _CONSENT[consent]


def kind_name(suppression: Suppression) -> str:
    """The kind of a suppression, and its number, for a small label."""
    kind = suppression.kind
    match kind:
        case Cooldown(window_us):
            return f"cooldown, {duration_words(window_us)}"
        case Limit():
            within = f"a {kind.calendar}" if kind.calendar else duration_words(kind.window_us)
            return f"limit, {kind.count} in {within}"
        case Inhibition():
            return "inhibition"
        case Resolution():
            return "resolution"
        case Conversation(window_us):
            return f"conversation, {duration_words(window_us)}"
        case Mute(window_us):
            return "mute, always" if window_us is None else f"mute, {duration_words(window_us)}"
        case QuietHours():
            return f"quiet hours, {_clock(kind.start)}–{_clock(kind.end)}"
        case _:
            assert_never(kind)


def stops(suppression: Suppression, when: str) -> Iterator[str]:
    """Sentences that say what a suppression stops; `when` is its condition in words, which a mute needs.

    Their subject is what it is about. Where sends are counted, they say which ones: those in its scope.
    """
    kind = suppression.kind
    match kind:
        case Cooldown(window_us, per):
            yield _cooldown(window_us, per, _scope(suppression))
        case Limit():
            within = _CALENDAR[kind.calendar] if kind.calendar else f"within {duration_words(kind.window_us)}"
            yield f"A user gets at most {counted(kind.count, 'message')}{_scope(suppression)} {within}."
            for category, slots in kind.reserved:
                are, them = ("is", "it") if slots == 1 else ("are", "them")
                yield f"{slots} of the {kind.count} {are} kept for {quoted(category)}: others cannot use {them}."
        case Inhibition(by, window_us):
            names = listed([quoted(name) for name in by], "or")
            yield f"Not sent for {duration_words(window_us)} after the user was sent a message of {names}."
            if len(by) > 1 or by != suppression.events:
                yield "An event type never stops its own messages in this way."
        case Resolution(by, window_us, same):
            yield _resolution(by, window_us, same)
        case Conversation(window_us):
            on = _channels(suppression.channels)
            where = f"{on}, or on no channel in particular" if on else " in the chat"
            yield f"Not sent for {duration_words(window_us)} after the user said or did something{where}."
        case Mute(window_us):
            if window_us is None:
                yield f"Never sent when this holds: {when}."
            else:
                yield f"Not sent for {duration_words(window_us)}, from the moment that this holds: {when}."
                yield "The silence begins again only after that was no longer so, or after one more message was sent."
        case QuietHours():
            yield from _quiet_hours(kind)
        case _:
            assert_never(kind)


def _cooldown(window_us: int, per: tuple[str, ...], scope: str) -> str:
    fields = [f"{name_words(name)}" for name in per if name != "event"]
    same = f" with the same {listed(fields)}" if fields else ""
    alike = " of the same event type" if "event" in per else ""
    return f"After a message{scope}, the user gets no other one{alike}{same} for {duration_words(window_us)}."


def _resolution(by: tuple[str, ...], window_us: int, same: tuple[str, ...]) -> str:
    names = listed([quoted(name) for name in by], "or")
    also = f" with the same {listed([name_words(name) for name in same])}" if same else ""
    return (
        f"Not sent once the matter is closed: the event {names} came for this user{also}, less than "
        f"{duration_words(window_us)} before this event or at any time since."
    )


def _quiet_hours(kind: QuietHours) -> Iterator[str]:
    hours = f"from {_clock(kind.start)} to {_clock(kind.end)} on the user's clock"
    if kind.days:
        on = listed([_DAYS[day] for day in kind.days])
        hours += f", where these hours begin on {on}"
    yield f"Not sent {hours}."
    if kind.hold:
        yield "The message waits until these hours are over, and then everything is decided again."
    else:
        yield "The message is dropped: it is not sent later either."


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def scope_words(suppression: Suppression) -> str:
    """What a suppression is about."""
    scope = _scope(suppression)
    return f"About messages{scope}." if scope else "About all messages."


def _scope(suppression: Suppression) -> str:
    """What follows "messages": ` of category “news” on channel “sms”`."""
    of = [
        f"{singular if len(names) == 1 else plural} {listed([quoted(name) for name in names], 'or')}"
        for names, singular, plural in (
            (suppression.events, "event type", "event types"),
            (suppression.categories, "category", "categories"),
        )
        if names
    ]
    return (f" of {' and of '.join(of)}" if of else "") + _channels(suppression.channels)


def _channels(names: Sequence[str]) -> str:
    if not names:
        return ""
    return f" on channel{'' if len(names) == 1 else 's'} {listed([quoted(name) for name in names], 'or')}"
