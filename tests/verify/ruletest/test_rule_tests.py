"""Section 11: what each step does, what `expect` compares, and how mistakes in a test file are answered."""

from __future__ import annotations

import pytest

from botopt.engine.build import build
from botopt.verify.ruletest.choosing import named_like
from botopt.verify.ruletest.model import Result
from botopt.verify.ruletest.reading import read_tests
from botopt.verify.ruletest.running import run_tests
from botopt.verify.validate import load

RULES = """\
settings:
  engagement: {effect: 0}
  fatigue: {per_message: 0}
categories:
  news: {consent: opt_in}
user:
  plan: {type: text, one_of: [free, pro], default: free}
channels:
  chat: {type: console}
  mail: {type: console}
events:
  paid: {fields: {order: {type: text, optional: true}}}
  failed:
    fields:
      amount: {type: number, min: 0, default: 1}
      order: {type: text, optional: true}
    weight: 0.70
    channel: chat
    expires_after: 2h
    message: hello
    rules:
      - {id: pro, when: user.plan == 'pro', score: +0.10}
      - {id: tiny, when: amount < 1, skip: true}
  letter:
    category: news
    weight: 0.90
    channel: chat
    message: hello
suppression:
  - {id: once, cooldown: 6h, events: [failed]}
  - {id: talk, in_conversation: 5m, channels: [chat], events: [failed]}
  - {id: night, quiet_hours: {from: "22:00", to: "08:00"}, events: [letter]}
"""
TEMPLATES = """\
templates:
  hello:
    variants:
      only:
        title: {en: Sorry}
        text: {en: "Hello\\u202fthere, friend"}
        buttons: [{label: {en: Yes}}, {label: {en: No}}]
"""
NIGHT = "    at: 2026-03-02T23:00:00Z\n"
HELD = "{subscribe: {}}\n{send: letter, expect: {outcome: held, by: night}}"


@pytest.fixture
def told(tmp_path):
    def run(tests: str) -> list[Result]:
        for name, text in (("rules/r.yaml", RULES), ("templates/t.yaml", TEMPLATES), ("rules/r.test.yaml", tests)):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, "utf-8")
        policy = load(tmp_path)
        read = read_tests(policy, tmp_path)
        assert [f"{one.code} {one.message}" for one in read.diagnostics] == []
        return list(run_tests(build(policy), read.tests))

    return run


@pytest.fixture
def found(tmp_path):
    def read(tests: str) -> list[str]:
        for name, text in (("rules/r.yaml", RULES), ("templates/t.yaml", TEMPLATES), ("rules/r.test.yaml", tests)):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, "utf-8")
        read = read_tests(load(tmp_path), tmp_path)
        return [f"{one.position.line}:{one.position.column} {one.code} {one.message}" for one in read.diagnostics]

    return read


def one(steps: str, head: str = "") -> str:
    return f"tests:\n  - name: t\n{head}    steps:\n" + "".join(f"      - {step}\n" for step in steps.splitlines())


def differences(results: list[Result]) -> list[str]:
    return [
        f"{failure.step.words} {difference.key} {difference.expected}/{difference.found}"
        for result in results
        for failure in result.failures
        for difference in failure.differences
    ]


@pytest.mark.parametrize(
    ("steps", "head"),
    [
        ("{send: failed, expect: {outcome: sent}}\n{send: failed, expect: {reason: cooldown, by: once}}", ""),
        ("{send: failed}\n{after: 5h, send: failed, expect: {reason: cooldown, until: '2026-03-02T15:00:00Z'}}", ""),
        ("{send: failed}\n{advance: 6h}\n{send: failed, expect: {outcome: sent}}", ""),
        ("{send: failed, expect: {score: 0.8, threshold: 0.6}}", "    user: {plan: pro}\n"),
        ("{send: failed, expect: {score: {above: 0.69, below: 0.71}}}", ""),
        ("{update: {plan: pro}}\n{send: failed, expect: {score: 0.8}}", ""),
        ("{send: failed, with: {amount: 0.5}, expect: {outcome: skipped, by: tiny}}", ""),
        ("{send: failed, with: {amount: -1}, expect: {outcome: rejected, by: amount}}", ""),
        ("{send: failed, id: x}\n{after: 7h, send: failed, id: x, expect: {reason: duplicate}}", ""),
        ("{send: failed, late: 3h, expect: {reason: expired}}\n{send: failed, late: 2h, expect: {outcome: sent}}", ""),
        ("{send: paid, expect: {nothing: true}}", ""),
        ("{send: letter, expect: {reason: no_consent}}", ""),
        ("{subscribe: {category: news}}\n{send: letter, expect: {outcome: sent}}", ""),
        ("{subscribe: {}}\n{unsubscribe: {}}\n{send: failed, expect: {reason: no_consent}}", ""),
        ("{delete: true}\n{send: failed, expect: {outcome: rejected, by: user.deleted}}", ""),
        ("{click: last, expect: {outcome: rejected}}", ""),
        ("{send: failed}\n{click: last, expect: {nothing: true}}", ""),
        ("{send: failed, id: f}\n{after: 1h, fail: f}\n{send: failed, expect: {outcome: sent}}", ""),
        ("{send: failed}\n{fail: failed}\n{send: failed, expect: {outcome: sent}}", ""),
        ("{active: true}\n{after: 4m, send: failed, expect: {reason: in_conversation, by: talk}}", ""),
        ("{active: true}\n{after: 4m, active: chat}\n{after: 5m, send: failed, expect: {outcome: sent}}", ""),
        ("{active: chat, expect: {nothing: true}}\n{after: 299s, send: failed, expect: {by: talk}}", ""),
        ("{active: mail}\n{send: failed, expect: {outcome: sent}}", ""),
        (
            (
                "{send: failed}\n{fail: last, with: {capped_until: '2026-03-02T10:00:00Z', reason: full}}\n"
                "{after: 30m, send: failed, expect: {reason: capped, by: provider, until: '2026-03-02T10:00:00Z'}}\n"
                "{after: 30m, send: failed, expect: {outcome: sent}}"
            ),
            "",
        ),
        (
            "{send: failed, id: f}\n{fail: f, with: {capped_until: soon}, expect: {outcome: rejected, by: capped_until}}",
            "",
        ),
        (f"{HELD}\n{{advance: 8h, expect: {{nothing: true}}}}\n{{advance: 1h, expect: {{outcome: sent}}}}", NIGHT),
        (
            "{subscribe: {}}\n{send: letter, expect: {outcome: sent}}",
            NIGHT + "    user: {id: bo, timezone: America/New_York}\n",
        ),
        (
            "{send: failed, expect: {text_contains: 'Hello there', title: Sorry, buttons: ['Yes', 'No'], variant: only}}",
            "",
        ),
        ("{send: failed, expect: {text_contains: [Hello, friend], channel: chat, locale: en, template: hello}}", ""),
    ],
)
def test_what_comes_is_what_is_expected(told, steps, head):
    results = told(one(steps, head))
    assert differences(results) == []
    assert results[0].expectations > 0


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("{send: failed, expect: {outcome: held, score: 0.7}}", ["send: failed outcome held/sent"]),
        ("{send: failed, expect: {score: 0.700001}}", ["send: failed score 0.700001/0.7"]),
        ("{send: failed, expect: {score: {above: 0.7}}}", ["send: failed score above 0.7/0.7"]),
        ("{send: failed, expect: {nothing: true}}", ["send: failed nothing no decision/failed: sent"]),
        ("{send: paid, expect: {outcome: sent}}", ["send: paid nothing a decision/no decision"]),
        ("{advance: 1d, expect: {outcome: sent}}", ["advance: 1d nothing a decision/no decision"]),
        (
            "{send: failed, expect: {text_contains: [Hello, foe]}}",
            ['send: failed text_contains "Hello", "foe"/"Hello\u202fthere, friend"'],
        ),
        ("{send: failed, expect: {buttons: ['Yes']}}", ['send: failed buttons "Yes"/"Yes", "No"']),
        ("{send: letter, expect: {text: Hi}}", ["send: letter text Hi/none"]),
        ("{send: letter, id: x}\n{click: x}", ["click: x click a message of x/none was sent"]),
    ],
)
def test_what_differs_is_said(told, steps, said):
    assert differences(told(one(steps))) == said


def test_a_failure_carries_the_explanation_of_the_very_decision(told):
    [result] = told(one("{send: failed}\n{send: failed, expect: {outcome: sent}}"))
    [failure] = result.failures
    assert failure.explanation is not None
    assert failure.explanation.decision == failure.decision
    assert failure.decision.by == "once"


def test_every_test_has_a_user_of_its_own(told):
    both = "{name: %s, steps: [{send: failed, expect: {outcome: sent}}]}"
    assert differences(told(f"tests:\n  - {both % 'a'}\n  - {both % 'b'}\n")) == []


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        (one("{send: faild}"), '4:16 B102 there is no event type "faild"'),
        (one("{send: failed, with: {amout: 1}}"), '4:31 B102 "failed" has no "amout"'),
        (
            one("{send: failed, with: {amount: -1}}"),
            "4:39 B112 a field has a wrong value: amount must be at least 0, not -1",
        ),
        (
            one("{send: failed, expect: {outcome: snt}}"),
            '4:42 B105 outcome must be sent, skipped, below_threshold, suppressed, held or rejected, not "snt"',
        ),
        (one("{send: failed, expect: {by: onec}}"), '4:37 B102 nothing that could decide is called "onec"'),
        (one("{send: failed, expect: {template: helo}}"), '4:43 B102 there is no template "helo"'),
        (one("{send: failed, expect: {}}"), "4:32 B111 expect names nothing"),
        (one("{send: failed, expect: {nothing: true, by: once}}"), "4:33 B113 nothing stands alone"),
        (one("{send: failed, expect: {until: noon}}"), '4:40 B109 until must be a time with an offset, not "noon"'),
        (one("{active: false}"), "4:18 B104 active must be true or the name of a channel, not false"),
        (one("{active: cat}"), '4:18 B102 there is no channel "cat"'),
        (one("{active: {channel: chat}}"), "4:18 B104 active must be true or the name of a channel, not a map"),
        (one("{active: true, with: {channel: chat}}"), "4:24 B113 with belongs to send and fail, not to active"),
        (one("{send: failed}\n{fail: last, with: {capped: x}}"), '5:29 B102 message.failed has no "capped"'),
        (
            one("{send: failed}\n{fail: last, with: {capped_until: soon}}"),
            (
                "5:43 B112 a field has a wrong value: capped_until must be a time such as "
                '"2026-03-01T09:00:00Z", not "soon"'
            ),
        ),
        (one("{after: 2h}"), "4:9 B113 this step does nothing"),
        (one("{send: failed, click: last}"), "4:9 B113 this step has send and click: one thing at a time"),
        (one("{click: last, with: {amount: 1}}"), "4:23 B113 with belongs to send and fail, not to click"),
        (one("{after: 1h, advance: 1h}"), "4:10 B113 advance already moves the clock"),
        (one("{click: lst}"), '4:17 B102 "lst" is neither last, nor the id of an earlier send, nor an event type'),
        (one("{subscribe: {category: nws}}"), '4:32 B112 a category that is not declared: "nws"'),
        (one("{update: {plan: gold}}"), "4:25 B112"),
        (one("{advance: 1 day}"), '4:19 B109 advance must be a duration such as 30m, 6h or 7d, not "1 day"'),
        (one("{send: failed}", "    at: yesterday\n"), '3:9 B109 at must be a time with an offset, not "yesterday"'),
        (one("{send: failed}", "    user: {timezone: Berlin}\n"), "3:22 B112"),
        (one("{send: failed}", "    user: {pln: pro}\n"), '3:12 B102 user has no "pln"'),
        ("tests:\n  - {steps: [{send: failed}]}\n", "2:5 B103 a test has no name"),
        ("tests: []\n", "1:8 B111 tests is an empty list"),
        ("test: []\n", '1:1 B101 unknown key "test" in a file of rule tests'),
        (
            "tests:\n  - {name: a, steps: [{send: paid}]}\n  - {name: a, steps: [{send: paid}]}\n",
            '3:12 B108 another test is called "a", in line 2',
        ),
    ],
)
def test_mistakes_have_a_place_and_words(found, tests, said):
    assert found(tests)[0].startswith(said)


def test_names_are_chosen_by_a_part_or_a_pattern(told):
    tests = [
        result.test
        for result in told(
            "tests:\n" + "".join(f"  - {{name: {n}, steps: [{{send: paid}}]}}\n" for n in ("Alpha one", "beta two"))
        )
    ]
    assert [test.name for test in named_like(tests, "ALPHA")] == ["Alpha one"]
    assert [test.name for test in named_like(tests, "*a*")] == ["Alpha one", "beta two"]
    assert [test.name for test in named_like(tests, "b*o")] == ["beta two"]
    assert [test.name for test in named_like(tests, None)] == ["Alpha one", "beta two"]
