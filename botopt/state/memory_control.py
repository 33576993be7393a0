"""What administrators change in a store in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from botopt.model.errors import UsageError
from botopt.model.live import ApiKey, OutboxRow, OutboxStatus
from botopt.model.silence import Silence
from botopt.state.memory_live import MemoryLive

_WAITING = (OutboxStatus.DEAD, OutboxStatus.UNSURE, OutboxStatus.PENDING)


class MemoryControl:
    """Changes a `MemoryLive` (`botopt.model.live.Control`), from any thread."""

    def __init__(self, store: MemoryLive) -> None:
        self._store = store

    def add_key(self, key: ApiKey, who: str) -> None:
        """One more key."""
        with self._store.lock:
            if key.id in self._store.keys:
                raise UsageError(f"there is already a key {key.id}")
            self._store.keys[key.id] = key
            self._note(key.created_us, who, "keys add", [key.id])

    def revoke_key(self, id: str, now_us: int, who: str) -> bool:
        """Whether there was such a key that was not revoked."""
        with self._store.lock:
            key = self._store.keys.get(id)
            if key is None or key.revoked_us is not None:
                return False
            self._store.keys[id] = replace(key, revoked_us=now_us)
            self._note(now_us, who, "keys revoke", [id])
            return True

    def add_silence(self, silence: Silence) -> None:
        """One more silence."""
        with self._store.lock:
            if silence.id in self._store.silenced:
                raise UsageError(f"there is already a silence {silence.id}")
            self._store.silenced[silence.id] = silence
            self._note(silence.created_us, silence.who, "silence add", [silence.id])

    def end_silence(self, id: str, now_us: int, who: str) -> bool:
        """Whether there was such a silence that had not ended."""
        with self._store.lock:
            silence = self._store.silenced.get(id)
            if silence is None or silence.until_us <= now_us:
                return False
            self._store.silenced[id] = replace(silence, until_us=now_us)
            self._note(now_us, who, "silence end", [id])
            return True

    def retry_outbox(self, keys: Sequence[str], now_us: int, who: str) -> int:
        """Dead, unsure and pending messages: try them now. How many there were."""

        def again(row: OutboxRow) -> OutboxRow:
            pending = row.status is OutboxStatus.PENDING
            return replace(
                row,
                status=OutboxStatus.PENDING,
                attempts=row.attempts if pending else 0,
                first_us=row.first_us if pending else None,
                next_us=now_us,
                changed_us=now_us,
            )

        return self._change(keys, again, now_us, who, "outbox retry")

    def drop_outbox(self, keys: Sequence[str], now_us: int, who: str) -> int:
        """Dead, unsure and pending messages: give them up. How many there were."""
        return self._change(
            keys, lambda row: replace(row, status=OutboxStatus.DROPPED, changed_us=now_us), now_us, who, "outbox drop"
        )

    def _change(
        self, keys: Sequence[str], change: Callable[[OutboxRow], OutboxRow], now_us: int, who: str, action: str
    ) -> int:
        messages = self._store.messages
        changed = []
        with self._store.lock:
            for key in keys:
                row = messages.get(key)
                if row is not None and row.status in _WAITING:
                    messages[key] = change(row)
                    changed.append(key)
            self._note(now_us, who, action, changed)
        return len(changed)

    def audit(self, limit: int) -> Sequence[tuple[int, str, str, str]]:
        """(at_us, who, action, subject), newest first."""
        return self._store.audit[::-1][:limit]

    def close(self) -> None:
        """Nothing to let go of."""

    def _note(self, at_us: int, who: str, action: str, subjects: Sequence[str]) -> None:
        self._store.audit += [(at_us, who, action, subject) for subject in subjects]
        self._store.version += bool(subjects)
