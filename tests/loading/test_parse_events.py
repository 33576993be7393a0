"""Event types and their rules: every mistake is answered at its own word."""

from __future__ import annotations

import pytest

from botopt.model.condition import ALWAYS, All, AnyOf, Comparison, Constant, Literal, Not, Ref, Scope, ValueType
from botopt.model.durations import HOUR_US
from tests.loading.making import check_marked, errors, load, load_files, said

HEAD = (
    "channels: {chat: {type: console}}\ncategories: {news: {}, quiet: {engagement: off}}\nuser: {plan: {type: text}}\n"
)
TEMPLATES = "templates: {hello: Hello!}\n"
OTHER = "\n  other: {weight: 0.5, message: hello, fields: {size: {type: integer}}}\n"

# (the event type, code, part of the message, part of the hint)
EVENTS = [
    ("⟦a⟧: {message: hello}", "B103", 'the event type "a" has no weight but a message', "add weight: 0.70"),
    ("a: {⟦weight⟧: 0.5}", "B113", 'weight needs a message, and the event type "a" has none', "or delete weight"),
    ("a: {⟦category⟧: news, always: true}", "B113", "category and always need a message", ""),
    ("a: {⟦rules⟧: []}", "B113", "rules needs a message", ""),
    (
        "a: {⟦rules⟧: [{id: x, when: true, message: hello}]}",
        "B113",
        "rules may replace a message, but not give the only one",
        "",
    ),
    ("a: {weight: ⟦1.1⟧, message: hello}", "B106", "weight must be a number from 0 to 1", ""),
    ("a: {weight: 1, message: ⟦helo⟧}", "B102", 'unknown template "helo"', '"hello"'),
    ("a: {weight: 1, message: hello, category: ⟦new⟧}", "B102", 'unknown category "new"', '"news"'),
    ("a: {weight: 1, message: hello, channel: ⟦chta⟧}", "B102", 'unknown channel "chta"', '"chat"'),
    ("a: {weight: 1, message: hello, expires_after: ⟦2⟧}", "B109", "expires_after must be a duration", "2h"),
    ("a: {weight: 1, message: hello, always: ⟦yes⟧}", "B104", "always must be true or false", "always: true"),
    ("a: {weight: 1, message: hello, ⟦mesage⟧: hello}", "B101", "", '"message"'),
    ("a: {weight: 1, ⟦template⟧: hello}", "B101", "", "type message:"),
    ("a: {⟦cooldown⟧: 1h}", "B101", "", "cooldowns stand in the section suppression"),
    ("a: {enabled: ⟦off⟧}", "B104", "enabled must be true or false", "enabled: false"),
    ("a: {engagement: ⟦none⟧}", "B105", "on or off", ""),
    ("a: {description: ⟦5⟧}", "B104", "a text, not 5", 'description: "5"'),
    ("a: ⟦hello⟧", "B104", "a must be a map", "written {}"),
    ("⟦A⟧: {}", "B107", "the name of an event type", "type a"),
    ("⟦paymentFailed⟧: {}", "B107", "", "type payment_failed"),
    ("⟦user.deleted⟧: {}", "B107", "botopt's own", ""),
    ("a: {accepts: [X, ⟦other⟧]}", "B108", "already stands for another event type, at rules/a.yaml:7:3", ""),
    ("a: {accepts: [⟦a⟧]}", "B108", "the name of this event type anyway", ""),
    ("a: {accepts: [⟦message.clicked⟧]}", "B107", "botopt's own", ""),
    ("a: {accepts: [X, ⟦X⟧]}", "B108", "stands twice in accepts", ""),
    ("a: {accepts: ⟦X⟧}", "B104", "must be a list", "accepts: [X]"),
    ("a: {accepts: [⟦5⟧]}", "B104", "each entry of accepts must be a text", '"5"'),
    ("a: {fields: ⟦[amount]⟧}", "B104", "fields must be a map", "{name: {type: text}}"),
    ("a: {fields: {⟦not⟧: {type: text}}}", "B107", "a word of conditions", "not_value"),
    ("a: {fields: {x: {type: text, default: ⟦1⟧}}}", "B112", "default must be text, not 1", '"1"'),
]


@pytest.mark.parametrize(("text", "code", "message", "hint"), EVENTS)
def test_a_mistake_in_an_event_type(text: str, code: str, message: str, hint: str):
    check_marked(f"{HEAD}events:\n  {text}\n{OTHER}", code, message, hint, TEMPLATES)


RULES = [
    ("⟦{when: true, skip: true}⟧", "B103", "this rule has no id", "add an id"),
    ("{id: ⟦Big⟧, when: true, skip: true}", "B107", "id must be made of", "type big"),
    ("{id: ⟦5⟧, when: true, skip: true}", "B104", "id must be a text", ""),
    ("{id: ⟦x⟧, skip: true}", "B103", 'the rule "x" has no when', ""),
    ("{id: ⟦x⟧, when: true}", "B121", 'the rule "x" changes nothing', "skip: true"),
    ("{id: x, when: true, ⟦scroe⟧: 0.5}", "B101", 'in the rule "x"', '"score"'),
    ("{id: x, ⟦wehn⟧: true, skip: true}", "B101", "", '"when"'),
    ("{id: x, when: true, ⟦weight⟧: 0.5}", "B101", "", "score: +0.10"),
    ("{id: x, when: true, score: ⟦1.5⟧}", "B106", "from -1 to 1", ""),
    ("{id: x, when: true, threshold: ⟦low⟧}", "B104", "a number from -1 to 1", ""),
    ("{id: x, when: true, message: ⟦helo⟧}", "B102", "unknown template", '"hello"'),
    ("{id: x, when: true, channel: ⟦sms⟧}", "B102", "unknown channel", "there is only chat"),
    ("{id: x, when: true, skip: ⟦1⟧}", "B104", "true or false", "skip: true"),
    ("⟦just words⟧", "B104", "each entry of rules must be a map", "{id: …, when: …"),
    ("{id: x, skip: true, when: ⟦amuont⟧ > 5}", "B203", 'there is no field "amuont"', '"amount"'),
    ("{id: x, skip: true, when: ⟦size⟧ > 5}", "B203", '"size"', ""),
    ("{id: x, skip: true, when: \"count(⟦'othr'⟧, '1h') > 1\"}", "B203", "", '"other"'),
    ("{id: x, skip: true, when: ⟦5⟧}", "B104", "a condition such as amount > 5, not 5", ""),
    ("{id: x, skip: true, when: ⟦[]⟧}", "B111", "when is an empty list", ""),
    ("{id: x, skip: true, when: ⟦{}⟧}", "B111", "when is empty", ""),
    ("{id: x, skip: true, when: {⟦al⟧: [true]}}", "B101", "", '"all"'),
    ("{id: x, skip: true, when: {all: [true], ⟦any⟧: [true]}}", "B113", "all and any stand side by side", "one all"),
    ("{id: x, skip: true, when: {all: ⟦true⟧}}", "B104", "all must be a list", ""),
    ("{id: x, skip: true, when: {not: ⟦[true]⟧}}", "B104", "not must be one condition", "{any: […]}"),
    ("{id: x, skip: true, when: [true, ⟦[true, false]⟧]}", "B104", "must be one condition, not a list", "{any: […]}"),
    ("{id: x, skip: true, when: [true, {any: [⟦amuont⟧ > 1]}]}", "B203", "", '"amount"'),
]


@pytest.mark.parametrize(("text", "code", "message", "hint"), RULES)
def test_a_mistake_in_a_rule(text: str, code: str, message: str, hint: str):
    head = f"{HEAD}events:\n  a:\n    fields: {{amount: {{type: number}}}}\n    weight: 1\n    message: hello\n"
    # a name of another event type suggests itself, so the word may differ from the finding's
    check_marked(f"{head}    rules:\n      - {text}\n{OTHER}", code, message, hint, TEMPLATES)


def test_two_rules_of_one_event_type_cannot_share_an_id():
    check_marked(
        f"{HEAD}events:\n  a:\n    weight: 1\n    message: hello\n    rules:\n"
        "      - {id: x, when: true, skip: true}\n      - {id: ⟦x⟧, when: true, score: 0.1}\n",
        "B108",
        "the first is at rules/a.yaml:9:14",
        templates=TEMPLATES,
    )


def test_rules_of_two_event_types_may_share_an_id():
    rule = "weight: 1, message: hello, rules: [{id: x, when: true, score: 0.1}]"
    loaded = load(f"{HEAD}events:\n  a: {{{rule}}}\n  b: {{{rule}}}\n", TEMPLATES)
    assert loaded.diagnostics == ()


def test_a_rule_and_a_suppression_cannot_share_an_id():
    check_marked(
        f"{HEAD}events:\n  a: {{weight: 1, message: hello, rules: [{{id: ⟦x⟧, when: true, score: 0.1}}]}}\n"
        "suppression: [{id: x, cooldown: 1h}]\n",
        "B108",
        'a suppression has the id "x", too, at rules/a.yaml:6:20',
        templates=TEMPLATES,
    )


def test_the_channel_may_be_left_out_where_exactly_one_is_declared():
    loaded = load(f"{HEAD}events: {{a: {{weight: 1, message: hello}}}}\n", TEMPLATES)
    assert loaded.policy is not None
    assert loaded.policy.events["a"].channel == "chat"


def test_the_channel_is_missing_where_several_are_declared():
    check_marked(
        "channels: {chat: {type: console}, sms: {type: console}}\nevents: {⟦a⟧: {weight: 1, message: hello}}\n",
        "B103",
        "a message but no channel; there are chat and sms",
        templates=TEMPLATES,
    )


def test_without_any_channel_there_is_one_finding_for_all_event_types():
    check_marked(
        "events: {⟦a⟧: {weight: 1, message: hello}, b: {weight: 1, message: hello}}\n",
        "B103",
        "no channel is declared",
        "channels: {chat: {type: console}}",
        templates=TEMPLATES,
    )


@pytest.mark.parametrize(
    ("words", "engagement"),
    [
        ("", True),
        (", category: news", True),
        (", category: quiet", False),
        (", category: quiet, engagement: on", True),
        (", category: news, engagement: off", False),
        (", engagement: off", False),
    ],
)
def test_engagement_is_what_the_category_says_unless_the_event_type_does(words: str, engagement: bool):
    loaded = load(f"{HEAD}events: {{a: {{weight: 1, message: hello{words}}}}}\n", TEMPLATES)
    assert loaded.policy is not None, said(loaded)
    assert loaded.policy.events["a"].engagement is engagement


def test_an_event_type_is_read_with_everything_it_says():
    loaded = load(
        HEAD
        + "events:\n  a:\n    description: d\n    category: news\n    fields: {n: {type: integer}}\n    weight: 1\n"
        "    threshold: 0.5\n    message: hello\n    channel: chat\n    expires_after: 2h\n    accepts: [X.Y]\n"
        "    enabled: false\n    always: true\n    rules:\n"
        "      - {id: r, when: n > 1, score: +0.15, threshold: -1, message: hello, channel: chat, skip: true}\n",
        TEMPLATES,
    )
    assert loaded.policy is not None, said(loaded)
    event = loaded.policy.events["a"]
    assert (event.name, event.description, event.category, event.weight) == ("a", "d", "news", 1.0)
    assert (event.threshold, event.message, event.channel) == (0.5, "hello", "chat")
    assert (event.expires_after_us, event.accepts) == (2 * HOUR_US, ("X.Y",))
    assert (event.enabled, event.always, event.decides) == (False, True, False)
    (rule,) = event.rules
    assert (rule.id, rule.score, rule.threshold, rule.message, rule.channel, rule.skip) == (
        "r",
        0.15,
        -1.0,
        "hello",
        "chat",
        True,
    )
    assert rule.when.text == "n > 1"
    assert (rule.when.position.line, rule.when.position.column, rule.when.position.end_column) == (18, 23, 28)


N = Ref(Scope.EVENT, "n", ValueType.INTEGER)
ONE, TWO = (Comparison(">", N, Literal(value)) for value in (1, 2))


@pytest.mark.parametrize(
    ("when", "condition", "text"),
    [
        ("n > 1", ONE, "n > 1"),
        ("true", Constant(True), "true"),
        ("[n > 1]", ONE, "n > 1"),
        ("[n > 1, n > 2]", All((ONE, TWO)), "(n > 1) and (n > 2)"),
        ("{all: [n > 1, n > 2]}", All((ONE, TWO)), "(n > 1) and (n > 2)"),
        ("{any: [n > 1, n > 2]}", AnyOf((ONE, TWO)), "(n > 1) or (n > 2)"),
        ("{not: n > 1}", Not(ONE), "not (n > 1)"),
        ("[n > 1, {not: {any: [n > 2, false]}}]", All((ONE, Not(AnyOf((TWO, Constant(False)))))), None),
    ],
)
def test_conditions_are_texts_lists_and_combinations(when: str, condition: object, text: str | None):
    loaded = load(
        f"{HEAD}events: {{a: {{weight: 1, message: hello, fields: {{n: {{type: integer}}}},"
        f" rules: [{{id: r, when: {when}, skip: true}}]}}}}\n",
        TEMPLATES,
    )
    assert loaded.policy is not None, said(loaded)
    (rule,) = loaded.policy.events["a"].rules
    assert rule.when.condition == condition
    assert rule.when.condition != ALWAYS
    assert text is None or rule.when.text == text


# ---------------------------------------------------------------- one mistake, one finding


def test_an_unknown_type_of_a_field_does_not_make_the_field_unknown():
    check_marked(
        f"{HEAD}events:\n  a:\n    fields: {{n: {{type: ⟦numbr⟧}}}}\n    weight: 1\n    message: hello\n"
        "    rules: [{id: r, when: n > 1, skip: true}]\nsuppression: [{id: s, cooldown: 1h, per: [n]}]\n",
        "B105",
        templates="templates: {hello: {variants: {a: {when: n > 1, text: x}, b: {text: y}}, samples: [{n: 1}]}}\n",
    )


def test_an_unknown_template_does_not_make_another_unused():
    check_marked(
        f"{HEAD}events: {{a: {{weight: 1, message: ⟦helo⟧}}}}\nsuppression: [{{id: s, cooldown: 1h, events: [a]}}]\n",
        "B102",
        templates=TEMPLATES,
    )


def test_what_a_broken_block_may_hold_is_not_unknown():
    loaded = load(
        "events:\n  a:\n    description: 'x' y\n    weight: 1\n  b: {fields: {n: {type: integer}}}\n"
        "categories: 'x' y\n"
        "suppression:\n  - {id: s, cooldown: 1h, events: [zz], categories: [news]}\n"
        "  - {id: t, resolved_by: b, within: 1h, same: [q], events: [a]}\n",
        TEMPLATES,
    )
    assert [found.code for found in loaded.diagnostics] == ["B020", "B020"], said(loaded)


def test_a_broken_file_of_templates_makes_no_template_unknown():
    loaded = load_files(
        {
            "rules/a.yaml": f"{HEAD}events: {{a: {{weight: 1, message: zz}}}}\n",
            "templates/a.yaml": "templates:\n  hello: 'x' y\n",
        }
    )
    assert [found.code for found in loaded.diagnostics] == ["B020"], said(loaded)


def test_a_broken_block_does_not_hide_what_is_wrong_beside_it():
    loaded = load(f"{HEAD}settings: 'x' y\nevents:\n  a: {{weight: 1, message: hello, category: nwes}}\n", TEMPLATES)
    assert [found.code for found in errors(loaded)] == ["B020", "B102"], said(loaded)


def test_an_unknown_section_may_hold_what_seems_to_be_missing():
    check_marked(
        f"⟦chanels⟧: {{sms: {{type: console}}}}\n{HEAD}events: {{a: {{weight: 1, message: hello, channel: sms}}}}\n",
        "B101",
        hint='"channels"',
        templates=TEMPLATES,
    )


def test_an_unknown_key_may_hold_the_fields():
    check_marked(
        f"{HEAD}events:\n  a: {{weight: 1, message: hello, ⟦feilds⟧: {{n: {{type: integer}}}}}}\n"
        "suppression: [{id: s, cooldown: 1h, per: [n]}]\n",
        "B101",
        hint='"fields"',
        templates="templates: {hello: {variants: {a: {text: x}}, samples: [{n: 1}]}}\n",
    )


def test_a_misspelled_name_is_not_unknown_where_it_is_spelled_well():
    check_marked(
        f"{HEAD}events: {{⟦My-Event⟧: {{}}, a: {{weight: 1, message: hello}}}}\n"
        "suppression: [{id: s, resolved_by: my-event, within: 1h}]\n",
        "B107",
        templates=TEMPLATES,
    )


def test_a_key_of_an_event_type_that_slipped_to_the_left_is_one_finding():
    check_marked(
        f"{HEAD}events:\n  a:\n    category: news\n  ⟦fields⟧:\n"
        "      n: {type: integer}\n      m: {type: integer}\n"
        "suppression: [{id: s, cooldown: 1h, per: [n], events: [a]}]\n",
        "B101",
        "stands where the name of an event type should",
        "indent it",
        templates="templates: {}\n",
    )


@pytest.mark.parametrize(
    ("when", "warns"),
    [
        ("[reason is defined, reason != 'x']", False),
        ("{all: [reason is defined, reason != 'x']}", False),
        ("{any: [reason is not defined, reason != 'x']}", False),
        ("{any: [reason is defined, reason != 'x']}", True),
        ("[n > 1, reason != 'x']", True),
    ],
)
def test_conditions_of_one_list_know_of_each_other(when, warns):
    rules = (
        "channels: {chat: {type: console}}\nevents:\n  a:\n    fields: {n: {type: number}, "
        "reason: {type: text, optional: true}}\n    weight: 0.7\n    message: hello\n"
        f"    rules: [{{id: r, score: +0.1, when: {when}}}]\n"
    )
    found = [one.code for one in load(rules, TEMPLATES).diagnostics]
    assert found == (["B208"] if warns else [])
