"""HTML from parts. Every text is escaped; only what `tag` made is taken as HTML."""

from __future__ import annotations

from html import escape


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Part = str | None
"""Text to be escaped, `Html` to be taken as it is, or nothing."""

_VOID = frozenset({"meta"})


def text(part: Part) -> Html:
    """HTML for a part."""
    if part is None:
        return Html()
    return part if isinstance(part, Html) else Html(escape(part))


def joined(*parts: Part, between: str = "") -> Html:
    """Parts one after another."""
    return Html(between.join(text(part) for part in parts if part is not None))


def tag(name: str, /, *parts: Part, **attributes: str | None) -> Html:
    """An element. `class_` is the attribute `class`, `aria_label` is `aria-label`; None leaves an attribute out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(*parts)}</{name}>")


def link(target: str, *parts: Part, **attributes: str | None) -> Html:
    """A link to a page of the handbook, or to a place in it."""
    return tag("a", *parts, href=target, **attributes)


def listing(*items: Part, **attributes: str | None) -> Html:
    """A list; nothing where there are no items."""
    there = [item for item in items if item is not None]
    return tag("ul", *(tag("li", item) for item in there), **attributes) if there else Html()


def table(heads: tuple[str, ...], rows: list[tuple[Part, ...]], caption: str | None = None, class_: str = "") -> Html:
    """A table; in a narrow window the style stacks its cells, each with the word above its column."""
    head = tag("thead", tag("tr", *(tag("th", word, scope="col") for word in heads)))
    cells = ((tag("td", part, data_label=word) for word, part in zip(heads, row, strict=True)) for row in rows)
    body = tag("tbody", *(tag("tr", *row) for row in cells))
    named = None if caption is None else tag("caption", caption)
    return tag(
        "div",
        tag("table", named, head, body),
        class_=f"wide {class_}".rstrip(),
        tabindex="0",
        role="region",
        aria_label=caption,
    )
