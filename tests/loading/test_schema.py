"""The schemas in `schemas/` and the code that reads files must agree, or editors would tell authors other things."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from botopt.loading.files import find_files
from botopt.loading.reader import read_file, read_text
from botopt.model.data_files import data_dir
from botopt.model.decision import Outcome, Reason
from botopt.model.diagnostic import Severity
from botopt.model.names import WORDS
from botopt.model.policy import RESERVED_TYPES
from tests.loading.making import GOOD_RULES, GOOD_TEMPLATES, errors, load_data, plain, said

NAMES = sorted(path.name.removesuffix(".schema.json") for path in data_dir("schemas").glob("*.schema.json"))
SCHEMAS = {name: json.loads((data_dir("schemas") / f"{name}.schema.json").read_text("utf-8")) for name in NAMES}
RULES = Draft202012Validator(SCHEMAS["rules"])
_WITHOUT_LOCALES = copy.deepcopy(SCHEMAS["templates"])
_WITHOUT_LOCALES["$defs"]["texts"]["anyOf"][1].pop("propertyNames")  # a check of templates looks at locales
TEMPLATES = Draft202012Validator(_WITHOUT_LOCALES)
Path_ = tuple[str | int, ...]

JUNK = (None, True, False, 0, 1, -1, 2, 0.5, 1e9, "", " ", "x", "on", "7d", "5%", "22:00", "mon", [], {}, ["x"], [1])
JUNK = (*JUNK, {"x": 1}, {"all": ["true"]}, ["x", "x"], "Nö", {"type": "text"}, [{"id": "x"}], 10**15)

SHAPE = frozenset({"B101", "B103", "B104", "B105", "B106", "B107", "B109", "B111", "B113", "B114"})
"""Mistakes that a schema sees, too, but for the sentences below."""
BEYOND_SCHEMAS = (
    "so no value fits",  # min and max
    "but no channel",
    "no channel is declared",
    "24:00",
    "botopt's own",
    "at most ten years",
    "weight does not go with choose",
    "must be from 1s to",  # durations
    "must not hold a user or a password",
    "must be an address such as",
    "must be an attribute of the user",
    "is of type",
    "send_time has nothing to choose",
    "expire before an hour is over",
    "must be at least",  # durations
    "must be at most",
)


def subschemas(node: object, path: str = "") -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every place of a schema that describes a value."""
    if not isinstance(node, Mapping):
        return
    yield path, node
    for key in ("properties", "$defs"):
        for name, inner in node.get(key, {}).items():
            yield from subschemas(inner, f"{path}/{key}/{name}")
    for key in ("items", "additionalProperties"):
        yield from subschemas(node.get(key), f"{path}/{key}")
    for key in ("anyOf", "oneOf", "prefixItems"):
        for number, inner in enumerate(node.get(key, ())):
            yield from subschemas(inner, f"{path}/{key}/{number}")


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_schemas_and_say_what_everything_is(name: str):
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"] == f"urn:botopt:schema:{name}"
    silent = [
        path
        for path, node in subschemas(SCHEMAS[name])
        if not {"title", "description"} <= node.keys() and "$ref" not in node and "required" not in node
    ]
    assert silent == []


def test_the_schemas_are_those_that_the_documentation_names():
    assert {"rules", "templates", "event", "decision", "finding"} <= set(NAMES)


def test_closed_sets_are_those_of_the_code():
    decision = SCHEMAS["decision"]["properties"]
    assert decision["outcome"]["enum"] == [outcome.value for outcome in Outcome]
    assert decision["reason"]["enum"] == [*(reason.value for reason in Reason), None]
    assert SCHEMAS["finding"]["properties"]["severity"]["enum"] == [severity.value for severity in Severity]
    assert set(SCHEMAS["rules"]["$defs"]["fieldName"]["not"]["enum"]) == WORDS
    assert SCHEMAS["rules"]["properties"]["events"]["propertyNames"]["allOf"][1]["not"]["enum"] == list(RESERVED_TYPES)


@pytest.mark.parametrize("kind", ["rules", "templates"])
def test_the_starter_policy_obeys_the_schemas(kind: str):
    for path, _ in find_files(data_dir(kind).parent, kind).files:
        document, _ = read_file(path, path.name)
        found = [
            f"{path.name} {error.json_path} {error.message}"
            for error in Draft202012Validator(SCHEMAS[kind]).iter_errors(plain(document.root))
        ]
        assert found == []


def data(text: str) -> dict[str, object]:
    document, findings = read_text("a.yaml", text.encode())
    assert findings == ()
    found = plain(document.root)
    assert isinstance(found, dict)
    return found


GOOD = {"rules": data(GOOD_RULES), "templates": data(GOOD_TEMPLATES)}


def paths(node: object, path: Path_ = ()) -> Iterator[Path_]:
    yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from paths(value, (*path, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from paths(value, (*path, number))


def at(node: object, path: Path_) -> object:
    for step in path:
        node = node[step]  # type: ignore[index]
    return node


def replaced(path: Path_, value: object) -> dict[str, object]:
    tree = copy.deepcopy(GOOD)
    at(tree, path[:-1])[path[-1]] = copy.deepcopy(value)  # type: ignore[index]
    return tree


def dropped(path: Path_) -> dict[str, object]:
    tree = copy.deepcopy(GOOD)
    del at(tree, path[:-1])[path[-1]]  # type: ignore[attr-defined]
    return tree


def renamed(path: Path_, name: str) -> dict[str, object]:
    tree = copy.deepcopy(GOOD)
    parent = at(tree, path[:-1])
    assert isinstance(parent, dict)
    entries = [(name if key == path[-1] else key, value) for key, value in parent.items()]
    parent.clear()
    parent.update(entries)
    return tree


PLACES = [path for path in paths(GOOD) if len(path) > 1]


def judge(tree: Mapping[str, object]) -> None:
    """Load a workspace, and compare with what the schemas say."""
    loaded = load_data(tree["rules"], tree["templates"])
    found = errors(loaded)
    assert (loaded.policy is None) == bool(found), said(loaded)
    obeys = RULES.is_valid(tree["rules"]) and TEMPLATES.is_valid(tree["templates"])
    if not obeys:
        assert found, [
            f"{error.json_path} {error.message}"
            for validator, name in ((RULES, "rules"), (TEMPLATES, "templates"))
            for error in validator.iter_errors(tree[name])
        ]
    else:
        shape = [
            one for one in found if one.code in SHAPE and not any(words in one.message for words in BEYOND_SCHEMAS)
        ]
        assert shape == []


def test_the_good_workspace_is_good():
    assert load_data(GOOD["rules"], GOOD["templates"]).diagnostics == ()
    judge(GOOD)


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(str(step) for step in path))
def test_without_any_one_part_the_schema_and_the_reader_agree(path: Path_):
    judge(dropped(path))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(JUNK))
def test_with_junk_in_any_place_the_schema_and_the_reader_agree(path: Path_, junk: object):
    judge(replaced(path, junk))


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([path for path in PLACES if isinstance(path[-1], str)]),
    st.sampled_from(["x", "X", "0", "", "wen", "user.updated", "id", "time", "messages", "true", "when", "a b", "a-b"]),
)
def test_with_any_key_renamed_the_schema_and_the_reader_agree(path: Path_, name: str):
    judge(renamed(path, name))


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(PLACES))
def test_with_any_part_in_the_place_of_another_the_schema_and_the_reader_agree(path: Path_, other: Path_):
    judge(replaced(path, at(GOOD, other)))
