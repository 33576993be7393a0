"""The names that a condition or a template may use, and what to suggest for one that is not among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import msgspec

from botopt.model.condition import Ref, Scope, ValueType
from botopt.model.learning_policy import Experiment
from botopt.model.policy import RESERVED_TYPES, EventType, FieldSpec, Policy

BUILT_IN_ATTRIBUTES: Mapping[str, FieldSpec] = {
    name: FieldSpec(name, ValueType.TEXT) for name in ("id", "timezone", "locale")
}

ENGAGEMENT_NAMES = {
    "rate": ValueType.NUMBER,
    "clicks": ValueType.INTEGER,
    "ignored_in_a_row": ValueType.INTEGER,
}

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

TIME_NAMES: Mapping[str, Ref] = {
    "hour": Ref(Scope.TIME, "hour", ValueType.INTEGER),
    "weekday": Ref(Scope.TIME, "weekday", ValueType.TEXT, one_of=WEEKDAYS),
    "weekend": Ref(Scope.TIME, "weekend", ValueType.BOOLEAN),
}

WORDS = frozenset(
    "and or not in is defined if else true false none null True False None".split()
    + "user engagement time count seen sent experiment".split()
)
"""Words of the expression language: no field or attribute may be called so."""


class Names(msgspec.Struct, frozen=True):
    """What is in reach at one place of a workspace.

    `fields` are the event's; one that only some of several event types declare is `optional` here.
    `conflicts` are fields that two event types declare differently, with the sentence that says so.
    `elsewhere` are fields of other event types, for better suggestions. `event_types` are the declared and
    the reserved ones, `experiments` the arms of each experiment.
    """

    fields: Mapping[str, FieldSpec] = {}
    attributes: Mapping[str, FieldSpec] = {}
    event_types: frozenset[str] = frozenset()
    conflicts: Mapping[str, str] = {}
    elsewhere: Mapping[str, tuple[str, ...]] = {}
    experiments: Mapping[str, tuple[str, ...]] = {}

    def field(self, name: str) -> Ref | None:
        """A reference to a field of the event."""
        spec = self.fields.get(name)
        return None if spec is None else reference(Scope.EVENT, spec)

    def attribute(self, name: str) -> Ref | None:
        """A reference to an attribute of the user, built-in ones included."""
        spec = self.attributes.get(name) or BUILT_IN_ATTRIBUTES.get(name)
        return None if spec is None else reference(Scope.USER, spec)


def reference(scope: Scope, spec: FieldSpec) -> Ref:
    """A reference to what a field or attribute holds."""
    return Ref(scope, spec.name, spec.type, optional=spec.can_be_absent, one_of=spec.one_of)


def names_for(policy: Policy, event_type: EventType) -> Names:
    """The names in reach of one event type's rules and messages."""
    return Names(
        event_type.fields,
        policy.attributes,
        frozenset(policy.events) | frozenset(RESERVED_TYPES),
        experiments=arms_of(policy.experiments),
    )


def arms_of(experiments: Mapping[str, Experiment]) -> Mapping[str, tuple[str, ...]]:
    """The names of each experiment's arms."""
    return {name: tuple(arm for arm, _ in experiment.arms) for name, experiment in experiments.items()}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "x"?` for the nearest known word, or nothing."""
    lower = {name.lower(): name for name in sorted(known)}
    near = get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return f'did you mean "{lower[near[0]]}"?' if near else ""
