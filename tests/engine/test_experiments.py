"""Who is in which arm, and which records say so."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections import Counter
from itertools import combinations

import pytest

from botopt.engine.experiments import arm_of, is_in_control
from botopt.engine.stages.holdout import is_held_out
from botopt.model.decision import Decision
from botopt.model.learning_policy import Experiment
from botopt.model.policy import Settings
from botopt.model.record import decode_line
from tests.cli.running import ROOT
from tests.engine.support import TEMPLATES, Workspace, base, ev
from tests.verify.running import in_lines, plainly

USERS = [f"user{number}" for number in range(20_000)]
HALVES = Experiment("halves", (("one", 0.5), ("other", 0.5)))
UNEVEN = Experiment("uneven", (("tenth", 0.1), ("third", 0.3), ("rest", 0.6)))
ARMS = "experiment:\n  nudge: {arms: {now: 50%, early: 50%}}\n  tone: {arms: {dry: 20%, warm: 80%}}\n"


def records(
    text: str, *events: dict[str, object], templates: str = TEMPLATES, until: str | None = None
) -> list[Decision]:
    return Workspace(text + ARMS, templates).run(*events, until=until)


def exposed(decision: Decision) -> list[str]:
    return [choice.purpose for choice in decision.choices if choice.purpose.startswith("experiment ")]


def chosen(decision: Decision) -> dict[str, str]:
    return {choice.purpose: choice.chosen for choice in decision.choices}


@pytest.mark.parametrize("experiment", [HALVES, UNEVEN], ids=lambda one: one.name)
def test_users_are_split_as_written(experiment):
    counts = Counter(arm_of(experiment, 0, user).chosen for user in USERS)
    for arm, share in experiment.arms:
        error = math.sqrt(len(USERS) * share * (1 - share))
        assert abs(counts[arm] - len(USERS) * share) < 4 * error


def test_a_choice_says_how_the_arm_was_drawn():
    for user in USERS[:500]:
        choice = arm_of(UNEVEN, 0, user)
        assert choice.draw is not None
        place = 0 if choice.draw < 0.1 else 1 if choice.draw < 0.4 else 2
        assert (choice.purpose, choice.eligible) == ("experiment uneven", ("tenth", "third", "rest"))
        assert (choice.chosen, choice.propensity) == UNEVEN.arms[place]


def test_experiments_holdout_and_control_are_independent_of_one_another():
    settings = Settings(holdout=0.5, control=0.5)
    again = Experiment("again", HALVES.arms)
    splits = {
        "halves": [arm_of(HALVES, settings.seed, user).chosen == "one" for user in USERS],
        "again": [arm_of(again, settings.seed, user).chosen == "one" for user in USERS],
        "seed": [arm_of(HALVES, settings.seed + 1, user).chosen == "one" for user in USERS],
        "holdout": [is_held_out(settings, user) for user in USERS],
        "control": [is_in_control(settings, user) for user in USERS],
    }
    for one, other in combinations(splits, 2):
        both = sum(a and b for a, b in zip(splits[one], splits[other], strict=True))
        assert abs(both - len(USERS) / 4) < 4 * math.sqrt(len(USERS) * 3 / 16), (one, other)


def test_an_arm_is_the_same_in_every_process():
    code = (
        "from botopt.engine.experiments import arm_of; from botopt.model.policy import Experiment;"
        "e = Experiment('halves', (('one', 0.5), ('other', 0.5)));"
        "print(''.join(arm_of(e, 7, f'user{n}').chosen[1] for n in range(500)))"
    )
    here = "".join(arm_of(HALVES, 7, user).chosen[1] for user in USERS[:500])
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == here
    # What an earlier version said: nobody may change sides because botopt was updated.
    early = Experiment("early-nudge", (("as-now", 0.5), ("early", 0.5)))
    assert arm_of(early, 0, "ada").draw == 0.47399505598633207


def test_another_share_moves_only_users_at_the_border():
    wider = Experiment("halves", (("one", 0.6), ("other", 0.4)))
    for user in USERS[:2_000]:
        if arm_of(HALVES, 0, user).chosen == "one":
            assert arm_of(wider, 0, user).chosen == "one"


RULE = "[{id: early, when: experiment('nudge') == 'early', threshold: -0.2}]"


def test_a_rule_that_asks_exposes_the_users_of_its_event_type_only():
    a, b = records(base(rules=RULE), ev("a", "ada", "09:00"), ev("b", "ada", "09:01"))
    assert (exposed(a), exposed(b)) == (["experiment nudge"], [])


@pytest.mark.parametrize(
    ("scope", "types"),
    [
        ("events: [b]", ["b"]),
        ("categories: [ads]", ["ad"]),
        ("channels: [sms]", ["ad"]),
        ("events: [a], unless: experiment('nudge') == 'early'", ["a"]),
    ],
)
def test_a_suppression_exposes_the_event_types_in_its_scope(scope, types):
    when = "" if "unless" in scope else ", when: experiment('nudge') == 'now'"
    found = records(
        base(f"{{id: once, cooldown: 1h, per: [user], {scope}{when}}}"),
        *(ev(type, "ada", f"1{place}:00") for place, type in enumerate(("a", "b", "ad", "loose"))),
    )
    assert [one.event_type for one in found if exposed(one)] == types


def test_a_mute_that_asks_exposes_everything_it_may_mute():
    found = records(
        base("{id: tired, mute: 7d, when: experiment('nudge') == 'early'}"),
        ev("a", "ada", "09:00"),
        ev("b", "ada", "09:01"),
    )
    assert [exposed(one) for one in found] == [["experiment nudge"]] * 2


def test_a_variant_that_asks_exposes_also_where_a_rule_names_its_template():
    templates = """\
templates:
  hello: "Hello"
  other:
    variants:
      warm: {when: experiment('tone') == 'warm', text: {en: "Dear!"}}
      dry: {text: {en: "Sir."}}
"""
    rules = "[{id: much, when: n > 5, message: other}]"
    events = (ev("a", "ada", "09:00", n=9), ev("a", "ada", "10:00", n=1), ev("b", "ada", "11:00"))
    much, little, b = records(base(rules=rules), *events, templates=templates)
    assert (exposed(much), exposed(little), exposed(b)) == (["experiment tone"], ["experiment tone"], [])
    assert much.message is not None
    assert much.message.variant == chosen(much)["experiment tone"]


def test_an_event_type_that_asks_for_two_is_exposed_to_both():
    rules = "[{id: x, when: experiment('nudge') == 'early' and experiment('tone') == 'dry', score: 0.1}]"
    (a,) = records(base(rules=rules), ev("a", "ada", "09:00"))
    assert exposed(a) == ["experiment nudge", "experiment tone"]


def test_whatever_becomes_of_an_event_its_record_says_the_arm():
    """What the arm brings about must not say who is counted: else the arms differ before anything is done."""
    suppression = """\
{id: once, cooldown: 1h, per: [user], events: [a]}
{id: night, quiet_hours: {from: "22:00", to: "08:00"}, events: [a]}
"""
    extra = "c: {category: ads, channel: chat, weight: 0.8, message: hello, expires_after: 1h, rules: RULE}".replace(
        "RULE", RULE
    )
    rules = (
        "[{id: early, when: experiment('nudge') == 'early', threshold: -0.1}, {id: low, when: n == 1, score: -0.8},"
        " {id: no, when: n == 2, skip: true}]"
    )
    found = records(
        base(suppression, rules=rules, events=extra),
        ev("a", "ada", "09:00"),
        ev("a", "ada", "09:01"),
        ev("a", "ada", "09:02", n=1),
        ev("a", "ada", "09:03", n=2),
        ev("c", "ada", "09:04"),
        ev("user.subscribed", "ada", "12:00", category="ads"),
        ev("c", "ada", "09:05"),
        ev("a", "ada", "23:00"),
        until="tue 09:00",
    )
    said = [one.reason.value if one.reason else "sent" for one in found]
    assert said == ["sent", "cooldown", "below_threshold", "skipped", "no_consent", "expired", "quiet_hours", "sent"]
    assert [exposed(one) for one in found] == [["experiment nudge"]] * len(found)
    assert len({chosen(one)["experiment nudge"] for one in found}) == 1


def test_a_user_of_the_holdout_is_exposed_too_and_can_be_left_out():
    found = records(base(settings="holdout: 100%", rules=RULE), ev("a", "ada", "09:00"))
    assert [(one.reason, exposed(one)) for one in found] == [("holdout", ["experiment nudge"])]


def test_the_arm_decides_what_is_asked_for():
    rules = "[{id: low, when: true, score: -0.3}, {id: early, when: experiment('nudge') == 'early', threshold: -0.2}]"
    found = records(base(rules=rules), *(ev("a", f"u{number}", "09:00") for number in range(60)))
    outcomes = {(chosen(one)["experiment nudge"], one.outcome.value) for one in found}
    assert outcomes == {("now", "below_threshold"), ("early", "sent")}


def test_the_engine_that_writes_lines_exposes_as_the_one_that_explains():
    suppression = "{id: once, cooldown: 2h, per: [user], unless: experiment('tone') == 'warm'}"
    engine = Workspace(base(suppression, settings="holdout: 20%, control: 20%", rules=RULE) + ARMS).engine
    events = [ev("ab"[n % 2], f"u{n % 17}", f"{9 + n // 20:02}:{n % 20:02}", n=n % 4) for n in range(120)]
    lines = in_lines(engine, events).records
    assert lines == plainly(engine, events).records
    both = {tuple(exposed(decode_line(line))) for line in lines.splitlines()}
    assert both == {("experiment nudge", "experiment tone"), ("experiment tone",)}
