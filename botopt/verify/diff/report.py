"""What two replays differ in."""

from __future__ import annotations

import msgspec

from botopt.model.decision import Decision
from botopt.verify.diff.edits import Edit
from botopt.verify.diff.kinds import SEEN, Kind


class Link(msgspec.Struct, frozen=True):
    """An earlier change that led to a later one. `kind` is None where that event ended as before, only not at once."""

    kind: Kind | None
    event_type: str | None
    event_id: str | None
    time_us: int


class Change(msgspec.Struct, frozen=True):
    """One event that ends differently; `old` and `new` are what became of it in the end, None for no decision.

    `direct`: the new policy decides differently even about the user as the old one left them. Otherwise it is a
    consequence of what changed before: `chain` goes back to a direct change, the nearest first, and `window` is the
    suppression that passed it on, None where it was something else (what the user clicked, fatigue). `edits` are the
    changes of the policy (numbers in `Difference.edits`) that it goes back to.
    """

    kind: Kind
    direct: bool
    user: str | None
    event_type: str | None
    event_id: str | None
    time_us: int
    old: Decision | None
    new: Decision | None
    edits: tuple[int, ...] = ()
    window: str | None = None
    chain: tuple[Link, ...] = ()


class Consequence(msgspec.Struct, frozen=True):
    """Events of one type to which the same happened, because the same had happened before to others.

    `window` is the suppression that passed it on; `reason` is why those are silent, with one policy or the other.
    `because_type` and `because` are the type and the change of the event before.
    """

    kind: Kind
    event_type: str
    reason: str
    window: str | None
    because: Kind | None
    because_type: str
    edits: tuple[int, ...]
    events: int
    example: Change | None = None


class Busy(msgspec.Struct, frozen=True):
    """A user's messages of one day (UTC), which begins at `day_us`."""

    messages: int
    user: str
    day_us: int


class Load(msgspec.Struct, frozen=True):
    """What users get. `days` says on how many days a user got so many messages: `{1: 900, 2: 40}`."""

    messages: int = 0
    users: int = 0
    days: dict[int, int] = {}
    busiest: tuple[Busy, ...] = ()

    @property
    def most(self) -> int:
        """The most messages that a user got in a day."""
        return max(self.days, default=0)

    @property
    def mean(self) -> float:
        """Messages in a day of a user who got any."""
        days = sum(self.days.values())
        return self.messages / days if days else 0.0

    def quantile(self, share: float) -> int:
        """So many messages or fewer on this share of the days on which users got any."""
        left = share * sum(self.days.values())
        for messages in sorted(self.days):
            left -= self.days[messages]
            if left <= 0:
                return messages
        return 0

    def over(self, limit: int) -> int:
        """On how many days a user got more messages than that."""
        return sum(days for messages, days in self.days.items() if messages > limit)


class Affected(msgspec.Struct, frozen=True):
    """How many messages a user got, before and after."""

    user: str
    old: int
    new: int


class Difference(msgspec.Struct, frozen=True):
    """The whole comparison. Tuples are sorted, so equal inputs give equal bytes.

    Args:
        edits: what an author changed.
        lines: lines of the input.
        decided: events about which at least one of the policies decides.
        counts: (kind, direct) -> events.
        by_type: (event type, kind) -> events.
        moves: (event type, from, to) -> events whose outcome or reason changed; `sent`, a reason or `no decision`.
        by_edit: (number in `edits`, kind, direct) -> events; an event may go back to several edits.
        consequences: what happened because of something else, the most frequent first.
        samples: some changes of each kind.
        old, new: what users get.
        affected: the users whose number of messages changed most.
        users: users about whom at least one of the policies decided.
        users_changed: users with at least one change that they notice.
    """

    edits: tuple[Edit, ...]
    lines: int
    decided: int
    counts: tuple[tuple[Kind, bool, int], ...]
    by_type: tuple[tuple[str, Kind, int], ...]
    moves: tuple[tuple[str, str, str, int], ...]
    by_edit: tuple[tuple[int, Kind, bool, int], ...]
    consequences: tuple[Consequence, ...]
    samples: tuple[Change, ...]
    old: Load
    new: Load
    affected: tuple[Affected, ...]
    users: int
    users_changed: int

    def count(self, *kinds: Kind, direct: bool | None = None) -> int:
        """Events of these kinds."""
        return sum(number for kind, one, number in self.counts if kind in kinds and (direct is None or one is direct))

    @property
    def seen(self) -> int:
        """Events of which users notice the change."""
        return self.count(*SEEN)

    @property
    def share(self) -> float:
        """The part of all decided events of which users notice the change, 0 to 1."""
        return self.seen / self.decided if self.decided else 0.0
