"""File names as CI servers want them: relative to the repository, not to the workspace."""

from __future__ import annotations

from pathlib import Path

import msgspec

from botopt.model.position import Position


def root_of(folder: Path) -> Path:
    """The repository that one works in, if the folder is in it; else the folder's own; else where one works."""
    here = Path.cwd()
    ours = _repository(here)
    if ours is not None and folder.is_relative_to(ours):
        return ours
    return _repository(folder) or here


def _repository(start: Path) -> Path | None:
    """The nearest folder from here upwards that holds `.git`."""
    return next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), None)


class Places:
    """Turns names that are relative to one folder into names that are relative to the repository."""

    def __init__(self, folder: Path, root: Path | None = None) -> None:
        self._folder = folder.resolve()
        self._root = root or root_of(self._folder)

    def name(self, file: str) -> str:
        """The name below the repository; one outside of it stays as it is."""
        path = self._folder / file
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else file

    def at(self, position: Position) -> Position:
        """The same place under that name."""
        return msgspec.structs.replace(position, file=self.name(position.file))
