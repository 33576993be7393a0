"""The engines of the benchmark answer as the reference does, on conditions of the benchmark's shape."""

import importlib
import random

import pytest

from benchmarks.engines import translation
from benchmarks.engines.translation import Untranslatable, tree
from botopt.model.condition import (
    ALWAYS,
    All,
    AnyOf,
    Comparison,
    Constant,
    Contains,
    Literal,
    Membership,
    Not,
    Ref,
    Scope,
    Truth,
    ValueType,
)
from botopt.network.reference import ReferenceNetwork

PACKAGES = {
    "zen_list": ("zen", None),
    "zen_table": ("zen", None),
    "durable_c": ("durable_rules_engine", None),
    "durable_host": ("durable_rules_engine", None),
    "rule_engine": ("rule_engine", "4"),
    "business_rules": ("business_rules", None),
    "json_logic": ("json_logic", None),
    "cel": ("cel", None),
}

AMOUNT = Ref(Scope.EVENT, "amount", ValueType.NUMBER)
ATTEMPTS = Ref(Scope.EVENT, "attempts", ValueType.INTEGER)
PLAN = Ref(Scope.EVENT, "plan", ValueType.TEXT, one_of=("free", "pro", "team", "two words"))
FIRST = Ref(Scope.EVENT, "first", ValueType.BOOLEAN)

AMOUNTS = (-2.5, 0, 0.01, 49.99, 50, 50.0, 250.5, 1000)
ORDERED = ("<", "<=", ">", ">=")


@pytest.fixture(params=PACKAGES)
def build(request):
    """Each engine whose package is there."""
    package, at_least = PACKAGES[request.param]
    pytest.importorskip(package, minversion=at_least, exc_type=ImportError)
    return importlib.import_module(f"benchmarks.engines.{request.param}").build


def test_an_engine_matches_what_the_reference_matches(build):
    for seed in range(12):
        chance = random.Random(seed)
        conditions = [a_condition(chance) for _ in range(chance.randint(1, 12))]

        same_as_the_reference(build, conditions, [a_fact(chance) for _ in range(150)])


def test_an_engine_answers_for_more_rules_than_a_number_has_bits(build):
    chance = random.Random(1)
    conditions = [a_condition(chance) for _ in range(70)]

    same_as_the_reference(build, conditions, [a_fact(chance) for _ in range(100)])


def test_an_engine_answers_where_all_of_many_rules_hold(build):
    conditions = [Comparison(">=", ATTEMPTS, Literal(0))] * 40

    same_as_the_reference(build, conditions, [a_fact(random.Random(1))])


def test_an_engine_takes_rules_that_always_or_never_hold(build):
    never = AnyOf(())
    conditions = [ALWAYS, never, Constant(True), Constant(False), Not(never), All((Truth(FIRST), ALWAYS)), Truth(FIRST)]

    same_as_the_reference(build, conditions, [a_fact(random.Random(seed)) for seed in range(10)])
    same_as_the_reference(build, [ALWAYS], [a_fact(random.Random(1))])
    same_as_the_reference(build, [never], [a_fact(random.Random(1))])


def test_an_engine_takes_an_event_type_without_rules(build):
    assert build([])({"amount": 1}) == 0


def test_an_engine_does_not_mind_fields_that_no_rule_reads(build):
    match = build([Truth(FIRST), Not(Truth(FIRST))])

    assert match({"first": True, "note": 'a "b" \\ c', "size": 1.5, "big": 2**40}) == 0b01
    assert match({"first": False, "note": "", "size": 1, "big": 0}) == 0b10


def test_an_engine_remembers_nothing_of_the_event_before(build):
    match = build([Comparison(">", AMOUNT, Literal(10)), Membership(PLAN, (Literal("pro"), Literal("team")))])
    rich, poor = {"amount": 11, "plan": "free"}, {"amount": 9.5, "plan": "team"}

    assert [match(data) for data in (rich, poor, rich, rich, poor)] == [1, 2, 1, 1, 2]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_module_named_like_its_package_imports_the_package(name):
    package, at_least = PACKAGES[name]
    pytest.importorskip(package, minversion=at_least, exc_type=ImportError)

    assert importlib.import_module(package).__name__ != importlib.import_module(f"benchmarks.engines.{name}").__name__


def test_negations_are_pushed_down_into_the_tests():
    condition = Not(
        All((Comparison("<", AMOUNT, Literal(5)), AnyOf((Truth(FIRST), Membership(PLAN, (Literal("pro"),))))))
    )

    assert tree(condition) == translation.Group(
        False,
        (
            translation.Leaf("amount", ">=", 5),
            translation.Group(
                True, (translation.Leaf("first", "==", False), translation.Leaf("plan", "not in", ("pro",)))
            ),
        ),
    )


@pytest.mark.parametrize(
    "condition",
    [
        Truth(Ref(Scope.EVENT, "first", ValueType.BOOLEAN, optional=True)),
        Comparison("==", Ref(Scope.USER, "plan", ValueType.TEXT), Literal("pro")),
        Comparison("<", AMOUNT, ATTEMPTS),
        Contains(Literal("pr"), PLAN),
        Membership(PLAN, ()),
    ],
)
def test_what_no_engine_is_asked_for_is_refused(condition):
    with pytest.raises(Untranslatable):
        tree(condition)


def same_as_the_reference(build, conditions, facts):
    """Both give the same masks."""
    reference = ReferenceNetwork().compile(conditions)
    match = build(conditions)
    for fact in facts:
        expected = reference.match([fact[ref.name] for ref in reference.inputs])

        assert match(fact) == expected, (fact, conditions)


def a_fact(chance):
    return {
        "amount": chance.choice(AMOUNTS) if chance.random() < 0.5 else round(chance.uniform(-10, 1100), 2),
        "attempts": chance.randint(0, 6),
        "plan": chance.choice(PLAN.one_of),
        "first": chance.random() < 0.5,
    }


def a_condition(chance, depth=0):
    kind = chance.randrange(6) if depth < 2 else 0
    if kind <= 1:
        return a_test(chance)
    if kind == 2:
        return Not(a_condition(chance, depth + 1))
    parts = tuple(a_condition(chance, depth + 1) for _ in range(chance.randint(1, 3)))
    return AnyOf(parts) if kind == 3 else All(parts)


def a_test(chance):
    match chance.randrange(6):
        case 0:
            return Comparison(chance.choice(ORDERED), AMOUNT, Literal(chance.choice(AMOUNTS)))
        case 1:
            return Comparison(chance.choice((*ORDERED, "==", "!=")), ATTEMPTS, Literal(chance.randint(0, 6)))
        case 2:
            return Comparison(chance.choice(ORDERED), Literal(chance.choice(AMOUNTS)), AMOUNT)
        case 3:
            return Comparison(chance.choice(("==", "!=")), PLAN, Literal(chance.choice(PLAN.one_of)))
        case 4:
            options = tuple(Literal(text) for text in chance.sample(PLAN.one_of, chance.randint(1, 3)))
            return Membership(PLAN, options, negated=chance.random() < 0.5)
        case _:
            return chance.choice((Truth(FIRST), Comparison(chance.choice(("==", "!=")), FIRST, Literal(True))))
