"""The store that a run, the live service or an administrator wants: a file, or memory."""

from __future__ import annotations

import time
from pathlib import Path

from botopt.model.errors import StateLocked
from botopt.model.live import Control, LiveReader, LiveStore
from botopt.model.ports import StateStore
from botopt.state.control import SqliteControl
from botopt.state.spilling import SpillingStore
from botopt.state.sqlite import open_state

DEFAULT_MEMORY = 512 << 20
"""Bytes that users may take in memory, if nobody says otherwise."""

_SHORT_S = 0.02


def read_store(path: Path) -> StateStore:
    """An existing state file, only to be read."""
    return open_state(path, create=False, read_only=True)


def open_store(path: Path | None, memory: int = DEFAULT_MEMORY) -> StateStore:
    """A new or existing state file to write; where no path is given, memory, and a temporary file beyond it."""
    return SpillingStore(memory) if path is None else open_state(path, create=True, read_only=False)


def open_live(path: Path, patience_s: float = 1.0) -> LiveStore:
    """A new or existing state file, for the writer of the live service.

    An administrator's command may hold it for a moment: that is waited for, `patience_s` at most.

    Raises:
        StateError: as `open_state`.
    """
    end = time.monotonic() + patience_s
    while True:
        try:
            return open_state(path, create=True, read_only=False)
        except StateLocked:
            if time.monotonic() >= end:
                raise
            time.sleep(_SHORT_S)


def open_reader(path: Path) -> LiveReader:
    """An existing state file, to be read beside its writer: one for each thread."""
    return open_state(path, create=False, read_only=True)


def open_control(path: Path, *, create: bool = False) -> Control:
    """A state file for an administrator, also while another process writes to it; with `create` also a new one."""
    return SqliteControl(path, create=create)
