"""What the commands of operators share: the state file of a service, who asks, times in words."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

from botopt.model.condition import duration_text
from botopt.model.instants import instant_text

ServiceState = Annotated[
    Path, typer.Option("--state", help="The state file of the service; it may be running meanwhile.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
_HOUR_US = 60 * _MINUTE_US
_DAY_US = 24 * _HOUR_US


def operator() -> str:
    """The name of the user of this operating system who runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container whose user has no name
        return f"user {os.getuid()}"


def later_us(for_option: str, for_text: str, now_us: int) -> int:
    """So long after now.

    Raises:
        UsageError: the text is no duration.
    """
    from botopt.model.durations import parse_duration
    from botopt.model.errors import UsageError

    us = parse_duration(for_text)
    if us is None:
        raise UsageError(f'{for_option}: "{for_text}" is no duration; write 30m, 2h, 7d or 1h30m, at most ten years')
    return now_us + us


def until_us(option: str, text: str, now_us: int) -> int:
    """A time that is still to come.

    Raises:
        UsageError: it is none, or over.
    """
    from botopt.cli.moments import moment
    from botopt.model.errors import UsageError

    us = moment(option, text)
    if us <= now_us:
        raise UsageError(f"{option}: {instant_text(us)} is over; it is {second_text(now_us)} now")
    return us


def second_text(us: int) -> str:
    """A time to the second, as people read it."""
    return instant_text(us - us % _SECOND_US)


def about(us: int) -> str:
    """A length of time, not more exact than people want it: `1h40m`, `3d2h`."""
    for unit, smaller in ((_DAY_US, _HOUR_US), (_HOUR_US, _MINUTE_US)):
        if us >= unit:
            return duration_text(us - us % smaller)
    return duration_text(max(us - us % _SECOND_US, _SECOND_US))


def when(us: int, now_us: int) -> str:
    """A time and how far it is: `in 1h40m (2026-03-01T10:40:00Z)`, `2h ago (…)`."""
    far = f"in {about(us - now_us)}" if us > now_us else f"{about(now_us - us)} ago"
    return f"{far} ({second_text(us)})"
