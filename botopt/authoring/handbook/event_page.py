"""The page of one event type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from botopt.authoring.bubbles import figure, lacking
from botopt.authoring.handbook.contents import Contents
from botopt.authoring.handbook.effects import consent_sentence, effects, kind_name
from botopt.authoring.handbook.event_picture import Way, event_pictures
from botopt.authoring.handbook.field_table import field_table
from botopt.authoring.handbook.learned import (
    engagement_sentences,
    event_pacing,
    pacing_sentence,
    send_time_sentence,
)
from botopt.authoring.handbook.markup import Html, Part, joined, link, tag
from botopt.authoring.handbook.page import Page, event_page_name, shell
from botopt.authoring.handbook.picture import Box
from botopt.authoring.handbook.reach import Reach, Span, reach
from botopt.authoring.handbook.said import place, rule_sentence, suppression_sentences, test_list, tests_in_words, typed
from botopt.authoring.handbook.wording import duration_words, listed, name_words, quoted
from botopt.engine.numbers import number
from botopt.model.policy import EventType, Rule
from botopt.network.tracing import value_text
from botopt.verify.previewing import Preview


def event_page(book: Contents, event_type: EventType, before: EventType | None, after: EventType | None) -> Page:
    """Everything about one event type, with the pages before and after it."""
    bounds = reach(book.policy, event_type)
    body = joined(
        tag("p", event_type.description, class_="lead") if event_type.description else None,
        tag("p", *_facts(book, event_type), " ", place(event_type.position)),
        _numbers(bounds, event_type),
        event_pictures(_way(book, event_type, bounds)),
        _rules(book, event_type),
        _score(book, event_type, bounds),
        _stopping(book, event_type),
        _messages(book, event_type),
        joined(tag("h2", "Fields"), field_table(event_type.fields, "What such an event carries")),
        _tests(book, event_type),
        _turn(before, after),
        between="\n",
    )
    return shell(event_page_name(event_type.name), event_type.name, book.title, book.policy.revision, body)


def _facts(book: Contents, event_type: EventType) -> Iterator[Part]:
    category = f"Category {quoted(event_type.category)}. " if event_type.category else "No category. "
    channels = book.policy.channels_of(event_type)
    yield f"{category}Sent to {listed([quoted(name) for name in channels], 'or')}."
    if event_type.accepts:
        yield f" May also arrive as {listed([quoted(name) for name in event_type.accepts], 'or')}."


def _numbers(bounds: Reach, event_type: EventType) -> Html:
    told = [
        (number(event_type.weight), "weight, the score to begin with"),
        (_span(bounds.raw), "score by weight and rules" + ("" if bounds.exact else ", at the outside")),
        (_span(bounds.score), "with clicks and silence") if bounds.score != bounds.raw else None,
        ("always sent", "whatever the score")
        if event_type.always
        else (_span(bounds.needed), "the score must be above"),
    ]
    return tag(
        "ul", *(tag("li", tag("b", one), tag("span", what)) for one, what in filter(None, told)), class_="numbers"
    )


def _span(span: Span) -> str:
    return number(span.low) if span.low == span.high else f"{number(span.low)} to {number(span.high)}"


def _rules(book: Contents, event_type: EventType) -> Html:
    if not event_type.rules:
        return joined(tag("h2", "Rules"), tag("p", "There are none: the score is the weight."))
    items = (_rule(book, event_type, rule) for rule in event_type.rules)
    lead = "All rules are looked at, and all that match count."
    if sum(bool(rule.message or rule.channel) for rule in event_type.rules) > 1:
        lead += " Of several that name a message or a channel, the last one wins."
    return joined(tag("h2", "Rules"), tag("p", lead, class_="faint"), tag("ul", *items, class_="rules"))


def _rule(book: Contents, event_type: EventType, rule: Rule) -> Html:
    tests = [one for one in book.tests_by(rule.id) if one in book.tests_of(event_type.name)]
    return tag(
        "li",
        rule_sentence(rule, event_type.name),
        tag("p", f"{rule.id} · ", typed(rule.when), " ", place(rule.position), class_="note"),
        test_list(tests) if tests else None,
        id=f"r-{rule.id}",
    )


def _score(book: Contents, event_type: EventType, bounds: Reach) -> Html:
    settings = book.policy.settings
    lines = [f"The score begins at {number(event_type.weight)}; rules change it, and it stays between 0 and 1."]
    engagement = settings.engagement
    if not event_type.engagement:
        lines.append("What the user clicked or ignored before does not change it.")
    elif engagement.effect:
        lines.append(
            "It is then multiplied by a factor for what this user clicked and ignored before: "
            f"{number(engagement.low)} at the least, {number(engagement.high)} at the most, "
            "1 for a user who has got no message yet."
        )
    if event_type.always:
        lines.append("This message is sent whatever the score is.")
        return _paragraphs("Score", lines)
    threshold = settings.threshold if event_type.threshold is None else event_type.threshold
    own = "" if event_type.threshold is None else ", of this event type"
    lines.append(f"A message is sent only if the score is above the threshold of {number(threshold)}{own}.")
    lines.extend(engagement_sentences(engagement) if event_type.engagement else ())
    fatigue = settings.fatigue
    if (pacing := event_pacing(book.policy, event_type)) is not None:
        lines.append(pacing_sentence(pacing))
    elif fatigue.per_message and fatigue.limit:
        lines.append(
            f"Each message of the last {duration_words(fatigue.within_us)} that the user did not click raises the "
            f"threshold by {number(fatigue.per_message)}, by {number(fatigue.limit)} at the most."
        )
    if bounds.never:
        lines.append("With these numbers the message can never be sent.")
    elif bounds.always:
        lines.append("With these numbers the score is always high enough.")
    return _paragraphs("Score", lines)


def _paragraphs(title: str, lines: Sequence[str]) -> Html:
    return joined(tag("h2", title), *(tag("p", line) for line in lines))


def _stopping(book: Contents, event_type: EventType) -> Html:
    policy = book.policy
    category = None if event_type.category is None else policy.categories[event_type.category]
    items: list[Part] = []
    if event_type.expires_after_us is not None:
        lines = f"Not sent when the event is older than {duration_words(event_type.expires_after_us)}."
        items.append(tag("li", tag("p", lines), tag("p", "expires_after", class_="note")))
    if event_type.send_time is not None:
        lines = send_time_sentence(event_type.send_time)
        items.append(tag("li", tag("p", lines), tag("p", "send_time", class_="note")))
    consent = consent_sentence(None if category is None else category.consent)
    where = link("settings.html#categories", f"consent of {category.name}") if category else "consent"
    items.append(tag("li", tag("p", consent), tag("p", where, class_="note")))
    if event_type.always:
        lead = "always: true waives the threshold, the holdout and every suppression. What is left:"
        return joined(tag("h2", "What stops it"), tag("p", lead), tag("ul", *items, class_="rules"))
    if policy.settings.holdout:
        line = (
            f"{number(policy.settings.holdout * 100)}% of all users never get it, to measure what messages are worth."
        )
        items.append(tag("li", tag("p", line), tag("p", link("settings.html", "holdout"), class_="note")))
    for one in book.suppressions_of(event_type):
        channels = ""
        if one.channels and set(policy.channels_of(event_type)) - set(one.channels):
            channels = f"Only if it goes to {listed([quoted(name) for name in one.channels], 'or')}."
        note = joined(link(f"suppressions.html#s-{one.id}", one.id), f" · {kind_name(one)} ", place(one.position))
        about = tag("p", channels) if channels else None
        items.append(tag("li", suppression_sentences(one, event_type.name), about, tag("p", note, class_="note")))
    return joined(tag("h2", "What stops it"), tag("ul", *items, class_="rules"))


def _messages(book: Contents, event_type: EventType) -> Html:
    parts: list[Part] = [tag("h2", "Messages")]
    for name in book.policy.templates_of(event_type):
        sheet = book.sheets[name]
        by = [rule.id for rule in event_type.rules if rule.message == name]
        usual = "Sent unless a rule names another one." if len(book.policy.templates_of(event_type)) > 1 else ""
        said = f"Sent when rule {listed([quoted(rule) for rule in by], 'or')} matches." if by else usual
        parts.append(tag("h3", link(f"templates.html#t-{name}", name), " ", tag("span", said, class_="note")))
        shown = [one for one in sheet.previews if one.event_type == event_type.name]
        for variant in sheet.template.variants:
            ours = [one for one in shown if one.variant == variant.name]
            when = joined(" when ", typed(variant.when)) if variant.when is not None else None
            parts.append(tag("p", variant.name, when, " ", place(variant.position), class_="faint"))
            parts.append(bubbles(ours, book, name))
    return joined(*parts)


def bubbles(shown: Sequence[Preview], book: Contents, template: str) -> Html:
    """A row of example messages, one for each language, and the user whom it takes, if it takes a certain one."""
    sheet = book.sheets[template]
    there = [Html(figure(sheet, _plain(one))) for one in shown]
    missing = [Html(one) for one in lacking(sheet, shown[0].variant, len(shown))] if shown else []
    row = tag("div", *there, *missing, class_="row")
    if shown and not shown[0].sample and shown[0].rendered is not None:
        row = joined(tag("p", "The values are invented: the template has no samples.", class_="note"), row)
    if not any((template, one.event_type, one.variant) in book.needs_user for one in shown):
        return row
    known = listed([f"{name_words(name)} is {value_text(value)}" for name, value in book.example_user.items()])
    return joined(tag("p", f"Shown for a user of whom this is known: {known}.", class_="note"), row)


def _plain(preview: Preview) -> Preview:
    """An example is not paler because its data would have chosen another variant."""
    return preview if preview.rendered is None else msgspec.structs.replace(preview, chosen=True)


def _tests(book: Contents, event_type: EventType) -> Html:
    results = book.tests_of(event_type.name)
    line = tests_in_words(results) if results else "No rule test sends such an event."
    return joined(tag("h2", "Rule tests"), tag("p", line), test_list(results))


def _turn(before: EventType | None, after: EventType | None) -> Html:
    back = None if before is None else link(event_page_name(before.name), f"← {before.name}", rel="prev")
    on = None if after is None else link(event_page_name(after.name), f"{after.name} →", rel="next")
    return tag("nav", back or tag("span"), on, class_="turn", aria_label="Event types")


def _way(book: Contents, event_type: EventType, bounds: Reach) -> Way:
    page = event_page_name(event_type.name)
    rules = [
        Box("rule off" if rule.skip else "rule", rule.id, _short(rule), f"#r-{rule.id}") for rule in event_type.rules
    ]
    needed = "any score" if event_type.always else f"score above {_span(bounds.needed)}"
    suppressions = [
        Box("suppression", one.id, kind_name(one), f"suppressions.html#s-{one.id}")
        for one in book.suppressions_of(event_type)
    ]
    messages = []
    for name in book.policy.templates_of(event_type):
        by = [rule.id for rule in event_type.rules if rule.message == name]
        messages.append(Box("template", name, f"if {' or '.join(by)}" if by else "", f"templates.html#t-{name}"))
    event = Box("event", event_type.name, f"weight {number(event_type.weight)}", page)
    return Way(event_type.name, event, rules, Box("gate", "worth it", needed, ""), suppressions, messages)


def _short(rule: Rule) -> str:
    if rule.skip:
        return "no message"
    parts = []
    if rule.score is not None:
        parts.append(f"score {rule.score:+.6g}".replace("-", "−"))
    if rule.threshold is not None:
        parts.append(f"needs {rule.threshold:+.6g}".replace("-", "−"))
    parts += [f"→ {name}" for name in (rule.message, rule.channel) if name is not None]
    return ", ".join(parts) or ", ".join(effects(rule))
