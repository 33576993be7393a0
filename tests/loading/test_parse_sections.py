"""settings, categories, user, channels: every mistake is answered at its own word."""

from __future__ import annotations

import pytest

from botopt.model.condition import ValueType
from botopt.model.durations import DAY_US, HOUR_US
from botopt.model.learning_policy import EngagementSettings
from botopt.model.policy import Category, Channel, Consent, DeliverySettings, FatigueSettings, FieldSpec, Settings
from botopt.model.position import NOWHERE
from tests.loading.making import check_marked, load, said

# (settings, code, part of the message, part of the hint)
SETTINGS = [
    ("⟦treshold⟧: 0.5", "B101", 'unknown key "treshold" in settings', 'did you mean "threshold"?'),
    ("⟦shade⟧: red", "B101", "unknown key", "there are timezone, locale, threshold"),
    ("threshold: ⟦1.5⟧", "B106", "threshold must be a number from 0 to 1, not 1.5", ""),
    ("threshold: ⟦-0.1⟧", "B106", "not -0.1", ""),
    ("threshold: ⟦high⟧", "B104", 'not "high"', ""),
    ('threshold: ⟦"0.5"⟧', "B104", 'not "0.5"', "leave out the quotes: threshold: 0.5"),
    ('threshold: ⟦"0,5"⟧', "B104", "", "threshold: 0.5"),
    ("threshold: ⟦50%⟧", "B104", "", "threshold: 0.5"),
    ("threshold: ⟦true⟧", "B104", "not true", ""),
    ("threshold: ⟦[0.5]⟧", "B104", "not a list", ""),
    ("threshold: ⟦null⟧", "B104", "not nothing", ""),
    ("timezone: ⟦Berlin⟧", "B110", 'unknown time zone "Berlin"', '"Europe/Berlin"'),
    ("timezone: ⟦Europe/Berln⟧", "B110", "", '"Europe/Berlin"'),
    ("timezone: ⟦America/new york⟧", "B110", "", '"America/New_York"'),
    ("timezone: ⟦Mars⟧", "B110", "", ""),
    ("timezone: ⟦5⟧", "B104", "must be a text, not 5", 'timezone: "5"'),
    ("locale: ⟦de_AT⟧", "B312", 'is written "de-AT"', "type de-AT"),
    ("locale: ⟦DE⟧", "B312", 'is written "de"', "type de"),
    ("locale: ⟦klingon⟧", "B312", "unknown locale", "de-AT"),
    ("ignored_after: ⟦24⟧", "B109", "a duration such as", "24s, 24m, 24h or 24d"),
    ("ignored_after: ⟦90 minutes⟧", "B109", "", "ignored_after: 90m"),
    ("ignored_after: ⟦1 day and 2 hours⟧", "B109", "", "ignored_after: 1d2h"),
    ("ignored_after: ⟦3 months⟧", "B109", "", ""),
    ("ignored_after: ⟦0h⟧", "B109", "longer than nothing", ""),
    ("ignored_after: ⟦99999w⟧", "B109", "at most ten years", ""),
    ("ignored_after: ⟦[1h]⟧", "B104", "not a list", ""),
    ("dedupe_window: ⟦soon⟧", "B109", 'not "soon"', ""),
    ("engagement: ⟦off⟧", "B104", "engagement must be a map", "{effect: 0}"),
    ("fatigue: ⟦off⟧", "B104", "fatigue must be a map", "{per_message: 0}"),
    ("engagement: {⟦pior⟧: 0.5}", "B101", 'unknown key "pior" in engagement', '"prior"'),
    ("engagement: {prior: ⟦0⟧}", "B106", "between 0 and 1, not 0", ""),
    ("engagement: {prior: ⟦1⟧}", "B106", "between 0 and 1", ""),
    ("engagement: {strength: ⟦0⟧}", "B106", "above 0", ""),
    ("engagement: {effect: ⟦-1⟧}", "B106", "at least 0", ""),
    ("engagement: {half_life: ⟦0d⟧}", "B109", "longer than nothing", ""),
    ("engagement: {limits: ⟦[0.5]⟧}", "B104", "a list of two numbers, not of 1", "[0.5, 1.5]"),
    ("engagement: {limits: [⟦0⟧, 1.5]}", "B106", "the lower limit", ""),
    ("engagement: {limits: [⟦1.5⟧, 2]}", "B106", "the lower limit", ""),
    ("engagement: {limits: [0.5, ⟦0.9⟧]}", "B106", "the upper limit must be a number of at least 1", ""),
    ("fatigue: {per_message: ⟦2⟧}", "B106", "per_message", ""),
    ("fatigue: {within: ⟦1⟧}", "B109", "within", "1d"),
    ("holdout: ⟦5⟧", "B109", "a percentage from 0% to 100%", "holdout: 5%"),
    ("holdout: ⟦0.05⟧", "B109", "", "holdout: 5%"),
    ("holdout: ⟦101%⟧", "B109", "", ""),
    ("seed: ⟦1.5⟧", "B104", "a whole number, not 1.5", ""),
    ('seed: ⟦"1"⟧', "B104", "", "leave out the quotes: seed: 1"),
]


@pytest.mark.parametrize(("text", "code", "message", "hint"), SETTINGS)
def test_a_mistake_in_settings(text: str, code: str, message: str, hint: str):
    check_marked(f"settings:\n  {text}\n", code, message, hint)


SECTIONS = [
    ("⟦category⟧: {}", "B101", 'unknown section "category"', '"categories"'),
    ("⟦suppressions⟧: []", "B101", "", '"suppression"'),
    ("⟦rules⟧: []", "B101", "", "rules stand in their event type"),
    ("⟦tests⟧: []", "B117", "", ".test.yaml"),
    ("⟦templates⟧: {}", "B117", "templates stands in rules/", "move it to a file in templates/"),
    ("categories: ⟦[]⟧", "B104", "categories must be a map", ""),
    ("categories: {⟦Marketing⟧: {}}", "B107", "the name of a category", "type marketing"),
    ("categories: {news: ⟦opt_in⟧}", "B104", "news must be a map", "news: {consent: opt_in}"),
    ("categories: {news: {consent: ⟦optin⟧}}", "B105", "not_needed, opt_out or opt_in", '"opt_in"'),
    ("categories: {news: {consent: ⟦[opt_in]⟧}}", "B104", "not a list", ""),
    ("categories: {news: {⟦consents⟧: opt_in}}", "B101", 'in the category "news"', '"consent"'),
    ("categories: {news: {engagement: ⟦no⟧}}", "B105", "on or off", "engagement: off"),
    ("channels: {chat: {type: ⟦consol⟧}}", "B102", 'unknown channel type "consol"', '"console"'),
    ("channels: {⟦chat⟧: {}}", "B103", 'the channel "chat" has no type', "add type: console, or another one: "),
    ("channels: {chat: ⟦console⟧}", "B104", "", "chat: {type: console}"),
    ("channels: {chat: {type: webhook, ⟦ulr⟧: x, secret: '${S}'}}", "B101", 'in the channel "chat"', '"url"'),
    ("channels: {⟦Chat⟧: {type: console}}", "B107", "the name of a channel", "type chat"),
    ("user: {⟦id⟧: {type: text}}", "B107", "user.id is always there", ""),
    ("user: {⟦time⟧: {type: text}}", "B107", "a word of conditions", "time_value"),
    ("user: {⟦a-b⟧: {type: text}}", "B107", "letters, digits and _", "type a_b"),
    ("user: {plan: ⟦text⟧}", "B104", "plan must be a map", "plan: {type: text}"),
    ("user: {⟦plan⟧: {}}", "B103", 'the attribute "plan" has no type', "text (or integer"),
    ("user: {plan: {type: ⟦string⟧}}", "B105", "", "type text"),
    ("user: {plan: {type: ⟦txt⟧}}", "B105", "", '"text"'),
    ("user: {plan: {⟦typ⟧: text}}", "B101", "", '"type"'),
    ("user: {plan: {type: text, ⟦required⟧: true}}", "B101", "", "required unless it says optional"),
    ("user: {plan: {type: text, ⟦min⟧: 1}}", "B113", "min does not go with type text", "delete min"),
    ("user: {plan: {type: boolean, ⟦one_of⟧: [a]}}", "B113", "one_of does not go with", ""),
    ("user: {age: {type: integer, ⟦pattern⟧: x}}", "B113", "pattern does not go with", ""),
    ("user: {age: {type: integer, min: 5, max: ⟦1⟧}}", "B106", "so no value fits", ""),
    ("user: {age: {type: integer, one_of: [1, ⟦2.5⟧]}}", "B112", "must be a whole number, not 2.5", ""),
    ("user: {age: {type: integer, min: 2, one_of: [⟦1⟧, 2]}}", "B112", "must be at least 2, not 1", ""),
    ("user: {age: {type: integer, default: ⟦x⟧}}", "B112", 'default must be a whole number, not "x"', ""),
    ("user: {plan: {type: text, one_of: [a, b], default: ⟦c⟧}}", "B112", "must be a or b", ""),
    ("user: {plan: {type: text, one_of: [a, ⟦5⟧]}}", "B112", "", '"5"'),
    ("user: {plan: {type: text, one_of: [a, ⟦null⟧]}}", "B112", "must not be null", ""),
    ("user: {plan: {type: text, one_of: [a, ⟦a⟧]}}", "B108", "twice", ""),
    ("user: {plan: {type: text, one_of: ⟦[]⟧}}", "B111", "empty list", ""),
    ("user: {plan: {type: text, one_of: ⟦a⟧}}", "B104", "must be a list", "one_of: [a]"),
    ("user: {plan: {type: text, max_length: ⟦0⟧}}", "B106", "of at least 1", ""),
    ("user: {plan: {type: text, max_length: 3, default: ⟦long⟧}}", "B112", "at most 3 characters, not 4", ""),
    ("user: {plan: {type: text, pattern: ⟦'a('⟧}}", "B116", "cannot be read", ""),
    ("user: {plan: {type: text, pattern: ⟦'(?=a)'⟧}}", "B116", "", "look-ahead"),
    ("user: {plan: {type: text, pattern: 'a+', default: ⟦ab⟧}}", "B112", "must match the pattern a+", ""),
    ("user: {plan: {type: text, optional: ⟦yes⟧}}", "B104", "true or false", "optional: true"),
    ("user: {since: {type: time, default: ⟦2026-01-01⟧}}", "B112", "must be a time such as", ""),
]


@pytest.mark.parametrize(("text", "code", "message", "hint"), SECTIONS)
def test_a_mistake_in_a_section(text: str, code: str, message: str, hint: str):
    check_marked(text + "\n", code, message, hint)


def test_everything_that_settings_say_is_read():
    loaded = load(
        "settings:\n  timezone: Asia/Kolkata\n  locale: pt-BR\n  threshold: 1\n  ignored_after: 12h\n"
        "  dedupe_window: 1d\n  engagement: {prior: .2, strength: 5, half_life: 2w, effect: 0, limits: [1, 1]}\n"
        "  fatigue: {per_message: 0, within: 1h30m, limit: 1}\n  holdout: 2.5%\n  seed: -3\n"
    )
    assert loaded.policy is not None, said(loaded)
    assert loaded.policy.settings == Settings(
        "Asia/Kolkata",
        "pt-BR",
        1.0,
        12 * HOUR_US,
        DAY_US,
        EngagementSettings(0.2, 5.0, 14 * DAY_US, 0.0, 1.0, 1.0),
        FatigueSettings(0.0, 3 * HOUR_US // 2, 1.0),
        0.025,
        -3,
    )


def test_what_settings_leave_out_has_its_default():
    loaded = load("settings: {seed: 1}\n")
    assert loaded.policy is not None
    assert loaded.policy.settings == Settings(seed=1)
    assert isinstance(loaded.policy.settings.threshold, float)


def test_categories_channels_and_attributes_are_read():
    loaded = load(
        "categories:\n  a: {}\n  b: {consent: opt_in, engagement: off}\n  c: {engagement: true}\n"
        "channels:\n  hook: {type: webhook, url: '${URL}', secret: '${SECRET}', headers: {n: x}, to: user.plan}\n"
        "user:\n  plan: {type: text, one_of: [free, no], default: no}\n  age: {type: integer, min: 0, max: 150.5}\n"
        "  share: {type: number, one_of: [1, 2.5], default: 1}\n  since: {type: time, default: 1970-01-01T00:00:01Z}\n"
    )
    policy = loaded.policy
    assert policy is not None, said(loaded)

    def bare(value: FieldSpec | Category | Channel) -> object:
        return type(value)(**{name: getattr(value, name) for name in value.__struct_fields__} | {"position": NOWHERE})

    assert [bare(category) for category in policy.categories.values()] == [
        Category("a"),
        Category("b", Consent.OPT_IN, engagement=False),
        Category("c"),
    ]
    assert bare(policy.channels["hook"]) == Channel(
        "hook",
        "webhook",
        (("headers", {"n": "x"}), ("secret", ["${SECRET}"]), ("url", "${URL}")),
        delivery=DeliverySettings(to="plan", timeout_us=20_000_000),
    )
    assert [bare(spec) for spec in policy.attributes.values()] == [
        FieldSpec("plan", ValueType.TEXT, one_of=("free", "no"), default="no"),
        FieldSpec("age", ValueType.INTEGER, minimum=0.0, maximum=150.5),
        FieldSpec("share", ValueType.NUMBER, one_of=(1.0, 2.5), default=1.0),
        FieldSpec("since", ValueType.TIME, default=1_000_000),
    ]
    assert (policy.attributes["plan"].position.line, policy.attributes["plan"].position.column) == (8, 3)


def test_each_mistake_has_its_own_finding():
    loaded = load("settings:\n  threshold: 2\n  timezone: Nowhere\n  seed: x\ncategories: {A: {consent: b}}\n")
    assert [found.code for found in loaded.diagnostics] == ["B106", "B110", "B104", "B107", "B105"]
