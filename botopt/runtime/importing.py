"""Users from a table into a state file, as the events that say the same; while no service runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

import msgspec

from botopt.engine import hashes
from botopt.engine.engine import Engine
from botopt.engine.windows import NEWEST_KEY, compare, meta_values
from botopt.model.decision import Outcome
from botopt.model.event import Event
from botopt.model.ports import StateStore
from botopt.model.user_state import NEVER_US, UserState
from botopt.sources.people import PeopleReader
from botopt.sources.table import TableRow, Wrong
from botopt.state.journal_key import NO_JOURNAL
from botopt.state.user_rows import row, unpacked

BATCH = 1_000
"""Rows that are committed together."""


class Import(msgspec.Struct):
    """What became of the rows. `taken` changed something, `known` were taken in before, `rejected` were not taken."""

    rows: int = 0
    taken: int = 0
    known: int = 0
    rejected: int = 0
    empty: int = 0
    new_users: int = 0
    notices: tuple[str, ...] = ()


Refusing = Callable[[TableRow, Wrong], None]
"""Is told of each row that is not taken."""


def import_users(
    engine: Engine,
    reader: PeopleReader,
    store: StateStore,
    rows: Iterable[TableRow],
    *,
    at_us: int,
    received_us: int,
    refuse: Refusing,
    dry: bool = False,
) -> Import:
    """Take rows in, in batches that are committed as a whole.

    Args:
        engine: for the policy that `reader` reads with.
        reader: makes events of rows.
        store: where the users are.
        rows: what is to be taken in.
        at_us: the time of the events. A user with a held message that is due by then gets them just before it is due:
            what is held is decided by the service, or by a replay, and not here.
        received_us: now.
        refuse: is told of each row that is not taken.
        dry: commit nothing.
    """
    done = Import()
    meta = store.meta()
    kept, done.notices = compare(meta, engine.keep.windows())
    newest_us = max(int(meta.get(NEWEST_KEY, NEVER_US)), at_us)
    values = {**meta_values(kept, newest_us), **NO_JOURNAL}
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        found = [(one, reader.events(one, at_us, received_us)) for one in batch]
        users = {event.user for _, events in found if not isinstance(events, Wrong) for event in events}
        states = _loaded(store, users)
        changed = dict[str, UserState]()
        for one, events in found:
            done.rows += 1
            if isinstance(events, Wrong):
                refuse(one, events)
                done.rejected += 1
            elif not events:
                done.empty += 1
            else:
                _take(engine, states, one, events, done, changed, refuse)
        if changed and not dry:
            for state in changed.values():
                engine.prune(state)
            store.commit([row(user, changed[user]) for user in sorted(changed)], meta=values)
    return done


def _loaded(store: StateStore, users: set[str]) -> dict[str, UserState]:
    known = store.load(sorted(users))
    return {user: unpacked(user, known[user]) if user in known else UserState() for user in users}


def _take(
    engine: Engine,
    states: Mapping[str, UserState],
    one: TableRow,
    events: Sequence[Event],
    done: Import,
    changed: dict[str, UserState],
    refuse: Refusing,
) -> None:
    user = events[0].user
    state = states[user]
    if state.deleted:
        refuse(
            one, Wrong("this user was forgotten; only a user.subscribed event from the user brings the id back", "id")
        )
        done.rejected += 1
        return
    new = state == _UNKNOWN
    if (due_us := state.due_us) is not None:
        events = [msgspec.structs.replace(event, time_us=min(event.time_us, due_us - 1)) for event in events]
    news = False
    for event in events:
        identity = hashes.identity(event.key)
        before_us = state.identities.get(identity)
        for decision in engine.decide(state, event):
            if decision.outcome is Outcome.REJECTED:  # all events of a row have one time: it is the first of them
                refuse(one, Wrong(decision.detail or "it was rejected", decision.by))
                done.rejected += 1
                return
        news |= state.identities.get(identity) != before_us
    if not news:
        done.known += 1
        return
    done.taken += 1
    done.new_users += new
    changed[user] = state


_UNKNOWN = UserState()
