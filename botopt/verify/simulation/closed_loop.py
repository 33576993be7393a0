"""The closed loop: a policy decides, simulated people answer, the policy learns from it.

Everything happens in order of time, over all users: what happens anyway, held messages at exactly their time, and
answers. The engine and the learner are those of a replay, so whatever a policy may say counts here, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush, nlargest
from typing import NamedTuple

import msgspec

from botopt.engine.build import build
from botopt.engine.engine import Engine
from botopt.engine.lines.engine import LineEngine
from botopt.learning.learner import Learner
from botopt.model.decision import Decision
from botopt.model.durations import DAY_US, MINUTE_US, SECOND_US
from botopt.model.event import Event
from botopt.model.policy import Policy
from botopt.model.record import encode_line
from botopt.model.user_state import UserState
from botopt.model.zones import local
from botopt.verify.simulation.figures import Figures
from botopt.verify.simulation.truth import Person, Sent, Truth

_RELEASE, _EVENT = 0, 1
"""At one instant, held messages come first."""

_SOONEST_US = 20 * SECOND_US
_DELAY_US = 40 * MINUTE_US
_LATEST_US = 20 * 60 * MINUTE_US
"""An answer takes at least so long, that much more on average, and never longer than the latest."""

_PRUNED_US = 10 * DAY_US


class _Shown(msgspec.Struct):
    template: str
    variant: str


class _Line(msgspec.Struct):
    message: _Shown


_sent_line = msgspec.json.Decoder(_Line).decode

Turn = tuple[int, int, int, Event | None, str]
"""(time, kind, number, what happens, to whom)."""


class Log(NamedTuple):
    """Where a simulation writes down events, in the order in which they happened, and decision records."""

    event: Callable[[Event], None]
    record: Callable[[str], None]


class _Life:
    """A person, what is known of them to the policy, and what they had lately."""

    __slots__ = ("days", "had", "left", "person", "pruned_us", "recent", "state")

    def __init__(self, person: Person, days: int) -> None:
        self.person = person
        self.state = UserState()
        self.recent: list[tuple[int, bool]] = []  # when, and whether it will be clicked
        self.had: dict[str, int] = {}
        self.days = [0] * days
        self.left = False
        self.pruned_us = 0


class ClosedLoop:
    """One policy in one world. Call `run` once."""

    def __init__(self, policy: Policy, truth: Truth, days: int, log: Log | None = None) -> None:
        self._truth = truth
        self._days = days
        self._log = log
        self._engine: Engine = build(policy, "reference")
        self._learner = Learner(policy)
        self._learns = policy.learns
        self._lines = LineEngine(self._engine, self._learner.learned)
        self._lives = {person.name: _Life(person, days) for person in truth.people}
        self._ahead: list[Turn] = []
        self._number = 0
        self._daily = [[0, 0, 0.0] for _ in range(days)]
        self.figures = Figures(days)
        self._sends: Counter[str] = Counter()

    def run(self, happening: Sequence[Event]) -> Figures:
        """Let everything happen; `happening` is what happens anyway, in order of time."""
        ahead, decide, figures = self._ahead, self._decide, self.figures
        for event in happening:
            time_us = event.time_us
            while ahead and ahead[0][0] <= time_us:
                self._next()
            decide(event)
        last_us = happening[-1].time_us if happening else 0
        while ahead:
            if ahead[0][1] == _RELEASE and ahead[0][0] > last_us:  # nothing is sent after the last day
                heappop(ahead)
            else:
                self._next()
        figures.by_day = [(int(messages), int(clicks), expected) for messages, clicks, expected in self._daily]
        figures.users = [life.days for life in self._lives.values()]
        figures.sends = dict(sorted(self._sends.items()))
        figures.oracle = oracle(self._engine.policy, self._truth, happening, figures.users)
        return figures

    def _next(self) -> None:
        time_us, kind, _, event, user = heappop(self._ahead)
        if kind == _RELEASE:
            life = self._lives[user]
            self._take(life, self._engine.release(life.state, time_us, learned=self._learner.learned))
        elif event is not None:
            self._decide(event)

    def _decide(self, event: Event) -> None:
        """One event: first the learner, then the engine, as in a replay."""
        learner, time_us = self._learner, event.time_us
        self.figures.events += 1
        if (
            self._learns
            and not learner.low_us <= time_us < learner.next_us
            and learner.is_boundary(event.user, time_us, self.figures.events)
        ):
            learner.turn(time_us)
        if self._log is not None:
            self._log.event(event)
        life, lines = self._lives[event.user], self._lines
        state = life.state
        before, held = len(state.sends), len(state.held)
        if lines.take(state, event):
            if len(state.sends) > before:
                message = _sent_line(lines.lines[-1]).message
                send = state.sends[-1]
                self._answer(life, event, send.id.hex(), f"{message.template}/{message.variant}", send.time_us)
            elif len(state.held) > held:
                self._wait(life)
            if self._log is not None:
                for line in lines.lines:
                    self._log.record(line)
            lines.lines.clear()
            if time_us > life.pruned_us + _PRUNED_US:
                life.pruned_us = time_us
                self._engine.prune(state)
            return
        self._take(life, self._engine.decide(state, event, learned=learner.learned), event)

    def _take(self, life: _Life, decisions: Sequence[Decision], event: Event | None = None) -> None:
        for decision in decisions:
            if self._log is not None:
                self._log.record(encode_line(decision).decode())
            message = decision.message
            if message is not None and decision.event_id is not None and decision.time_us is not None:
                cause = Event(decision.event_id, "", decision.event_type or "", life.person.name, decision.time_us)
                self._answer(life, cause, message.id, f"{message.template}/{message.variant}", decision.time_us)
        if life.state.held:
            self._wait(life)

    def _wait(self, life: _Life) -> None:
        due_us = life.state.due_us
        if due_us is not None:
            self._number += 1
            heappush(self._ahead, (due_us, _RELEASE, self._number, None, life.person.name))

    def _happens(self, time_us: int, name: str, id: str, life: _Life, message_id: str | None) -> None:
        data = {} if message_id is None else {"message_id": message_id}
        event = Event(id, "", name, life.person.name, time_us // SECOND_US * SECOND_US, data)
        self._number += 1
        heappush(self._ahead, (event.time_us, _EVENT, self._number, event, life.person.name))

    def _answer(self, life: _Life, event: Event, message_id: str, variant: str, now_us: int) -> None:
        """What the user does with a message, sooner or later."""
        truth, figures, person = self._truth, self.figures, life.person
        wall = local(now_us, person.zone)
        life.recent = [each for each in life.recent if each[0] > now_us - DAY_US]
        had_us = life.had.get(variant)
        repeated_us = None if had_us is None else now_us - had_us
        hour = wall.hour + wall.minute / 60
        chance = truth.chance(person, Sent(event.type, variant, now_us, hour, len(life.recent), repeated_us))
        clicks = truth.uniform("click", event.id) < chance
        day = min(max((now_us - truth.start_us) // DAY_US, 0), self._days - 1)
        life.had[variant] = now_us
        life.recent.append((now_us, clicks))
        life.days[day] += 1
        self._sends[variant] += 1
        figures.messages += 1
        figures.expected += chance
        of_day = self._daily[day]
        of_day[0] += 1
        of_day[1] += clicks
        of_day[2] += chance
        # Inverse of the exponential distribution would need a logarithm: this has much the same shape
        share = truth.uniform("delay", event.id)
        later_us = min(_SOONEST_US + int(_DELAY_US * share / (1.02 - share)), _LATEST_US)
        if clicks:
            figures.clicks += 1
            self._happens(now_us + later_us, "message.clicked", f"{message_id}-clicked", life, message_id)
            if truth.uniform("convert", event.id) < truth.world.conversion:
                figures.conversions += 1
                at_us = now_us + later_us + 10 * MINUTE_US
                self._happens(at_us, "message.converted", f"{message_id}-converted", life, message_id)
            return
        if truth.uniform("dismiss", event.id) < truth.world.dismissal:
            figures.dismissals += 1
            self._happens(now_us + later_us, "message.dismissed", f"{message_id}-dismissed", life, message_id)
        tired = sum(not clicked for _, clicked in life.recent) - 2
        if not life.left and tired > 0 and truth.uniform("leave", event.id) < truth.world.hazard * tired:
            life.left = True
            figures.unsubscribed += 1
            self._happens(now_us + later_us + MINUTE_US, "user.unsubscribed", f"{message_id}-left", life, None)


def simulate(policy: Policy, truth: Truth, days: int, happening: Sequence[Event], log: Log | None = None) -> Figures:
    """One policy in one world under one seed; `happening` are its `happenings`."""
    return ClosedLoop(policy, truth, days, log).run(happening)


def oracle(policy: Policy, truth: Truth, happening: Sequence[Event], users: Sequence[Sequence[int]]) -> float:
    """The clicks to expect of whoever knows the truth and sends each user as many messages: those of this user's events
    that are the likeliest to be clicked, each in the best words at the best hour, and none of them a burden.

    No policy can do that; it says how much there is to gain at most.
    """
    variants: Mapping[str, Sequence[str]] = {
        name: [
            f"{template}/{variant.name}"
            for template in policy.templates_of(event_type)
            for variant in policy.templates[template].variants
        ]
        for name, event_type in policy.events.items()
        if event_type.decides
    }
    chances: dict[str, list[float]] = {person.name: [] for person in truth.people}
    known: dict[tuple[str, str, bool], float] = {}
    people = {person.name: person for person in truth.people}
    drift_us = truth.start_us + (truth.world.drift_day or 0) * DAY_US
    for event in happening:
        if event.type in variants:
            key = (event.user, event.type, event.time_us < drift_us)
            if key not in known:
                known[key] = truth.best(people[event.user], event.type, variants[event.type], event.time_us)
            chances[event.user].append(known[key])
    return sum(sum(nlargest(sum(days), chances[person.name])) for person, days in zip(truth.people, users, strict=True))
