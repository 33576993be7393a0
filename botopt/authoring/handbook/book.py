"""All pages of a handbook."""

from __future__ import annotations

from collections.abc import Iterator

from botopt.authoring.handbook.contents import Contents
from botopt.authoring.handbook.event_page import event_page
from botopt.authoring.handbook.list_pages import index_page, suppressions_page, templates_page
from botopt.authoring.handbook.page import Page
from botopt.authoring.handbook.settings_page import settings_page


def pages(book: Contents) -> Iterator[Page]:
    """The overview, the three lists, and a page for each event type that leads to messages."""
    yield index_page(book)
    yield suppressions_page(book)
    yield templates_page(book)
    yield settings_page(book)
    deciding = list(book.deciding)
    for place, event_type in enumerate(deciding):
        before = deciding[place - 1] if place else None
        after = deciding[place + 1] if place + 1 < len(deciding) else None
        yield event_page(book, event_type, before, after)
