"""Valid, but wrong: what each check finds, with its numbers, and what it must not find."""

from __future__ import annotations

import random
import re
from pathlib import Path
from textwrap import dedent, indent

import pytest

from botopt.engine.build import build
from botopt.model.diagnostic import Diagnostic
from botopt.model.event import Event
from botopt.model.policy import Policy
from botopt.model.user_state import UserState
from botopt.verify.checks import CHECKS, needed
from botopt.verify.ruletest.reading import read_tests
from botopt.verify.ruletest.running import run_tests
from botopt.verify.validate import validate
from tests.cli.running import ROOT
from tests.loading.making import load_files, split, write

FIXTURES = ROOT / "tests" / "fixtures" / "codes"
BASE = """\
settings: {SETTINGS}
categories:
  c: {consent: opt_out}
  d: {consent: opt_out}
user:
  plan: {type: text, one_of: [free, pro], default: free}
channels:
  chat: {type: console}
  sms: {type: console, max_length: 30}
events:
  a:
    category: c
    channel: chat
    fields:
      n: {type: integer, min: 0, max: 9}
      x: {type: number, optional: true}
      t: {type: text, max_length: 4, default: abc}
      k: {type: text, one_of: [red, blue], default: red}
    weight: 0.5
    message: hello
    MORE
  b: {category: d, channel: chat, weight: 0.9, message: hello}
  quiet: {}
"""
CALM = "engagement: {effect: 0}, fatigue: {per_message: 0}"


def policy(
    more: str, suppression: str = "", settings: str = CALM, templates: str = "templates: {hello: Hello, other: Other}"
) -> Policy:
    body = BASE.replace("SETTINGS", settings).replace("    MORE\n", indent(dedent(more).strip(), "    ") + "\n")
    stops = "suppression:\n" + indent(dedent(suppression).strip(), "  ") + "\n" if suppression else ""
    loaded = load_files({"rules/r.yaml": body + stops, "templates/t.yaml": templates})
    assert loaded.policy is not None, [str(one.position) + one.message for one in loaded.diagnostics]
    return loaded.policy


def found(made: Policy) -> list[Diagnostic]:
    """Without what is unused: the base declares more than any case needs."""
    return [one for check in CHECKS if check.whole for one in check.findings(made) if one.code != "B412"]


def rules(*lines: str) -> str:
    return "rules:\n" + "".join(f"  - {line}\n" for line in lines)


NEVER_MATCH = [
    ("n >= 5 and n < 5", "n >= 5 and n < 5 never hold together"),
    ("n > 8 and n < 9", "never hold together"),
    ("x > 8 and x < 8.5 and not x is defined", "never hold together"),
    ("t == 'abcde'", "a text of at most 4 characters"),
    ("t == 'ab' and 'c' in t", "never hold together"),
    ("'abc' in t and 'b' not in t", "never hold together"),
    ("k == 'red' and k == 'blue'", "never hold together"),
    ("k != 'red' and k != 'blue'", "never hold together"),
    ("time.hour >= 22 and time.hour < 8", "never hold together"),
    ("time.weekend and time.weekday == 'mon'", "never hold together"),
    ("n * 2 > 18", "n * 2 > 18 never holds"),
    ("n + 1 > 9 and n < 5", "never hold together"),
    ("n == 3 and n * 2 == 7", "never hold together"),
    ("x / 0 > 1", "never holds"),
    ("count('a', '1h') < 1", "1 or more"),
    ("engagement.rate > 0.5 and engagement.rate <= 0.4", "never hold together"),
    ("user.plan == 'free' and not user.plan != 'pro'", "never hold together"),
    ("false and n > 1", "never"),
]


@pytest.mark.parametrize(("when", "words"), NEVER_MATCH)
def test_a_rule_can_never_match(when, words):
    [one] = [one for one in found(policy(rules(f'{{id: r, when: "{when}", skip: true}}'))) if one.code == "B405"]
    assert words in one.message
    assert "rule r can never match" in one.message


@pytest.mark.parametrize(
    "when",
    [
        "n >= 5 and n <= 5",
        "x > 8 and x < 8.5",
        "not x > 5 and not x <= 5",  # an absent x is neither
        "t == 'abcd'",
        "'ab' in t and 'cd' in t",
        "time.weekend and time.weekday != 'sun' and time.hour == 23",
        "n * 2 > 17",
        "x * x < 0.5",
        "n > x",
        "seen('a', '1h') and not seen('a', '2h')",  # not decided
        "count('a', '1h') >= 2 and sent('1d') == 0",
        "engagement.clicks > 1000000",
        "user.id == 'u7'",
        "user.timezone == 'Asia/Tokyo' and user.locale == 'ja'",
    ],
)
def test_a_rule_may_match(when):
    assert [one.code for one in found(policy(rules(f'{{id: r, when: "{when}", score: +0.2}}')))] in ([], ["B403"])


def test_rules_that_exclude_each_other_are_never_added():
    made = policy(rules("{id: low, when: n < 4, score: +0.09}", "{id: high, when: n >= 4, score: +0.1}"))
    [one] = found(made)
    assert one.code == "B402"
    assert '"a" can never be sent: its score reaches 0.6 at most, and it must be above 0.6' in one.message
    assert "expect: {outcome: below_threshold, score: 0.6, threshold: 0.6}" in one.witness
    assert "with: {n: 4}" in one.witness
    assert found(policy(rules("{id: low, when: n < 5, score: +0.09}", "{id: high, when: n >= 4, score: +0.1}"))) == []


def test_a_rule_that_skips_whatever_is_worth_it_is_named():
    made = policy(rules("{id: high, when: n >= 4, score: +0.2}", "{id: not-high, when: n > 3, skip: true}"))
    [one] = [one for one in found(made) if one.code == "B402"]
    assert "rule not-high skips it whenever it would be worth it" in one.message
    assert "expect: {outcome: skipped, by: not-high}" in one.witness


def test_always_needs_no_score_but_a_rule_may_skip_all():
    assert found(policy("always: true")) == []
    both = "always: true\n" + rules("{id: low, when: n < 4, skip: true}", "{id: high, when: n >= 4, skip: true}")
    assert [one.code for one in found(policy(both))] == ["B402"]


def test_scores_of_a_type_that_is_always_sent_change_nothing():
    [one] = found(policy("always: true\n" + rules("{id: low, when: n < 4, score: -0.4}")))
    assert one.code == "B406"
    assert "always: true waives the threshold" in one.message


def test_clicks_may_lift_what_nobody_gets_at_first():
    [one] = found(policy(rules("{id: low, when: n < 4, score: +0.05}"), settings="engagement: {limits: [0.5, 1.2]}"))
    assert one.code == "B403"
    assert "without clicks its score is 0.55 at most, and it must be above 0.6" in one.message
    [one] = found(policy(rules("{id: low, when: n < 4, score: +0.05}"), settings="engagement: {limits: [0.5, 1.05]}"))
    assert one.code == "B402"
    assert "reaches 0.5775 at most, for users who click on everything (0.55 for others)" in one.message


def test_what_shall_keep_some_back_and_never_does_is_found_and_high_scores_alone_are_not():
    more = "threshold: 0.2\n" + rules("{id: low, when: n < 4, score: -0.1}", "{id: high, when: n > 7, score: +0.1}")
    [one] = found(policy(more))
    assert one.code == "B404"
    assert "its score is 0.4 at least, even when low holds, and 0.2 is the most that it must be above" in one.message
    assert found(policy("threshold: 0.2\n" + rules("{id: high, when: n > 7, message: other}"))) == []


def test_a_message_that_is_always_replaced_is_found_and_a_later_narrow_one_is_not():
    narrow, wide = "{id: narrow, when: n > 7, message: other}", "{id: wide, when: n > 3, message: hello}"
    assert "narrow is never used: wide, below it" in found(policy("threshold: 0.2\n" + rules(narrow, wide)))[0].message
    wide = "{id: wide, when: n > 3, channel: sms}"
    assert [one.code for one in found(policy("threshold: 0.2\n" + rules(wide, narrow)))] == []
    first, second = "{id: first, when: n > 3, skip: true}", "{id: second, when: n > 7, skip: true}"
    [one] = found(policy("threshold: 0.2\n" + rules(first, second)))
    assert (one.code, "second never decides: first, above it" in one.message) == ("B407", True)
    assert found(policy("threshold: 0.2\n" + rules(second, first))) == []


def test_two_rules_may_override_together():
    lines = ("{id: mine, when: n > 3, message: other}", "{id: red, when: k == 'red', message: hello}")
    made = policy("threshold: 0.2\n" + rules(*lines, "{id: blue, when: k == 'blue', message: hello}"))
    assert any("red or blue, below it" in one.message for one in found(made))


UNREACHABLE = [
    ("{id: s, cooldown: 1h, events: [a], when: n > 5 and n < 2}", "n > 5 and n < 2 never hold together"),
    ("{id: s, cooldown: 1h, events: [a], unless: n >= 0}", "its unless always holds: n >= 0"),
    ("{id: s, cooldown: 1h, events: [a], when: n < 2}", "no message in its scope is worth sending"),
    ("{id: s, inhibited_by: a, within: 1h, events: [a]}", "that never inhibits itself"),
    ("{id: s, mute: 1d, events: [a], when: n > 5 and n < 2}", "never hold together"),
    ("{id: s, mute: always, when: n > 5, unless: n > 3}", "its unless holds whenever its when does"),
    (
        "{id: s, quiet_hours: {from: '22:00', to: '08:00'}, when: time.hour == 12}",
        "while it is quiet, its conditions never let it stop anything",
    ),
    (
        "{id: s, quiet_hours: {from: '09:15', to: '09:45'}, unless: time.hour == 9}",
        "while it is quiet, its conditions never let it stop anything",
    ),
]


@pytest.mark.parametrize(("line", "words"), UNREACHABLE)
def test_a_suppression_that_nothing_can_reach(line, words):
    [one] = found(policy(rules("{id: high, when: n > 7, score: +0.2}"), f"- {line}"))
    assert one.code == "B408"
    assert words in one.message


@pytest.mark.parametrize(
    "line",
    [
        "{id: s, cooldown: 1h, when: n > 5}",
        "{id: s, mute: 1d, when: n == 0}",  # begins with what is not worth sending, stops what is
        "{id: s, inhibited_by: [a, b], within: 1h, events: [a]}",
        "{id: s, quiet_hours: {from: '22:00', to: '08:00'}, unless: n > 8}",
        "{id: s, mute: always, events: [b]}",
        "{id: s, quiet_hours: {from: '22:00', to: '08:00'}, when: time.hour == 7}",
        "{id: s, quiet_hours: {from: '09:15', to: '10:15'}, unless: time.hour == 9}",
    ],
)
def test_a_suppression_that_something_can_reach(line):
    assert found(policy(rules("{id: high, when: n > 7, score: +0.2}"), f"- {line}")) == []


def test_quiet_hours_while_nothing_is_worth_sending_stop_nothing():
    by_day = rules("{id: high, when: time.hour >= 9 and time.hour < 17, score: +0.2}")
    night = "- {id: s, quiet_hours: {from: '22:00', to: '08:00'}, events: [a]}"
    [one] = found(policy(by_day, night))
    assert (one.code, "while it is quiet, no message in its scope is worth sending" in one.message) == ("B408", True)
    assert found(policy(by_day, night.replace("08:00", "09:15"))) == []
    assert found(policy(by_day, night.replace(", events: [a]", ""))) == []


def test_what_inhibits_but_is_never_sent_never_inhibits():
    codes = {one.code: one.message for one in found(policy("", "- {id: s, inhibited_by: a, within: 1h}"))}
    assert "a can never be sent" in codes["B408"]


def test_a_condition_that_covers_all_that_is_worth_sending_blocks():
    high = rules("{id: high, when: n > 7, score: +0.2}")
    [one] = found(policy(high, "- {id: s, mute: always, when: n > 5}"))
    assert (one.code, 's stops every message of "a"' in one.message) == ("B409", True)
    assert "with: {n: 8}, expect: {outcome: suppressed}" in one.witness
    assert found(policy(high, "- {id: s, mute: always, when: n > 8}")) == []


def test_two_suppressions_may_block_together():
    two = "- {id: s, mute: always, when: time.hour >= 8}\n- {id: night, quiet_hours: {from: '22:00', to: '08:00'}}"
    [one] = [one for one in found(policy("threshold: 0.2", two)) if '"a"' in one.message]
    assert (one.code, "s and night together stop" in one.message) == ("B409", True)


def test_slots_that_are_all_reserved_leave_none_to_others():
    [one] = found(policy("threshold: 0.2", "- {id: s, limit: 2, within: day, reserved: {d: 2}}"))
    assert (one.code, "all 2 slots are reserved" in one.message) == ("B409", True)
    assert found(policy("threshold: 0.2", "- {id: s, limit: 2, within: day, reserved: {d: 1}}")) == []


LONGER = [
    ("{id: c, cooldown: 2h, per: [user]}", "{id: s, cooldown: 1h, per: [user, event]}", True),
    ("{id: c, cooldown: 2h, per: [user, event]}", "{id: s, cooldown: 1h, per: [user]}", False),
    ("{id: c, cooldown: 2h, per: [user, event]}", "{id: s, cooldown: 1h, per: [user, event, t], events: [a]}", True),
    ("{id: c, cooldown: 2h, per: [user, t], events: [a]}", "{id: s, cooldown: 1h, events: [a]}", False),
    ("{id: c, cooldown: 2h, per: [user], unless: n > 5}", "{id: s, cooldown: 1h}", False),
    ("{id: c, cooldown: 2h, per: [user], events: [a]}", "{id: s, cooldown: 1h}", False),
    ("{id: c, cooldown: 2h, per: [user], categories: [c]}", "{id: s, cooldown: 1h, events: [a]}", True),
    ("{id: c, cooldown: 6h, per: [user]}", "{id: s, limit: 5, within: 24h}", True),
    ("{id: c, cooldown: 6h, per: [user]}", "{id: s, limit: 4, within: 24h}", True),
    ("{id: c, cooldown: 6h, per: [user]}", "{id: s, limit: 3, within: 24h}", False),
    ("{id: c, cooldown: 6h}", "{id: s, limit: 4, within: 24h}", False),
    ("{id: c, cooldown: 6h}", "{id: s, limit: 4, within: 24h, events: [a]}", True),
    ("{id: c, cooldown: 1d, per: [user]}", "{id: s, limit: 2, within: day}", True),
    ("{id: c, cooldown: 6h, per: [user]}", "{id: s, limit: 2, within: day}", False),
]


@pytest.mark.parametrize(("long", "other", "is_longer"), LONGER)
def test_a_cooldown_may_leave_another_suppression_nothing_to_do(long, other, is_longer):
    made = policy("threshold: 0.2", f"- {long}\n- {other}")
    assert [one.code for one in found(made)] == (["B410"] if is_longer else [])
    assert ("s" in _deciding(made)) is not is_longer


def _deciding(made: Policy) -> set[str | None]:
    """Who stops a message, in a long row of events."""
    chance, engine, state, now_us = random.Random(1), build(made, "reference"), UserState(), 1_772_409_600_000_000
    who = set()
    for number in range(3_000):
        now_us += chance.choice([1, 600, 1_800, 3_600, 7_200, 21_600]) * 1_000_000
        data = {"n": chance.randrange(10), "t": chance.choice(["a", "b"]), "k": "red"}
        name = chance.choice(["a", "a", "b"])
        event = Event(f"e{number}", "", name, "u1", now_us, data if name == "a" else {})
        who |= {one.by for one in engine.decide(state, event)}
        engine.prune(state)
    return who


def test_every_hold_outlives_the_message_or_some_end_in_time():
    night = "- {id: s, quiet_hours: {from: '22:00', to: '08:00'}}"
    early = rules("{id: small-hours, when: 2 <= time.hour < 8, skip: true}")
    [one] = found(policy(f"threshold: 0.2\nexpires_after: 2h\n{early}", night))
    assert (one.code, "holds each for more than 6h, and they expire after 2h" in one.message) == ("B411", True)
    assert found(policy(f"threshold: 0.2\nexpires_after: 10h\n{early}", night)) == []
    assert found(policy("threshold: 0.2\nexpires_after: 30m", night)) == []


def test_a_variant_is_asked_only_where_its_template_is_sent():
    texts = """\
templates:
  hello: Hello
  other:
    variants:
      small: {when: "n is defined and n < 5", text: {en: "A"}}
      rest: {text: {en: "B"}}
"""
    made = policy("threshold: 0.2\n" + rules("{id: big, when: n >= 5, message: other}"), templates=texts)
    [one] = found(made)
    assert (one.code, "its when never holds where this template is sent" in one.message) == ("B413", True)


def test_a_last_variant_behind_all_others_is_never_chosen():
    texts = """\
templates:
  other: Other
  hello:
    variants:
      small: {when: "not n is defined or n < 5", text: {en: "A"}}
      big: {when: "n is defined and n >= 5", text: {en: "B"}}
      rest: {text: {en: "C"}}
"""
    [one] = found(policy("threshold: 0.2", templates=texts))
    assert (one.code, "one of the variants above it is chosen" in one.message) == ("B413", True)


def test_a_region_falls_back_to_its_language():
    texts = 'templates:\n  hello:\n    variants:\n      v: {when: "time.weekend", text: {en: "A", de: "A"}}\n      w: {text: {en: "B", de-AT: "B", de: "C"}}\n'
    assert found(policy("threshold: 0.2", templates=texts)) == []


def test_only_a_channel_that_the_message_can_go_to_counts_its_length():
    texts = "templates:\n  hello: A text that has more than thirty characters in it\n  other: Other\n"
    sms = rules("{id: by-sms, when: n > 5, channel: sms, message: other}")
    assert found(policy(f"threshold: 0.2\n{sms}", templates=texts)) == []
    [one] = found(policy("threshold: 0.2\n" + rules("{id: by-sms, when: n > 5, channel: sms}"), templates=texts))
    assert (one.code, "has 49 characters" in one.message, "sms takes 30" in one.message) == ("B415", True, True)


def test_a_policy_with_an_error_has_no_such_findings(tmp_path):
    text = (FIXTURES / "B402.bad.yaml").read_text("utf-8").replace("amount >= 500", "amuont >= 500")
    (tmp_path / "rules").mkdir()
    write(tmp_path, split(text))
    assert [one.code for one in validate(tmp_path).diagnostics] == ["B203"]


def test_loading_for_a_replay_runs_none_of_these_checks():
    assert [check.name for check in needed(CHECKS)] == ["templates"]


def test_the_starter_policy_has_no_such_finding():
    result = validate(ROOT)
    assert [one.code for one in result.diagnostics] == []
    assert result.allowed == 1


PAGE = (ROOT / "docs" / "howto" / "cookbook.md").read_text("utf-8")


@pytest.mark.parametrize("rules_file", re.findall(r"```yaml\n# rules/recipe.yaml\n(.*?)```", PAGE, re.DOTALL))
def test_no_recipe_of_the_cookbook_has_a_finding(rules_file, tmp_path):
    messages = sorted(set(re.findall(r"\bmessage: (\w+)", rules_file)))
    texts = "".join(f"  {name}: Hello\n" for name in messages)
    channels = "channels:\n  chat: {type: console}\n"
    write(tmp_path, {"rules/r.yaml": rules_file, "rules/c.yaml": channels, "templates/t.yaml": f"templates:\n{texts}"})
    assert [f"{one.code} {one.message}" for one in validate(tmp_path).diagnostics] == []


@pytest.mark.parametrize("code", [f"B{number}" for number in range(402, 416)])
def test_the_witness_of_a_fixture_shows_what_it_says(code, tmp_path: Path):
    (tmp_path / "rules").mkdir()
    write(tmp_path, split((FIXTURES / f"{code}.bad.yaml").read_text("utf-8")))
    result = validate(tmp_path)
    assert result.policy is not None
    witnesses = [one.witness for one in result.diagnostics if one.witness]
    assert bool(witnesses) is (code in {"B402", "B403", "B404", "B406", "B407", "B409", "B411", "B413"})
    if not witnesses:
        return
    file = tmp_path / "rules" / "w.test.yaml"
    file.write_text("tests:\n" + "".join(f"  {one}\n" for one in witnesses), "utf-8")
    read = read_tests(result.policy, tmp_path, [file])
    assert [one.message for one in read.diagnostics] == []
    results = list(run_tests(build(result.policy, "reference"), read.tests))
    assert len(results) == len(witnesses)
    assert [failure.differences for one in results for failure in one.failures] == []
