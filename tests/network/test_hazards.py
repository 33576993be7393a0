"""Every way known to us in which durable_rules hangs, crashes or lies: behind our wrapper it answers, and rightly."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from itertools import pairwise, product
from pathlib import Path

import pytest

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
from botopt.network.durable import Alive, load_module
from botopt.network.formula import LARGEST
from botopt.network.lowering import MAX_NODES, MAX_RULES, Lowered, fact
from botopt.network.reference import ReferenceNetwork
from tests.network.conditions import FLAGS, NUMBERS, TEXTS
from tests.network.making import durable, needs_durable

pytestmark = needs_durable

X, Y = NUMBERS[:2]
TEXT = TEXTS[0]


def number(name: str) -> Ref:
    return Ref(Scope.EVENT, name, ValueType.NUMBER)


def more(ref: Ref, constant: float) -> Condition:
    return Comparison(">", ref, Literal(constant))


def agree(group, facts, alive=None):
    """Both networks, asked about the facts; durable_rules must have answered itself."""
    reference, matcher = ReferenceNetwork().compile(group), durable(group, alive)
    for given in facts:
        assert matcher.match(given) == reference.match(given), given
    assert matcher.refused is None
    return matcher


def test_all_of_sixty_rules_that_match_one_fact_are_reported():
    group = [more(X, i) for i in range(60)]
    matcher = agree(group, [(100.0,), (29.5,), (-1.0,), (None,)])
    assert matcher.match((100.0,)) == 2**60 - 1
    assert matcher.match((29.5,)) == 2**30 - 1


def test_a_thousand_rules_on_one_value():
    began = time.monotonic()
    agree([more(X, i) for i in range(1_000)], [(100.5,), (2_000.0,), (7.0,)])
    assert time.monotonic() - began < 30  # durable_rules alone never ends


def definitions(group):
    return [json.loads(ruleset) for part in Lowered(group).groups for ruleset in part.rulesets()]


def test_rulesets_keep_within_the_bounds():
    group = [more(number(f"n{i % 7}"), i) for i in range(200)] + [Membership(X, tuple(map(Literal, range(30))))] * 5
    rulesets = definitions(group)
    assert sum(len(rules) - 1 for rules in rulesets) == len(group)
    for rules in rulesets:
        assert len(rules) <= MAX_RULES + 1
        assert json.dumps(rules).count('"c') + 2 <= MAX_NODES


def test_rules_with_many_open_ways_share_no_ruleset_that_is_too_small_for_them():
    # 120 nodes that all match: the stack of durable_rules holds 64.
    agree([AnyOf(tuple(more(X, 10 * i + j) for j in range(5))) for i in range(24)], [(999.0,), (115.5,), (-1.0,)])


def test_rules_about_the_same_values_are_asked_together():
    values = [number(f"n{i}") for i in range(6)]
    group = [All((more(a, i), more(b, i))) for i in range(10) for a, b in pairwise(values)]
    assert len(Lowered(group[:1] * 3).groups) == 1
    parts = Lowered(group).groups
    assert sum(len(part.formulas) for part in parts) == len(group)
    assert 1 < len(parts) < 6


def test_every_rule_begins_with_an_equality_that_each_fact_has():
    group = [Not(IsDefined(X)), AnyOf((Not(Truth(FLAGS[0])), more(X, 1))), more(Y, 2)]
    for rules in definitions(group):
        for rule in rules.values():
            assert rule["all"][0]["m"]["$and"][0] == {"k": 1}
    assert json.loads(fact((None, 3, True)))["k"] == 1


def test_a_rule_about_absence_alone_ends():
    agree([Not(IsDefined(X)), Not(more(X, 3))], [(None,), (1.0,), (5.0,)])


def test_an_or_with_two_true_branches_counts_once():
    assert agree([AnyOf((more(X, 1), more(X, 0)))], [(5.0,), (0.5,), (0.0,)]).match((5.0,)) == 1


def test_many_ors_that_are_all_open_do_not_multiply():
    # Each `or` with n true branches makes durable_rules fire n times as often: here 4 to the 13th times.
    refs = [number(f"n{i}") for i in range(4)]
    group: list[Condition] = [All(tuple(AnyOf(tuple(more(ref, i) for ref in refs)) for i in range(13)))]
    began = time.monotonic()
    agree(group, [(99.0,) * 4, (0.0,) * 4, (99.0, 0.0, 0.0, 0.0), (12.5, 11.5, 0.0, None)])
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("width", [2, 20, 39, 40, 64, 65, 2_000])
def test_lists_and_ors_of_any_width(width):
    options = tuple(Literal(f"v{i}") for i in range(width))
    ways: tuple[Condition, ...] = tuple(more(X, i) for i in range(width))
    group = [Membership(TEXT, options), Membership(TEXT, options, negated=True), AnyOf(ways), Not(All(ways))]
    texts = ("v0", f"v{width - 1}", "v", None)
    agree(group, [(text, value) for text in texts for value in (-1.0, width / 2, width + 1.0, None)])


@pytest.mark.parametrize("count", range(10, 20))
def test_as_many_brackets_as_one_likes(count):
    # durable_rules counts the brackets of a rule, not how deep they stand: 16 are too many.
    pairs = [(number(f"a{i}"), number(f"b{i}")) for i in range(count)]
    group: list[Condition] = [AnyOf(tuple(All((more(a, 1), more(b, 1))) for a, b in pairs))]
    last = (0.0, 0.0) * (count - 1) + (2.0, 2.0)
    agree(group, [(2.0, 2.0) * count, (2.0, 0.0) * count, (0.0, 0.0) * count, last])


def test_deep_nesting():
    nested = more(X, 3)
    for _ in range(15):
        nested = All((AnyOf((nested, Truth(FLAGS[0]))), Not(Truth(FLAGS[1]))))
    agree([nested], list(product((5.0, 1.0, None), (True, False, None), (True, False, None))))


def test_three_hundred_values():
    refs = [number(f"w{i}") for i in range(300)]
    group: list[Condition] = [All(tuple(more(ref, 1) for ref in refs)), AnyOf(tuple(more(ref, 1) for ref in refs))]
    group += [more(ref, 1) for ref in refs]
    mixed = tuple(None if i % 3 == 0 else float(i % 3) for i in range(300))
    agree(group, [(2.0,) * 300, (0.0,) * 300, (None,) * 300, mixed], Alive(load_module(), 100))


def test_values_of_different_kinds_are_never_mixed_up():
    group = [Comparison("==", TEXT, Literal("1")), Comparison("!=", TEXT, Literal("zzz")), IsDefined(TEXT)]
    matcher = agree(group, [("1",), ("true",), ("zzz",), ("",), (None,)])
    assert [matcher.match((text,)) for text in ("1", "true", "zzz", None)] == [0b111, 0b110, 0b100, 0]


def test_nothing_from_outside_reaches_durable_rules():
    nasty = '"}]}, "always": {"all": []}}\x00\ud800'
    group = [Comparison("==", TEXT, Literal(nasty)), Comparison(">", X, Literal(1e300))]
    assert set(json.dumps(definitions(group))) <= set('{}[]:, "$alwysrmndcktgeq0123456789')
    agree(group, [(nasty, 5e-324), ("", 1.7e308), (nasty[:-1], -0.0)])


def test_the_names_in_facts_are_all_different_to_durable_rules():
    # It knows names by a 32-bit hash only.
    def hashed(name: str) -> int:
        found = 0x811C9DC5
        for byte in name.encode():
            found = (found ^ byte) * 16777619 & 0xFFFFFFFF
        return found

    names = ["id", "sid", "$s", "$forward", "$and", "$or", "$neq", "$lt", "$lte", "$gt", "$gte", "all", "any", "m", "k"]
    names += [f"{letter}{i}" for letter in "ac" for i in range(MAX_NODES)]
    assert len({hashed(name) for name in names}) == len(names)


def test_three_thousand_different_facts_in_one_matcher():
    group = [Comparison("==", ref, Literal(i)) for ref in (X, Y) for i in range(25)]
    matcher = agree(group, [(float(x), float(y)) for x in range(-2, 53) for y in range(-2, 53)])
    assert all(len(asked.answers) <= 51**2 for asked in matcher._groups)


def resident_kilobytes() -> int:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * 4
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # the peak; better than nothing


def test_asking_again_and_again_needs_no_more_memory():
    group = [more(number(f"n{i}"), 1) for i in range(5)]
    matcher = durable(group)
    facts = list(product((0.0, 1.0, 2.0, None), repeat=5))

    def ask_all():
        matcher.forget()
        for given in facts:
            matcher.match(given)

    ask_all()
    before = resident_kilobytes()
    for _ in range(10):
        ask_all()
    assert resident_kilobytes() - before < 2_000
    assert matcher.refused is None


def test_making_rulesets_again_and_again_needs_no_more_memory():
    alive = Alive(load_module(), 1)
    matchers = [durable([more(number(f"n{i}"), 1) for i in range(5)], alive) for _ in range(2)]

    def ask_both(times):
        for _ in range(times):
            for matcher in matchers:  # each pushes the other's ruleset out
                matcher.forget()
                matcher.match((2.0,) * 5)
                assert len(alive) == 1

    ask_both(20)
    before = resident_kilobytes()
    ask_both(200)  # a ruleset has some 300 kB
    assert resident_kilobytes() - before < 4_000
    assert all(matcher.refused is None for matcher in matchers)


def test_rulesets_are_bounded_and_come_back():
    alive = Alive(load_module(), 3)
    matchers = [durable([more(X, i)], alive) for i in range(10)]
    for _ in range(3):
        for bound, matcher in enumerate(matchers):
            matcher.forget()
            assert matcher.match((bound + 1.0,)) == 1
            assert matcher.match((float(bound),)) == 0
            assert len(alive) <= 3
    assert all(matcher.refused is None for matcher in matchers)
    alive.close()
    assert len(alive) == 0
    matchers[0].forget()
    assert matchers[0].match((1.0,)) == 1


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr("botopt.network.durable.MAX_REMEMBERED", 10)
    matcher = agree([Comparison("==", X, Literal(i)) for i in range(20)], [(i / 2,) for i in range(-2, 45)])
    assert len(matcher._groups[0].answers) <= 10


def test_many_threads_may_ask_one_matcher():
    group = [more(X, i) for i in range(5)] + [Comparison("==", Y, Literal(i)) for i in range(5)]
    matcher, reference = durable(group), ReferenceNetwork().compile(group)
    facts = [(x / 2, y / 2) for x in range(-1, 12) for y in range(-1, 12)]
    wrong = []

    def ask():
        for _ in range(10):
            matcher.forget()
            wrong.extend(given for given in facts if matcher.match(given) != reference.match(given))

    often, usual = 1e-6, sys.getswitchinterval()
    sys.setswitchinterval(often)
    try:
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(usual)
    assert not wrong
    assert matcher.refused is None


def test_facts_and_rules_hold_no_fractions():
    # durable_rules reads numbers as the process's locale writes them: with a decimal comma, its 0.5 is 0.
    assert "." not in json.dumps(definitions([more(X, 0.5), Comparison("==", X, Literal(1e-7))]))
    assert "." not in fact((0, 3, None, True))


def test_the_c_module_is_imported_by_no_one_before_a_network_is_wanted():
    code = "import sys, botopt.network.network; print('durable_rules_engine' in sys.modules, 'durable' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_largest_formula_that_is_allowed_is_answered():
    widest: Condition = AnyOf(tuple(more(X, i) for i in range(LARGEST.ways)))
    longest: Condition = All(tuple(more(number(f"n{i}"), 1) for i in range(LARGEST.nodes)))
    for group in ([widest], [longest]):
        assert json.dumps(definitions(group)).count("$gt") > 1
    agree([widest], [(99.0,), (-1.0,)])
    agree([longest], [(2.0,) * LARGEST.nodes, (0.0,) * LARGEST.nodes])
    agree([widest, *[more(X, 100 + i) for i in range(MAX_RULES - 1)]], [(999.0,)])
