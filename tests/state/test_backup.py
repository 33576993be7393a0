"""Copies of a state: whole, of one moment, also while it is written, and never over another file."""

from __future__ import annotations

import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from botopt.model.errors import InputError, StateCorrupt, StateLocked
from botopt.state import backup
from botopt.state.backup import back_up
from botopt.state.sqlite import open_state
from tests.cli.running import botopt
from tests.state.helpers import T, files, row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state with two users."""
    made = tmp_path / "state.db"
    with open_state(made, create=True, read_only=False) as store:
        store.commit([row("ada", held=1, due_us=T), row("bob")], meta={"newest": "5"})
    return made


def users_of(path: Path) -> list[str]:
    with open_state(path, create=False, read_only=True) as store:
        return [found.user for found in store.users()]


def test_a_copy_holds_what_the_state_holds_and_the_state_is_as_it_was(path, tmp_path):
    before = path.read_bytes()
    copied = back_up(path, tmp_path / "copy.db")
    assert (copied.users, copied.size) == (2, (tmp_path / "copy.db").stat().st_size)
    assert path.read_bytes() == before
    with open_state(tmp_path / "copy.db", create=False, read_only=False) as store:
        assert store.meta() == {"newest": "5"}
        assert store.held() == 1
    assert sorted(files(tmp_path)) == ["copy.db", "state.db"]


def test_only_its_owner_may_read_a_copy(path, tmp_path):
    path.chmod(0o644)
    back_up(path, tmp_path / "copy.db")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


def test_a_copy_that_is_made_while_somebody_writes_is_of_one_moment_and_one_file(path, tmp_path):
    """Each commit adds a pair: a copy that saw half of a commit would hold one of a pair."""
    stop = threading.Event()
    begun = threading.Event()

    def write() -> None:
        number = 0
        with open_state(path, create=False, read_only=False) as store:
            while not stop.is_set():
                store.commit([row(f"{number:06}-a", state=b"x" * 3000), row(f"{number:06}-b")], meta={})
                number += 1
                begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(30)
        for number in range(5):
            copy = tmp_path / f"copy-{number}.db"
            back_up(path, copy)
            assert copy.read_bytes()[18:20] == b"\x01\x01", "rollback mode, as at rest: one file is all of it"
            names = [user for user in users_of(copy) if "-" in user]
            assert names
            assert [name[:-1] + "b" for name in names if name.endswith("a")] == [n for n in names if n.endswith("b")]
    finally:
        stop.set()
        writer.join(timeout=30)
    assert {name for name in files(tmp_path) if name.startswith(".")} == set()


def test_a_file_is_never_overwritten(path, tmp_path):
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(InputError, match=r"copy\.db exists already; it is not overwritten"):
        back_up(path, tmp_path / "copy.db")
    with pytest.raises(InputError, match="exists already"):
        back_up(path, path)
    (tmp_path / "link.db").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="exists already"):
        back_up(path, tmp_path / "link.db")
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_file_that_comes_up_meanwhile_is_not_overwritten_either(path, tmp_path, monkeypatch):
    copy = tmp_path / "copy.db"
    look = backup._look_through

    def somebody_else_is_faster(unfinished: Path, named: Path) -> backup.Copied:
        copy.write_text("mine")
        return look(unfinished, named)

    monkeypatch.setattr(backup, "_look_through", somebody_else_is_faster)
    with pytest.raises(InputError, match="exists already"):
        back_up(path, copy)
    assert sorted(files(tmp_path)) == ["copy.db", "state.db"]
    assert copy.read_text() == "mine"


def test_without_hard_links_a_copy_gets_its_name_all_the_same(path, tmp_path, monkeypatch):
    def no_links(*_: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(backup.os, "link", no_links)
    back_up(path, tmp_path / "copy.db")
    assert users_of(tmp_path / "copy.db") == ["ada", "bob"]
    assert sorted(files(tmp_path)) == ["copy.db", "state.db"]


def test_a_damaged_state_leaves_no_copy(path, tmp_path):
    data = bytearray(path.read_bytes())
    at = data.rindex(b"state")  # in the packed state of a user: only its checksum tells
    data[at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(StateCorrupt):
        back_up(path, tmp_path / "copy.db")
    assert sorted(files(tmp_path)) == ["state.db"]


def test_a_state_that_another_program_holds_is_waited_for_and_then_said(path, tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "_WAIT_S", 0.0)
    monkeypatch.setattr("botopt.state.connecting._WAIT_S", 0.0)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StateLocked, match="in use by another program"):
            back_up(path, tmp_path / "copy.db")
    finally:
        holder.close()
    assert sorted(files(tmp_path)) == ["state.db"]


def test_a_folder_that_is_not_there_is_said(path, tmp_path):
    with pytest.raises(InputError, match=r"copy\.db cannot be written: No such file or directory"):
        back_up(path, tmp_path / "nowhere" / "copy.db")


def test_the_command_says_what_it_copied(path, tmp_path):
    done = botopt("state", "backup", tmp_path / "copy.db", "--state", path)
    assert (done.returncode, done.stderr) == (0, "")
    size = (tmp_path / "copy.db").stat().st_size
    assert done.stdout == f"copied {path} to {tmp_path / 'copy.db'}: 2 users, {size:,} bytes\n"
    again = botopt("state", "backup", tmp_path / "copy.db", "--state", path)
    assert again.returncode == 9
    assert "exists already" in again.stderr
    missing = botopt("state", "backup", tmp_path / "other.db", "--state", tmp_path / "none.db")
    assert missing.returncode == 9
    assert "there is no state file" in missing.stderr
