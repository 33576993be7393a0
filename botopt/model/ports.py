"""What the layers ask of each other, as protocols."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, Self

import msgspec

from botopt.model.condition import Condition, Ref
from botopt.model.decision import Rendered


class Matcher(Protocol):
    """A compiled group of conditions."""

    @property
    def inputs(self) -> tuple[Ref, ...]:
        """The values that `match` wants, in this order."""

    def match(self, values: Sequence[object]) -> int:
        """A bit mask: bit i is set when condition i holds for `values` (None is absent)."""


class Network(Protocol):
    """Compiles conditions; every network gives the same answers."""

    @property
    def name(self) -> str:
        """`durable_rules` or `reference`."""

    def compile(self, conditions: Sequence[Condition]) -> Matcher:
        """A matcher for the conditions, in their order."""


class BoundVariant(Protocol):
    """A variant ready to render for one event type."""

    @property
    def inputs(self) -> tuple[Ref, ...]:
        """The values that `render` wants, in this order."""

    def render(self, values: Sequence[object], *, locale: str, timezone: str, now_us: int) -> Rendered:
        """The words for a user with this locale and time zone, at this instant.

        Raises:
            botopt.model.errors.RenderError: over the bounds, or a value that cannot be printed.
        """


class Renderer(Protocol):
    """Compiles templates."""

    def bind(self, template: str, variant: str, event_type: str) -> BoundVariant:
        """The variant, with the event type's fields as its names."""


class UserRow(msgspec.Struct, frozen=True, array_like=True):
    """One user as a store keeps it: the packed state, and what people want to read without unpacking."""

    user: str
    clock_us: int
    last_message_us: int | None
    last_message_type: str | None
    held: int
    due_us: int | None
    state: bytes


class StateStore(Protocol):
    """Where user states live between runs. A store belongs to one process at a time; leaving its context closes it."""

    def __enter__(self) -> Self:
        """Opened already."""

    def __exit__(self, *_: object) -> None:
        """Close."""

    def load(self, users: Iterable[str]) -> Mapping[str, bytes]:
        """The packed states of those users that are known."""

    def commit(self, rows: Iterable[UserRow], *, meta: Mapping[str, str]) -> None:
        """Write users and meta values together, or nothing at all."""

    def meta(self) -> Mapping[str, str]:
        """Values about the whole state: newest event time, windows kept, versions."""

    def due(self, until_us: int, limit: int) -> Sequence[tuple[int, str]]:
        """When the first held message is due, and the user: the first `limit` until `until_us`, in this order."""

    def held(self) -> int:
        """How many messages are held, over all users."""

    def users(self) -> Iterator[UserRow]:
        """Every user, by id."""

    def close(self) -> None:
        """Let go of the state."""
