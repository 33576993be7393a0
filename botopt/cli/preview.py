"""`botopt preview`: messages as copywriters want to see them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, Format, OutputFormat, Workspace


def preview(
    name: Annotated[str | None, typer.Argument(help="A template, or an event type; all templates without it.")] = None,
    workspace: Workspace = HERE,
    from_: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="EVENTS", help="Show it on events of this file, too. May be given again."),
    ] = None,
    user: Annotated[
        str | None, typer.Option(help='Attributes of the user of the samples as JSON, \'{"plan": "pro"}\', or @FILE.')
    ] = None,
    locale: Annotated[str, typer.Option(help="Only this language; all for every one.")] = "all",
    samples: Annotated[int, typer.Option(min=1, help="How many recorded events for each event type and variant.")] = 3,
    html: Annotated[Path | None, typer.Option(help="Write one page that a browser opens, and print no text.")] = None,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Show messages in every variant and language, with their lengths and missing translations.

    On the samples of the templates, and on recorded events. With --html as a page: every text as a chat bubble.
    """
    from botopt.authoring.preview_page import preview_page
    from botopt.cli.console import say
    from botopt.cli.moments import SAMPLES_AT, json_object, moment
    from botopt.cli.pages import write_page
    from botopt.cli.previews import preview_json, print_sheet
    from botopt.engine.build import build
    from botopt.model.counting import number_of
    from botopt.model.errors import UsageError
    from botopt.sources.envelope import Decoder
    from botopt.verify.inputs import Inputs
    from botopt.verify.previewing import previews, recorded_previews, sheet, templates_named
    from botopt.verify.validate import load

    policy = load(workspace)
    templates = templates_named(policy, name)
    engine = build(policy)
    now_us = moment("--at", SAMPLES_AT)
    attributes = {} if user is None else json_object("--user", user)
    names = [template.name for template in templates]
    with ExitStack() as held:
        inputs = held.enter_context(Inputs(from_ or ()))
        recorded = recorded_previews(engine, Decoder(policy), inputs, names, samples) if from_ else {}
    sheets = [
        sheet(
            policy,
            template,
            [
                shown
                for shown in (
                    *previews(engine, template, data=None, attributes=attributes, now_us=now_us),
                    *recorded.get(template.name, ()),
                )
                if locale in ("all", shown.locale)
            ],
        )
        for template in templates
    ]
    if locale != "all" and not any(found.previews for found in sheets):
        raise UsageError(f'no text is in "{locale}"; say --locale all to see what there is')
    if html is not None:
        write_page("--html", html, preview_page(workspace.resolve().name, sheets))
        say(f"wrote {html}: {number_of(len(sheets), 'template')}")
    for found in sheets if html is None else ():
        if format is Format.JSON:
            for shown in found.previews:
                typer.echo(preview_json(shown))
        else:
            print_sheet(found)
    if any(shown.problem and shown.eligible for found in sheets for shown in found.previews):
        raise typer.Exit(Exit.POLICY)
