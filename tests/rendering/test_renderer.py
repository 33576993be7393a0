"""From a bound variant to the words of a message."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from botopt.model.condition import Ref, Scope, ValueType
from botopt.model.decision import Button
from botopt.model.errors import RenderError
from botopt.model.policy import ButtonText, FieldSpec, Settings, Variant
from botopt.rendering.renderer import TemplateRenderer, Variation
from tests.rendering.making import FIELDS, button, event, policy, rendered, template, texts, variant


def _bound(made: Variant, **settings: str) -> Variation:
    return TemplateRenderer(policy(template(made), settings=Settings(**settings))).bind("hello", "plain", "late")


def _render(bound: Variation, *values: object, locale: str = "en") -> tuple[object, ...]:
    words = bound.render(values, locale=locale, timezone="UTC", now_us=0)
    return (words.locale, words.text, words.title, words.buttons)


def test_inputs_are_what_any_locale_uses_each_once() -> None:
    made = msgspec.structs.replace(
        variant(en="{{ amount }} {{ user.name | default('x') }} {{ amount }}", de="{{ count('late', '1h') }}"),
        title=texts(en="{{ time.hour }}", de="a"),
        buttons=(button("{{ 'x' if seen('late', '60m') }}", "{{ sent('1d') }}{{ engagement.rate }}"),),
    )
    assert _bound(made).inputs == (
        Ref(Scope.EVENT, "amount", ValueType.NUMBER),
        Ref(Scope.USER, "name", ValueType.TEXT, optional=True),
        Ref(Scope.COUNT, "late", ValueType.INTEGER, 3_600_000_000),
        Ref(Scope.TIME, "hour", ValueType.INTEGER),
        Ref(Scope.SEEN, "late", ValueType.BOOLEAN, 3_600_000_000),
        Ref(Scope.SENT, "", ValueType.INTEGER, 86_400_000_000),
        Ref(Scope.ENGAGEMENT, "rate", ValueType.NUMBER),
    )


def test_names_that_a_template_sets_are_no_inputs() -> None:
    bound = _bound(variant(en="{% set x = amount %}{% for i in items %}{{ i }}{{ x }}{{ loop.index }}{% endfor %}"))
    assert [ref.name for ref in bound.inputs] == ["amount", "items"]


@pytest.mark.parametrize(
    ("locale", "chosen"),
    [
        ("de-AT", "de-AT"),
        ("de-CH", "de"),
        ("de", "de"),
        ("de_at", "de-AT"),
        ("DE-Latn-CH", "de"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("", "en"),
        ("zh-Hant-TW", "zh-Hant"),
    ],
)
def test_the_locale_falls_back_and_is_one_for_everything(locale: str, chosen: str) -> None:
    tags = ("en", "de", "de-AT", "zh-Hant")
    made = Variant(
        "plain",
        texts(**{tag: f"text {tag}" for tag in tags}),
        texts(**{tag: f"title {tag}" for tag in tags}),
        (ButtonText(texts(**{tag: f"label {tag}" for tag in tags}), texts(**{tag: f"link {tag}" for tag in tags})),),
    )
    assert _render(_bound(made), locale=locale) == (
        chosen,
        f"text {chosen}",
        f"title {chosen}",
        (Button(f"label {chosen}", f"link {chosen}"),),
    )


def test_the_last_resort_is_the_workspace_s_locale() -> None:
    assert _render(_bound(variant(de="Hallo", en="Hello"), locale="de"), locale="fr")[:2] == ("de", "Hallo")


def test_filters_format_in_the_locale_of_the_message_not_of_the_user() -> None:
    bound = _bound(variant(en="{{ amount | number }}"))
    assert _render(bound, 1234.5, locale="de-AT")[1] == "1,234.5"


def test_white_space_around_a_text_is_taken_off_and_within_it_stays() -> None:
    assert rendered("\n{% if true %}\n  two\n\n  lines \n{% endif %}\n\n") == "two\n\n  lines"


def test_an_empty_title_or_label_is_left_out_and_an_empty_text_or_link_is_not_sent() -> None:
    made = msgspec.structs.replace(
        variant(en="{{ order_id }}"),
        title=texts(en="{{ reason | default('') }}"),
        buttons=(
            button("{{ 'Why?' if reason is defined }}", "https://x.example/{{ reason | default('') }}"),
            button("Go", "{{ order_id }}"),
            button("Stay"),
        ),
    )
    bound = _bound(made)
    names = [ref.name for ref in bound.inputs]
    assert names == ["order_id", "reason"]
    assert _render(bound, "a", None)[2:] == (None, (Button("Go", "a"), Button("Stay")))
    assert _render(bound, "a", "b")[2:] == (
        "b",
        (Button("Why?", "https://x.example/b"), Button("Go", "a"), Button("Stay")),
    )
    with pytest.raises(RenderError, match=r'template "hello", variant "plain", text \(en\): it is empty'):
        _render(bound, " ", None)


def test_absent_values_are_undefined() -> None:
    bound = _bound(variant(en="{{ reason is defined }}{{ reason | default('x') }}{{ note.a is defined }}"))
    assert _render(bound, None, None)[1] == "falsexfalse"
    assert _render(bound, "a", {"a": None})[1] == "trueafalse"
    with pytest.raises(RenderError, match='"reason" is absent'):
        _render(_bound(variant(en="{{ reason }}")), None)
    with pytest.raises(RenderError, match=r'"user\.name" is absent'):
        _render(_bound(variant(en="{{ user.name ~ 'x' }}")), None)


def test_times_come_as_microseconds_and_wrong_ones_are_absent() -> None:
    bound = _bound(variant(en="{{ eta | date | default('x') if eta is defined else 'none' }}"))
    assert [_render(bound, value)[1] for value in (0, None, "2026")] == ["Jan 1, 1970", "none", "none"]


LANGUAGE = [
    ("{{ 1 + 1 }} {{ 7 - 2.5 }} {{ 2 * 3 }} {{ 6 / 3 }} {{ -attempts }} {{ +attempts }}", "2 4.5 6 2 -3 3"),
    ("{{ 9007199254740991 + 2 }}", "9007199254740992"),  # numbers are doubles, as in conditions
    ("{{ (amount / 0) | default('-') }}", "-"),
    ("{{ 'a' ~ 1 ~ 2.0 ~ eta }}", "a12Jan 1, 1970, 12:00\u202fAM"),
    ("{{ 1 < 2 <= 2 }} {{ 1 < 3 <= 2 }} {{ 2 in [1, 2] }} {{ 'd' not in 'abc' }}", "true false true true"),
    ("{{ true == 1 }} {{ 1 == 1.0 }} {{ true in [1] }} {{ 'a' == 1 }} {{ 'a' != 1 }}", "false true false false true"),
    ("{{ express and 1 / 0 }} {{ not express or 1 / 0 }}", "false true"),  # what is not needed is not asked
    ("{{ address.x.y.z | default('x') }} {{ items.0 }} {{ items[1] }}", "x 1 2"),
    ("{{ address['a'] }} {{ address.t }} {{ address.n }}", "1 true 1.5"),
    ("{% for i in address.holes %}{{ i if i is defined else '-' }}{% endfor %}", "1-x"),
    (
        "{% for i in items if i > 1 %}{{ loop.index }}{{ loop.first }}{{ loop.last }} {% endfor %}",
        "1truefalse 2falsetrue",
    ),
    ("{% for i in [] %}a{% else %}none{% endfor %}", "none"),
    ("{% for i in items %}{% set x = i %}{{ x }}{% endfor %}", "123"),
    ("{% if express %}a{% elif attempts > 2 %}b{% else %}c{% endif %}", "b"),
    ("{{ 'a' if express }}|{{ 'a' if not express else 'b' }}", "|a"),
    ("<b>&{{ order_id }}</b> {# note #}{% raw %}{{ x }}{% endraw %}", "<b>&<i></b> {{ x }}"),
    ("{{ 'Zoë \\u00e9 👩\u200d👧' }}", "Zoë é 👩\u200d👧"),
]


@pytest.mark.parametrize(("source", "expected"), LANGUAGE, ids=[case[0] for case in LANGUAGE])
def test_the_language(source: str, expected: str) -> None:
    values = {
        "amount": 5.0,
        "attempts": 3,
        "express": False,
        "order_id": "<i>",
        "eta": 0,
        "items": [1, 2, 3],
        "address": {"a": 1, "t": True, "n": 1.50, "x": None, "holes": [1, None, "x"]},
    }
    assert rendered(source, **values) == expected


def test_a_name_that_only_another_event_type_has_is_absent() -> None:
    made = template(variant(en="{{ order_id | default('none') }} {{ amount }}"))
    its_policy = policy(made, events=(event("late", *FIELDS), event("lost", FIELDS[0])))
    bound = TemplateRenderer(its_policy).bind("hello", "plain", "lost")
    assert [ref.name for ref in bound.inputs] == ["amount"]
    assert _render(bound, 5.0)[1] == "none 5"


def test_what_was_never_validated_fails_when_it_is_bound() -> None:
    for source in ("{{ nonsense }}", "{{ count('nonsense', '1h') }}", "{{ order_id | upper }}", "{% if %}"):
        with pytest.raises(RenderError, match='template "hello", variant "plain"'):
            _bound(variant(en="fine", de=source))
    with pytest.raises(KeyError):
        TemplateRenderer(policy(template(variant(en="a")))).bind("hello", "other", "late")


def test_a_bound_variant_is_made_once() -> None:
    renderer = TemplateRenderer(policy(template(variant(en="{{ amount }}"))))
    assert renderer.bind("hello", "plain", "late") is renderer.bind("hello", "plain", "late")


def test_half_a_character_is_never_sent() -> None:
    with pytest.raises(RenderError, match="half a character"):
        rendered("{{ order_id }}", order_id="\ud800")


def test_users_locales_do_not_fill_the_memory() -> None:
    bound = _bound(variant(en="a"))
    for number in range(3_000):
        assert bound.locale_for(f"x-{number}") == "en"
    assert len(bound._chosen) <= 1_000


def test_the_model_does_not_import_jinja_or_babel() -> None:
    code = (
        "import sys, botopt.model.policy, botopt.model.ports, botopt.model.zones, botopt.rendering;"
        "print([name for name in ('jinja2', 'babel') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_zone_of_a_policy_s_field_type_is_used_for_text_too() -> None:
    fields = (FieldSpec("at", ValueType.TIME),)
    made = template(variant(en="{{ at }}"))
    bound = TemplateRenderer(policy(made, events=(event("late", *fields),))).bind("hello", "plain", "late")
    words = bound.render((0,), locale="en", timezone="Asia/Kolkata", now_us=0)
    assert words.text == "Jan 1, 1970, 5:30\u202fAM"
