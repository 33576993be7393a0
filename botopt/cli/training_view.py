"""How training and models are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from botopt.cli.console import out, say, visible
from botopt.model.click_model import ModelKind

if TYPE_CHECKING:
    from botopt.verify.log import Problem
    from botopt.verify.training.training import Outcome, Tried

_WIDTH = 13


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Names and words, one pair a line."""
    for name, words in pairs:
        out().print(f"{name:<{_WIDTH}} {visible(words)}", markup=False)


def print_outcome(
    found: Outcome, problems: Sequence[Problem], decisions: int, written: Path | None, workspace: Path
) -> None:
    """What training came to, for people."""
    for problem in problems:
        say(f"{problem.count:,} × {problem.words} (first: {problem.first})", "yellow")
    facts(_findings(found, decisions))
    if written is None:
        facts([("refused", "no model was written"), *(("why", reason) for reason in found.reasons)])
        return
    cards = f"{written.with_suffix('.md').name} and {written.with_suffix('.html').name}"
    facts([("passed", f"wrote {written}, and its card: {cards}")])
    try:
        named = written.resolve().relative_to(workspace.resolve()).as_posix()
    except ValueError:
        return
    facts([("use it", f"settings: {{scorer: {{model: {named}}}}}")])


def _findings(found: Outcome, decisions: int) -> Iterator[tuple[str, str]]:
    training, gate = found.training, found.gate
    known = f"{training.rows:,} messages with a known answer, {training.clicks:,} clicked"
    yield "log", f"{decisions:,} decisions; {known}"
    if training.held_out_from:
        days = f"{training.first_day} to {training.last_day}, judged from {training.held_out_from} on"
        yield "days", f"{days} ({training.held_out_rows:,} messages, {training.held_out_clicks:,} clicked)"
    for each in found.tried:
        if each.why_not not in found.reasons:
            yield "tried", _tried(each)
    if found.model is not None and gate is not None:
        against = f"{_kind(found.model.kind)} against {gate.incumbent}"
        losses = (
            f"log loss {gate.loss:.4f} against {gate.incumbent_loss:.4f}, lower by {gate.gain:.4f} ± {gate.error:.4f}"
        )
        yield "held out", f"{against}: {losses}; {gate.ratio:.2f} clicks for each foretold"
    for feature, sign in training.dropped_monotone:
        yield "sign", f"{feature}={sign} was dropped: held-out log loss rose for it"


def _kind(kind: ModelKind) -> str:
    return "logistic" if kind is ModelKind.LOGISTIC else "trees"


def _tried(tried: Tried) -> str:
    kind = _kind(tried.kind)
    if tried.loss is None:
        return f"{kind}: not tried" + (f"; {tried.why_not}" if tried.why_not else "")
    return f"{kind}: log loss {tried.loss:.4f} on later days of those it learned from"


def as_json(found: Outcome, problems: Sequence[Problem], written: Path | None) -> str:
    """What training came to, for programs."""
    import msgspec

    from botopt.cli.formats.documents import document

    gate = None if found.gate is None else msgspec.to_builtins(found.gate)
    return document(
        {
            "passed": written is not None,
            "written": None if written is None else str(written),
            "kind": None if found.model is None else found.model.kind.value,
            "reasons": list(found.reasons),
            "tried": msgspec.to_builtins(found.tried),
            "training": msgspec.to_builtins(found.training),
            "gate": gate,
            "problems": msgspec.to_builtins(tuple(problems)),
        }
    )


def echo(text: str) -> None:
    """A whole document, as it is."""
    typer.echo(text, nl=not text.endswith("\n"))
