"""Which network runs, what happens where durable_rules fails, and the check that both agree."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
from types import ModuleType

import pytest

from botopt.model.condition import All, Comparison, Condition, Literal, Membership, Not, Truth
from botopt.network import durable as durable_module
from botopt.network import network
from botopt.network.durable import Alive, DurableNetwork, load_module
from botopt.network.network import make_network, self_check, thorough_check
from botopt.network.reference import ReferenceNetwork
from botopt.network.samples import around, boundary_facts, thorough_facts
from tests.network.conditions import FLAGS, INTEGERS, NUMBERS, TEXTS
from tests.network.making import needs_durable

X = NUMBERS[0]
GROUP: list[Condition] = [Comparison(">", X, Literal(1)), Not(Truth(FLAGS[0]))]
FACTS = ((2.0, True), (0.0, None), (None, False))


@pytest.fixture(autouse=True)
def fresh():
    """What is found out once in a process is found out anew in each test, and after the last one too."""
    caches = (network.available, durable_module.warn_once, durable_module._shared)
    for known in caches:
        known.cache_clear()
    yield
    for known in caches:
        known.cache_clear()


@pytest.fixture
def absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "durable_rules_engine", None)


def warnings(caplog):
    return [record for record in caplog.records if record.levelno >= logging.WARNING]


@needs_durable
def test_durable_rules_runs_where_it_can(caplog):
    assert network.available() == network.Status("durable_rules", "durable_rules 2.0.28")
    assert make_network().name == make_network("durable_rules").name == "durable_rules"
    assert make_network("reference").name == "reference"
    assert not warnings(caplog)


@pytest.mark.parametrize("preferred", ["auto", "durable_rules"])
def test_without_the_module_the_reference_runs_and_says_so_once(absent, caplog, preferred):
    for _ in range(3):
        assert make_network(preferred).name == "reference"
    (warning,) = warnings(caplog)
    assert "durable_rules is not installed" in warning.getMessage()
    assert network.available().name == "reference"
    assert self_check(GROUP) == ()
    assert thorough_check(GROUP) == network.Checked(0, ())


def test_a_module_that_does_not_load_is_told_apart_from_one_that_is_not_there(monkeypatch):
    def refuse():
        raise ImportError("undefined symbol: PyEval_CallObject")

    monkeypatch.setattr(network, "load_module", refuse)
    assert "does not load here (undefined symbol: PyEval_CallObject)" in network.available().why


@needs_durable
def test_a_module_without_a_version_runs(monkeypatch):
    def unknown(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(network, "version", unknown)
    assert network.available().why == "durable_rules"


def test_an_unknown_network_is_refused():
    with pytest.raises(ValueError, match="no rules network 'rete'"):
        make_network("rete")


class Module:
    """A C module that behaves as it should, but for what a test changes."""

    def __init__(self, **changes: object) -> None:
        self.__dict__.update(changes)

    def create_ruleset(self, name, rules):
        return 1

    def delete_ruleset(self, handle):
        pass

    def assert_fact(self, handle, text):
        return 0, 1

    def start_action_for_state(self, handle, session):
        return "{}", '{"always": {}}'

    def complete_and_start_action(self, handle, session):
        return None

    def retract_fact(self, handle, text):
        return 0, 1


def failing(*arguments: object):
    raise RuntimeError("error code: 303")


BROKEN = {
    "refuses the ruleset": Module(create_ruleset=failing),
    "refuses the fact": Module(assert_fact=failing),
    "does not take the fact": Module(assert_fact=lambda *_: (1, 0)),
    "has observed the fact already": Module(assert_fact=lambda *_: (2, 1)),
    "starts nothing": Module(start_action_for_state=lambda *_: None),
    "fails in the middle": Module(complete_and_start_action=failing),
    "does not let go": Module(retract_fact=failing),
    "never ends": Module(complete_and_start_action=lambda *_: '{"r0": {}}'),
    "forgets the rule that always fires": Module(start_action_for_state=lambda *_: ("{}", '{"r0": {}}')),
    "fires a rule that we never wrote": Module(complete_and_start_action=lambda *_: '{"what": {}}'),
    "answers with nonsense": Module(start_action_for_state=lambda *_: 5),
    "has another interface": object(),
    "runs out of memory": Module(create_ruleset=lambda *_: [].pop()),
    "fails even in the end": Module(assert_fact=failing, delete_ruleset=failing),
}


@pytest.mark.parametrize("module", BROKEN.values(), ids=BROKEN)
def test_a_broken_module_gives_the_reference_answers_and_one_warning(module, caplog):
    broken, reference = DurableNetwork(Alive(module)), ReferenceNetwork().compile(GROUP)
    for matcher in (broken.compile(GROUP), broken.compile(GROUP)):
        for _ in range(2):
            for fact in FACTS:
                assert matcher.match(fact) == reference.match(fact)
        assert matcher.refused is not None
    assert len(warnings(caplog)) == 1


@needs_durable
def test_one_refused_matcher_does_not_take_the_others_with_it():
    class Picky:
        def __getattr__(self, name: str) -> object:
            return getattr(load_module(), name)

        def create_ruleset(self, name, rules):
            if '"$lt"' in rules:
                raise RuntimeError("error code: 113")
            return load_module().create_ruleset(name, rules)

    picky = DurableNetwork(Alive(Picky()))
    good, bad = picky.compile(GROUP), picky.compile([Comparison("<", X, Literal(1))])
    assert bad.match((0.5,)) == 1
    assert good.match((2.0, True)) == 0b01
    assert (good.refused, str(bad.refused)) == (None, "error code: 113")


@needs_durable
def test_an_interruption_passes_through_and_leaves_the_matcher_in_order():
    class Interrupted:
        once = True

        def __getattr__(self, name: str) -> object:
            return getattr(load_module(), name)

        def retract_fact(self, handle, text):
            if self.once:
                self.once = False
                raise KeyboardInterrupt
            return load_module().retract_fact(handle, text)

    matcher = DurableNetwork(Alive(Interrupted())).compile(GROUP)
    with pytest.raises(KeyboardInterrupt):
        matcher.match((2.0, True))
    assert matcher.match((2.0, True)) == 0b01
    assert matcher.refused is None


# ------------------------------------------------------------------ facts for the check


def test_values_lie_around_each_constant_of_their_own():
    group: list[Condition] = [
        Comparison(">=", INTEGERS[0], Literal(500)),
        Membership(TEXTS[0], (Literal("a"), Literal("b"))),
        Truth(FLAGS[0]),
    ]
    assert around(group) == [
        [500, None, -1, 0, 1, 2, 499, 501],
        ["a", "b", "", "xay", "xby", None, "another text"],
        [True, None, False],
    ]


def test_one_value_is_varied_at_a_time():
    group: list[Condition] = [Truth(FLAGS[0]), Truth(FLAGS[1])]
    assert list(boundary_facts(group)) == [
        *((True, True), (None, True), (False, True)),
        *((True, True), (True, None), (True, False)),
        *((True, False), (None, False), (False, False)),
        *((False, True), (False, None), (False, False)),
    ]


def test_looking_thoroughly_takes_the_product_of_each_condition():
    group: list[Condition] = [All((Truth(FLAGS[0]), Truth(FLAGS[1])))]
    assert len(set(thorough_facts(group, 100))) == 9
    wide: list[Condition] = [All(tuple(Comparison(">", ref, Literal(7.5)) for ref in NUMBERS))]
    spread = set(thorough_facts(wide, 100)) - set(boundary_facts(wide))
    assert 80 < len(spread) <= 100
    assert all(len({fact[place] for fact in spread}) == 10 for place in range(3))


# ------------------------------------------------------------------ the check itself


@needs_durable
def test_sound_conditions_pass_the_check():
    group: list[Condition] = [*GROUP, All((Comparison("==", TEXTS[0], Literal("free")), GROUP[0]))]
    assert self_check(group) == ()
    checked = thorough_check(group)
    assert checked.facts > len(list(boundary_facts(group)))
    assert (checked.disagreements, checked.refused) == ((), "")


@needs_durable
def test_the_check_notices_a_wrong_boundary(monkeypatch):
    monkeypatch.setattr("botopt.network.classes._COMPARED", 0)
    monkeypatch.setattr("botopt.network.classes.bisect_right", lambda cuts, value: 0)
    group: list[Condition] = [Comparison(">=", X, Literal(500)), Comparison("<", X, Literal(5))]
    assert {found.condition for found in self_check(group)} == set(group)
    assert str(self_check(group)[0]).startswith("n0 >= 500 with n0 = 500")


@needs_durable
def test_the_check_notices_a_network_that_knows_nothing(monkeypatch):
    monkeypatch.setattr(durable_module.DurableMatcher, "_remembering", lambda self, groups, warming: lambda values: 0)
    assert [str(one) for one in self_check([Comparison(">=", X, Literal(500))])] == ["n0 >= 500 with n0 = 500"]


@needs_durable
def test_the_check_leaves_no_ruleset_behind(monkeypatch):
    made = []

    class Counting(Alive):
        def __init__(self, module: ModuleType) -> None:
            super().__init__(module)
            made.append(self)

    monkeypatch.setattr(network, "Alive", Counting)
    self_check(GROUP)
    assert [len(alive) for alive in made] == [0]


@needs_durable
def test_looking_thoroughly_says_where_durable_rules_refused(monkeypatch):
    monkeypatch.setattr(network, "load_module", lambda: Module(create_ruleset=failing))
    assert thorough_check(GROUP).refused == "error code: 303"
