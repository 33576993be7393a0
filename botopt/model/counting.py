"""Numbers of things, in words."""

from __future__ import annotations


def number_of(number: int, noun: str, *, none: str = "0") -> str:
    """`1 event`, `12,431 events`; `none` stands for nought."""
    return f"{f'{number:,}' if number else none} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """A share as people say it: `21%`, `0.4%`."""
    value = share * 100
    return f"{value:.0f}%" if value >= 9.5 or not value else f"{value:.2g}%"
