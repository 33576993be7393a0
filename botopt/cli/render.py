"""`botopt render`: a template in every wording."""

from __future__ import annotations

from typing import Annotated

import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, Format, OutputFormat, Workspace


def render(
    template: Annotated[str, typer.Argument(help="The template's name.")],
    workspace: Workspace = HERE,
    data: Annotated[
        str | None, typer.Option(help="Event fields as JSON, '{\"amount\": 42}', or @FILE; default: the samples.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(help='The user\'s attributes as JSON, \'{"plan": "pro"}\', or @FILE.')
    ] = None,
    at: Annotated[str | None, typer.Option(help="The time at which it is sent, as 2026-03-01T09:00:00Z.")] = None,
    locale: Annotated[str | None, typer.Option(help="Only this language.")] = None,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Show a message in every variant and language, on its samples or on your own data."""
    from botopt.cli.moments import SAMPLES_AT, json_object, moment
    from botopt.cli.previews import preview_json, print_previews
    from botopt.engine.build import build
    from botopt.model.errors import UsageError
    from botopt.model.names import did_you_mean
    from botopt.verify.previewing import previews
    from botopt.verify.validate import load

    policy = load(workspace)
    found = policy.templates.get(template)
    if found is None:
        hint = did_you_mean(template, policy.templates) or f"there are: {', '.join(sorted(policy.templates))}"
        raise UsageError(f'there is no template "{template}"; {hint}')
    now_us = moment("--at", at or SAMPLES_AT)
    shown = [
        preview
        for preview in previews(
            build(policy),
            found,
            data=None if data is None else json_object("--data", data),
            attributes={} if user is None else json_object("--user", user),
            now_us=now_us,
        )
        if locale in (None, preview.locale)
    ]
    if format is Format.JSON:
        for preview in shown:
            typer.echo(preview_json(preview))
    else:
        print_previews(found, shown)
    if any(preview.problem and preview.eligible for preview in shown):
        raise typer.Exit(Exit.POLICY)
