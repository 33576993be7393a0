"""What happens to simulated people whatever is sent to them: who they are, their events, and signs of life."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from botopt.model.condition import ValueType
from botopt.model.durations import DAY_US, HOUR_US, SECOND_US
from botopt.model.event import Event
from botopt.model.policy import Consent, Policy, Value
from botopt.model.zones import local
from botopt.verify.simulation.plausible import Fields
from botopt.verify.simulation.truth import Person, Truth

WARM = "warm"
"""The attribute that says whether somebody is above the average user, where a policy has it as true or false."""

_BY_DAY = 0.85
"""The share of events between 7 and 23 of the user's clock; the others are at any hour."""

_SPREAD = 3.0
"""How many hours signs of life lie around the user's own hour (standard deviation)."""

_REMEMBERED = 0.25
"""How often an event type without a message happens, against one with a message."""


def happenings(policy: Policy, truth: Truth, days: int) -> list[Event]:
    """Everything in order of time: `user.updated` and `user.subscribed` first, then `days` days.

    Raises:
        UsageError: the policy has no event type that leads to a message, or fields that cannot be made up.
    """
    stream = _Stream(policy, truth, days)
    events = [event for person in truth.people for event in stream.of(person)]
    return sorted(events, key=lambda event: (event.time_us, event.id))


class _Stream:
    def __init__(self, policy: Policy, truth: Truth, days: int) -> None:
        self._policy, self._truth, self._days = policy, truth, days
        self._fields = {name: Fields(policy, event_type) for name, event_type in policy.events.items()}
        self._types = tuple(policy.events)
        self._weights = [1.0 if each.decides else _REMEMBERED for each in policy.events.values()]
        deciding = sum(each.decides for each in policy.events.values())
        # `world.events` counts those that may lead to a message
        self._rate = truth.world.events * sum(self._weights) / max(deciding, 1)

    def of(self, person: Person) -> Iterator[Event]:
        """All of one person's."""
        truth, world = self._truth, self._truth.world
        random = Random(f"{truth.seed}/{person.name}")  # noqa: S311 - a simulation
        yield from self._introduced(person)
        number = 0
        for day in range(self._days):
            begin_us = truth.start_us + day * DAY_US
            # Days begin at midnight by the user's own clock; the few hours before the first one stay empty
            offset = local(begin_us, person.zone).utcoffset()
            begin_us -= 0 if offset is None else int(offset.total_seconds()) * SECOND_US
            surging = world.surge_day is not None and day >= world.surge_day
            times = world.fading if world.fading_day is not None and day >= world.fading_day else 1.0
            for _ in range(_poisson(random, self._rate * (world.surge if surging else 1.0))):
                number += 1
                yield self._event(person, random, begin_us, number, times)
            for _ in range(_poisson(random, world.acts)):
                number += 1
                hour = random.gauss(person.peak, _SPREAD) % 24
                yield Event(f"{person.name}-{number}", "", "user.active", person.name, self._at(begin_us, hour))

    def _event(self, person: Person, random: Random, begin_us: int, number: int, times: float) -> Event:
        name = random.choices(self._types, self._weights)[0]
        hour = 7 + 16 * random.random() if random.random() < _BY_DAY else 24 * random.random()
        time_us = self._at(begin_us, hour)
        data = self._fields[name].made(random, time_us, times)
        return Event(f"{person.name}-{number}", "", name, person.name, time_us, data)

    def _at(self, begin_us: int, hour: float) -> int:
        time_us = begin_us + int(hour * HOUR_US) // SECOND_US * SECOND_US
        return max(time_us, self._truth.start_us + SECOND_US)

    def _introduced(self, person: Person) -> Iterator[Event]:
        """Their zone, plausible attributes, and their word for every category that asks for it."""
        start_us = self._truth.start_us
        attributes: dict[str, Value] = {"timezone": person.zone}
        random = Random(f"{self._truth.seed}/{person.name}/attributes")  # noqa: S311 - a simulation
        for spec in self._policy.attributes.values():
            drawn = random.random()
            if spec.name == WARM and spec.type is ValueType.BOOLEAN:
                attributes[WARM] = person.effect > 0
            elif spec.one_of:
                attributes[spec.name] = spec.one_of[int(drawn * len(spec.one_of))]
            elif spec.type is ValueType.BOOLEAN:
                attributes[spec.name] = drawn < 0.5
        yield Event(f"{person.name}-is", "", "user.updated", person.name, start_us, attributes)
        for category in self._policy.categories.values():
            if category.consent is Consent.OPT_IN:
                data: dict[str, Value] = {"category": category.name}
                name = f"{person.name}-wants-{category.name}"
                yield Event(name, "", "user.subscribed", person.name, start_us, data)


def _poisson(random: Random, rate: float) -> int:
    """How often something happens that happens `rate` times on average (Knuth's multiplication)."""
    least, number, product = math.exp(-rate), 0, random.random()
    while product > least:
        number += 1
        product *= random.random()
    return number
