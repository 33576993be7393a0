"""Messages that a person gave up: what never left counts no longer."""

from __future__ import annotations

from botopt.model.delivery import Feedback
from botopt.model.errors import StateCorrupt
from botopt.model.live import OutboxRow, OutboxStatus
from botopt.runtime.claims import take
from botopt.runtime.desk import Desk
from botopt.runtime.tasks import Task

_AT_ONCE = 100


class TakeBackDropped(Task[int]):
    """Take back what was dropped since it was last looked. What may have arrived, or was handed over, is left alone."""

    def __init__(self, now_us: int) -> None:
        super().__init__()
        self._now_us = now_us

    def run(self, desk: Desk) -> int:
        found = desk.store.drops_after(desk.reached.drops, _AT_ONCE)
        for number, key in found:
            desk.saw_drop(number)
            try:
                row = desk.outbox_row(key)
            except StateCorrupt as fault:  # it keeps no other from being taken back
                desk.draft.faults.append((f"the dropped message {key} could not be taken back", fault))
                continue
            if row is not None and row.status is OutboxStatus.DROPPED and not row.doubtful:
                take(desk, row, _failed(row), self._now_us)
        return len(found)


def _failed(row: OutboxRow) -> Feedback:
    return Feedback(
        type="message.failed",
        event_id=f"{row.message_id}:failed",  # as delivery says it: heard once, whoever is first
        message_id=row.message_id,
        user=row.user,
        data={"reason": "a person gave it up"},
    )
