"""A user's state as it was just before an event, made only when somebody asks for it.

Busy users have long pasts, and hardly any event asks. So nothing is copied beforehand but the little that an event can
change: the rest of the state only grows at its ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy

from msgspec.structs import replace

from botopt.engine.engine import Engine
from botopt.engine.hashes import identity
from botopt.model.event import Event
from botopt.model.policy import Mute, Policy
from botopt.model.user_state import MuteState, PastEvent, Send, Tally, UserState, pack

Mutes = Mapping[str, MuteState]


class Before:
    """A state before an event that is about to be decided; not for `user.*` and `message.*` events.

    Make it before the event, and call `made` after it.
    """

    __slots__ = (
        "_by_type",
        "_clock_us",
        "_event",
        "_held",
        "_hours",
        "_length",
        "_mutes",
        "_paces",
        "_past",
        "_pending",
        "_seen_us",
        "_settled",
        "_state",
        "_times",
        "_total",
        "_types",
    )

    def __init__(self, photographer: Photographer, state: UserState, mutes: Mutes, event: Event, name: str) -> None:
        self._state = state
        self._event = event
        self._clock_us = clock_us = state.clock_us
        self._settled = settled = state.settled
        sends = state.sends
        self._length = length = len(sends)
        self._held = list(state.held) if state.held else None
        self._paces = dict(state.paces) if state.paces else None
        self._hours = state.hours
        self._pending: list[Send] | None = None
        now_us = max(clock_us, event.time_us)
        if self._held or (settled < length and sends[settled].time_us + photographer.ignored_after_us <= now_us):
            # Messages may become ignored with this event: that changes them and what is counted of them.
            self._pending = [copy(send) for send in sends[settled:]]
            # So may messages that are released with it.
            self._types = {send.event_type for send in self._pending} | {held.event.type for held in state.held}
            self._by_type = {name: copy(tally) for name, tally in state.by_type.items() if name in self._types}
            self._total = copy(state.total)
        self._times = self._past = None
        if state.times:
            self._times = {each: len(state.times.get(each, ())) for each in (event.type, name)}
        if state.past:
            self._past = {each: len(state.past.get(each, ())) for each in (event.type, name)}
        self._mutes = photographer.mutes(state, mutes) if photographer.has_mutes else None
        self._seen_us = state.identities.get(identity(event.key)) if photographer.must_remember else None

    def made(self, *, duplicate: bool) -> UserState:
        """The state, of which nothing is shared that deciding changes. `duplicate`: the event was one."""
        state = self._state
        known = identity(self._event.key)
        seen_us = state.identities.get(known) if duplicate else self._seen_us
        pending = self._pending
        return UserState(
            clock_us=self._clock_us,
            deleted=state.deleted,
            floor_us=state.floor_us,
            attributes=state.attributes,
            consent=state.consent,
            identities={} if seen_us is None else {known: seen_us},
            times=_times(state.times, self._times),
            past=_past(state.past, self._past),
            sends=state.sends[: self._length]
            if pending is None
            else [*state.sends[: self._settled], *map(copy, pending)],
            held=list(self._held or ()),
            mutes={name: copy(mute) for name, mute in (self._mutes or {}).items()},
            total=state.total if pending is None else copy(self._total),
            by_type=state.by_type if pending is None else self._tallies(),
            ignored_run=state.ignored_run,
            settled=self._settled,
            capped=state.capped,
            active=state.active,
            paces=dict(self._paces or {}),
            hours=self._hours,
        )

    def _tallies(self) -> dict[str, Tally]:
        """Those of other types stay as they are; one that this event began is not there yet."""
        others = {name: tally for name, tally in self._state.by_type.items() if name not in self._types}
        return others | {name: copy(tally) for name, tally in self._by_type.items()}


class Photographer:
    """What has to be looked at, given both policies."""

    def __init__(self, old: Engine, new: Engine) -> None:
        settings = old.policy.settings, new.policy.settings
        self.ignored_after_us = min(one.ignored_after_us for one in settings)
        self.must_remember = settings[0].dedupe_window_us != settings[1].dedupe_window_us
        before, after = _mutes(old.policy), _mutes(new.policy)
        # One that was edited begins and ends at other times, whatever was sent. So it is followed, event by event.
        self._foreign = {name for name, meaning in after.items() if before.get(name) != meaning}
        self.has_mutes = bool(before or after)
        self.follows = bool(self._foreign)

    def before(self, state: UserState, mutes: Mutes, event: Event, name: str) -> Before:
        """The state as it is now.

        Args:
            state: what the old policy left.
            mutes: of those that were edited, or that only the new policy has, what it would have made of this user.
            event: the event to the old policy.
            name: its type to the new one.
        """
        return Before(self, state, mutes, event, name)

    def packed(self, state: UserState, mutes: Mutes) -> bytes:
        """The same state at once, for events of which the little that they change is not known."""
        return pack(replace(state, mutes=self.mutes(state, mutes)) if self._foreign else state)

    def mutes(self, state: UserState, mutes: Mutes) -> dict[str, MuteState]:
        """Copies of both policies' mutes."""
        kept = {name: mute for name, mute in state.mutes.items() if name not in self._foreign}
        return {name: copy(mute) for name, mute in (*kept.items(), *self.followed(mutes).items())}

    def followed(self, mutes: Mutes) -> Mutes:
        """Those among them that were edited, or that only the new policy has."""
        return {name: mute for name, mute in mutes.items() if name in self._foreign}


def _mutes(policy: Policy) -> dict[str, object]:
    """Each mute's meaning, wherever it stands."""
    return {
        mute.id: (mute.kind, mute.events, mute.categories, mute.channels, mute.when and mute.when.condition)
        for mute in policy.suppressions
        if isinstance(mute.kind, Mute)
    }


def _times(times: dict[str, list[int]], lengths: dict[str, int] | None) -> dict[str, list[int]]:
    if lengths is None:
        return {}
    return {name: have[: lengths[name]] if name in lengths else have for name, have in times.items()}


def _past(past: dict[str, list[PastEvent]], lengths: dict[str, int] | None) -> dict[str, list[PastEvent]]:
    if lengths is None:
        return {}
    return {name: have[: lengths[name]] if name in lengths else have for name, have in past.items()}
