"""Tasks that come from outside: events, and the wish to be forgotten; and the release of what was held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from botopt.engine.feedback import forget
from botopt.model.event import Event, Rejected
from botopt.model.live import DecisionQuery, OutboxQuery
from botopt.model.policy import Value
from botopt.model.user_state import UserState
from botopt.runtime.desk import Desk
from botopt.runtime.items import Answering, Received
from botopt.runtime.tasks import Task

_EVENT_BYTES = 500
"""What an event takes beside its texts."""


class Receive(Task[Sequence[Received]]):
    """Events of one request, decided in their order.

    `read_by` is the revision of the policy that read them; None if that is not known.
    """

    def __init__(
        self,
        given: Sequence[Event | Rejected],
        received_us: int,
        answering: Answering | None,
        trace: Mapping[str, str],
        read_by: str | None,
    ) -> None:
        super().__init__()
        self.events = len(given)
        self.size = sum(map(weight, given))
        self.received_us: int = received_us
        self._given = given
        self._answering = answering
        self._trace = trace
        self._read_by = read_by

    def users(self) -> Iterable[str]:
        return [one.user for one in self._given if isinstance(one, Event)]

    def run(self, desk: Desk) -> Sequence[Received]:
        same_policy = self._read_by == desk.serving.revision
        found = []
        for place, one in enumerate(self._given):
            if isinstance(one, Rejected):
                found.append(desk.reject(one, self.received_us))
            else:
                origin = f"{self.number}:{place}"
                found.append(desk.decide(one, self.received_us, origin, self._trace, same_policy=same_policy))
        received = tuple(found)
        if self._answering is not None:
            desk.draft.answers.append(self._answering(received))
        return received


class Erase(Task[bool]):
    """Forget a user, and whatever was decided about them."""

    def __init__(self, user: str, now_us: int) -> None:
        super().__init__()
        self.received_us: int = now_us
        self._user = user
        self._now_us = now_us

    def users(self) -> Iterable[str]:
        return (self._user,)

    def run(self, desk: Desk) -> bool:
        user = self._user
        known = desk.states.look(user) != UserState() or bool(
            desk.store.decisions(DecisionQuery(user=user, limit=1))
            or desk.store.outbox(OutboxQuery(user=user, limit=1))
        )
        state = desk.states.take(user)
        forget(state, max(state.clock_us, state.floor_us, self._now_us), deleted=True)
        desk.draft.erase(user)
        return known


class Release(Task[None]):
    """Decide again what is held for a user until then."""

    def __init__(self, user: str, until_us: int) -> None:
        super().__init__()
        self.user = user
        self._until_us = until_us

    def users(self) -> Iterable[str]:
        return (self.user,)

    def run(self, desk: Desk) -> None:
        desk.release(self.user, self._until_us)


def weight(given: Event | Rejected) -> int:
    """Bytes that something takes while it waits, about."""
    if isinstance(given, Event):
        return _EVENT_BYTES + sum(len(key) + _size(value) for key, value in given.data.items())
    return _EVENT_BYTES + len(given.detail)


def _size(value: Value | object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(map(_size, value)) + 60
    if isinstance(value, dict):
        return sum(len(str(key)) + _size(one) for key, one in value.items()) + 60
    return 30
