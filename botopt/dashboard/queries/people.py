"""How users answer, and what happened to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botopt.dashboard.queries.asking import ANSWERED, CLICKS, Answer, Filter, ask

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_ROWS = 500


def engagement(con: DuckDBPyConnection, chosen: Filter, at_least: int = 5) -> Answer:
    """How many users click which share of their messages, in steps of a tenth (100 % stands in the last).

    Only users with at least so many answered messages: of fewer, a share says nothing.
    """
    where, values = chosen.where(ANSWERED)
    sql = (
        "WITH users AS (SELECT user_number, count(*) AS answered,"  # noqa: S608
        f" {CLICKS} FROM decisions {where} GROUP BY 1 HAVING count(*) >= ?)"
        " SELECT step / 10 AS from_rate, (step + 1) / 10 AS to_rate, count(step_of) AS users"
        " FROM range(10) AS steps(step) LEFT JOIN (SELECT least(clicks * 10 // answered, 9) AS step_of FROM users)"
        " ON step_of = step GROUP BY step ORDER BY step"
    )
    return ask(con, sql, [*values, at_least])


def messages_per_user(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """How many users got how many messages; 20 stands for 20 and more."""
    where, values = chosen.where("user_number IS NOT NULL")
    sql = (
        "SELECT least(messages, 20) AS messages, count(*) AS users FROM (SELECT count(*) FILTER (outcome = 'sent')"  # noqa: S608
        f" AS messages FROM decisions {where} GROUP BY user_number) GROUP BY 1 ORDER BY 1"
    )
    return ask(con, sql, values)


def busiest(con: DuckDBPyConnection, chosen: Filter, most: int = 20) -> Answer:
    """The users with the most messages."""
    where, values = chosen.where("user_number IS NOT NULL")
    sql = (
        'SELECT "user", sent, answered, clicks FROM (SELECT user_number AS number,'  # noqa: S608
        f" count(*) FILTER (outcome = 'sent') AS sent, count(*) FILTER ({ANSWERED}) AS answered,"
        f" {CLICKS} FROM decisions {where} GROUP BY 1"
        f" ORDER BY sent DESC, number LIMIT {int(most)}) JOIN users USING (number) ORDER BY sent DESC, number"
    )
    return ask(con, sql, values)


def timeline(con: DuckDBPyConnection, user: str, chosen: Filter) -> Answer:
    """What was decided about one user, newest first, at most `MOST_ROWS`; with all that the records say."""
    where, values = chosen.where("user_number = ?")
    number = con.execute('SELECT number FROM users WHERE "user" = ?', [user]).fetchone()
    theirs = con.execute(
        f"SELECT seq FROM decisions {where} ORDER BY time_us DESC, id DESC LIMIT {MOST_ROWS}",  # noqa: S608
        [-1 if number is None else number[0], *values],
    ).fetchall()
    # Two steps: the numbers of the lines stand in the statement, so that DuckDB leaves out what it need not unpack.
    lines = ", ".join(str(int(row[0])) for row in theirs) or "-1"
    sql = (
        'SELECT d.id, d.time_us, d.day, d.event_type, d.outcome, d.reason, d."by", d.score, d.threshold, d.variant,'  # noqa: S608
        " d.locale, d.channel, d.response, d.revision, l.event_id, l.detail, l.until_us, l.parts, l.choices, l.cause,"
        f" l.text FROM (SELECT * FROM decisions WHERE seq IN ({lines})) d"
        f" JOIN (SELECT * FROM lines WHERE seq IN ({lines})) l USING (seq) ORDER BY d.time_us DESC, d.id DESC"
    )
    return ask(con, sql)
