"""What the schemas say about channels is what the channel types say about themselves.

`BOTOPT_UPDATE_SCHEMAS=1 pytest tests/authoring/test_channel_schemas.py` writes it into schemas/rules.schema.json anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from botopt.authoring.channel_schemas import HONESTY, known_type, of_option, of_types, words_about
from botopt.delivery.registry import BUILT_IN, CHANNEL_TYPES
from botopt.model.channels import Honesty, Option, OptionType
from botopt.model.options import OF_EVERY_CHANNEL

PATH = Path(__file__).resolve().parents[2] / "schemas" / "rules.schema.json"


def test_the_published_schema_knows_the_options_of_every_type():
    schema = json.loads(PATH.read_text("utf-8"))
    channel = schema["$defs"]["channel"]
    wanted = json.loads(json.dumps(of_types((CHANNEL_TYPES[name] for name in BUILT_IN), channel["properties"])))
    if os.environ.get("BOTOPT_UPDATE_SCHEMAS"):
        channel["allOf"] = wanted
        PATH.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", "utf-8")
    assert channel.get("allOf") == wanted, "run this test with BOTOPT_UPDATE_SCHEMAS=1"


def test_the_schema_knows_the_keys_of_every_channel():
    schema = json.loads(PATH.read_text("utf-8"))
    assert tuple(schema["$defs"]["channel"]["properties"]) == OF_EVERY_CHANNEL


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        (Option("a", OptionType.TEXT, "X."), ["x", "${A}"], ["", " ", 5, None]),
        (Option("a", OptionType.TEXT, "X.", secret=True), ["${A}"], ["x", "x${A}", "$A", "${a-b}"]),
        (Option("a", OptionType.TEXT, "X.", one_of=("b", "c")), ["b", "${A}"], ["d", 5]),
        (Option("a", OptionType.INTEGER, "X.", minimum=1, maximum=9), [1, 9, "${A}"], [0, 10, 1.5, "5"]),
        (Option("a", OptionType.NUMBER, "X.", minimum=0), [0, 1.5, "${A}"], [-1, "x"]),
        (Option("a", OptionType.BOOLEAN, "X."), [True, "${A}"], ["true", 1]),
        (Option("a", OptionType.URL, "X."), ["https://x", "http://x/y?z", "https://${HOST}/x"], ["x", "ftp://x", "https://a@b"]),
        (Option("a", OptionType.URL, "X.", secret=True), ["${A}"], ["https://x"]),
        (Option("a", OptionType.TEXTS, "X."), ["x", ["x", "y"]], [[], [5], ["x", "x"], ""]),
        (Option("a", OptionType.TEXTS, "X.", secret=True), ["${A}", ["${A}", "${B}"]], ["x", ["${A}", "x"]]),
        (Option("a", OptionType.NAME_MAP, "X."), [{}, {"x": "y"}], [[], {"x": 1}, {"x": ""}]),
        (Option("a", OptionType.PLAIN, "X."), [1, "x", [], {}], []),
    ],
)  # fmt: skip
def test_what_an_option_holds(option: Option, good: list[object], bad: list[object]):
    schema = of_option(option)
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    assert [value for value in good if not judge.is_valid(value)] == []
    assert [value for value in bad if judge.is_valid(value)] == []


def test_defaults_are_shown_as_authors_type_them():
    assert of_option(Option("a", OptionType.BOOLEAN, "X.", default=True))["description"] == "X. Usually `true`."
    assert of_option(Option("a", OptionType.DURATION, "X.", default=90_000_000))["description"] == "X. Usually `1m30s`."


def test_every_type_and_every_level_of_honesty_has_words():
    assert all(words_about(name) for name in BUILT_IN)
    assert set(HONESTY) == set(Honesty)
    assert known_type("nothing") is None
