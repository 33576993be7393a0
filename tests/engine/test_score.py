"""Section 5: score, what is needed, and the parts of both."""

from __future__ import annotations

import pytest

from tests.engine.support import DAY, Workspace, at, base, ev, parts

RULES = """
settings: {{threshold: {needed}, fatigue: {{per_message: 0}}, engagement: {{effect: 0}}}}
channels: {{chat: {{type: console}}, sms: {{type: console}}}}
events:
  a:
    weight: {weight}
    message: hello
    channel: chat
    fields: {{n: {{type: integer, default: 0}}}}
    {more}
    rules: {rules}
"""


def decided(weight: float = 0.5, needed: float = 0.6, rules: str = "[]", more: str = "", **data: object):
    ws = Workspace(RULES.format(weight=f"{weight:.12f}", needed=needed, rules=rules, more=more))
    [decision] = ws.run(ev("a", "u", "09:00", **data))
    return decision


def test_a_score_has_to_be_more_than_what_is_needed():
    assert decided(0.6, 0.6).outcome == "below_threshold"
    assert decided(0.6, 0.6).reason == "below_threshold"
    assert decided(0.61, 0.6).outcome == "sent"


@pytest.mark.parametrize(
    ("weight", "outcome"),
    [
        (0.6000000004, "below_threshold"),  # rounds to 0.6
        (0.6000000006, "sent"),  # rounds to 0.600000001
        (0.600000001, "sent"),
        (0.599999999, "below_threshold"),
        (0.5999999996, "below_threshold"),  # rounds to 0.6, which is not more than 0.6
    ],
)
def test_both_are_rounded_to_nine_decimals_before_they_are_compared(weight, outcome):
    assert decided(weight, 0.6).outcome == outcome


def test_numbers_that_floating_point_makes_a_little_larger_are_equal():
    rules = "[{id: x, when: n == 0, score: 0.2}]"
    assert decided(0.1, 0.3, rules).outcome == "below_threshold"  # 0.1 + 0.2 is 0.30000000000000004
    lower = "[{id: x, when: n == 0, threshold: -0.1}]"
    assert decided(0.2, 0.3, lower).outcome == "below_threshold"  # 0.3 - 0.1 is 0.19999999999999998


def test_both_are_reported_with_six_decimals():
    decision = decided(0.1234564, 0.0, more="threshold: 0.1234567")
    assert (decision.score, decision.threshold) == (0.123456, 0.123457)
    assert decided(0.600000001, 0.6).score == 0.6


def test_an_event_type_may_need_less_or_more_than_the_workspace():
    assert decided(0.5, 0.6, more="threshold: 0.4").outcome == "sent"
    assert decided(0.5, 0.4, more="threshold: 0.5").outcome == "below_threshold"


@pytest.mark.parametrize(
    ("weight", "step", "score"), [(0.9, "+0.5", 1), (0.2, "-0.5", 0), (0.2, "+0.5", 0.7), (1, "+1", 1), (0, "-1", 0)]
)
def test_the_sum_of_weight_and_rules_stays_between_0_and_1(weight, step, score):
    assert decided(weight, 0.0, f"[{{id: x, when: n == 0, score: {step}}}]").score == score


def test_only_the_sum_is_kept_within_bounds_not_each_step():
    rules = "[{id: x, when: n == 0, score: +1}, {id: y, when: n == 0, score: -0.6}]"
    assert decided(0.5, 0.0, rules).score == 0.9


@pytest.mark.parametrize(
    ("needed", "step", "weight", "threshold", "outcome"),
    [
        (0.6, "-1", 0.1, 0, "sent"),
        (0.6, "-1", 0, 0, "below_threshold"),  # 0 is not more than 0
        (0.6, "+1", 1, 1, "below_threshold"),  # nor is 1 more than 1
        (0.6, "-0.2", 0.5, 0.4, "sent"),
    ],
)
def test_what_is_needed_stays_between_0_and_1(needed, step, weight, threshold, outcome):
    decision = decided(weight, needed, f"[{{id: x, when: n == 0, threshold: {step}}}]")
    assert (decision.threshold, decision.outcome) == (threshold, outcome)


FACTOR = "fatigue: {per_message: 0}, engagement: {prior: 0.5, strength: 1, effect: 1000, limits: [0.5, 1.5]}"


def test_the_sum_is_kept_within_bounds_before_the_factor_and_the_score_after_it():
    rules = "[{id: more, when: n == 1, score: +0.9}]"
    ignored = Workspace(base(settings=FACTOR, rules=rules)).run(ev("a", "u", "09:00"), ev("a", "u", "tue 09:00", n=1))
    assert ignored[1].score == 0.5  # 1 * 0.5, not 1.7 * 0.5
    clicks = (ev("a", "u", "09:00"), ev("message.clicked", "u", "09:01"), ev("a", "u", "09:02"))
    assert Workspace(base(settings=FACTOR)).run(*clicks)[1].score == 1  # 0.8 * 1.5


def test_every_rule_is_looked_at_in_the_order_of_the_list():
    rules = """
      - {id: z, when: n > 1, score: +0.2}
      - {id: never, when: n > 9, score: +0.4}
      - {id: y, when: n > 2, threshold: -0.1}
      - {id: x, when: n > 3, score: -0.05, threshold: +0.02}
    """
    assert parts(decided(0.5, 0.6, rules, n=4)) == [
        ("base", None, 0.5),
        ("rule", "z", 0.2),
        ("rule", "y", 0),
        ("rule", "x", -0.05),
        ("engagement", None, 1),
        ("threshold", "y", -0.1),
        ("threshold", "x", 0.02),
        ("fatigue", None, 0),
    ]


def test_parts_add_up_to_score_and_threshold():
    decision = decided(0.5, 0.6, "[{id: x, when: n == 0, score: 0.3, threshold: 0.05}]")
    by_part = {name: value for name, _, value in parts(decision)}
    assert decision.score == pytest.approx((by_part["base"] + by_part["rule"]) * by_part["engagement"])
    assert decision.threshold == pytest.approx(0.6 + by_part["threshold"] + by_part["fatigue"])


def test_the_last_match_sets_message_and_channel():
    rules = """
      - {id: x, when: n > 1, message: other, channel: sms}
      - {id: y, when: n > 2, message: hello}
      - {id: z, when: n > 9, channel: chat}
    """
    taken = [decided(0.9, 0.6, rules, n=n).message for n in (0, 2, 3, 10)]
    assert [(message.template, message.channel) for message in taken if message] == [
        ("hello", "chat"),
        ("other", "sms"),
        ("hello", "sms"),
        ("hello", "chat"),
    ]


def test_the_first_skip_is_named_and_the_numbers_are_still_given():
    rules = """
      - {id: no, when: n > 9, skip: true}
      - {id: second, when: n > 0, skip: true}
      - {id: first, when: n > 0, skip: true, score: +0.2}
    """
    decision = decided(0.5, 0.6, rules, n=1)
    assert (decision.outcome, decision.reason, decision.by) == ("skipped", "skipped", "second")
    assert (decision.score, decision.threshold) == (0.7, 0.6)


def test_a_skip_comes_before_the_threshold():
    assert decided(0.1, 0.6, "[{id: x, when: n == 0, skip: true}]").reason == "skipped"


def test_the_score_is_given_for_everything_but_rejected_and_duplicate():
    ws = Workspace(
        base("{id: x, cooldown: 2d}", events="old: {weight: 0.8, message: hello, channel: chat, expires_after: 1h}")
    )
    one = ev("a", "u", "tue 09:00")
    found = ws.run(
        one,
        ev("a", "u", "tue 09:01"),
        ev("ad", "u", "tue 09:02"),
        ev("old", "u", "tue 07:00"),
        one,
        ev("a", "u", at("tue 09:00") - 7 * DAY),
    )
    assert [(d.reason, d.score, d.threshold) for d in found] == [
        (None, 0.8, 0.6),
        ("cooldown", 0.8, 0.6),
        ("no_consent", 0.8, 0.6),
        ("expired", 0.8, 0.6),
        ("duplicate", None, None),
        ("rejected", None, None),
    ]
    assert found[-1].parts == found[-2].parts == ()


@pytest.mark.parametrize(
    ("condition", "data", "holds"),
    [
        ("m > 1", {}, False),
        ("m <= 1", {}, False),
        ("not m > 1", {}, True),
        ("m != 1", {}, False),
        ("m not in [1]", {}, False),
        ("not m in [1]", {}, True),
        ("m + 1 > 0", {}, False),
        ("n / 0 > 0", {}, False),
        ("not n / 0 > 0", {}, True),
        ("n / m == 2", {"n": 4, "m": 2}, True),
        ("1 < n < 3", {"n": 2}, True),
        ("1 < n < 3", {"n": 3}, False),
        ("m is defined", {}, False),
        ("m is defined", {"m": 0}, True),
        ("m is not defined", {}, True),
        ("m == 0", {"m": None}, False),
    ],
)
def test_comparisons_with_absent_values_are_false(condition, data, holds):
    events = "c: {weight: 0.5, message: hello, channel: chat, fields: FIELDS, rules: RULES}"
    fields = "{n: {type: number, default: 0}, m: {type: number, optional: true}}"
    rules = f'[{{id: x, when: "{condition}", score: +0.25}}]'
    ws = Workspace(base(events=events.replace("FIELDS", fields).replace("RULES", rules)))
    [decision] = ws.run(ev("c", "u", "09:00", **data))
    assert (decision.score == 0.75) is holds
