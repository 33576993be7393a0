"""How an answer is shown: a chart, below it the numbers as a table, and a download."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from datetime import date

import pandas as pd
import streamlit as st

from botopt.dashboard.queries.asking import Answer, Cell
from botopt.dashboard.views.charts import Drawn

MOST_SHOWN = 60
_SHORT = 12
_SHARES = frozenset({"rate", "low", "high", "share", "within", "above", "chance", "share_of_step_before"})
_WORDS = {
    "day": "Day",
    "rate": "Click rate",
    "low": "At least",
    "high": "At most",
    "by": "By",
    "share_of_step_before": "Share of the step before",
    "user_days": "Days of users",
    "chance": "Chance when drawn",
    "answered": "Answered or ignored",
    "short_by": "Short by",
    "from_rate": "From",
    "to_rate": "To",
}


_MEANT = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=])")


def plain(text: str) -> str:
    """Text that Streamlit shows as it is: pages read Markdown, and a message may hold a picture from elsewhere."""
    return _MEANT.sub(r"\\\1", text).replace("\r", " ").replace("\n", " ")


def heading(column: str) -> str:
    """A column's name for people."""
    return _WORDS.get(column, column.replace("_", " ").capitalize())


def cell(column: str, value: Cell) -> str:
    """A value for people; a dash where there is none."""
    if value is None:
        return "–"
    if column in {"from_rate", "to_rate"}:
        return f"{value:.0%}"
    if column in _SHARES:
        return f"{value:.1%}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return value.isoformat() if isinstance(value, date) else plain(str(value))


def frame(answer: Answer) -> pd.DataFrame:
    """Rows for a chart."""
    return pd.DataFrame(list(answer.rows), columns=list(answer.columns))


def csv_text(answer: Answer) -> str:
    """Rows as CSV, unrounded. A cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([_harmless(value) for value in row] for row in answer.rows)
    return text.getvalue()


def _harmless(value: Cell) -> Cell:
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def table(answer: Answer, alt_text: str) -> None:
    """The rows as a table that a screen reader reads."""
    shown = [[cell(name, value) for name, value in zip(answer.columns, row, strict=True)] for row in answer.rows]
    rows = pd.DataFrame(shown[:MOST_SHOWN], columns=[heading(name) for name in answer.columns])
    st.table(rows, hide_index=True, alt=alt_text)
    if len(shown) > MOST_SHOWN:
        st.markdown(f"The first {MOST_SHOWN} of {len(shown):,} rows; the download has all.")


def panel(
    title: str,
    words: str,
    answer: Answer,
    chart: Callable[[pd.DataFrame], Drawn] | None = None,
) -> None:
    """A question and its answer: what is seen in words, the chart or several with names, the numbers, the download."""
    st.subheader(title)
    st.markdown(words)
    if not answer.rows:
        st.info("Nothing in this choice. Choose more days, or take a filter away.")
        return
    if chart is not None:
        drawn = chart(frame(answer))
        for name, one in drawn if isinstance(drawn, list) else [("", drawn)]:
            if name:
                st.markdown(f"**{plain(name)}**")
            shown = f"{title}: {name}" if name else title
            st.altair_chart(one, width="stretch", alt=f"{shown}. The numbers stand in the table below.")
    if chart is None or len(answer.rows) <= _SHORT:
        table(answer, title)
    else:
        with st.expander(f"The numbers: {title} ({len(answer.rows):,} rows)"):
            table(answer, title)
    name = "".join(letter if letter.isalnum() else "-" for letter in title.lower()).strip("-")
    st.download_button(
        f"Download: {title} (CSV)", csv_text(answer), f"{name}.csv", "text/csv", key=f"csv-{name}", on_click="ignore"
    )


def numbers(pairs: Iterable[tuple[str, str, str]]) -> None:
    """Large numbers side by side: name, value, what it means."""
    pairs = list(pairs)
    for column, (name, value, help_text) in zip(st.columns(len(pairs)), pairs, strict=True):
        column.metric(name, value, help=help_text)
