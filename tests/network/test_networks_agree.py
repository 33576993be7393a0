"""Two networks, one meaning; and the hazards of durable_rules, each behind the wrapper."""

from __future__ import annotations

import logging
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botopt.model.condition import (
    All,
    AnyOf,
    Comparison,
    Condition,
    IsDefined,
    Literal,
    Membership,
    Not,
    Ref,
    Scope,
    Truth,
    ValueType,
)
from botopt.network import durable, network
from botopt.network.reference import ReferenceNetwork
from botopt.network.samples import literals
from tests.network.conditions import FLAGS, NUMBERS, TEXTS, conditions, facts

ABSENT_HERE = sys.version_info >= (3, 13) or sys.platform == "win32"
needs_durable = pytest.mark.skipif(ABSENT_HERE, reason="durable_rules does not load on this Python")

X, Y = NUMBERS[0], NUMBERS[1]


def both(group: list[Condition]):
    return ReferenceNetwork().compile(group), durable.DurableNetwork().compile(group)


@needs_durable
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(conditions, min_size=1, max_size=5), st.data())
def test_both_networks_give_the_same_answers(group, data):
    reference, lowered = both(group)
    constants = [literal.value for condition in group for literal in literals(condition)]
    assert reference.inputs == lowered.inputs
    for _ in range(8):
        fact = data.draw(facts(reference.inputs, constants))
        assert lowered.match(fact) == reference.match(fact), (group, fact)
        assert not lowered._network._broken


@needs_durable
def test_all_rules_that_match_one_fact_are_reported():
    group: list[Condition] = [Comparison(">=", X, Literal(i)) for i in range(60)]
    _, lowered = both(group)
    assert lowered.match((100.0,)) == 2**60 - 1
    assert lowered.match((29.5,)) == 2**30 - 1
    assert not lowered._network._broken


@needs_durable
def test_an_or_with_two_true_branches_counts_once():
    _, lowered = both([AnyOf((Comparison(">", X, Literal(1)), Comparison(">", X, Literal(0))))])
    assert lowered.match((5.0,)) == 1


@needs_durable
def test_thousands_of_facts_and_classes_pass_through_one_matcher():
    group: list[Condition] = [Comparison("==", ref, Literal(i)) for ref in (X, Y) for i in range(40)]
    reference, lowered = both(group)
    for x in range(60):
        for y in range(60):
            fact = (x / 1.0, y / 1.0)
            assert lowered.match(fact) == reference.match(fact)
    assert not lowered._network._broken


@needs_durable
def test_a_list_of_two_thousand_values_is_asked_beside_the_network():
    options = tuple(Literal(f"v{i}") for i in range(2_000))
    reference, lowered = both([Membership(TEXTS[0], options), Membership(TEXTS[0], options, negated=True)])
    for value in ("v0", "v1999", "v2000", None):
        assert lowered.match((value,)) == reference.match((value,))
    assert not lowered._network._broken


@needs_durable
def test_deep_nesting_is_asked_beside_the_network():
    nested: Condition = Comparison(">", X, Literal(3))
    for _ in range(15):
        nested = All((AnyOf((nested, Truth(FLAGS[0]))), Not(Truth(FLAGS[1]))))
    reference, lowered = both([nested])
    for fact in ((5.0, False, False), (1.0, False, False), (1.0, True, False), (5.0, True, True), (None, None, None)):
        ordered = tuple(fact[(X, FLAGS[0], FLAGS[1]).index(ref)] for ref in reference.inputs)
        assert lowered.match(ordered) == reference.match(ordered)
    assert not lowered._network._broken


@needs_durable
def test_wide_facts_work_or_fall_back():
    refs = [Ref(Scope.EVENT, f"w{i}", ValueType.NUMBER) for i in range(300)]
    group: list[Condition] = [All(tuple(Comparison(">", ref, Literal(1)) for ref in refs[:120]))]
    group += [Comparison(">", ref, Literal(1)) for ref in refs]
    reference, lowered = both(group)
    for fact in ((2.0,) * 300, (0.0,) * 300, (None,) * 300):
        assert lowered.match(fact) == reference.match(fact)


@needs_durable
def test_kinds_are_never_mixed_up():
    text = TEXTS[0]
    _, lowered = both([Comparison("==", text, Literal("1")), Comparison("!=", text, Literal("zzz")), IsDefined(text)])
    assert [lowered.match((value,)) for value in ("1", "true", "zzz", None)] == [0b111, 0b110, 0b100, 0]


@needs_durable
def test_rulesets_are_bounded_and_come_back():
    lowered = durable.DurableNetwork()
    lowered._rulesets._most = 3
    matchers = [lowered.compile([Comparison(">", X, Literal(i))]) for i in range(10)]
    for _ in range(2):
        for bound, matcher in enumerate(matchers):
            matcher._remembered.clear()
            assert matcher.match((bound + 1.0,)) == 1
            assert matcher.match((float(bound),)) == 0
            assert len(lowered._rulesets) <= 3
    assert not lowered._broken


class Refusing:
    """A C module that refuses everything."""

    def create_ruleset(self, name, rules):
        raise RuntimeError("error code: 303")

    def delete_ruleset(self, handle):
        raise AssertionError("nothing was made")


def test_a_refusing_module_gives_the_reference_answers_and_one_warning(caplog):
    broken = durable.DurableNetwork(Refusing())
    group: list[Condition] = [Comparison(">", X, Literal(1)), Not(Truth(FLAGS[0]))]
    reference = ReferenceNetwork().compile(group)
    with caplog.at_level(logging.WARNING, logger="botopt.network"):
        for matcher in (broken.compile(group), broken.compile(group)):
            for fact in ((2.0, True), (0.0, None), (None, False)):
                assert matcher.match(fact) == reference.match(fact)
    assert len(caplog.records) == 1
    assert "303" in caplog.text


def test_without_the_module_the_reference_runs(monkeypatch):
    def absent():
        raise ModuleNotFoundError("No module named 'durable_rules_engine'")

    monkeypatch.setattr(durable, "load_module", absent)
    network.available.cache_clear()
    try:
        assert network.available().name == "reference"
        assert network.make_network().name == "reference"
        assert network.self_check([Comparison(">", X, Literal(1))]) == ()
    finally:
        network.available.cache_clear()


@needs_durable
def test_durable_rules_runs_where_it_can():
    assert network.available().name == "durable_rules"
    assert network.make_network().name == "durable_rules"


@needs_durable
def test_the_self_check_would_notice_a_wrong_network(monkeypatch):
    monkeypatch.setattr(durable.DurableMatcher, "match", lambda self, values: 0)
    found = network.self_check([Comparison(">=", X, Literal(500))])
    assert [str(one) for one in found] == ["n0 >= 500 with n0 = 500"]
