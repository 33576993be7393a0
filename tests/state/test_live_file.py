"""What the live service keeps, as it stands in a file: erased without a trace, damaged, on a full disk, beside others."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from botopt.model.errors import InputError, StateCorrupt, StateError, StateLocked, StateNewer
from botopt.model.live import ApiKey, Changes, DecisionQuery, LiveReader, OutboxQuery, OutboxStatus, StoredAnswer
from botopt.model.silence import Silence
from botopt.state import migrations
from botopt.state.control import SqliteControl
from botopt.state.opening import open_control, open_live, open_reader, read_store
from botopt.state.sqlite import open_state
from tests.state.helpers import T, as_anybody, decision, end, files, first_line, row, sending, start

SECRET = "4929 1234 5678 9012 "


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def all_of(user: str, marker: str, number: int, size: int = 30) -> Changes:
    """Something of a user in every place where there can be something."""
    text = marker * size
    key = f"{user}-{number}"
    return Changes(
        users=[row(user, state=text.encode())],
        decisions=[decision(key, user, record=text.encode(), event_id=marker)],
        outbox=[sending(key, user, address=marker, provider_id=marker + key, detail=marker, parcel=text.encode())],
        answers=[StoredAnswer(key, "h", 200, text.encode(), T, (user,))],
    )


def holding(folder: Path, marker: str) -> list[str]:
    return [name for name, content in files(folder).items() if marker.encode() in content]


def test_an_erased_user_leaves_no_bytes(path: Path) -> None:
    with open_live(path) as store:
        for number in range(20):
            for user in ("ada", "bob"):
                store.commit_changes(all_of(user, SECRET if user == "ada" else "harmless ", number))
        assert holding(path.parent, SECRET) == ["state.db-wal"]
        store.commit_changes(Changes(users=[row("ada", state=b"deleted")], erased=["ada"]))
        assert holding(path.parent, SECRET) == []
        assert len(store.decisions(DecisionQuery())) == 20
        assert holding(path.parent, "harmless ") == ["state.db"]
    assert holding(path.parent, SECRET) == []


def test_what_a_reader_still_sees_is_taken_from_the_log_later(path: Path) -> None:
    with open_live(path) as store:
        store.commit_changes(all_of("ada", SECRET, 1))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM decisions").fetchone() == (1,)
        store.commit_changes(Changes(users=[row("ada", state=b"deleted")], erased=["ada"]))
        assert "state.db-wal" in holding(path.parent, SECRET)
        other.close()
        store.tidy(0, 9)
        assert holding(path.parent, SECRET) == []


def test_compacting_leaves_nothing_in_unused_corners(path: Path) -> None:
    """SQLite does not overwrite the copies that it leaves behind when it moves rows between pages."""
    chance = random.Random(1)
    markers = {f"user-{number:03}": f"marker-of-{number:03} " for number in range(200)}
    with open_live(path) as store:
        for batch in range(60):
            found = []
            for number in range(batch * 25, batch * 25 + 25):
                user = chance.choice(list(markers))
                found.append(all_of(user, markers[user], number, chance.randrange(1, 60)))
            parts = ("users", "decisions", "outbox", "answers")
            store.commit_changes(
                Changes(**{part: [one for every in found for one in getattr(every, part)] for part in parts})
            )
        gone = list(markers)[::2]
        store.commit_changes(Changes(users=[row(user, state=b"deleted") for user in gone], erased=gone))
        size = path.stat().st_size
        kept = store.decisions(DecisionQuery(limit=9_999))
        store.compact()
        assert [user for user in gone if holding(path.parent, markers[user])] == []
        assert path.stat().st_size < size
        assert store.decisions(DecisionQuery(limit=9_999)) == kept
        store.check()
    assert list(files(path.parent)) == ["state.db"]


def test_a_file_into_which_the_log_is_just_being_moved_is_no_damaged_one(path: Path, tmp_path: Path) -> None:
    """Its beginning says already how many pages there will be."""
    other = tmp_path / "moving"
    other.mkdir()
    with open_state(path, create=True, read_only=False) as store:
        for number in range(50):
            store.commit_changes(all_of("ada", "x", number))
        store._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        content = path.read_bytes()
        (other / "state.db").write_bytes(content[: len(content) // 2])
        (other / "state.db-wal").write_bytes(path.with_name("state.db-wal").read_bytes())
    reader = open_reader(other / "state.db")
    assert len(reader.decisions(DecisionQuery())) == 50
    reader.close()
    with open_live(other / "state.db") as store:
        assert len(store.decisions(DecisionQuery())) == 50


@pytest.mark.parametrize(
    ("change", "read", "words"),
    [
        ("UPDATE decisions SET record = 'x'", lambda r: r.decision("d1"), "the row of decision 'd1'"),
        ("UPDATE decisions SET record = x'00'", lambda r: r.decisions(DecisionQuery()), "the row of decision 'd1'"),
        ("UPDATE decisions SET decided_us = 'soon'", lambda r: r.decision("d1"), "the row of decision 'd1'"),
        ("UPDATE outbox SET parcel = x'00'", lambda r: r.outbox_row("m1"), "the row of message 'm1'"),
        ("UPDATE outbox SET user = 'bob'", lambda r: r.outbox(OutboxQuery()), "the row of message 'm1'"),
        ("UPDATE outbox SET channel = 'mail'", lambda r: r.outbox_of("m1"), "the row of message 'm1'"),
        ("UPDATE outbox SET status = 'lost'", lambda r: r.outbox_row("m1"), "the row of message 'm1'"),
        ("UPDATE outbox SET next_us = 'soon'", lambda r: r.outbox_next_us("chat"), "a number in the table outbox"),
        ("UPDATE answers SET body = x'00'", lambda r: r.answer("k1"), "the row of answer 'k1'"),
        ("UPDATE silences SET until_us = 'soon'", lambda r: r.silences(0), "the row of silence 's1'"),
        ("UPDATE api_keys SET hashed = 'x'", lambda r: r.api_keys(), "the row of API key 'abcd1234'"),
    ],
)
def test_a_row_that_is_not_as_it_was_written_is_noticed(
    path: Path, change: str, read: Callable[[LiveReader], object], words: str
) -> None:
    with open_live(path) as store:
        answer = StoredAnswer("k1", "h", 200, b"{}", T)
        store.commit_changes(Changes(decisions=[decision("d1")], outbox=[sending("m1")], answers=[answer]))
    control = open_control(path)
    control.add_silence(Silence("s1", created_us=T, until_us=T + 9))
    control.add_key(ApiKey("abcd1234", "shop", ("read",), bytes(32), T), "eve")
    control.close()
    with sqlite3.connect(path) as connection:
        connection.execute(change)
    connection.close()
    with open_state(path, create=False, read_only=True) as reader, pytest.raises(StateCorrupt, match=words):
        read(reader)


def test_a_full_disk_keeps_what_was_there(path: Path) -> None:
    with open_state(path, create=True, read_only=False) as store:
        store.commit_changes(all_of("ada", "small ", 1))
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        before = store.decisions(DecisionQuery())
        with pytest.raises(StateError, match=r"the disk is full\. Nothing of the last batch was written"):
            store.commit_changes(all_of("bob", "large ", 2, 5_000))
        assert store.load(["ada", "bob"]).keys() == {"ada"}
        assert store.decisions(DecisionQuery()) == before
        assert [one.key for one in store.outbox(OutboxQuery())] == ["ada-1"]
        store._connection.execute("PRAGMA max_page_count = 1000000")
        store.commit_changes(all_of("bob", "large ", 2, 5_000))
    with open_state(path, create=False, read_only=True) as store:
        assert len(store.decisions(DecisionQuery())) == 2
        store.check()


@pytest.fixture
def first_format(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file as the first version of the tables had it, with a user."""
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        with open_state(path, create=True, read_only=False) as store:
            store.commit([row("ada")], meta={"newest": "5"})
    return path


def test_a_file_of_the_first_format_is_brought_up_to_date(first_format: Path) -> None:
    before = files(first_format.parent)
    with pytest.raises(StateError, match=r"older format \(1; .*`botopt state upgrade --state .*` brings it up to date"):
        open_reader(first_format)
    assert files(first_format.parent) == before
    with open_live(first_format) as store:
        assert list(store.users()) == [row("ada")]
        assert store.meta() == {"newest": "5"}
        store.commit_changes(all_of("bob", "new ", 1))
    reader = open_reader(first_format)
    assert reader.load(["ada"]) == {"ada": b"state"}
    assert len(reader.decisions(DecisionQuery())) == 1
    reader.close()


def test_an_administrator_brings_a_file_up_to_date_too(first_format: Path) -> None:
    control = open_control(first_format)
    control.add_silence(Silence("s1", created_us=T, until_us=T + 9))
    control.close()
    with open_live(first_format) as store:
        assert list(store.users()) == [row("ada")]
        assert [silence.id for silence in store.silences(T)] == ["s1"]


def test_an_older_botopt_that_holds_the_file_is_named(first_format: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        older = open_state(first_format, create=True, read_only=False)
    with pytest.raises(StateLocked, match="if it is an older botopt, stop it first"):
        open_control(first_format)
    older.close()


def test_a_new_file_is_made_only_where_that_is_asked(path: Path) -> None:
    with pytest.raises(InputError, match="there is no state file"):
        open_control(path)
    assert files(path.parent) == {}
    control = open_control(path, create=True)
    control.add_silence(Silence("s1", created_us=T, until_us=T + 9))
    control.close()
    control.close()
    assert list(files(path.parent)) == ["state.db"]
    reader = open_reader(path)
    assert [silence.id for silence in reader.silences(T)] == ["s1"]
    reader.close()


def test_a_file_that_must_not_be_written_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_text("no state")
    for writer in (open_control, open_live):
        with pytest.raises(StateCorrupt, match="is not a botopt state"):
            writer(path)
    assert files(tmp_path) == {"state.db": b"no state"}
    path.unlink()
    open_live(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(StateNewer):
        open_control(path)


def test_beside_a_writer_the_same_is_refused(path: Path) -> None:
    with open_live(path):
        tmp = path.parent
        tmp.chmod(0o755)
        path.chmod(0o444)
        said = as_anybody(lambda: open_control(path))
        assert "StateError" in said
        path.chmod(0o644)


def test_reading_makes_no_files_and_sees_every_commit(path: Path) -> None:
    open_live(path).close()
    reader = open_reader(path)
    assert list(files(path.parent)) == ["state.db"]
    with open_live(path) as store:
        for number in range(3):
            store.commit_changes(all_of("ada", "x", number))
            assert len(reader.decisions(DecisionQuery())) == number + 1
    assert len(reader.outbox(OutboxQuery())) == 3
    reader.close()


def test_each_thread_has_its_reader(path: Path) -> None:
    counts: list[list[int]] = [[], [], []]

    def look(seen: list[int]) -> None:
        reader = open_reader(path)
        while not seen or seen[-1] < 40:
            messages, decisions = reader.outbox(OutboxQuery()), reader.decisions(DecisionQuery())
            assert len(decisions) >= len(messages)  # each pair was committed together, and decisions were read later
            seen.append(len(messages))
        reader.close()

    with open_live(path) as store:
        threads = [Thread(target=look, args=(seen,)) for seen in counts]
        for thread in threads:
            thread.start()
        for number in range(40):
            store.commit_changes(all_of("ada", "x", number))
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
    assert all(seen == sorted(seen) and seen[-1] == 40 for seen in counts)


WRITER = """
import sys
from pathlib import Path
from botopt.model.live import Changes
from botopt.state.opening import open_live
from tests.state.helpers import T, decision, sending
with open_live(Path(sys.argv[1])) as store:
    version, number = store.control_version(), 0
    print("ready", flush=True)
    seen = []
    while len(seen) < int(sys.argv[2]):
        number += 1
        rows = [sending(f"m{number}-{i}") for i in range(20)]
        store.commit_changes(Changes(outbox=rows, decisions=[decision(one.key) for one in rows]))
        if store.control_version() != version:
            version = store.control_version()
            seen = [silence.id for silence in store.silences(0)]
    print("saw", *seen, flush=True)
"""


def test_an_administrator_writes_beside_a_busy_writer(path: Path) -> None:
    writer = start(WRITER, path, 10)
    assert first_line(writer) == "ready\n"
    for number in range(10):
        with SqliteControl(path) as control:
            assert control._lock is None  # the writer's is not touched
            control.add_silence(Silence(f"s{number}", created_us=T, until_us=T + 9))
    assert first_line(writer) == f"saw {' '.join(f's{number}' for number in range(10))}\n"
    end(writer)
    assert writer.returncode == 0
    assert list(files(path.parent)) == ["state.db"]
    with open_state(path, create=False, read_only=True) as store:
        store.check()
        assert len(store.silences(0)) == 10


CONTROL = """
import sys
from pathlib import Path
from botopt.model.silence import Silence
from botopt.state.control import SqliteControl
print("ready", flush=True)
sys.stdin.readline()
for number in range(15):
    with SqliteControl(Path(sys.argv[1])) as control:
        control.add_silence(Silence(f"{sys.argv[2]}{number}", created_us=0, until_us=9))
print("done", flush=True)
"""


def test_administrators_do_not_get_in_each_others_way(path: Path) -> None:
    with open_live(path) as store:
        others = [start(CONTROL, path, name) for name in ("a", "b")]
        for other in others:
            assert first_line(other) == "ready\n"
        for other in others:
            assert other.stdin is not None
            other.stdin.write("go\n")
            other.stdin.flush()
        number = 0
        while len(store.silences(-1)) < 30 and all(other.poll() is None for other in others):
            number += 1
            store.commit_changes(all_of("ada", "x", number))
        for other in others:
            assert first_line(other) == "done\n"
            end(other)
        assert len(store.silences(-1)) == 30


def test_a_service_waits_for_an_administrator_who_is_about_to_end(path: Path) -> None:
    control = open_control(path, create=True)
    closing = Thread(target=control.close)
    with pytest.raises(StateLocked):
        open_live(path, patience_s=0)
    closing.start()
    open_live(path, patience_s=20).close()
    closing.join(20)


def test_a_replay_and_a_service_share_a_file_one_after_the_other(path: Path) -> None:
    with open_live(path) as store:
        store.commit_changes(all_of("ada", "x", 1))
        with pytest.raises(StateLocked):
            open_state(path, create=False, read_only=False)
        with read_store(path) as reader:
            assert list(reader.load(["ada"])) == ["ada"]
    with open_state(path, create=False, read_only=False) as store:
        assert store.outbox_counts() == {("chat", OutboxStatus.PENDING): 1}
