"""The pages about the whole policy: overview, suppressions, templates."""

from __future__ import annotations

from itertools import groupby

from botopt.authoring.handbook.contents import Contents
from botopt.authoring.handbook.effects import kind_name, scope_words
from botopt.authoring.handbook.event_page import bubbles
from botopt.authoring.handbook.learned import choose_sentence
from botopt.authoring.handbook.markup import Html, Part, joined, link, listing, table, tag
from botopt.authoring.handbook.overview_picture import Map, overview_picture
from botopt.authoring.handbook.page import Page, event_page_name, shell
from botopt.authoring.handbook.picture import Box
from botopt.authoring.handbook.said import place, suppression_sentences, test_list, tests_in_words, typed
from botopt.authoring.handbook.wording import counted, listed
from botopt.engine.numbers import number
from botopt.model.policy import Choose, EventType, Suppression, Template

_CHOOSE = {
    Choose.FIRST: "The first variant is taken whose condition holds.",
    Choose.WEIGHTED: "Among the variants whose condition holds one is drawn, by their weights.",
}


def index_page(book: Contents) -> Page:
    """The overview: how much there is, the picture, every event type in a line."""
    policy = book.policy
    shape, style = overview_picture(_map(book))
    told = (
        (str(len(book.deciding)), "event types with messages"),
        (str(len(policy.suppressions)), "suppressions"),
        (str(len(policy.templates)), "templates"),
        (str(len(book.results)), "rule tests"),
    )
    body = joined(
        tag("p", "Which messages this policy sends, and why it keeps silent.", class_="lead"),
        tag("ul", *(tag("li", tag("b", one), tag("span", what)) for one, what in told), class_="numbers"),
        tag("h2", "Event types"),
        *(_category(name, list(some)) for name, some in groupby(book.deciding, lambda one: one.category)),
        _remembered(book),
        tag("h2", "Picture"),
        tag("p", "Point at a box to see what belongs to it. Each box leads to its page.", class_="faint"),
        shape,
        tag("h2", "Rule tests"),
        tag("p", tests_in_words(book.results)),
        test_list([one for one in book.results if one.failures]),
        between="\n",
    )
    return shell("index.html", book.title, book.title, policy.revision, body, style=style)


def _category(name: str | None, event_types: list[EventType]) -> Html:
    rows: list[tuple[Part, ...]] = [
        (
            link(event_page_name(one.name), one.name),
            one.description,
            number(one.weight),
            str(len(one.rules)) if one.rules else "–",
            joined(*(link(f"templates.html#t-{used}", used) for used in _used(one)), between=", "),
        )
        for one in event_types
    ]
    return joined(
        tag("h3", name or "without a category"),
        table(("Event type", "What happened", "Weight", "Rules", "Message"), rows, class_="types"),
    )


def _used(event_type: EventType) -> list[str]:
    named = (event_type.message, *(rule.message for rule in event_type.rules))
    return list(dict.fromkeys(name for name in named if name is not None))


def _remembered(book: Contents) -> Html:
    if not book.remembered:
        return Html()
    return joined(
        tag("h3", "only remembered"),
        tag("p", "These lead to no message, but rules and suppressions can ask for them.", class_="faint"),
        listing(
            *(
                joined(
                    tag("code", one.name),
                    f" {one.description} " if one.description else " ",
                    joined(tag("span", "switched off", class_="warning"), " ") if not one.enabled else None,
                    place(one.position),
                )
                for one in book.remembered
            )
        ),
    )


def _map(book: Contents) -> Map:
    stopped, suppressions = [], []
    for one in book.policy.suppressions:
        about = book.event_types_of(one)
        everything = len(about) == len(book.deciding) and len(about) > 1
        note = f"{kind_name(one)}; {'all types' if everything else counted(len(about), 'type')}"
        suppressions.append(Box("suppression", one.id, note, f"suppressions.html#s-{one.id}"))
        stopped += [] if everything else [(event_type.name, one.id) for event_type in about]
    sent = [(one.name, name) for one in book.deciding for name in _used(one)]
    events = [Box("event", one.name, _note(one), event_page_name(one.name)) for one in book.deciding]
    templates = [
        Box("template", name, counted(len(book.policy.templates[name].variants), "variant"), f"templates.html#t-{name}")
        for name in sorted({name for _, name in sent})
    ]
    return Map(suppressions, events, templates, stopped, sent)


def _note(event_type: EventType) -> str:
    rules = f", {counted(len(event_type.rules), 'rule')}" if event_type.rules else ""
    return f"weight {number(event_type.weight)}{rules}{', always sent' if event_type.always else ''}"


def suppressions_page(book: Contents) -> Page:
    """Every suppression in sentences, with what it is about and its tests."""
    lead = "What keeps a message back that is worth sending. The pages of event types show them in the order of asking."
    body = joined(tag("p", lead, class_="lead"), *(_suppression(book, one) for one in book.policy.suppressions))
    if not book.policy.suppressions:
        body = tag("p", "There are none.")
    return shell("suppressions.html", "Suppressions", book.title, book.policy.revision, body)


def _suppression(book: Contents, suppression: Suppression) -> Html:
    about = book.event_types_of(suppression)
    links = joined(*(link(event_page_name(one.name), one.name) for one in about), between=", ")
    concerned = joined(
        f"{counted(len(about), 'event type').capitalize()}: " if about else "It concerns no event type.", links
    )
    tests = book.tests_by(suppression.id)
    return tag(
        "section",
        tag(
            "h3",
            suppression.id,
            " ",
            tag("span", kind_name(suppression), " ", place(suppression.position), class_="note"),
        ),
        suppression_sentences(suppression),
        tag("p", scope_words(suppression), class_="faint") if not suppression.events or suppression.channels else None,
        tag("p", concerned, class_="faint"),
        test_list(tests),
        id=f"s-{suppression.id}",
    )


def templates_page(book: Contents) -> Page:
    """Every template with its variants, an example of each in every language."""
    lead = "What the messages say, on the samples of the templates. Real events have other data."
    parts = (_template(book, book.sheets[name].template) for name in sorted(book.sheets))
    return shell("templates.html", "Templates", book.title, book.policy.revision, tag("p", lead, class_="lead"), *parts)


def _choosing(template: Template) -> str:
    return choose_sentence(template) if template.choose is Choose.LEARN else _CHOOSE[template.choose]


def _template(book: Contents, template: Template) -> Html:
    sheet = book.sheets[template.name]
    used = joined(
        *(
            link(event_page_name(name), name) if book.policy.events[name].decides else name
            for name in sheet.event_types
        ),
        between=", ",
    )
    parts: list[Part] = [
        tag("h3", template.name, " ", tag("span", place(template.position), class_="note")),
        tag("p", template.description) if template.description else None,
        tag("p", "Sent for ", used, ".", class_="faint")
        if sheet.event_types
        else tag("p", "No event type uses it.", class_="faint"),
        tag("p", _choosing(template), class_="faint") if len(template.variants) > 1 else None,
        *(tag("p", f"{name} takes {limit:,} characters.", class_="faint") for name, limit in sheet.limits.items()),
        *(
            tag("p", f"{variant} has no {listed(locales, 'or')} text.", class_="warning")
            for variant, locales in sheet.missing.items()
        ),
    ]
    for variant in template.variants:
        ours = [one for one in sheet.previews if one.variant == variant.name]
        shown = [one for one in ours if one.event_type == ours[0].event_type]
        when = joined(" when ", typed(variant.when)) if variant.when is not None else None
        weight = f", weight {number(variant.weight)}" if template.choose is Choose.WEIGHTED else ""
        parts.append(tag("p", variant.name, weight, when, " ", place(variant.position), class_="faint"))
        parts.append(bubbles(shown, book, template.name))
    return tag("section", *parts, id=f"t-{template.name}")
