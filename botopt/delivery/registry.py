"""The channel types that a policy may name, and the options that each takes."""

from __future__ import annotations

from collections.abc import Mapping

CHANNEL_TYPES: Mapping[str, frozenset[str]] = {
    "console": frozenset(),  # shown on the terminal by `botopt replay`
}
