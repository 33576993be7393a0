"""`botopt infer`: event types from recorded events."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.options import HERE, Workspace


def infer(
    events: Annotated[list[str], typer.Argument(metavar="EVENTS...", help="Files of recorded events; - reads input.")],
    workspace: Workspace = HERE,
    out: Annotated[
        Path | None, typer.Option(help="Write this file, such as rules/inferred.yaml; it must not exist.")
    ] = None,
) -> None:
    """Propose event types, fields and user attributes from recorded events.

    Reads one JSON event a line, native or CloudEvents, also .gz and .zst, and prints a rules file that takes every
    one of them. What was seen stands beside it as comments: how often, which values, how soon again. What the
    workspace declares already is left out.
    """
    from botopt.authoring.inferring import declared_in
    from botopt.authoring.inferring import infer as look
    from botopt.authoring.inferring_text import rules_text
    from botopt.cli.console import say
    from botopt.model.counting import number_of
    from botopt.model.errors import InputError
    from botopt.verify.inputs import Inputs

    if out is not None and (out.exists() or out.is_symlink()):
        raise InputError(f"{out} exists already; nothing was written. Choose a new file.")
    with Inputs(events) as inputs:
        proposal = look(inputs, declared_in(workspace))
    for fault in proposal.faults:
        say(f"no event: {fault}")
    if proposal.unfit > len(proposal.faults):
        say(f"… and {proposal.unfit - len(proposal.faults):,} more")
    if proposal.lines == proposal.unfit:
        raise InputError(
            f"there is no event in {', '.join(events)}: botopt reads one JSON object a line{_rewritten(events)}"
        )
    if proposal.empty:
        say("nothing to propose: the workspace declares every event type and attribute")
        return
    text = rules_text(proposal, [Path(name).name for name in events])
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as fault:
        raise InputError(f"{fault.filename or out}: {fault.strerror}") from fault
    types, attributes = len(proposal.events), len(proposal.attributes.fields)
    say(f"wrote {out}: {number_of(types, 'event type')}, {number_of(attributes, 'user attribute')}")


def _rewritten(events: list[str]) -> str:
    """How to get lines out of a file that is one list, as many programs export it."""
    for name in events:
        try:
            with Path(name).open("rb") as file:
                begins = file.read(256).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        except OSError:
            continue
        if begins == b"[":
            return f"; {name} is one list: jq -c '.[]' {name} > events.jsonl writes its objects on lines of their own"
    return ""
