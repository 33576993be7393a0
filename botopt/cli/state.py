"""`botopt state`: what is known about users."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from botopt.cli import import_
from botopt.cli.options import DEFAULT_STATE as DEFAULT
from botopt.cli.options import Format, OutputFormat, StateFile, paragraphs

if TYPE_CHECKING:
    from botopt.state.sqlite import SqliteStore

app = typer.Typer(
    no_args_is_help=True, help="What is known about users: look into a state file, copy it, take users in, forget them."
)


def show(
    user: Annotated[str, typer.Argument(help="The user's id.")],
    state: StateFile = DEFAULT,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Show everything that is known about one user."""
    from botopt.cli.views import print_user
    from botopt.model.errors import UsageError
    from botopt.state.sqlite import open_state
    from botopt.state.user_view import view_json
    from botopt.verify.state_view import view_user

    with open_state(state, create=False, read_only=True) as store:
        seen = view_user(store, user)
        if seen is None:
            raise UsageError(f'nothing is known about "{user}" in {state}')
    if format is Format.JSON:
        typer.echo(view_json(seen, indent=2))
    else:
        print_user(seen)


def list_users(
    state: StateFile = DEFAULT,
    held: Annotated[bool, typer.Option("--held", help="Only users with a message that waits.")] = False,
    limit: Annotated[int | None, typer.Option(min=0, help="At most so many users.")] = None,
    format: OutputFormat = Format.TEXT,
) -> None:
    """List the users: newest event, last message, what is held."""
    from botopt.cli.views import print_users
    from botopt.state.sqlite import open_state
    from botopt.state.user_view import row_json
    from botopt.verify.state_view import rows

    with open_state(state, create=False, read_only=True) as store:
        chosen = rows(store, held_only=held, limit=limit)
        if format is Format.JSON:
            for row in chosen:
                typer.echo(row_json(row))
        else:
            print_users(chosen)


def export(
    state: StateFile = DEFAULT,
    out: Annotated[Path | None, typer.Option(help="Write to this new file instead of standard output.")] = None,
) -> None:
    """Print every user's whole state, one JSON object a line, ordered by user id."""
    from botopt.state.sqlite import open_state
    from botopt.state.user_view import view_json
    from botopt.verify.appending import Appending
    from botopt.verify.state_view import views

    with open_state(state, create=False, read_only=True) as store:
        if out is None:
            for view in views(store):
                typer.echo(view_json(view))
            return
        with closing(Appending.create(out)) as file:
            for view in views(store):
                file.write(view_json(view).encode() + b"\n")


def forget(
    user: Annotated[str, typer.Argument(help="The user's id.")],
    state: StateFile = DEFAULT,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forget a user: attributes, held messages, decisions, messages; later events are refused until user.subscribed.

    The same as a `user.deleted` event at the user's newest time. While a service runs, ask it: DELETE /v1/users/ID.
    Copies in unused corners of the file go with `botopt state compact`.
    """
    from botopt.cli.console import out
    from botopt.model.errors import UsageError
    from botopt.model.live import DecisionQuery
    from botopt.verify.state_view import forget_user

    with _forgetting(state, user) as store:
        if not store.load([user]) and not store.decisions(DecisionQuery(user=user, limit=1)):
            raise UsageError(f'nothing is known about "{user}" in {state}')
        if not yes and not typer.confirm(f"Forget everything about {user}?"):
            out().print("nothing was changed", markup=False)
            return
        forget_user(store, user)
    out().print(f"forgot {user}", markup=False)


def _forgetting(state: Path, user: str) -> SqliteStore:
    """The file, to be written.

    Raises:
        StateLocked: a service or a replay writes to it.
    """
    from urllib.parse import quote

    from botopt.model.errors import StateLocked
    from botopt.state.sqlite import open_state

    try:
        return open_state(state, create=False, read_only=False)
    except StateLocked as fault:
        raise StateLocked(f"{fault} If it is the service: ask it, DELETE /v1/users/{quote(user, safe='')}") from fault


def backup(
    copy: Annotated[Path, typer.Argument(help="A new file.")],
    state: StateFile = DEFAULT,
) -> None:
    """Copy a state file as it stands at this moment, also while a process writes to it.

    The copy is read through before it gets its name: what is there is whole. Only its owner may read it.
    """
    from botopt.cli.console import out
    from botopt.model.counting import number_of
    from botopt.state.backup import back_up

    copied = back_up(state, copy)
    out().print(f"copied {state} to {copy}: {number_of(copied.users, 'user')}, {copied.size:,} bytes", markup=False)


def upgrade(state: StateFile = DEFAULT) -> None:
    """Bring a file of an older botopt up to date. Any command that writes to it does the same."""
    from botopt.cli.console import out
    from botopt.state.sqlite import open_state

    open_state(state, create=False, read_only=False).close()
    out().print(f"{state} is up to date", markup=False)


def compact(state: StateFile = DEFAULT) -> None:
    """Write the file anew: it becomes smaller, and nothing of a forgotten user is left in its unused corners.

    About a second for every 100 MB, with as much room again on the disk. Nobody else can write to it meanwhile.
    """
    from botopt.cli.console import out
    from botopt.state.sqlite import open_state

    before = state.stat().st_size if state.is_file() else 0
    with open_state(state, create=False, read_only=False) as store:
        store.compact()
    out().print(f"{state}: {before / 1e6:,.1f} MB before, {state.stat().st_size / 1e6:,.1f} MB now", markup=False)


COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("show", show),
    ("list", list_users),
    ("export", export),
    ("import", import_.import_),
    ("forget", forget),
    ("compact", compact),
    ("backup", backup),
    ("upgrade", upgrade),
)
for name, command in COMMANDS:
    app.command(name, help=paragraphs(command))(command)
