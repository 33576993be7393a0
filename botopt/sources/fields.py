"""The data of one event type: its fields checked, what is undeclared counted, mistakes said with a hint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice

from botopt.model.condition import ValueType
from botopt.model.names import did_you_mean
from botopt.model.policy import FieldSpec, Value
from botopt.model.values import Problem, check
from botopt.sources.faults import Fault

JsonObject = Mapping[str, object]
"""An object of the line: the data, or the whole envelope."""

Reader = Callable[[JsonObject, JsonObject], dict[str, Value]]
"""(data, envelope) -> values; raises `Fault`. One for each event type."""

_MOST_UNDECLARED = 1_000
_LONGEST_NAME = 100
_MOST_COMPARED = 50

_FITTING: Mapping[ValueType, tuple[type, ...]] = {
    ValueType.TEXT: (str,),
    ValueType.INTEGER: (int, float),
    ValueType.NUMBER: (int, float),
    ValueType.BOOLEAN: (bool,),
    ValueType.TIME: (str,),
    ValueType.LIST: (list,),
    ValueType.OBJECT: (dict,),
}


class Undeclared:
    """Counts the fields that events carry and nothing declares; bounded, whatever the input holds."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def count(self, event_type: str, data: JsonObject, declared: JsonObject | Mapping[str, FieldSpec]) -> None:
        """Count every key of `data` that is not declared."""
        counts = self.counts
        for name in data:
            if name not in declared:
                key = (event_type, name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…")
                if key in counts or len(counts) < _MOST_UNDECLARED:
                    counts[key] += 1


def fields_reader(event_type: str, specs: Mapping[str, FieldSpec], undeclared: Undeclared) -> Reader:
    """Reads the data of an event type with these fields."""
    wanted = tuple(specs.items())
    names = specs.keys()

    def read(data: JsonObject, envelope: JsonObject) -> dict[str, Value]:
        if not data.keys() <= names:
            undeclared.count(event_type, data, specs)
        values: dict[str, Value] = {}
        for name, spec in wanted:
            value = data.get(name)
            if value is not None:
                values[name] = checked(spec, value)
            elif spec.default is not None:
                values[name] = spec.default
            elif not spec.optional:
                raise _missing(name, data, specs, envelope)
        return values

    return read


def checked(spec: FieldSpec, value: object) -> Value:
    """A value that is not null, as events carry it.

    Raises:
        Fault: it does not obey its field.
    """
    result = check(spec, value)
    if isinstance(result, Problem):
        fitting = _FITTING[spec.type]
        right = isinstance(value, fitting) and (bool in fitting or not isinstance(value, bool))
        kind = "a field has a wrong value" if right else "a field has the wrong type"
        raise Fault(f"{kind}: {spec.name} {result.sentence}", spec.name)
    return result


def _missing(name: str, data: JsonObject, specs: Mapping[str, FieldSpec], envelope: JsonObject) -> Fault:
    detail = f"a required field is missing: {name}"
    if name in envelope and name not in data:
        return Fault(f'{detail} stands beside "data" and belongs inside it', name)
    extra = [other for other in islice(data, _MOST_COMPARED) if other not in specs and _sayable(other)]
    if found := did_you_mean(name, extra):
        near = found.removeprefix("did you mean ").removesuffix("?")
        return Fault(f"{detail}; the event has {near}, which is not declared", name)
    return Fault(detail, name)


def _sayable(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and name.isprintable()
