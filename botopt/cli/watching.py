"""Run again whenever a file of the workspace changes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from botopt.model.errors import BotoptError

_FOLDERS = ("rules", "templates", "tests")
_LOOK_EVERY_MS = 1_000
"""Where the system tells of no changes (network drives), looking still finds them."""

_SETTLED_S = 0.05
_MOST_LOOKS = 40

Stamp = tuple[tuple[str, int, int, int], ...]


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
        *_folders(workspace, files),
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


def stamp(workspace: Path, files: Sequence[Path] = ()) -> Stamp:
    """What tells one version of the files that are read from another."""
    found = []
    for path in (*_policy_files(workspace), *files):
        try:
            about = path.stat()
        except OSError:
            continue
        found.append((str(path), about.st_mtime_ns, about.st_size, about.st_ino))
    return tuple(sorted(set(found)))


def _policy_files(workspace: Path) -> Iterator[Path]:
    from botopt.loading.files import find_files, find_tests

    for folder in ("rules", "templates"):
        yield from (path for path, _ in find_files(workspace, folder).files)
    yield from (path for path, _ in find_tests(workspace))


def _folders(workspace: Path, files: Sequence[Path]) -> list[Path]:
    """Every folder in which a file of the workspace may change or appear."""
    found = {workspace, *(path.parent for path in files)}
    for name in _FOLDERS:
        found.update(Path(folder) for folder, _, _ in os.walk(workspace / name, followlinks=True))
    return sorted(folder for folder in found if folder.is_dir())
