"""What of one user's events became different, and what followed from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.policy import Policy, Suppression
from botopt.model.user_state import MuteState
from botopt.verify.diff.kinds import Kind, is_held, kind_of, message_of
from botopt.verify.diff.report import Change, Link

Order = tuple[int, int]
"""An event's place: the number of its input, and its line there."""

_LONGEST_CHAIN = 20
_FILLED = (Reason.COOLDOWN, Reason.CAPPED, Reason.INHIBITED, Reason.MUTED)
"""Why a message may be silent because of another one."""


class Track:
    """One event under both policies: what became of it so far, and, where that differs, why.

    `key` is its identity. `direct` is None as long as nothing differs.
    """

    __slots__ = ("cause", "direct", "edits", "id", "key", "new", "old", "order", "time_us", "type", "window")

    def __init__(self, order: Order, key: str) -> None:
        self.order = order
        self.key = key
        self.old: Decision | None = None
        self.new: Decision | None = None
        self.time_us = 0
        self.type: str | None = None
        self.id: str | None = None
        self.direct: bool | None = None
        self.edits: tuple[int, ...] = ()
        self.cause: Track | None = None
        self.window: str | None = None

    def see_old(self, decision: Decision) -> None:
        """What became of it under the old policy."""
        self._name(decision)
        self.old = decision

    def see_new(self, decision: Decision) -> None:
        """What became of it under the new policy, by whose name it goes where the type was renamed."""
        self._name(decision)
        self.new = decision
        self.type = decision.event_type

    def _name(self, decision: Decision) -> None:
        if self.old is None and self.new is None:
            self.time_us, self.type, self.id = decision.time_us or 0, decision.event_type, decision.event_id

    @property
    def kind(self) -> Kind | None:
        """How it ends differently, as far as it got."""
        return kind_of(self.old, self.new)

    @property
    def silent(self) -> Decision | None:
        """The decision of which nobody hears, where one policy sends and the other does not."""
        return self.old if message_of(self.old) is None else self.new

    @property
    def matters(self) -> bool:
        """Whether a message came of it, or still may: what is silent in the end leaves nothing behind."""
        return any(one is not None and (one.message is not None or is_held(one)) for one in (self.old, self.new))

    def change(self, kind: Kind, user: str | None) -> Change:
        """It as a value."""
        chain: list[Link] = []
        link = self.cause
        while link is not None and len(chain) < _LONGEST_CHAIN:
            chain.append(Link(link.kind, link.type, link.id, link.time_us))
            link = link.cause
        return Change(
            kind,
            bool(self.direct),
            user,
            self.type,
            self.id,
            self.time_us,
            self.old,
            self.new,
            self.edits,
            self.window,
            tuple(chain),
        )


Open = dict[str, tuple[Track, int]]
"""Held messages and how often each was decided, by the id that its next record will have."""


class Story:
    """One user. `open_old` and `open_new` are the messages that wait under each policy.

    `diverged`: the states that the policies left may differ. `changes` are those that made them differ, in order.
    `noticed`: the user has seen a difference. `mutes`: what the new policy's own mutes would be if the user had got
    what the old one sent; None as long as they are what they are.
    """

    __slots__ = ("changes", "diverged", "mutes", "noticed", "open_new", "open_old")

    def __init__(self) -> None:
        self.diverged = False
        self.noticed = False
        self.mutes: Mapping[str, MuteState] | None = None
        self.open_old: Open = {}
        self.open_new: Open = {}
        self.changes: list[Track] = []

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to watch."""
        return not (self.diverged or self.open_old or self.open_new)

    @property
    def waits(self) -> bool:
        """Whether a message is held."""
        return bool(self.open_old or self.open_new)

    def is_open(self, track: Track) -> bool:
        """Whether this one is."""
        return any(track is one for waiting in (self.open_old, self.open_new) for one, _ in waiting.values())

    def waiting(self) -> Sequence[Track]:
        """Those that are."""
        found = {id(one): one for waiting in (self.open_old, self.open_new) for one, _ in waiting.values()}
        return sorted(found.values(), key=lambda track: track.order)

    def forget(self, since_us: int) -> None:
        """Nothing that was before can have a consequence any more."""
        if self.changes and self.changes[0].time_us < since_us:
            self.changes = [track for track in self.changes if track.time_us >= since_us]


def parts_states(old: Decision | None, new: Decision | None) -> bool:
    """Whether after these decisions a user's states may differ: only sent, held and refused events leave traces."""
    if old is None or new is None:
        known = old or new
        return known is not None and (_leaves(known) or known.outcome is Outcome.REJECTED)
    return (
        _trace(old) != _trace(new)
        or (is_held(old) and old.until_us != new.until_us)
        or (_leaves(old) and (old.time_us, old.event_type) != (new.time_us, new.event_type))
        or (old.message is not None and new.message is not None and old.message.channel != new.message.channel)
    )


def _leaves(decision: Decision) -> bool:
    return decision.outcome in (Outcome.SENT, Outcome.HELD)


def _trace(decision: Decision) -> object:
    if decision.reason is Reason.DUPLICATE:
        return Reason.DUPLICATE
    return decision.outcome if _leaves(decision) or decision.outcome is Outcome.REJECTED else None


class Causes:
    """Finds the change that led to a later one."""

    def __init__(self, old: Policy, new: Policy) -> None:
        self._old, self._new = _by_id(old), _by_id(new)
        self._policies = old, new

    def find(self, story: Story, track: Track) -> None:
        """Set what the track is a consequence of: the send that a record names, else one that filled the window too.

        Where no record names a suppression, it is the last change of a message before.
        """
        before = story.changes
        if not before:
            return
        for decision, named, policy in (
            (track.new, self._new, self._policies[1]),
            (track.old, self._old, self._policies[0]),
        ):
            if decision is None or decision.reason not in _FILLED:
                continue
            found = _named(before, decision.cause) or _in_scope(before, named.get(decision.by or ""), policy)
            if found is not None:
                track.cause, track.window = found, decision.by
                return
        track.cause = next((one for one in reversed(before) if one.matters), before[-1])


def _by_id(policy: Policy) -> Mapping[str, Suppression]:
    return {suppression.id: suppression for suppression in policy.suppressions}


def _named(before: Iterable[Track], cause: str | None) -> Track | None:
    if cause is None:
        return None
    return next((t for t in before if cause in (t.old and t.old.id, t.new and t.new.id)), None)


def _in_scope(before: list[Track], suppression: Suppression | None, policy: Policy) -> Track | None:
    if suppression is None:
        return None
    for track in reversed(before):
        for decision in (track.new, track.old):
            if decision is not None and decision.message is not None and _covers(suppression, decision, policy):
                return track
    return None


def _covers(suppression: Suppression, decision: Decision, policy: Policy) -> bool:
    event_type = policy.events.get(decision.event_type or "")
    category = None if event_type is None else event_type.category
    channel = None if decision.message is None else decision.message.channel
    return (
        (not suppression.events or decision.event_type in suppression.events)
        and (not suppression.categories or category in suppression.categories)
        and (not suppression.channels or channel in suppression.channels)
    )
