"""The overview: from events to clicks, and day by day."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from botopt.dashboard.queries import overview
from botopt.dashboard.queries.asking import Answer
from botopt.dashboard.views import charts
from botopt.dashboard.views.session import Looking
from botopt.dashboard.views.showing import cell, numbers, panel

_STEPS = {
    "events": "events that came",
    "decided": "events that were decided",
    "worth sending": "worth a message",
    "sent": "messages sent",
    "arrived": "messages that did not fail",
    "clicked": "messages clicked",
    "converted": "messages converted",
}


def marks(revisions: Answer) -> pd.DataFrame:
    """Where each revision but the first began; numbered as on the page of policies."""
    rows = [
        {"revision": row["revision"], "first_day": row["first_day"], "number": f"#{place}"}
        for place, row in enumerate(revisions.dicts(), 1)
    ]
    return pd.DataFrame(rows[1:], columns=["revision", "first_day", "number"])


def show(looking: Looking) -> None:
    """The page."""
    st.title("Overview")
    total = overview.totals(looking.con, looking.chosen).dicts()[0]
    if not total["decisions"]:
        st.info(
            "There are no decisions here. `botopt replay EVENTS --out decisions.jsonl` writes a log of them, and "
            "`botopt serve` keeps them in its state file."
        )
        return
    numbers(
        (
            ("Decisions", cell("decisions", total["decisions"]), "How often the policy decided about an event."),
            ("Messages sent", cell("sent", total["sent"]), "Decisions that led to a message."),
            ("Users", cell("users", total["users"]), "Users about whom anything was decided."),
            ("Click rate", cell("rate", total["rate"]), "Clicked, of the messages whose answer is known."),
        )
    )
    funnel = overview.funnel(looking.con, looking.chosen)
    named = Answer(funnel.columns, tuple((_STEPS[str(row[0])], *row[1:]) for row in funnel.rows))
    order = [str(row[0]) for row in named.rows]
    panel(
        "From events to clicks",
        "How many are left after each step. An event whose message was held and decided again counts once.",
        named,
        lambda rows: charts.bars(rows, "count", "step", "How many", sort=order),
    )
    days = overview.by_day(looking.con, looking.chosen)
    began = marks(looking.revisions)
    note = "" if began.empty else " Dashed lines: where a revision of the policy began, numbered as under Policies."
    panel(
        "Messages by day",
        f"Messages sent on each day of the users' own calendars.{note}",
        days,
        lambda rows: charts.over_days(rows, "sent", "Messages sent", began),
    )
    panel(
        "Click rate by day",
        "Clicked, of the messages of that day whose answer is known. The band is the 95 % interval: where it is wide, "
        f"few messages stand behind the line.{note}",
        days,
        lambda rows: charts.over_days(rows, "rate", "Click rate", began, share=True),
    )
