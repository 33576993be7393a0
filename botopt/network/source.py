"""Conditions written as Python source and compiled: some fifteen times as fast as closures.

The source holds words of ours only: `v0` is the first value, `k0` a constant, `t0` a result kept for a moment.
Whatever an author typed is a value beside the source, never a part of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, assert_never

from botopt.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    Contains,
    Expression,
    IsDefined,
    Literal,
    Membership,
    Negative,
    Not,
    Ref,
    Truth,
)

Values = Sequence[object]

_DEEPEST = 12  # levels of brackets in one function; Python stops at 200
_OPERATORS = {sign: sign for sign in ("==", "!=", "<", "<=", ">", ">=")}
_FUNCTIONS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}


def _finite(result: float) -> float | None:
    return result if math.isfinite(result) else None


def add(left: float | None, right: float | None) -> float | None:
    """The sum; absent where a side is absent or the result is not finite."""
    return None if left is None or right is None else _finite(float(left) + float(right))


def subtract(left: float | None, right: float | None) -> float | None:
    """The difference; absent likewise."""
    return None if left is None or right is None else _finite(float(left) - float(right))


def multiply(left: float | None, right: float | None) -> float | None:
    """The product; absent likewise."""
    return None if left is None or right is None else _finite(float(left) * float(right))


def divide(left: float | None, right: float | None) -> float | None:
    """The quotient; absent likewise, and where the divisor is 0."""
    return None if left is None or not right else _finite(float(left) / float(right))


def negate(value: float | None) -> float | None:
    """`-value`; absent stays absent."""
    return None if value is None else -float(value)


class Source:
    """The source of one function of the values in `inputs`, and of the functions that it calls."""

    def __init__(self, inputs: Iterable[Ref]) -> None:
        self._names = {ref.key: f"v{place}" for place, ref in enumerate(inputs)}
        self._unpack = [f"{', '.join(self._names.values())}, = values"] if self._names else []
        self._functions: list[str] = []
        self._kept = 0
        arithmetic = {function.__name__: function for function in (add, subtract, multiply, divide, negate)}
        self._beside: dict[str, object] = {"__builtins__": {}, **arithmetic}

    def value(self, ref: Ref) -> str:
        """The name of a value."""
        return self._names[ref.key]

    def constant(self, value: object) -> str:
        """The name of anything that stands beside the source."""
        name = f"k{len(self._beside)}"
        self._beside[name] = value
        return name

    def compile(self, lines: Sequence[str]) -> Callable[[Values], Any]:
        """The function with this body, in which the values have their names."""
        text = "\n".join((*self._functions, self._defined("answer", lines)))
        exec(text, self._beside)  # noqa: S102  # words of ours only, see above
        answer: Callable[[Values], Any] = self._beside["answer"]  # type: ignore[assignment]  # just defined
        return answer

    def condition(self, condition: Condition, depth: int = 0) -> str:
        """A condition as an expression that is True or False."""
        if depth > _DEEPEST:
            return self._apart(self.condition(condition))
        match condition:
            case Constant(value):
                return "True" if value else "False"
            case Truth(ref):
                return f"{self.value(ref)} is True"
            case IsDefined(ref):
                return f"{self.value(ref)} is not None"
            case Not(part):
                return f"(not {self.condition(part, depth + 1)})"
            case All(parts):
                return self._all([self.condition(part, depth + 1) for part in parts])
            case AnyOf(parts):
                return f"({' or '.join(self.condition(part, depth + 1) for part in parts)})" if parts else "False"
            case Comparison(operator, left, right):
                (there, a), (also_there, b) = self._met(left, depth), self._met(right, depth)
                return self._all([*there, *also_there, f"{a} {_OPERATORS[operator]} {b}"])
            case Membership(item, options, negated):
                there, a = self._met(item, depth)
                return self._all([*there, self._among(a, options, depth, negated)])
            case Contains(needle, haystack, negated):
                (there, a), (also_there, b) = self._met(needle, depth), self._met(haystack, depth)
                return self._all([*there, *also_there, f"{a} {'not in' if negated else 'in'} {b}"])
            case _:
                assert_never(condition)

    @staticmethod
    def _all(parts: Sequence[str]) -> str:
        return f"({' and '.join(parts)})" if parts else "True"

    def _among(self, item: str, options: Sequence[Expression], depth: int, negated: bool) -> str:
        constants = [option.value for option in options if isinstance(option, Literal)]
        if len(constants) == len(options):
            return f"{item} {'not in' if negated else 'in'} {self.constant(frozenset(constants))}"
        if not negated:
            return f"({' or '.join(f'{item} == {self.term(option, depth + 2)}' for option in options)})"
        others = [self._met(option, depth + 1) for option in options]
        return self._all([test for there, other in others for test in (*there, f"{item} != {other}")])

    def _met(self, expression: Expression, depth: int) -> tuple[list[str], str]:
        """What to ask so that the value is there, and then its name."""
        text = self.term(expression, depth + 1)
        match expression:
            case Literal():
                return [], text
            case Ref():
                return [f"{text} is not None"], text
            case _:
                name = f"t{self._kept}"
                self._kept += 1
                return [f"({name} := {text}) is not None"], name

    def term(self, expression: Expression, depth: int = 0) -> str:
        """An expression of the condition language as one of Python; None where it is absent."""
        if depth > _DEEPEST:
            return self._apart(self.term(expression, 0))
        match expression:
            case Literal(value):
                return self.constant(value)
            case Ref():
                return self.value(expression)
            case Arithmetic(operator, left, right):
                return f"{_FUNCTIONS[operator]}({self.term(left, depth + 1)}, {self.term(right, depth + 1)})"
            case Negative(operand):
                return f"negate({self.term(operand, depth + 1)})"
            case _:
                assert_never(expression)

    def _apart(self, text: str) -> str:
        """The same in a function of its own."""
        name = f"p{len(self._functions)}"
        self._functions.append(self._defined(name, [f"return {text}"]))
        return f"{name}(values)"

    def _defined(self, name: str, lines: Sequence[str]) -> str:
        return "\n    ".join((f"def {name}(values):", *self._unpack, *lines))


def compiled(condition: Condition, inputs: Iterable[Ref]) -> Callable[[Values], bool]:
    """A condition as a function of the values in `inputs`."""
    source = Source(inputs)
    return source.compile([f"return {source.condition(condition)}"])
