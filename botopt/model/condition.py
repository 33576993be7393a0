"""Typed conditions: what the expression language means once it has been read and checked.

Semantics (docs/reference/language.md, "Conditions"): numbers are IEEE doubles; an absent value is `None`.
A comparison, membership or containment with an absent side is false whatever the operator, and `Not` of
it is true. Arithmetic with an absent side, x / 0, and results that are not finite are absent.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class ValueType(StrEnum):
    """The type of a field, an attribute or an expression."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    LIST = "list"
    OBJECT = "object"


NUMERIC = frozenset({ValueType.INTEGER, ValueType.NUMBER})

type_of_literal = {str: ValueType.TEXT, bool: ValueType.BOOLEAN, int: ValueType.INTEGER, float: ValueType.NUMBER}


class Scope(StrEnum):
    """Where a name's value comes from."""

    EVENT = "event"  # a field of the event: `amount`
    USER = "user"  # `user.plan`, `user.id`, `user.timezone`, `user.locale`
    ENGAGEMENT = "engagement"  # `engagement.rate`, `.clicks`, `.ignored_in_a_row`
    TIME = "time"  # `time.hour`, `.weekday`, `.weekend`
    COUNT = "count"  # `count('type', '10m')`: name is the event type, window_us the window
    SEEN = "seen"  # `seen('type', '1h')`
    SENT = "sent"  # `sent('24h')`: name is empty
    EXPERIMENT = "experiment"  # `experiment('early-nudge')`: the arm that the user is in


class Ref(msgspec.Struct, frozen=True, tag_field="kind"):
    """A value that is looked up when an event is decided.

    `window_us` is the window in microseconds for count, seen and sent, else 0.
    `optional`: whether it can be absent. `one_of` lists the only values it can have, where declared.
    """

    scope: Scope
    name: str
    type: ValueType
    window_us: int = 0
    optional: bool = False
    one_of: tuple[str | float, ...] = ()

    @property
    def key(self) -> tuple[Scope, str, int]:
        """What makes two references the same value."""
        return (self.scope, self.name, self.window_us)

    def __str__(self) -> str:
        """The reference as an author types it."""
        match self.scope:
            case Scope.EVENT:
                return self.name
            case Scope.COUNT | Scope.SEEN:
                return f"{self.scope}('{self.name}', '{duration_text(self.window_us)}')"
            case Scope.SENT:
                return f"sent('{duration_text(self.window_us)}')"
            case Scope.EXPERIMENT:
                return f"experiment('{self.name}')"
            case _:
                return f"{self.scope}.{self.name}"


class Literal(msgspec.Struct, frozen=True, tag_field="kind"):
    """A constant. Numbers of both types are floats here only if written with a point or exponent."""

    value: str | bool | int | float

    @property
    def type(self) -> ValueType:
        """The literal's own type."""
        return type_of_literal[type(self.value)]


class Arithmetic(msgspec.Struct, frozen=True, tag_field="kind"):
    """`left operator right` with operator one of `+ - * /`; both sides are numbers."""

    operator: str
    left: Expression
    right: Expression
    type: ValueType = ValueType.NUMBER


class Negative(msgspec.Struct, frozen=True, tag_field="kind"):
    """`-operand`."""

    operand: Expression
    type: ValueType = ValueType.NUMBER


Expression = Ref | Literal | Arithmetic | Negative


class Comparison(msgspec.Struct, frozen=True, tag_field="kind"):
    """`left operator right`, operator one of `== != < <= > >=`. Text and booleans only know `==` and `!=`."""

    operator: str
    left: Expression
    right: Expression


class Membership(msgspec.Struct, frozen=True, tag_field="kind"):
    """`item in [options]`, or `not in` where `negated`: false for an absent item either way."""

    item: Expression
    options: tuple[Expression, ...]
    negated: bool = False


class Contains(msgspec.Struct, frozen=True, tag_field="kind"):
    """`needle in haystack`, both text: substring, letter case matters. `negated` is `not in`."""

    needle: Expression
    haystack: Expression
    negated: bool = False


class IsDefined(msgspec.Struct, frozen=True, tag_field="kind"):
    """`ref is defined`: the value is not absent."""

    ref: Ref


class Truth(msgspec.Struct, frozen=True, tag_field="kind"):
    """A bare boolean: true if the value is true; an absent one is false."""

    ref: Ref


class Constant(msgspec.Struct, frozen=True, tag_field="kind"):
    """`true` or `false`, written out."""

    value: bool


class Not(msgspec.Struct, frozen=True, tag_field="kind"):
    """`not part`."""

    part: Condition


class All(msgspec.Struct, frozen=True, tag_field="kind"):
    """All parts hold; no parts hold always."""

    parts: tuple[Condition, ...]


class AnyOf(msgspec.Struct, frozen=True, tag_field="kind"):
    """At least one part holds."""

    parts: tuple[Condition, ...]


Condition = Comparison | Membership | Contains | IsDefined | Truth | Constant | Not | All | AnyOf

ALWAYS = All(())

_WEEK = 604_800
_UNITS = (("w", _WEEK), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def duration_text(microseconds: int) -> str:
    """A duration as an author types it: `5400000000` is `1h30m`."""
    seconds, text = microseconds // 1_000_000, ""
    for unit, size in _UNITS if seconds >= 2 * _WEEK and seconds % _WEEK == 0 else _UNITS[1:]:  # 7d, 8d, but 2w
        if seconds >= size:
            text, seconds = f"{text}{seconds // size}{unit}", seconds % size
    return text or "0s"


def references(node: Condition | Expression) -> tuple[Ref, ...]:
    """Every reference in a condition or expression, in reading order, each value once."""
    found: dict[tuple[Scope, str, int], Ref] = {}

    def visit(part: Condition | Expression) -> None:
        match part:
            case Ref():
                found.setdefault(part.key, part)
            case IsDefined(ref) | Truth(ref):
                visit(ref)
            case Comparison(_, left, right) | Arithmetic(_, left, right) | Contains(left, right):
                visit(left)
                visit(right)
            case Membership(item, options):
                visit(item)
                for option in options:
                    visit(option)
            case Not(inner) | Negative(inner):
                visit(inner)
            case All(parts) | AnyOf(parts):
                for inner in parts:
                    visit(inner)
            case Literal() | Constant():
                pass

    visit(node)
    return tuple(found.values())
