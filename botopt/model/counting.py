"""Numbers of things, in words."""

from __future__ import annotations


def number_of(number: int, noun: str, *, none: str = "0") -> str:
    """`1 event`, `12,431 events`; `none` stands for nought."""
    return f"{f'{number:,}' if number else none} {noun}{'' if number == 1 else 's'}"
