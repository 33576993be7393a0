"""What tells one version of a workspace's files from another, without reading them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from botopt.loading.files import find_files, find_tests

_FOLDERS = ("rules", "templates", "tests")

Stamp = tuple[tuple[str, int, int, int], ...]


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
    for folder in ("rules", "templates"):
        yield from (path for path, _ in find_files(workspace, folder).files)
    yield from (path for path, _ in find_tests(workspace))


def folders(workspace: Path, files: Sequence[Path]) -> list[Path]:
    """Every folder in which a file of the workspace may change or appear."""
    found = {workspace, *(path.parent for path in files)}
    for name in _FOLDERS:
        found.update(Path(folder) for folder, _, _ in os.walk(workspace / name, followlinks=True))
    return sorted(folder for folder in found if folder.is_dir())
