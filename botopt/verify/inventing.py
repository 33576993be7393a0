"""Plausible values for fields that nobody gave an example of, so that a message can be looked at."""

from __future__ import annotations

import math

from botopt.model.condition import ValueType
from botopt.model.policy import FieldSpec, Value

_NUMBER = 42


def invented(spec: FieldSpec, now_us: int) -> Value:
    """A value that reads well in a sentence; None for an object, of whose parts nothing is known.

    It obeys the field's bounds but not its pattern: a text is the field's own name, and reads as what it stands for.
    """
    if spec.one_of:
        return spec.one_of[0]
    match spec.type:
        case ValueType.TEXT:
            return "EUR" if "currency" in spec.name.lower() else spec.name.replace("_", " ")[: spec.max_length]
        case ValueType.INTEGER:
            return math.floor(_within(spec)) if spec.minimum is None else math.ceil(_within(spec))
        case ValueType.NUMBER:
            return float(_within(spec))
        case ValueType.BOOLEAN:
            return True
        case ValueType.TIME:
            return now_us
        case ValueType.LIST:
            return []
        case ValueType.OBJECT:
            return None


def _within(spec: FieldSpec) -> float:
    low = -math.inf if spec.minimum is None else spec.minimum
    high = math.inf if spec.maximum is None else spec.maximum
    return max(low, min(_NUMBER, high))
