"""Tasks of delivery: claim what may be tried, and write down what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

import msgspec

from botopt.model.delivery import Feedback
from botopt.model.errors import StateCorrupt, StateError
from botopt.model.live import OutboxRow, OutboxStatus, Parcel, unpack_parcel
from botopt.model.user_state import Response, UserState
from botopt.runtime.desk import Desk
from botopt.runtime.feedback import resolve
from botopt.runtime.items import Claimed
from botopt.runtime.tasks import Task

BACK_US = 1_000_000
"""A clock that goes back by less is not worth a thought: nothing waits longer than that for it."""

_RESCHEDULED = 500
_MOST_REASON = 200
_AGAIN_US = 60_000_000
_BROKEN = "botopt failed when it looked whether this may still go out; the log of the service says why"
_DAMAGED = "the message cannot be read any more: its bytes in the state file are damaged"


class Claim(Task[Sequence[Claimed]]):
    """Claim what is due on a channel. What must not go out any more is withdrawn, and taken back."""

    def __init__(self, channel: str, limit: int, now_us: int, to: str | None = None, due_us: int | None = None) -> None:
        super().__init__()
        self._to = to
        self._channel = channel
        self._limit = limit
        self._now_us = now_us
        self._due_us = now_us if due_us is None else due_us

    def run(self, desk: Desk) -> Sequence[Claimed]:
        drafted = desk.draft.outbox
        due = desk.store.outbox_due(self._due_us, self._channel, self._limit)
        rows = [row for row in due if row.key not in drafted]  # else another task of this group has it already
        with suppress(StateCorrupt):  # of one user: whose it is comes out below
            desk.states.bring(row.user for row in rows)
        return [claimed for row in rows if (claimed := self._claim(desk, row)) is not None]

    def settle(self, result: Sequence[Claimed], unwritten: Collection[str]) -> Sequence[Claimed]:
        return [claimed for claimed in result if claimed.row.key not in unwritten]

    def _claim(self, desk: Desk, row: OutboxRow) -> Claimed | None:
        """No message may keep the others of its channel from theirs, whatever ails it."""
        now_us = self._now_us
        try:
            parcel = unpack_parcel(row.parcel)
            state = desk.states.look(row.user)
            stopped = _stopped(desk, state, row, parcel, now_us)
        except msgspec.MsgspecError:
            self._end(desk, row, OutboxStatus.DEAD, _DAMAGED)
            return None
        except StateCorrupt as fault:
            detail = row.came_to(str(fault))
            row = msgspec.structs.replace(row, status=OutboxStatus.DEAD, detail=detail, changed_us=now_us)
            desk.draft.outbox[row.key] = row
            return None
        except StateError:
            raise
        except Exception as fault:  # noqa: BLE001 a fault of ours
            desk.draft.faults.append((f"message {row.key} could not be checked, and is put off", fault))
            desk.draft.outbox[row.key] = msgspec.structs.replace(
                row, next_us=now_us + _AGAIN_US, detail=row.came_to(_BROKEN), changed_us=now_us
            )
            return None
        if stopped is not None:
            self._end(desk, row, OutboxStatus.WITHDRAWN, stopped)
            return None
        row = msgspec.structs.replace(
            row,
            status=OutboxStatus.CLAIMED,
            attempts=row.attempts + 1,
            first_us=now_us if row.first_us is None else row.first_us,
            changed_us=now_us,
        )
        desk.draft.outbox[row.key] = row
        return Claimed(row, parcel, _address(desk, state, row.user, self._to), _last_active_us(state, row.channel))

    def _end(self, desk: Desk, row: OutboxRow, status: OutboxStatus, detail: str) -> None:
        """It never left, or was refused each time: the engine counts it no longer. Of what may have arrived it does."""
        now_us = self._now_us
        over = msgspec.structs.replace(row, status=status, detail=row.came_to(detail), changed_us=now_us)
        desk.draft.outbox[row.key] = over
        if over.doubtful:
            return
        told = Feedback(
            type="message.failed",
            event_id=f"{row.message_id}:failed",  # as delivery says it: heard once, whoever is first
            message_id=row.message_id,
            user=row.user,
            data={"reason": detail[:_MOST_REASON]},
        )
        take(desk, over, told, now_us)


class Conclude(Task[None]):
    """Write rows of the outbox, and take in what they mean for their users."""

    def __init__(self, rows: Sequence[OutboxRow], feedback: Sequence[Feedback], now_us: int) -> None:
        super().__init__()
        self._rows = rows
        self._feedback = feedback
        self._now_us = now_us

    def run(self, desk: Desk) -> None:
        for row in self._rows:
            before = desk.outbox_row(row.key)
            # Else it is over: a fallback has been there already when a person has the message tried again.
            if before is None or before.status is OutboxStatus.CLAIMED:
                desk.draft.outbox[row.key] = row
        for told in self._feedback:
            about = next((row for row in self._rows if row.message_id == told.message_id), None)
            take(desk, about, told, self._now_us)


class Reschedule(Task[int]):
    """Messages that were written by a clock that has gone back since: each waits as long as it was to wait, not longer.

    So many of them that events need not wait long; how many it were.
    """

    def __init__(self, now_us: int) -> None:
        super().__init__()
        self._now_us = now_us

    def run(self, desk: Desk) -> int:
        now_us = self._now_us
        found = 0
        for row in desk.store.outbox_ahead(now_us, _RESCHEDULED):
            if row.key not in desk.draft.outbox:
                next_us = now_us + max(row.next_us - row.changed_us, 0)
                desk.draft.outbox[row.key] = msgspec.structs.replace(row, next_us=next_us, changed_us=now_us)
                found += 1
        return found


def take(desk: Desk, row: OutboxRow | None, told: Feedback, now_us: int) -> None:
    """Feedback of our own about the row that ended. Where it means nothing any more, nothing is said: the user or the
    message is gone, or another channel has taken the message over, and its end is that of the message.
    """
    if row is not None and "handed_over" not in told.data and taken_over(desk, row):
        return
    event = resolve(desk, "" if row is None else row.channel, told, now_us)
    if isinstance(event, str):
        return
    try:
        state = desk.states.look(event.user)
    except StateCorrupt as fault:
        desk.draft.faults.append((f"a message could not be taken back from {event.user}", fault))
        return
    send = next((send for send in state.sends if send.id.hex() == event.data.get("message_id")), None)
    if send is None or state.deleted:
        return
    if send.response is not Response.FAILED or "capped_until" in event.data:  # else all of it is known
        desk.take_back(event, now_us, told.event_id)


def taken_over(desk: Desk, row: OutboxRow) -> bool:
    """Whether another channel has had its turn after this one: a person may have had this one try again."""
    rows = (*desk.store.outbox_of(row.message_id), *desk.draft.outbox.values())
    return any(other.key.startswith(f"{row.key}:") for other in rows)


def _stopped(desk: Desk, state: UserState, row: OutboxRow, parcel: Parcel, now_us: int) -> str | None:
    """Why it must not go out any more, for people."""
    reason = desk.serving.engine.withdrawal(state, parcel.event, row.channel, now_us)
    if reason is not None:
        word, by = reason
        return word.value if by is None else f"{word.value}: {by}"
    if row.expires_us is not None and now_us > row.expires_us:
        return "expired"
    return None


def _address(desk: Desk, state: UserState, user: str, attribute: str | None) -> str | None:
    if attribute is None or attribute == "id":
        return user
    value = state.attributes.get(attribute)
    if value is None:
        spec = desk.serving.engine.policy.attributes.get(attribute)
        value = None if spec is None else spec.default
    if value is None or isinstance(value, bool | list | dict):
        return None
    return str(value)


def _last_active_us(state: UserState, channel: str) -> int | None:
    heard = [active.time_us for name in ("", channel) if (active := state.active.get(name)) is not None]
    return max(heard, default=None)
