"""How users answer, and the story of one of them."""

from __future__ import annotations

import streamlit as st

from botopt.dashboard.explaining import explain
from botopt.dashboard.queries import people
from botopt.dashboard.queries.asking import Answer, Cell
from botopt.dashboard.views import charts
from botopt.dashboard.views.session import Looking
from botopt.dashboard.views.showing import panel, plain
from botopt.dashboard.words import arithmetic, sentence
from botopt.model.instants import instant_text


def show(looking: Looking) -> None:
    """The page."""
    st.title("People")
    _timeline(looking)
    panel(
        "How users answer",
        "How many users click which share of their messages. Users with fewer than 5 answered messages are left out: "
        "of so few, a share says nothing.",
        people.engagement(looking.con, looking.chosen),
        lambda rows: charts.columns(
            rows.assign(rate=[f"{a:.0%}–{b:.0%}" for a, b in zip(rows["from_rate"], rows["to_rate"], strict=True)]),
            "users",
            "rate",
            "Users",
            "Share of their messages that they click",
        ),
    )
    panel(
        "Messages per user",
        "How many users got how many messages in the chosen time; 20 stands for 20 and more.",
        people.messages_per_user(looking.con, looking.chosen),
        lambda rows: charts.columns(rows, "users", "messages", "Users", "Messages"),
    )
    panel(
        "Users with the most messages",
        "Their timelines stand above: type the id there.",
        people.busiest(looking.con, looking.chosen),
    )


def _timeline(looking: Looking) -> None:
    st.subheader("One user's timeline")
    top = people.busiest(looking.con, looking.chosen, 1).rows
    user = st.text_input("User", str(top[0][0]) if top else "", key="user", help="The id, as events have it.").strip()
    if not user:
        st.info("Type a user's id to see what was decided about them, and why.")
        return
    found = people.timeline(looking.con, user, looking.chosen)
    if not found.rows:
        st.info(f"Nothing was decided about “{plain(user)}” in this choice. Ids are case-sensitive.")
        return
    records = found.dicts()
    told = Answer(
        ("time", "event_type", "what_happened", "score", "threshold", "message"),
        tuple(_row(record) for record in records),
    )
    chosen = st.selectbox(
        "Explain a decision, newest first",
        range(min(len(records), people.MOST_ROWS)),
        format_func=lambda place: f"{told.rows[place][0]} · {told.rows[place][1]} · {records[place]['outcome']}",
        key="explained",
    )
    _explain(looking, user, records[chosen])
    is_full = len(records) == people.MOST_ROWS
    panel(
        "Timeline",
        f"What was decided about {plain(user)}, newest first; times are UTC."
        + (f" Only the newest {people.MOST_ROWS}." if is_full else ""),
        told,
    )


def _row(record: dict[str, Cell]) -> tuple[Cell, ...]:
    time_us = record["time_us"]
    time = _clock(time_us) if isinstance(time_us, int) else None
    return time, record["event_type"], sentence(record), record["score"], record["threshold"], record["text"]


def _clock(time_us: int) -> str:
    return instant_text(time_us)[:19].replace("T", " ")


def _explain(looking: Looking, user: str, record: dict[str, Cell]) -> None:
    st.markdown(f"**{plain(sentence(record))}**")
    lines = list(arithmetic(record))
    if lines:
        st.markdown("\n".join(f"- {plain(line)}" for line in lines))
    event_id = record["event_id"]
    if not looking.given.explains or not isinstance(event_id, str):
        st.markdown(
            "With `--workspace` and `--events` the engine itself says which rules and suppressions were looked at."
        )
        return
    if st.button("Ask the engine", key="engine", help="Replays the events up to this one with the workspace's policy."):
        with st.spinner("Replaying the events up to this one"):
            told = explain(looking.given, event_id, user, str(record["revision"]))
        for title, sentences in told:
            st.markdown(f"**{title}**\n\n" + "\n".join(f"- {plain(one)}" for one in sentences))
