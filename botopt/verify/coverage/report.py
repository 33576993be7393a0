"""The result of a measurement: every target, and how often it was reached."""

from __future__ import annotations

import msgspec

from botopt.model.position import NOWHERE, Position

KINDS = ("event type", "rule", "suppression", "category", "variant", "locale")
"""What is measured, in the order in which it is shown."""


class Target(msgspec.Struct, frozen=True):
    """Something that tests should bring about: `what` happens to the `name` of a `kind`.

    Two targets are the same when kind, name and what are. Within a policy no two targets are the same.
    """

    kind: str
    name: str
    what: str
    position: Position = NOWHERE

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from all others."""
        return self.kind, self.name, self.what


class Covered(msgspec.Struct, frozen=True):
    """A target and how many decisions reached it."""

    target: Target
    reached: int


class CoverageReport(msgspec.Struct, frozen=True):
    """All targets, sorted by file and line."""

    targets: tuple[Covered, ...] = ()

    @property
    def reached(self) -> int:
        """How many targets were reached at least once."""
        return sum(one.reached > 0 for one in self.targets)

    @property
    def missed(self) -> tuple[Target, ...]:
        """What nothing reached."""
        return tuple(one.target for one in self.targets if not one.reached)

    @property
    def percent(self) -> float:
        """The share of reached targets, 0 to 100; 100 where there is nothing to reach."""
        return 100.0 * self.reached / len(self.targets) if self.targets else 100.0

    def kinds(self) -> dict[str, tuple[int, int]]:
        """For each kind that has targets: how many were reached, and how many there are."""
        found: dict[str, tuple[int, int]] = {}
        for kind in KINDS:
            ours = [one.reached > 0 for one in self.targets if one.target.kind == kind]
            if ours:
                found[kind] = sum(ours), len(ours)
        return found
