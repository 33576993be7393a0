"""`botopt test --watch` as a process of its own: files change, and it says what came of it; nobody sleeps."""

from __future__ import annotations

import os
import pty
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.cli.running import ROOT, RULES, TEMPLATES, botopt, workspace

PATIENCE_S = 60
TEST = """\
tests:
  - name: {name}
    steps:
      - send: payment_failed
        with: {{amount: 42}}
        expect: {{outcome: {outcome}}}
"""


class Watching:
    """The process, and what it prints as it comes."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._pieces: queue.Queue[str] = queue.Queue()
        env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160", "NO_COLOR": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "botopt", "test", "--watch", *words],
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._pieces.put(line)

    def until(self, last: str = "Ctrl-C ends") -> str:
        """Everything up to the line that holds this."""
        said = ""
        while last not in said:
            said += self._pieces.get(timeout=PATIENCE_S)
        assert "Traceback" not in said
        return said

    def end(self) -> int:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def folder(tmp_path) -> Path:
    here = workspace(tmp_path)
    (here / "rules" / "r.test.yaml").write_text(TEST.format(name="sent", outcome="sent"), "utf-8")
    return here


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C reaches what is started here, also where a shell that started these tests in the background ignores it: a
    process inherits what is ignored, but not what is handled.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def watching(folder, ctrl_c) -> Iterator[Watching]:
    with Watching(folder) as found:
        yield found


def test_changes_are_tested_as_they_come(folder, watching):
    rules = folder / "rules" / "r.yaml"
    assert "1 test, 1 expectation: all as expected" in watching.until()

    rules.write_text(RULES.replace("weight: 0.70", "weight: 0.30"), "utf-8")
    said = watching.until()
    assert "failed sent" in said
    assert "found     below_threshold" in said

    rules.write_text(RULES.replace("weight: 0.70", "wieght: 0.70"), "utf-8")
    said = watching.until()
    assert 'rules/r.yaml:9:5 B101 error: unknown key "wieght"' in said
    assert "expectation" not in said

    draft = folder / "rules" / "draft"
    draft.write_text(RULES, "utf-8")
    draft.replace(rules)  # as many editors save
    assert "all as expected" in watching.until()
    assert watching.end() == 130


def test_new_files_and_new_folders_are_seen(folder, watching):
    watching.until()
    (folder / "tests" / "more").mkdir(parents=True)
    (folder / "tests" / "more" / "m.test.yaml").write_text(TEST.format(name="held", outcome="held"), "utf-8")
    assert "2 tests, 2 expectations: 1 failed" in watching.until("1 failed")
    (folder / "templates" / "t.yaml").write_text(TEMPLATES.replace("Your", "My"), "utf-8")
    watching.until("1 failed")
    (folder / "rules" / "r.test.yaml").unlink()
    assert "1 test, 1 expectation: 1 failed" in watching.until("1 failed")
    assert watching.end() == 130


def test_without_tests_it_waits_for_the_first(tmp_path):
    with Watching(workspace(tmp_path)) as watching:
        assert "there are no rule tests" in watching.until()
        (tmp_path / "rules" / "r.test.yaml").write_text(TEST.format(name="sent", outcome="sent"), "utf-8")
        assert "all as expected" in watching.until("all as expected")


def test_a_terminal_is_cleared_before_each_run(folder):
    main, child = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    words = [sys.executable, "-m", "botopt", "test", "--watch"]
    process = subprocess.Popen(words, cwd=folder, env=env, stdout=child, stderr=child, stdin=child)
    os.close(child)
    try:
        said = b""
        while b"Ctrl-C ends" not in said:
            said += os.read(main, 4096)
        assert said.index(b"\x1b[2J") < said.index(b"all as expected")
    finally:
        process.kill()
        process.wait()
        os.close(main)


def test_watching_and_recording_exclude_each_other(folder):
    done = botopt("test", "--watch", "--record", "events.jsonl", "--user", "ada", cwd=folder)
    assert done.returncode == 2
    assert "choose" in done.stderr
