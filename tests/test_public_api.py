"""What programs may rely on."""

from __future__ import annotations

import subprocess
import sys

import pytest

import botopt
from tests.cli.running import EVENTS, workspace

PUBLIC = (
    "BotoptError Decision Diagnostic Event InputError Message Outcome Policy PolicyError Position Reason Severity "
    "State StateError UsageError Validation __version__ decide load replay validate"
).split()


def test_the_public_names_are_these_and_no_others():
    assert botopt.__all__ == PUBLIC
    assert all(getattr(botopt, name) is not None for name in PUBLIC)


def test_importing_botopt_imports_nothing_heavy():
    code = "import sys, botopt; print([m for m in ('typer', 'rich', 'jinja2', 'babel', 'yaml') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_load_replay_and_decide_agree(tmp_path):
    policy = botopt.load(str(workspace(tmp_path)))
    found = list(botopt.replay(policy, EVENTS.splitlines()))
    assert [decision.outcome.value for decision in found] == [
        "sent",
        "suppressed",
        "below_threshold",
        "rejected",
        "held",
    ]
    empty = botopt.State()
    event = botopt.Event("e1", "", "payment_failed", "ada", 1_772_355_600_000_000, {"amount": 42.0})
    decisions, after = botopt.decide(policy, empty, event)
    assert decisions == (found[0],)
    assert empty == botopt.State()
    again, _ = botopt.decide(policy, after, event)
    assert again[0].reason is botopt.Reason.DUPLICATE


def test_a_policy_with_errors_raises_with_its_findings(tmp_path):
    folder = workspace(tmp_path, rules="events: {a: {weight: 3}}\n")
    with pytest.raises(botopt.PolicyError) as caught:
        botopt.load(folder)
    assert caught.value.diagnostics
    assert all(isinstance(found, botopt.Diagnostic) for found in caught.value.diagnostics)
