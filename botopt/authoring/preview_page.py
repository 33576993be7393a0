"""Messages as chat bubbles, on one page that needs nothing but a browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from botopt.authoring.bubbles import BUBBLE_STYLE, COLOURS, figure, lacking
from botopt.verify.previewing import Preview, Sheet, data_words

_STYLE = """
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem; max-width: 80rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, "Noto Sans", "Noto Sans Devanagari", sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .2rem; padding-top: 1rem; border-top: 1px solid var(--line) }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .4rem }
p { margin: .2rem 0 } a { color: var(--accent) }
nav ul { columns: 16rem; padding-left: 1.2rem }
.faint { color: var(--faint) } .note { font-size: .875rem; color: var(--faint); font-weight: normal }
.warning { display: inline-block; background: var(--warn-paper); color: var(--warn); border-radius: .4rem;
  padding: .1rem .6rem; margin: .2rem 0 }
@media print { nav { display: none } }
"""


def preview_page(title: str, sheets: Sequence[Sheet]) -> str:
    """The page as HTML text: a heading for each template, a bubble for each variant, locale and set of data."""
    listed = "".join(
        f'<li><a href="#{escape(one.template.name)}">{escape(one.template.name)}</a></li>' for one in sheets
    )
    body = "\n".join(line for one in sheets for line in _sheet(one))
    name = escape(f"Messages of {title}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>{COLOURS}{_STYLE}{BUBBLE_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{name}</h1>\n"
        f'<nav aria-label="Templates"><ul>{listed}</ul></nav>\n{body}\n</main>\n</body>\n</html>\n'
    )


def _sheet(sheet: Sheet) -> Iterator[str]:
    template = sheet.template
    yield f'<section id="{escape(template.name)}">\n<h2>{escape(template.name)}</h2>'
    if template.description:
        yield f"<p>{escape(template.description)}</p>"
    used = ", ".join(sheet.event_types)
    yield f'<p class="faint">{escape(f"Sent for {used}." if used else "No event type uses this template.")}</p>'
    for channel, limit in sheet.limits.items():
        yield f'<p class="faint">{escape(f"{channel} takes {limit:,} characters.")}</p>'
    for variant, locales in sheet.missing.items():
        yield f'<p class="warning">{escape(variant)} has no {escape(" and no ".join(locales))} text.</p>'
    for (event_type, _, _, variant), shown in groupby(sheet.previews, _group):
        figures = list(shown)
        data = data_words(figures[0])
        note = "" if figures[0].chosen else "; not chosen for these data"
        words = escape(f"on {event_type}, {data}{note}")
        yield f'<h3>{escape(variant)} <span class="note">{words}</span></h3>\n<div class="row">'
        yield from (figure(sheet, one) for one in figures)
        yield from lacking(sheet, variant, len(figures))
        yield "</div>"
    yield "</section>"


def _group(preview: Preview) -> tuple[str, int, str, str]:
    return preview.event_type, preview.sample, preview.event, preview.variant
