"""File names as CI servers want them: relative to the repository, not to the workspace."""

from __future__ import annotations

from pathlib import Path

import msgspec

from botopt.model.position import Position


def repository(start: Path) -> Path:
    """The nearest folder from here upwards that holds `.git`; where there is none, the folder itself."""
    here = start.resolve()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


class Places:
    """Turns names that are relative to one folder into names that are relative to the repository."""

    def __init__(self, folder: Path, root: Path | None = None) -> None:
        self._folder = folder.resolve()
        self._root = root or repository(Path.cwd())

    def name(self, file: str) -> str:
        """The name below the repository; one outside of it stays as it is."""
        path = self._folder / file
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else file

    def at(self, position: Position) -> Position:
        """The same place under that name."""
        return msgspec.structs.replace(position, file=self.name(position.file))
