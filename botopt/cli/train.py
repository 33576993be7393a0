"""`botopt train`: a click model from decision logs, if one is worth having."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, Format, OutputFormat, Workspace


class KindName(StrEnum):
    """Which models are tried."""

    AUTO = "auto"
    LOGISTIC = "logistic"
    TREES = "trees"


def train(
    logs: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG...",
            help="Decision records, events and state files, in any mix; .gz and .zst too.",
        ),
    ],
    *,
    workspace: Workspace = HERE,
    out: Annotated[
        Path | None,
        typer.Option(help="The model file.", show_default="models/clicks.json in the workspace"),
    ] = None,
    kind: Annotated[
        KindName, typer.Option(help="auto tries both and takes what foretold later days better.")
    ] = KindName.AUTO,
    monotone: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FEATURE=SIGN",
            help="user_rate=+ demands that more of it never makes a click less likely, - the other way round. "
            "Dropped where held-out log loss rises for it. May be given several times.",
        ),
    ] = None,
    format: OutputFormat = Format.TEXT,
) -> None:
    r"""Train a model that says how likely a click is, from what people did with messages.

    It learns from the earlier days of the log and is judged on the last fifth of them. A model file and its card are
    written only if it beats what is in use by more than chance, and its chances come true; else the command says why
    not, writes nothing, and ends with 10. That is a normal outcome: with little data the engagement rate is hard to
    beat.

    Trees need XGBoost: [bold]pip install 'botopt\[ml]'[/]. Logistic models need nothing, and so does the use of either.
    The same logs and policy give the same bytes.
    """
    from botopt.authoring.model_card import cards
    from botopt.cli.rewriting import rewrite
    from botopt.cli.training_view import as_json, print_outcome
    from botopt.loading.models import encode
    from botopt.model.click_model import ModelKind
    from botopt.verify.log import read_log
    from botopt.verify.training.reading import digests, signs_of
    from botopt.verify.training.rows import rows_of
    from botopt.verify.training.shelf import Shelf
    from botopt.verify.training.training import train as learn
    from botopt.verify.validate import load

    path = workspace / "models" / "clicks.json" if out is None else out
    shelf = Shelf(path, cards, rewrite)
    signs = signs_of(monotone or ())
    policy = load(workspace)
    read = digests(logs)
    log = read_log(logs, ignored_after_us=policy.settings.ignored_after_us)
    kinds = tuple(ModelKind) if kind is KindName.AUTO else (ModelKind(kind.value),)
    rows = rows_of(log, policy)
    found = learn(rows, policy, read, name=path.stem, kinds=kinds, signs=signs)
    written = None
    if found.model is not None and found.gate is not None and found.gate.passed:
        shelf.put(encode(found.model, found.training, found.gate))
        written = path
    if format is Format.JSON:
        typer.echo(as_json(found, log.problems, written))
    else:
        print_outcome(found, log.problems, rows.decisions, written, workspace)
    if written is None:
        raise typer.Exit(Exit.REFUSED)
