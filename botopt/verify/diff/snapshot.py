"""A user's state as it was just before an event, made only when somebody asks for it.

Busy users have long pasts, and hardly any event asks. So nothing is copied beforehand but the little that an event can
change: the rest of the state only grows at its ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from copy import copy

from botopt.engine.hashes import identity
from botopt.model.event import Event
from botopt.model.user_state import UserState


def before(
    state: UserState, other: UserState, event: Event, renamed: Event, foreign: Collection[str]
) -> Callable[[], UserState]:
    """Gives the state as it is now, after the event has been decided; not for `user.*` and `message.*` events.

    `other` is what the new policy left: mutes that only the new policy has (`foreign`) are taken from there. `event` is
    the event to the old policy, `renamed` the same to the new one.
    """
    settled = state.settled
    sends, length = state.sends, len(state.sends)
    pending = [copy(send) for send in sends[settled:]]
    types = {send.event_type for send in pending}
    by_type = {name: copy(tally) for name, tally in state.by_type.items() if name in types}
    total = copy(state.total)
    known = identity(event.key)
    seen_us, repeats = state.identities.get(known), state.repeats.get(known)
    names = {event.type, renamed.type}
    times = {name: len(state.times[name]) for name in names if name in state.times}
    past = {name: len(state.past[name]) for name in names if name in state.past}
    held = list(state.held)
    mutes = {name: copy(mute) for name, mute in state.mutes.items()}
    mutes |= {name: copy(mute) for name, mute in other.mutes.items() if name in foreign}
    clock_us, deleted, floor_us, ignored_run = state.clock_us, state.deleted, state.floor_us, state.ignored_run
    consent = state.consent

    def made() -> UserState:
        return UserState(
            clock_us=clock_us,
            deleted=deleted,
            floor_us=floor_us,
            attributes=state.attributes,
            consent=consent,
            identities={} if seen_us is None else {known: seen_us},
            repeats={} if repeats is None else {known: repeats},
            times={
                name: list(have[: times.get(name, 0)]) if name in names else have for name, have in state.times.items()
            },
            past={
                name: list(have[: past.get(name, 0)]) if name in names else have for name, have in state.past.items()
            },
            sends=[*sends[: length - len(pending)], *map(copy, pending)],
            held=list(held),
            mutes={name: copy(mute) for name, mute in mutes.items()},
            total=copy(total),
            by_type={name: tally for name, tally in state.by_type.items() if name not in types}
            | {name: copy(tally) for name, tally in by_type.items()},
            ignored_run=ignored_run,
            settled=settled,
        )

    return made
