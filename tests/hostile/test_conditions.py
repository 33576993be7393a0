"""Conditions that somebody made to get out of the language: each is refused at its words, and nothing runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.loading.expression import asked_beside, read_condition
from botopt.loading.reader import Map, Scalar, read_text
from botopt.model.condition import Condition, ValueType
from botopt.model.diagnostic import Diagnostic, Severity
from botopt.model.names import Names
from botopt.model.policy import FieldSpec
from botopt.model.position import Unplaced
from botopt.network.reference import ReferenceNetwork
from tests.hostile.support import FUZZ, check_place, corpus, lengths, limited, mutants, nested

FILES = {name: content.decode() for name, content in corpus("conditions").items()}
NAMES = Names(
    {
        spec.name: spec
        for spec in (
            FieldSpec("amount", ValueType.NUMBER, minimum=0),
            FieldSpec("attempts", ValueType.INTEGER, minimum=1),
            FieldSpec("reason", ValueType.TEXT, optional=True),
            FieldSpec("paid", ValueType.BOOLEAN),
            FieldSpec("basket", ValueType.LIST),
            FieldSpec("due", ValueType.TIME),
        )
    },
    {"plan": FieldSpec("plan", ValueType.TEXT, one_of=("free", "pro"), default="free")},
    frozenset({"ping"}),
)


def read(text: str) -> tuple[Condition | None, tuple[Diagnostic, ...]]:
    """A condition and its findings, after a look at each of them."""
    condition, found = read_condition(text, Unplaced(), NAMES)
    asked_beside([text], every=True)
    asked_beside([text], every=False)
    assert (condition is None) is any(one.severity is Severity.ERROR for one in found)
    for one in found:
        assert one.message
        assert len(one.message) + len(one.hint) < 5_000
        assert 1 <= one.position.column <= one.position.end_column <= max(len(text), 1) + 1, one
    return condition, found


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_condition_is_refused(name: str) -> None:
    condition, found = read(FILES[name])
    assert condition is None
    assert found


def test_no_hostile_condition_runs_anything() -> None:
    def task() -> str:
        return f"{len([read(text) for text in FILES.values()])} read"

    assert limited(task) == f"{len(FILES)} read"


HUGE: dict[str, Callable[[], str]] = {
    "100,000 brackets": lambda: "(" * 100_000,
    "100,000 brackets and as many again": lambda: "(" * 100_000 + "paid" + ")" * 100_000,
    "100,000 square brackets": lambda: "[" * 100_000,
    "100,000 closing brackets": lambda: ")" * 100_000,
    "100,000 conditions with and": lambda: "paid and " * 100_000 + "paid",
    "100,000 conditions with or": lambda: "paid or " * 100_000 + "paid",
    "100,000 times not": lambda: "not " * 100_000 + "paid",
    "100,000 terms": lambda: "amount > 1" + " + 1" * 100_000,
    "100,000 signs": lambda: "amount > " + "-" * 100_000 + "1",
    "100,000 comparisons": lambda: "amount" + " < amount" * 100_000,
    "100,000 parts": lambda: "user" + ".a" * 100_000,
    "100,000 calls": lambda: "amount" + "()" * 100_000,
    "100,000 subscripts": lambda: "amount" + "[0]" * 100_000,
    "100,000 filters": lambda: "amount" + "|a" * 100_000,
    "100,000 tests": lambda: "amount" + " is defined" * 100_000,
    "100,000 digits": lambda: "amount > " + "9" * 100_000,
    "100,000 digits behind the point": lambda: "amount > 1." + "9" * 100_000,
    "100,000 options": lambda: "attempts in [" + "1, " * 100_000 + "1]",
    "100,000 texts": lambda: "reason == " + "'a' " * 100_000,
    "100,000 quotes": lambda: "reason == " + "'" * 100_001,
    "100,000 backslashes": lambda: "reason == '" + "\\" * 100_001,
    "100,000 blanks": lambda: "amount" + " " * 100_000 + "> 5",
    "a name of 100,000 letters": lambda: "a" * 100_000 + " > 5",
    # As long as may be, so that the parser sees them.
    "1,990 brackets": lambda: "(" * 995 + ")" * 995,
    "1,990 square brackets": lambda: "[" * 995 + "]" * 995,
    "1,990 braces": lambda: "{" * 1_990,
    "490 times not": lambda: "not " * 490 + "paid",
    "1,990 signs": lambda: "-" * 1_990 + "1",
    "900 parts": lambda: "user" + ".a" * 900,
    "900 calls": lambda: "amount" + "()" * 900,
    "600 subscripts": lambda: "amount" + "[0]" * 600,
    "900 filters": lambda: "amount" + "|a" * 900,
    "600 filters with brackets": lambda: "amount" + "|a()" * 450,
    "480 powers": lambda: "9**" * 480 + "9",
    "300 inline ifs": lambda: "1 if " * 190 + "paid" + " else 1" * 140,
    "1,990 digits": lambda: "amount > " + "9" * 1_980,
    "1,900 digits of an exponent": lambda: "amount > 1e" + "9" * 1_900,
    "1,900 digits of a duration": lambda: "sent('" + "9" * 1_900 + "h') > 1",
    "600 options": lambda: "attempts in [" + "1, " * 600 + "1]",
    "250 lists": lambda: "attempts in [" + "[1], " * 250 + "1]",
    "280 unknown names": lambda: " and ".join(f"a{number}" for number in range(280))[:2_000].rpartition(" and ")[0],
    "a blank text": lambda: " " * 1_990,
    "a name of 1,990 letters": lambda: "a" * 1_990,
    "a name of 1,990 accents": lambda: "a" + "\u0301" * 1_990,
    "1,990 dots": lambda: "." * 1_990,
    "numbers and underscores": lambda: "1_" * 990,
    "minutes": lambda: "1:" * 990,
    "a date that goes on": lambda: "2026-01-01T" + ":" * 1_900,
    "quotes that could close": lambda: "'\\" * 990,
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_condition_is_refused_soon(name: str) -> None:
    text = HUGE[name]()

    def task() -> str:
        condition, found = read(text)
        return f"{condition} {len(found) > 0}"

    assert limited(task, seconds=5) == "None True"


WRAPPERS = (
    "({})", "not {}", "not ({})", "-({})", "+({})", "({}).a", "{}.a", "{}()", "{}[0]", "{}[{}]", "a({})", "a(b={})", "a(*{})",
    "{}|a", "{}|a({})", "{} is defined", "{} is a", "{} is a({})", "[{}]", "1 in [{}]", "{} in [1]", "1 in ({})", "1 < ({}) < 1",
    "({}) < 1 < ({})", "{} + {}", "({}) and ({})", "({}) or ({})", "1 if ({}) else 1", "({}) if 1 else ({})", "({}) ~ ({})", "({}, 1)",
    "({}) ** 2", "count({}, '1h')", "sent({})", "({}) not in ({})", "amount == ({})", "{} == {}",
)  # fmt: skip


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_no_nesting_multiplies_the_work(wrapper: str) -> None:
    def task() -> str:
        for core in ("amount", "'a'", "nope", "paid"):
            for depth in (9, 18, 38):
                read(nested(wrapper, core, depth)[:2_000])
        return "read"

    assert limited(task, seconds=5) == "read"


def test_a_condition_of_the_most_and_deepest_can_be_compiled() -> None:
    terms = " or ".join(f"attempts == {number}" for number in range(1, 31))
    deep = "not (" * 18 + "amount > 1" + ")" * 18
    wide = f"attempts in {list(range(1, 250))}"

    def task() -> str:
        for text in (terms, deep, wide):
            condition, found = read(text)
            assert condition is not None, found
            matcher = ReferenceNetwork().compile([condition])
            assert matcher.match([2] * len(matcher.inputs)) in (0, 1)
        return "read"

    assert limited(task) == "read"


TOKENS = [
    token.encode()
    for token in (
        "amount attempts reason paid basket due user.plan time.hour engagement.rate count('ping','1h') seen('ping','1h') "
        "sent('1h') and or not in is defined undefined if else true false none == != < <= > >= + - * / // % ** ~ | ( ) [ ] "
        "{ } {{ }} {% %} {# #} , . : ; = ! & @ ^ ' \" ` \\ \\x \\u0041 \\N{DIGIT 1} # 0 1 5 1.5 1e3 1e999 0x1 010 1_0 .5 5. "
        "5% __class__ __import__ ('a') ['a'] .upper() |attr('a') \u0430 \uff15 \u2265 \u2018 \u201c \u00d7 \u2212 \u200b "
        "\u202e \u00a0 \u0085 \u2028 \x00 \r \n \t for lambda x:"
    ).split(" ")
] + [b" "]


def test_changed_conditions_are_read_or_refused() -> None:
    for seed, content in mutants("conditions", TOKENS, 8 * FUZZ):
        text = content.decode(errors="replace")
        try:
            read(text)
        except BaseException as fault:
            raise AssertionError(f"{seed}: {text!r}") from fault


@settings(max_examples=150 * FUZZ, deadline=None)
@given(
    st.lists(st.sampled_from(TOKENS).map(bytes.decode) | st.text(max_size=3), max_size=30), st.sampled_from(["", " "])
)
def test_any_words_are_read_or_refused(words: list[str], between: str) -> None:
    condition, _ = read(between.join(words))
    if condition is not None:
        matcher = ReferenceNetwork().compile([condition])
        matcher.match([None] * len(matcher.inputs))


STYLES = ("when: {}\n", "when: '{}'\n", 'when: "{}"\n', "when: >\n  {}\n", "when: |2\n   {}\n", "a: {{when: '{}'}}\n")


@settings(max_examples=100 * FUZZ, deadline=None)
@given(st.lists(st.sampled_from(TOKENS).map(bytes.decode), max_size=12).map(" ".join), st.sampled_from(STYLES))
def test_findings_stand_inside_the_file_however_a_condition_is_quoted(text: str, style: str) -> None:
    content = style.format(text)
    document, _ = read_text("a.yaml", content.encode())
    lines = lengths({"a.yaml": content})
    for scalar in scalars(document.root):
        for found in read_condition(scalar.text, scalar, NAMES)[1]:
            check_place(found, lines)


def scalars(node: object) -> list[Scalar]:
    if isinstance(node, Map):
        return [scalar for _, value in node.entries for scalar in scalars(value)]
    return [node] if isinstance(node, Scalar) else []
