"""Values for the fields of simulated events: different each time, so that conditions may hold or not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random

from botopt.model.condition import ValueType
from botopt.model.durations import DAY_US
from botopt.model.errors import UsageError
from botopt.model.policy import EventType, FieldSpec, Policy, Value
from botopt.verify.inventing import invented
from botopt.verify.simulation.patterns import matching

_ABSENT = 0.2
"""The share of events in which an optional field is absent."""

_USUAL_MOST = 1000.0
"""How large a number gets that has no upper bound, from 1 on, small ones as often as large ones."""

_NAMES = 5
"""How many different texts a field has: few, so that two events are now and then about the same thing."""


class Fields:
    """Data for events of one type. Texts that must match a pattern are taken from the samples of its templates, or made
    up where the pattern is a simple one.

    Raises:
        UsageError: nobody gave an example of a text that must match a pattern.
    """

    def __init__(self, policy: Policy, event_type: EventType) -> None:
        samples = [sample for name in policy.templates_of(event_type) for sample in policy.templates[name].samples]
        self._made = [(spec, _examples(event_type, spec, samples)) for spec in event_type.fields.values()]

    def made(self, random: Random, now_us: int, times: float = 1.0) -> Mapping[str, Value]:
        """The data of one event. Absent fields have no key; numbers are so many `times` as large."""
        data = {}
        for spec, examples in self._made:
            value = _value(spec, examples, random, now_us, times)
            if value is not None:
                data[spec.name] = value
        return data


def _examples(event_type: EventType, spec: FieldSpec, samples: Sequence[Mapping[str, Value]]) -> tuple[Value, ...]:
    """Values that somebody gave, for fields that cannot be made up."""
    found = tuple(sample[spec.name] for sample in samples if sample.get(spec.name) is not None)
    if spec.one_of or spec.pattern is None:
        return found if spec.type in (ValueType.LIST, ValueType.OBJECT) else ()
    fitting = tuple(value for value in found if isinstance(value, str) and spec.pattern.fullmatch(value))
    random = Random(f"{event_type.name}/{spec.name}")  # noqa: S311 - a simulation
    made = {matching(spec.pattern, random) for _ in range(_NAMES)}
    fitting = fitting or tuple(sorted(text for text in made if text is not None))
    if not fitting and not spec.can_be_absent and spec.default is None:
        raise UsageError(
            f"{event_type.name}: {spec.name} must match {spec.pattern.text}, and a text that does cannot be made up; "
            f"give the template a sample with {spec.name}"
        )
    return fitting


def _value(spec: FieldSpec, examples: Sequence[Value], random: Random, now_us: int, times: float) -> Value:
    drawn, place = random.random(), random.random()  # always two: no field changes what another one gets
    if spec.can_be_absent and drawn < _ABSENT:
        return None
    if spec.one_of:
        return spec.one_of[int(place * len(spec.one_of))]
    if examples:
        return examples[int(place * len(examples))]
    match spec.type:
        case ValueType.NUMBER | ValueType.INTEGER:
            return _number(spec, place, times)
        case ValueType.BOOLEAN:
            return place < 0.5
        case ValueType.TIME:
            return now_us + int(place * 3 * DAY_US) // 1_000_000 * 1_000_000
        case ValueType.TEXT if spec.pattern is None and "currency" not in spec.name.lower():
            return f"{spec.name.replace('_', '-')}-{int(place * _NAMES) + 1}"[: spec.max_length]
        case ValueType.TEXT if spec.pattern is not None:
            return spec.default
        case _:
            return invented(spec, now_us)


def _number(spec: FieldSpec, place: float, times: float) -> float:
    low = 0.0 if spec.minimum is None else spec.minimum
    if spec.maximum is not None:
        value = (spec.maximum - low) * place
        low = min(low, spec.maximum)
    else:
        value = math.expm1(place * math.log1p(_USUAL_MOST if spec.type is ValueType.NUMBER else 20.0))
    value = low + value * times
    if spec.type is ValueType.INTEGER:
        return math.floor(value) if spec.minimum is None else max(math.floor(value), math.ceil(spec.minimum))
    return round(value, 2) if spec.maximum is None or spec.maximum > 1 else value
