"""What editors know of experiments, and of what messages wait for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from botopt.authoring.editing.renaming import rename
from botopt.model.errors import UsageError
from tests.authoring.editing import Desk

SHOP = Path(__file__).resolve().parent.parent.parent / "examples" / "learning"
RULES = "rules/shop.yaml"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    shutil.copytree(SHOP, tmp_path / "shop")
    return Desk(tmp_path / "shop")


def labels(desk: Desk, old: str, new: str) -> list[str]:
    return [one.label for one in desk.complete(RULES, desk.text(RULES).replace(old, new))]


def test_experiments_and_their_arms_are_completed(desk: Desk):
    asked = "experiment('early-nudge') == 'early'"
    assert labels(desk, asked, "experiment('¦") == ["early-nudge"]
    desk.tidy()
    assert labels(desk, asked, "experiment('early-nudge') == ¦") == ["'as-now'", "'early'"]
    desk.tidy()
    assert labels(desk, asked, "experiment('early-nudge') != '¦") == ["as-now", "early"]
    desk.tidy()
    assert "experiment" in labels(desk, asked, "¦")


def test_texts_are_not_offered_experiments(desk: Desk):
    text = desk.text("templates/shop.yaml").replace("{{ tracking }} is on", "{{ ¦ }} is on")
    assert "experiment" not in [one.label for one in desk.complete("templates/shop.yaml", text)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  control: 5%\n", "  contr¦\n", "control"),
        ("  pacing: {messages: 1.5, per: day}\n", "  pacing: {messages: 1.5, p¦}\n", "per"),
        ("    send_time: off # it is about today\n", "    send¦\n", "send_time"),
        ("learn: true, explore: 3%", "learn: true, ex¦", "explore"),
    ],
)
def test_keys_are_completed(desk: Desk, old: str, new: str, expected: str):
    assert expected in labels(desk, old, new)


def test_what_is_hovered_over_is_explained(desk: Desk):
    assert "`as-now` 50%, `early` 50%" in desk.hover(RULES, "experiment('early¦-nudge')")
    assert "may wait 12h for the user's better hour" in desk.hover(RULES, "category: off¦ers")
    assert "5 messages in 7d" in desk.hover(RULES, "category: off¦ers")
    assert "may wait 6h" in desk.hover(RULES, "  parcel¦_news:\n")
    assert "replaces `prior`" in desk.hover(RULES, "lea¦rn: true")


def test_an_experiment_is_found_where_it_is_declared(desk: Desk):
    assert desk.definition(RULES, "experiment('early¦-nudge')") == desk.definition(RULES, "  early¦-nudge:\n")


def test_an_experiment_is_not_renamed_since_its_name_deals_out_users(desk: Desk):
    line, column = desk.place(RULES, "experiment('early¦-nudge')")
    with pytest.raises(UsageError, match="dealt anew"):
        rename(desk.live, desk.bench, RULES, line, column, "other")
