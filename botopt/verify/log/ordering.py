"""A log in the order in which things happened, also where it tells of less than everything that was decided."""

from __future__ import annotations

from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.event import Event
from botopt.model.policy import FEEDBACK_TYPES
from botopt.model.user_state import Response
from botopt.verify.log.model import Log, Logged, Matched

_FEEDBACK = frozenset(FEEDBACK_TYPES)
_TOLD = {
    Response.CLICKED: "message.clicked",
    Response.DISMISSED: "message.dismissed",
    Response.FAILED: "message.failed",
}
_EVENT, _ANSWER, _DECISION = 0, 1, 2  # of things that happened at the same time, in this order

Place = tuple[int, int, int, int]
"""A time, and what comes first at the same one."""


def ordered(log: Log) -> list[Matched]:
    """Every event of a log with the decisions about it, in the order of time.

    An event that the log does not hold stands where its decision does, without its data. Answers that only states tell
    of are events, too.
    """
    chains, decided = _chains(log)
    events = {(event.user, event.id): event for event in log.events if (event.user, event.id) in decided}
    found = [(place, _event_of(chain[0].decision, events), tuple(chain)) for place, chain in chains]
    sent = {
        each.decision.id: (each.decision.time_us or 0, _DECISION, place, 1)
        for place, each in enumerate(log.decisions)
        if each.decision.outcome is Outcome.SENT
    }
    told = _Told(log)
    found += [
        (_place_of(event, place, sent), event, ())
        for place, event in enumerate(log.events)
        if (event.user, event.id) not in decided
    ]
    found += [
        ((each.response_us, _ANSWER, place, 0), _answer(each), ())
        for place, each in enumerate(log.decisions)
        if each.response in _TOLD and each.response_us is not None and not told(each)
    ]
    found.sort(key=lambda one: one[0])
    return [Matched(event, ordinal, chain) for ordinal, (_, event, chain) in enumerate(found)]


def _chains(log: Log) -> tuple[list[tuple[Place, list[Logged]]], set[tuple[str | None, str | None]]]:
    """Decisions about one event, each after one that held it; and about which events there are records at all."""
    chains: list[tuple[Place, list[Logged]]] = []
    held: dict[tuple[str | None, str | None], list[Logged]] = {}
    decided = set()
    for place, each in enumerate(log.decisions):
        decision = each.decision
        key = (decision.user, decision.event_id)
        decided.add(key)
        if not _was_taken(decision):
            continue
        chain = held.pop(key, None)
        if chain is None:
            chain = []
            chains.append(((decision.time_us or 0, _DECISION, place, 0), chain))
        chain.append(each)
        if decision.outcome is Outcome.HELD:
            held[key] = chain
    return chains, decided


def _was_taken(decision: Decision) -> bool:
    """Whether a decision was about an event that counted."""
    known = None not in (decision.user, decision.event_id, decision.time_us)
    return known and decision.reason not in (Reason.REJECTED, Reason.DUPLICATE)


def _event_of(decision: Decision, events: dict[tuple[str, str], Event]) -> Event:
    user, event_id, time_us = decision.user, decision.event_id, decision.time_us
    assert user is not None
    assert event_id is not None
    assert time_us is not None
    return events.get((user, event_id)) or Event(event_id, "", decision.event_type or "", user, time_us, {})


def _place_of(event: Event, place: int, sent: dict[str, Place]) -> Place:
    """Its time; feedback comes after its message, also at the very time of it."""
    own = (event.time_us, _EVENT, place, 0)
    named = event.data.get("message_id") if event.type in _FEEDBACK else None
    return max(own, sent.get(named, own)) if isinstance(named, str) else own


class _Told:
    """Whether the events of a log tell of an answer, so that it needs not be told again."""

    def __init__(self, log: Log) -> None:
        feedback = [event for event in log.events if event.type in _FEEDBACK]
        self._named = {event.data["message_id"] for event in feedback if "message_id" in event.data}
        self._others = {(event.user, event.time_us) for event in feedback if "message_id" not in event.data}

    def __call__(self, logged: Logged) -> bool:
        decision = logged.decision
        return decision.id in self._named or (decision.user, logged.response_us) in self._others


def _answer(logged: Logged) -> Event:
    """The event that told of an answer which only a state still knows."""
    decision, response, at_us = logged.decision, logged.response, logged.response_us
    assert response is not None
    assert at_us is not None
    assert decision.user is not None
    data = {"message_id": decision.id}
    return Event(f"answer {decision.id}", "", _TOLD[response], decision.user, at_us, data)
