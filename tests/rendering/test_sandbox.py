"""Nothing gets out of a template, and nothing in it runs away."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.errors import RenderError
from botopt.model.policy import Text, Variant
from botopt.rendering import scene
from botopt.rendering.environment import sandbox
from botopt.rendering.lint import check_template, trial_render
from botopt.rendering.renderer import TemplateRenderer
from tests.rendering.making import findings, policy, rendered, template, variant

ESCAPES = {
    "class of a text": "{{ ''.__class__ }}",
    "class of a value": "{{ order_id.__class__ }}",
    "class by brackets": "{{ order_id['__class__'] }}",
    "class by a joined name": "{{ order_id['__cl' ~ 'ass__'] }}",
    "mro": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "base": "{{ order_id.__class__.__base__ }}",
    "globals of a function": "{{ lipsum.__globals__ }}",
    "init of an object": "{{ address.__init__.__globals__ }}",
    "attr filter": "{{ order_id | attr('__class__') }}",
    "map with attribute": "{{ items | map(attribute='__class__') | list }}",
    "format method": "{{ '{0.__class__}'.format(order_id) }}",
    "format_map method": "{{ '{a.__class__}'.format_map(address) }}",
    "format of a field": "{{ order_id.format(amount) }}",
    "format filter": "{{ '%s' | format(order_id) }}",
    "percent sign": "{{ '%999999999d' % number }}",
    "joiner": "{{ joiner(',') }}",
    "cycler": "{{ cycler.__init__ }}",
    "cycler call": "{{ cycler('a', 'b') }}",
    "namespace": "{% set ns = namespace(x=1) %}{{ ns }}",
    "namespace assignment": "{% set ns.x = 1 %}",
    "lipsum": "{{ lipsum() }}",
    "range": "{% for i in range(999999) %}{{ i }}{% endfor %}",
    "dict": "{{ dict(a=1) }}",
    "self": "{{ self }}",
    "self block": "{{ self.__init__ }}",
    "template reference": "{{ self._TemplateReference__context }}",
    "context": "{{ self._TemplateReference__context.cycler.__init__.__globals__.os }}",
    "caller": "{{ caller() }}",
    "super": "{{ super() }}",
    "varargs": "{{ varargs }}",
    "request": "{{ request.application.__globals__ }}",
    "config": "{{ config.items() }}",
    "macro": "{% macro m() %}{% endmacro %}{{ m.__call__ }}",
    "call block": "{% call x() %}{% endcall %}",
    "include": "{% include '/etc/passwd' %}",
    "include a field": "{% include order_id %}",
    "import": "{% import 'os' as os %}",
    "from import": "{% from 'os' import system %}",
    "extends": "{% extends 'base' %}",
    "block": "{% block a %}{% endblock %}",
    "filter block": "{% filter upper %}a{% endfilter %}",
    "set block": "{% set x %}a{% endset %}",
    "autoescape": "{% autoescape true %}{% endautoescape %}",
    "with": "{% with a = 1 %}{% endwith %}",
    "do": "{% do items.append(1) %}",
    "recursive for": "{% for i in items recursive %}{{ loop(i) }}{% endfor %}",
    "method": "{{ items.append(1) }}",
    "method of a text": "{{ order_id.upper() }}",
    "pop": "{{ address.pop('x') }}",
    "items of an object": "{% for k, v in address.items() %}{% endfor %}",
    "loop internals": "{% for i in items %}{{ loop._iterator }}{% endfor %}",
    "loop cycle": "{% for i in items %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "loop itself": "{% for i in items %}{{ loop }}{% endfor %}",
    "loop by brackets": "{% for i in items %}{{ loop['_iterator'] }}{% endfor %}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "floor division": "{{ 9 // 2 }}",
    "slice": "{{ order_id[::-1] }}",
    "center": "{{ 'a'.center(1000000) }}",
    "center filter": "{{ 'a' | center(1000000) }}",
    "indent filter": "{{ 'a' | indent(1000000) }}",
    "wordwrap filter": "{{ 'a' | wordwrap(1) }}",
    "replace filter": "{{ 'a' | replace('a', 'bbbb') }}",
    "safe filter": "{{ order_id | safe }}",
    "tojson filter": "{{ address | tojson }}",
    "pprint filter": "{{ address | pprint }}",
    "batch filter": "{{ items | batch(1) }}",
    "callable test": "{{ order_id is callable }}",
    "filter test": "{{ 'x' is filter }}",
    "the sandbox's own filters": "{{ 'x' | $compare }}",
    "the sandbox's own names": "{{ _scene }}",
    "a rewritten name": "{{ _v0 }}{{ order_id }}",
    "star arguments": "{{ amount | money(*items) }}",
    "double star arguments": "{{ amount | plural(**address) }}",
    "star call": "{{ count(*items) }}",
    "own name with an underscore": "{% set _scene = 1 %}",
    "loop as a name": "{% set loop = 1 %}",
    "line statement": "{% print order_id.__class__ %}",
    "async": "{{ order_id.__aiter__ }}",
    "infinity": "{{ 1e999 }}",
    "half a character": "{{ '\\ud800' }}",
}


@pytest.mark.parametrize("source", ESCAPES.values(), ids=ESCAPES)
def test_known_ways_out_are_refused_before_anything_runs(source: str) -> None:
    assert [found.severity for found in findings(source)][:1] == ["error"]
    with pytest.raises(RenderError):
        TemplateRenderer(policy(template(variant(en=source)))).bind("hello", "plain", "late")


def test_the_environment_holds_nothing_but_the_language() -> None:
    environment = sandbox()
    assert environment.globals == {}
    assert set(environment.tests) == {"defined"}
    assert sorted(name for name in environment.filters if not name.startswith("$")) == [
        "ago", "date", "default", "length", "money", "number", "percent", "plural", "time", "title", "truncate",
        "urlencode",
    ]  # fmt: skip
    assert not environment.is_safe_callable(print)


@pytest.mark.parametrize("part", ["__class__", "upper", "_private", "keys", "append", "0"])
def test_python_attributes_do_not_exist(part: str) -> None:
    for value in ("text", 5, [1], {"a": 1}, None, print):
        try:
            found: Any = sandbox().getattr(value, part)
        except scene.Refusal:
            continue
        assert isinstance(found, scene.Absent)


BOMBS = {
    "nested loops": "{% for a in items %}{% for b in items %}{% for c in items %}{% endfor %}{% endfor %}{% endfor %}",
    "a loop that prints": "{% for a in items %}{% for b in items %}x{% endfor %}{% endfor %}",
    "a loop that sets": "{% for a in items %}{% for b in items %}{% set x = b %}{% endfor %}{% endfor %}",
    "a loop with a condition": "{% for a in items if a in items %}x{% endfor %}",
    "a loop that searches": "{% for a in items %}{% if 'x' in items %}{% endif %}{% endfor %}",
    "a loop that compares": "{% for a in items %}{% for b in items %}{{ 'x' if a == b }}{% endfor %}{% endfor %}",
    "a loop that formats": "{% for a in items %}{{ amount | money('EUR') }}{% endfor %}",
    "a loop that joins": "{% set x = order_id %}{% for a in items %}{% if x ~ x == 'y' %}{% endif %}{% endfor %}",
    "a loop that looks through a text": "{% for a in items %}{% if 'b' in order_id %}{% endif %}{% endfor %}",
    "a loop that counts": "{% for a in items %}{% for b in items %}{% set n = 1 + 1 %}{% endfor %}{% endfor %}",
    "a doubled text": "{% set x = order_id %}" + "{% set x = x ~ x %}" * 60 + "{{ x }}",
    "a squared number": "{% set x = amount %}" + "{% set x = x * x %}" * 60 + "{{ x }}",
    "a long text": "{{ address.long }}",
    "a long text in pieces": "{% for a in items %}{{ order_id }}{% endfor %}",
}


@pytest.mark.parametrize("source", BOMBS.values(), ids=BOMBS)
def test_bombs_end_by_counting_and_soon(source: str) -> None:
    values = {"items": list(range(10_000)), "amount": 1e6, "order_id": "a" * 900, "address": {"long": "x" * 1_000_000}}
    begin = time.perf_counter()
    with pytest.raises(RenderError, match=r"steps|longer than|too large"):
        rendered(source, **values)
    assert time.perf_counter() - begin < 2  # a bound of steps, so far below this on any machine


def test_the_bounds_are_exact() -> None:
    assert len(rendered("{{ order_id }}", order_id="a" * scene.MAX_CHARACTERS)) == scene.MAX_CHARACTERS
    with pytest.raises(RenderError, match="longer than 10,000 characters"):
        rendered("{{ order_id }}", order_id="a" * (scene.MAX_CHARACTERS + 1))
    loop = "x{% for a in items %}{% endfor %}"
    assert rendered(loop, items=[0] * (scene.MAX_STEPS - 1)) == "x"
    with pytest.raises(RenderError, match="more than 10,000 steps"):
        rendered(loop, items=[0] * scene.MAX_STEPS)


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
        "{{ " + "[" * 200 + "]" * 200 + " }}",
        "{{ " + "not " * 3_000 + "express }}",
        "{{ 1" + " + 1" * 4_000 + " }}",
        "{{ 'a'" + " ~ 'a'" * 3_000 + " }}",
        "{{ order_id" + " | title" * 2_000 + " }}",
        "{{ address" + ".a" * 5_000 + " }}",
        "{% if express %}" * 300 + "{% endif %}" * 300,
        "{% for a in items %}" * 30 + "{% endfor %}" * 30,
        "{{ " + "9" * 10_000 + " }}",
        "{{ 1" + "0" * 400 + ".5 }}",
        "x" * 1_000_000,
        "{% if express %}a" + "{% elif express %}a" * 900 + "{% endif %}",
        "{{ 'a' if express else " * 300 + "'b'" + " }}" * 300,
    ],
    ids=range(14),
)
def test_monstrous_sources_get_a_finding_or_a_text(source: str) -> None:
    made = template(variant(en=source))
    if not any(found.severity == "error" for found in check_template(policy(made), made)):
        trial_render(policy(made), made)


FRAGMENTS = st.sampled_from(
    (
        "{{ }} {% %} {# #} {%- -%} if else elif endif for in endfor set endset raw endraw is not defined and or loop "
        ". | ~ = == != < > + - * / % ** ( ) [ ] { } , : ' \" amount order_id items address reason user.name time.hour "
        "eta express name x loop.index money('EUR') plural('a','b') default('x') date truncate(3) count('late','1h') "
        "sent('1d') 1 2.5 'text' none true \\ \n # _x"
    ).split(" ")
)


@settings(max_examples=400, deadline=None)
@given(st.lists(FRAGMENTS, max_size=14).map(" ".join) | st.text(max_size=60))
def test_any_text_gives_findings_or_a_message_and_nothing_else(source: str) -> None:
    _tried(source)


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS, max_size=8).map(lambda words: "{{ " + " ".join(words) + " }}"))
def test_any_expression_gives_findings_or_a_message_and_nothing_else(source: str) -> None:
    _tried(source)


def _tried(source: str) -> None:
    made = template(Variant("plain", {"en": Text(source)}))
    its_policy = policy(made)
    found = check_template(its_policy, made)
    for finding in found:
        assert finding.message
        assert 1 <= finding.position.column <= finding.position.end_column <= len(source) + 1
    if any(
        finding.code not in {"B304", "B305", "B306", "B313", "B316"} for finding in found if finding.severity == "error"
    ):
        return
    trial_render(its_policy, made)
    bound = TemplateRenderer(its_policy).bind("hello", "plain", "late")
    try:
        bound.render([None] * len(bound.inputs), locale="en", timezone="UTC", now_us=0)
        bound.render(["x"] * len(bound.inputs), locale="en", timezone="UTC", now_us=0)
    except RenderError:
        return  # `None` and text are not the right values for all of them
