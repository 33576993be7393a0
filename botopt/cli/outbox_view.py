"""Messages of the outbox on a terminal, and as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from rich.cells import cell_len

from botopt.cli.console import out, visible
from botopt.cli.operating import about, second_text
from botopt.model.counting import number_of
from botopt.model.instants import instant_text
from botopt.model.live import OutboxRow, OutboxStatus, Parcel, unpack_parcel


def print_messages(rows: Sequence[OutboxRow], now_us: int, *, texts: bool) -> None:
    """A line for each message, and what is to be said about it below: keys and details are long, terminals narrow."""
    head = ("key", "user", "channel", "status", "tries", "made")
    table = [head, *(_cells(row, now_us) for row in rows)]
    widths = [max(cell_len(cells[at]) for cells in table) for at in range(len(head))]
    below = [(), *(_below(row, texts=texts) for row in rows)]
    for cells, more in zip(table, below, strict=True):
        line = "  ".join(f"{cell}{' ' * (width - cell_len(cell))}" for cell, width in zip(cells, widths, strict=True))
        out().print(line.rstrip(), style="bold" if cells is head else None, markup=False)
        for words in more:
            out().print(f"    {words}", style="dim", markup=False)
    out().print(number_of(len(rows), "message"), markup=False)


def _cells(row: OutboxRow, now_us: int) -> tuple[str, ...]:
    status = row.status.value
    if row.status is OutboxStatus.PENDING and row.next_us > now_us:
        status = f"pending, next in {about(row.next_us - now_us)}"
    made = second_text(row.created_us)
    return tuple(map(visible, (row.key, row.user, row.channel, status, str(row.attempts or ""), made)))


def _below(row: OutboxRow, *, texts: bool) -> tuple[str, ...]:
    parcel = _parcel(row) if texts else None
    words = " / ".join(_texts(parcel)) if parcel is not None else None
    return tuple(visible(" ".join(said.split())) for said in (row.detail, words) if said)


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
