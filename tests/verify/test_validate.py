"""Checks beyond reading: networks, learning, and that one broken part does not hide the findings of another."""

from __future__ import annotations

from botopt.model.condition import Comparison, Literal
from botopt.network.network import Disagreement
from botopt.verify.checks import network
from botopt.verify.validate import validate
from tests.cli.running import RULES, TEMPLATES, workspace


def codes(folder):
    return [found.code for found in validate(folder).diagnostics]


def test_networks_that_disagree_are_an_error_at_the_condition(tmp_path, monkeypatch):
    def differ(conditions):
        return tuple(
            Disagreement(condition, (("amount", 500.0),))
            for condition in conditions
            if isinstance(condition, Comparison) and condition.right == Literal(500)
        )

    monkeypatch.setattr(network, "self_check", differ)
    result = validate(workspace(tmp_path))
    assert result.policy is None
    [found] = result.diagnostics
    assert (found.code, str(found.position)) == ("B501", "rules/r.yaml:12:27")
    assert found.source.strip() == "- {id: large, when: amount >= 500, score: +0.15}"
    assert "amount >= 500 with amount = 500" in found.message


def test_mistakes_in_rules_and_in_templates_are_found_in_one_run(tmp_path):
    folder = workspace(
        tmp_path,
        rules=RULES.replace("cooldown: 6h", "cooldown: 6 hours"),
        templates=TEMPLATES.replace("{{ amount }} failed", "{{ amuont }} failed"),
    )
    assert {"B109", "B303"} <= set(codes(folder))


def test_a_template_that_learns_among_one_variant_is_told_so(tmp_path):
    folder = workspace(tmp_path, templates=TEMPLATES.replace("  hello:\n", "  hello:\n    choose: learn\n"))
    assert codes(folder) == ["B132"]
    assert validate(folder).policy is not None
