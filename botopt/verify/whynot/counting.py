"""Counts records as they come, and keeps of each reason the one that came nearest; memory stays flat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from botopt.model.decision import Choice, Outcome, Part, Reason
from botopt.model.instants import instant_us
from botopt.verify.whynot.model import Answer, ByCount, Cause, HeldCount, Logged, Miss, ReasonCount

_decode_parts = msgspec.json.Decoder(tuple[Part, ...]).decode
_decode_choices = msgspec.json.Decoder(tuple[Choice, ...]).decode
_NONE = msgspec.Raw(b"[]")  # the parts and choices of a record keep its whole line in memory
_OTHER = "other"
_MOST_KINDS = 1_000
"""So many kinds of rejected lines are told apart; what senders write must not fill the memory."""


class Span:
    """The first and the last of some times."""

    first_us: int | None = None
    last_us: int | None = None

    def add(self, us: int | None) -> None:
        """One more."""
        if us is None:
            return
        if self.first_us is None or us < self.first_us:
            self.first_us = us
        if self.last_us is None or us > self.last_us:
            self.last_us = us


class _Bucket:
    """What is counted for one reason."""

    def __init__(self) -> None:
        self.count = 0
        self.span = Span()
        self.by: Counter[tuple[Reason, str | None, str | None]] = Counter()
        self.nearest: Miss | None = None
        self.explored = 0

    def add(self, record: Logged, time_us: int | None, waited_us: int | None = None) -> None:
        self.count += 1
        self.span.add(time_us)
        self.explored += _was_explored(record)
        if record.reason is not None:
            detail = record.detail if record.reason is Reason.REJECTED else None
            key = record.reason, record.by, None if detail is None else detail.partition(":")[0]
            self.by[key if key in self.by or len(self.by) < _MOST_KINDS else (record.reason, None, _OTHER)] += 1
        miss = _miss(record, time_us, waited_us)
        if self.nearest is None or miss.nearer(self.nearest):
            if miss.gap is not None:
                miss = msgspec.structs.replace(miss, parts=_decode_parts(record.parts))
            self.nearest = miss

    def counts(self) -> tuple[ByCount, ...]:
        """By what, the most frequent first."""
        order = sorted(self.by.items(), key=lambda item: (-item[1], *(each or "" for each in item[0])))
        return tuple(ByCount(*key, count) for key, count in order)


def _miss(record: Logged, time_us: int | None, waited_us: int | None) -> Miss:
    gap = left_us = until_us = None
    if record.reason is Reason.BELOW_THRESHOLD and record.score is not None and record.threshold is not None:
        gap = round(record.threshold - record.score, 6)
    elif record.until is not None and time_us is not None:
        until_us = instant_us(record.until)
        left_us = until_us - time_us
    return Miss(
        record.id,
        record.event_id,
        record.user,
        time_us,
        record.line,
        record.by,
        record.detail,
        until_us,
        record.score,
        record.threshold,
        gap,
        left_us,
        waited_us if record.reason is Reason.EXPIRED else None,
        cause=None if record.cause is None else Cause(record.cause),
    )


def _was_explored(record: Logged) -> bool:
    """Whether only the user's own history kept it back, so that exploring was asked."""
    raw = bytes(record.choices)
    return b"explore" in raw and any(each.purpose == "explore" for each in _decode_choices(raw))


def _between(held: Logged, time_us: int | None) -> int | None:
    return None if held.time is None or time_us is None else time_us - instant_us(held.time)


class Tally:
    """Feed it records with `add`, then ask for the `answer`. Bounds on the time of decisions are half-open."""

    def __init__(
        self, event_type: str, user: str | None = None, since_us: int | None = None, until_us: int | None = None
    ) -> None:
        self._event_type = event_type
        self._user = user
        self._since_us = since_us
        self._until_us = until_us
        self._records = self._sent = self._explored = 0
        self._span = Span()
        self._buckets: dict[Reason, _Bucket] = {}
        self._held = _Bucket()
        self._later: Counter[str] = Counter()
        self._waiting: dict[tuple[str | None, str | None], Logged] = {}
        self._revisions: dict[str, None] = {}
        self.types: Counter[str] = Counter()
        """Every event type that was seen, whether it was asked for or not."""
        self.undeclared: set[str] = set()
        """Those among them that the policy did not know."""

    def add(self, record: Logged) -> None:
        """One more record, in the order of the log."""
        self._records += 1
        if record.event_type is not None and (record.event_type in self.types or len(self.types) < _MOST_KINDS):
            self.types[record.event_type] += 1
            if record.by == "type":
                self.undeclared.add(record.event_type)
        if record.event_type != self._event_type or self._user not in (None, record.user):
            return
        time_us = None if record.time is None else instant_us(record.time)
        if not self._within(time_us):
            return
        self._revisions[record.revision] = None
        self._span.add(time_us)
        held = self._released(record)
        if record.outcome is Outcome.HELD:
            if held is None:  # one that is held once more is the same message
                self._held.add(record, time_us)
            self._waiting[record.user, record.event_id] = msgspec.structs.replace(record, parts=_NONE, choices=_NONE)
            return
        waited_us = None
        if held is not None:
            self._later[(record.reason or record.outcome).value] += 1
            waited_us = _between(held, time_us)
        self._count(record, time_us, waited_us)

    def _within(self, time_us: int | None) -> bool:
        if time_us is None:
            return self._since_us is None and self._until_us is None
        return (self._since_us is None or time_us >= self._since_us) and (
            self._until_us is None or time_us < self._until_us
        )

    def _released(self, record: Logged) -> Logged | None:
        """The record of the holding that this one ends; other lines may repeat its event in the meantime."""
        if record.reason is Reason.DUPLICATE or record.line is not None:
            return None
        return self._waiting.pop((record.user, record.event_id), None)

    def _count(self, record: Logged, time_us: int | None, waited_us: int | None = None) -> None:
        if record.reason is None:
            self._sent += 1
            self._explored += _was_explored(record)
            return
        bucket = self._buckets.get(record.reason)
        if bucket is None:
            bucket = self._buckets[record.reason] = _Bucket()
        bucket.add(record, time_us, waited_us)

    def answer(self) -> Answer:
        """What was counted."""
        waiting = len(self._waiting)
        for record in self._waiting.values():
            self._count(record, None if record.time is None else instant_us(record.time))
        self._waiting.clear()
        reasons = tuple(sorted(self._reasons(), key=lambda one: -one.count))
        return Answer(
            self._event_type,
            self._records,
            self._sent + sum(one.count for one in reasons),
            self._sent,
            self._span.first_us,
            self._span.last_us,
            reasons,
            self._held_count(waiting),
            tuple(self._revisions),
            self._explored,
        )

    def _reasons(self) -> Iterator[ReasonCount]:
        for reason in Reason:
            bucket = self._buckets.get(reason)
            if bucket is not None and bucket.nearest is not None:
                span = bucket.span
                unexplored = bucket.explored if reason is Reason.BELOW_THRESHOLD else 0
                yield ReasonCount(
                    reason, bucket.count, span.first_us, span.last_us, bucket.counts(), bucket.nearest, unexplored
                )

    def _held_count(self, waiting: int) -> HeldCount | None:
        held = self._held
        if held.nearest is None:
            return None
        return HeldCount(held.count, held.counts(), held.nearest, dict(sorted(self._later.items())), waiting)
