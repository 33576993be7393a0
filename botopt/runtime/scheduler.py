"""When messages that were held are due: by the wall clock, so many at a time that fresh events need not wait."""

from __future__ import annotations

import time
from collections.abc import Sequence

from botopt.model.live import LiveStore
from botopt.runtime.receiving import Release

PAGE = 100
"""Users whose held messages are decided in one group."""

_AGAIN_S = 60.0
"""How long a user whose release failed is left alone."""


class Scheduler:
    """Asks the store what is due. Remembers nothing but whose release failed: a restart changes nothing."""

    def __init__(self, store: LiveStore, page: int = PAGE) -> None:
        self._store = store
        self._page = page
        self._failed: dict[str, float] = {}

    def due(self, until_us: int) -> Sequence[Release]:
        """The first of those that are due by then.

        Raises:
            StateError: the store cannot be read.
        """
        now = time.monotonic()
        if self._failed:
            self._failed = {user: at for user, at in self._failed.items() if at > now}
        due = self._store.due(until_us, self._page + len(self._failed))
        return [Release(user, until_us) for _, user in due if user not in self._failed][: self._page]

    def failed(self, user: str) -> None:
        """This user's release raised: others must not wait for it."""
        self._failed[user] = time.monotonic() + _AGAIN_S
