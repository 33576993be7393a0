"""The files of a workspace as they are at one moment; nothing of them is understood yet, and little is imported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from botopt.loading.files import find_files, read_bytes
from botopt.model.diagnostic import Diagnostic

KINDS = ("rules", "templates")
"""The folders whose files are read."""

MODELS = "models"
"""The folder beside them that holds trained models."""


class File(msgspec.Struct, frozen=True):
    """A file: its folder, the name by which findings call it, and its bytes, or why there are none."""

    kind: str
    name: str
    data: bytes | Diagnostic


class Snapshot(msgspec.Struct, frozen=True):
    """All files in the order in which they are read, and findings about what is not read."""

    folder: Path
    files: tuple[File, ...]
    findings: tuple[Diagnostic, ...]

    @property
    def has_rules(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.files) and (self.folder / "rules").is_dir()


def models_in(folder: Path) -> Mapping[str, bytes | Diagnostic]:
    """The model files of a workspace by name, such as `models/clicks.json`."""
    found = sorted((folder / MODELS).rglob("*.json")) if (folder / MODELS).is_dir() else []
    named = ((path, path.relative_to(folder).as_posix()) for path in found)
    return {name: read_bytes(path, name) for path, name in named}


def take(folder: Path) -> Snapshot:
    """Read every file of the workspace in `folder`."""
    files: list[File] = []
    findings: list[Diagnostic] = []
    for kind in KINDS:
        listed = find_files(folder, kind)
        findings += listed.findings
        files += (File(kind, name, read_bytes(path, name)) for path, name in listed.files)
    return Snapshot(folder, tuple(files), tuple(findings))
