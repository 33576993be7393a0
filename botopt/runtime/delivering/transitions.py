"""What an attempt leads to: every rule of retrying, in one place. Nothing here reads a clock or draws a number.

A row is over when it is `delivered`, `dead`, `unsure`, `withdrawn` or `dropped`. A row that dies hands the message to
the channel named by `fallback`; the last one that dies takes it back (`message.failed`). A provider's cap is told also
where another channel takes over. What may have arrived is neither handed over nor taken back.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from botopt.model.delivery import Delivered, Failed, Feedback, NeedsTransport, Receipt
from botopt.model.durations import DAY_US, HOUR_US, SECOND_US
from botopt.model.live import DOUBTFUL, OutboxRow, OutboxStatus, pack_parcel, unpack_parcel
from botopt.model.policy import DeliverySettings, Value, WhenUnsure

FIRST_WINDOW_US = 2 * SECOND_US
"""The wait after the first failure is drawn from here: a second on average. Most faults of a network last no longer."""

LONGEST_WINDOW_US = HOUR_US
"""Each failure doubles the window, up to this: a platform that comes back is noticed within the hour."""

LEAST_SHARE = 0.1
"""Of the window. The whole window is drawn from, so that messages that failed together come back apart; but a row of
small draws must not use up the attempts of a message in seconds.
"""

LONGEST_WAIT_US = DAY_US
"""No message waits longer for its next attempt. Who asks for more has refused it."""

_DOWN = "the platform was down for as long as a message is tried"
_MOST_REASON = 200
_MOST_DETAIL = 500


class Facts(msgspec.Struct, frozen=True):
    """What a channel's type says about it: whether the receiver absorbs what comes twice with one key."""

    repeatable: bool = False


class Transition(msgspec.Struct, frozen=True):
    """What is to be written: the row as it is now, perhaps a new one after it, and perhaps feedback."""

    rows: tuple[OutboxRow, ...] = ()
    feedback: tuple[Feedback, ...] = ()


def after(
    row: OutboxRow, receipt: Receipt, settings: DeliverySettings, facts: Facts, now_us: int, jitter: float
) -> Transition:
    """What follows from an attempt. Only a claimed row has one: any other stays as it is.

    Args:
        row: as it was claimed: this attempt counted, `detail` still that of the one before.
        receipt: what the channel said.
        settings: the channel's.
        facts: of the channel's type.
        now_us: the wall clock, when the receipt came.
        jitter: drawn from [0, 1).
    """
    if row.status is not OutboxStatus.CLAIMED:
        return Transition()
    match receipt:
        case Delivered():
            return Transition((_delivered(row, receipt.provider_id, now_us),))
        case NeedsTransport():
            return _forwarded(row, receipt, settings, now_us)
        case Failed():
            return _failed(row, receipt, settings, facts, now_us, jitter)
        case _:
            assert_never(receipt)


def after_crash(row: OutboxRow, settings: DeliverySettings, facts: Facts, now_us: int) -> OutboxRow:
    """What becomes of a row that was claimed when an earlier process ended: nobody knows how its attempt went."""
    status = OutboxStatus.PENDING if may_repeat(settings, facts) else OutboxStatus.UNSURE
    detail = _doubtful("the service ended during an attempt")
    return _changed(row, status, now_us, next_us=now_us, detail=detail)


def released(row: OutboxRow, now_us: int) -> OutboxRow:
    """A claimed row whose attempt never began: it waits again, and the attempt does not count."""
    attempts = max(row.attempts - 1, 0)
    return msgspec.structs.replace(
        row,
        status=OutboxStatus.PENDING,
        attempts=attempts,
        first_us=row.first_us if attempts else None,
        next_us=now_us,
        changed_us=now_us,
    )


def out_of_time(row: OutboxRow, settings: DeliverySettings, now_us: int) -> Transition:
    """A claimed row that is not tried, because its platform has been down for as long as a message is tried: the next
    channel has its turn. What may have arrived is left to a person, as after a last attempt. What has no next channel
    waits until it can be tried.
    """
    waiting = released(row, now_us)
    if settings.fallback is None or settings.fallback in tried(row):
        return Transition((waiting,))
    row = msgspec.structs.replace(row, attempts=waiting.attempts, first_us=waiting.first_us)
    if row.doubtful and settings.when_unsure is not WhenUnsure.RETRY:
        return Transition((_changed(row, OutboxStatus.UNSURE, now_us, detail=_doubtful(_DOWN)),))
    return _dead(row, _DOWN, settings, now_us)


def is_due(next_us: int, now_us: int) -> bool:
    """Whether a pending message may be tried. One that seems to wait longer than any may was put off by a clock that
    has been set back since.
    """
    return next_us <= now_us or next_us - now_us > LONGEST_WAIT_US


def may_repeat(settings: DeliverySettings, facts: Facts) -> bool:
    """Whether a message that may have arrived is tried again: the policy's word, else as the channel type can bear."""
    if settings.when_unsure is None:
        return facts.repeatable
    return settings.when_unsure is WhenUnsure.RETRY


def wait_us(attempts: int, jitter: float) -> int:
    """How long to wait after so many attempts: exponential backoff with jitter from [0, 1)."""
    window_us = min(FIRST_WINDOW_US << min(max(attempts, 1) - 1, 32), LONGEST_WINDOW_US)
    return round(window_us * (LEAST_SHARE + (1 - LEAST_SHARE) * jitter))


def tried(row: OutboxRow) -> frozenset[str]:
    """The channels that this message was given to, this row's included: the first one, and those in its key."""
    _, *others = row.key.split(":")
    if not others:
        return frozenset({row.channel})
    return frozenset({unpack_parcel(row.parcel).message.channel, *others, row.channel})


def _delivered(row: OutboxRow, provider_id: str | None, now_us: int) -> OutboxRow:
    return _changed(row, OutboxStatus.DELIVERED, now_us, provider_id=provider_id or row.provider_id, detail=None)


def _forwarded(row: OutboxRow, receipt: NeedsTransport, settings: DeliverySettings, now_us: int) -> Transition:
    """The platform has done its part, and another channel carries what it said."""
    texts = tuple(text for text in receipt.texts if text.strip())
    row = msgspec.structs.replace(row, provider_id=receipt.provider_id or row.provider_id)
    if not texts:
        return _dead(row, "the platform answered without a text, so nobody has seen anything", settings, now_us)
    if settings.reply is None:
        detail = (
            f'the platform only returned texts, which nobody has seen: give the channel "{row.channel}" '
            "a `reply:` with the channel that is to carry them"
        )
        return _dead(row, detail, settings, now_us)
    if settings.reply in tried(row):
        detail = f'the texts that the platform returned cannot go out on "{settings.reply}": it was tried already'
        return _dead(row, detail, settings, now_us)
    parcel = msgspec.structs.replace(unpack_parcel(row.parcel), texts=texts)
    following = msgspec.structs.replace(_on(row, settings.reply, now_us), parcel=pack_parcel(parcel))
    return Transition((_delivered(row, receipt.provider_id, now_us), following))


def _failed(
    row: OutboxRow, receipt: Failed, settings: DeliverySettings, facts: Facts, now_us: int, jitter: float
) -> Transition:
    detail = receipt.detail[:_MOST_DETAIL]
    in_doubt = receipt.unsure or row.doubtful
    if in_doubt:
        detail = _doubtful(detail)
    again = may_repeat(settings, facts) if receipt.unsure else receipt.retryable
    if again:
        next_us = now_us + _wait_us(row, receipt, now_us, jitter)
        first_us = now_us if row.first_us is None else min(row.first_us, now_us)  # a clock may have been set back
        if next_us < _end_us(row, first_us, settings, now_us):
            waiting = _changed(row, OutboxStatus.PENDING, now_us, next_us=next_us, first_us=first_us, detail=detail)
            return Transition((waiting,))
    # With `when_unsure: retry` two messages are better than none, so the message may be handed over, too.
    if in_doubt and settings.when_unsure is not WhenUnsure.RETRY:
        return Transition((_changed(row, OutboxStatus.UNSURE, now_us, detail=detail),))
    return _dead(row, detail, settings, now_us, receipt.capped_until_us)


def _wait_us(row: OutboxRow, receipt: Failed, now_us: int, jitter: float) -> int:
    asked_us = receipt.retry_after_us or 0
    if receipt.capped_until_us is not None:
        asked_us = max(asked_us, receipt.capped_until_us - now_us)
    return max(wait_us(row.attempts, jitter), asked_us)


def _end_us(row: OutboxRow, first_us: int, settings: DeliverySettings, now_us: int) -> int:
    """No attempt from then on."""
    end_us = min(first_us + settings.retry_for_us, now_us + LONGEST_WAIT_US)
    return end_us if row.expires_us is None else min(end_us, row.expires_us)


def _dead(
    row: OutboxRow, detail: str, settings: DeliverySettings, now_us: int, capped_until_us: int | None = None
) -> Transition:
    """This channel has given up: the next one has its turn, or the message is taken back."""
    in_time = row.expires_us is None or now_us < row.expires_us
    if settings.fallback is not None and in_time and settings.fallback not in tried(row):
        dead = _changed(row, OutboxStatus.DEAD, now_us, detail=f'{detail}; handed over to "{settings.fallback}"')
        following = _on(row, settings.fallback, now_us)
        if capped_until_us is None:
            return Transition((dead, following))
        # Another id than that of the end: both are to be heard.
        event_id = f"{row.message_id}:capped:{row.channel}"
        data = _capped(row, capped_until_us) | {"handed_over": True}
        return Transition((dead, following), (_told(row, event_id, now_us, data),))
    # The same id whenever it is told: the engine hears of it once, also where a person had the message tried again.
    data = _capped(row, capped_until_us) | {"reason": detail[:_MOST_REASON]}
    told = _told(row, f"{row.message_id}:failed", now_us, data)
    return Transition((_changed(row, OutboxStatus.DEAD, now_us, detail=detail),), (told,))


def _capped(row: OutboxRow, until_us: int | None) -> dict[str, Value]:
    """What the engine learns of a provider that takes nothing more for this user on the row's channel."""
    return {} if until_us is None else {"capped_until": until_us, "channel": row.channel}


def _told(row: OutboxRow, event_id: str, now_us: int, data: dict[str, Value]) -> Feedback:
    return Feedback(
        type="message.failed",
        event_id=event_id,
        message_id=row.message_id,
        user=row.user,
        time_us=now_us,
        data=data,
    )


def _on(row: OutboxRow, channel: str, now_us: int) -> OutboxRow:
    """The message's row on the channel that takes over."""
    return OutboxRow(
        key=f"{row.key}:{channel}",
        message_id=row.message_id,
        user=row.user,
        channel=channel,
        created_us=row.created_us,
        next_us=now_us,
        changed_us=now_us,
        expires_us=row.expires_us,
        parcel=row.parcel,
    )


def _doubtful(detail: str) -> str:
    return detail if detail.startswith(DOUBTFUL) else DOUBTFUL + detail


def _changed(row: OutboxRow, status: OutboxStatus, now_us: int, **fields: str | int | None) -> OutboxRow:
    return msgspec.structs.replace(row, status=status, changed_us=now_us, **fields)
