"""`botopt silence`: nothing of some kind goes out for a while."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from botopt.cli.operating import ServiceState
from botopt.cli.options import DEFAULT_STATE as DEFAULT
from botopt.cli.options import Format, OutputFormat, paragraphs

if TYPE_CHECKING:
    from botopt.model.silence import Silence

app = typer.Typer(
    no_args_is_help=True, help="Stop messages of some event types for a while; also while the service runs."
)

_ALWAYS_US = -(1 << 62)
_MOST_WORDS = 500


def add(
    *,
    events: Annotated[
        list[str] | None,
        typer.Option(help="Event types whose messages are not sent: payment_failed,parcel_late. Repeatable."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="No message at all, of whatever event type.")] = False,
    for_: Annotated[str | None, typer.Option("--for", help="How long: 30m, 2h, 1d.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when: 2026-03-01T18:00:00Z.")] = None,
    why: Annotated[str, typer.Option(help="The reason, for your colleagues.")],
    who: Annotated[str | None, typer.Option(help="Who asked for it, if not you.")] = None,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="Check the event types against this workspace.")
    ] = None,
    state: ServiceState = DEFAULT,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Stop messages from now on. They are decided as `silenced`, and are not sent later.

    Prints the silence's id, with which it can be ended early.
    """
    from secrets import token_bytes

    from botopt.cli.console import say
    from botopt.cli.operating import later_us, operator, until_us, when
    from botopt.model.api_keys import new_id
    from botopt.model.errors import UsageError
    from botopt.model.silence import Silence
    from botopt.runtime.clock import now_us
    from botopt.state.control import SqliteControl

    named = [name.strip() for text in events or () for name in text.split(",") if name.strip()]
    if bool(named) == everything:
        raise UsageError("name event types with --events, or say --all for all of them")
    if (for_ is None) == (until is None):
        raise UsageError("say how long with --for 2h, or until when with --until TIME")
    if not why.strip() or len(why) > _MOST_WORDS:
        raise UsageError(f"--why: a reason has 1 to {_MOST_WORDS} characters")
    types = _checked(named, workspace)
    now = now_us()
    end = until_us("--until", until, now) if until is not None else later_us("--for", for_ or "", now)
    silence = Silence(
        id=new_id(token_bytes(5))[:6],
        events=tuple(dict.fromkeys(types)),
        created_us=now,
        until_us=end,
        why=why,
        who=who or operator(),
    )
    fresh = not state.exists()
    with SqliteControl(state, create=True) as control:
        control.add_silence(silence)
    if format is Format.JSON:
        typer.echo(msgspec.json.encode(_plain(silence, now)).decode())
        return
    typer.echo(silence.id)
    say(f"silenced: {_events(silence)}; ends {when(end, now)}")
    if fresh:
        say(f"{state} did not exist, and was made")


def list_silences(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    state: ServiceState = DEFAULT,
    format: OutputFormat = Format.TEXT,
) -> None:
    """List the silences: what, until when, why and who."""
    from botopt.cli.console import out, visible
    from botopt.cli.operating import when
    from botopt.model.counting import number_of
    from botopt.runtime.clock import now_us
    from botopt.state.sqlite import open_state

    now = now_us()
    with open_state(state, create=False, read_only=True) as store:
        silences = sorted(store.silences(_ALWAYS_US if everything else now), key=lambda one: (one.until_us, one.id))
    if format is Format.JSON:
        for silence in silences:
            typer.echo(msgspec.json.encode(_plain(silence, now)).decode())
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for column in ("id", "events", "ends", "why", "who"):
        table.add_column(column)
    for silence in silences:
        end = when(silence.until_us, now)
        texts = (_events(silence), end if silence.until_us > now else f"ended {end}", silence.why, silence.who)
        table.add_row(silence.id, *map(visible, texts))
    out().print(table)
    out().print(number_of(len(silences), "silence"), markup=False)


def end(
    id: Annotated[str, typer.Argument(help="The silence's id, as `botopt silence list` shows it.")],
    state: ServiceState = DEFAULT,
) -> None:
    """End a silence now. What was held back meanwhile stays unsent."""
    from botopt.cli.console import out
    from botopt.cli.operating import operator
    from botopt.model.errors import UsageError
    from botopt.model.names import did_you_mean
    from botopt.runtime.clock import now_us
    from botopt.state.control import SqliteControl
    from botopt.state.sqlite import open_state

    with open_state(state, create=False, read_only=True) as store:
        known = {silence.id: silence for silence in store.silences(_ALWAYS_US)}
    if id not in known:
        hint = did_you_mean(id[:100], known) or "`botopt silence list --all` shows all"
        raise UsageError(f'there is no silence "{id[:100]}" in {state}; {hint}')
    with SqliteControl(state) as control:
        ended = control.end_silence(id, now_us(), operator())
    out().print(f"silence {id} ({_events(known[id])}) {'is over' if ended else 'had ended before'}", markup=False)


def _checked(named: list[str], workspace: Path | None) -> list[str]:
    """The declared names of these event types.

    Raises:
        UsageError: there is no such type, or it cannot be a name.
    """
    from botopt.loading.parse.scalars import NAME
    from botopt.model.errors import UsageError
    from botopt.model.names import did_you_mean
    from botopt.verify.validate import load

    if workspace is None:
        for name in named:
            if NAME.fullmatch(name) is None:
                raise UsageError(f'--events: "{name[:100]}" is no name of an event type, such as payment_failed')
        return named
    policy = load(workspace)
    declared = {name: name for name in policy.events}
    for name, event_type in policy.events.items():
        declared.update(dict.fromkeys(event_type.accepts, name))
    for name in named:
        if name not in declared:
            hint = did_you_mean(name[:100], declared)
            raise UsageError(f'--events: there is no event type "{name[:100]}"{"; " if hint else ""}{hint}')
    return [declared[name] for name in named]


def _events(silence: Silence) -> str:
    return ", ".join(silence.events) or "all messages"


def _plain(silence: Silence, now: int) -> dict[str, object]:
    from botopt.model.instants import instant_text

    return {
        "id": silence.id,
        "events": silence.events,
        "created": instant_text(silence.created_us),
        "until": instant_text(silence.until_us),
        "ended": silence.until_us <= now,
        "why": silence.why,
        "who": silence.who,
    }


for command_name, command in (("add", add), ("list", list_silences), ("end", end)):
    app.command(command_name, help=paragraphs(command))(command)
