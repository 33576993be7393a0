"""`botopt new`: answers -> tidy lines of YAML, put where they belong and checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from botopt.authoring.asking_entries import Entry
from botopt.authoring.asking_places import added
from botopt.authoring.fixing import findings
from botopt.loading.snapshot import File, Snapshot, take
from botopt.model.diagnostic import Diagnostic, Severity
from botopt.model.errors import UsageError
from botopt.model.policy import Policy


class Workspace(msgspec.Struct, frozen=True):
    """A workspace as it is: what of it can be read, its files, and what was wrong with it before."""

    folder: Path
    policy: Policy
    snapshot: Snapshot
    found: tuple[Diagnostic, ...]


def look(folder: Path) -> Workspace:
    """The workspace in this folder; an empty one where there is none yet."""
    from botopt.delivery.registry import CHANNEL_TYPES
    from botopt.loading.policy import read_policy

    snapshot = take(folder)
    policy = read_policy(snapshot, channel_types=CHANNEL_TYPES).partial
    return Workspace(folder, policy, snapshot, findings(snapshot))


def place_of(workspace: Workspace, section: str, fallback: str) -> str:
    """The file where an entry of this section goes: the only one that has such a section, else the fallback."""
    holders = [file.name for file in workspace.snapshot.files if _has(file, section)]
    return holders[0] if len(holders) == 1 else fallback


def _has(file: File, section: str) -> bool:
    return isinstance(file.data, bytes) and any(
        line.startswith(f"{section}:".encode()) for line in file.data.split(b"\n")
    )


def planned(workspace: Workspace, entries: Sequence[tuple[str, Entry]]) -> Mapping[str, tuple[str, str]]:
    """Each file that changes, by its name: its text before and after; `entries` stand with the files they go to.

    Raises:
        UsageError: the file cannot take an entry, or the workspace would have an error that it has not now.
    """
    before = {file.name: _text(file) for file in workspace.snapshot.files}
    after = dict(before)
    for name, entry in entries:
        _check_place(name, "templates" if entry.section == "templates" else "rules")
        after[name] = added(name, after.get(name, ""), entry)
    snapshot = _snapshot(workspace.snapshot, {name: text for name, text in after.items() if text != before.get(name)})
    known = {(one.code, one.position.file, one.message) for one in workspace.found}
    for one in findings(snapshot):
        new = (one.code, one.position.file, one.message) not in known
        # B118: there is no folder rules/ yet.
        if one.severity is Severity.ERROR and new and one.code != "B118":
            hint = f" ({one.hint})" if one.hint else ""
            raise UsageError(f"nothing was written: it would be wrong. {one.code}: {one.message}{hint}")
    return {name: (before.get(name, ""), text) for name, text in after.items() if text != before.get(name, "")}


def _check_place(name: str, folder: str) -> None:
    path = PurePosixPath(name)
    odd = ".." in path.parts or any(part.startswith(".") for part in path.parts) or ".test." in path.name
    if odd or path.parts[0] != folder or len(path.parts) == 1 or path.suffix not in (".yaml", ".yml"):
        raise UsageError(f"the file must be one below {folder}/ that ends in .yaml, such as {folder}/orders.yaml")


def _text(file: File) -> str:
    if isinstance(file.data, Diagnostic):
        raise UsageError(f"{file.name}: {file.data.message}")
    return file.data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").replace("\r\n", "\n")


def _snapshot(snapshot: Snapshot, changed: Mapping[str, str]) -> Snapshot:
    files = {file.name: file for file in snapshot.files}
    for name, text in changed.items():
        files[name] = File(name.partition("/")[0], name, text.encode("utf-8", "surrogateescape"))
    return Snapshot(snapshot.folder, tuple(files[name] for name in sorted(files)), snapshot.findings)
