"""How many messages, and how they were answered, by what they have in common."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from botopt.dashboard.queries.asking import COUNTS, Answer, Filter, ask, rated

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Dimension(StrEnum):
    """By what messages are counted. The hour and the weekday (1 is Monday) are those of the user's own clock."""

    EVENT_TYPE = "event_type"
    HOUR = "hour"
    WEEKDAY = "weekday"
    LOCALE = "locale"
    VARIANT = "variant"
    CHANNEL = "channel"


_COLUMN = {Dimension.VARIANT: "template || '/' || variant"}


def by(con: DuckDBPyConnection, chosen: Filter, dimension: Dimension) -> Answer:
    """For each value: decisions, messages, answers, clicks, the rate of clicks and its interval.

    Event types with the most decisions first; hours and weekdays in their order. Locale, variant and channel are those
    of messages, so decisions without one are left out.
    """
    column = _COLUMN.get(dimension, dimension.value)
    table = "hourly" if dimension is Dimension.HOUR else "daily"
    where, values = chosen.where(f"{column} IS NOT NULL")
    order = "1" if dimension in {Dimension.HOUR, Dimension.WEEKDAY} else "sent DESC, decisions DESC, 1"
    sql = f"SELECT {column} AS {dimension.value}, {COUNTS} FROM {table} {where} GROUP BY 1 ORDER BY {order}"  # noqa: S608
    return rated(ask(con, sql, values))
