"""Invented values for trial rendering: for each reference, an ordinary one first, then the edges of what it may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product

from botopt.model.condition import Condition, Ref, Scope, ValueType
from botopt.model.instants import instant_text, instant_us
from botopt.model.names import BUILT_IN_ATTRIBUTES
from botopt.model.policy import FieldSpec
from botopt.rendering.linting.holds import holds, literals
from botopt.rendering.naming import Reach, is_instant
from botopt.rendering.reading.uses import Key
from botopt.rendering.scene import number_text

NOW_US = instant_us("2026-03-01T09:00:00Z")
"""The moment at which trials are rendered; every run tries the same."""

LONG_TEXT = 1_000
"""The length of a long text where no `max_length` says how long one can be."""

_FAR_PAST, _FAR_FUTURE = instant_us("2000-01-01T00:00:00Z"), instant_us("2100-12-31T23:59:59Z")
_TEXTS = ("Sample", "", "Zoë 👩\u200d👩\u200d👧 O'Hara & “Söhne”", "شحنة رقم ١٢", "a b/c?d=e#f<g>\n{{ x }}")
_NUMBERS = (3, 0, 1, 2, 0.5, 1_234_567.891, -1, -0.5, 1e12)
_CURRENCIES = ("EUR", "JPY", "INR")
_MOST_TRIES = 2_000


def candidates(
    ref: Ref, way: Reach, samples: Iterable[Mapping[str, object]], more: Iterable[object] = (), *, is_currency: bool
) -> list[object]:
    """What a reference may hold, an ordinary value first. None, for absent, stands last; nothing: no idea.

    `more` are values near the constants of conditions; `is_currency`: the template takes it for a currency.
    """
    spec = _spec(ref, way)
    found: list[object] = []
    if ref.scope is Scope.EVENT:
        found += [typed(sample[ref.name], ref) for sample in samples if sample.get(ref.name) is not None]
    if spec and spec.default is not None:
        found.append(spec.default)
    invented = _CURRENCIES if is_currency and not ref.one_of else _invented(ref, spec)
    fitting = (value for value in more if isinstance(value, str) is (ref.type is ValueType.TEXT))
    found += [value for value in (*invented, *fitting) if _possible(value, spec)]
    if not found and ref.type is ValueType.TEXT:
        found.append("A-1")  # a pattern cannot be turned around, and what a text looks like matters little
    if found and ref.type in {ValueType.LIST, ValueType.OBJECT}:
        found.append([] if ref.type is ValueType.LIST else {})  # nothing says what must be in them
    if ref.optional:
        found.append(None)
    return list({(type(value), str(value)): value for value in found}.values())


def typed(value: object, ref: Ref) -> object:
    """A sample's value as events carry it."""
    return instant_us(value) if ref.type is ValueType.TIME and isinstance(value, str) and is_instant(value) else value


def _spec(ref: Ref, way: Reach) -> FieldSpec | None:
    match ref.scope:
        case Scope.EVENT:
            return way.names.fields.get(ref.name)
        case Scope.USER:
            return way.names.attributes.get(ref.name) or BUILT_IN_ATTRIBUTES.get(ref.name)
        case _:
            return None


def _possible(value: object, spec: FieldSpec | None) -> bool:
    if spec is None:
        return True
    if isinstance(value, str):
        short = spec.max_length is None or len(value) <= spec.max_length
        return short and (spec.pattern is None or bool(spec.pattern.fullmatch(value)))
    if isinstance(value, (int, float)) and not isinstance(value, bool) and spec.type is not ValueType.TIME:
        low = spec.minimum is None or value >= spec.minimum
        return low and (spec.maximum is None or value <= spec.maximum)
    return True


def _invented(ref: Ref, spec: FieldSpec | None) -> Iterable[object]:
    if ref.one_of:
        return ref.one_of
    match ref.scope:
        case Scope.USER if ref.name == "timezone":
            return ("UTC", "America/Argentina/Buenos_Aires")
        case Scope.USER if ref.name == "locale":
            return ("en", "zh-Hant-TW")
        case Scope.TIME if ref.name == "hour":
            return (9, 0, 23)
        case Scope.ENGAGEMENT if ref.name == "rate":
            return (0.3, 0.0, 1.0)
        case Scope.ENGAGEMENT | Scope.COUNT | Scope.SENT:
            return (2, 0, 1, 100)
        case _:
            return _of_type(ref.type, spec)


def _of_type(type_: ValueType, spec: FieldSpec | None) -> Iterable[object]:
    match type_:
        case ValueType.TEXT:
            longest = spec.max_length if spec and spec.max_length is not None else LONG_TEXT
            return (*_TEXTS, ("long text " * (longest // 10 + 1))[:longest])
        case ValueType.INTEGER:
            return (int(number) for number in _numbers(spec) if number == int(number))
        case ValueType.NUMBER:
            return _numbers(spec)
        case ValueType.BOOLEAN:
            return (True, False)
        case ValueType.TIME:
            return (NOW_US + 7_500_000_000, NOW_US, _FAR_PAST, _FAR_FUTURE)
        case ValueType.LIST:
            return ()
        case ValueType.OBJECT:
            return ()


def _numbers(spec: FieldSpec | None) -> Iterator[float]:
    yield from _NUMBERS
    for bound in (spec.minimum, spec.maximum) if spec else ():
        if bound is not None:
            yield bound


def near(conditions: Iterable[Condition]) -> Mapping[Key, list[object]]:
    """Values around the constants of conditions, which the conditions may need to hold."""
    found: dict[Key, list[object]] = {}
    for condition in conditions:
        for ref, value in literals(condition):
            values = found.setdefault(ref.key, [])
            if isinstance(value, (bool, str)):
                values.append(value)
            else:
                values += [value, value + 1, value - 1]
    return found


def ordinary(
    conditions: Sequence[Condition], needed: Sequence[Key], options: Mapping[Key, Sequence[object]]
) -> dict[Key, object] | None:
    """An ordinary value for each key such that all conditions hold, if a modest search finds one."""
    fixed = {key: values[0] for key, values in options.items() if values}
    if any(not options.get(key) for key in needed):
        return None
    for chosen in islice(product(*(options[key] for key in needed)), _MOST_TRIES):
        values = fixed | dict(zip(needed, chosen, strict=True))
        if all(holds(condition, values) for condition in conditions):
            return values
    return None


def described(value: object, type_: ValueType) -> str:
    """A value in the words of a finding."""
    match value:
        case None:
            return "absent"
        case bool():
            return str(value).lower()
        case int() if type_ is ValueType.TIME:
            return instant_text(value)
        case int() | float():
            return number_text(value)
        case str() if not value.strip():
            return "an empty text"
        case str():
            return f'"{value}"' if len(value) <= 40 else f"a text of {len(value):,} characters"
        case list() | dict() if not value:
            return "an empty list" if value == [] else "an empty object"
        case _:
            return "as in a sample"
