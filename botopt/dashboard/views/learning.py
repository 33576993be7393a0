"""What was learned: variants, hours, pace, draws, and the model."""

from __future__ import annotations

import streamlit as st

from botopt.dashboard.models import card
from botopt.dashboard.queries import learning
from botopt.dashboard.views import charts
from botopt.dashboard.views.session import Looking
from botopt.dashboard.views.showing import cell, numbers, panel, plain
from botopt.model.durations import DAY_US

_USUAL_BUDGET = 1.5


def show(looking: Looking) -> None:
    """The page."""
    st.title("Learning")
    con, chosen = looking.con, looking.chosen
    arms = learning.arms(con, chosen)
    panel(
        "Variants",
        "For each template with several variants, the share that was clicked and its 95 % interval. To tell two "
        "variants apart at 8 % clicks takes about 4,600 messages each for a difference of a fifth, 18,400 for a tenth, "
        "73,600 for a twentieth. A variant that only some users may get is not comparable by this rate.",
        arms,
        lambda rows: charts.rates(rows.assign(name=rows["template"] + " / " + rows["variant"]).head(40), "name"),
    )
    hours = learning.hours(con, chosen)
    panel(
        "Clicks by weekday and hour",
        "The click rate of messages by when they were sent, on the user's own clock. The number in each field is the "
        "rate; fields without an answered message are left out.",
        hours,
        lambda rows: charts.heat(rows[rows["rate"].notna()], "rate", "Click rate", share=True),
    )
    _pace(looking)
    panel(
        "What was drawn",
        "Draws of variants, of messages sent to explore, and of hours; with the mean chance that the drawn one had.",
        learning.draws(con, chosen),
    )
    _model(looking)


def _pace(looking: Looking) -> None:
    policy = looking.given.policy
    pacing = None if policy is None else policy.settings.pacing
    usual = _USUAL_BUDGET if pacing is None else pacing.messages * DAY_US / pacing.per_us
    panel(
        "Messages per user and day",
        "On how many days of users so many messages went out; 10 stands for 10 and more.",
        learning.pacing(looking.con, looking.chosen),
        lambda rows: charts.columns(rows, "user_days", "messages", "Days of users", "Messages on that day"),
    )
    budget = st.number_input(
        "Budget: messages per user and day",
        0.01,
        100.0,
        float(usual),
        0.1,
        key="budget",
        help="As settings.pacing has it.",
    )
    row = learning.budget(looking.con, looking.chosen, budget).dicts()[0]
    if not row["users"]:
        st.info("No user was heard of for seven days or longer, so nothing can be said about the budget.")
        return
    numbers(
        (
            ("Within 20 % of the budget", cell("within", row["within"]), "Of users heard of for 7 days or longer."),
            ("Above it", cell("above", row["above"]), "More than 20 % above the budget."),
            ("Mean per user and day", cell("mean", row["mean"]), "Over the same users."),
            ("Users", cell("users", row["users"]), "Users heard of for 7 days or longer."),
        )
    )


def _model(looking: Looking) -> None:
    st.subheader("Model card")
    policy, workspace = looking.given.policy, looking.given.asked.workspace
    if policy is None or workspace is None:
        st.info("Start with `--workspace DIR` to see the model of that policy.")
        return
    if policy.scorer is None:
        st.info("The workspace has no `scorer`: no trained model has a say.")
        return
    for title, sentences in card(policy.scorer, workspace):
        st.markdown(f"**{plain(title)}**\n\n" + "\n".join(f"- {plain(one)}" for one in sentences))
