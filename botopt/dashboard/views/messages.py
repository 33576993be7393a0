"""Volume and click rate by what messages have in common."""

from __future__ import annotations

import streamlit as st

from botopt.dashboard.queries import volume
from botopt.dashboard.queries.asking import Answer
from botopt.dashboard.queries.volume import Dimension
from botopt.dashboard.views import charts
from botopt.dashboard.views.session import Looking
from botopt.dashboard.views.showing import panel

_NAMES = {
    Dimension.EVENT_TYPE: "Event type",
    Dimension.HOUR: "Hour of the user's clock",
    Dimension.WEEKDAY: "Weekday",
    Dimension.LOCALE: "Locale",
    Dimension.VARIANT: "Template and variant",
    Dimension.CHANNEL: "Channel",
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_BARS = 30


def show(looking: Looking) -> None:
    """The page."""
    st.title("Volume and clicks")
    dimension = st.selectbox("By", list(_NAMES), format_func=lambda one: _NAMES[one], key="dimension")
    answer = _worded(volume.by(looking.con, looking.chosen, dimension), dimension)
    name = _NAMES[dimension].lower()
    more = f" The chart shows the first {_MOST_BARS}." if len(answer.rows) > _MOST_BARS else ""
    order = [str(row[0]) for row in answer.rows[:_MOST_BARS]]
    panel(
        f"Messages by {name}",
        f"How many messages were sent.{more}",
        answer,
        lambda rows: charts.bars(rows.head(_MOST_BARS), "sent", dimension.value, "Messages sent", sort=order),
    )
    panel(
        f"Click rate by {name}",
        "The diamond is the share that was clicked, of the messages whose answer is known; the line around it is the "
        f"95 % interval. Where two lines overlap widely, the difference may be chance.{more}",
        answer,
        lambda rows: charts.rates(rows.head(_MOST_BARS), dimension.value, order),
    )


def _worded(answer: Answer, dimension: Dimension) -> Answer:
    match dimension:
        case Dimension.HOUR:
            rows = tuple((f"{row[0]:02}:00", *row[1:]) for row in answer.rows)
        case Dimension.WEEKDAY:
            rows = tuple((_DAYS[int(str(row[0])) - 1], *row[1:]) for row in answer.rows)
        case _:
            rows = answer.rows
    return Answer(answer.columns, rows)
