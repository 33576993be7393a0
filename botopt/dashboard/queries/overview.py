"""From events to clicks, day by day, and policy by policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botopt.dashboard.queries.asking import COUNTS, Answer, Filter, ask, counted, rated

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_STEPS = {
    "decided": "final",
    "worth sending": "final AND outcome IN ('sent', 'suppressed', 'held')",
    "sent": "outcome = 'sent'",
    "arrived": "outcome = 'sent' AND response <> 'failed'",
    "clicked": "response = 'clicked'",
    "converted": "converted",
}


def funnel(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """Step by step: how many, and which share of the step before.

    `events` only where the source holds events. An event that was held and decided again counts once, by its last
    decision; duplicates and rejected lines do not count.
    """
    where, values = chosen.where()
    row = con.execute(
        f"SELECT {', '.join(map(counted, _STEPS.values()))} FROM daily {where}",  # noqa: S608 no outside text, as below
        values,
    ).fetchone()
    counts = [int(number) for number in row or ()]
    steps = list(zip(_STEPS, counts, strict=True))
    if (events := _events(con, chosen)) is not None:
        steps.insert(0, ("events", events))
    rows = []
    for place, (step, count) in enumerate(steps):
        before = steps[place - 1][1] if place else 0
        rows.append((step, count, count / before if before else None))
    return Answer(("step", "count", "share_of_step_before"), tuple(rows))


def _events(con: DuckDBPyConnection, chosen: Filter) -> int | None:
    """Events that came in; None where nobody knows, or where the filter asks for what events do not have."""
    known = con.execute("SELECT count(*) FROM arrivals").fetchone()
    if not known or not known[0] or any((chosen.channels, chosen.locales, chosen.outcomes, chosen.revisions)):
        return None
    where, values = chosen.where()
    row = con.execute(f"SELECT coalesce(sum(events), 0) FROM arrivals {where}", values).fetchone()  # noqa: S608
    return int(row[0]) if row else None


def totals(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """One row: decisions, messages, answers, clicks, users, and the rate of clicks."""
    where, values = chosen.where()
    sql = (
        f"SELECT {COUNTS}, (SELECT count(DISTINCT user_number) FROM decisions {where}) AS users"  # noqa: S608
        f" FROM daily {where}"
    )
    return rated(ask(con, sql, [*values, *values]))


def by_day(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """For each day: decisions, messages, answers, clicks, the rate of clicks and its interval."""
    where, values = chosen.where("day IS NOT NULL")
    return rated(ask(con, f"SELECT day, {COUNTS} FROM daily {where} GROUP BY day ORDER BY day", values))  # noqa: S608


def revisions(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """For each revision of the policy, in the order in which they began: its days and how it did."""
    where, values = chosen.where("day IS NOT NULL", "revision <> ''")
    sql = (
        f"SELECT revision, min(day) AS first_day, max(day) AS last_day, {COUNTS} FROM daily {where}"  # noqa: S608
        " GROUP BY revision ORDER BY min(first_us), revision"
    )
    return rated(ask(con, sql, values))


def bounds(con: DuckDBPyConnection) -> Answer:
    """The first and the last day, and how many decisions there are."""
    return ask(
        con, "SELECT min(day) AS first_day, max(day) AS last_day, coalesce(sum(n), 0)::BIGINT AS decisions FROM daily"
    )


def names(con: DuckDBPyConnection) -> dict[str, list[str]]:
    """What may be chosen in each filter, in the order of the alphabet."""
    found = {}
    for column in ("event_type", "channel", "locale", "outcome", "revision"):
        rows = con.execute(
            f"SELECT DISTINCT {column} FROM daily WHERE {column} IS NOT NULL AND {column} <> '' ORDER BY 1"  # noqa: S608
        ).fetchall()
        found[column] = [str(row[0]) for row in rows]
    return found
