"""A matcher together with the functions that look up its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botopt.engine.values import getter
from botopt.engine.work import Work
from botopt.model.condition import Condition
from botopt.model.policy import FieldSpec
from botopt.model.ports import Matcher, Network


class BoundMatcher:
    """Conditions that can be asked about a piece of work; bit i is condition i."""

    __slots__ = ("_getters", "_match")

    def __init__(self, matcher: Matcher, attributes: Mapping[str, FieldSpec]) -> None:
        self._match = matcher.match
        self._getters = tuple(getter(ref, attributes) for ref in matcher.inputs)

    def match(self, work: Work) -> int:
        """The bit mask of the conditions that hold."""
        return self._match([get(work) for get in self._getters])


def bind_conditions(
    network: Network, conditions: Sequence[Condition], attributes: Mapping[str, FieldSpec]
) -> BoundMatcher | None:
    """A bound matcher, or None where there is no condition."""
    return BoundMatcher(network.compile(conditions), attributes) if conditions else None
