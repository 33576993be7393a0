"""A comparison of two policies as a comment on a pull request: short first, the rest to unfold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from botopt.authoring.diff_words import (
    Limit,
    affected_words,
    because,
    chain_words,
    consequence_words,
    consequences,
    effects,
    ending,
    left_words,
    load_rows,
    sample_head,
    samples,
    summary,
)
from botopt.verify.diff import Difference

LONGEST = 60_000
"""Characters; a comment may have 65,536, and whoever posts it may add some."""

_SPECIAL = re.compile(r"[\\`*_\[\]<>#|~@&]")
_MENTIONS = "@#"
"""Before a name or a number they would tell people; a space without width after them keeps them from it."""
_EDITS = 50
_CONSEQUENCES = 20


def diff_markdown(found: Difference, limits: Sequence[Limit], most_samples: int, old: str, new: str) -> str:
    """The comment. Where it would be too long, samples go first."""
    text = ""
    for most in range(most_samples, -1, -1):
        text = "".join(_blocks(found, limits, most, old, new))
        if len(text) <= LONGEST:
            return text
    cut = text[: LONGEST - 200]
    end = max(cut.rfind("\n"), 0)
    closed = "\n</details>" * (cut[:end].count("<details>") - cut[:end].count("</details>"))
    return f"{cut[:end]}\n{closed}\n\n*The rest is too long for a comment: run `botopt diff` to see it.*\n"


def _blocks(found: Difference, limits: Sequence[Limit], most: int, old: str, new: str) -> Iterator[str]:
    first, *rest = summary(found)
    yield f"### What this change of the policy does\n\n**{_text(first)}**\n"
    yield from (f"{_text(line)}\n" for line in rest)
    for limit in limits:
        yield f"\n{'✅' if limit.holds else '❌'} {_text(limit.words)}\n"
    yield from _edits(found)
    if found.seen:
        yield from _consequences(found)
        yield from _load(found)
        yield from _samples(found, most)
    yield f"\n<sub>{_text(old)} → {_text(new)}, replayed over {found.lines:,} lines of recorded events.</sub>\n"


def _edits(found: Difference) -> Iterator[str]:
    if not found.edits:
        return
    with_effect, without = effects(found)
    yield "\n| changed | what it did |\n| --- | --- |\n"
    for effect in with_effect[:_EDITS]:
        said = "<br>".join(_text(line) for line in effect.said)
        yield f"| {_code(effect.edit.place)} {_text(effect.edit.words)} | {said} |\n"
    for edit in without[: max(0, _EDITS - len(with_effect))]:
        yield f"| {_code(edit.place)} {_text(edit.words)} | no message changes on these events |\n"
    if len(found.edits) > _EDITS:
        yield f"\n… and {len(found.edits) - _EDITS:,} more changes.\n"


def _consequences(found: Difference) -> Iterator[str]:
    listed = consequences(found)
    if not listed:
        return
    yield "\n**Consequences**: what happened because something else did\n\n"
    for one in listed[:_CONSEQUENCES]:
        yield f"- {_text(consequence_words(one))}\n"
        if one.example is not None:
            yield f"  <br><sub>{_text(chain_words(one.example, found.edits))}</sub>\n"
    if left := listed[_CONSEQUENCES:]:
        yield f"- {left_words(left)}\n"


def _load(found: Difference) -> Iterator[str]:
    yield "\n<details><summary>What users get</summary>\n\n| | before | now |\n| --- | ---: | ---: |\n"
    yield from (f"| {_text(name)} | {_text(old)} | {_text(new)} |\n" for name, old, new in load_rows(found))
    if found.affected:
        yield f"\nLargest change: {_text(affected_words(found))}\n"
    yield "\nA day is a day in UTC on which the user gets any message.\n\n</details>\n"


def _samples(found: Difference, most: int) -> Iterator[str]:
    for group in samples(found, most):
        yield f"\n<details><summary>{_text(group.title)}: samples</summary>\n"
        for change in group.changes:
            yield f"\n- {_text(sample_head(change))}\n"
            for name, decision, other in (("before", change.old, change.new), ("now", change.new, change.old)):
                said, text = ending(decision, other)
                quoted = "" if text is None else f": “{_text(' '.join(text.split()))}”"
                yield f"  - {name}: {_text(said)}{quoted}\n"
            yield from (f"  - because {_text(line)}\n" for line in because(change, found.edits))
        yield "\n</details>\n"


def _text(text: str) -> str:
    """Text that means nothing in Markdown: what users typed must not become links, mentions or HTML."""
    line = " ".join(text.split())
    return _SPECIAL.sub(lambda found: _escaped(found[0]), line)


def _escaped(sign: str) -> str:
    if sign in _MENTIONS:
        return f"{sign}&#8203;"
    return f"&#{ord(sign)};" if sign in "<>&|" else f"\\{sign}"


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39)).replace('|', '/')}`"
