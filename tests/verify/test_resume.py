"""A run that dies at any moment, and goes on, leaves what a run leaves that never died."""

from __future__ import annotations

import errno
import itertools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from botopt.engine.engine import Engine
from botopt.model.errors import BotoptError, InputError, StateError, UsageError
from botopt.model.ports import UserRow
from botopt.state.sqlite import SqliteStore, open_state
from botopt.state.user_view import view_json
from botopt.verify.appending import Disk, RealDisk
from botopt.verify.inputs import Inputs
from botopt.verify.journal import look_at, read_journal
from botopt.verify.one_lane import OneLane
from botopt.verify.outputs import Outputs
from botopt.verify.population import Population
from botopt.verify.resuming import Files, begin, check_resumable, resume
from botopt.verify.run import Run
from botopt.verify.state_view import views
from tests.engine.support import HOUR, Workspace, at, base, ev

ENGINE = Workspace(base('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}\n{id: c, cooldown: 2h}')).engine
ASKED: Mapping[str, str | int | None] = {"--until": None}


def events() -> list[bytes]:
    """Some messages are sent, some suppressed, some held to the end; some lines are none."""
    lines = []
    for number in range(120):
        kind = ("a", "b", "message.clicked", "fire", "paid")[number % 5]
        event = ev(kind, f"u{number % 7}", at("09:00") + number * HOUR // 6, id=f"e{number}")
        lines.append(json.dumps(event).encode())
        if number % 11 == 0:
            lines.append(b'{"id": "broken%d"' % number)
    lines += [json.dumps(ev("a", f"night{n}", f"tue 23:{n:02}", id=f"n{n}")).encode() for n in range(8)]
    return [*lines, json.dumps(ev("paid", "last", "wed 12:00", id="last")).encode()]


class Place:
    """A folder with one run in it, which may die and go on."""

    def __init__(self, folder: Path, engine: Engine = ENGINE, *, behind: bool = False) -> None:
        self.engine = engine
        self.behind = behind
        folder.mkdir()
        self.events, self.out, self.rejects, self.state = (
            folder / name for name in ("events.jsonl", "out.jsonl", "rejects.jsonl", "state.db")
        )
        self.events.write_bytes(b"\n".join(events()) + b"\n")

    def run(self, disk: Disk | None = None, *, again: bool, wrap: type[SqliteStore] | None = None) -> None:
        """Run, or go on; it may raise anywhere."""
        disk = disk or RealDisk()
        with open_state(self.state, create=True, read_only=False) as store:
            if wrap is not None:
                store.__class__ = wrap
            name = str(self.events)
            if again:
                files = resume(store, [name], self.out, self.rejects, ASKED, disk=disk)
            else:
                files = begin(store, self.out, self.rejects, ASKED, journaled=True, disk=disk)
            with files, Inputs([name]) as inputs:
                self.decide(files, store, inputs)

    def decide(self, files: Files, store: SqliteStore, inputs: Inputs) -> None:
        name = str(self.events)
        lanes = OneLane(self.engine, Population(self.engine, store), [name])
        outputs = Outputs(files.out, files.rejects, None)
        look = lambda: look_at([name])  # noqa: E731
        run = Run(self.engine, lanes, store, outputs, journal=files.journal, look=look, batch=9, behind=self.behind)
        run.run(inputs)

    def left(self) -> tuple[bytes, bytes, str, object]:
        """Everything that a run leaves behind; paths differ from place to place."""
        with open_state(self.state, create=False, read_only=True) as store:
            users = "\n".join(view_json(view) for view in views(store))
            journal = read_journal(store.meta())
        assert journal is not None
        assert journal.ended
        counts = (journal.summary, journal.place, journal.out, journal.rejects, journal.newest_us)
        rejected = self.rejects.read_bytes().replace(str(self.events).encode(), b"EVENTS")
        return self.out.read_bytes(), rejected, users, counts[:3]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, str, object]:
    place = Place(tmp_path_factory.mktemp("whole") / "run")
    place.run(again=False)
    return place.left()


def test_an_undisturbed_run_has_all_kinds_of_records(whole):
    records = whole[0]
    for found in (b'"sent"', b'"cooldown"', b'"held"', b'"rejected"'):
        assert found in records
    assert records.count(b'"time":"2026-03-04T08:00:00Z"') >= 8  # released in the morning, at the end of the input


# ---------------------------------------------------------------- the disk refuses, or the power fails


class Faulty:
    """A disk that fails at its n-th call: with an error, after a short write, or because the power fails.

    When the power fails, what was not synced is gone, but for a part of it that made it to the disk by chance.
    """

    def __init__(self, fail_at: int, how: str) -> None:
        self.real = RealDisk()
        self.fail_at = fail_at
        self.how = how
        self.calls = 0
        self.failed = False
        self.synced: dict[int, int] = {}
        self.dead = False

    def _call(self) -> bool:
        """Whether this is the call that fails."""
        if self.dead:
            raise PowerCut
        self.calls += 1
        if self.calls != self.fail_at:
            return False
        self.failed = True
        return True

    def _fail(self) -> None:
        if self.how == "power":
            self.cut()
            raise PowerCut
        raise OSError(
            {"full": errno.ENOSPC, "short": errno.ENOSPC, "io": errno.EIO, "readonly": errno.EROFS}[self.how], "no"
        )

    def cut(self) -> None:
        self.dead = True
        for descriptor, length in self.synced.items():
            size = os.fstat(descriptor).st_size
            os.ftruncate(descriptor, length + (size - length) // 3)

    def open(self, path: Path, flags: int) -> int:
        if self._call():
            self._fail()
        descriptor = self.real.open(path, flags)
        self.synced[descriptor] = os.fstat(descriptor).st_size
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        if self._call():
            if self.how == "short":
                self.real.write(descriptor, data[: len(data) // 2])
            self._fail()
        return self.real.write(descriptor, data[:100])  # always short

    def read(self, descriptor: int, size: int, offset: int) -> bytes:
        if self._call():
            self._fail()
        return self.real.read(descriptor, min(size, 1_000), offset)

    def size(self, descriptor: int) -> int:
        if self._call():
            self._fail()
        return self.real.size(descriptor)

    def truncate(self, descriptor: int, length: int) -> None:
        if self._call():
            self._fail()
        self.real.truncate(descriptor, length)

    def sync(self, descriptor: int) -> None:
        if self._call():
            self._fail()
        self.real.sync(descriptor)
        self.synced[descriptor] = self.real.size(descriptor)

    def sync_folder(self, folder: Path) -> None:
        if self._call():
            self._fail()
        self.real.sync_folder(folder)

    def close(self, descriptor: int) -> None:
        self.synced.pop(descriptor, None)
        self.real.close(descriptor)
        if not self.dead and self._call():
            self._fail()


class PowerCut(BaseException):
    """Nobody can catch this one."""


def attempts(folder: Path, how: str) -> Iterator[tuple[Place, Faulty]]:
    """One place for every call that a run makes: there the call fails. In the short form for every fifth one."""
    step = 1 if os.environ.get("BOTOPT_SOAK") else 5
    for fail_at in itertools.chain(range(1, 4), itertools.count(4, step)):
        place, disk = Place(folder / f"{how}{fail_at}"), Faulty(fail_at, how)
        yield place, disk
        if not disk.failed:
            return


@pytest.mark.parametrize("how", ["full", "short", "io", "readonly", "power"])
def test_whatever_call_fails_the_run_goes_on_later(tmp_path, whole, how):
    failed = 0
    for place, disk in attempts(tmp_path, how):
        try:
            place.run(disk, again=False)
        except (InputError, PowerCut):
            failed += 1
        place.run(again=True)
        assert place.left() == whole
    assert failed > 20


@pytest.mark.parametrize("how", ["io", "power"])
def test_it_may_fail_again_while_it_goes_on(tmp_path, whole, how):
    for fail_at in (1, 2, 3, 4, 5, 6, 7, 9, 12):
        place = Place(tmp_path / f"{how}{fail_at}")
        with pytest.raises((BotoptError, PowerCut)):
            place.run(Faulty(40, how), again=False)
        with pytest.raises((BotoptError, PowerCut)):
            place.run(Faulty(fail_at, how), again=True)
        place.run(again=True)
        assert place.left() == whole


class Stubborn(SqliteStore):
    """A state that cannot be written any more after some commits."""

    left = 0

    def commit(self, rows: list[UserRow], *, meta: Mapping[str, str]) -> None:
        type(self).left -= 1
        if self.left < 0:
            raise StateError("the disk is full")
        super().commit(rows, meta=meta)


@pytest.mark.parametrize("how", ["io", "power"])
def test_the_same_where_a_batch_is_committed_while_the_next_is_decided(tmp_path, whole, how):
    for fail_at in range(1, 70, 6):
        place = Place(tmp_path / f"{how}{fail_at}", behind=True)
        with pytest.raises((BotoptError, PowerCut)):
            place.run(Faulty(fail_at, how), again=False)
        place.run(again=True)
        assert place.left() == whole


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("commits", range(0, 20, 3))
def test_when_the_state_cannot_be_written_the_output_is_cut_back(tmp_path, whole, commits, behind):
    place = Place(tmp_path / "run", behind=behind)
    Stubborn.left = commits
    with pytest.raises(StateError):
        place.run(again=False, wrap=Stubborn)
    place.run(again=True)
    assert place.left() == whole


# ---------------------------------------------------------------- what is refused


@pytest.fixture
def died(tmp_path: Path) -> Place:
    """A run that died somewhere in the middle."""
    place = Place(tmp_path / "run")
    with pytest.raises(InputError):
        place.run(Faulty(60, "io"), again=False)
    return place


def kept(place: Place) -> tuple[bytes, bytes]:
    return place.out.read_bytes(), place.rejects.read_bytes()


@pytest.mark.parametrize(
    "change", [lambda text: text[:-10], lambda text: text + b"\n", lambda text: text.replace(b"u3", b"u4")]
)
def test_a_changed_input_is_refused(died, change):
    died.events.write_bytes(change(died.events.read_bytes()))
    before = kept(died)
    with pytest.raises(InputError, match=r"events\.jsonl is not what the run began with"):
        died.run(again=True)
    assert kept(died) == before


@pytest.mark.parametrize("change", [lambda text: text[:100], lambda text: b"x" + text[1:], lambda text: b""])
def test_a_changed_output_is_refused_and_left_alone(died, change):
    died.out.write_bytes(change(died.out.read_bytes()))
    before = kept(died)
    with pytest.raises(InputError, match="is not as the run left it"):
        died.run(again=True)
    assert kept(died) == before


def test_an_output_that_is_gone_is_said(died):
    died.out.unlink()
    with pytest.raises(InputError, match="is gone"):
        died.run(again=True)


def test_another_output_is_never_cut_off(died, tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("important\n" * 10_000)
    died.out = precious
    with pytest.raises((InputError, UsageError)):
        died.run(again=True)
    assert precious.read_text() == "important\n" * 10_000


def test_an_output_that_the_state_knows_nothing_of_is_never_touched(tmp_path):
    place = Place(tmp_path / "run")
    place.out.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        place.run(again=True)
    assert place.out.read_text() == "mine"


def test_a_run_that_never_began_begins(tmp_path, whole):
    place = Place(tmp_path / "run")
    place.run(again=True)
    assert place.left() == whole


def test_a_run_that_has_ended_stays_as_it_is(tmp_path, whole):
    place = Place(tmp_path / "run")
    place.run(again=False)
    place.run(again=True)
    assert place.left() == whole


def test_after_a_run_that_has_ended_another_begins(tmp_path):
    place = Place(tmp_path / "run")
    place.run(again=False)
    place.events.write_bytes(json.dumps(ev("a", "new", "thu 12:00", id="new")).encode())
    place.out, place.rejects = tmp_path / "second.jsonl", tmp_path / "second-rejects.jsonl"
    place.run(again=True)
    assert place.out.read_bytes().count(b"\n") == 1


@pytest.mark.parametrize(
    ("inputs", "state", "out", "words"),
    [
        (["e.jsonl"], None, Path("o"), "--resume needs --state"),
        (["e.jsonl"], Path("s"), None, "--resume needs --out"),
        (["-"], Path("s"), Path("o"), "not a plain one"),
    ],
)
def test_what_resuming_needs(inputs, state, out, words):
    with pytest.raises(UsageError, match=words):
        check_resumable(inputs, state, out)
