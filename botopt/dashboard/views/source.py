"""What was read, and what could not be."""

from __future__ import annotations

import streamlit as st

from botopt.dashboard.queries.asking import Answer, ask
from botopt.dashboard.store.opening import problems
from botopt.dashboard.views.session import Looking
from botopt.dashboard.views.showing import panel, plain, table


def show(looking: Looking) -> None:
    """The page."""
    st.title("Source")
    asked = looking.given.asked
    st.markdown(
        f"You see {plain(asked.name)}. Hours and days are those of each user's own clock, as `user.updated` "
        f"events tell; of users whose zone is not known, those of {plain(asked.zone)}. A message without an answer for "
        f"{asked.ignored_after_us // 3_600_000_000} h counts as ignored; younger ones are left out of rates."
    )
    faults = problems(looking.con)
    st.subheader("What could not be read")
    if faults:
        st.warning("Some of it is left out of every page.")
        table(Answer(("what", "count", "first"), tuple(faults)), "What could not be read")
    else:
        st.success("Everything could be read.")
    counts = ask(
        looking.con,
        "SELECT outcome, response, count(*) AS decisions FROM decisions GROUP BY ALL ORDER BY decisions DESC, 1, 2",
    )
    panel("What was read", "Decisions by outcome, and messages by answer; without any filter.", counts)
