"""Two processes find what one finds."""

from __future__ import annotations

import os
import select
import threading

import pytest

from botopt.model.codes import finding
from botopt.model.position import NOWHERE
from botopt.verify.checks import sharing
from botopt.verify.checks.sharing import PAYS_FROM, THEIRS, shared

HERE = os.getpid()


pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


@pytest.fixture(autouse=True)
def two_processors(monkeypatch):
    """Threads that earlier tests have left do nothing here, and do not count."""
    count, left = threading.active_count, threading.active_count() - 1
    monkeypatch.setattr(sharing.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(sharing.threading, "active_count", lambda: count() - left)


def said(parts):
    return [finding("B102", NOWHERE, f"part {part} of {os.getpid() == HERE}") for part in parts]


def test_many_parts_are_shared_and_stay_in_order():
    parts = range(PAYS_FROM)
    found = [one.message for one in shared(parts, said)]
    ours = PAYS_FROM - int(PAYS_FROM * THEIRS)
    assert 0 < ours < PAYS_FROM / 2
    assert found == [f"part {part} of {part < ours}" for part in parts]


def test_few_parts_are_not_worth_a_process():
    assert {one.message[-4:] for one in shared(range(PAYS_FROM - 1), said)} == {"True"}


def test_a_process_with_threads_is_not_copied():
    going = threading.Event()
    other = threading.Thread(target=going.wait)
    other.start()
    try:
        assert {one.message[-4:] for one in shared(range(PAYS_FROM), said)} == {"True"}
    finally:
        going.set()
        other.join()


def test_what_the_other_process_could_not_say_is_looked_at_here():
    def dies(parts):
        if os.getpid() != HERE:
            os._exit(3)
        return said(parts)

    assert [one.message for one in shared(range(PAYS_FROM), dies)] == [f"part {n} of True" for n in range(PAYS_FROM)]


def test_a_fault_is_raised_where_it_can_be_told():
    def fails(parts):
        if PAYS_FROM - 1 in parts:
            raise RuntimeError("found")
        return said(parts)

    with pytest.raises(RuntimeError, match="found"):
        list(shared(range(PAYS_FROM), fails))


def test_the_other_process_begins_before_anybody_asks(tmp_path):
    def notes(parts):
        if os.getpid() != HERE:
            os.write(writes, b"begun")
        return said(parts)

    reads, writes = os.pipe()
    result = shared(range(PAYS_FROM), notes)
    assert select.select([reads], [], [], 30)[0], "it did not begin"
    assert os.read(reads, 5) == b"begun"
    assert len(list(result)) == PAYS_FROM
