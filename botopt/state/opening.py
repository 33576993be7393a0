"""The store that a run wants: a file, or memory."""

from __future__ import annotations

from pathlib import Path

from botopt.model.ports import StateStore
from botopt.state.spilling import SpillingStore
from botopt.state.sqlite import open_state

DEFAULT_MEMORY = 512 << 20
"""Bytes that users may take in memory, if nobody says otherwise."""


def read_store(path: Path) -> StateStore:
    """An existing state file, only to be read."""
    return open_state(path, create=False, read_only=True)


def open_store(path: Path | None, memory: int = DEFAULT_MEMORY) -> StateStore:
    """A new or existing state file to write; where no path is given, memory, and a temporary file beyond it."""
    return SpillingStore(memory) if path is None else open_state(path, create=True, read_only=False)
