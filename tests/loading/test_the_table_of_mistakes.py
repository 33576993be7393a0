"""The mistakes that docs/howto/yaml-and-jinja.md shows are found, and what it says to type instead is right."""

from __future__ import annotations

import re

import pytest

from botopt.model.diagnostic import has_errors
from botopt.verify.validate import validate
from tests.cli.running import ROOT, workspace

PAGE = (ROOT / "docs" / "howto" / "yaml-and-jinja.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \| [^|`]*(?:`\w+`[^|]*)?\| `([^`]+)` \|$", PAGE, re.MULTILINE)
RULES = """\
channels: {{chat: {{type: console}}}}
user: {{name: {{type: text, default: you}}}}
events:
  a:
    fields:
      reason: {{type: text, {optional}}}
    {weight}
    message: m
    rules:
      - {rule}
"""
TEXT = "templates:\n  m:\n    variants:\n      v:\n        text:\n          {text}\n"


def files(typed: str) -> dict[str, str]:
    parts = {
        "optional": "optional: true",
        "weight": "weight: 0.7",
        "rule": "{id: r, when: reason is defined, score: 0.1}",
    }
    text = "en: Hello"
    if typed.startswith("en:"):
        text = typed.replace("{{ name }}", "{{ user.name }}")
    elif typed.startswith("{when"):
        parts["rule"] = f"{{id: r, score: 0.1, {typed[1:]}"
    elif typed.startswith("when"):
        parts["rule"] = f"id: r\n        score: 0.1\n        {typed}"
    elif typed.startswith("optional"):
        parts["optional"] = typed
    else:
        parts["weight"] = typed
    return {"rules": RULES.format(**parts), "templates": TEXT.format(text=text)}


def test_the_table_is_read():
    assert len(ROWS) == 8


@pytest.mark.parametrize(("typed", "instead"), ROWS)
def test_what_the_page_shows_is_found_and_mended(typed, instead, tmp_path):
    for name, text, is_right in (("wrong", typed, False), ("right", instead, True)):
        folder = workspace(tmp_path / name, **files(text))
        assert has_errors(validate(folder).diagnostics) is not is_right, text
