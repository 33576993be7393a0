"""A comparison of two policies as plain text."""

from __future__ import annotations

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

_EDITS = 30
_CONSEQUENCES = 10


def diff_text(found: Difference, limits: Sequence[Limit], most_samples: int) -> Iterator[str]:
    """Line after line; headings have no indent, everything below one has."""
    yield from summary(found)
    yield from _edits(found)
    if found.seen:
        yield from _consequences(found)
        yield from _load(found)
        yield from _samples(found, most_samples)
    if limits:
        yield ""
        yield "Limits"
        yield from (f"  {'ok' if limit.holds else 'TOO MUCH'}  {limit.words}" for limit in limits)


def _edits(found: Difference) -> Iterator[str]:
    if not found.edits:
        return
    yield ""
    yield "What each change did"
    with_effect, without = effects(found)
    for effect in with_effect[:_EDITS]:
        yield f"  {effect.edit.place}  {effect.edit.words}"
        yield from (f"      {said}" for said in effect.said)
    if len(with_effect) > _EDITS:
        yield f"  … and {len(with_effect) - _EDITS} more with an effect"
    for edit in without[:_EDITS]:
        yield f"  {edit.place}  {edit.words}"
        yield "      no message changes on these events"
    if len(without) > _EDITS:
        yield f"  … and {len(without) - _EDITS} more without one"


def _consequences(found: Difference) -> Iterator[str]:
    listed = consequences(found)
    if not listed:
        return
    yield ""
    yield "Consequences: what happened because something else did"
    for one in listed[:_CONSEQUENCES]:
        yield f"  {consequence_words(one)}"
        if one.example is not None:
            yield f"      {chain_words(one.example, found.edits)}"
    if left := listed[_CONSEQUENCES:]:
        yield f"  {left_words(left)}"


def _load(found: Difference) -> Iterator[str]:
    yield ""
    yield "What users get (a day is a day in UTC on which the user gets any message)"
    rows = [("", "before", "now"), *load_rows(found)]
    *rows, busiest = rows
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, old, new in rows:
        yield f"  {name:<{widths[0]}}  {old:>{widths[1]}}  {new:>{widths[2]}}"
    yield f"  busiest before: {busiest[1]}"
    yield f"  busiest now:    {busiest[2]}"
    if found.affected:
        yield f"  largest change: {affected_words(found)}"


def _samples(found: Difference, most: int) -> Iterator[str]:
    for group in samples(found, most):
        yield ""
        yield group.title
        for change in group.changes:
            yield f"{group.sign} {sample_head(change)}"
            for name, decision, other in (("before", change.old, change.new), ("now", change.new, change.old)):
                said, text = ending(decision, other)
                yield f"      {name + ':':<8}{said}"
                if text is not None:
                    yield from (f"                {line}" for line in text.splitlines())
            yield from (f"      because {line}" for line in because(change, found.edits))
