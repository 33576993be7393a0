"""One writer at a time, readers at any time, and what is left when a process is killed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from botopt.model.errors import StateError, StateLocked
from botopt.state.sqlite import open_state
from tests.state.helpers import end, files, first_line, row, start

HOLD = """
import sys
from pathlib import Path
from botopt.state.sqlite import open_state
from tests.state.helpers import row
store = open_state(Path(sys.argv[1]), create=True, read_only=False)
store.commit([row("ada", state=b"1")], meta={})
print("ready", flush=True)
sys.stdin.read()
store.close()
"""

TRY = """
import sys
from pathlib import Path
from botopt.state.sqlite import open_state
try:
    open_state(Path(sys.argv[1]), create=True, read_only=False).close()
    print("open")
except Exception as fault:
    print(type(fault).__name__, fault)
"""

INTERRUPTED = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 5")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE users SET state = zeroblob(3000)")
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_a_second_process_is_told_who_holds_the_state(path: Path) -> None:
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row("ada")], meta={})
        second = start(TRY, path)
        said = first_line(second)
        end(second)
    who = rf"process {os.getpid()} on \S+ writes to it since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.match(rf"StateLocked {re.escape(str(path))} is in use: {who}\. Wait until it ends", said), said
    third = start(TRY, path)
    assert first_line(third) == "open\n"
    end(third)


def test_the_same_process_cannot_open_it_twice(path: Path) -> None:
    with (
        open_state(path, create=True, read_only=False),
        pytest.raises(StateLocked, match=f"process {os.getpid()} "),
    ):
        open_state(path, create=True, read_only=False)


def test_a_lock_is_on_the_file_not_on_its_name(path: Path) -> None:
    other = path.with_name("link.db")
    other.symlink_to(path)
    with open_state(path, create=True, read_only=False), pytest.raises(StateLocked):
        open_state(other, create=True, read_only=False)
    with open_state(other, create=False, read_only=False), pytest.raises(StateLocked):
        open_state(path, create=True, read_only=False)


def test_a_refused_second_writer_changes_nothing(path: Path) -> None:
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row("ada")], meta={})
        before = files(path.parent)
        for _ in range(3):
            with pytest.raises(StateLocked):
                open_state(path, create=True, read_only=False)
        assert files(path.parent) == before


def test_a_killed_process_leaves_no_lock_and_loses_no_commit(path: Path) -> None:
    holder = start(HOLD, path)
    assert first_line(holder) == "ready\n"
    with pytest.raises(StateLocked, match=f"process {holder.pid} "):
        open_state(path, create=True, read_only=False)
    end(holder, kill=True)
    assert path.with_name("state.db.lock").exists()  # it is left, and means nothing
    with open_state(path, create=False, read_only=True) as store:
        assert store.load(["ada"]) == {"ada": b"1"}
    with open_state(path, create=False, read_only=False) as store:
        assert store.load(["ada"]) == {"ada": b"1"}
    assert list(files(path.parent)) == ["state.db"]


def test_a_lock_file_without_a_holder_is_no_lock(path: Path) -> None:
    path.with_name("state.db.lock").write_text("1 elsewhere\n")
    with open_state(path, create=True, read_only=False):
        pass
    assert list(files(path.parent)) == ["state.db"]


def test_reading_while_another_process_writes(path: Path) -> None:
    holder = start(HOLD, path)
    assert first_line(holder) == "ready\n"
    before = path.read_bytes()
    with open_state(path, create=False, read_only=True) as reader:
        assert reader.load(["ada"]) == {"ada": b"1"}
        reader.check()
        assert path.read_bytes() == before
    end(holder)
    assert list(files(path.parent)) == ["state.db"]


def test_a_reader_sees_each_commit_whole_and_outlives_the_writer(path: Path) -> None:
    with open_state(path, create=True, read_only=False) as writer:
        writer.commit([row("ada", state=b"1"), row("bob", state=b"1")], meta={"batch": "1"})
    with open_state(path, create=False, read_only=True) as reader:
        assert reader.meta() == {"batch": "1"}
        with open_state(path, create=False, read_only=False) as writer:
            writer.commit([row("ada", state=b"2"), row("bob", state=b"2")], meta={"batch": "2"})
            assert reader.load(["ada", "bob"]) == {"ada": b"2", "bob": b"2"}
            pages = reader.users()
            assert next(pages).user == "ada"
            writer.commit([row("ada", state=b"3")], meta={"batch": "3"})
        assert reader.load(["ada"]) == {"ada": b"3"}
        assert reader.meta() == {"batch": "3"}
    with open_state(path, create=False, read_only=False) as writer:
        assert writer.meta() == {"batch": "3"}
    assert list(files(path.parent)) == ["state.db"]


def test_an_interrupted_transaction_is_rolled_back_by_the_next_writer(path: Path) -> None:
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row(f"user-{number:03}", state=b"x" * 3000) for number in range(200)], meta={})
    other = start(INTERRUPTED, path)
    assert first_line(other) == "ready\n"
    end(other, kill=True)
    before = files(path.parent)
    assert set(before) == {"state.db", "state.db-journal"}
    with pytest.raises(StateError, match="a run was interrupted while it wrote"):
        open_state(path, create=False, read_only=True)
    assert files(path.parent) == before
    with open_state(path, create=False, read_only=False) as store:
        assert {found.state for found in store.users()} == {b"x" * 3000}
    assert list(files(path.parent)) == ["state.db"]


def test_a_reader_in_another_program_keeps_the_file_whole(path: Path) -> None:
    """A writer that cannot tidy up at its end leaves a `-wal` file, and the next one takes it in."""
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row("ada", state=b"1")], meta={})
    reader = open_state(path, create=False, read_only=True)
    with open_state(path, create=False, read_only=False) as store:
        store.commit([row("ada", state=b"2")], meta={})
        assert reader.load(["ada"]) == {"ada": b"2"}
    reader.close()
    assert set(files(path.parent)) == {"state.db", "state.db-wal", "state.db-shm"}
    with open_state(path, create=False, read_only=False) as store:
        assert store.load(["ada"]) == {"ada": b"2"}
    assert list(files(path.parent)) == ["state.db"]
