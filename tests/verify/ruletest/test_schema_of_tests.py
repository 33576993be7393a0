"""The schema of rule tests and the code that reads them name the same keys."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from botopt.loading.reader import read_text
from botopt.model.data_files import data_dir
from botopt.model.decision import Outcome, Reason
from botopt.model.policy import Policy
from botopt.verify.ruletest import reading
from botopt.verify.ruletest.expecting import KEYS
from tests.loading.making import plain

SCHEMA = json.loads((data_dir("schemas") / "tests.schema.json").read_text("utf-8"))
DEFS = SCHEMA["$defs"]


def test_both_know_the_same_keys():
    assert set(DEFS["test"]["properties"]) == set(reading._TEST)
    assert set(DEFS["step"]["properties"]) == {*reading.KINDS, *reading._MORE}
    assert set(DEFS["expect"]["properties"]) == set(KEYS)
    assert DEFS["expect"]["properties"]["outcome"]["enum"] == [outcome.value for outcome in Outcome]
    assert DEFS["expect"]["properties"]["reason"]["enum"] == [reason.value for reason in Reason]


@pytest.mark.parametrize(
    "text",
    [
        "test: []",
        "tests: []",
        "tests: [{name: x}]",
        "tests: [{name: x, steps: []}]",
        "tests: [{name: x, stepz: [{advance: 1d}], steps: [{advance: 1d}]}]",
        "tests: [{name: x, steps: [{}]}]",
        "tests: [{name: x, steps: [{advance: 1d, click: last}]}]",
        "tests: [{name: x, steps: [{advance: 1d, with: {}}]}]",
        "tests: [{name: x, steps: [{advance: soon}]}]",
        "tests: [{name: x, steps: [{active: false}]}]",
        "tests: [{name: x, steps: [{active: {}}]}]",
        "tests: [{name: x, steps: [{fail: last, with: {until: x}}]}]",
        "tests: [{name: x, steps: [{click: last, with: {reason: x}}]}]",
        "tests: [{name: x, steps: [{advance: 1d, expect: {}}]}]",
        "tests: [{name: x, steps: [{advance: 1d, expect: {outcome: posted}}]}]",
        "tests: [{name: x, steps: [{advance: 1d, expect: {score: {over: 1}}}]}]",
    ],
)
def test_what_the_reader_refuses_is_not_valid(text: str):
    read = read_text("x.test.yaml", text.encode())
    assert read[0].root is not None
    assert reading.tests_in(Policy(), [read]).diagnostics
    assert list(Draft202012Validator(SCHEMA).iter_errors(plain(read[0].root)))
