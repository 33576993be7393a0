"""Rows of the live service's tables, and back; what comes back is never trusted blindly."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

from botopt.model.errors import StateCorrupt
from botopt.model.live import ApiKey, DecisionRow, OutboxRow, OutboxStatus, StoredAnswer
from botopt.model.silence import Silence

Values = tuple[object, ...]

DECISION = "sequence, id, user, event_id, event_type, time_us, outcome, reason, decided_us, record, checksum"
OUTBOX = (
    "key, message_id, user, channel, status, attempts, created_us, next_us, first_us, changed_us, expires_us,"
    " provider_id, address, detail, parcel, checksum"
)
ANSWER = "key, body_hash, status, body, created_us, checksum"
SILENCE = "id, created_us, until_us, events, why, who"
API_KEY = "id, name, scopes, hashed, created_us, expires_us, revoked_us"

_STATUSES = {str(status): status for status in OutboxStatus}


def decision_columns(row: DecisionRow, sequence: int) -> Values:
    """A decision's values, in the order of `DECISION`."""
    return (
        sequence,
        row.id,
        row.user,
        row.event_id,
        row.event_type,
        row.time_us,
        row.outcome,
        row.reason,
        row.decided_us,
        row.record.decode(),
        _sum(row.id.encode(), row.record),
    )


def decision_of(path: Path, values: Values) -> DecisionRow:
    """The decision with these values.

    Raises:
        StateCorrupt: they are not what `decision_columns` gave. So do the others here.
    """
    match values:
        case (
            int(sequence),
            str(id),
            str() | None as user,
            str() | None as event_id,
            str() | None as event_type,
            int() | None as time_us,
            str(outcome),
            str() | None as reason,
            int(decided_us),
            str(text),
            int(checksum),
        ) if checksum == _sum(id.encode(), record := text.encode()):
            return DecisionRow(id, user, event_id, event_type, time_us, outcome, reason, record, decided_us, sequence)
        case _:
            raise damaged(path, "decision", values[1])


def outbox_columns(row: OutboxRow) -> Values:
    """A message's values, in the order of `OUTBOX`."""
    return (
        row.key,
        row.message_id,
        row.user,
        row.channel,
        row.status.value,
        row.attempts,
        row.created_us,
        row.next_us,
        row.first_us,
        row.changed_us,
        row.expires_us,
        row.provider_id,
        row.address,
        row.detail,
        row.parcel,
        _parcel_sum(row.key, row.message_id, row.user, row.channel, row.parcel),
    )


def outbox_of(path: Path, values: Values) -> OutboxRow:
    """The message with these values."""
    match values:
        case (
            str(key),
            str(message_id),
            str(user),
            str(channel),
            str(status),
            int(attempts),
            int(created_us),
            int(next_us),
            int() | None as first_us,
            int(changed_us),
            int() | None as expires_us,
            str() | None as provider_id,
            str() | None as address,
            str() | None as detail,
            bytes(parcel),
            int(checksum),
        ) if status in _STATUSES and checksum == _parcel_sum(key, message_id, user, channel, parcel):
            return OutboxRow(
                key=key,
                message_id=message_id,
                user=user,
                channel=channel,
                status=_STATUSES[status],
                attempts=attempts,
                created_us=created_us,
                next_us=next_us,
                first_us=first_us,
                changed_us=changed_us,
                expires_us=expires_us,
                provider_id=provider_id,
                address=address,
                detail=detail,
                parcel=parcel,
            )
        case _:
            raise damaged(path, "message", values[0])


def answer_columns(answer: StoredAnswer) -> Values:
    """An answer's values, in the order of `ANSWER`."""
    return (
        answer.key,
        answer.body_hash,
        answer.status,
        answer.body,
        answer.created_us,
        _sum(answer.key.encode(), answer.body_hash.encode(), answer.body),
    )


def answer_of(path: Path, values: Values, users: Iterable[Values]) -> StoredAnswer:
    """The answer with these values, and the users of whom it tells something."""
    match values:
        case (str(key), str(body_hash), int(status), bytes(body), int(created_us), int(checksum)) if checksum == _sum(
            key.encode(), body_hash.encode(), body
        ):
            return StoredAnswer(key, body_hash, status, body, created_us, tuple(str(user) for (user,) in users))
        case _:
            raise damaged(path, "answer", values[0])


def silence_columns(silence: Silence) -> Values:
    """A silence's values, in the order of `SILENCE`."""
    events = " ".join(silence.events)
    return silence.id, silence.created_us, silence.until_us, events, silence.why, silence.who


def silence_of(path: Path, values: Values) -> Silence:
    """The silence with these values."""
    match values:
        case (str(id), int(created_us), int(until_us), str(events), str(why), str(who)):
            return Silence(
                id=id, events=tuple(events.split()), created_us=created_us, until_us=until_us, why=why, who=who
            )
        case _:
            raise damaged(path, "silence", values[0])


def key_columns(key: ApiKey) -> Values:
    """A key's values, in the order of `API_KEY`."""
    return key.id, key.name, " ".join(key.scopes), key.hashed, key.created_us, key.expires_us, key.revoked_us


def key_of(path: Path, values: Values) -> ApiKey:
    """The key with these values."""
    match values:
        case (
            str(id),
            str(name),
            str(scopes),
            bytes(hashed),
            int(created_us),
            int() | None as expires_us,
            int() | None as revoked_us,
        ):
            return ApiKey(id, name, tuple(scopes.split()), hashed, created_us, expires_us, revoked_us)
        case _:
            raise damaged(path, "API key", values[0])


def damaged(path: Path, what: str, id: object) -> StateCorrupt:
    """The error for a row that is not as it was written."""
    return StateCorrupt(
        f"{path} is damaged: the row of {what} {str(id)[:256]!r} is not as it was written. "
        "Restore it from a copy, or start with another file."
    )


def _parcel_sum(key: str, message_id: str, user: str, channel: str, parcel: bytes) -> int:
    return _sum(f"{key}\0{message_id}\0{user}\0{channel}\0".encode(), parcel)


def _sum(*parts: bytes) -> int:
    checksum = 0
    for part in parts:
        checksum = crc32(part, checksum)
    return checksum
