"""What every channel's thread needs of the rest of the service."""

from __future__ import annotations

from collections.abc import Callable

from botopt.runtime.clock import Clock
from botopt.runtime.delivering.outgoing import LinkFor, TimeFields
from botopt.runtime.delivering.watching import Unwatched, Watching
from botopt.runtime.items import Writing


class World:
    """The writer, the clocks, chance, and who looks on.

    Args:
        writing: the writer.
        next_us: when the next pending message of a channel may be tried, as the disk has it; None: there is none. It is
            called from many threads, and sees what a future of the writer has promised.
        now_us: the wall clock.
        monotonic_us: a clock for durations, in microseconds.
        chance: a number from [0, 1), another each time.
        link_for: makes the link that a user gets.
        watching: who looks on.
    """

    def __init__(
        self,
        writing: Writing,
        *,
        next_us: Callable[[str], int | None],
        now_us: Clock,
        monotonic_us: Callable[[], int],
        chance: Callable[[], float],
        link_for: LinkFor,
        watching: Watching | None = None,
    ) -> None:
        self.writing = writing
        self.next_us = next_us
        self.now_us = now_us
        self.monotonic_us = monotonic_us
        self.chance = chance
        self.link_for = link_for
        self.watching: Watching = Unwatched() if watching is None else watching
        self.times: TimeFields = {}
        """The fields that hold times, of the policy that is in force."""
        self.wake: Callable[[str], None] = lambda _: None
        """Tells a channel that there may be something for it."""
