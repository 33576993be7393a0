"""One workspace in an editor: when it looks, what it shows, and what a fault does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from botopt.lsp import session as module
from botopt.lsp.session import Session, workspace_of
from botopt.model.diagnostic import Diagnostic, Severity
from botopt.model.position import Position
from botopt.verify.live import Live

RULES = "rules/a.yaml"
GOOD = "channels: {chat: {type: console}}\nevents:\n  paid: {}\n"
WRONG = GOOD + "suppression:\n  - {id: x, cooldown: 6h, events: [payd]}\n"


class Shown:
    """What the editor was shown, one publication after another."""

    def __init__(self) -> None:
        self.shown: list[dict[str, list[str]]] = []
        self.faults: list[str] = []

    def publish(self, _: Session, findings: Mapping[str, Sequence[Diagnostic]]) -> None:
        self.shown.append({file: [one.code for one in found] for file, found in findings.items()})

    def report(self, fault: Exception) -> None:
        self.faults.append(str(fault))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / RULES).write_text(GOOD, "utf-8")
    return tmp_path


def sitting(folder: Path, story: Callable[[Session, Shown], Awaitable[None]]) -> Shown:
    shown = Shown()

    async def run() -> None:
        session = Session(folder, shown.publish, shown.report)
        await story(session, shown)
        session.close()

    asyncio.run(run())
    return shown


def test_many_keys_are_one_look_and_the_last_one_counts(folder: Path, monkeypatch):
    looks = []
    look = Live.glance
    monkeypatch.setattr(Live, "glance", lambda self: (looks.append(1), look(self))[1])

    async def story(session: Session, shown: Shown) -> None:
        await session.settled()
        for length in range(len(GOOD), len(WRONG) + 1):
            session.write(RULES, WRONG[:length])
        await session.settled()
        assert [one.code for one in session.findings(RULES)] == ["B102"]
        session.write(RULES, GOOD)
        await session.settled()

    shown = sitting(folder, story)
    assert len(looks) == 3
    assert shown.shown == [{}, {RULES: ["B102"]}, {RULES: []}]


def test_what_takes_long_is_looked_for_after_a_pause_and_shown_beside_the_rest(folder: Path, monkeypatch):
    monkeypatch.setattr(module, "PAUSE_S", 0)
    more = Diagnostic("B403", Severity.INFO, Position(RULES, 1, 1, 1, 2), "later")
    monkeypatch.setattr(module, "rest", lambda view: (more,))

    async def story(session: Session, shown: Shown) -> None:
        session.write(RULES, WRONG)
        await session.settled()
        while len(shown.shown) < 2:
            await asyncio.sleep(0.01)
        session.write(RULES, GOOD)
        await session.settled()

    shown = sitting(folder, story)
    assert shown.shown[:2] == [{RULES: ["B102"]}, {RULES: ["B403", "B102"]}]
    assert shown.shown[2] == {RULES: []}, "what was found about a text that is gone is gone"


def test_a_fault_of_botopt_is_told_and_the_next_edit_is_looked_at(folder: Path, monkeypatch):
    look = Live.glance

    def broken(self: Live):
        if b"payd" in self._written.get(RULES, b""):
            raise RuntimeError("a bug")
        return look(self)

    monkeypatch.setattr(Live, "glance", broken)

    async def story(session: Session, shown: Shown) -> None:
        await session.settled()
        session.write(RULES, WRONG)
        await session.settled()
        session.write(RULES, "evnts: {}\n")
        await session.settled()

    shown = sitting(folder, story)
    assert shown.faults == ["a bug"]
    assert shown.shown[-1][RULES] == ["B101"]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        (RULES, True),
        ("rules/deep/b.yaml", True),
        ("tests/x.test.yaml", True),
        ("x.yaml", False),
        ("rules/a.txt", False),
    ],
)
def test_a_file_belongs_to_the_workspace_around_it(folder: Path, name: str, known: bool):
    assert workspace_of(folder / name) == ((folder, name) if known else None)
