"""What every store promises."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.ports import StateStore, UserRow
from botopt.model.user_state import NEVER_US
from botopt.state.memory import MemoryStore
from botopt.state.spilling import SpillingStore
from botopt.state.sqlite import open_state
from tests.state.helpers import T, row

MAKERS: Mapping[str, Callable[[Path], StateStore]] = {
    "memory": lambda folder: MemoryStore(),
    "spilling, all in memory": lambda folder: SpillingStore(1 << 30),
    "spilling, after the first commit": lambda folder: SpillingStore(1),
    "spilling, somewhere": lambda folder: SpillingStore(3_000),
    "sqlite": lambda folder: open_state(folder / "state.db", create=True, read_only=False),
}


@pytest.fixture(params=MAKERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateStore]:
    made = MAKERS[request.param](tmp_path)
    yield made
    made.close()


def test_a_new_store_knows_nothing(store: StateStore) -> None:
    assert store.load(["ada"]) == {}
    assert store.meta() == {}
    assert store.due(2**62, 9) == []
    assert store.held() == 0
    assert list(store.users()) == []


def test_what_is_committed_is_loaded(store: StateStore) -> None:
    store.commit([row("ada", state=b"1"), row("bob", state=b"")], meta={"newest": "5"})
    assert store.load(["bob", "ada", "eve"]) == {"ada": b"1", "bob": b""}
    assert store.meta() == {"newest": "5"}


def test_a_later_commit_replaces(store: StateStore) -> None:
    store.commit([row("ada", held=2, due_us=T), row("bob")], meta={"newest": "5", "kept": "a"})
    store.commit([row("ada", state=b"2")], meta={"newest": "6"})
    assert store.load(["ada", "bob"]) == {"ada": b"2", "bob": b"state"}
    assert store.meta() == {"newest": "6", "kept": "a"}
    assert store.held() == 0
    assert store.due(2**62, 9) == []


def test_the_last_row_of_a_user_in_a_batch_counts(store: StateStore) -> None:
    store.commit([row("ada", held=1, due_us=T), row("ada", held=2, due_us=T, state=b"2")], meta={})
    assert (store.held(), store.load(["ada"])) == (2, {"ada": b"2"})


def test_a_row_comes_back_as_it_was(store: StateStore) -> None:
    rows = [
        UserRow("ada", T + 123_456, T - 1, "payment_failed", 2, T + 5, b"\0\xff"),
        UserRow("bob", NEVER_US, None, None, 0, None, b"x"),
    ]
    store.commit(rows, meta={})
    assert list(store.users()) == rows


def test_users_come_by_id(store: StateStore) -> None:
    names = ["b", "a", "B", "ä", "\U0001f600", "\uffff", "a b", "日本", "a" * 256, "' OR 1=1; --", "%", "1", "01"]
    store.commit([row(name) for name in names], meta={})
    assert [found.user for found in store.users()] == sorted(names)


def test_many_users_come_each_once(store: StateStore) -> None:
    names = [f"user-{number:05}" for number in range(1_501)]
    store.commit(map(row, names), meta={})
    assert [found.user for found in store.users()] == names
    assert len(store.load(names)) == 1_501


@pytest.mark.parametrize("count", [1, 2, 20, 21, 500, 501, 1_001])
def test_any_number_of_users_is_loaded_at_once(store: StateStore, count: int) -> None:
    names = [f"user-{number}" for number in range(count)]
    store.commit([row(name, state=name.encode()) for name in names], meta={})
    assert store.load([*names, "nobody"]) == {name: name.encode() for name in names}


def test_due_is_ordered_by_time_then_user(store: StateStore) -> None:
    due = {"late": T + 3, "b": T + 1, "a": T + 1, "first": T, "none": None}
    store.commit([row(name, held=int(us is not None), due_us=us) for name, us in due.items()], meta={})
    assert [user for _, user in store.due(T + 2, 9)] == ["first", "a", "b"]
    assert store.due(T + 2, 1) == store.due(T + 2, 9)[:1]
    assert [user for _, user in store.due(T, 9)] == ["first"]
    assert store.due(T - 1, 9) == []


def test_held_counts_messages_not_users(store: StateStore) -> None:
    store.commit([row("a", held=3, due_us=T), row("b", held=1, due_us=T)], meta={})
    assert store.held() == 4
    store.commit([row("a")], meta={})
    assert store.held() == 1


def test_a_batch_that_breaks_changes_nothing(store: StateStore) -> None:
    store.commit([row("ada", held=1, due_us=T)], meta={"newest": "1"})

    def breaking() -> Iterator[UserRow]:
        yield row("ada", state=b"2")
        yield row("bob")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        store.commit(breaking(), meta={"newest": "2"})
    assert list(store.users()) == [row("ada", held=1, due_us=T)]
    assert (store.meta(), store.held()) == ({"newest": "1"}, 1)
    store.commit([row("bob")], meta={})
    assert [found.user for found in store.users()] == ["ada", "bob"]


def test_committing_while_users_are_read(store: StateStore) -> None:
    names = [f"user-{number:05}" for number in range(1_200)]
    store.commit(map(row, names), meta={})
    seen = []
    for found in store.users():
        seen.append(found.user)
        if len(seen) == 10:
            store.commit([row("user-00000", state=b"new")], meta={})
    assert seen == names


def test_a_user_that_is_no_valid_text_is_unknown(store: StateStore) -> None:
    assert store.load(["\udce4"]) == {}


def test_closing_twice_is_harmless(store: StateStore) -> None:
    store.close()
    store.close()


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5) | st.sampled_from(["a", "b", "c"])
TIMES = st.integers(946_684_800_000_000, 4_133_980_799_999_999)
ROWS = st.builds(
    lambda user, at, last, kind, due, held, state: UserRow(
        user, at, last, kind if last is not None else None, held if due is not None else 0, due, state
    ),
    NAMES,
    TIMES | st.just(NEVER_US),
    st.none() | TIMES,
    st.sampled_from(["payment_failed", "parcel_late"]),
    st.none() | TIMES,
    st.integers(1, 9),
    st.binary(max_size=50),
)
BATCHES = st.lists(st.tuples(st.lists(ROWS, max_size=8), st.dictionaries(NAMES, NAMES, max_size=3)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(BATCHES, TIMES)
def test_stores_agree(batches: list[tuple[list[UserRow], dict[str, str]]], until_us: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        MemoryStore() as memory,
        open_state(Path(folder, "state.db"), create=True, read_only=False) as sqlite,
    ):
        for rows, meta in batches:
            for store in (memory, sqlite):
                store.commit(rows, meta=meta)
        names = [found.user for rows, _ in batches for found in rows]
        assert memory.load(names) == sqlite.load(names)
        assert list(memory.users()) == list(sqlite.users())
        assert memory.meta() == sqlite.meta()
        assert memory.due(until_us, 99) == sqlite.due(until_us, 99)
        assert memory.held() == sqlite.held()
