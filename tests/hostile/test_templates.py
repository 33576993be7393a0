"""Templates that somebody made to get out of the sandbox, or to keep it busy: each is refused, or stays within bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.diagnostic import Diagnostic, Severity
from botopt.model.errors import RenderError
from botopt.rendering.lint import check_template, trial_render
from botopt.rendering.renderer import TemplateRenderer
from botopt.rendering.scene import MAX_CHARACTERS
from tests.hostile.support import FUZZ, corpus, limited, mutants, nested
from tests.rendering.making import policy, template, variant

FILES = {name: content.decode() for name, content in corpus("templates").items()}
BOUNDED = [name for name in FILES if name.startswith("bounded-")]
"""What the language allows, and what must end all the same."""

REFUSED = [name for name in FILES if name not in BOUNDED]

LONG = 20_000
VALUES: Sequence[dict[str, object]] = (
    {"items": ["x"] * LONG, "amount": 1e300, "number": 2**53, "order_id": "ab " * 300, "express": True, "eta": 0,
     "address": {"a": {"b": "__class__"}}, "reason": "x" * LONG, "currency": "EUR", "attempts": 1},
    {"items": [["x"] * 1_000] * 1_000, "amount": float("nan"), "number": -1, "order_id": "__class__", "express": False,
     "eta": 2**62, "address": {"__class__": 1, "__init__": {"__globals__": 1}}, "currency": "\ud800", "attempts": 0},
    {"items": [], "amount": float("inf"), "number": 10**5_000, "order_id": "{0.__class__}%s%999999999d", "express": True,
     "eta": -(2**62), "address": {}, "reason": "{{ x }}", "currency": "e\u0301" * 5_000, "attempts": 10**400},
    {"items": [None, {"a": [{}]}, [[[]]], 1, True, "\u202e\x1b[31m"], "amount": -0.0, "number": 0, "order_id": "",
     "express": None, "eta": None, "address": {"keys": "a", "get": None}, "currency": "", "attempts": 1},
    {"items": [10**300] * LONG, "amount": 5e-324, "number": 3, "order_id": "\U0001f468\u200d" * 3_000, "express": True,
     "eta": 253_402_300_799_999_999, "address": {str(n): n for n in range(LONG)}, "reason": "\u0301" * LONG,
     "currency": "\u0130" * 3, "attempts": 1},
)  # fmt: skip


def checked(source: str) -> list[Diagnostic]:
    """The findings about a text, each inside it."""
    made = template(variant(en=source))
    found = list(check_template(policy(made), made))
    for one in found:
        assert one.message
        assert 1 <= one.position.column <= one.position.end_column <= max(len(source), 1) + 1, one
    return found


def written(source: str) -> tuple[list[str], list[str]]:
    """The texts for `VALUES`, and the reasons why there is none for some of them."""
    texts, reasons = [], []
    bound = TemplateRenderer(policy(template(variant(en=source)))).bind("hello", "plain", "late")
    for values in VALUES:
        given_ = [values.get(ref.name) for ref in bound.inputs]
        try:
            texts.append(bound.render(given_, locale="en", timezone="Europe/Berlin", now_us=0).text)
        except RenderError as why:
            reasons.append(str(why))
    for text in texts:
        assert len(text.encode()) <= 4 * MAX_CHARACTERS
        assert len(text) <= MAX_CHARACTERS
        assert "<class '" not in text
    assert all(0 < len(reason) < 500 for reason in reasons)
    return texts, reasons


@pytest.fixture(scope="module", autouse=True)
def _locale_data() -> None:
    """Babel reads its own data with pickle, once; here, so that no test takes that for an attack."""
    written("{{ amount | money('EUR') }} {{ eta }} {{ eta | ago }} {{ number | plural('a', 'b') }}")


@pytest.mark.parametrize("name", REFUSED)
def test_a_way_out_is_refused_and_gives_no_text(name: str) -> None:
    assert [found for found in checked(FILES[name]) if found.severity is Severity.ERROR]
    try:
        texts, reasons = written(FILES[name])
    except RenderError:
        return  # before anything runs
    assert name in ONLY_TYPES
    assert not texts
    assert len(reasons) == len(VALUES)


ONLY_TYPES = {
    f"{name}.jinja"
    for name in (
        "coroutine-frame traceback loop-over-a-text loop-over-an-object multiply-list multiply-text-by-a-number set-itself"
    ).split()
}
"""What only the values forbid: the check that knows types says so beforehand, and the second fence when it runs."""


@pytest.mark.parametrize("name", BOUNDED)
def test_a_text_that_is_allowed_stays_within_its_bounds(name: str) -> None:
    def task() -> str:
        source = FILES[name]
        assert {found.code for found in checked(source) if found.severity is Severity.ERROR} <= TYPES
        trial_render(policy(template(variant(en=source))), template(variant(en=source)))
        return str(sum(map(len, written(source))))

    assert limited(task, seconds=5) == str(len(VALUES))


TYPES = {"B303", "B304", "B305", "B306", "B307", "B308", "B313", "B316"}
"""Findings about values that do not fit, which a policy that nobody validated may hold all the same."""


def test_no_hostile_template_runs_anything() -> None:
    def task() -> str:
        for source in FILES.values():
            if not any(found.severity is Severity.ERROR for found in checked(source)):
                trial_render(policy(template(variant(en=source))), template(variant(en=source)))
        return "read"

    assert limited(task) == "read"


HUGE: dict[str, Callable[[], str]] = {
    "a source of 10,000,000 letters": lambda: "x" * 10_000_000,
    "a source of 10,000,000 braces": lambda: "{{" * 5_000_000,
    "100,000 brackets": lambda: "{{ " + "(" * 100_000 + " }}",
    # Below, each as long as may be, so that the parser sees it.
    "9,900 brackets": lambda: "{{ " + "(" * 9_900 + "1" + ")" * 9_900 + " }}",
    "9,900 lists": lambda: "{{ " + "[" * 9_900 + "]" * 9_900 + " }}",
    "9,900 objects": lambda: "{{ " + "{1:" * 6_000 + "}" * 1_000 + " }}",
    "19,000 signs": lambda: "{{ " + "-" * 19_000 + "1 }}",
    "4,900 times not": lambda: "{{ " + "not " * 4_900 + "express }}",
    "4,900 terms": lambda: "{{ 1" + " + 1" * 4_900 + " }}",
    "4,900 comparisons": lambda: "{{ 1" + " < 1" * 4_900 + " }}",
    "9,000 parts": lambda: "{{ address" + ".a" * 9_000 + " }}",
    "6,000 subscripts": lambda: "{{ items" + "[0]" * 6_000 + " }}",
    "9,000 calls": lambda: "{{ order_id" + "()" * 9_000 + " }}",
    "2,800 filters": lambda: "{{ order_id" + "|title" * 2_800 + " }}",
    "2,000 joined texts": lambda: "{{ 'a'" + " ~ 'a'" * 3_200 + " }}",
    "1,000 inline ifs": lambda: "{{ " + "1 if express else " * 1_000 + "2 }}",
    "800 tags": lambda: "{% if express %}" * 700 + "{% endif %}" * 700,
    "900 elifs": lambda: "{% if express %}a" + "{% elif express %}a" * 1_000 + "{% endif %}",
    "900 sets": lambda: "{% set a = 1 %}" * 1_300 + "{{ a }}",
    "2,000 printed values": lambda: "{{ order_id }}" * 1_400,
    "2,000 different values": lambda: "".join(f"{{{{ a{number} }}}}" for number in range(1_700)),
    "6,000 options": lambda: "{{ number in [" + "1, " * 6_000 + "1] }}",
    "19,000 digits": lambda: "{{ " + "9" * 19_000 + " }}",
    "19,000 digits behind the point": lambda: "{{ 1." + "9" * 19_000 + " }}",
    "19,000 digits of an exponent": lambda: "{{ 1e" + "9" * 19_000 + " }}",
    "19,000 digits of an index": lambda: "{{ items[" + "9" * 4_000 + "] }}",
    "digits of a duration": lambda: "{{ sent('" + "9" * 19_000 + "h') }}",
    "19,000 quotes": lambda: "{{ " + "'" * 19_001 + " }}",
    "9,000 backslashes": lambda: "{{ '" + "\\" * 19_000 + "' }}",
    "6,000 empty braces": lambda: "{{}}" * 4_900,
    "6,000 comments": lambda: "{##}" * 4_900,
    "6,000 open comments": lambda: "{#" * 9_900,
    "9,900 open tags": lambda: "{%" * 9_900,
    "9,900 closing braces": lambda: "}}" * 9_900,
    "19,900 single braces": lambda: "{" * 19_900,
    "names in single braces": lambda: "{amount}" * 2_400,
    "19,900 line breaks": lambda: "{{ order_id" + "\r\n" * 9_900 + " }}",
    "19,900 blanks": lambda: "{{" + " " * 19_900 + "}}",
    "dashes and blanks": lambda: " " * 9_000 + "{%- if express -%}" + " " * 9_000 + "{%- endif -%}",
    "raw blocks": lambda: "{% raw %}" * 2_200,
    "dates and blanks": lambda: "\n \t" * 6_000 + "{{ eta }}",
    "a name of 19,000 letters": lambda: "{{ " + "a" * 19_000 + " }}",
    "a filter of 19,000 letters": lambda: "{{ order_id | " + "title" * 3_800 + " }}",
    "a part of 19,000 letters": lambda: "{{ user." + "plan" * 4_700 + " }}",
    "a tag of 19,000 letters": lambda: "{% " + "for" * 6_000 + " %}",
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_source_is_refused_or_stays_within_its_bounds(name: str) -> None:
    source = HUGE[name]()

    def task() -> str:
        made = template(variant(en=source))
        if not [found for found in checked(source) if found.severity is Severity.ERROR]:
            trial_render(policy(made), made)
            written(source)
        return "read"

    assert limited(task, seconds=5) == "read"


WRAPPERS = (
    "({})", "not ({})", "-({})", "({}).a", "{}.a", "{}[0]", "{}['a']", "{}()", "a({})", "a(b={})", "{} | title", "({}) | title",
    "({}) | default({})", "amount | plural(({}), ({}))", "amount | plural(one=({}), other='a')", "({}) | truncate(3)", "{} is defined",
    "({}) is defined", "[{}]", "[{}, {}]", "({}) in [{}]", "1 in ({})", "({}) in ({})", "1 < ({}) < 1", "({}) < ({}) < ({})",
    "({}) + ({})", "({}) ~ ({})", "1 ~ ({}) ~ 1", "({}) and ({})", "({}) or ({})", "1 if ({}) else 1", "({}) if 1 else ({})",
    "({}) if ({})", "{'a': {}}", "({}, {})", "count({}, '1h')", "({}) ** 2", "({})[{}]",
)  # fmt: skip
TAG_WRAPPERS = (
    "{{% if express %}}{}{{% endif %}}", "{{% if express %}}{}{{% else %}}{}{{% endif %}}", "{{% if express %}}a{{% elif express %}}{}{{% endif %}}",
    "{{% for x in items %}}{}{{% endfor %}}", "{{% for x in items %}}{}{{% else %}}{}{{% endfor %}}", "{{% for x in items if x %}}{}{{% endfor %}}",
    "{{% set x = x ~ x %}}{}", "{{% set x = [x, x] %}}{}", "{{% set x = x + x %}}{}", "{{% set x = x if x else x %}}{}",
    "{{% if reason is defined and express %}}{}{{% endif %}}", "{{% filter title %}}{}{{% endfilter %}}", "{{% macro m() %}}{}{{% endmacro %}}",
)  # fmt: skip


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_no_nesting_multiplies_the_work(wrapper: str) -> None:
    def task() -> str:
        for core in ("order_id", "nope", "1"):
            for depth in (9, 19, 55):
                tried("{{ " + nested(wrapper, core, depth)[:15_000] + " }}")
        return "read"

    assert limited(task, seconds=10) == "read"


@pytest.mark.parametrize("wrapper", TAG_WRAPPERS)
def test_no_nesting_of_tags_multiplies_the_work(wrapper: str) -> None:
    def task() -> str:
        for depth in (8, 20):
            tried(
                "{% set x = order_id %}" + nested(wrapper.replace("{{%", "{%").replace("%}}", "%}"), "{{ x }}", depth)
            )
        return "read"

    assert limited(task, seconds=10) == "read"


def test_options_in_options_do_not_multiply_the_work() -> None:
    source = "{{ " + nested("1 in [{}]", "1", 18) + " }}"
    assert limited(lambda: len(checked(source)), seconds=1).isdecimal()


TOKENS = [
    token.encode()
    for token in (
        "{{ }} {% %} {# #} {{- -}} {%- -%} {%+ if else elif endif for in endfor set endset raw endraw macro endmacro call "
        "include import from as extends block endblock filter with autoescape do print recursive is not defined and or "
        "loop loop.index loop.first loop.__class__ . | ~ = == != < > <= >= + - * / // % ** ( ) [ ] { } , : ' \" \\ \\x5f "
        "amount order_id items address reason user.name user.id time.hour engagement.rate eta express number a b x _x "
        "__class__ .__class__ ['__class__'] |attr('__class__') .format(order_id) .format_map(address) () (1) [0] [-1] .a "
        "|title |truncate(3) |truncate(0) |money('EUR') |plural('a','#') |default('x') |date |time |ago |number |percent "
        "|length |urlencode |$compare count('late','1h') sent('1d') seen('late','1h') 1 2.5 1e308 9007199254740993 'text' "
        "none true false self cycler namespace lipsum range(9) \u0430 \u202e \u2028 \x00 \r \n # @ $ _scene _v0"
    ).split(" ")
] + [b" "]


def tried(source: str) -> None:
    """Findings or a message, and no other end."""
    if any(found.severity is Severity.ERROR and found.code not in TYPES for found in checked(source)):
        with pytest.raises(RenderError):
            written(source)
        return
    made = template(variant(en=source))
    trial_render(policy(made), made)
    try:
        written(source)
    except RenderError:
        return  # an unknown name


def test_changed_templates_are_refused_or_written() -> None:
    for seed, content in mutants("templates", TOKENS, 4 * FUZZ):
        source = content.decode(errors="replace")
        try:
            tried(source)
        except BaseException as fault:
            raise AssertionError(f"{seed}: {source!r}") from fault


EXPRESSIONS = st.lists(st.sampled_from(TOKENS).map(bytes.decode), min_size=1, max_size=7)


@settings(max_examples=100 * FUZZ, deadline=None)
@given(st.lists(EXPRESSIONS.map(lambda words: "{{ " + " ".join(words) + " }}"), min_size=1, max_size=3))
def test_any_expressions_are_refused_or_written(pieces: list[str]) -> None:
    tried("".join(pieces))


SMALL = st.sampled_from(
    "amount number order_id items address reason eta express a b 1 0 2.5 'x' [1,2] [items] items[0] address.a loop.index "
    "count('late','1h') user.name user.plan time.hour true".split()
)
VALUE = st.recursive(
    SMALL,
    lambda inner: (
        st.tuples(inner, st.sampled_from("+ - * / ~ == != < >= in".split()) | st.just("not in"), inner).map(" ".join)
        | st.tuples(inner, st.sampled_from(["title", "length", "truncate(2)", "number", "date", "default('y')"])).map(
            " | ".join
        )
        | st.tuples(inner, inner, inner).map(lambda three: "({} if {} else {})".format(*three))
        | inner.map("(not {})".format)
        | inner.map("({} is defined)".format)
        | inner.map("({}).a".format)
    ),
    max_leaves=5,
)
TAGS = st.recursive(
    VALUE.map("{{{{ {} }}}}".format)
    | st.tuples(st.sampled_from("ab"), VALUE).map(lambda two: "{{% set {} = {} %}}".format(*two)),
    lambda inner: (
        st.lists(inner, max_size=3).map("".join)
        | st.tuples(VALUE, inner, inner).map(lambda three: "{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format(*three))
        | st.tuples(st.sampled_from("ab"), VALUE, inner).map(
            lambda three: "{{% for {} in {} %}}{}{{% endfor %}}".format(*three)
        )
    ),
    max_leaves=6,
)


@settings(max_examples=120 * FUZZ, deadline=None)
@given(TAGS)
def test_well_formed_templates_end_in_a_message_or_a_reason_whatever_their_values(source: str) -> None:
    tried(source)
