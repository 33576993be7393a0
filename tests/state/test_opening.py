"""Which files are opened, and that a refused one is left as it was, byte for byte."""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from botopt.model.errors import InputError, StateCorrupt, StateError, StateNewer
from botopt.state.opening import open_store
from botopt.state.sqlite import open_state
from tests.state.helpers import T, as_anybody, files, row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state with one user."""
    made = tmp_path / "state.db"
    with open_state(made, create=True, read_only=False) as store:
        store.commit([row("ada", held=1, due_us=T)], meta={"newest": "5"})
    return made


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody reaches (`tmp_path` is its owner's)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE users (user TEXT PRIMARY KEY, state BLOB)")
    connection.close()


def other_id(path: Path) -> None:
    foreign(path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA application_id = 252006674")
    connection.close()


def newer(path: Path) -> None:
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row("ada")], meta={})
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
        connection.execute("INSERT INTO migrations VALUES (7, 'later', '9.9.9')")
    connection.close()


def without_a_table(path: Path) -> None:
    with open_state(path, create=True, read_only=False):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE meta")
    connection.close()


def cut_off(path: Path) -> None:
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row(f"user-{number}", state=b"x" * 500) for number in range(200)], meta={})
    os.truncate(path, path.stat().st_size // 2)


REFUSED: list[tuple[str, Callable[[Path], object], type[StateError], str]] = [
    ("a text", lambda path: path.write_text("id,user\n1,ada\n" * 99), StateCorrupt, "is not a botopt state"),
    ("a short text", lambda path: path.write_text("hello"), StateCorrupt, "is not a botopt state"),
    ("zeros", lambda path: path.write_bytes(bytes(8192)), StateCorrupt, "is not a botopt state"),
    ("another application's", foreign, StateCorrupt, "another application"),
    ("another application's id", other_id, StateCorrupt, "another application"),
    ("newer", newer, StateNewer, r"newer botopt 9\.9\.9 \(format 7; botopt \S+ knows up to 2\)"),
    ("without a table", without_a_table, StateCorrupt, "it has no table meta"),
    ("cut off", cut_off, StateCorrupt, "damaged"),
    ("a folder", lambda path: path.mkdir(), StateError, "is a folder"),
    ("a pipe", os.mkfifo, StateError, "not an ordinary file"),
]


@pytest.mark.parametrize("read_only", [True, False], ids=["reading", "writing"])
@pytest.mark.parametrize("create", [True, False], ids=["create", "existing"])
@pytest.mark.parametrize(("make", "error", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused_and_unharmed(
    tmp_path: Path, make: Callable[[Path], object], error: type[StateError], words: str, create: bool, read_only: bool
) -> None:
    path = tmp_path / "state.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(error, match=words) as caught:
        open_state(path, create=create, read_only=read_only)
    assert type(caught.value) is error
    assert str(path) in str(caught.value)
    assert [found.name for found in tmp_path.iterdir()] == ["state.db"]
    if before is not None:
        assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [True, False])
def test_a_missing_file_is_only_made_when_asked(tmp_path: Path, read_only: bool) -> None:
    with pytest.raises(InputError, match="there is no state file"):
        open_state(tmp_path / "state.db", create=False, read_only=read_only)
    assert files(tmp_path) == {}


def test_reading_never_makes_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no state file"):
        open_state(tmp_path / "state.db", create=True, read_only=True)
    assert files(tmp_path) == {}


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "state.db"
    with pytest.raises(InputError, match=re.escape(f"{path} cannot be made: there is no folder {path.parent}")):
        open_state(path, create=True, read_only=False)


def test_an_empty_file_becomes_a_state_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch()
    for read_only in (True, False):
        with pytest.raises(StateCorrupt, match="is empty"):
            open_state(path, create=False, read_only=read_only)
    assert files(tmp_path) == {"state.db": b""}
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row("ada")], meta={})
    with open_state(path, create=False, read_only=True) as store:
        assert store.load(["ada"])


def test_one_file_is_left(path: Path) -> None:
    assert list(files(path.parent)) == ["state.db"]
    with open_state(path, create=False, read_only=True) as store:
        assert store.held() == 1
    assert list(files(path.parent)) == ["state.db"]


def test_a_name_with_odd_characters(tmp_path: Path) -> None:
    path = tmp_path / "über 100% #1?mode=rwc&x.db"
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row("ada")], meta={})
    with open_state(path, create=False, read_only=True) as store:
        assert store.load(["ada"])
    assert list(files(tmp_path)) == [path.name]


def test_reading_changes_nothing(path: Path) -> None:
    before = files(path.parent)
    with open_state(path, create=False, read_only=True) as store:
        assert [found.user for found in store.users()] == ["ada"]
        with pytest.raises(StateError, match="read-only"):
            store.commit([row("bob")], meta={})
    assert files(path.parent) == before


def test_a_read_only_file_is_refused_for_writing_and_can_be_read(open_folder: Path) -> None:
    path = open_folder / "state.db"
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row("ada")], meta={})
    path.chmod(0o444)
    open_folder.chmod(0o777)
    before = files(open_folder)
    assert "cannot be written: the file is read-only" in as_anybody(
        lambda: open_state(path, create=True, read_only=False)
    )
    open_folder.chmod(0o555)
    assert "cannot be opened for writing" in as_anybody(lambda: open_state(path, create=True, read_only=False))
    assert "cannot be opened for writing" in as_anybody(
        lambda: open_state(open_folder / "new.db", create=True, read_only=False)
    )

    def read() -> list[str]:
        with open_state(path, create=False, read_only=True) as store:
            return [found.user for found in store.users()]

    assert as_anybody(read) == "['ada']"
    path.chmod(0o000)
    assert "this user may not" in as_anybody(read)
    path.chmod(0o444)
    assert files(open_folder) == before


def test_anyone_can_read_the_tables(path: Path) -> None:
    connection = sqlite3.connect(path)
    columns = "user, clock, last_message, last_message_type, held, due_us, state"
    assert connection.execute(f"SELECT {columns} FROM users").fetchall() == [
        ("ada", "2026-03-01T09:00:00Z", None, None, 1, T, b"state")
    ]
    assert connection.execute("SELECT key, value FROM meta").fetchall() == [("newest", "5")]
    assert connection.execute("PRAGMA application_id").fetchone() == (int.from_bytes(b"botp"),)
    connection.close()


def test_a_forgotten_user_leaves_no_bytes(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    secret = b"4929 1234 5678 9012 " * 300
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row(f"user-{number}", state=secret) for number in range(3)], meta={})
        store.commit([row(f"user-{number}", state=b"deleted") for number in range(3)], meta={})
    assert list(files(tmp_path)) == ["state.db"]
    assert secret[:20] not in path.read_bytes()


def test_a_store_for_every_run(tmp_path: Path) -> None:
    with open_store(None) as store:
        assert list(store.users()) == []
    with open_store(tmp_path / "state.db") as store:
        store.commit([row("ada")], meta={})
    with open_store(tmp_path / "state.db") as store:
        assert store.load(["ada"]) == {"ada": b"state"}
