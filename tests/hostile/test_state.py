"""States that somebody damaged, or made: they are read, or refused in words."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.errors import StateCorrupt
from botopt.model.event import Event
from botopt.model.user_state import (
    ConsentWord,
    Held,
    MuteState,
    PastEvent,
    Send,
    Tally,
    UserState,
    pack,
    unpack,
)
from botopt.state.memory import MemoryStore
from botopt.state.sqlite import open_state
from botopt.state.user_view import view_json
from botopt.verify.state_view import view_user
from tests.hostile.support import FUZZ, limited
from tests.state.helpers import T, row

EVENT = Event("e1", "", "ping", "ada", T, {"a": "x", "b": [1, {"c": None}], "d": 1.5})
STATE = UserState(
    T, False, T - 9, {"plan": "pro", "tags": ["a", 1]}, [ConsentWord("news", None, True)], {2**63: T}, {2**63: 2},
    {"ping": [T, T + 1]}, {"ping": [PastEvent(b"\x00" * 16, T, {"a": 5})]},
    [Send(b"\x01" * 16, "ping", "chat", T, keys={"a": 7})], [Held(T + 5, T, 1, EVENT)], {"tired": MuteState(T)},
    Tally(1.5, 2.5, T, 1, 2), {"ping": Tally()}, 3,
)  # fmt: skip
BLOB = pack(STATE)
MAP, LIST, TEXT = b"\xdf\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"
"""Four billion entries, entries and bytes, of which none follows."""

HEAD = b"\x9f\x00\xc2\x00"
MADE: dict[str, bytes] = {
    "nothing": b"",
    "one byte that means nothing": b"\xc1",
    "four billion fields": LIST,
    "four billion attributes": HEAD + MAP,
    "a name of four billion bytes": HEAD + b"\x81" + TEXT,
    "an attribute of four billion entries": HEAD + b"\x81\xa1a" + LIST,
    "four billion words of consent": HEAD + b"\x80" + LIST,
    "a map for a list": HEAD + b"\x80\x80",
    "a million lists in one another": b"\x91" * 1_000_000,
    "an extension": b"\x91\xc7\x00\x01",
    "a moment": b"\x91\xd6\xff\x00\x00\x00\x00",
    "something behind the end": BLOB + b"\x00",
    "the first half": BLOB[: len(BLOB) // 2],
    "a response that is none": BLOB.replace(
        pack(STATE.sends[0]), pack(STATE.sends[0]).replace(b"\x00\x00\x81", b"\x09\x00\x81")
    ),  # type: ignore[arg-type]
    "JSON": b'{"clock_us": 5}',
}


def read(blob: bytes) -> str:
    """Whether a blob is a state; what is one can be packed again, and shown or refused."""
    try:
        state = unpack(blob)
    except REFUSED:
        return "refused"
    assert unpack(pack(state)) == state or "nan" in repr(state)
    return "read"


REFUSED = (msgspec.MsgspecError,)


@pytest.mark.parametrize("name", MADE)
def test_a_made_blob_is_refused_in_little_memory(name: str) -> None:
    assert limited(lambda: read(MADE[name]), memory=64 << 20) == "refused"


def test_any_bytes_are_read_or_refused() -> None:
    def task() -> str:
        for number in range(4_000 * FUZZ):
            chance = random.Random(number)
            blob = chance.randbytes(chance.choice((1, 5, 50, 500)))
            read(blob if number % 2 else HEAD[: chance.randrange(5)] + blob)
        return "read"

    assert limited(task, seconds=20 * FUZZ) == "read"


def damaged(blob: bytes, chance: random.Random) -> bytes:
    content = bytearray(blob)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(content))
        match chance.randrange(4):
            case 0:
                content[at] = chance.randrange(256)
            case 1:
                content[at] ^= 1 << chance.randrange(8)
            case 2:
                content[at:at] = chance.choice(
                    (MAP, LIST, TEXT, b"\xc0", b"\x91", b"\x81\xa0", b"\xcb\x7f\xf8" + bytes(6))
                )
            case _:
                del content[at : at + chance.choice((1, 3, 10))]
    return bytes(content)


def test_a_changed_blob_is_read_or_refused() -> None:
    def task() -> str:
        return str(
            {read(damaged(BLOB, random.Random(number))) for number in range(6_000 * FUZZ)} == {"read", "refused"}
        )

    assert limited(task, seconds=20 * FUZZ) == "True"


def test_a_row_that_was_changed_behind_the_back_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    for number in range(40 * FUZZ):
        chance = random.Random(number)
        path.unlink(missing_ok=True)
        with open_state(path, create=True, read_only=False) as store:
            store.commit([row("ada", state=BLOB), row("bob", state=BLOB)], meta={})
            column = chance.choice(("state", "checksum", "clock", "held", "due_us", "user", "last_message"))
            value: object = chance.choice(
                (b"", BLOB[:-1], damaged(BLOB, chance), None, -1, 2**62, 1.5, "x", "\x00", "9" * 99)
            )
            try:
                store._connection.execute(f"UPDATE users SET {column} = ? WHERE user = 'ada'", (value,))
            except Exception:  # noqa: BLE001 - the table itself refuses some values
                continue
        said = str(path)
        try:
            with open_state(path, create=False, read_only=True) as store:
                store.load(["ada", "bob"])
                list(store.users())
                store.due(2**62, 9)
                store.held()
                store.check()
        except StateCorrupt as why:
            said = str(why)
        assert str(path) in said
        assert "\n" not in said


@settings(max_examples=150 * FUZZ, deadline=None)
@given(st.integers(), st.binary(max_size=60))
def test_a_state_that_is_none_is_shown_or_refused(seed: int, junk: bytes) -> None:
    shown(damaged(BLOB, random.Random(seed)))
    shown(junk)


def shown(blob: bytes) -> None:
    """A user as `botopt state` shows one; a blob that is no state is refused in words."""
    with MemoryStore() as store:
        store.commit([row("ada", state=blob)], meta={})
        try:
            found = view_user(store, "ada")
            assert found is not None
            view_json(found)
        except StateCorrupt:
            return


NO_STATES = {
    "a name that is no UTF-8": HEAD + b"\x81\xa1\xff\x01",
    "lists in one another in an attribute": HEAD + b"\x81\xa1a" + b"\x91" * 100_000,
}


@pytest.mark.parametrize("name", NO_STATES)
def test_what_is_no_state_is_refused_as_the_contract_says(name: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        unpack(NO_STATES[name])


STRANGE = {
    "a clock beyond all years": pack(UserState(2**63)),
    "a key that is a list": pack(UserState(attributes={"a": [{("c",): None}]})),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_state_is_shown_or_refused_in_words(name: str) -> None:
    with MemoryStore() as store:
        store.commit([row("ada", state=STRANGE[name])], meta={})
        with pytest.raises(StateCorrupt):
            view_json(view_user(store, "ada"))
