"""Ctrl-C between two lines instead of within one."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Self


class Interrupt:
    """While entered, the first Ctrl-C (or SIGTERM) only asks to stop; a second one stops at once.

    Calling it says whether somebody asked.
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: list[tuple[signal.Signals, object]] = []

    def __call__(self) -> bool:
        """Whether to stop before the next line."""
        return self._asked

    def __enter__(self) -> Self:
        """Take over the signals."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before.append((number, signal.signal(number, self._ask)))
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        for number, handler in self._before:
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() returned is what it takes

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
