"""`botopt test --record`: the file it writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import botopt, workspace

RECORDED = """\
# Recorded by botopt test --record from events.jsonl, 2026-03-01T09:00:00Z to 2026-03-01T10:00:00Z.
# Expected is what the policy of revision {revision} decides. Read it: is it what you want?

tests:
  - name: recorded events of ada on 2026-03-01
    at: 2026-03-01T09:00:00Z
    user: {{id: ada}}
    steps:
      - send: payment_failed  # 2026-03-01 09:00:00, line 1
        id: e1
        with: {{amount: 42}}
        expect: {{outcome: sent, template: hello, locale: en, text_contains: Your payment of 42 failed.}}
      - click: last  # 2026-03-01 09:05:00, line 2
        after: 5m
      - send: payment_failed  # 2026-03-01 10:00:00, line 3
        id: e3
        after: 55m
        with: {{amount: 42}}
        expect: {{outcome: suppressed, reason: cooldown, by: once}}
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    return workspace(tmp_path)


def revision(folder: Path) -> str:
    return botopt("validate", cwd=folder).stdout.rpartition("revision ")[2].strip()


def test_history_may_come_from_a_pipe(folder):
    done = botopt("test", "--record", "-", "--user", "ada", cwd=folder, stdin=(folder / "events.jsonl").read_bytes())
    assert done.stdout == RECORDED.format(revision=revision(folder)).replace("from events.jsonl", "from standard input")


def test_recorded_history_is_a_tidy_test_that_passes_at_once(folder):
    done = botopt("test", "--record", "events.jsonl", "--user", "ada", "--out", "rules/ada.test.yaml", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "wrote rules/ada.test.yaml: 3 steps, 2 decisions; read what it expects\n"
    text = (folder / "rules" / "ada.test.yaml").read_text("utf-8")
    assert text == RECORDED.format(revision=revision(folder))
    assert botopt("test", cwd=folder).stdout == "1 test, 2 expectations: all as expected\n"
    assert botopt("fmt", "--check", "rules/ada.test.yaml", cwd=folder).returncode == 0


def test_without_a_file_it_is_printed(folder):
    done = botopt("test", "--record", "events.jsonl", "--user", "ada", cwd=folder)
    assert done.stdout == RECORDED.format(revision=revision(folder))


def test_a_message_that_is_held_at_the_end_is_said(folder):
    done = botopt("test", "--record", "events.jsonl", "--user", "bob", cwd=folder)
    assert "expect: {outcome: held, reason: quiet_hours, by: night, until: 2026-03-02T08:00:00Z}" in done.stdout
    assert "# 1 message is still held when the recording ends" in done.stdout
    assert "# score 0.5, needed more than 0.6" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--record", "events.jsonl"), 2, "say whose events: --user ID"),
        (("--user", "ada"), 2, "belong to --record"),
        (("--record", "events.jsonl", "--user", "adda"), 2, 'did you mean "ada"?'),
        (("--record", "events.jsonl", "--user", "ada", "--out", "ada.yaml"), 2, "ends in .test.yaml"),
        (("--record", "events.jsonl", "--user", "ada", "--from", "noon"), 2, "write it as 2026-03-01T09:00:00Z"),
        (("--record", "nothing.jsonl", "--user", "ada"), 9, "there is no file nothing.jsonl"),
        (("--record", "events.jsonl", "--user", "ada", "--out", "there.test.yaml"), 9, "exists already"),
    ],
)
def test_mistakes_are_answered_in_words(folder, words, code, said):
    (folder / "there.test.yaml").write_text("mine", "utf-8")
    done = botopt("test", *words, cwd=folder)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in " ".join(done.stderr.split())
    assert (folder / "there.test.yaml").read_text("utf-8") == "mine"
