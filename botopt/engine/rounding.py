"""To how many decimals numbers are rounded before they are compared, and before they stand in records.

Half a unit goes up, in binary: `int(value * 1e9 + 0.5) / 1e9`. `round` looks for the decimals first and takes four
times as long, and every decision rounds five numbers or more. Numbers here are far below a million, so that nothing is
lost.
"""

from __future__ import annotations


def exact(value: float) -> float:
    """A number from 0 up to nine decimals, as scores and thresholds are compared and draws and chances reported."""
    return int(value * 1e9 + 0.5) / 1e9


def rounded(value: float) -> float:
    """A number of either sign to six decimals, as records report scores, thresholds and parts."""
    return int(value * 1e6 + 0.5) / 1e6 if value >= 0 else -(int(0.5 - value * 1e6) / 1e6)
