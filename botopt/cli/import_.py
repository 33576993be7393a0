"""`botopt state import`: users from a table into a state file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from botopt.cli.exits import Exit
from botopt.cli.options import DEFAULT_STATE, HERE, Format, OutputFormat, StateFile, Workspace

if TYPE_CHECKING:
    from botopt.model.ports import StateStore
    from botopt.runtime.importing import Import
    from botopt.sources.table import TableRow, Wrong

_MOST_SHOWN = 200
_MOST_KEPT = 10_000
_OBJECTS = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".jsonl.zst", ".ndjson.zst")


def import_(
    table: Annotated[
        str, typer.Argument(help="A CSV file with a header, or a .jsonl file; plain, gzip or Zstandard; - is CSV.")
    ],
    *,
    state: StateFile = DEFAULT_STATE,
    workspace: Workspace = HERE,
    at: Annotated[
        str | None, typer.Option(help="The time from which it holds, as 2026-03-01T09:00:00Z; now without it.")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Pass over this column. Repeatable.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Take rows in that were taken in before with the same values.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, change nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with 7 if a row was not taken in.")] = False,
    format: OutputFormat = Format.TEXT,
) -> None:
    r"""Take users in: attributes, time zones, languages, and what they subscribed to.

    Columns: id, timezone, locale, declared attributes, and subscribed and unsubscribed with names of categories or
    channels and semicolons between them, or everything. An empty cell changes nothing, \N takes a value back. A row
    with a mistake is told, and nothing of it is taken in.
    """
    from botopt.cli.console import say
    from botopt.cli.moments import moment
    from botopt.cli.operating import second_text
    from botopt.engine.build import build
    from botopt.model.errors import UsageError
    from botopt.runtime.clock import now_us
    from botopt.runtime.importing import import_users
    from botopt.sources.instants import LATEST_AHEAD_US
    from botopt.sources.jsonl import InputFile
    from botopt.sources.people import PeopleReader
    from botopt.sources.table import read_csv, read_objects
    from botopt.verify.validate import load

    policy = load(workspace)
    now = now_us()
    at_us = now if at is None else moment("--at", at)
    if at_us > now + LATEST_AHEAD_US:
        raise UsageError(f"--at: {second_text(at_us)} is still to come; it is {second_text(now)} now")
    reader = PeopleReader(policy, ignore or (), again=str(now) if again else "")
    refused = _Refused(table, quiet=format is Format.JSON)
    with InputFile(table, 0) as file, _opened(state, dry_run=dry_run) as store:
        rows = read_objects(file) if table.endswith(_OBJECTS) else read_csv(file, reader.check)
        done = import_users(
            build(policy, "reference"),
            reader,
            store,
            rows,
            at_us=at_us,
            received_us=now,
            refuse=refused,
            dry=dry_run,
        )
    refused.end()
    for notice in done.notices:
        say(f"note: {notice}", "yellow")
    _summary(done, refused, state, dry_run=dry_run, format=format)
    if strict and done.rejected:
        raise typer.Exit(Exit.REJECTED)


def _opened(state: Path, *, dry_run: bool) -> StateStore:
    """The store that rows go to.

    Raises:
        StateLocked: a service or a replay writes to it.
    """
    from botopt.model.errors import StateLocked
    from botopt.state.opening import open_store, read_store

    if dry_run:
        return read_store(state) if state.exists() else open_store(None)
    try:
        return open_store(state)
    except StateLocked as fault:
        advice = "If it is the service: stop it for the import, or send it user.updated events (POST /v1/events)."
        raise StateLocked(f"{fault} {advice}") from fault


class _Refused:
    """Rows that are not taken in: told at once, or kept for a program."""

    def __init__(self, name: str, *, quiet: bool) -> None:
        self._name = name
        self._quiet = quiet
        self._number = 0
        self.kept: list[dict[str, object]] = []

    def __call__(self, row: TableRow, wrong: Wrong) -> None:
        from botopt.cli.console import say

        self._number += 1
        if self._quiet:
            if self._number <= _MOST_KEPT:
                self.kept.append({"line": row.line, "column": wrong.column, "detail": wrong.detail})
        elif self._number <= _MOST_SHOWN:
            column = "" if wrong.column is None else f" {wrong.column}:"
            say(f"{self._name}:{row.line}:{column} {wrong.detail}", "red")

    def end(self) -> None:
        """Say how many were not shown."""
        from botopt.cli.console import say
        from botopt.model.counting import number_of

        if not self._quiet and self._number > _MOST_SHOWN:
            say(f"and {number_of(self._number - _MOST_SHOWN, 'other row')}", "red")


def _summary(done: Import, refused: _Refused, state: Path, *, dry_run: bool, format: Format) -> None:
    from botopt.cli.console import out
    from botopt.model.counting import number_of

    if format is Format.JSON:
        counts = {name: getattr(done, name) for name in ("rows", "taken", "new_users", "known", "empty", "rejected")}
        plain = {**counts, "dry_run": dry_run, "faults": refused.kept}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n")
        return
    verb = "would be taken in" if dry_run else f"taken into {state}"
    parts = [f"{number_of(done.rows, 'row')}: {done.taken:,} {verb} ({number_of(done.new_users, 'new user')})"]
    if done.known:
        parts.append(f"{done.known:,} taken in before")
    if done.empty:
        parts.append(f"{done.empty:,} that say nothing")
    parts.append(f"{done.rejected:,} with mistakes")
    out().print(", ".join(parts), markup=False)
