"""`botopt outbox`: messages on their way, and those that a person has to decide about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from botopt.cli.operating import ServiceState, Yes
from botopt.cli.options import DEFAULT_STATE as DEFAULT
from botopt.cli.options import Format, OutputFormat, paragraphs
from botopt.model.live import OutboxStatus

if TYPE_CHECKING:
    from pathlib import Path

    from botopt.model.live import OutboxRow

app = typer.Typer(
    no_args_is_help=True, help="Messages on their way: list them, try them again, give them up; also while it runs."
)

Statuses = Annotated[list[OutboxStatus] | None, typer.Option("--status", help="Only with this status. Repeatable.")]
Channel = Annotated[str | None, typer.Option(help="Only on this channel.")]
Keys = Annotated[list[str] | None, typer.Argument(help="Keys of messages, as `botopt outbox list` shows them.")]
Everything = Annotated[bool, typer.Option("--all", help="All with the --status that is given.")]
Texts = Annotated[bool, typer.Option("--texts", help="Also what the messages say.")]

_WAITING = (OutboxStatus.DEAD, OutboxStatus.UNSURE, OutboxStatus.PENDING)
_MOST = 100_000
"""Messages that one command changes."""


def list_messages(
    status: Statuses = None,
    channel: Channel = None,
    user: Annotated[str | None, typer.Option(help="Only to this user.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many, the newest.")] = 50,
    texts: Texts = False,
    state: ServiceState = DEFAULT,
    format: OutputFormat = Format.TEXT,
) -> None:
    """List messages, newest first. What they say is only shown with --texts."""
    from botopt.cli.outbox_view import plain, print_messages
    from botopt.model.live import OutboxQuery
    from botopt.runtime.clock import now_us
    from botopt.state.sqlite import open_state

    query = OutboxQuery(statuses=tuple(status or ()), channel=channel, user=user, limit=limit)
    with open_state(state, create=False, read_only=True) as store:
        rows = store.outbox(query)
    if format is Format.JSON:
        for row in rows:
            typer.echo(msgspec.json.encode(plain(row, texts=texts)).decode())
    else:
        print_messages(rows, now_us(), texts=texts)


def show(
    key: Annotated[str, typer.Argument(help="The message's key, as `botopt outbox list` shows it.")],
    texts: Texts = False,
    state: ServiceState = DEFAULT,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Show one message: where it is on its way, what led to it, what went wrong."""
    from botopt.cli.outbox_view import plain, print_message
    from botopt.state.sqlite import open_state

    with open_state(state, create=False, read_only=True) as store:
        row = store.outbox_row(key)
    if row is None:
        raise _unknown(key, state)
    if format is Format.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(plain(row, texts=texts)), indent=2).decode())
    else:
        print_message(row, texts=texts)


def retry(
    keys: Keys = None,
    everything: Everything = False,
    status: Statuses = None,
    channel: Channel = None,
    yes: Yes = False,
    state: ServiceState = DEFAULT,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Try messages again now: dead and unsure ones, and pending ones before their time.

    Before it goes out each is checked again: what has expired meanwhile, or was resolved, is withdrawn. A message that
    is unsure may have arrived already; then the user gets it twice.
    """
    from botopt.cli.operating import operator
    from botopt.runtime.clock import now_us
    from botopt.state.control import SqliteControl

    rows = _chosen(keys or [], status or [], channel, state, everything=everything)
    unsure = sum(row.status is OutboxStatus.UNSURE for row in rows)
    warning = f" {unsure} of them may have arrived already, and would come twice." if unsure else ""
    if _agreed(f"Try {_number(rows)} again?{warning}", rows, yes=yes or not (everything or unsure), format=format):
        with SqliteControl(state) as control:
            _said(control.retry_outbox([row.key for row in rows], now_us(), operator()), "to be tried again", format)


def drop(
    keys: Keys = None,
    everything: Everything = False,
    status: Statuses = None,
    channel: Channel = None,
    yes: Yes = False,
    state: ServiceState = DEFAULT,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Give messages up: dead, unsure and pending ones. They are never sent, and nobody is asked about them again."""
    from botopt.cli.operating import operator
    from botopt.runtime.clock import now_us
    from botopt.state.control import SqliteControl

    rows = _chosen(keys or [], status or [], channel, state, everything=everything)
    if _agreed(f"Give up {_number(rows)}?", rows, yes=yes, format=format):
        with SqliteControl(state) as control:
            _said(control.drop_outbox([row.key for row in rows], now_us(), operator()), "given up", format)


def _chosen(
    keys: Sequence[str], statuses: Sequence[OutboxStatus], channel: str | None, state: Path, *, everything: bool
) -> Sequence[OutboxRow]:
    """The messages that are meant.

    Raises:
        UsageError: it is not clear which, or one of them is unknown or not to be changed.
    """
    from botopt.model.errors import UsageError
    from botopt.model.live import OutboxQuery
    from botopt.state.sqlite import open_state

    if bool(keys) == everything:
        raise UsageError("name messages by their keys, or say --all with a --status")
    if keys and (statuses or channel):
        raise UsageError("--status and --channel go with --all; messages that are named are taken as they are")
    if everything and not statuses:
        raise UsageError("--all: say which, such as --status dead")
    for status in statuses:
        if status not in _WAITING:
            raise UsageError(f"--status {status.value}: only dead, unsure and pending messages can be changed")
    with open_state(state, create=False, read_only=True) as store:
        if everything:
            rows = store.outbox(OutboxQuery(statuses=tuple(statuses), channel=channel, limit=_MOST))
            if len(rows) == _MOST:
                from botopt.cli.console import say

                say(f"there may be more than {_MOST:,}: these are the newest; call it again for the others", "yellow")
            return rows
        found = [(key, store.outbox_row(key)) for key in dict.fromkeys(keys)]
    rows = []
    for key, row in found:
        if row is None:
            raise _unknown(key, state)
        if row.status not in _WAITING:
            raise UsageError(f"{key} is {row.status.value}: only dead, unsure and pending messages can be changed")
        rows.append(row)
    return rows


def _unknown(key: str, state: Path) -> Exception:
    from botopt.model.errors import UsageError

    return UsageError(f'there is no message "{key[:100]}" in {state}; `botopt outbox list` shows the newest')


def _number(rows: Sequence[OutboxRow]) -> str:
    from botopt.model.counting import number_of

    return number_of(len(rows), "message")


def _agreed(question: str, rows: Sequence[OutboxRow], *, yes: bool, format: Format) -> bool:
    if not rows:
        _said(0, "found", format)
        return False
    if yes or typer.confirm(question, err=True):
        return True
    _said(0, "changed", format)
    return False


def _said(number: int, became: str, format: Format) -> None:
    from botopt.cli.console import out
    from botopt.model.counting import number_of

    if format is Format.JSON:
        typer.echo(msgspec.json.encode({"changed": number}).decode())
    else:
        out().print(f"{number_of(number, 'message')} {became}", markup=False)


COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("list", list_messages),
    ("show", show),
    ("retry", retry),
    ("drop", drop),
)
for command_name, command in COMMANDS:
    app.command(command_name, help=paragraphs(command))(command)
