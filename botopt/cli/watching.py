"""Run again whenever a file of the workspace changes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from botopt.loading.stamps import Stamp, folders, stamp
from botopt.model.errors import BotoptError

_LOOK_EVERY_MS = 1_000
"""Where the system tells of no changes (network drives), looking still finds them."""

_SETTLED_S = 0.05
_MOST_LOOKS = 40


def watch(workspace: Path, files: Sequence[Path], run: Callable[[], object]) -> None:
    """Run, wait for a change, and so on until Ctrl-C; mistakes of authors end nothing.

    Files are compared with how they were before the run, so a change while it runs is not lost.

    Raises:
        KeyboardInterrupt: somebody pressed Ctrl-C.
    """
    from botopt.cli.console import out, say
    from botopt.cli.faults import exit_code_of

    while True:
        before = stamp(workspace, files)
        if out().is_terminal:
            out().clear()
        try:
            run()
        except (BotoptError, OSError) as fault:
            exit_code_of(fault)
        sys.stdout.flush()
        say(f"watching {len(before)} files; Ctrl-C ends", "dim")
        _wait(workspace, files, before)


def _wait(workspace: Path, files: Sequence[Path], before: Stamp) -> None:
    """Until something is not as it was. Several changes at once, as editors and git make them, are one."""
    import watchfiles

    changes = watchfiles.watch(
        *folders(workspace, files),
        watch_filter=None,
        recursive=False,
        rust_timeout=_LOOK_EVERY_MS,
        yield_on_timeout=True,
        raise_interrupt=True,
    )
    if stamp(workspace, files) == before:
        any(stamp(workspace, files) != before for _ in changes)
    _settle(workspace, files)


def _settle(workspace: Path, files: Sequence[Path]) -> None:
    """Wait until whoever writes has come to an end: a file that is written is empty at first."""
    for _ in range(_MOST_LOOKS):
        before = stamp(workspace, files)
        time.sleep(_SETTLED_S)
        if stamp(workspace, files) == before:
            return
