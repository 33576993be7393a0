"""Every recipe of the cookbook is run: its rules are valid, and its rule tests come out as they say."""

from __future__ import annotations

import re

import pytest

from botopt.engine.build import build
from botopt.verify.ruletest.reading import read_tests
from botopt.verify.ruletest.running import run_tests
from botopt.verify.validate import load
from tests.cli.running import ROOT

PAGE = (ROOT / "docs" / "howto" / "cookbook.md").read_text("utf-8")
RECIPES = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
CHANNELS = "channels:\n  chat: {type: console}\n"


def test_there_are_fifteen():
    assert len(RECIPES) == 15


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_does_what_it_says(title, tmp_path):
    assert not RECIPES[title].lstrip().startswith("```"), "a sentence comes first"
    blocks = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", RECIPES[title], re.DOTALL))
    assert set(blocks) == {"rules/recipe.yaml", "rules/recipe.test.yaml"}
    messages = sorted(set(re.findall(r"\bmessage: (\w+)", blocks["rules/recipe.yaml"])))
    texts = "".join(f"  {name}: Hello\n" for name in messages)
    files = {**blocks, "rules/channels.yaml": CHANNELS, "templates/t.yaml": f"templates:\n{texts}"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    policy = load(tmp_path)
    read = read_tests(policy, tmp_path)
    assert [str(one.message) for one in read.diagnostics] == []
    results = list(run_tests(build(policy), read.tests))
    assert results
    assert [failure.differences for result in results for failure in result.failures] == []
