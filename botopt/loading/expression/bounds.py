"""Comparisons that can never change, by what is known of a value."""

from __future__ import annotations

from collections.abc import Mapping

from botopt.loading.expression.wording import listed
from botopt.model.condition import NUMERIC, Ref, Scope, ValueType
from botopt.model.names import Names, did_you_mean

_RANGES: Mapping[tuple[Scope, str], tuple[float | None, float | None]] = {
    (Scope.TIME, "hour"): (0, 23),
    (Scope.ENGAGEMENT, "rate"): (0, 1),
    (Scope.ENGAGEMENT, "clicks"): (0, None),
    (Scope.ENGAGEMENT, "ignored_in_a_row"): (0, None),
}

_WORDS = {
    "==": "",
    "!=": "",
    "<": "less than ",
    "<=": "as little as ",
    ">": "more than ",
    ">=": "as much as ",
}


def impossible(operator: str, ref: Ref, value: str | bool | float, names: Names) -> tuple[str, str] | None:
    """Why `ref operator value` can never hold (or `!=` never fail), and what to type; None where it can."""
    if ref.one_of and operator in ("==", "!=") and value not in ref.one_of:
        near = (
            did_you_mean(value, [one for one in ref.one_of if isinstance(one, str)]) if isinstance(value, str) else ""
        )
        return f"{ref} is never {_said(value)}", near or f"it is one of {listed(_said(one) for one in ref.one_of)}"
    if ref.type not in NUMERIC or isinstance(value, str | bool):
        return None
    if ref.type is ValueType.INTEGER and operator in ("==", "!=") and value != int(value):
        return f"{ref} is a whole number, never {_said(value)}", "compare with a whole number, or use < or >"
    low, high = _range(ref, names)
    ends = [end for end in (low, high) if end is not None]
    if not ends:
        return None
    if _never(operator, low, high, value):
        return f"{ref} is never {_WORDS[operator]}{_said(value)}", f"it is always {_between(low, high)}"
    return None


def _never(operator: str, low: float | None, high: float | None, value: float) -> bool:
    match operator:
        case "==" | "!=":
            return (low is not None and value < low) or (high is not None and value > high)
        case "<":
            return low is not None and value <= low
        case "<=":
            return low is not None and value < low
        case ">":
            return high is not None and value >= high
        case ">=":
            return high is not None and value > high
        case _:
            return False


def _range(ref: Ref, names: Names) -> tuple[float | None, float | None]:
    if ref.scope in (Scope.COUNT, Scope.SENT):
        return 0, None
    if ref.scope is Scope.EVENT or ref.scope is Scope.USER:
        spec = (names.fields if ref.scope is Scope.EVENT else names.attributes).get(ref.name)
        return (None, None) if spec is None else (spec.minimum, spec.maximum)
    return _RANGES.get((ref.scope, ref.name), (None, None))


def _between(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"from {_said(low)} to {_said(high)}"
    return f"{_said(low)} or more" if low is not None else f"{_said(high)} or less" if high is not None else ""


def _said(value: str | bool | float) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"'{value}'" if isinstance(value, str) else str(value).lower()
