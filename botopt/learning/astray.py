"""Events whose times lie far from the learner's clock: mistakes of single clocks, or time that has moved on.

Such events move the clock when `IN_A_ROW` of them came in a row, of `USERS` users. So one wrong time cannot stop
learning, neither can all the times of one user, and a file about another month is followed after a few lines. Where
fewer users were ever met at a boundary or in such a row, as many are enough; and where nobody else says anything for
`ALONE` events, one is.
"""

from __future__ import annotations

from zlib import crc32

IN_A_ROW = 20
USERS = 3
ALONE = 1_000


class Astray:
    """How many events in a row were astray, the ordinal of the last, the earliest time among them, and whose they were.

    `met` are users whom the learner met at boundaries. Of `users` and `met` no more are kept than matter, and only 16
    bits of a hash of each, which name nobody.
    """

    __slots__ = ("at", "count", "met", "us", "users")

    def __init__(
        self, count: int = 0, at: int = -1, us: int = 0, users: tuple[int, ...] = (), met: tuple[int, ...] = ()
    ) -> None:
        self.count = count
        self.at = at
        self.us = us
        self.users = users
        self.met = met

    def take(self, user: str, time_us: int, ordinal: int) -> None:
        """One more event was astray."""
        follows = ordinal == self.at + 1
        self.count = self.count + 1 if follows else 1
        self.us = min(self.us, time_us) if follows else time_us
        self.users = _with(self.users if follows else (), _short(user))
        self.at = ordinal

    def meet(self, user: str) -> None:
        """An event of the user's is a boundary: whatever was astray before it, was."""
        self.count, self.at, self.users = 0, -1, ()
        self.met = _with(self.met, _short(user))

    @property
    def moves(self) -> bool:
        """Whether they move the clock."""
        if self.count < IN_A_ROW:
            return False
        anybody = len({*self.users, *self.met})
        return len(self.users) >= min(USERS, anybody) or self.count >= ALONE

    def moved(self) -> None:
        """The clock was moved; users who moved it were met there."""
        for one in self.users:
            self.met = _with(self.met, one)
        self.count, self.at, self.users = 0, -1, ()


def _short(user: str) -> int:
    return crc32(user.encode()) & 0xFFFF


def _with(known: tuple[int, ...], one: int) -> tuple[int, ...]:
    return known if len(known) >= USERS or one in known else (*known, one)
