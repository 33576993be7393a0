"""What the operators of a template do. `compilation` puts these in the place of Jinja's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from jinja2 import pass_context
from jinja2.runtime import Context

from botopt.rendering import formats
from botopt.rendering.scene import (
    EXACT,
    MAX_CHARACTERS,
    Absent,
    Instant,
    Refusal,
    kind,
    need,
    number_text,
    scene_of,
)

LISTS = (list, tuple)

_CHARACTERS_A_STEP = 100


@pass_context
def printed(context: Context, value: object) -> str:
    """What a value prints where no filter says how."""
    if type(value) is str:
        return value
    need(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Instant):
        scene = scene_of(context)
        scene.spend(10)
        return formats.moment(scene.local(value), scene.locale)
    if isinstance(value, (int, float)):
        return number_text(value)
    raise Refusal(f"{kind(value)} cannot be printed")


@pass_context
def joined(context: Context, *values: object) -> str:
    """`a ~ b`: texts put together, up to the bound."""
    text = "".join(printed(context, value) for value in values)
    if len(text) > MAX_CHARACTERS:
        raise Refusal(f"a text joined with ~ is longer than {MAX_CHARACTERS:,} characters")
    scene_of(context).spend(1 + len(text) // _CHARACTERS_A_STEP)
    return text


@pass_context
def turns(context: Context, values: object) -> Iterator[object]:
    """The items of a list, each turn counted as a step."""
    need(values)
    if not isinstance(values, LISTS):
        raise Refusal(f'"for" goes through a list, and this is {kind(values)}')
    spend = scene_of(context).spend
    for item in values:
        spend(1)
        yield Absent(hint="an item of the list is absent") if item is None else item


def _same(left: object, right: object) -> bool:
    """Equality without Python's opinion that true is 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def _equal(context: Context, left: object, right: object) -> bool:
    for value in (left, right):
        if isinstance(value, (*LISTS, Mapping)):
            raise Refusal(f"{kind(value)} cannot be compared")
    scene_of(context).spend(1 + (len(left) // _CHARACTERS_A_STEP if isinstance(left, str) else 0))
    return _same(left, right)


def _within(context: Context, item: object, whole: object) -> bool:
    scene = scene_of(context)
    if isinstance(whole, str):
        scene.spend(1 + len(whole) // _CHARACTERS_A_STEP)
        if isinstance(item, str):
            return item in whole
        raise Refusal(f'only text can be "in" a text, and this is {kind(item)}')
    if isinstance(whole, LISTS):
        scene.spend(1 + len(whole))
        return any(_same(item, other) for other in whole)
    raise Refusal(f'"in" wants a list or a text after it, and this is {kind(whole)}')


_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "lt": lambda left, right: left < right,
    "lteq": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "gteq": lambda left, right: left >= right,
}


def _ordered(context: Context, operator: str, left: object, right: object) -> bool:
    scene_of(context).spend(1)
    if isinstance(left, Instant) and isinstance(right, Instant):
        return _ORDER[operator](left, right)
    return _ORDER[operator](_number(left, "compared so"), _number(right, "compared so"))


@pass_context
def compared(context: Context, left: object, operators: str, *others: object) -> bool:
    """`a < b <= c`: every comparison and `in`, chains too. An absent value is refused, not merely unequal."""
    need(left)
    for operator, right in zip(operators.split(), others, strict=True):
        need(right)
        match operator:
            case "in" | "notin":
                holds = _within(context, left, right) is (operator == "in")
            case "eq" | "ne":
                holds = _equal(context, left, right) is (operator == "eq")
            case _:
                holds = _ordered(context, operator, left, right)
        if not holds:
            return False
        left = right
    return True


def _number(value: object, doing: str) -> float:
    need(value)
    if type(value) is int or type(value) is float:
        return value
    raise Refusal(f"only numbers can be {doing}, and this is {kind(value)}")


_DOING = {"+": "added", "-": "subtracted", "*": "multiplied", "/": "divided"}


def calculated(context: Context, operator: str, first: object, second: object) -> object:
    """Arithmetic as in conditions: on numbers only; x / 0 and what is not finite is absent."""
    scene_of(context).spend(1)
    left, right = (_number(value, _DOING[operator]) for value in (first, second))
    if operator == "/" and right == 0:
        return Absent(hint="it divides by zero")
    try:
        result = _result(operator, left, right)
    except OverflowError:
        return Absent(hint="the result of this calculation is too large")
    return result if math.isfinite(result) else Absent(hint="the result of this calculation is too large")


def _result(operator: str, left: float, right: float) -> float:
    match operator:
        case "+":
            result = left + right
        case "-":
            result = left - right
        case "*":
            result = left * right
        case _:
            result = left / right
    # Numbers are doubles, as in conditions; whole ones stay whole as long as a double holds them exactly.
    return result if isinstance(result, int) and abs(result) < EXACT else float(result)


def signed(operator: str, value: object) -> float:
    """A sign in front of a number."""
    number = _number(value, "given a sign")
    return -number if operator == "-" else number
