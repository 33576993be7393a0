"""`botopt model`: look at click models, compare them, and go back to an earlier one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from botopt.cli.options import HERE, Format, OutputFormat, Workspace, paragraphs

if TYPE_CHECKING:
    from botopt.model.trained_model import TrainedModel
    from botopt.verify.training.shelf import Shelf

app = typer.Typer(no_args_is_help=True, help="Look at click models, compare them, and go back to an earlier one.")

_MOST_NAMED = 5
_USUAL = "name the file that botopt train wrote, such as models/clicks.json"

ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file, as botopt train writes it.")]


def show(model: ModelFile, format: OutputFormat = Format.TEXT) -> None:
    """Show what a model saw, what it beat, what it looks at, and the models before it."""
    from botopt.authoring.model_card import summary
    from botopt.cli.training_view import echo, facts

    if format is Format.JSON:
        import msgspec

        from botopt.cli.formats.documents import document

        echo(document(msgspec.to_builtins(_read(model))))
        return
    trained, shelf = _read(model), _shelf(model)
    facts([("model", str(model)), *summary(trained)])
    facts(("why not", reason) for reason in trained.gate.reasons)
    for effect in sorted(trained.gate.effects, key=lambda each: -each.worth):
        first, last = effect.chances[0], effect.chances[-1]
        change = f"chance {first:.2f} at {effect.values[0]:.3g}, {last:.2f} at {effect.values[-1]:.3g}"
        facts([("looks at", f"{effect.feature}: {change}; mixing it up costs {effect.worth:+.4f}")])
    for kept in shelf.history():
        facts([("history", f"{kept.number}: {kept.model.digest}{' (in use)' if kept.current else ''}")])


def compare(
    model: ModelFile,
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="Another model file.")],
    logs: Annotated[list[str], typer.Argument(metavar="LOG...", help="What botopt train takes.")],
    *,
    workspace: Workspace = HERE,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Compare two models on a log: on the days from which neither of them learned."""
    from botopt.cli.console import say
    from botopt.cli.exits import Exit
    from botopt.cli.formats.documents import document
    from botopt.cli.training_view import echo, facts
    from botopt.verify.log import read_log
    from botopt.verify.training.judging import compared
    from botopt.verify.training.rows import rows_of
    from botopt.verify.validate import load

    first, second = _read(model), _read(other)
    policy = load(workspace)
    log = read_log(logs, ignored_after_us=policy.settings.ignored_after_us)
    since = max(first.training.held_out_from, second.training.held_out_from)
    rows = [row for row in rows_of(log, policy).rows if row.day >= since]
    if not any(row.clicked for row in rows):
        say(f"neither learned from the days from {since} on, and the log has no clicked message of those", "red")
        raise typer.Exit(Exit.REFUSED)
    found = compared(first.model, second.model, rows)
    if format is Format.JSON:
        import msgspec

        echo(document({"rows": len(rows), "since": since, **msgspec.to_builtins(found)}))
        return
    clicks = round(sum(row.clicked for row in rows))
    facts([("on", f"{len(rows):,} messages from {since} on, {clicks:,} clicked")])
    facts([(model.stem, f"log loss {found.loss:.4f}, {found.ratio:.2f} clicks for each foretold ({first.digest})")])
    facts([(other.stem, f"log loss {found.other_loss:.4f}, {found.other_ratio:.2f} clicks for each ({second.digest})")])
    better = "neither is better by more than chance may make it"
    if abs(found.gain) > 1.96 * found.error:
        better = f"{model if found.gain > 0 else other} is better"
    facts([("difference", f"{found.gain:+.4f} ± {found.error:.4f} (one standard error): {better}")])


def rollback(
    model: ModelFile,
    to: Annotated[int | None, typer.Option(help="The number of a model in the history.", show_default="before")] = None,
) -> None:
    """Go back to the model before the one in use, byte for byte, or to any of the history.

    A running service reads the file when it reloads its policy.
    """
    from botopt.cli.training_view import facts

    if model.is_dir() or not _shelf(model).history():  # else a model that is lost or damaged can be put back
        _must_be_there(model)
    shelf = _shelf(model)
    now, before = shelf.back(to)
    facts([("in use", f"{model} is number {now.number} again: {now.model.digest}")])
    if before is not None:
        again = f"botopt model rollback {model} --to {before.number}"
        facts([("before", f"number {before.number}: {before.model.digest}; {again}")])


def _read(path: Path) -> TrainedModel:
    from botopt.loading.models import read_trained
    from botopt.model.errors import InputError

    _must_be_there(path)
    try:
        return read_trained(path)
    except ValueError as fault:
        card = f"{path.name} is a card: name {path.stem}.json"
        hint = card if path.suffix in {".md", ".html"} else _USUAL
        told = f"{path}: {fault}"
        raise InputError(f"{told}; {hint}" if str(fault).startswith("this is no JSON") else told) from None


def _must_be_there(path: Path) -> None:
    from botopt.model.errors import InputError
    from botopt.model.names import did_you_mean

    if path.is_dir():
        found = sorted(path.glob("*.json")) or sorted(path.glob("models/*.json"))
        hint = f"name the file: {', '.join(map(str, found[:_MOST_NAMED]))}" if found else _USUAL
        raise InputError(f"{path} is a folder, and a model is one file; {hint}")
    if not path.exists():
        near = did_you_mean(path.stem, [each.stem for each in path.parent.glob("*.json")])
        hint = near.replace('"?', '.json"?') or _USUAL
        raise InputError(f"there is no model file {path}; {hint}")


def _shelf(path: Path) -> Shelf:
    from botopt.authoring.model_card import cards
    from botopt.cli.rewriting import rewrite
    from botopt.verify.training.shelf import Shelf

    return Shelf(path, cards, rewrite)


for command in (show, compare, rollback):
    app.command(help=paragraphs(command))(command)
