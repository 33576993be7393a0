"""What all pages of the handbook have in common: head, style, links from page to page."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from botopt.authoring.bubbles import BUBBLE_STYLE, COLOURS
from botopt.authoring.handbook.markup import Html, Part, joined, link, tag
from botopt.authoring.handbook.style import STYLE

PAGES = (
    ("index.html", "Overview"),
    ("suppressions.html", "Suppressions"),
    ("templates.html", "Templates"),
    ("settings.html", "Settings"),
)
"""The pages that every handbook has, besides one for each event type."""


_LONGEST = 120
"""File systems take names of 255 bytes at most."""


class Page(msgspec.Struct, frozen=True):
    """One file of the handbook."""

    name: str
    html: str


def event_page_name(event_type: str) -> str:
    """The file of an event type."""
    if len(event_type) > _LONGEST:
        return f"event-{event_type[:_LONGEST]}-{blake2b(event_type.encode(), digest_size=6).hexdigest()}.html"
    return f"event-{event_type}.html"


def shell(name: str, title: str, book: str, revision: str, *body: Part, style: str = "") -> Page:
    """A whole page around its body. `book` is the title of the handbook."""
    whole = title if title == book else f"{title} · {book}"
    bar = (
        link(target, words, class_="here" if target == name else None, aria_current="page" if target == name else None)
        for target, words in PAGES
    )
    head = joined(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", whole),
        tag("style", Html(f"{COLOURS}{STYLE}{BUBBLE_STYLE}{style}")),
        between="\n",
    )
    content = joined(
        link("#content", "To the content", class_="skip"),
        tag("header", tag("nav", *bar, aria_label="Pages")),
        tag("main", tag("h1", title), *body, id="content"),
        tag("footer", f"{book}. Written by botopt docs from policy revision {revision}."),
        between="\n",
    )
    text = f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{content}\n</body>\n</html>\n'
    return Page(name, text)
