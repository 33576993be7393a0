"""Texts put together without Jinja are those that Jinja writes, and refuse what it refuses."""

from __future__ import annotations

import pytest
from babel import Locale
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.rendering.compilation import JinjaText, TextFailure, compiled, readable
from botopt.rendering.reading.faults import Fault
from botopt.rendering.scene import MAX_CHARACTERS, Instant, Scene

EN = Locale("en")
pieces = st.one_of(
    st.sampled_from(["{{ a }}", "{{b}}", "{{ user.name }}", "{{- a -}}", "{{ a }}\n", "{# no #}", "{{ a }}{{ a }}", "{{ '{{' }}"]),
    st.text(alphabet='aZ "\\<&{}%#\n\t é€😀', max_size=8).filter(lambda text: not {"{{", "{%", "{#"} & {text[i : i + 2] for i in range(len(text))}),
)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=6),
    st.sampled_from(["x" * MAX_CHARACTERS, "\ud800", "", " ", "é", '"']),
    st.integers(-(10**6), 10**6),
    st.sampled_from([2**53, -(2**53), 10**5000, 0]),
    st.floats(),
    st.sampled_from([5.0, 0.1 + 0.2, 1e21, 1e22, 1e-9, 1e-10, -0.0, 123456789.123]),
    st.lists(st.integers(), max_size=2),
    st.integers(0, 10**15).map(Instant),
)


def outcome(text, given_values):
    try:
        return text.write(given_values, Scene(EN, "UTC", 0))
    except TextFailure as failure:
        return (failure.reason, failure.offset)


@settings(deadline=None, max_examples=500)
@given(st.lists(pieces, max_size=6).map("".join), st.lists(values, min_size=3, max_size=3))
def test_a_concatenation_is_what_jinja_writes(source, some):
    parsed = readable(source)
    if isinstance(parsed, Fault):
        return
    text = JinjaText(parsed)
    if text.concatenation is None:
        return
    assert text.concatenation.keys == text.keys
    given_values = some[: len(text.keys)]
    joined = text.concatenation.joined(given_values)
    assert joined is None or joined == outcome(text, given_values)


@pytest.mark.parametrize("source", ["{{ a }}", "Hello {{ user.name }}, {{ a }}!", "{{ a }}{{ b }}{{ a }}", "x {{ count('t', '1h') }}"])
def test_plain_texts_are_concatenations(source):
    text = compiled(source)
    assert text.concatenation is not None
    assert text.concatenation.joined(["v", 5.0, True][: len(text.keys)]) is not None


@pytest.mark.parametrize("source", ["{{ a | title }}", "{% if a %}x{% endif %}", "{{ a ~ b }}", "{{ a + 1 }}", "{{ 'x' }}", "{{ a.b }}", "plain"])
def test_other_texts_are_not(source):
    assert compiled(source).concatenation is None


@pytest.mark.parametrize(
    "value",
    [None, "x" * (MAX_CHARACTERS + 1), "\ud800", 10**5000, float("nan"), float("inf"), [1], Instant(0)],
    ids=["absent", "too long", "half a character", "huge", "nan", "infinity", "list", "time"],
)
def test_what_is_not_ordinary_is_left_to_jinja(value):
    text = compiled("{{ a }}")
    assert text.concatenation is not None
    assert text.concatenation.joined([value]) is None
