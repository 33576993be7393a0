"""What is asked of the live service's tables; tests/state/test_live_plans.py holds that an index answers each question.

A plus sign before a column keeps SQLite from using its index where another one finds fewer rows.
"""

from __future__ import annotations

from botopt.model.live import DecisionQuery, OutboxQuery, OutboxStatus
from botopt.state.live_rows import ANSWER, API_KEY, DECISION, OUTBOX, SILENCE

Query = tuple[str, tuple[object, ...]]

_NEWEST = "ORDER BY number DESC LIMIT"

DECISION_BY_ID = f"SELECT {DECISION} FROM decisions WHERE id = ?"  # noqa: S608 no outside text, here and below
ANSWER_BY_KEY = f"SELECT {ANSWER} FROM answers WHERE key = ?"  # noqa: S608
ANSWER_USERS = "SELECT user FROM answer_users WHERE key = ? ORDER BY user"
BY_KEY = f"SELECT {OUTBOX} FROM outbox WHERE key = ? AND user <> ''"  # noqa: S608
OF_MESSAGE = (
    f"SELECT {OUTBOX} FROM outbox WHERE key >= ? AND key < ? AND message_id = ? AND user <> ''"  # noqa: S608
    " ORDER BY +number"
)
DUE = (
    f"SELECT {OUTBOX} FROM outbox WHERE status = 'pending' AND status <> 'delivered'"  # noqa: S608
    " AND channel = ? AND next_us <= ? ORDER BY next_us, key LIMIT ?"
)
AHEAD = f"SELECT {OUTBOX} FROM outbox WHERE status = 'pending' AND status <> 'delivered' AND changed_us > ? LIMIT ?"  # noqa: S608
CLAIMED = f"SELECT {OUTBOX} FROM outbox WHERE status = 'claimed' AND status <> 'delivered' ORDER BY +number"  # noqa: S608
NEXT_US = (
    "SELECT next_us FROM outbox WHERE status = 'pending' AND status <> 'delivered' AND channel = ?"
    " ORDER BY next_us LIMIT 1"
)
BY_PROVIDER_ID = f"SELECT {OUTBOX} FROM outbox WHERE channel = ? AND provider_id = ? {_NEWEST} 1"  # noqa: S608
BY_ADDRESS = f"SELECT {OUTBOX} FROM outbox WHERE channel = ? AND address = ? {_NEWEST} 1"  # noqa: S608
COUNT = (
    "SELECT channel, count(*) FROM outbox WHERE status = ? AND status <> 'delivered' GROUP BY channel ORDER BY channel"
)
SILENCES = f"SELECT {SILENCE} FROM silences WHERE until_us > ? ORDER BY id"  # noqa: S608 few
API_KEYS = f"SELECT {API_KEY} FROM api_keys ORDER BY id"  # noqa: S608
DROPS = "SELECT number, subject FROM audit WHERE number > ? AND action = 'outbox drop' ORDER BY number LIMIT ?"

_CHOSEN = ("event_id", "user", "reason", "event_type", "outcome")
"""What finds the fewest decisions first: the first one that is asked for gives the index."""


def decisions(query: DecisionQuery) -> Query:
    """Decisions, newest first."""
    asked = [(name, getattr(query, name)) for name in _CHOSEN if getattr(query, name) is not None]
    terms = [f"{'+' if place else ''}{name} = ?" for place, (name, _) in enumerate(asked)]
    values: list[object] = [value for _, value in asked]
    before = min((us for us in (query.before, query.until_us) if us is not None), default=None)
    for term, value in (("sequence >= ?", query.since_us), ("sequence < ?", before)):
        if value is not None:
            terms.append(term)
            values.append(value)
    where = f"WHERE {' AND '.join(terms)}" if terms else ""
    sql = f"SELECT {DECISION} FROM decisions {where} ORDER BY sequence DESC LIMIT ?"  # noqa: S608
    return sql, (*values, max(0, query.limit))


def outbox(query: OutboxQuery, status: OutboxStatus | None) -> Query:
    """Messages with this status, or with any, newest first; the number of each before its columns."""
    terms, values = ["user <> ''"], list[object]()
    if query.user is not None:
        terms.append("user = ?")
        values.append(query.user)
    if status is not None:
        free = "+" if query.user is not None or status is OutboxStatus.DELIVERED else ""
        terms.append(f"{free}status = '{status.value}'")
        if not free:
            terms.append("status <> 'delivered'")
    if query.channel is not None:
        terms.append("channel = ?" if status is not None and query.user is None else "+channel = ?")
        values.append(query.channel)
    sql = f"SELECT number, {OUTBOX} FROM outbox WHERE {' AND '.join(terms)} {_NEWEST} ?"  # noqa: S608
    return sql, (*values, max(0, query.limit))
