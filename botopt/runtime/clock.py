"""The clock: the only file that reads it."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Microseconds since 1970 UTC."""


def now_us() -> int:
    """The time of this machine."""
    return time.time_ns() // 1_000
