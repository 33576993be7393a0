"""A file of an older format is brought up to date in one step; the released steps never change."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from botopt.model.errors import StateError, StateNewer
from botopt.model.version import VERSION
from botopt.state import migrations
from botopt.state.sqlite import open_state
from tests.state.helpers import files, row

FORMAT_1 = {
    "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)",
    "migrations": "CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, botopt TEXT NOT NULL)",
    "users": (
        "CREATE TABLE users ( user TEXT PRIMARY KEY NOT NULL, clock TEXT, last_message TEXT, last_message_type TEXT,"
        " held INTEGER NOT NULL, due_us INTEGER, state BLOB NOT NULL, checksum INTEGER NOT NULL)"
    ),
    "users_due": "CREATE INDEX users_due ON users (due_us, user, held) WHERE due_us IS NOT NULL",
}


def add_note(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE users ADD COLUMN note TEXT NOT NULL DEFAULT 'none'")
    connection.execute("UPDATE users SET note = 'known'")


def fail(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM users")
    connection.execute("SELECT no_such_function()")


@pytest.fixture
def first_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file as the first version of the tables had it."""
    path = tmp_path / "state.db"
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        with open_state(path, create=True, read_only=False) as store:
            store.commit([row("ada")], meta={"newest": "5"})
    return path


def read(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def test_the_first_step_never_changes(first_format: Path) -> None:
    tables = read(first_format, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    assert {str(name): sql for name, sql in tables} == FORMAT_1


def test_an_older_file_is_brought_up_to_date(first_format: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS[:1], add_note))
    with open_state(first_format, create=False, read_only=False) as store:
        assert list(store.users()) == [row("ada")]
        assert store.meta() == {"newest": "5"}
    assert read(first_format, "PRAGMA user_version") == [(2,)]
    assert read(first_format, "SELECT user, note FROM users") == [("ada", "known")]
    assert read(first_format, "SELECT * FROM migrations") == [(1, "create_tables", VERSION), (2, "add_note", VERSION)]


def test_reading_does_not_bring_up_to_date(first_format: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS[:1], add_note))
    before = files(first_format.parent)
    with pytest.raises(StateError, match=r"older format \(1; botopt \S+ reads 2\)"):
        open_state(first_format, create=False, read_only=True)
    assert files(first_format.parent) == before


def test_a_step_that_fails_leaves_the_file_as_it_was(first_format: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS[:1], add_note, fail))
    before = files(first_format.parent)
    with pytest.raises(StateError):
        open_state(first_format, create=False, read_only=False)
    assert files(first_format.parent) == before


def test_a_file_from_the_future_is_refused(first_format: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS[:1], add_note))
        with open_state(first_format, create=False, read_only=False):
            pass
    before = files(first_format.parent)
    monkeypatch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
    for read_only in (True, False):
        with pytest.raises(StateNewer, match=r"format 2; botopt \S+ knows up to 1"):
            open_state(first_format, create=False, read_only=read_only)
    assert files(first_format.parent) == before
