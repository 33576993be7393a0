"""Which message feedback means that names none: the user's latest before it that did not fail.

The same rule as `botopt.verify.log.pairing`, which the tests hold it against.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Sent = tuple[int, str, str | None]
"""Time, id and event type of a message."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """One event of feedback. `message_id` and `event_type` are what it names."""

    seq: int
    time_us: int
    type: str
    message_id: str | None
    event_type: str | None
    handed_over: bool


def targets(sends: list[Sent], said: Iterable[Said], window_us: int) -> Iterator[tuple[int, str]]:
    """Of one user: for each event of feedback without a name, the message that it means.

    Args:
        sends: the user's messages, in the order of time.
        said: the user's feedback, in the order of time.
        window_us: feedback that comes later than that says nothing.
    """
    failed: set[str] = set()
    sent_us = {id: time_us for time_us, id, _ in sends}
    for one in said:
        id = one.message_id
        if id is None:
            id = _latest(sends, one, failed)
            if id is None:
                continue
            yield one.seq, id
        elif id not in sent_us:
            continue
        if one.type == "message.failed" and not one.handed_over and one.time_us < sent_us[id] + window_us:
            failed.add(id)


def _latest(sends: list[Sent], one: Said, failed: set[str]) -> str | None:
    for place in range(bisect_right(sends, one.time_us, key=lambda sent: sent[0]) - 1, -1, -1):
        _, id, event_type = sends[place]
        if one.event_type in (None, event_type) and id not in failed:
            return id
    return None


def find_targets(con: DuckDBPyConnection, window_us: int) -> None:
    """Fill the table `targets`: the number of an event of feedback, and the message that it means."""
    con.execute("CREATE OR REPLACE TEMP TABLE targets (seq BIGINT, id VARCHAR)")
    con.execute('CREATE OR REPLACE TEMP TABLE asking AS SELECT DISTINCT "user" FROM feedback WHERE message_id IS NULL')
    sends: dict[str, list[Sent]] = {}
    for user, time_us, id, event_type in con.execute(
        'SELECT "user", time_us, id, event_type FROM kept JOIN asking USING ("user")'
        " WHERE outcome = 'sent' AND time_us IS NOT NULL ORDER BY time_us, id"
    ).fetchall():
        sends.setdefault(user, []).append((time_us, id, event_type))
    said: dict[str, list[Said]] = {}
    for user, *fields in con.execute(
        'SELECT "user", seq, time_us, type, message_id, event_type, handed_over'
        ' FROM feedback JOIN asking USING ("user") ORDER BY time_us, seq'
    ).fetchall():
        said.setdefault(user, []).append(Said(*fields))
    found = [pair for user, theirs in said.items() for pair in targets(sends.get(user, []), theirs, window_us)]
    if found:
        seqs, ids = zip(*found, strict=True)
        con.execute("INSERT INTO targets SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[])", [list(seqs), list(ids)])
