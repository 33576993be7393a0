"""What was learned, and what was drawn to learn it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botopt.dashboard.queries.asking import ANSWERED, CLICKED, CLICKS, COUNTS, SENT, Answer, Filter, ask, counted, rated

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def arms(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """For each variant of a template with several: messages, answers, clicks, the rate and its interval.

    `chance` is the mean chance with which it was drawn, where it was drawn; None for variants that the policy's order
    chose.
    """
    where, values = chosen.where("outcome = 'sent'", "variant IS NOT NULL")
    drawn, more = chosen.where("outcome = 'sent'", "purpose = 'variant'")
    sql = (
        f"WITH sent AS (SELECT template, variant, {counted()} AS sent, {counted(ANSWERED)} AS answered,"  # noqa: S608
        f" {counted(CLICKED)} AS clicks FROM daily {where} GROUP BY template, variant),"
        " chances AS (SELECT template, chosen AS variant, sum(propensities) / sum(n) AS chance"
        f" FROM drawn {drawn} GROUP BY template, chosen)"
        " SELECT * FROM sent LEFT JOIN chances USING (template, variant)"
        " QUALIFY count(*) OVER (PARTITION BY template) > 1 ORDER BY template, sent DESC, variant"
    )
    return rated(ask(con, sql, [*values, *more]))


def hours(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """For each weekday (1 is Monday) and hour of the user's own clock: messages, answers, clicks and the rate."""
    where, values = chosen.where("hour IS NOT NULL")
    sql = f"SELECT weekday, hour, {COUNTS} FROM hourly {where} GROUP BY 1, 2 ORDER BY 1, 2"  # noqa: S608
    return rated(ask(con, sql, values))


def pacing(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """How many messages users got in a day: on how many days of users, and which share.

    A day of a user counts from the first to the last day of the choice in which anything was decided about them; days
    between without a message count as 0. 10 stands for 10 and more.
    """
    where, values = chosen.where("user_number IS NOT NULL", "day IS NOT NULL")
    sql = (
        "WITH days AS (SELECT user_number, day, count(*) FILTER (outcome = 'sent') AS messages"  # noqa: S608
        f" FROM decisions {where} GROUP BY 1, 2),"
        " spans AS (SELECT user_number, max(day) - min(day) + 1 - count(*) AS empty FROM days GROUP BY 1),"
        " all_days AS (SELECT least(messages, 10) AS messages, count(*) AS user_days FROM days GROUP BY 1"
        " UNION ALL SELECT 0, coalesce(sum(empty), 0)::BIGINT FROM spans)"
        " SELECT messages::BIGINT AS messages, sum(user_days)::BIGINT AS user_days,"
        " coalesce(sum(user_days) / nullif(sum(sum(user_days)) OVER (), 0), 0) AS share"
        " FROM all_days GROUP BY 1 HAVING sum(user_days) > 0 ORDER BY 1"
    )
    return ask(con, sql, values)


def budget(con: DuckDBPyConnection, chosen: Filter, per_day: float) -> Answer:
    """One row: users with a message on at least 7 days, the share within 20 % of the budget, above it, and the mean.

    Messages per day of a user: from the first to the last day in which anything was decided about them.
    """
    where, values = chosen.where("user_number IS NOT NULL", "day IS NOT NULL")
    sql = (
        "WITH paces AS (SELECT count(*) FILTER (outcome = 'sent') / (max(day) - min(day) + 1) AS pace"  # noqa: S608
        f" FROM decisions {where} GROUP BY user_number HAVING max(day) - min(day) + 1 >= 7)"
        " SELECT count(*) AS users, avg((pace BETWEEN 0.8 * ? AND 1.2 * ?)::INTEGER) AS within,"
        " avg((pace > 1.2 * ?)::INTEGER) AS above, avg(pace) AS mean FROM paces"
    )
    return ask(con, sql, [*values, per_day, per_day, per_day])


def draws(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """For each purpose of a draw but experiments: how many, of how many messages, with which mean chance."""
    where, values = chosen.where()
    sql = (
        f"SELECT purpose, chosen, {counted()} AS draws, {counted(SENT)} AS sent,"  # noqa: S608
        f" {counted(ANSWERED)} AS answered, {counted(CLICKED)} AS clicks, sum(propensities) / sum(n) AS chance"
        f" FROM drawn {where} GROUP BY purpose, chosen ORDER BY purpose, draws DESC, chosen"
    )
    return rated(ask(con, sql, values))


def experiments(con: DuckDBPyConnection, chosen: Filter) -> Answer:
    """For each arm of each experiment: its share by the policy, users, exposures, messages, clicks and the rate.

    An exposure is a decision that asked for the arm.
    """
    where, values = chosen.where()
    sql = (
        "SELECT experiment, arm, avg(propensity) AS share, count(DISTINCT user_number) AS users,"  # noqa: S608
        " count(*) AS exposures, count(*) FILTER (outcome = 'sent') AS sent,"
        f" count(*) FILTER ({ANSWERED}) AS answered, {CLICKS}"
        f" FROM exposures {where} GROUP BY experiment, arm ORDER BY experiment, arm"
    )
    return rated(ask(con, sql, values))
