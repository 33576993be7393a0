"""The folder of a handbook: written as a whole, and only where nothing else stands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from botopt.authoring.handbook.page import Page
from botopt.model.errors import InputError, UsageError

MARKER = ".botopt-docs.json"
"""The file that says which pages of a folder are ours."""

_OURS = re.compile(r"[a-z0-9_.-]+\.html")


class Marker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the marker file holds."""

    written_by: str
    pages: tuple[str, ...]


def write_handbook(folder: Path, pages: Iterable[Page]) -> tuple[str, ...]:
    """Write the pages, and remove those of an earlier handbook that are no longer among them; their names are returned.

    Raises:
        UsageError: there are other files in the folder.
        InputError: it cannot be read or written.
    """
    try:
        return _write(folder, list(pages))
    except OSError as fault:
        raise InputError(f"{fault.filename or folder}: {fault.strerror or fault}") from fault


def _write(folder: Path, pages: list[Page]) -> tuple[str, ...]:
    before = _earlier(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted(page.name for page in pages)
    # Both lists until all is done: a run that is interrupted leaves nothing that the next one would not take for ours.
    _mark(folder, sorted({*names, *before}))
    for page in pages:
        (folder / page.name).write_bytes(page.html.encode())
    stale = tuple(sorted(set(before) - set(names)))
    for name in stale:
        (folder / name).unlink(missing_ok=True)
    _mark(folder, names)
    return stale


def _mark(folder: Path, names: list[str]) -> None:
    marker = msgspec.json.format(msgspec.json.encode(Marker("botopt docs", tuple(names))), indent=1)
    (folder / MARKER).write_bytes(marker + b"\n")


def _earlier(folder: Path) -> tuple[str, ...]:
    """The pages of the handbook that stands in the folder."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder for the handbook")
    try:
        marker = msgspec.json.decode((folder / MARKER).read_bytes(), type=Marker)
    except FileNotFoundError:
        if folder.is_dir() and any(folder.iterdir()):
            message = f"{folder} holds other files, and botopt docs did not write them; name a new or an empty folder"
            raise UsageError(message) from None
        return ()
    except msgspec.DecodeError:
        message = (
            f"{folder / MARKER} is damaged, so nobody knows which pages are ours; delete the folder, or name another"
        )
        raise UsageError(message) from None
    return tuple(name for name in marker.pages if _OURS.fullmatch(name))
