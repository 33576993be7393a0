"""Named experiments: who is in which arm, and how they answer."""

from __future__ import annotations

import streamlit as st

from botopt.dashboard.queries import learning
from botopt.dashboard.views import charts
from botopt.dashboard.views.session import Looking
from botopt.dashboard.views.showing import panel


def show(looking: Looking) -> None:
    """The page."""
    st.title("Experiments")
    found = learning.experiments(looking.con, looking.chosen)
    if not found.rows:
        st.info(
            "No decision of this choice asked for the arm of an experiment. An `experiment:` in the policy splits "
            "users; conditions ask for it as in `experiment('early-nudge') == 'early'`."
        )
        return
    panel(
        "Arms",
        "An exposure is a decision that asked for the arm; the share is the policy's. Intervals of 95 % hold for one "
        "look: whoever looks every day and stops at the first difference is misled. `botopt experiment report` gives "
        "intervals that hold however often you look.",
        found,
        lambda rows: charts.rates(rows.assign(name=rows["experiment"] + " / " + rows["arm"]), "name"),
    )
