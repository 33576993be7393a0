"""Times and data typed on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from botopt.model.durations import parse_duration
from botopt.model.errors import UsageError
from botopt.model.instants import instant_us

SAMPLES_AT = "2026-03-02T09:00:00Z"
"""When samples are sent, unless somebody says otherwise: a Monday."""


def moment(option: str, text: str) -> int:
    """Microseconds since 1970 UTC.

    Raises:
        UsageError: the text is no time with an offset.
    """
    try:
        return instant_us(text)
    except ValueError:
        raise UsageError(f'{option}: "{text}" is not a time; write it as 2026-03-01T09:00:00Z') from None


def moment_or_ago(option: str, text: str, newest_us: Callable[[], int | None]) -> int:
    """A time, or a duration like `7d`, which counts back from the newest one there is.

    Raises:
        UsageError: the text is neither, or there is nothing to count back from.
    """
    ago_us = parse_duration(text)
    if ago_us is None:
        try:
            return instant_us(text)
        except ValueError:
            said = f'"{text}" is neither a time nor a duration; write 2026-03-01T09:00:00Z, or 7d for the last 7 days'
            raise UsageError(f"{option}: {said}") from None
    newest = newest_us()
    if newest is None:
        raise UsageError(f"{option}: nothing has a time, so {text} has nothing to count back from")
    return newest - ago_us


def json_object(option: str, text: str) -> dict[str, object]:
    """A JSON object typed on the command line, or in the file after an `@`.

    Raises:
        UsageError: it is no JSON object, or the file cannot be read.
    """
    raw = text
    if text.startswith("@"):
        try:
            raw = Path(text[1:]).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise UsageError(f"{option}: {text[1:]} cannot be read: {fault}") from None
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError as fault:
        raise UsageError(f'{option}: not JSON ({fault}); write it as {{"amount": 42}}') from None
    if not isinstance(value, dict):
        raise UsageError(f'{option}: a JSON object is wanted, such as {{"amount": 42}}')
    return value
