"""What came of one policy in one world under one seed."""

from __future__ import annotations

import msgspec


class Figures(msgspec.Struct):
    """Counts. `clicks` are those that were drawn; `expected` is the sum of their true chances, free of the luck of
    single clicks; `oracle` the same of as many messages to the same users by somebody who knows the truth (see
    `closed_loop.oracle`).

    `by_day` holds messages, clicks and `expected` of each day; `users` how many messages each user got on each day.
    `sends` counts messages by template and variant, joined with a slash.
    """

    days: int
    events: int = 0
    messages: int = 0
    clicks: int = 0
    expected: float = 0.0
    oracle: float = 0.0
    conversions: int = 0
    dismissals: int = 0
    unsubscribed: int = 0
    by_day: list[tuple[int, int, float]] = []
    users: list[list[int]] = []
    sends: dict[str, int] = {}

    @property
    def drawn_rate(self) -> float:
        """Clicks per message as they were drawn; 0 without messages."""
        return self.clicks / self.messages if self.messages else 0.0

    @property
    def true_rate(self) -> float:
        """Clicks per message to expect: `drawn_rate` without the luck of single clicks."""
        return self.expected / self.messages if self.messages else 0.0

    @property
    def oracle_rate(self) -> float:
        """The same of the oracle."""
        return self.oracle / self.messages if self.messages else 0.0

    @property
    def per_user_day(self) -> float:
        """Messages for each user and day."""
        return self.messages / (len(self.users) * self.days) if self.users else 0.0
