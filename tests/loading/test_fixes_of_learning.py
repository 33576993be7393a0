"""What findings about learning propose is typed in, and nothing is found any more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from botopt.authoring.fixing import fix
from botopt.model.diagnostic import Diagnostic
from botopt.verify.validate import validate
from tests.loading.making import write

RULES = """\
channels: {chat: {type: console}}
settings:
  timezone: UTC
  SETTINGS
events:
  late:
    weight: 0.7
    message: hi
    expires_after: 4h
    EVENT
"""
TEMPLATES = "templates:\n  hi:\n    CHOOSE\n    variants:\n      a: {text: Hello}\n      b: {text: Hi}\n"
BUDGET = "pacing: {messages: 1.5, per: day}"
SEVERAL = "a budget is written "

Case = tuple[str, str, str, str]
CASES: tuple[Case, ...] = (
    ("settings", "pacing: ⟦0⟧", "B104", f"to do without a budget, delete pacing; {SEVERAL}{BUDGET}"),
    ("settings", "pacing: ⟦off⟧", "B104", f"to do without a budget, delete pacing; {SEVERAL}{BUDGET}"),
    ("settings", "pacing: ⟦false⟧", "B104", f"to do without a budget, delete pacing; {SEVERAL}{BUDGET}"),
    ("settings", "pacing: ⟦none⟧", "B104", f"to do without a budget, delete pacing; {SEVERAL}{BUDGET}"),
    ("settings", "pacing: ⟦2.5⟧", "B104", "type pacing: {messages: 2.5, per: day}"),
    ("settings", "pacing: ⟦3/week⟧", "B104", "type pacing: {messages: 3, per: week}"),
    ("settings", "pacing: ⟦2 messages a day⟧", "B104", "type pacing: {messages: 2, per: day}"),
    ("settings", "pacing: ⟦true⟧", "B104", f"type {BUDGET}"),
    ("settings", "pacing: ⟦-1⟧", "B104", f"type {BUDGET}"),
    ("settings", "engagement: {prior: ⟦20⟧}", "B106", "if 20% is meant, type prior: 0.2"),
    ("settings", "engagement: {prior: ⟦20%⟧}", "B104", "type it as a share: prior: 0.2"),
    ("settings", "engagement: {prior: ⟦100%⟧}", "B104", "a share lies between 0 and 1: prior: 0.2, say"),
    ("settings", "engagement: {prior: ⟦0⟧}", "B106", "a share lies between 0 and 1: prior: 0.2, say"),
    ("settings", "engagement: {prior: ⟦2000⟧}", "B106", "a share lies between 0 and 1: prior: 0.2, say"),
    ("settings", "threshold: ⟦60⟧", "B106", "if 60% is meant, type threshold: 0.6"),
    ("settings", "control: ⟦120%⟧", "B109", "a share of all: control: 5%, say"),
    ("settings", "control: ⟦-5%⟧", "B109", "a share of all: control: 5%, say"),
    ("settings", "control: ⟦5 %⟧", "B109", "type control: 5%"),
    ("settings", "holdout: ⟦2,5%⟧", "B109", "type holdout: 2.5%"),
    ("settings", "engagement: {explore: ⟦50%⟧}", "B135", "a few are enough to learn from: type explore: 3%"),
    ("settings", "scorer: ⟦off⟧", "B104", "to do without a scorer, delete this line"),
    ("event", "send_time: {within: ⟦12h⟧}", "B134", "type within: 4h"),
    ("event", "send_time: {within: 2h, explore: ⟦60%⟧}", "B135", "a few are enough to learn from: type explore: 5%"),
    ("choose", "choose: ⟦lern⟧", "B105", 'did you mean "learn"?'),
    ("choose", "choose: ⟦random⟧", "B105", "type choose: weighted"),
    ("choose", "choose: ⟦bandit⟧", "B105", "type choose: learn"),
    (
        "choose",
        "choose: learn\n    recency: {penalty: ⟦15⟧, half_life: 3d}",
        "B106",
        "if 15% is meant, type penalty: 0.15",
    ),
    ("choose", "choose: learn\n    recency: {penalty: ⟦15%⟧}", "B104", "type it as a share: penalty: 0.15"),
    ("choose", "choose: learn\n    recency: ⟦off⟧", "B104", "type recency: {penalty: 0}"),
    ("choose", "choose: ⟦lern⟧\n    recency: {penalty: 0.1}", "B105", 'did you mean "learn"?'),
)


def files(where: str, text: str) -> dict[str, str]:
    put = {"SETTINGS": "seed: 1", "EVENT": "description: Late", "CHOOSE": "choose: learn", where.upper(): text}
    rules, templates = RULES, TEMPLATES
    for name, words in put.items():
        rules, templates = rules.replace(name, words), templates.replace(name, words)
    return {"rules/a.yaml": rules, "templates/t.yaml": templates}


def proposals(one: Diagnostic, text: str) -> list[str]:
    """The text with each of the things done that a hint says."""
    before, wrong, after = re.split("[⟦⟧]", text)
    found = []
    if meant := re.fullmatch(r'did you mean "(.+)"\?', one.hint):
        found.append(f"{before}{meant[1]}{after}")
    key = re.split(r"[\s{]", before.rstrip(": "))[-1]
    found += [f"{before}{value}{after}" for value in re.findall(rf"\b{key}: (\{{.*\}}|[^,;\s]+)", one.hint)]
    if "delete" in one.hint:
        assert f"{key}: {wrong}" == text.replace("⟦", "").replace("⟧", "")
        found.append("")
    return found


@pytest.mark.parametrize(("where", "text", "code", "hint"), CASES)
def test_what_a_finding_proposes_is_valid(where: str, text: str, code: str, hint: str, tmp_path: Path) -> None:
    write(tmp_path, files(where, text.replace("⟦", "").replace("⟧", "")))
    (one,) = validate(tmp_path).diagnostics
    assert (one.code, one.hint) == (code, hint)
    marked = files(where, text)[one.position.file].split("\n")
    line = next(number for number, words in enumerate(marked, 1) if "⟦" in words)
    start, end = marked[line - 1].index("⟦"), marked[line - 1].index("⟧") - 1
    assert (one.position.line, one.position.column - 1, one.position.end_column - 1) == (line, start, end)
    tried = proposals(one, text)
    assert tried
    for mended in tried:
        write(tmp_path, files(where, mended))
        assert validate(tmp_path).diagnostics == ()


@pytest.mark.parametrize(
    "text", ["pacing: off", "pacing: 0", "scorer: off", "engagement: {prior: 20}", "control: 120%"]
)
def test_what_is_not_certain_is_not_mended_by_itself(text: str, tmp_path: Path) -> None:
    write(tmp_path, files("settings", text))
    assert not fix(tmp_path).mended


def test_a_wait_is_shortened_by_itself(tmp_path: Path) -> None:
    write(tmp_path, files("event", "send_time: {within: 12h}"))
    (changed,) = fix(tmp_path).changed()
    assert "send_time: {within: 4h}" in changed[2]


def test_a_category_may_let_others_wait_longer_than_some_of_its_messages_live(tmp_path: Path) -> None:
    some = files("event", "category: offers")
    some["rules/a.yaml"] += "categories: {offers: {send_time: {within: 12h}}}\n"
    write(tmp_path, some)
    assert validate(tmp_path).diagnostics == ()


def test_nothing_more_is_said_of_variants_whose_choose_is_unknown(tmp_path: Path) -> None:
    write(
        tmp_path,
        files("choose", "choose: lern")
        | {
            "templates/t.yaml": TEMPLATES.replace("CHOOSE", "choose: wieghted").replace(
                "{text: Hi}", "{text: Hi, weight: 2}"
            )
        },
    )
    (one,) = validate(tmp_path).diagnostics
    assert one.hint == 'did you mean "weighted"?'


@pytest.mark.parametrize("share", ["20%", "0%"])
def test_some_exploring_is_no_finding(share: str, tmp_path: Path) -> None:
    write(tmp_path, files("settings", f"engagement: {{explore: {share}}}"))
    assert validate(tmp_path).diagnostics == ()
