"""Users' states on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.box import SIMPLE_HEAD
from rich.table import Table

from botopt.cli.console import marked, out, visible
from botopt.model.counting import number_of
from botopt.model.instants import instant_text
from botopt.model.ports import UserRow
from botopt.model.user_state import NEVER_US
from botopt.state.user_view import UserView


def print_user(view: UserView) -> None:
    """One user, section by section; what is empty is left out."""
    console = out()
    console.print(f"[bold]{marked(str(view['user']))}[/]" + (" [red]deleted[/]" if view["deleted"] else ""))
    for name, value in view.items():
        if name in ("user", "deleted") or value in (None, [], {}):
            continue
        for line in _lines(name, value, 1):
            console.print(line, markup=False)


def _lines(name: str, value: object, depth: int) -> Iterable[str]:
    pad = "  " * depth
    label = name
    match value:
        case Mapping():
            if value:
                yield f"{pad}{label}:"
                for key, inner in value.items():
                    yield from _lines(str(key), inner, depth + 1)
        case list():
            if value:
                yield f"{pad}{label}:"
                for entry in value:
                    yield f"{pad}  - {_inline(entry)}"
        case None:
            return
        case _:
            yield f"{pad}{label}: {visible(str(value))}"


def _inline(entry: object) -> str:
    if isinstance(entry, Mapping):
        return ", ".join(f"{key} {visible(str(value))}" for key, value in entry.items() if value)
    return visible(str(entry))


def print_users(rows: Iterable[UserRow]) -> None:
    """A table of users."""
    table = Table(box=SIMPLE_HEAD)
    for column in ("user", "newest event", "last message", "for", "held", "due"):
        table.add_column(column)
    number = 0
    for row in rows:
        number += 1
        table.add_row(
            visible(row.user),
            _time(row.clock_us),
            _time(row.last_message_us),
            row.last_message_type or "",
            str(row.held or ""),
            _time(row.due_us),
        )
    out().print(table)
    out().print(number_of(number, "user"), markup=False)


def _time(us: int | None) -> str:
    return "" if us is None or us == NEVER_US else instant_text(us)
