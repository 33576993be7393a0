"""A text that is written by walking its tree is the one that compiled code writes, or none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.rendering.compilation import TextFailure, compiled, readable
from botopt.rendering.linting.cases import NOW_US
from botopt.rendering.linting.walking import walk
from botopt.rendering.locales import locale
from botopt.rendering.reading.faults import Fault
from botopt.rendering.reading.syntax import parse
from botopt.rendering.scene import Instant, Scene
from tests.rendering.test_soundness import BLOCKS

VALUES = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "Ann Lee", "EUR", "a & b", "x" * 11_000, "\ud800"]),
    st.sampled_from([0, 1, 3, -1, 0.5, 1.0, 1e300, 1_234_567.891, True, False]),
    st.sampled_from([Instant(NOW_US), Instant(0), Instant(-(10**17))]),
)


def both(source: str, values: dict[object, object], tag: str = "en") -> tuple[str | None, str | None]:
    """What the walk writes, and what compiled code does; None where it fails."""
    parsed = parse(source)
    assert not isinstance(parsed, Fault)
    way = walk(parsed)
    text = compiled(source)
    walked = None if way is None else way.write(values, tag, "Europe/Berlin", NOW_US)
    try:
        written = text.write([values.get(key) for key in text.keys], Scene(locale(tag), "Europe/Berlin", NOW_US))
    except TextFailure:
        written = None
    return walked, written


@settings(max_examples=400, deadline=None)
@given(
    source=st.lists(BLOCKS, min_size=1, max_size=3).map("\n".join),
    tag=st.sampled_from(["en", "de", "hi"]),
    data=st.data(),
)
def test_what_a_walk_writes_compiled_code_writes_too(source, tag, data):
    if isinstance(readable(source), Fault):
        return
    keys = compiled(source).keys
    values = {key: data.draw(VALUES) for key in keys}
    way = walk(readable(source))
    if way is not None:
        assert way.keys == frozenset(keys)
    walked, written = both(source, values, tag)
    assert walked is None or walked == written


@pytest.mark.parametrize(
    "source",
    [
        "plain words",
        "{{ 'a' }}{# nothing #} b",
        "{{ 1234.5 | number }} {{ 0.5 | percent }} {{ 3 | money('EUR') }} {{ 2 | plural(one='one', other='# of them') }}",
        "{{ -1 + 2 * 3 - 4 / 5 }} {{ 'a' ~ 1 ~ true }}",
        "{% if 1 < 2 <= 3 and not 'x' in 'abc' or false %}yes{% elif true %}perhaps{% else %}no{% endif %}",
        "{{ 'a' if false }}{{ 'b' if true else 'c' }}{{ 'A B' | title | truncate(2) | urlencode }}",
    ],
)
def test_ordinary_texts_can_be_walked(source):
    walked, written = both(source, {})
    assert walked == written is not None


@pytest.mark.parametrize(
    "source",
    [
        "{% for item in items %}{{ item }}{% endfor %}",
        "{% set name = 'x' %}{{ name }}",
        "{{ address.city }}{{ items[0] }}",
        "{{ " + "(1 + " * 20 + "1" + ")" * 20 + " }}",
    ],
)
def test_other_texts_are_left_to_the_compiler(source):
    parsed = parse(source)
    assert not isinstance(parsed, Fault)
    assert walk(parsed) is None


@pytest.mark.parametrize("source", ["{{ 1 / 0 }}", "{{ gone }}", "{{ 'x' | money('nothing') }}", "{{ true | number }}"])
def test_where_compiled_code_fails_a_walk_says_nothing(source):
    assert both(source, {}) == (None, None)


def test_equal_numbers_of_different_kinds_are_not_taken_for_each_other():
    """1, 1.0 and true are equal, and one of them is no number."""
    for source in ("{{ 1 | number }}", "{{ 1.0 | number }}"):
        walked, written = both(source, {})
        assert walked == written == "1"
    assert both("{{ true | number }}", {}) == (None, None)
