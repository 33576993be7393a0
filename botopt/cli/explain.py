"""`botopt explain`: why a decision came out as it did."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from botopt.cli.options import HERE, Format, OutputFormat, Workspace

if TYPE_CHECKING:
    from botopt.model.ports import StateStore


def explain(
    events: Annotated[
        list[str],
        typer.Argument(help="Files of events; or a file of decision records, or - for one on standard input."),
    ],
    event: Annotated[str | None, typer.Option(help="The event's id (or a decision's).")] = None,
    workspace: Workspace = HERE,
    state: Annotated[
        Path | None, typer.Option(help="Begin with a copy of this state; the file itself is not changed.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Whose event, where several users have one of that id.")] = None,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Explain a decision: every rule, every suppression, and the smallest change that would have sent it.

    With files of events it replays them up to the event. With decision records it explains from what they hold.
    """
    from botopt.cli.explanations import explanation_json, print_explained, print_records, record_json
    from botopt.model.errors import UsageError
    from botopt.verify.recorded import decisions_in

    recorded = decisions_in(events, event, user)
    if recorded is not None:
        if format is Format.JSON:
            for decision in recorded:
                typer.echo(record_json(decision))
        else:
            print_records(recorded)
        return
    if event is None:
        raise UsageError("say which event: --event ID")
    with ExitStack() as held:
        from botopt.engine.build import build
        from botopt.sources.envelope import Decoder
        from botopt.state.memory import MemoryStore
        from botopt.state.sqlite import open_state
        from botopt.verify.explaining import explain_event
        from botopt.verify.inputs import Inputs
        from botopt.verify.overlay import Overlay
        from botopt.verify.validate import load

        policy = load(workspace)
        store: StateStore = (
            MemoryStore()
            if state is None
            else Overlay(held.enter_context(open_state(state, create=False, read_only=True)))
        )
        inputs = held.enter_context(Inputs(events))
        explained = explain_event(build(policy), Decoder(policy), store, inputs, event, user)
    if not explained.explanations and not explained.others:
        whose = "" if user is None else f" of user {user}"
        raise UsageError(f'no event "{event}"{whose} leads to a decision in {", ".join(events)}')
    if format is Format.JSON:
        for explanation in explained.explanations:
            typer.echo(explanation_json(explanation))
        for decision in explained.others:
            typer.echo(record_json(decision))
    else:
        print_explained(explained)
