"""Why messages were not sent, over time."""

from __future__ import annotations

import streamlit as st

from botopt.dashboard.queries import reasons
from botopt.dashboard.queries.asking import Answer
from botopt.dashboard.views import charts
from botopt.dashboard.views.session import Looking
from botopt.dashboard.views.showing import panel
from botopt.dashboard.views.summary import marks
from botopt.dashboard.words import REASONS

_STRIPS = 6


def show(looking: Looking) -> None:
    """The page."""
    st.title("Why not sent")
    totals = reasons.totals(looking.con, looking.chosen)
    order = list(dict.fromkeys(str(row[0]) for row in totals.rows))
    meant = Answer((*totals.columns, "meaning"), tuple((*row, REASONS.get(str(row[0]), "")) for row in totals.rows))
    over_time = reasons.over_time(looking.con, looking.chosen)
    began = marks(looking.revisions)
    panel(
        "Reasons over time",
        f"How many messages were not sent on each day because of each of the {_STRIPS} most frequent reasons; "
        "all strips have the same scale. Dashed lines: where a revision of the policy began, numbered as under "
        "Policies.",
        over_time,
        lambda rows: [
            (reason, charts.strip(part, "count", rows, began))
            for reason in order[:_STRIPS]
            if len(part := rows[rows["reason"] == reason])
        ],
    )
    panel(
        "Reasons, and what of the policy gave them",
        "`By` is the suppression, or whatever else of the policy decided.",
        meant,
    )
    panel(
        "Near misses",
        "Of messages below their threshold: by how much their score fell short. Many in the first column means that a "
        "slightly lower bar would send many more.",
        reasons.near_misses(looking.con, looking.chosen),
        lambda rows: charts.columns(
            rows.assign(short_by=[f"{value:.2f}" for value in rows["short_by"]]),
            "count",
            "short_by",
            "Messages",
            "Short by at least",
        ),
    )
