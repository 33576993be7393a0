"""A matcher together with the functions that look up its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botopt.engine.values import getter
from botopt.engine.work import Work
from botopt.model.condition import Condition, Scope
from botopt.model.policy import FieldSpec
from botopt.model.ports import Matcher, Network


class BoundMatcher:
    """Conditions that can be asked about a piece of work; bit i is condition i."""

    __slots__ = ("_getters", "fields", "match_values")

    def __init__(self, matcher: Matcher, attributes: Mapping[str, FieldSpec]) -> None:
        self.match_values = matcher.match
        """The matcher's own `match`, for values in the order of its inputs."""
        event_fields = all(ref.scope is Scope.EVENT for ref in matcher.inputs)
        self.fields = tuple(ref.name for ref in matcher.inputs) if event_fields else ()
        """The inputs' names, where all are fields of the event; else empty."""
        self._getters = tuple(getter(ref, attributes) for ref in matcher.inputs)

    def match(self, work: Work) -> int:
        """The bit mask of the conditions that hold."""
        return self.match_values([get(work) for get in self._getters])


def bind_conditions(
    network: Network, conditions: Sequence[Condition], attributes: Mapping[str, FieldSpec]
) -> BoundMatcher | None:
    """A bound matcher, or None where there is no condition."""
    return BoundMatcher(network.compile(conditions), attributes) if conditions else None
