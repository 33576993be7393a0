"""Who is told what the writer does: logs, metrics, delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from botopt.model.decision import Decision


class Hooks(msgspec.Struct, frozen=True, kw_only=True):
    """What the writer calls, in its own thread and after a commit. Whatever they raise is reported and forgotten.

    `decided`: the decisions of a group. `committed`: how many tasks it was, and how many seconds the commit took.
    `outbox`: messages on these channels may be due; None: on any.
    `failed`: something raised that should not have; a sentence, and what it was.
    """

    decided: Callable[[Sequence[Decision]], None] = lambda _: None
    committed: Callable[[int, float], None] = lambda _, __: None
    outbox: Callable[[frozenset[str] | None], None] = lambda _: None
    failed: Callable[[str, BaseException], None] = lambda _, __: None

    def call(self, hook: Callable[..., None], *arguments: object) -> None:
        """Tell it. A fault in a log or a metric stops no message."""
        try:
            hook(*arguments)
        except Exception as fault:  # noqa: BLE001 whatever it is
            self.report("a hook of the service failed", fault)

    def report(self, words: str, fault: BaseException) -> None:
        """Something raised that should not have."""
        with suppress(Exception):  # who reports faults has one: there is nobody left to tell
            self.failed(words, fault)
