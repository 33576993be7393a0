"""The commands of `botopt` and their help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from botopt.cli import (
    dashboard,
    diff,
    docs,
    doctor,
    evaluate,
    experiment,
    explain,
    fix,
    fmt,
    infer,
    init,
    keys,
    lsp,
    model,
    new,
    outbox,
    preview,
    render,
    replay,
    schema,
    serve,
    silence,
    simulate,
    state,
    status,
    test,
    train,
    tune,
    validate,
    why_not,
)
from botopt.cli.exits import MEANINGS
from botopt.cli.options import Quiet, paragraphs
from botopt.model.version import VERSION

_EXIT_CODES = "\n\n".join(f"{int(code):>4}  {meaning}" for code, meaning in MEANINGS.items())

app = typer.Typer(
    name="botopt",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Decide which chatbot messages are worth sending, from rules and templates in YAML.\n\n"
        "A first look: [bold]botopt init shop[/], then [bold]botopt validate -w shop[/], then "
        "[bold]botopt replay -w shop shop/events.jsonl[/].\n\n"
        f"[bold]Exit codes[/]\n\n{_EXIT_CODES}"
    ),
)

_FIRST: tuple[Callable[..., None], ...] = (
    init.init,
    validate.validate,
    test.test,
    replay.replay,
    diff.diff,
    evaluate.evaluate,
    tune.tune,
    explain.explain,
    why_not.why_not,
    simulate.simulate,
    render.render,
    preview.preview,
    docs.docs,
    dashboard.dashboard,
)
_EDITING: tuple[Callable[..., None], ...] = (infer.infer, fmt.fmt, fix.fix)

for command in (*_FIRST, *_EDITING):
    app.command(help=paragraphs(command), cls=Quiet)(command)
app.add_typer(new.app, name="new")
app.command(help=paragraphs(train.train))(train.train)
app.add_typer(model.app, name="model")
app.add_typer(state.app, name="state")
app.add_typer(experiment.app, name="experiment")
app.command(help=paragraphs(serve.serve))(serve.serve)
app.command(help=paragraphs(status.status))(status.status)
app.add_typer(keys.app, name="keys")
app.add_typer(silence.app, name="silence")
app.add_typer(outbox.app, name="outbox")
app.command(help=paragraphs(doctor.doctor))(doctor.doctor)
app.command(help=paragraphs(lsp.lsp))(lsp.lsp)
app.command(help=paragraphs(schema.schema), cls=schema.SchemaCommand)(schema.schema)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"botopt {VERSION}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options before the command."""
