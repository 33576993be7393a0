"""Messages as chat bubbles, on one page that needs nothing but a browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from botopt.verify.previewing import Preview, Sheet

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2129; --faint: #5b6472; --line: #d9dee5; --wall: #eef1f5;
  --bubble: #fff; --accent: #0b57c2; --bad: #b3261e; --bad-paper: #fdecea; --warn: #7a4d00; --warn-paper: #fff4d6 }
@media (prefers-color-scheme: dark) { :root { --paper: #15181d; --ink: #e6e9ee; --faint: #9aa4b2; --line: #323943;
  --wall: #1c2027; --bubble: #2a303a; --accent: #8ab4f8; --bad: #f2b8b5; --bad-paper: #3b1f1d; --warn: #f5cf85;
  --warn-paper: #3a2f16 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem; max-width: 80rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, "Noto Sans", "Noto Sans Devanagari", sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .2rem; padding-top: 1rem; border-top: 1px solid var(--line) }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .4rem }
p { margin: .2rem 0 } a { color: var(--accent) }
nav ul { columns: 16rem; padding-left: 1.2rem }
.faint { color: var(--faint) } .note { font-size: .875rem; color: var(--faint); font-weight: normal }
.row { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; margin-bottom: 1rem }
figure { margin: 0; padding: .8rem; background: var(--wall); border-radius: .8rem; min-width: 0 }
figcaption { display: flex; justify-content: space-between; gap: .5rem; font-size: .8rem; color: var(--faint);
  margin-bottom: .4rem }
.bubble { background: var(--bubble); border-radius: .3rem 1rem 1rem 1rem; padding: .6rem .8rem; white-space: pre-wrap;
  overflow-wrap: anywhere; box-shadow: 0 1px 2px #0002 }
.bubble b { display: block }
.buttons { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: .5rem }
.button { border: 1px solid var(--accent); color: var(--accent); border-radius: 1rem; padding: .1rem .8rem;
  font-size: .9rem }
.link { flex-basis: 100%; font-size: .75rem; color: var(--faint); overflow-wrap: anywhere }
.bad { color: var(--bad); font-weight: 600 } .problem { background: var(--bad-paper); color: var(--bad) }
.unmet { opacity: .6 }
.warning { display: inline-block; background: var(--warn-paper); color: var(--warn); border-radius: .4rem;
  padding: .1rem .6rem; margin: .2rem 0 }
@media print { figure { break-inside: avoid; border: 1px solid var(--line) } nav { display: none } }
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
        f"<title>{name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{name}</h1>\n"
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
    for (event_type, sample, event, variant), shown in groupby(sheet.previews, _group):
        figures = list(shown)
        data = f"event {event}" if event else f"sample {sample}"
        note = "" if figures[0].eligible else "; not chosen for these data"
        words = escape(f"on {event_type}, {data}{note}")
        yield f'<h3>{escape(variant)} <span class="note">{words}</span></h3>\n<div class="row">'
        yield from (_figure(sheet, one) for one in figures)
        yield "</div>"
    yield "</section>"


def _group(preview: Preview) -> tuple[str, int, str, str]:
    return preview.event_type, preview.sample, preview.event, preview.variant


def _figure(sheet: Sheet, preview: Preview) -> str:
    words = preview.rendered
    tag = escape(preview.locale)
    if words is None:
        if preview.eligible:
            said = f'<div class="bubble problem">{escape(preview.problem)}</div>'
        else:
            said = '<div class="bubble faint">These data lack what this variant needs.</div>'
        return f'<figure{_unmet(preview)}><figcaption><span lang="en">{tag}</span></figcaption>{said}</figure>'
    title = f"<b>{escape(words.title)}</b>" if words.title else ""
    buttons = "".join(
        f'<span class="button">{escape(button.label)}</span>'
        + (f'<span class="link">{escape(button.link)}</span>' if button.link else "")
        for button in words.buttons
    )
    row = f'<div class="buttons" lang="{tag}" dir="auto">{buttons}</div>' if buttons else ""
    return (
        f"<figure{_unmet(preview)}><figcaption><span>{tag}</span>{_length(sheet, preview)}</figcaption>"
        f'<div class="bubble" lang="{tag}" dir="auto">{title}{escape(words.text)}</div>{row}</figure>'
    )


def _unmet(preview: Preview) -> str:
    return "" if preview.eligible else ' class="unmet"'


def _length(sheet: Sheet, preview: Preview) -> str:
    size = len(preview.rendered.text) if preview.rendered else 0
    if sheet.limit is None:
        return f"<span>{size:,} characters</span>"
    if sheet.too_long(preview):
        return f'<span class="bad">{size:,} of {sheet.limit:,} characters: too long</span>'
    return f"<span>{size:,} of {sheet.limit:,} characters</span>"
