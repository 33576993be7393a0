"""`botopt test --record`: recorded events of a user as a file of rule tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import typer

from botopt.cli.options import NetworkName


class Wanted(msgspec.Struct, frozen=True):
    """What is to be recorded, and where it goes; times are microseconds since 1970 UTC."""

    events: tuple[str, ...]
    user: str
    from_us: int | None
    to_us: int | None
    out: Path | None


def wanted(events: Sequence[str], user: str | None, from_: str | None, to: str | None, out: Path | None) -> Wanted:
    """The options as values.

    Raises:
        UsageError: they make no sense together.
        InputError: the file is there already.
    """
    from botopt.cli.moments import moment
    from botopt.model.errors import InputError, UsageError

    if user is None:
        raise UsageError("--record: say whose events: --user ID")
    from_us = None if from_ is None else moment("--from", from_)
    to_us = None if to is None else moment("--to", to)
    if from_us is not None and to_us is not None and from_us >= to_us:
        raise UsageError("--from must be before --to")
    if out is not None and not out.name.endswith((".test.yaml", ".test.yml")):
        raise UsageError(f'--out: the name of a file of rule tests ends in .test.yaml; "{out.name}" does not')
    if out is not None and (out.exists() or out.is_symlink()):
        raise InputError(f"{out} exists already; nothing was written. Choose a new file.")
    return Wanted(tuple(events), user, from_us, to_us, out)


def record(asked: Wanted, workspace: Path, network: NetworkName) -> None:
    """Write the test, or print it.

    Raises:
        UsageError: there is nothing to record.
        InputError: a file cannot be read or written.
    """
    from botopt.authoring.recording_text import test_text
    from botopt.cli.console import say
    from botopt.engine.build import build
    from botopt.model.errors import InputError
    from botopt.verify.inputs import Inputs
    from botopt.verify.ruletest.recording import record as recorded
    from botopt.verify.validate import load

    engine = build(load(workspace), network)
    with Inputs(asked.events) as inputs:
        recording = recorded(engine, inputs, asked.user, asked.from_us, asked.to_us)
    text = test_text(recording, engine.policy, [Path(name).name for name in asked.events])
    for place in sorted(recording.otherwise):
        line = recording.moments[place].line.number
        say(f"the replay decided otherwise about line {line}: see the remark in the test", "yellow")
    if asked.out is None:
        typer.echo(text, nl=False)
        return
    try:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        with asked.out.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as fault:
        raise InputError(f"{fault.filename or asked.out}: {fault.strerror}") from fault
    decided = sum(decision is not None for decision in recording.decisions)
    say(f"wrote {asked.out}: {len(recording.moments):,} steps, {decided:,} decisions; read what it expects")
