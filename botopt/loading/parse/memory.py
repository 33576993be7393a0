"""What the last reading of a workspace made of a part, for the next one: most parts stand in files nobody touched.

A part is kept only where it had no finding, so all it can depend on is what it found: its own nodes, which are the very
same objects as long as their file is, and the names that it uses. `Memory` keeps, its callers say what still holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar, cast

import msgspec

from botopt.loading.parse.findings import Findings
from botopt.loading.reader import Scalar
from botopt.model.names import Names
from botopt.model.policy import EventType, FieldSpec, Template, When

_Part = TypeVar("_Part")
_ATTRIBUTE = re.compile(r"\buser\s*\.\s*(\w+)")
_EXPERIMENT = re.compile(r"\bexperiment\s*\(\s*(?:'([^']*)'|\"([^\"]*)\")")
_TYPE = re.compile(r"\b(?:count|seen)\s*\(\s*(?:'([^']*)'|\"([^\"]*)\")")


class Around(msgspec.Struct, frozen=True):
    """What conditions found outside of their own event type: attributes, event types that they count, experiments."""

    attributes: Mapping[str, FieldSpec | None] = {}
    event_types: frozenset[str] = frozenset()
    experiments: Mapping[str, tuple[str, ...] | None] = {}

    def holds(self, names: Names) -> bool:
        """Whether all of it is still so."""
        return (
            self.event_types <= names.event_types
            and all(_alike(spec, names.attributes.get(name)) for name, spec in self.attributes.items())
            and all(arms == names.experiments.get(name) for name, arms in self.experiments.items())
        )


def _alike(one: FieldSpec | None, other: FieldSpec | None) -> bool:
    """Whether two declarations say the same, wherever they stand."""
    if one is None or other is None or one is other:
        return one is other
    pattern = "" if one.pattern is None else one.pattern.text
    return pattern == ("" if other.pattern is None else other.pattern.text) and _plain(one) == _plain(other)


def _plain(spec: FieldSpec) -> FieldSpec:
    return msgspec.structs.replace(spec, pattern=None, position=FieldSpec("x", spec.type).position)


def around(part: EventType | Template, names: Names) -> Around:
    """What the conditions of a part use from outside."""
    whens = _whens(part)
    named = {found for when in whens for found in _ATTRIBUTE.findall(when.text)}
    types = {one or other for when in whens for one, other in _TYPE.findall(when.text)}
    asked = {one or other for when in whens for one, other in _EXPERIMENT.findall(when.text)}
    attributes = {name: names.attributes.get(name) for name in named}
    return Around(attributes, frozenset(types), {name: names.experiments.get(name) for name in asked})


def _whens(part: EventType | Template) -> Iterable[When]:
    if isinstance(part, EventType):
        return [rule.when for rule in part.rules]
    return [variant.when for variant in part.variants if variant.when is not None]


class Memory:
    """Parts of earlier readings, by kind and by the node of their name, for as long as their files stay as they are."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[tuple[str, int], tuple[Scalar, object]]] = {}

    def forget(self, file: str) -> None:
        """A file was read anew: none of its old nodes comes again."""
        self._kept.pop(file, None)

    def part(
        self,
        kind: str,
        node: Scalar,
        findings: Findings,
        read: Callable[[], _Part],
        holds: Callable[[_Part], bool] = lambda _: True,
    ) -> _Part:
        """What `read` gives; or what it gave for this node the last time, where nothing was found and that `holds`."""
        key = (kind, id(node))  # the node is kept beside it, so that no other can take its place
        of_file = self._kept.setdefault(node.position.file, {})
        kept = of_file.get(key)
        if kept is not None and kept[0] is node and holds(cast("_Part", kept[1])):
            return cast("_Part", kept[1])
        before = len(findings.all), findings.faults
        found = read()
        if (len(findings.all), findings.faults) == before:
            of_file[key] = (node, found)
        return found
