"""Runs the real command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def botopt(*args: object, cwd: Path | None = None, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
    """One call of the command; output as text, wide enough that nothing wraps."""
    done = subprocess.run(
        [sys.executable, "-m", "botopt", *map(str, args)],
        cwd=cwd or ROOT,
        input=stdin,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160", "NO_COLOR": "1"},
        timeout=120,
        check=False,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in out + err, err
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


RULES = """\
channels:
  chat: {type: console}
events:
  paid: {}
  payment_failed:
    fields:
      amount: {type: number, min: 0}
      note: {type: text, optional: true}
    weight: 0.70
    message: hello
    rules:
      - {id: large, when: amount >= 500, score: +0.15}
      - {id: tiny, when: amount < 5, score: -0.20}
suppression:
  - {id: once, cooldown: 6h, per: [user, event, note]}
  - {id: night, quiet_hours: {from: "22:00", to: "08:00"}}
"""
TEMPLATES = """\
templates:
  hello:
    variants:
      only:
        text: {en: "Your payment of {{ amount }} failed.", de: "Ihre Zahlung von {{ amount }} ist fehlgeschlagen."}
    samples:
      - {amount: 42}
"""
EVENTS = """\
{"id": "e1", "type": "payment_failed", "user": "ada", "time": "2026-03-01T09:00:00Z", "data": {"amount": 42}}
{"id": "e2", "type": "message.clicked", "user": "ada", "time": "2026-03-01T09:05:00Z"}
{"id": "e3", "type": "payment_failed", "user": "ada", "time": "2026-03-01T10:00:00Z", "data": {"amount": 42}}
{"id": "e4", "type": "payment_failed", "user": "bob", "time": "2026-03-01T11:00:00Z", "data": {"amount": 2}}
not json
{"id": "e5", "type": "payment_failed", "user": "bob", "time": "2026-03-01T23:00:00Z", "data": {"amount": 9, "amont": 1}}
"""


def workspace(folder: Path, rules: str = RULES, templates: str = TEMPLATES, events: str = EVENTS) -> Path:
    """A small workspace with events.jsonl in it."""
    for name, text in (("rules/r.yaml", rules), ("templates/t.yaml", templates), ("events.jsonl", events)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder
