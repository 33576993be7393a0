"""A model file is read only if every number in it can be trusted."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from botopt.engine.features import bind
from botopt.learning.learner import unlearned
from botopt.loading.models import MOST_BYTES, decode, encode, read_model, read_trained
from botopt.model.click_model import FEATURES, MOST_DEPTH, ClickModel, ModelKind, Tree
from botopt.model.data_files import data_dir
from botopt.model.trained_model import Bin, Day, Effect, Gate, Training, TrainingLog
from botopt.model.user_state import UserState

TRAINING = Training((TrainingLog("a.jsonl", "ab"),), "2026-01-01", "2026-02-01", "2026-01-25", 300, 60, 60, 12)
GATE = Gate(
    True,
    "engagement",
    0.3,
    0.31,
    0.01,
    0.005,
    1,
    bins=(Bin(0.1, 0, 30),),
    days=(Day("2026-01-25", 0.3, 0.4, 30),),
    effects=(Effect("user_rate", (-1, 0), (0.1, 0.2), 0.01),),
)
LINE = ClickModel("clicks", ModelKind.LOGISTIC, ("user_rate", "hour"), 0.1, (1, 0.2))
LEAF = Tree((-1,), (0,), (0,), (0,), (0.25,))
STUMP = Tree((0, -1, -1), (0.5, 0, 0), (1, 0, 0), (2, 0, 0), (0.0, -0.1, 0.1))
TREES = ClickModel("clicks", ModelKind.TREES, ("user_rate", "hour"), 0.1, trees=(STUMP, LEAF), curve=((-1, -1), (1, 2)))


def changed(model: ClickModel, **changes: Any) -> ClickModel:
    return msgspec.structs.replace(model, **changes)


def deep(depth: int) -> Tree:
    """A tree that goes so deep, always to the right."""
    inner = range(depth)
    return Tree(
        tuple([0, -1] * depth + [-1]),
        tuple([0.5, 0] * depth + [0]),
        (*(part for node in inner for part in (2 * node + 1, 0)), 0),
        (*(part for node in inner for part in (2 * node + 2, 0)), 0),
        (0.0,) * (2 * depth + 1),
    )


@pytest.mark.parametrize("model", [LINE, TREES], ids=lambda model: model.kind.value)
def test_what_is_written_is_read_again_and_obeys_its_schema(model: ClickModel, tmp_path: Path) -> None:
    data = encode(model, TRAINING, GATE)
    (tmp_path / "m.json").write_bytes(data)
    found = read_model(tmp_path / "m.json")
    assert found.passed
    assert changed(found, passed=False, digest="") == msgspec.convert(msgspec.to_builtins(model), ClickModel)
    assert encode(found, TRAINING, GATE) == data
    assert found.digest == read_trained(tmp_path / "m.json").digest
    schema = json.loads((data_dir("schemas") / "model.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(json.loads(data))


def test_a_model_that_did_not_pass_its_gate_is_shown_but_not_used(tmp_path: Path) -> None:
    gate = msgspec.structs.replace(GATE, passed=False, reasons=("no better",))
    (tmp_path / "m.json").write_bytes(encode(LINE, TRAINING, gate))
    assert not read_trained(tmp_path / "m.json").gate.passed
    with pytest.raises(ValueError, match="did not pass its gate"):
        read_model(tmp_path / "m.json")


@given(st.data())
def test_any_change_by_hand_is_refused(data: st.DataObject) -> None:
    written = encode(TREES, TRAINING, GATE)
    place = data.draw(st.integers(0, len(written) - 1))
    other = data.draw(st.integers(32, 126).filter(lambda byte: byte != written[place]))
    spoilt = written[:place] + bytes([other]) + written[place + 1 :]
    try:
        found = decode(spoilt)
    except ValueError:
        return
    assert (
        encode(found.model, found.training, found.gate) == written
    )  # another way to write the same, such as 1.0 and 1e0


TOO_MANY = [
    (changed(LINE, features=()), "looks at nothing"),
    (changed(LINE, features=("user_rat", "hour")), 'did you mean "user_rate"'),
    (changed(LINE, features=("hour", "hour")), "named twice"),
    (changed(LINE, weights=(1,)), "2 features, but 1 weights"),
    (changed(LINE, trees=(LEAF,)), "has no trees"),
    (changed(LINE, calibration=(-1, 0)), "upside down"),
    (changed(LINE, curve=((0, 0), (0, 1))), "does not grow"),
    (changed(LINE, curve=((0, 1), (1, 0))), "does not grow"),
    (changed(LINE, curve=tuple((place, place) for place in range(101))), "at most 100 points"),
    (changed(TREES, trees=()), "at least one"),
    (changed(TREES, weights=(1, 2)), "has no weights"),
    (changed(TREES, trees=(LEAF,) * 1_001), "at most 1000 are allowed"),
    (changed(TREES, trees=(deep(8),) * 1_000), "more than 15000 nodes"),
    (changed(TREES, trees=(deep(MOST_DEPTH + 1),)), f"deeper than {MOST_DEPTH}"),
    (changed(TREES, trees=(Tree((-1,), (0,), (0,), (0,), ()),)), "the same length"),
    (changed(TREES, trees=(Tree((), (), (), (), ()),)), "the same length"),
    (changed(TREES, trees=(changed(STUMP, features=(2, -1, -1)),)), "looks at feature 2; there are 2"),
    (changed(TREES, trees=(changed(STUMP, thresholds=(0.1, 0, 0)),)), "no 32-bit float"),
    (changed(TREES, trees=(changed(STUMP, thresholds=(1e31, 0, 0)),)), "not finite"),
    (changed(TREES, trees=(changed(STUMP, lefts=(0, 0, 0)),)), "leads to node 0"),
    (changed(TREES, trees=(changed(STUMP, rights=(1, 0, 0)),)), "no node of its own"),
    (changed(TREES, trees=(changed(STUMP, rights=(3, 0, 0)),)), "leads to node 3"),
    (changed(TREES, trees=(Tree((-1, -1), (0, 0), (0, 0), (0, 0), (0.0, 0.0)),)), "no node leads to node 1"),
]


@pytest.mark.parametrize(("model", "words"), TOO_MANY, ids=[words for _, words in TOO_MANY])
def test_a_model_that_makes_no_sense_is_refused_in_a_sentence(model: ClickModel, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", "\\(")):
        decode(encode(model, TRAINING, GATE))


def test_the_deepest_tree_that_is_allowed_is_read() -> None:
    assert decode(encode(changed(TREES, trees=(deep(MOST_DEPTH),)), TRAINING, GATE)).model.trees[0].features[0] == 0


def test_numbers_that_are_not_finite_cannot_even_be_written() -> None:
    for value in (math.nan, math.inf):
        with pytest.raises((ValueError, msgspec.ValidationError)):
            encode(changed(LINE, intercept=value), TRAINING, GATE)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no model file"),
        (b'{"format": 1}', "no model file"),
        (b'{"format": 2, "model": {}}', "this botopt reads format 1"),
        (b'{"format": 1, "model": {"passed": true}}', "unknown field `passed`"),
        (b'{"format": 1, "model": {}, "digest": ""}', "no model file that botopt train writes"),
    ],
)
def test_what_is_no_model_file_is_refused_in_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode(data)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(ValueError, match="at most 8 MiB"):
        read_model(tmp_path / "m.json")


def test_features_in_the_schema_are_those_that_the_engine_works_out() -> None:
    from tests.verify.training.world import policy

    schema = json.loads((data_dir("schemas") / "model.schema.json").read_text("utf-8"))
    assert schema["properties"]["model"]["properties"]["features"]["items"]["enum"] == list(FEATURES)
    look = bind(policy().settings, "news")
    assert len(look(UserState(), 0, unlearned(policy()).snapshot, 0.5)) == len(FEATURES)
