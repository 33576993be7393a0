"""Revisions of the policy: when each decided, and how it did."""

from __future__ import annotations

import streamlit as st

from botopt.dashboard.queries.asking import Answer
from botopt.dashboard.views import charts
from botopt.dashboard.views.session import Looking
from botopt.dashboard.views.showing import panel


def show(looking: Looking) -> None:
    """The page."""
    st.title("Policies")
    found = looking.revisions
    numbered = Answer(("number", *found.columns), tuple((f"#{place}", *row) for place, row in enumerate(found.rows, 1)))
    panel(
        "Revisions",
        "Each revision of the policy that decided, in the order in which they began; charts over days mark their "
        "beginnings with these numbers. Users, events and seasons differ between revisions: a difference here shows "
        "where to look, and proves nothing. `botopt diff` says what a change does, an experiment what it is worth.",
        numbered,
        lambda rows: charts.rates(rows.assign(name=rows["number"] + " " + rows["revision"]), "name"),
    )
