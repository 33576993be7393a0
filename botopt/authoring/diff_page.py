"""A comparison of two policies on one page that needs nothing but a browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from botopt.authoring.diff_words import (
    Limit,
    affected_words,
    because,
    chain_words,
    consequence_words,
    consequences,
    effects,
    ending,
    load_rows,
    sample_head,
    samples,
    summary,
)
from botopt.model.decision import Decision
from botopt.verify.diff import Change, Difference, Kind

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2129; --faint: #5b6472; --line: #d9dee5; --wall: #eef1f5;
  --bubble: #fff; --accent: #0b57c2; --bad: #b3261e; --good: #146c2e }
@media (prefers-color-scheme: dark) { :root { --paper: #15181d; --ink: #e6e9ee; --faint: #9aa4b2; --line: #323943;
  --wall: #1c2027; --bubble: #2a303a; --accent: #8ab4f8; --bad: #f2b8b5; --good: #7fd99a } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, "Noto Sans", "Noto Sans Devanagari", sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; padding-top: .8rem;
  border-top: 1px solid var(--line) } h3 { font-size: 1rem; margin: 1.4rem 0 .5rem }
p { margin: .3rem 0 } .lead { font-size: 1.15rem; font-weight: 600 } .faint { color: var(--faint); font-size: .875rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top;
  padding: .4rem .6rem; border-bottom: 1px solid var(--line) } td.number { font-variant-numeric: tabular-nums }
code { font: .875rem/1.4 ui-monospace, monospace; color: var(--accent) }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0; padding: 0; list-style: none }
.tiles li { background: var(--wall); border-radius: .6rem; padding: .5rem 1rem; min-width: 8rem }
.tiles b { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums }
.sample { background: var(--wall); border-radius: .8rem; padding: .8rem; margin: .8rem 0 }
.ends { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); gap: .8rem;
  margin: .5rem 0 }
.bubble { background: var(--bubble); border-radius: .3rem 1rem 1rem 1rem; padding: .5rem .8rem; white-space: pre-wrap;
  box-shadow: 0 1px 2px #0002 }
.bad { color: var(--bad); font-weight: 600 } .good { color: var(--good) }
.scroll { overflow-x: auto }
"""
_TILES = (
    (Kind.GAINED, "messages more"),
    (Kind.LOST, "messages fewer"),
    (Kind.MOVED, "at another time"),
    (Kind.REROUTED, "on another channel"),
    (Kind.REWORDED, "in other words"),
)


def diff_page(found: Difference, limits: Sequence[Limit], most_samples: int, old: str, new: str) -> str:
    """The page as HTML text."""
    title = "What this change of the policy does"
    body = "\n".join(_body(found, limits, most_samples))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_tag_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"{_tag('h1', title)}\n{_tag('p', f'{old} → {new}, over {found.lines:,} lines of events', 'faint')}\n{body}\n"
        "</main>\n</body>\n</html>\n"
    )


def _body(found: Difference, limits: Sequence[Limit], most: int) -> Iterator[str]:
    first, *rest = summary(found)
    yield _tag("p", first, "lead")
    if found.seen:
        tiles = ((found.count(kind), words) for kind, words in _TILES)
        shown = "".join(f"<li><b>{number:,}</b>{_tag_text(words)}</li>" for number, words in tiles if number)
        yield f'<ul class="tiles">{shown}</ul>'
    yield from (_tag("p", line) for line in rest)
    for limit in limits:
        yield _tag("p", f"{'✓' if limit.holds else '✗'} {limit.words}", "good" if limit.holds else "bad")
    yield from _edits(found)
    if found.seen:
        yield from _consequences(found)
        yield from _load(found)
        yield from _samples(found, most)


def _edits(found: Difference) -> Iterator[str]:
    if not found.edits:
        return
    with_effect, without = effects(found)
    yield '<h2>What each change did</h2>\n<div class="scroll"><table><tr><th>changed</th><th>what it did</th></tr>'
    for effect in with_effect:
        said = "".join(_tag("p", line) for line in effect.said)
        yield f"<tr><td>{_tag('code', effect.edit.place)}<br>{_tag_text(effect.edit.words)}</td><td>{said}</td></tr>"
    for edit in without:
        nothing = _tag("p", "no message changes on these events", "faint")
        yield f"<tr><td>{_tag('code', edit.place)}<br>{_tag_text(edit.words)}</td><td>{nothing}</td></tr>"
    yield "</table></div>"


def _consequences(found: Difference) -> Iterator[str]:
    listed = consequences(found)
    if listed:
        yield "<h2>Consequences</h2>"
        yield _tag("p", "What happened because something else did, and an example of each.", "faint")
        for one in listed:
            yield _tag("p", consequence_words(one))
            if one.example is not None:
                yield _tag("p", chain_words(one.example, found.edits), "faint")


def _load(found: Difference) -> Iterator[str]:
    yield '<h2>What users get</h2>\n<div class="scroll"><table><tr><th></th><th>before</th><th>now</th></tr>'
    for name, old, new in load_rows(found):
        yield f"<tr><td>{_tag_text(name)}</td>{_tag('td', old, 'number')}{_tag('td', new, 'number')}</tr>"
    yield "</table></div>"
    if found.affected:
        yield _tag("p", f"Largest change: {affected_words(found)}")
    yield _tag("p", "A day is a day in UTC on which the user gets any message.", "faint")


def _samples(found: Difference, most: int) -> Iterator[str]:
    for group in samples(found, most):
        yield _tag("h2", f"{group.title}: samples")
        for change in group.changes:
            yield f'<div class="sample">{_tag("p", sample_head(change), "faint")}<div class="ends">'
            yield _end("before", change.old, change)
            yield _end("now", change.new, change)
            yield "</div>"
            yield from (_tag("p", f"because {line}", "faint") for line in because(change, found.edits))
            yield "</div>"


def _end(name: str, decision: Decision | None, change: Change) -> str:
    other = change.new if decision is change.old else change.old
    said, text = ending(decision, other)
    bubble = ""
    if text is not None and decision is not None and decision.message is not None:
        bubble = f'<div class="bubble" lang="{escape(decision.message.locale)}" dir="auto">{_tag_text(text)}</div>'
    return f"<div>{_tag('p', f'{name}: {said}')}{bubble}</div>"


def _tag(name: str, text: str, kind: str = "") -> str:
    """An element with text in it: the only way from words to the page, so that all of them are escaped."""
    return f"<{name}{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{_tag_text(text)}</{name}>"


def _tag_text(text: str) -> str:
    return escape(text)
