"""Every question to the live service's tables is answered through an index, and in order without sorting."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from botopt.model.live import DecisionQuery, OutboxQuery, OutboxStatus
from botopt.state import live_queries as queries
from botopt.state import live_writing as writing
from botopt.state.opening import open_live


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    open_live(tmp_path / "state.db").close()
    made = sqlite3.connect(tmp_path / "state.db")
    yield made
    made.close()


def plan(connection: sqlite3.Connection, sql: str, values: tuple[object, ...] = ()) -> str:
    filled = values or (0,) * sql.count("?")
    return " | ".join(str(line[3]) for line in connection.execute(f"EXPLAIN QUERY PLAN {sql}", filled))


SINGLE = {
    "decision": (queries.DECISION_BY_ID, "SEARCH decisions USING INDEX sqlite_autoindex_decisions_1 (id=?)"),
    "answer": (queries.ANSWER_BY_KEY, "SEARCH answers USING INDEX sqlite_autoindex_answers_1 (key=?)"),
    "answer users": (queries.ANSWER_USERS, "SEARCH answer_users USING COVERING INDEX answer_users_key (key=?)"),
    "outbox_row": (queries.BY_KEY, "SEARCH outbox USING INDEX sqlite_autoindex_outbox_1 (key=?)"),
    "outbox_due": (queries.DUE, "SEARCH outbox USING INDEX outbox_open (status=? AND channel=? AND next_us<?)"),
    "outbox_next_us": (queries.NEXT_US, "SEARCH outbox USING COVERING INDEX outbox_open (status=? AND channel=?)"),
    "outbox_counts": (queries.COUNT, "SEARCH outbox USING COVERING INDEX outbox_open (status=?)"),
    "by_provider_id": (
        queries.BY_PROVIDER_ID,
        "SEARCH outbox USING INDEX outbox_provider_id (channel=? AND provider_id=?)",
    ),
    "outbox_ahead": (queries.AHEAD, "SEARCH outbox USING INDEX outbox_open (status=?)"),
    "drops": (queries.DROPS, "SEARCH audit USING INTEGER PRIMARY KEY (rowid>?)"),
    "by_address": (queries.BY_ADDRESS, "SEARCH outbox USING INDEX outbox_address (channel=? AND address=?)"),
}


@pytest.mark.parametrize("name", SINGLE)
def test_a_question_has_its_index(connection: sqlite3.Connection, name: str) -> None:
    sql, wanted = SINGLE[name]
    assert plan(connection, sql) == wanted


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        (queries.OF_MESSAGE, "SEARCH outbox USING INDEX sqlite_autoindex_outbox_1 (key>? AND key<?)"),
        (queries.CLAIMED, "SEARCH outbox USING INDEX outbox_open (status=?)"),
    ],
    ids=["outbox_of", "outbox_claimed"],
)
def test_what_is_found_may_be_few_and_sorted(connection: sqlite3.Connection, sql: str, wanted: str) -> None:
    assert plan(connection, sql) == f"{wanted} | USE TEMP B-TREE FOR ORDER BY"


DECISIONS = {
    "newest": (DecisionQuery(), "SCAN decisions"),  # from its end, and only as far as the limit
    "page": (DecisionQuery(before=5), "SEARCH decisions USING INTEGER PRIMARY KEY (rowid<?)"),
    "since": (DecisionQuery(since_us=5), "SEARCH decisions USING INTEGER PRIMARY KEY (rowid>?)"),
    "between": (
        DecisionQuery(since_us=5, until_us=9, before=8),
        "SEARCH decisions USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
    ),
    "user": (DecisionQuery(user="a"), "SEARCH decisions USING INDEX decisions_user (user=?)"),
    "user, page": (
        DecisionQuery(user="a", before=5),
        "SEARCH decisions USING INDEX decisions_user (user=? AND rowid<?)",
    ),
    "user and the rest": (
        DecisionQuery(user="a", outcome="sent", reason="capped", event_type="b"),
        "SEARCH decisions USING INDEX decisions_user (user=?)",
    ),
    "event": (
        DecisionQuery(user="a", event_id="e1"),
        "SEARCH decisions USING INDEX decisions_event_id (event_id=?)",
    ),
    "type": (DecisionQuery(event_type="a"), "SEARCH decisions USING INDEX decisions_event_type (event_type=?)"),
    "type, since": (
        DecisionQuery(event_type="a", since_us=7, outcome="sent"),
        "SEARCH decisions USING INDEX decisions_event_type (event_type=? AND rowid>?)",
    ),
    "outcome": (DecisionQuery(outcome="sent"), "SEARCH decisions USING INDEX decisions_outcome (outcome=?)"),
    "reason": (
        DecisionQuery(reason="capped", outcome="suppressed"),
        "SEARCH decisions USING INDEX decisions_reason (reason=?)",
    ),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_decisions_come_in_order_from_an_index(connection: sqlite3.Connection, name: str) -> None:
    query, wanted = DECISIONS[name]
    assert plan(connection, *queries.decisions(query)) == wanted


OUTBOX = {
    "newest": (OutboxQuery(), None, "SCAN outbox"),
    "user": (OutboxQuery(user="a"), None, "SEARCH outbox USING INDEX outbox_user (user=?)"),
    "user's dead": (OutboxQuery(user="a"), OutboxStatus.DEAD, "SEARCH outbox USING INDEX outbox_user (user=?)"),
    "dead": (
        OutboxQuery(),
        OutboxStatus.DEAD,
        "SEARCH outbox USING INDEX outbox_open (status=?) | USE TEMP B-TREE FOR ORDER BY",
    ),
    "dead of a channel": (
        OutboxQuery(channel="a"),
        OutboxStatus.DEAD,
        "SEARCH outbox USING INDEX outbox_open (status=? AND channel=?) | USE TEMP B-TREE FOR ORDER BY",
    ),
    "delivered": (OutboxQuery(), OutboxStatus.DELIVERED, "SCAN outbox"),  # nearly all are
}


@pytest.mark.parametrize("name", OUTBOX)
def test_messages_are_listed_from_an_index(connection: sqlite3.Connection, name: str) -> None:
    query, status, wanted = OUTBOX[name]
    assert plan(connection, *queries.outbox(query, status)) == wanted


@pytest.mark.parametrize("statement", [*writing._ERASE, *writing._TIDY, writing._TIDY_USERS])
def test_erasing_and_tidying_read_no_whole_table(connection: sqlite3.Connection, statement: str) -> None:
    said = plan(connection, statement)
    assert "SEARCH" in said
    assert "SCAN" not in said.replace("SCAN CONSTANT ROW", "")
