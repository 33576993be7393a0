"""Values and comparisons in words: the leaves of a condition.

A leaf has a sense (it says that something is so, or that it is not) and an answer for absent values: false where the
leaf itself must hold, true where it must not. Both are in the words, wherever a value can be absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

import msgspec

from botopt.authoring.handbook.wording import last_words, listed, name_words, quoted
from botopt.model.condition import (
    Arithmetic,
    Comparison,
    Constant,
    Contains,
    Expression,
    IsDefined,
    Literal,
    Membership,
    Negative,
    Ref,
    Scope,
    Truth,
    ValueType,
    references,
)
from botopt.network.tracing import value_text

Leaf = Comparison | Membership | Contains | IsDefined | Truth | Constant

OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRROR = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NUMBERS = {"==": "is", "!=": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least"}
_TIMES = {
    "==": "is the same time as",
    "!=": "is another time than",
    "<": "is earlier than",
    "<=": "is not later than",
    ">": "is later than",
    ">=": "is not earlier than",
}
_SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷"}
_DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
_USER = {"timezone": "the user's time zone", "locale": "the user's language", "id": "the user's id"}
_ENGAGEMENT = {
    "rate": "the rate at which this user clicks such messages",
    "clicks": "the number of messages that the user has clicked",
    "ignored_in_a_row": "the number of messages that the user has ignored in a row",
}


class Speaker(msgspec.Struct, frozen=True):
    """For whom a condition is put into words: `own_type` is the event type whose rules are read, if it is one."""

    own_type: str | None = None

    def leaf(self, leaf: Leaf, holds: bool) -> str:
        """A leaf in words; with `holds` false its opposite."""
        match leaf:
            case Constant(value):
                return "always" if value is holds else "never"
            case IsDefined(ref):
                return f"{self.noun(ref)} is {'' if holds else 'not '}known"
            case Truth(ref):
                return self._boolean(ref, True, holds)
            case Contains(needle, haystack, negated):
                inside = "contains" if negated is not holds else "does not contain"
                return self._with_absence(haystack, f"{inside} {self.noun(needle)}", leaf, holds, negated is holds)
            case Membership(item, options, negated):
                return self._membership(leaf, item, options, holds is not negated, holds)
            case Comparison(operator, left, right):
                if isinstance(left, Literal) and not isinstance(right, Literal):
                    operator, left, right = _MIRROR[operator], right, left
                return self._comparison(leaf, operator, left, right, holds)
            case _:
                assert_never(leaf)

    def noun(self, expression: Expression) -> str:
        """A value as the subject or the object of a sentence."""
        match expression:
            case Literal(value):
                return quoted(value) if isinstance(value, str) else value_text(value)
            case Ref():
                return self._name(expression)
            case Arithmetic(operator, left, right):
                return f"{self._operand(left)} {_SIGNS[operator]} {self._operand(right)}"
            case Negative(operand):
                return f"−{self._operand(operand)}"
            case _:
                assert_never(expression)

    def _operand(self, expression: Expression) -> str:
        text = self.noun(expression)
        return f"({text})" if isinstance(expression, Arithmetic | Negative) else text

    def _name(self, ref: Ref) -> str:
        is_boolean = ref.type is ValueType.BOOLEAN
        match ref.scope:
            case Scope.EVENT:
                return quoted(name_words(ref.name)) if is_boolean else f"the {_valued(ref)}"
            case Scope.USER:
                words = quoted(name_words(ref.name)) if is_boolean else _valued(ref)
                return _USER.get(ref.name) or f"the user's {words}"
            case Scope.ENGAGEMENT:
                return _ENGAGEMENT[ref.name]
            case Scope.TIME:
                return "“weekend”" if ref.name == "weekend" else f"the {ref.name} on the user's clock"
            case Scope.COUNT:
                return f"the number of {self._counted(ref)}"
            case Scope.SEEN:
                return f"“an earlier {ref.name} event in the last {last_words(ref.window_us)}”"
            case Scope.EXPERIMENT:
                return f"the arm of the experiment {ref.name}"
            case Scope.SENT:
                return f"the number of messages sent to the user in the last {last_words(ref.window_us)}"
            case _:
                assert_never(ref.scope)

    def _counted(self, ref: Ref) -> str:
        own = " (this one included)" if ref.name == self.own_type else ""
        own = own or (" (this one included, if it is one)" if self.own_type is None else "")
        return f"{quoted(ref.name)} events of this user in the last {last_words(ref.window_us)}{own}"

    def _boolean(self, ref: Ref, wanted: bool, holds: bool) -> str:
        """That a boolean is `wanted`, or, where `holds` is false, that this is not so."""
        is_true = wanted is holds
        if ref.scope is Scope.TIME:
            return f"it is {'' if is_true else 'not '}Saturday or Sunday on the user's clock"
        if ref.scope is Scope.SEEN:
            some = "an" if is_true else "no"
            return f"{some} earlier {quoted(ref.name)} event of this user came in the last {last_words(ref.window_us)}"
        missing = " or is missing" if ref.optional and not holds else ""
        return f"{self._name(ref)} is {'true' if is_true else 'false'}{missing}"

    def _comparison(self, leaf: Comparison, operator: str, left: Expression, right: Expression, holds: bool) -> str:
        if isinstance(left, Ref) and left.type is ValueType.BOOLEAN and isinstance(right, Literal):
            wanted = bool(right.value) is (operator == "==")
            return self._boolean(left, wanted, holds)
        said = operator if holds else OPPOSITE[operator]
        if isinstance(left, Ref) and isinstance(right, Literal):
            special = self._special(left, said, right.value)
            if special:
                return special
        verbs = _TIMES if left.type is ValueType.TIME else _NUMBERS
        denies = (operator == "!=") is holds
        return self._with_absence(left, f"{verbs[said]} {self.noun(right)}", leaf, holds, denies)

    def _special(self, ref: Ref, operator: str, value: object) -> str:
        """Hours, days and counts have words of their own; none of them is ever absent."""
        if ref.scope is Scope.TIME and ref.name == "weekday":
            return f"it is {'' if operator == '==' else 'not '}{_DAYS[str(value)]} on the user's clock"
        if not isinstance(value, int) or isinstance(value, bool):
            return ""
        if ref.scope is Scope.TIME and 0 <= value <= 23:
            return _hour(operator, value)
        if ref.scope is Scope.COUNT:
            return f"there {_many(operator, value, self._counted(ref).replace(' events', ' event'), 'was', 'were')}"
        if ref.scope is Scope.SENT:
            within = f"in the last {last_words(ref.window_us)}"
            return f"the user was sent {_many(operator, value, f'message {within}', '', '')}"
        return ""

    def _membership(
        self, leaf: Membership, item: Expression, options: tuple[Expression, ...], inside: bool, holds: bool
    ) -> str:
        if isinstance(item, Ref) and item.scope is Scope.TIME and item.name == "weekday":
            days = [_DAYS[str(option.value)] for option in options if isinstance(option, Literal)]
            if len(days) == len(options):
                return f"it is {_among(days, inside)} on the user's clock"
        said = f"is {_among([self.noun(option) for option in options], inside)}"
        return self._with_absence(item, said, leaf, holds, not inside)

    def _with_absence(self, subject: Expression, said: str, leaf: Leaf, holds: bool, denies: bool) -> str:
        """The sentence, and what is so where a value is absent: nobody takes a missing value for "at least 5"."""
        absent = list(self._absent(leaf, subject))
        noun = self.noun(subject)
        if not absent or (holds and not denies):
            return f"{noun} {said}"
        if not holds:
            return f"{noun} {said} or {listed([f'{who}{is_so}' for who, is_so, _ in absent], 'or')}"
        return f"{noun} {listed([f'{who}{known}'.strip() for who, _, known in absent])} and {said}"

    def _absent(self, leaf: Leaf, subject: Expression) -> Iterator[tuple[str, str, str]]:
        """What can be absent: who, how that is said, and how it is said that it is not."""
        sides = _read_by(leaf)
        for ref in dict.fromkeys(ref for side in sides for ref in references(side)):
            if ref.optional:
                who = "" if ref == subject else f"{self.noun(ref)} "
                yield who, "is missing", "is known"
        if any(_divides(side) for side in sides):
            yield "", "cannot be worked out", "can be worked out"


def _valued(ref: Ref) -> str:
    """A whole number that has the name of many things counts them: "the number of days late is 3"."""
    words = name_words(ref.name)
    first = words.split()[0]
    many = first.endswith("s") and not first.endswith(("ss", "us", "is"))
    return f"number of {words}" if many and ref.type is ValueType.INTEGER else words


def _read_by(leaf: Leaf) -> tuple[Expression, ...]:
    """The sides of a leaf whose absence decides it."""
    match leaf:
        case Comparison(_, left, right) | Contains(left, right):
            return (left, right)
        case Membership(item, options, negated):
            return (item, *options) if negated else (item,)
        case _:
            return ()


def _divides(expression: Expression) -> bool:
    """Whether a calculation may have no result; that one beyond all numbers has none either, nobody asks about."""
    match expression:
        case Arithmetic(operator, left, right):
            zero = operator == "/" and not (isinstance(right, Literal) and right.value)
            return zero or _divides(left) or _divides(right)
        case Negative(operand):
            return _divides(operand)
        case _:
            return False


def _among(words: Sequence[str], inside: bool) -> str:
    """`a`, `a or b`, `one of a, b, c`; or none of them."""
    if len(words) == 1:
        return words[0] if inside else f"not {words[0]}"
    if len(words) == 2:
        return listed(words, "or") if inside else f"neither {listed(words, 'nor')}"
    return f"{'one' if inside else 'none'} of {', '.join(words)}"


def _hour(operator: str, hour: int) -> str:
    clock, after = f"{hour}:00", f"{hour + 1}:00"
    match operator:
        case ">=":
            words = f"{clock} or later"
        case ">":
            words = f"{after} or later"
        case "<":
            words = f"before {clock}"
        case "<=":
            words = f"before {after}"
        case "==":
            words = f"between {clock} and {hour}:59"
        case _:
            words = f"not between {clock} and {hour}:59"
    return f"it is {words} on the user's clock"


def _many(operator: str, number: int, singular: str, was: str, were: str) -> str:
    """`were at least 3 messages …`, from a noun whose first word takes the plural."""
    match operator:
        case ">":
            operator, number = ">=", number + 1
        case "<":
            operator, number = "<=", number - 1
        case "!=" if number == 0:
            operator, number = ">=", 1
        case _:
            pass
    if operator in ("==", "<=") and number == 0:
        return f"{was} no {singular}".strip()
    words = {"==": "exactly", "!=": "not exactly", "<=": "at most", ">=": "at least"}[operator]
    plural = singular.replace(" event ", " events ", 1).replace("message ", "messages ", 1)
    return f"{was if number == 1 else were} {words} {number} {singular if number == 1 else plural}".strip()
