"""What became of each message: feedback events, and the answers that states keep, taken together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

import msgspec

from botopt.engine.history import FEEDBACK_WINDOW_US
from botopt.model.decision import Decision, Outcome
from botopt.model.event import Event
from botopt.model.policy import FEEDBACK_TYPES
from botopt.model.user_state import Response

_FEEDBACK = frozenset(FEEDBACK_TYPES)
_STRENGTH = {
    Response.PENDING: 0,
    Response.IGNORED: 0,  # whether the time was over, the whole log says
    Response.DISMISSED: 1,
    Response.CLICKED: 2,
    Response.FAILED: 3,
}
"""Which answer stands, where a state and the events of a log know different ones."""

Answered = tuple[Response | None, int | None, bool]
"""The answer, when it came, and whether a conversion was reported."""


class _Fate(msgspec.Struct, gc=False):
    response: Response
    response_us: int
    converted: bool = False


class Fates:
    """What is known of the answers to messages, by the id of their decision.

    `kept`: decisions of state files; of those, an answer may have been forgotten.
    """

    def __init__(self) -> None:
        self.kept: set[str] = set()
        self._known: dict[str, _Fate] = {}
        self._stated: dict[str, _Fate] = {}

    def take(self, id: str, response: Response, response_us: int) -> None:
        """What a user's state says about a message."""
        self._stated[id] = _Fate(response, response_us)

    def of(self, decision: Decision, until_us: int | None, ignored_after_us: int) -> Answered:
        """The answer to the message of a decision, as of `until_us`."""
        if decision.outcome is not Outcome.SENT or decision.time_us is None:
            return None, None, False
        known, stated = self._known.get(decision.id), self._stated.get(decision.id)
        if stated is not None and (known is None or _STRENGTH[stated.response] > _STRENGTH[known.response]):
            stated.converted = known is not None and known.converted and stated.response is Response.CLICKED
            known = stated
        if known is not None and _STRENGTH[known.response]:
            return known.response, known.response_us, known.converted
        over_us = decision.time_us + ignored_after_us
        if until_us is None or until_us < over_us:
            return Response.PENDING, None, False
        if decision.id in self.kept and stated is None:
            return None, None, False
        return Response.IGNORED, over_us, False

    def pair(
        self,
        decisions: Mapping[str, Decision],
        events: Sequence[Event],
        ignored_after_us: int,
        problem: Callable[[str, str], None],
    ) -> None:
        """Take in the feedback among events, which are in the order of time."""
        latest = _Latest(decisions)
        for event in events:
            if event.type not in _FEEDBACK:
                continue
            named = event.data.get("message_id")
            sent = decisions.get(named) if isinstance(named, str) else None
            if named is None:
                sent = latest.before(event, self._failed)
            where = f"event {event.id} of {event.user}"
            if sent is None or sent.outcome is not Outcome.SENT or sent.user != event.user or sent.time_us is None:
                problem("feedback about a message that the log does not hold", where)
            elif event.time_us >= sent.time_us + FEEDBACK_WINDOW_US:
                problem("feedback that came 30 days after its message, or later", where)
            elif event.data.get("handed_over") is not True:  # another channel makes the failure good
                self._respond(sent.id, event, sent.time_us, ignored_after_us)

    def _failed(self, id: str) -> bool:
        fate = self._known.get(id)
        return fate is not None and fate.response is Response.FAILED

    def _respond(self, id: str, event: Event, sent_us: int, ignored_after_us: int) -> None:
        """As `botopt.engine.feedback.respond`: once clicked, always clicked, and a failure undoes everything."""
        fate = self._known.get(id)
        before = Response.PENDING if fate is None else fate.response
        now_us = max(event.time_us, sent_us)
        match event.type:
            case "message.clicked" | "message.converted" if before is not Response.FAILED:
                if fate is None or before is not Response.CLICKED:
                    fate = self._known[id] = _Fate(Response.CLICKED, now_us)
                fate.converted = fate.converted or event.type == "message.converted"
            case "message.dismissed" if before is Response.PENDING and now_us < sent_us + ignored_after_us:
                self._known[id] = _Fate(Response.DISMISSED, now_us)
            case "message.failed" if before is not Response.FAILED:
                self._known[id] = _Fate(Response.FAILED, now_us)


class _Latest:
    """The messages of each user in the order of time, for feedback that names none; made when it is first asked for."""

    def __init__(self, decisions: Mapping[str, Decision]) -> None:
        self._decisions = decisions
        self._sent: dict[str, list[tuple[int, str, str | None]]] | None = None

    def before(self, event: Event, failed: Callable[[str], bool]) -> Decision | None:
        """The latest that did not fail, of that event type if one is given."""
        if self._sent is None:
            self._sent = {}
            for decision in self._decisions.values():
                if decision.outcome is Outcome.SENT and decision.user is not None and decision.time_us is not None:
                    entry = (decision.time_us, decision.id, decision.event_type)
                    self._sent.setdefault(decision.user, []).append(entry)
            for sends in self._sent.values():
                sends.sort()
        sends, wanted = self._sent.get(event.user, []), event.data.get("event_type")
        for place in range(bisect_right(sends, event.time_us, key=lambda entry: entry[0]) - 1, -1, -1):
            _, id, event_type = sends[place]
            if wanted in (None, event_type) and not failed(id):
                return self._decisions[id]
        return None
