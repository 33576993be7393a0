"""Which files of a workspace are read, and their bytes."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import msgspec

from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic
from botopt.model.position import Position

MAX_BYTES = 16 << 20
"""A larger file is no policy: this is room for tens of thousands of event types."""

_SUFFIXES = (".yaml", ".yml")
_ON_PURPOSE = re.compile(r"\.(?:bak|orig|old|off|disabled|tmp|swp|save)$|~$", re.IGNORECASE)


class Found(msgspec.Struct, frozen=True):
    """The files below one folder, by path, each with the name by which findings call it."""

    files: tuple[tuple[Path, str], ...] = ()
    findings: tuple[Diagnostic, ...] = ()


def find_files(workspace: Path, folder: str) -> Found:
    """Every policy file below `workspace/folder`; hidden ones and rule tests are left out."""
    files: list[tuple[Path, str]] = []
    findings: list[Diagnostic] = []
    if not (workspace / folder).is_dir():
        return Found()
    for path, shown in _walk(workspace / folder, folder, findings):
        if path.name.endswith(tuple(f".test{suffix}" for suffix in _SUFFIXES)):
            continue
        if path.name.endswith(_SUFFIXES):
            files.append((path, shown))
        elif _looks_like_policy(path.name):
            message = "this file is not read: its name does not end in .yaml or .yml"
            findings.append(finding("B120", Position(shown), message, "rename it, or move it to another folder"))
    return Found(tuple(sorted(files, key=lambda file: file[1])), tuple(findings))


def find_tests(workspace: Path) -> Iterator[tuple[Path, str]]:
    """Every file of rule tests below rules/, templates/ and tests/, by name."""
    suffixes = tuple(f".test{suffix}" for suffix in _SUFFIXES)
    for folder in ("rules", "templates", "tests"):
        if (workspace / folder).is_dir():
            found = [file for file in _walk(workspace / folder, folder, []) if file[0].name.endswith(suffixes)]
            yield from sorted(found, key=lambda file: file[1])


def _walk(top: Path, shown: str, findings: list[Diagnostic]) -> Iterator[tuple[Path, str]]:
    """Every file; a folder that is reached twice (by a link) is read once."""
    seen: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        place = Path(error.filename or top)
        name = f"{shown}/{place.relative_to(top).as_posix()}" if place != top else shown
        message = f"this folder cannot be read: {error.strerror}"
        findings.append(finding("B001", Position(name), message, "check that you may read it"))

    for folder, folders, files in os.walk(top, onerror=unreadable, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        within = Path(folder).relative_to(top).as_posix()
        prefix = shown if within == "." else f"{shown}/{within}"
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(folder) / name, f"{prefix}/{name}"


def _looks_like_policy(name: str) -> bool:
    lower = name.lower()
    if _ON_PURPOSE.search(lower):
        return False
    suffix = lower.rpartition(".")[2]
    return ".yaml" in lower or ".yml" in lower or bool(get_close_matches(suffix, ("yaml", "yml"), cutoff=0.7))


def read_bytes(path: Path, shown: str) -> bytes | Diagnostic:
    """All bytes of a file, or the finding that says why there are none; `shown` is its name there."""
    try:
        return _bytes(path)
    except OSError as error:
        message = f"this file cannot be read: {_in_words(path, error)}"
        return finding("B001", Position(shown), message, "check that it exists and that you may read it")


def _bytes(path: Path) -> bytes:
    """All bytes of a file; of what has no end, or would make its reader wait, none."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(None, "it is a pipe or a device, not a file")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OSError(None, f"it is larger than {MAX_BYTES >> 20} MB")
    return data


def _in_words(path: Path, error: OSError) -> str:
    if path.is_symlink() and not path.exists():
        return f"it is a link to {path.readlink()}, which is not there"
    return error.strerror or str(error)


def no_rules(workspace: Path) -> Diagnostic:
    """The finding for a workspace that holds no rules."""
    if not workspace.is_dir():
        what = "is a file, not a folder" if workspace.exists() else "does not exist"
        message = f"the workspace {workspace} {what}"
        return finding("B118", Position("."), message, "name the folder that holds rules/ and templates/")
    folder = workspace / "rules"
    if folder.is_dir():
        hint = "add one, such as rules/events.yaml; botopt init writes an example"
        return finding("B118", Position("rules"), "there is no .yaml file in rules/", hint)
    if folder.exists():
        return finding("B118", Position("rules"), "rules is a file, and must be a folder", "make it rules/rules.yaml")
    message = "there is no folder rules/ in this workspace"
    return finding("B118", Position("rules"), message, _rules_hint(workspace))


def _rules_hint(workspace: Path) -> str:
    names = sorted(path.name for path in workspace.iterdir() if path.is_dir())
    near = get_close_matches("rules", [name.lower() for name in names], n=1, cutoff=0.7)
    actual = next((name for name in names if near and name.lower() == near[0]), "")
    if actual:
        return f"rename {actual}/ to rules/"
    inner = next((name for name in names if (workspace / name / "rules").is_dir()), "")
    if inner:
        return f"name the folder {inner}, which holds rules/"
    if workspace.resolve().name in {"rules", "templates"}:
        return "name the folder above this one"
    if any(path.suffix in _SUFFIXES for path in workspace.iterdir()):
        return "make a folder rules/ and move the files with rules into it"
    return "name the folder that holds rules/ and templates/, or make one with botopt init"
