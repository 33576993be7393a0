"""A few readers for many threads."""

from __future__ import annotations

import threading

import pytest

from botopt.model.errors import StateError
from botopt.runtime import readers
from botopt.runtime.items import Overloaded, Stopping
from botopt.runtime.readers import Readers
from tests.runtime.fakes import FakeStore


class Opened:
    def __init__(self) -> None:
        self.all: list[FakeStore] = []

    def __call__(self) -> FakeStore:
        self.all.append(FakeStore())
        return self.all[-1]


def test_readers_are_opened_when_they_are_needed_and_used_again() -> None:
    opened = Opened()
    pool = Readers(opened)
    assert opened.all == []
    for _ in range(5):
        with pool.reader():
            pass
    assert len(opened.all) == 1
    with pool.reader() as one, pool.reader() as other:
        assert one is not other
    assert len(opened.all) == 2


def test_who_comes_when_none_is_free_waits_for_one() -> None:
    pool = Readers(Opened(), most=1)
    got = threading.Event()

    def second() -> None:
        with pool.reader():
            got.set()

    with pool.reader():
        thread = threading.Thread(target=second)
        thread.start()
        assert not got.is_set()
    assert got.wait(10)
    thread.join(10)


def test_nobody_waits_for_ever(monkeypatch) -> None:
    monkeypatch.setattr(readers, "_WAIT_S", 0.01)
    pool = Readers(Opened(), most=1)
    with pool.reader(), pytest.raises(Overloaded), pool.reader():
        pass
    with pool.reader():
        pass


def test_a_reader_that_met_a_fault_is_replaced() -> None:
    opened = Opened()
    pool = Readers(opened, most=1)
    with pytest.raises(StateError), pool.reader():
        raise StateError("the disk does not read")
    assert opened.all[0].closed
    with pool.reader() as reader:
        assert reader is opened.all[1]


def test_a_state_that_cannot_be_opened_costs_no_place() -> None:
    def fail() -> FakeStore:
        raise StateError("no")

    pool = Readers(fail, most=1)
    for _ in range(3):
        with pytest.raises(StateError), pool.reader():
            pass


def test_all_are_closed_at_the_end_also_those_that_somebody_has() -> None:
    opened = Opened()
    pool = Readers(opened, most=2)
    with pool.reader(), pool.reader():
        pass
    with pool.reader():
        pool.close()
        assert sum(one.closed for one in opened.all) == 1
    assert all(one.closed for one in opened.all)
    with pytest.raises(Stopping), pool.reader():
        pass
