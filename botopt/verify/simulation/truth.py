"""The hidden truth about simulated people: who they are, and how likely each clicks what.

Every number is drawn by name: the same seed gives the same people to every policy, and a policy with one more variant
changes nothing about the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from statistics import NormalDist

import msgspec

from botopt.engine.hashes import draw
from botopt.model.durations import DAY_US
from botopt.verify.simulation.worlds import World

_ZONES: Mapping[str, float] = {
    "Europe/Berlin": 0.22,
    "Europe/London": 0.14,
    "America/New_York": 0.2,
    "America/Los_Angeles": 0.12,
    "Asia/Kolkata": 0.16,
    "Asia/Tokyo": 0.06,
    "America/Sao_Paulo": 0.06,
    "Australia/Sydney": 0.04,
}
_NORMAL = NormalDist()
_TURN = 2 * math.pi / 24


class Person(msgspec.Struct, frozen=True):
    """One of them. `effect` is how much above the average user, `peak` the hour, 0 to 24, that suits best."""

    name: str
    zone: str
    effect: float
    peak: float


class Sent(msgspec.Struct, frozen=True):
    """A message as the user has it before them: `crowd` were sent in the 24 hours before, and the same variant
    `repeated_us` ago, or never (None).
    """

    event_type: str
    variant: str
    time_us: int
    hour: float
    crowd: int
    repeated_us: int | None


class Truth:
    """What is true in one world under one seed, from `start_us` on."""

    def __init__(self, world: World, seed: int, users: int, start_us: int) -> None:
        self.world = world
        self.seed = seed
        self.start_us = start_us
        self.people = tuple(self._person(number) for number in range(users))
        self._drift_us = None if world.drift_day is None else start_us + world.drift_day * DAY_US
        self._normal = cache(self._drawn)

    def _person(self, number: int) -> Person:
        name = f"user-{number + 1:04d}"
        drawn, reached, zone = draw(self.seed, "zone", name), 0.0, ""
        for zone, share in _ZONES.items():  # noqa: B007 - the last one, should rounding leave a gap
            reached += share
            if drawn < reached:
                break
        peak = self.world.peak + self.world.peak_spread * self._drawn("peak", name)
        return Person(name, zone, self.world.user * self._drawn("user", name), peak % 24)

    def _drawn(self, *names: str) -> float:
        return _NORMAL.inv_cdf(min(max(draw(self.seed, *names), 1e-9), 1 - 1e-9))

    def appeal(self, person: Person, event_type: str, time_us: int) -> float:
        """Log-odds of a click on a message of this type, whatever its words and its hour."""
        world = self.world
        era = "taste" if self._drift_us is None or time_us < self._drift_us else "taste again"
        taste = world.taste * self._normal(era, person.name, event_type) if world.taste else 0.0
        of_type = world.event_type * self._normal("type", event_type) if world.event_type else 0.0
        return world.base + person.effect + of_type + taste

    def wording(self, variant: str) -> float:
        """What a variant (`template/variant`) adds."""
        return self.world.variant * self._normal("variant", variant) if self.world.variant else 0.0

    def timing(self, person: Person, hour: float) -> float:
        """What an hour of the user's day adds."""
        return self.world.hour * math.cos((hour - person.peak) * _TURN) if self.world.hour else 0.0

    def chance(self, person: Person, sent: Sent) -> float:
        """How likely this user clicks this message, 0 to 1."""
        world = self.world
        odds = self.appeal(person, sent.event_type, sent.time_us) + self.wording(sent.variant)
        odds += self.timing(person, sent.hour) - world.crowding * sent.crowd
        if sent.repeated_us is not None:
            odds -= world.repetition * math.pow(2.0, -sent.repeated_us / (world.repetition_days * DAY_US))
        return logistic(odds)

    def best(self, person: Person, event_type: str, variants: Sequence[str], time_us: int) -> float:
        """The chance at the user's best hour, in the best words, with nothing else sent."""
        odds = self.appeal(person, event_type, time_us) + max(map(self.wording, variants)) + self.world.hour
        return logistic(odds)

    def mean_appeal(self, event_type: str) -> float:
        """How likely a message of this type is clicked, on average over everybody, before any drift."""
        odds = [self.appeal(person, event_type, self.start_us) for person in self.people]
        return sum(map(logistic, odds)) / len(odds)

    def uniform(self, purpose: str, name: str) -> float:
        """A number in [0, 1) that belongs to this purpose and name, whoever asks."""
        return draw(self.seed, purpose, name)


def logistic(odds: float) -> float:
    """Log-odds as a chance."""
    return 1.0 / (1.0 + math.exp(-odds))
