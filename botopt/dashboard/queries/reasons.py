"""Why messages were not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botopt.dashboard.queries.asking import Answer, Filter, ask, counted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def over_time(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """For each day and reason: how many messages were not sent, and which share of the day's decisions that is."""
    where, values = chosen.where("day IS NOT NULL")
    sql = (
        f"WITH counted AS (SELECT day, reason, {counted()} AS count FROM daily "  # noqa: S608
        f"{where} GROUP BY day, reason) "
        "SELECT day, reason, count, count / sum(count) OVER (PARTITION BY day) AS share FROM counted"
        " QUALIFY reason IS NOT NULL ORDER BY day, count DESC, reason"
    )
    return ask(con, sql, values)


def totals(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """For each reason, and what of the policy gave it: how many messages, of how many users; most frequent first."""
    where, values = chosen.where("reason IS NOT NULL")
    sql = (
        'SELECT reason, "by", count(*) AS count, count(DISTINCT user_number) AS users'  # noqa: S608
        f' FROM decisions {where} GROUP BY reason, "by" ORDER BY count DESC, reason, "by"'
    )
    return ask(con, sql, values)


def near_misses(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """Of messages below their threshold: by how much the score fell short, in steps of 0.05."""
    where, values = chosen.where("outcome = 'below_threshold'", "score IS NOT NULL", "threshold IS NOT NULL")
    sql = (
        "SELECT floor(round(threshold - score, 6) / 0.05) * 0.05 AS short_by, count(*) AS count"  # noqa: S608
        f" FROM decisions {where} GROUP BY 1 ORDER BY 1"
    )
    return ask(con, sql, values)
