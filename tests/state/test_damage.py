"""Damaged files, and disks that are full: an error in words, and never a changed file."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from botopt.model.errors import StateCorrupt, StateError, StateNewer
from botopt.state.sqlite import SqliteStore, open_state
from tests.state.helpers import T, end, files, first_line, row, start

USERS = [f"user-{number:03}" for number in range(150)]
DAMAGES = 250


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a sound file: some users with long states, some with held messages."""
    path = tmp_path_factory.mktemp("sound") / "state.db"
    chance = random.Random(1)
    with open_state(path, create=True, read_only=False) as store:
        store.commit(
            [
                row(name, held=int(i % 5 == 0), due_us=T + i if i % 5 == 0 else None, state=chance.randbytes(size))
                for i, name in enumerate(USERS)
                for size in [chance.randrange(20, 9_000 if i % 29 == 0 else 500)]
            ],
            meta={"newest": "5"},
        )
    return path.read_bytes()


def damaged(sound: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    content = bytearray(sound)
    if seed % 6 == 0:
        return bytes(content[: chance.randrange(1, len(content))])
    within = (len(content), 100, 3 * 4096)[seed % 3]
    for _ in range(chance.choice((1, 1, 2, 8, 100))):
        content[chance.randrange(within)] = chance.randrange(256)
    return bytes(content)


def read_all(store: SqliteStore) -> None:
    store.meta()
    store.held()
    store.due(2**62, 9)
    store.load(USERS)
    for _ in store.users():
        pass
    store.check()


@pytest.mark.parametrize("seed", range(DAMAGES))
def test_a_damaged_file_is_read_or_refused_and_never_changed(tmp_path: Path, sound: bytes, seed: int) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(damaged(sound, seed))
    before = files(tmp_path)
    said = str(path)
    try:
        with open_state(path, create=False, read_only=True) as store:
            read_all(store)
    except (StateCorrupt, StateNewer) as fault:  # damage may hit the number of the format
        said = str(fault)
    assert str(path) in said
    assert files(tmp_path) == before


@pytest.mark.parametrize("seed", range(0, DAMAGES, 5))
def test_writing_to_a_damaged_file_ends_in_words(tmp_path: Path, sound: bytes, seed: int) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(damaged(sound, seed))
    said = str(path)
    try:
        with open_state(path, create=False, read_only=False) as store:
            read_all(store)
            store.commit([row(name, state=b"x" * 3_000) for name in USERS[::7]], meta={"newest": "6"})
    except (StateCorrupt, StateNewer) as fault:
        said = str(fault)
    assert str(path) in said
    assert not path.with_name("state.db.lock").exists()


def test_a_changed_state_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row("ada", state=b"clicked 10 times"), row("bob")], meta={})
    path.write_bytes(path.read_bytes().replace(b"clicked 10 times", b"clicked 90 times"))
    with open_state(path, create=False, read_only=True) as store:
        assert store.load(["bob"]) == {"bob": b"state"}
        with pytest.raises(StateCorrupt, match="the row of user 'ada' is not as it was written"):
            store.load(["ada"])
        with pytest.raises(StateCorrupt, match="the row of user 'ada'"):
            list(store.users())
        with pytest.raises(StateCorrupt, match="the row of user 'ada'"):
            store.check()


@pytest.mark.parametrize(
    "change",
    ["clock = 'yesterday'", "clock = 5", "held = 'many'", "due_us = 'soon'", "state = 'text'", "last_message = x'00'"],
)
def test_a_value_of_a_wrong_kind_is_noticed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "state.db"
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row("ada")], meta={})
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE users SET {change}")
    connection.close()
    with open_state(path, create=False, read_only=True) as store, pytest.raises(StateCorrupt):
        list(store.users())


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with open_state(path, create=True, read_only=False) as store:
        store.commit([row("ada", state=b"1")], meta={"batch": "1"})
        store._connection.execute("PRAGMA max_page_count = 12")  # the next page that is needed does not exist
        with pytest.raises(StateError, match="the disk is full") as caught:
            store.commit([row("ada", state=b"2"), row("bob", state=bytes(99_999))], meta={"batch": "2"})
        assert type(caught.value) is StateError
        assert store.load(["ada", "bob"]) == {"ada": b"1"}
        assert store.meta() == {"batch": "1"}
        store._connection.execute("PRAGMA max_page_count = 1000000")  # somebody made room
        store.commit([row("bob")], meta={"batch": "2"})
    with open_state(path, create=False, read_only=True) as store:
        assert [found.user for found in store.users()] == ["ada", "bob"]


LIMITED = """
import resource, sys
from pathlib import Path
from botopt.model.errors import StateError
from botopt.state.sqlite import open_state
from tests.state.helpers import row
store = open_state(Path(sys.argv[1]), create=False, read_only=False)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
done = 0
try:
    for done in range(1_000):
        store.commit([row(f"user-{done}", state=bytes(5_000))], meta={"batch": str(done)})
except StateError as fault:
    print(done, type(fault).__name__, fault)
store.close()
"""


def test_a_limit_of_the_system_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    open_state(path, create=True, read_only=False).close()
    child = start(LIMITED, path)
    done, error, *words = first_line(child).split()
    end(child)
    assert (error, int(done) > 5) == ("StateError", True)
    assert "Nothing of the last batch was written" in " ".join(words)
    with open_state(path, create=False, read_only=False) as store:
        assert store.meta() == {"batch": str(int(done) - 1)}
        assert len(list(store.users())) == int(done)
        store.check()
