"""`botopt fix`: the finding is gone, nothing new came, and nothing else changed."""

from __future__ import annotations

import pytest

from botopt.authoring.fixing import Fixed, findings, fix
from botopt.loading.snapshot import take
from botopt.model.diagnostic import Severity
from tests.loading.making import write
from tests.test_codes import findings as fixture_findings

MENDED = "B007 B015 B016 B020 B022 B023 B024 B027 B028 B030 B101 B102 B105 B203 B303 B307 B315".split()


def fixed(folder, files) -> Fixed:
    write(folder, files)
    return fix(folder)


def texts(result: Fixed) -> dict[str, str]:
    return {file.name: file.data.decode() for file in result.after.files}


@pytest.mark.parametrize("code", MENDED)
def test_the_bad_fixture_of_a_code_is_mended(code, tmp_path):
    before = fixture_findings(code, "bad", tmp_path)
    assert code in {one.code for one in before}
    result = fix(tmp_path)
    assert code in {one.code for one in result.mended}
    assert code not in {one.code for one in result.left}
    left = [one for one in result.left if one.severity is Severity.ERROR and one.code not in {b.code for b in before}]
    # A fixture about the YAML alone is half a policy: what could not be read before may lack its other half.
    assert not [one for one in left if one.code.startswith("B0") or not code.startswith("B0")], left


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("when: 'refund' in reason", "when: \"'refund' in reason\""),
        ("when: amuont >= 5", "when: amount >= 5"),
        ("when: amount >= 5 and  raeson is defined", "when: amount >= 5 and  reason is defined"),
        ("wehn: amount >= 5", "when: amount >= 5"),
        ("when:amount >= 5", "when: amount >= 5"),
        ("when: “amount >= 5”", 'when: "amount >= 5"'),
        ("when:\u00a0amount >= 5", "when: amount >= 5"),
        ("when: {{ amount >= 5 }}", "when: {{ amount >= 5 }}"),  # its hint asks for thought
        ("message: helo", "message: hello"),
        ("when: amount = 5", "when: amount == 5"),
        ("when: amount > 5 && reason is defined", "when: amount > 5 and reason is defined"),
        ("when: amount > 5 && reasn is defined", "when: amount > 5 and reason is defined"),
        ("when: reason == ‘late’", "when: reason == 'late'"),
        ("when: reason == “late”", "when: reason == 'late'"),
        ("when: reason == late", "when: reason == 'late'"),
        ("when: amount > '5'", "when: amount > 5"),
        ("when: time.weekday == 'Monday'", "when: time.weekday == 'mon'"),
        ("when: amount > .5", "when: amount > 0.5"),
        ("when: amount less than 5", "when: amount less than 5"),  # two words, and only one of them has a sign
        ("when: time.hour > 18:00", "when: time.hour > 18:00"),  # whether 18 itself counts is the author's to say
        ("threshold: 0,05", "threshold: 0.05"),
        ("threshold: 5%", "threshold: 0.05"),
        ("threshold: minus 0.05", "threshold: -0.05"),
        ("threshold: '0.05'", "threshold: 0.05"),
        ("skip: yes", "skip: true"),
        ("threshold: lots", "threshold: lots"),
    ],
)
def test_one_line_of_a_rule(line, after, tmp_path):
    before = line if line.startswith(("when", "wehn")) else "when: amount > 1\n        " + line
    rules = f"""\
channels: {{chat: {{type: console}}}}   # kept
events:
  late:
    fields:
      amount: {{type: number}}
      reason: {{type: text, optional: true}}
    weight: 0.7
    message: hello
    rules:
      - id: a
        {before}
        score: +0.1
"""
    result = fixed(tmp_path, {"rules/a.yaml": rules, "templates/t.yaml": "templates:\n  hello: Hi\n"})
    assert texts(result)["rules/a.yaml"] == rules.replace(line, after)
    assert bool(result.mended) == (line != after)


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("en: Order #12 is late", 'en: "Order #12 is late"'),
        ("en: {{ user.id }}, hello   # greeting", 'en: "{{ user.id }}, hello"   # greeting'),
        ("en: Note: it is late", 'en: "Note: it is late"'),
        ("en: „Say “hi”", "en: „Say “hi”"),  # nobody knows where it ends
        ("en: {{ user.nmae }}", 'en: "{{ user.name }}"'),
        ("en: Hello {user.name}", "en: Hello {{ user.name }}"),
        ('en: "Hello {user.name}"', 'en: "Hello {{ user.name }}"'),
        ("en: \"{% if user.name == 'x' %}Hi{% end %}\"", "en: \"{% if user.name == 'x' %}Hi{% endif %}\""),
        ("en: " + "word " * 40 + "#1 " + "x " * 40, 'en: "' + "word " * 40 + "#1 " + "x " * 39 + 'x" '),
    ],
)
def test_one_line_of_a_template(line, after, tmp_path):
    templates = f"templates:\n  hello:\n    variants:\n      only:\n        text:\n          {line}\n"
    rules = (
        "user:\n  name: {type: text, default: you}\nchannels: {chat: {type: console}}\n"
        "events: {late: {weight: 0.7, message: hello}}\n"
    )
    result = fixed(tmp_path, {"rules/a.yaml": rules, "templates/t.yaml": templates})
    assert texts(result)["templates/t.yaml"] == templates.replace(line, after)


def test_a_doubtful_number_becomes_what_its_place_wants(tmp_path):
    rules = "settings:\n  seed: 010\nevents:\n  a:\n    fields:\n      code: {type: text, one_of: [010, b]}\n"
    result = fixed(tmp_path, {"rules/a.yaml": rules})
    assert texts(result)["rules/a.yaml"] == rules.replace("seed: 010", "seed: 10").replace("[010", '["010"')
    assert not result.left


def test_mistakes_behind_a_mistake_are_mended_too(tmp_path):
    rules = "settings:\n\ttreshold: 0.7\n\tlocale:en\n"
    result = fixed(tmp_path, {"rules/a.yaml": rules})
    assert texts(result)["rules/a.yaml"] == "settings:\n  threshold: 0.7\n  locale: en\n"
    assert not result.left


def test_a_change_that_brings_a_new_error_is_not_made(tmp_path):
    # `currancy` was meant to be `currency`, but a field may stand only once.
    rules = "settings:\n  threshold: 0.6\n  treshold: 0.7\n"
    result = fixed(tmp_path, {"rules/a.yaml": rules})
    assert texts(result)["rules/a.yaml"] == rules
    assert not result.mended
    assert [one.code for one in result.left] == ["B101"]


def test_nothing_is_written_and_a_sound_workspace_stays_as_it_is(tmp_path):
    rules = "settings:\n  treshold: 0.7\n"
    result = fixed(tmp_path, {"rules/a.yaml": rules})
    assert result.mended
    assert (tmp_path / "rules/a.yaml").read_text() == rules
    assert [name for name, *_ in result.changed()] == ["rules/a.yaml"]
    (tmp_path / "rules/a.yaml").write_text("settings:\r\n  threshold: 0.7\r\n", newline="")
    assert not list(fix(tmp_path).changed())
    assert not findings(take(tmp_path))


@pytest.mark.parametrize(
    ("rules", "after"),
    [
        ("suppression:\n  - {id: a, cooldown: 6 hours}\n", "suppression:\n  - {id: a, cooldown: 6h}\n"),
        (
            "suppression:\n  - {id: a, quiet_hours: 22:00-08:00}\n",
            'suppression:\n  - {id: a, quiet_hours: {from: "22:00", to: "08:00"}}\n',
        ),
        ("events:\n  Card Declined: {}\n", "events:\n  card_declined: {}\n"),
        ("events:\n  a:\n    fields: [amount]\n", "events:\n  a:\n    fields: [amount]\n"),  # the hint is an example
        ("settings:\n  timezone: UTC\n\tlocale: en\n", "settings:\n  timezone: UTC\n  locale: en\n"),
        (
            "events:\n  a:\n    fields:\n      n: {type: text}\n\tdescription: D\n",
            "events:\n  a:\n    fields:\n      n: {type: text}\n    description: D\n",
        ),
    ],
)
def test_hints_are_typed_to_the_letter_or_not_at_all(rules, after, tmp_path):
    assert texts(fixed(tmp_path, {"rules/a.yaml": rules}))["rules/a.yaml"] == after
