"""Messages as chat bubbles: what the pages of previews and the handbook share."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from botopt.verify.previewing import Preview, Sheet

COLOURS = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2129; --faint: #5b6472; --line: #d9dee5; --wall: #eef1f5;
  --bubble: #fff; --accent: #0b57c2; --bad: #b3261e; --bad-paper: #fdecea; --warn: #7a4d00; --warn-paper: #fff4d6;
  --good: #1b6e3c; --stop: #b3541e; --words: #7a3fb0; --wire: #98a2b0 }
@media (prefers-color-scheme: dark) { :root { --paper: #15181d; --ink: #e6e9ee; --faint: #9aa4b2; --line: #323943;
  --wall: #1c2027; --bubble: #2a303a; --accent: #8ab4f8; --bad: #f2b8b5; --bad-paper: #3b1f1d; --warn: #f5cf85;
  --warn-paper: #3a2f16; --good: #7fd6a0; --stop: #f0a97a; --words: #cda6f2; --wire: #6b7686 } }
"""
"""The colours of all pages, in both schemes."""

BUBBLE_STYLE = """
.row { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); gap: 1rem;
  margin-bottom: 1rem }
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
.unmet { opacity: .65 }
.lacking { background: none; box-shadow: none; border: 1px dashed var(--warn); color: var(--warn) }
@media print { figure { break-inside: avoid; border: 1px solid var(--line) } }
"""
"""The style of `figure`."""


def figure(sheet: Sheet, preview: Preview) -> str:
    """One text as a bubble with its buttons, its language and its length against the limits of the channels."""
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


def lacking(sheet: Sheet, variant: str, shown: int) -> Iterator[str]:
    """An empty bubble for each language without a text, where all languages are shown."""
    texts = next((len(one.text) for one in sheet.template.variants if one.name == variant), 0)
    for locale in sheet.missing.get(variant, ()) if shown == texts else ():
        said = '<div class="bubble lacking">no text yet</div>'
        yield f"<figure><figcaption><span>{escape(locale)}</span></figcaption>{said}</figure>"


def _unmet(preview: Preview) -> str:
    return "" if preview.chosen else ' class="unmet"'


def _length(sheet: Sheet, preview: Preview) -> str:
    size = len(preview.rendered.text) if preview.rendered else 0
    if sheet.limit is None:
        return f"<span>{size:,} characters</span>"
    if sheet.too_long(preview):
        return f'<span class="bad">{size:,} of {sheet.limit:,} characters: too long</span>'
    return f"<span>{size:,} of {sheet.limit:,} characters</span>"
