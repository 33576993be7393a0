"""Users from a table in a state: as events, once, and without touching what is held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from botopt.engine.build import build
from botopt.engine.engine import Engine
from botopt.engine.windows import NEWEST_KEY
from botopt.model.event import Event
from botopt.model.user_state import ConsentWord, UserState
from botopt.runtime import importing
from botopt.runtime.importing import Import, import_users
from botopt.sources.people import PeopleReader
from botopt.sources.table import TableRow, Wrong
from botopt.state.memory import MemoryStore
from botopt.state.user_rows import row, unpacked
from botopt.verify.validate import load
from tests.cli.running import TEMPLATES, workspace

T = 1_772_355_600_000_000  # 2026-03-01T09:00:00Z, a Sunday
HOUR = 3_600_000_000
DAY = 24 * HOUR

RULES = """\
user:
  plan: {type: text, one_of: [free, pro], optional: true}
  age: {type: integer, optional: true}
categories:
  marketing: {consent: opt_in}
channels:
  chat: {type: console}
events:
  payment_failed:
    fields:
      amount: {type: number, min: 0}
    weight: 0.70
    message: hello
suppression:
  - {id: night, quiet_hours: {from: "22:00", to: "08:00"}}
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return build(load(workspace(tmp_path_factory.mktemp("shop"), RULES, TEMPLATES)), "reference")


class Table:
    """Rows into a store in memory."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store = MemoryStore()
        self.refused: list[tuple[int, str | None, str]] = []

    def take(self, *rows: Mapping[str, object], at_us: int = T, dry: bool = False, again: str = "") -> Import:
        def refuse(one: TableRow, wrong: Wrong) -> None:
            self.refused.append((one.line, wrong.column, wrong.detail))

        numbered: Iterable[TableRow] = (TableRow(number, values) for number, values in enumerate(rows, 2))
        reader = PeopleReader(self.engine.policy, again=again)
        return import_users(
            self.engine, reader, self.store, numbered, at_us=at_us, received_us=at_us, refuse=refuse, dry=dry
        )

    def state(self, user: str) -> UserState:
        return unpacked(user, self.store.load([user])[user])


@pytest.fixture
def table(engine: Engine) -> Table:
    return Table(engine)


def counts(done: Import) -> tuple[int, int, int, int, int, int]:
    return done.rows, done.taken, done.new_users, done.known, done.empty, done.rejected


def test_a_row_becomes_what_its_events_would_have_done(table: Table) -> None:
    done = table.take(
        {"id": "ada", "plan": "pro", "timezone": "Europe/Berlin", "subscribed": "marketing", "unsubscribed": "chat"}
    )
    state = table.state("ada")
    assert counts(done) == (1, 1, 1, 0, 0, 0)
    assert state.attributes == {"plan": "pro", "timezone": "Europe/Berlin"}
    assert state.consent == [ConsentWord("marketing", None, True), ConsentWord(None, "chat", False)]
    assert state.clock_us == T
    assert table.store.meta()[NEWEST_KEY] == str(T)


def test_taking_a_table_in_twice_changes_nothing_twice(table: Table) -> None:
    rows = ({"id": "ada", "plan": "pro"}, {"id": "bob", "subscribed": "marketing"})
    table.take(*rows)
    before = list(table.store.users())
    assert counts(table.take(*rows, at_us=T + HOUR)) == (2, 0, 0, 2, 0, 0)
    assert list(table.store.users()) == before
    table.take({"id": "ada", "plan": "free"}, at_us=T + 2 * HOUR)
    assert counts(table.take(*rows, at_us=T + 3 * HOUR)) == (2, 0, 0, 2, 0, 0)
    assert table.state("ada").attributes == {"plan": "free"}
    assert counts(table.take(*rows, at_us=T + 3 * HOUR, again="1")) == (2, 2, 0, 0, 0, 0)
    assert table.state("ada").attributes == {"plan": "pro"}


def test_only_named_values_change_and_null_takes_back(table: Table) -> None:
    table.take({"id": "ada", "plan": "pro", "age": "5"})
    table.take({"id": "ada", "plan": None}, at_us=T + 1)
    assert table.state("ada").attributes == {"age": 5}


def test_a_bad_row_is_told_and_nothing_of_it_is_taken(table: Table) -> None:
    done = table.take(
        {"id": "ada", "plan": "pro", "subscribed": "nothing"},
        {"id": "bob"},
        {"id": "eve", "plan": "free"},
    )
    assert counts(done) == (3, 1, 1, 0, 1, 1)
    assert [(line, column) for line, column, _ in table.refused] == [(2, "subscribed")]
    assert [one.user for one in table.store.users()] == ["eve"]


def test_a_forgotten_user_is_not_brought_back(table: Table) -> None:
    state = UserState(deleted=True, floor_us=T - HOUR)
    table.store.commit([row("ada", state)], meta={})
    assert counts(table.take({"id": "ada", "plan": "pro", "subscribed": "everything"})) == (1, 0, 0, 0, 0, 1)
    assert "was forgotten" in table.refused[0][2]
    assert table.state("ada") == state


def test_a_time_long_before_the_users_last_event_is_refused(table: Table) -> None:
    table.take({"id": "ada", "plan": "pro"})
    assert counts(table.take({"id": "ada", "plan": "free"}, at_us=T - 8 * DAY)) == (1, 0, 0, 0, 0, 1)
    assert table.refused[0][1] == "time"
    assert table.state("ada").attributes == {"plan": "pro"}


def test_what_is_held_stays_held(table: Table) -> None:
    state = UserState()
    night_us = T + 14 * HOUR
    [decision] = table.engine.decide(state, Event("e1", "", "payment_failed", "ada", night_us, {"amount": 42.0}))
    assert decision.outcome == "held"
    table.store.commit([row("ada", state)], meta={})
    table.take({"id": "ada", "plan": "pro"}, at_us=night_us + 3 * DAY)
    after = table.state("ada")
    assert after.attributes == {"plan": "pro"}
    assert after.held == state.held
    assert after.sends == []
    assert after.clock_us < (state.due_us or 0)
    assert table.store.held() == 1


def test_trying_out_changes_nothing(table: Table) -> None:
    table.take({"id": "ada", "plan": "free"})
    before, meta = list(table.store.users()), table.store.meta()
    done = table.take({"id": "ada", "plan": "pro"}, {"id": "bob", "plan": "x"}, at_us=T + HOUR, dry=True)
    assert counts(done) == (2, 1, 0, 0, 0, 1)
    assert (list(table.store.users()), table.store.meta()) == (before, meta)


def test_later_rows_and_batches_count(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 3)
    rows = [{"id": f"user-{number % 5}", "age": str(number)} for number in range(10)]
    assert counts(table.take(*rows)) == (10, 10, 5, 0, 0, 0)
    assert [table.state(f"user-{number}").attributes["age"] for number in range(5)] == [5, 6, 7, 8, 9]
