"""A policy allows a finding at one place, with a reason; its meaning stays the same."""

from __future__ import annotations

from pathlib import Path

from botopt.verify.validate import load, validate
from tests.cli.running import botopt
from tests.loading.making import write

RULES = """\
channels:
  chat: {type: console}
events:
  failed:
    fields:
      amount: {type: number, min: 0}
    weight: 0.70
    message: failed
    rules:
      - id: small HEAD
        when:
          - amount < 5
          - amount > 9
        score: -0.20
      - {id: large, when: amount >= 500, score: +0.10}
      - {id: never, when: amount > 5 and amount < 1, skip: true}
"""
ALLOW = "# botopt: allow B405 because the sizes are not final"


def made(folder: Path, rules: str) -> Path:
    write(folder, {"rules/r.yaml": rules, "templates/t.yaml": "templates: {failed: Failed}\n"})
    return folder


def said(folder: Path) -> list[tuple[str, int]]:
    return [(found.code, found.position.line) for found in validate(folder).diagnostics]


def test_a_reason_at_the_head_of_an_entry_allows_one_finding_there_and_no_other(tmp_path):
    folder = made(tmp_path, RULES.replace("HEAD", ALLOW))
    assert said(folder) == [("B405", 16)]
    assert validate(folder).allowed == 1


def test_the_line_above_is_as_good(tmp_path):
    folder = made(
        tmp_path, RULES.replace("HEAD", "").replace("      - {id: never", f"      {ALLOW}\n      - {{id: never")
    )
    assert said(folder) == [("B405", 10)]


def test_the_head_of_an_event_type_allows_nothing_of_its_rules(tmp_path):
    folder = made(tmp_path, RULES.replace("HEAD", "").replace("  failed:\n", f"  failed:  {ALLOW}\n", 1))
    assert said(folder) == [("B416", 4), ("B405", 10), ("B405", 16)]


def test_a_comment_without_reason_for_an_error_or_for_nothing_is_a_finding(tmp_path):
    for comment, words in (
        ("# botopt: allow B405", "no reason"),
        ("# botopt: allow B999 because of that", "no code B999"),
        ("# botopt: allow B102 because of that", "B102 is an error"),
        ("# botopt: allow B406 because of that", "there is no B406 here"),
        ("# botopt: silence B405", "not understood"),
    ):
        folder = made(tmp_path, RULES.replace("HEAD", comment))
        assert said(folder) == [("B405", 10), ("B416", 10), ("B405", 16)]
        [found] = [one for one in validate(folder).diagnostics if one.code == "B416"]
        assert words in found.message
        assert found.source.strip().endswith(comment)


def test_what_an_error_hides_is_not_called_useless(tmp_path):
    folder = made(tmp_path, RULES.replace("HEAD", ALLOW).replace("amount >= 500", "amuont >= 500"))
    assert said(folder) == [("B203", 15)]


def test_comments_do_not_change_the_revision(tmp_path):
    plain = load(made(tmp_path / "plain", RULES.replace("HEAD", "")))
    allowed = load(made(tmp_path / "allowed", RULES.replace("HEAD", ALLOW)))
    assert plain.revision == allowed.revision


def test_validate_tells_how_many_were_allowed(tmp_path):
    folder = made(tmp_path, RULES.replace("HEAD", ALLOW))
    printed = botopt("validate", "-w", folder).stdout
    assert "\n1 warning; 1 more allowed by comments\n" in printed
