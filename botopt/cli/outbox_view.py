"""Messages of the outbox on a terminal, and as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table

from botopt.cli.console import out, visible
from botopt.cli.operating import second_text, when
from botopt.model.counting import number_of
from botopt.model.instants import instant_text
from botopt.model.live import OutboxRow, OutboxStatus, Parcel, unpack_parcel


def print_messages(rows: Sequence[OutboxRow], now_us: int, *, texts: bool) -> None:
    """A table of messages."""
    table = Table(box=SIMPLE_HEAD)
    for column in ("key", "user", "channel", "status", "tries", "made", "detail", *(("text",) if texts else ())):
        table.add_column(column)
    for row in rows:
        status = row.status.value
        if row.status is OutboxStatus.PENDING and row.next_us > now_us:
            status = f"pending, next {when(row.next_us, now_us)}"
        cells = [row.key, row.user, row.channel, status, str(row.attempts or ""), second_text(row.created_us)]
        cells.append(row.detail or "")
        if texts:
            parcel = _parcel(row)
            cells.append("" if parcel is None else " / ".join(_texts(parcel)))
        table.add_row(*map(visible, cells))
    out().print(table)
    out().print(number_of(len(rows), "message"), markup=False)


def print_message(row: OutboxRow, *, texts: bool) -> None:
    """One message, a line for everything that is known about it."""
    for name, value in plain(row, texts=texts).items():
        if value not in (None, [], ()):
            shown = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
            out().print(visible(f"{name}: {shown}"), markup=False)


def plain(row: OutboxRow, *, texts: bool) -> Mapping[str, object]:
    """A message as plain data; what it says only if that is wanted."""
    parcel = _parcel(row)
    data: dict[str, object] = {
        "key": row.key,
        "message_id": row.message_id,
        "user": row.user,
        "channel": row.channel,
        "status": row.status.value,
        "attempts": row.attempts,
        "created": instant_text(row.created_us),
        "next": instant_text(row.next_us) if row.status is OutboxStatus.PENDING else None,
        "first_attempt": _time(row.first_us),
        "changed": instant_text(row.changed_us),
        "expires": _time(row.expires_us),
        "provider_id": row.provider_id,
        "address": row.address,
        "detail": row.detail,
    }
    if parcel is not None:
        message, event = parcel.message, parcel.event
        data |= {
            "event_type": event.type,
            "event_id": event.id,
            "template": message.template,
            "variant": message.variant,
            "locale": message.locale,
        }
        if texts:
            data |= {"title": message.title, "texts": _texts(parcel), "buttons": [one.label for one in message.buttons]}
    return data


def _texts(parcel: Parcel) -> list[str]:
    return list(parcel.texts) or [parcel.message.text]


def _parcel(row: OutboxRow) -> Parcel | None:
    try:
        return unpack_parcel(row.parcel)
    except msgspec.MsgspecError:  # of another version: what is beside it can be shown all the same
        return None


def _time(us: int | None) -> str | None:
    return None if us is None else instant_text(us)
