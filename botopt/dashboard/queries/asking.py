"""What every question has: a filter before it, and rows with names after it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Cell = str | int | float | bool | date | None

_Z = 1.959963984540054
"""A normal value is less far from 0 than this in 95 of 100 cases."""

ANSWERED = "known"
"""Messages of which the answer is known and had its full time; a rate of clicks is a share of these.

Young messages are left out even when they were clicked: those who click are quick, so that rates would look too good.
"""

SENT = "outcome = 'sent'"
CLICKED = f"{ANSWERED} AND response = 'clicked'"


def counted(condition: str = "true") -> str:
    """How many decisions meet a condition, over a table whose rows stand for `n` decisions each."""
    return f"coalesce(sum(n) FILTER ({condition}), 0)::BIGINT"


COUNTS = (
    f"{counted()} AS decisions, {counted(SENT)} AS sent, {counted(ANSWERED)} AS answered, {counted(CLICKED)} AS clicks"
)
CLICKS = f"count(*) FILTER ({CLICKED}) AS clicks"
RATED = ("rate", "low", "high")
"""What `rated` adds: the share of clicks, and between which shares it lies."""


class Answer(msgspec.Struct, frozen=True):
    """Rows, and what their cells are called."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def dicts(self) -> list[dict[str, Cell]]:
        """Each row by the names of its cells."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Filter(msgspec.Struct, frozen=True):
    """Which decisions count. Days are those of the users' own calendars, both ends included; empty: all.

    A channel and a locale have only decisions with a message.
    """

    first: date | None = None
    last: date | None = None
    event_types: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    revisions: tuple[str, ...] = ()

    def where(self, *more: str, leave_out: Iterable[str] = ()) -> tuple[str, list[object]]:
        """The condition as SQL, with its values; `more` are conditions that hold, too."""
        terms, values = list(more), list[object]()
        for term, day in (("day >= ?", self.first), ("day <= ?", self.last)):
            if day is not None:
                terms.append(term)
                values.append(day)
        for column, wanted in self.sets().items():
            if wanted and column not in leave_out:
                terms.append(f"{column} IN ({', '.join('?' * len(wanted))})")
                values.extend(wanted)
        return (f"WHERE {' AND '.join(terms)}" if terms else ""), values

    def sets(self) -> Mapping[str, tuple[str, ...]]:
        """The wanted values of each column."""
        return {
            "event_type": self.event_types,
            "channel": self.channels,
            "locale": self.locales,
            "outcome": self.outcomes,
            "revision": self.revisions,
        }


def ask(con: DuckDBPyConnection, sql: str, values: Iterable[object] = ()) -> Answer:
    """The rows of a statement."""
    found = con.execute(sql, list(values))
    columns = tuple(str(column[0]) for column in found.description or ())
    return Answer(columns, tuple(found.fetchall()))


def wilson(clicks: int, answered: int) -> tuple[float, float, float] | tuple[None, None, None]:
    """The share of clicks, and the 95 % interval around it (Wilson 1927, the score interval); None of nothing."""
    if answered == 0:
        return None, None, None
    share, square = clicks / answered, _Z * _Z / answered
    middle = (share + square / 2) / (1 + square)
    reach = _Z / (1 + square) * math.sqrt(share * (1 - share) / answered + square / (4 * answered))
    return share, max(0.0, middle - reach), min(1.0, middle + reach)


def rated(answer: Answer) -> Answer:
    """The same rows with the share of clicks and its interval; they have `clicks` and `answered`."""
    clicks, answered = answer.columns.index("clicks"), answer.columns.index("answered")
    rows = (row + wilson(int(str(row[clicks])), int(str(row[answered]))) for row in answer.rows)
    return Answer((*answer.columns, *RATED), tuple(rows))
