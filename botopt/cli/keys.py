"""`botopt keys`: who may use the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from botopt.cli.operating import ServiceState
from botopt.cli.options import DEFAULT_STATE as DEFAULT
from botopt.cli.options import Format, OutputFormat, paragraphs
from botopt.model.api_keys import KeyScope

if TYPE_CHECKING:
    from botopt.model.live import ApiKey

app = typer.Typer(no_args_is_help=True, help="API keys of the service: add, list, revoke; also while it runs.")

_LONGEST_NAME = 100


def add(
    name: Annotated[str, typer.Argument(help="What it is for, such as shop-backend.")],
    scope: Annotated[
        list[KeyScope],
        typer.Option(help="What it may be used for: send events, read decisions and users, erase users. Repeatable."),
    ],
    expires: Annotated[
        str | None, typer.Option(help="After so long, such as 90d, or at 2027-01-01T00:00:00Z, it is refused.")
    ] = None,
    state: ServiceState = DEFAULT,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Make a key and print it. It is shown this once: only a hash of it is kept."""
    from secrets import token_bytes

    from botopt.cli.console import say
    from botopt.cli.operating import later_us, operator, second_text, until_us
    from botopt.model.api_keys import RANDOM_BYTES, new_key
    from botopt.model.durations import parse_duration
    from botopt.model.errors import UsageError
    from botopt.runtime.clock import now_us
    from botopt.state.control import SqliteControl

    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise UsageError(f"a name has 1 to {_LONGEST_NAME} characters that can be printed")
    now = now_us()
    expires_us = None
    if expires is not None:
        read = later_us if parse_duration(expires) is not None else until_us
        expires_us = read("--expires", expires, now)
    key, text = new_key(token_bytes(RANDOM_BYTES), name, scope, now, expires_us)
    fresh = not state.exists()
    with SqliteControl(state, create=True) as control:
        control.add_key(key, operator())
    if format is Format.JSON:
        typer.echo(msgspec.json.encode({**_plain(key, now), "key": text}).decode())
        return
    typer.echo(text)
    end = "it does not expire" if expires_us is None else f"until {second_text(expires_us)}"
    say(f"key {key.id} for {name}: {', '.join(key.scopes)}; {end}. Keep it: it is not shown again.")
    if fresh:
        say(f"{state} did not exist, and was made")


def list_keys(state: ServiceState = DEFAULT, format: OutputFormat = Format.TEXT) -> None:
    """List the keys, revoked and expired ones too. The keys themselves are not known here."""
    from botopt.cli.console import out, visible
    from botopt.cli.operating import second_text, when
    from botopt.model.counting import number_of
    from botopt.runtime.clock import now_us
    from botopt.state.sqlite import open_state

    with open_state(state, create=False, read_only=True) as store:
        keys = store.api_keys()
    now = now_us()
    if format is Format.JSON:
        for key in keys:
            typer.echo(msgspec.json.encode(_plain(key, now)).decode())
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for column in ("id", "name", "scopes", "made", "status"):
        table.add_column(column)
    for key in keys:
        status = _status(key, now)
        if key.revoked_us is not None:
            status = f"revoked {when(key.revoked_us, now)}"
        elif key.expires_us is not None:
            status = f"{'expired' if status == 'expired' else 'expires'} {when(key.expires_us, now)}"
        table.add_row(key.id, visible(key.name), ", ".join(key.scopes), second_text(key.created_us), status)
    out().print(table)
    out().print(number_of(len(keys), "key"), markup=False)


def revoke(
    id: Annotated[str, typer.Argument(help="The key's id, as `botopt keys list` shows it.")],
    state: ServiceState = DEFAULT,
) -> None:
    """Refuse a key from now on. A running service notices at once."""
    from botopt.cli.console import out
    from botopt.cli.operating import operator
    from botopt.model.api_keys import parse
    from botopt.model.errors import UsageError
    from botopt.model.names import did_you_mean
    from botopt.runtime.clock import now_us
    from botopt.state.control import SqliteControl
    from botopt.state.sqlite import open_state

    whole = parse(id)
    id = id if whole is None else whole[0]  # somebody typed the key itself, which no message may repeat
    with open_state(state, create=False, read_only=True) as store:
        keys = {key.id: key for key in store.api_keys()}
    if id not in keys:
        hint = did_you_mean(id[:100], keys) or "`botopt keys list` shows all"
        shown = id if len(id) <= len("abcd1234") else "with this name"
        raise UsageError(f"there is no key {shown} in {state}; {hint}")
    with SqliteControl(state) as control:
        revoked = control.revoke_key(id, now_us(), operator())
    said = "is revoked" if revoked else "was revoked before"
    out().print(f"key {id} for {keys[id].name} {said}", markup=False)


def _status(key: ApiKey, now: int) -> str:
    from botopt.model.api_keys import is_valid

    if key.revoked_us is not None:
        return "revoked"
    return "valid" if is_valid(key, now) else "expired"


def _plain(key: ApiKey, now: int) -> dict[str, object]:
    from botopt.model.instants import instant_text

    times = {"created": key.created_us, "expires": key.expires_us, "revoked": key.revoked_us}
    return {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "status": _status(key, now),
        **{name: None if us is None else instant_text(us) for name, us in times.items()},
    }


for command_name, command in (("add", add), ("list", list_keys), ("revoke", revoke)):
    app.command(command_name, help=paragraphs(command))(command)
