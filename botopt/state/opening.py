"""The store that a run wants: a file, or memory."""

from __future__ import annotations

from pathlib import Path

from botopt.model.ports import StateStore
from botopt.state.memory import MemoryStore
from botopt.state.sqlite import open_state


def read_store(path: Path) -> StateStore:
    """An existing state file, only to be read."""
    return open_state(path, create=False, read_only=True)


def open_store(path: Path | None) -> StateStore:
    """A new or existing state file to write, or a store in memory where no path is given."""
    return MemoryStore() if path is None else open_state(path, create=True, read_only=False)
