"""Texts put together without Jinja are those that Jinja writes, and fail as Jinja's do."""

from __future__ import annotations

from decimal import localcontext
from pathlib import Path

import pytest
from babel import Locale, localedata
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal, format_percent, list_currencies
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.condition import ValueType
from botopt.model.decision import Button, Rendered
from botopt.model.errors import RenderError
from botopt.model.policy import ButtonText, Text, Variant
from botopt.rendering import formats
from botopt.rendering.compilation import JinjaText, PlainText, TextFailure, compiled, readable
from botopt.rendering.concatenation import ConcatenatedText
from botopt.rendering.locales import choose
from botopt.rendering.locales import locale as babel_locale
from botopt.rendering.parts import parts
from botopt.rendering.reading.faults import Fault
from botopt.rendering.renderer import TemplateRenderer
from botopt.rendering.scene import MAX_CHARACTERS, Instant, Scene
from botopt.verify.validate import load
from tests.rendering.making import button, policy, template, texts, variant

EN = Locale("en")
ROOT = Path(__file__).parents[2]
NOW_US = 1_770_000_000_000_000

PLAIN = [
    "{{ a }}",
    "{{b}}",
    "{{ user.name }}",
    "{{- a -}}",
    "{{ b -}}",
    "{{- count('t', '1h') }}",
    "{{ a }}\n",
    "{{ a }}{{ a }}",
    "{# no #}",
    "{#- no -#}",
    "{{ '{{' }}",
    "{{ 5.0 }}",
    "{{ true }}",
    "%s",
    "%",
    "}}",
    "\\n",
]
FILTERED = [
    "{{ a | money(b) }}", "{{ a | money('eur') }}", "{{ 12.5 | money(b) }}", "{{ a | number }}", "{{ a | percent }}", "{{ a | plural('# day', '# days') }}",
    "{{ a | plural(other='#', one=b) }}", "{{ a | default(b) }}", "{{ a | default('x') | truncate(3) | title }}", "{{ a | default(5) | number }}", "{{ a | urlencode }}", "{{ a | length }}",
    "{{ a | date }}", "{{ a | time }}", "{{ a | ago }}", "{{ b | truncate(2) }}", "{{ user.name | title }}",
]  # fmt: skip
OTHER = [
    "{% if a %}x{% endif %}",
    "{{ a ~ b }}",
    "{{ a + 1 }}",
    "{{ -1 | number }}",
    "{{ a.b }}",
    "{{ a if b }}",
    "{% set c = a %}{{ c }}",
    "{{ (a ~ b) | title }}",
    "{{ a | default(-1) }}",
]

words = st.text(alphabet="aZ '\"\\<&{}%#-\n\t é€😀नि\u200d", max_size=8).filter(
    lambda text: not {"{{", "{%", "{#"} & {text[i : i + 2] for i in range(len(text))}
)
sources = st.lists(st.sampled_from(PLAIN) | words, max_size=6).map("".join)
filtered = st.lists(st.sampled_from(PLAIN) | st.sampled_from(FILTERED) | words, max_size=5).map("".join)
numbers = st.one_of(
    st.integers(-(10**6), 10**6),
    st.sampled_from([0, 1, 2**53, -(2**53), 10**15, 10**16, 10**5000]),
    st.floats(),
    st.floats(0, 10**6).map(lambda value: round(value, 2)),
    st.sampled_from(
        [5.0, 0.05, 0.1 + 0.2, 1.005, 999.995, 1e15, 1e16, 1e21, 1e22, 1e-9, 1e-10, 0.0, -0.0, 123456789.123]
    ),
)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=6),
    st.sampled_from(
        [
            "EUR",
            "jpy",
            "x y",
            "x" * MAX_CHARACTERS,
            "x" * (MAX_CHARACTERS + 1),
            "ab " * 400_000,
            "\ud800",
            "",
            " ",
            "é",
            '"',
            "{{ a }}",
            "%s",
        ]
    ),
    numbers,
    st.lists(st.integers(), max_size=2),
    st.just({"b": 1}),
    st.integers(-(10**18), 10**18).map(Instant),
    st.integers(0, 4 * 10**15).map(Instant),
)
locales = st.sampled_from(["en", "de", "hi", "ar", "fr", "de-CH", "pl"]).map(babel_locale)
zones = st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York", "No/Where"])


def outcome(text, given_values, scene):
    try:
        return text.write(given_values, scene)
    except TextFailure as failure:
        return (failure.reason, failure.offset, failure.is_empty)


def compare(source, some, locale, zone):
    parsed = readable(source)
    if isinstance(parsed, Fault):
        return
    text = compiled(source)
    if isinstance(text, PlainText):
        return
    assert isinstance(text, ConcatenatedText)
    twin = JinjaText(parsed)
    assert text.keys == twin.keys
    given_values = some[: len(text.keys)]
    fast, slow = Scene(locale, zone, NOW_US), Scene(locale, zone, NOW_US)
    expected = outcome(twin, given_values, slow)
    assert outcome(text, given_values, fast) == expected
    joined = text.joined(range(len(text.keys)), staged=True)(given_values, Scene(locale, zone, NOW_US))
    assert joined is None or joined == expected


@settings(deadline=None, max_examples=400)
@given(sources, st.lists(values, min_size=4, max_size=4), locales, zones)
def test_words_and_values_are_what_jinja_writes(source, some, locale, zone):
    compare(source, some, locale, zone)


@settings(deadline=None, max_examples=400)
@given(filtered, st.lists(values, min_size=4, max_size=4), locales, zones)
def test_values_through_filters_are_what_jinja_writes(source, some, locale, zone):
    compare(source, some, locale, zone)


@pytest.mark.parametrize("source", FILTERED)
@pytest.mark.parametrize(
    "value",
    [None, 3, 1299.5, "EUR", "é" * 20_000, True, [1], Instant(NOW_US), Instant(10**30), 10**5000, float("nan")],
    ids=lambda value: type(value).__name__,
)
def test_every_filter_is_as_jinja_has_it(source, value):
    for second in ("USD", None, 2):
        compare(f"{source} {{{{ a }}}}", [value, second, second, second], EN, "Europe/Berlin")


@pytest.mark.parametrize(
    "source", ["{{ a }}", "Hello {{ user.name }}, {{ a }}!", "{{ a }}{{ b }}{{ a }}", "x {{ count('t', '1h') }}"]
)
def test_plain_texts_are_joined_without_jinja(source):
    text = compiled(source)
    assert isinstance(text, ConcatenatedText)
    assert not text.is_staged
    assert text.joined(range(len(text.keys)), staged=False)(["v", 5.0, True][: len(text.keys)], None) is not None


def test_filters_are_joined_without_jinja_too():
    text = compiled(
        "{{ a | money(b) }} {{ c | default('x') | title }} {{ n | plural('# day', '# days') }} {{ at | date }}"
    )
    assert isinstance(text, ConcatenatedText)
    scene = Scene(EN, "UTC", 0)
    assert text.joined(range(5), staged=True)([5, "EUR", None, 2, Instant(0)], scene) == "€5.00 X 2 days Jan 1, 1970"
    assert text._twin is None


def test_jinja_s_code_is_made_only_when_it_is_needed():
    text = compiled("Jinja is asked late: {{ late }}")
    assert text.write(["x"], Scene(EN, "UTC", 0)) == "Jinja is asked late: x"
    assert text._twin is None
    with pytest.raises(TextFailure, match='"late" is absent'):
        text.write([None], Scene(EN, "UTC", 0))
    assert text._twin is not None


@pytest.mark.parametrize("source", OTHER)
def test_other_texts_are_jinja_s(source):
    assert isinstance(compiled(source), JinjaText)


def test_words_alone_are_neither():
    assert isinstance(compiled("plain {# said nothing #} 100 %"), PlainText)


@pytest.mark.parametrize(
    "value",
    [None, "x" * (MAX_CHARACTERS + 1), "\ud800", 10**5000, float("nan"), float("inf"), [1], Instant(0)],
    ids=["absent", "too long", "half a character", "huge", "nan", "infinity", "list", "time"],
)
def test_what_is_not_ordinary_is_left_to_jinja(value):
    assert compiled("{{ a }}").joined([0], staged=False)([value], None) is None


def test_a_text_with_more_pieces_than_steps_fails_as_before(monkeypatch):
    monkeypatch.setattr("botopt.rendering.compilation.MAX_STEPS", 5)  # as it stands, no source is long enough for it
    monkeypatch.setattr("botopt.rendering.scene.MAX_STEPS", 5)
    for number in range(1, 9):
        source = "{{ a }}" * number
        text = compiled.__wrapped__(source)
        assert isinstance(text, ConcatenatedText) == (number < 5)
        found = outcome(text, ["x"], Scene(EN, "UTC", 0))
        assert found == outcome(JinjaText(readable(source)), ["x"], Scene(EN, "UTC", 0))
        assert found == (
            "x" * number if number <= 5 else ("it takes more than 5 steps to write this text", 0, False)
        ), found


def test_formatted_values_count_their_steps():
    source = "{{ a | number }}"
    assert compiled(source * 909).write([1], Scene(EN, "UTC", 0)) == "1" * 909
    reason, offset, _ = outcome(compiled(source * 910), [1], Scene(EN, "UTC", 0))
    assert reason == "it takes more than 10,000 steps to write this text"
    assert outcome(JinjaText(readable(source * 910)), [1], Scene(EN, "UTC", 0)) == (reason, offset, False)


# ---------------------------------------------------------------- whole messages


def by_jinja(made, tag, given_values, zone):
    """A message as Jinja alone writes it."""
    found = {}
    for part in parts(made._variant, tag, made._default):
        if part.kind == "link" and not found["label", part.button]:
            continue
        text = JinjaText(readable(part.text.source))
        picked = [given_values[made._places[key]] for key in text.keys]
        try:
            said = text.write(picked, Scene(babel_locale(tag), zone, NOW_US)).strip()
        except TextFailure as failure:
            raise RenderError(f"{made._where}, {part} ({tag}): {failure.reason}") from failure
        if not said and part.needed:
            raise RenderError(f"{made._where}, {part} ({tag}): it is empty")
        found[part.kind, part.button] = said
    buttons = tuple(
        Button(label, found.get(("link", number)))
        for (kind, number), label in found.items()
        if kind == "label" and label
    )
    return Rendered(tag, found["text", 0], found.get(("title", 0)) or None, buttons)


def message(call):
    try:
        return call()
    except RenderError as error:
        return str(error)


def same(bound, some, zone, asked):
    tag = choose(asked, bound._variant.text, bound._default)
    expected = message(lambda: by_jinja(bound, tag, bound.given(some), zone))
    assert message(lambda: bound.render(some, locale=asked, timezone=zone, now_us=NOW_US)) == expected
    return expected


@pytest.fixture(scope="module")
def starter():
    """Every variant of the starter workspace, for each event type that leads to it, and its template's samples."""
    read = load(ROOT)
    renderer = TemplateRenderer(read)
    return [
        (renderer.bind(name, made.name, event_type), read.templates[name].samples)
        for event_type, event in read.events.items()
        for name in read.templates_of(event)
        for made in read.templates[name].variants
    ]


TYPED = {
    ValueType.TEXT: st.text(max_size=12) | st.sampled_from(["EUR", "INR", "O-20417", "", " "]),
    ValueType.INTEGER: st.integers(0, 10**6),
    ValueType.NUMBER: numbers,
    ValueType.BOOLEAN: st.booleans(),
    ValueType.TIME: st.integers(0, 4 * 10**15),
    ValueType.LIST: st.lists(st.text(max_size=4) | st.integers(), max_size=3),
    ValueType.OBJECT: st.dictionaries(st.sampled_from(["name", "street", "city"]), st.text(max_size=5)),
}


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_the_starter_s_messages_are_what_jinja_writes(starter, data):
    bound, _ = data.draw(st.sampled_from(starter))
    some = [data.draw(st.one_of(*[TYPED[ref.type]] * 6, values, st.none())) for ref in bound.inputs]
    same(bound, some, data.draw(zones), data.draw(st.sampled_from(["en", "de", "hi", "de-AT", "fr"])))


def test_the_starter_s_messages_are_what_jinja_writes_for_its_samples(starter):
    written = 0
    for bound, samples in starter:
        for sample in samples:
            some = [
                NOW_US if ref.type is ValueType.TIME and ref.name in sample else sample.get(ref.name)
                for ref in bound.inputs
            ]
            for tag in bound._variant.text:
                written += isinstance(same(bound, some, "Europe/Berlin", tag), Rendered)
    assert written > 20


def test_most_of_the_starter_s_texts_need_no_code_of_jinja_s(starter):
    made = [text.text for bound, _ in starter for tag in bound._variant.text for text in bound.texts(tag)]
    assert sum(not isinstance(text, JinjaText) for text in made) > 0.8 * len(made)


@settings(deadline=None, max_examples=200)
@given(*[sources | filtered] * 4, st.data(), zones)
def test_titles_and_buttons_are_what_jinja_writes(text, title, label, link, data, zone):
    given_texts = [
        source.replace("user.name", "reason").replace("count('t', '1h')", "amount")
        for source in (text, title, label, link)
    ]
    renamed = [
        source.replace("{{ a ", "{{ order_id ")
        .replace("{{- a ", "{{- order_id ")
        .replace("{{b}}", "{{eta}}")
        .replace("b -", "eta -")
        for source in given_texts
    ]
    fine, its_title, its_label, its_link = renamed
    made = Variant(
        "plain",
        texts(en=fine),
        title=texts(en=its_title),
        buttons=(button(its_label, its_link), button("Help"), button("Go", "https://x.example/")),
    )
    try:
        bound = TemplateRenderer(policy(template(made))).bind("hello", "plain", "late")
    except RenderError:
        return
    same(bound, [data.draw(values) for _ in bound.inputs], zone, "en")


def test_a_button_without_words_is_left_out_and_its_link_not_asked():
    made = Variant(
        "plain",
        texts(en="{{ order_id }}"),
        buttons=(button("{{ currency }}", "{{ reason }}"), ButtonText({"en": Text("Help")}, {})),
    )
    bound = TemplateRenderer(policy(template(made))).bind("hello", "plain", "late")
    some = {"order_id": "O-1", "currency": " "}
    found = same(bound, [some.get(ref.name) for ref in bound.inputs], "UTC", "en")
    assert found == Rendered("en", "O-1", None, (Button("Help"),))


@pytest.mark.parametrize("source", ["", " ", "{# nothing #}"])
def test_a_message_without_words_still_fails(source):
    bound = TemplateRenderer(policy(template(variant(en=source)))).bind("hello", "plain", "late")
    with pytest.raises(RenderError, match="it is empty"):
        bound.render([], locale="en", timezone="UTC", now_us=0)


# ---------------------------------------------------------------- formats


def tried(write):
    try:
        with localcontext(formats._DIGITS):
            return write()
    except (ValueError, ArithmeticError) as error:
        return type(error)


@settings(deadline=None, max_examples=1_000)
@given(
    st.sampled_from(localedata.locale_identifiers()).map(Locale.parse),
    numbers,
    st.sampled_from(sorted(list_currencies())) | st.sampled_from(["XQZ", "EUR", "JPY", "CLF"]),
)
def test_numbers_look_as_babel_writes_them(locale, value, currency):
    def same_number(ours, babels):
        assert tried(lambda: ours(value)) == tried(lambda: babels(value))
        assert tried(lambda: ours(abs(value))) == tried(lambda: babels(abs(value)))

    same_number(
        lambda one: formats.money(one, currency, locale), lambda one: format_currency(one, currency, locale=locale)
    )
    same_number(lambda one: formats.number(one, locale), lambda one: format_decimal(one, locale=locale))
    same_number(lambda one: formats.percent(one, locale), lambda one: format_percent(one, locale=locale))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(localedata.locale_identifiers()).map(Locale.parse), st.datetimes())
def test_dates_and_times_look_as_babel_writes_them(locale, at):
    assert formats.date(at, locale) == format_date(at.date(), "medium", locale=locale)
    assert formats.clock(at, locale) == format_time(at.time(), "short", locale=locale)


def test_ordinary_amounts_are_written_without_babel():
    for tag in ("en", "de", "hi", "ar", "fr", "de-CH"):
        layout = formats._amounts.__wrapped__("EUR", babel_locale(tag))
        for value in (0, 5, 129.5, 0.05, 1234.56, 10**9, 1e6):
            layout.text(value)
        assert all(layout._shapes.values())
