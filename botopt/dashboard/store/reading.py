"""Files of records and events into the table `lines`: all of a new file, and of one that grew what is new."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from botopt.dashboard.store.cache import Seen, has_grown, is_same, look
from botopt.dashboard.store.tables import COLUMNS, COUNT_BAD, DROP_BAD, READ
from botopt.model.errors import InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PACKED = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_BAD = "lines that are neither a decision record nor an event"
_SQLITE = b"SQLite format 3\0"


def known_files(con: DuckDBPyConnection) -> dict[str, tuple[int, Seen]]:
    """Of the files that were read, the number and how they were."""
    rows = con.execute("SELECT path, number, size, mtime_ns, head, tail, read_bytes FROM files").fetchall()
    return {path: (number, Seen(*seen)) for path, number, *seen in rows}


def is_current(con: DuckDBPyConnection, paths: Iterable[Path]) -> bool:
    """Whether these files, and no others, were read as they are now."""
    known = known_files(con)
    paths = list(paths)
    return {str(path) for path in paths} == set(known) and all(is_same(path, known[str(path)][1]) for path in paths)


def can_go_on(con: DuckDBPyConnection, paths: Iterable[Path]) -> bool:
    """Whether every file that was read is still wanted and still begins with what was read."""
    known, wanted = known_files(con), {str(path): path for path in paths}
    return set(known) <= set(wanted) and all(
        is_same(wanted[name], seen) or (_kind(wanted[name]) == "none" and has_grown(wanted[name], seen))
        for name, (_, seen) in known.items()
    )


def read_files(con: DuckDBPyConnection, paths: Iterable[Path]) -> None:
    """Read what was not read before.

    Raises:
        InputError: a file cannot be read to its end.
    """
    known = known_files(con)
    for path in paths:
        if str(path) not in known:
            seen = look(path)
            number = int(_one(con, "SELECT coalesce(max(number), -1) + 1 FROM files"))
            _read(con, path, path, number)
            _note(con, path, number, seen)
        elif not is_same(path, known[str(path)][1]):
            number, before = known[str(path)]
            seen = look(path)
            with tempfile.TemporaryDirectory(prefix="botopt-dashboard-") as folder:
                part = Path(folder) / "new.jsonl"
                with path.open("rb") as source, part.open("wb") as target:
                    source.seek(before.read_bytes)
                    shutil.copyfileobj(source, target, 1 << 20)
                _read(con, part, path, number)
            _note(con, path, number, seen)


def _read(con: DuckDBPyConnection, path: Path, shown: Path, number: int) -> None:
    import duckdb

    first = int(_one(con, "SELECT coalesce(max(seq), 0) FROM lines"))
    compression = _kind(path)
    if compression == "sqlite":
        raise InputError(f"{shown} is a state file, not a log: name it with --state")
    columns = "{" + ", ".join(f"\"{name}\": '{kind}'" for name, kind in COLUMNS.items()) + "}"
    names = {"path": _literal(path), "compression": compression, "first": first, "file": number}
    try:
        con.execute(READ.replace("{COLUMNS}", columns), names)
    except duckdb.Error as fault:
        raise _unreadable(shown, compression) from fault
    row = con.execute(COUNT_BAD, {"first": first}).fetchone()
    count, place = (0, 0) if row is None else row
    if count:
        con.execute(DROP_BAD, {"first": first})
        con.execute("INSERT INTO problems VALUES (?, ?, ?)", [_BAD, count, f"{shown}, line {place - first} or later"])


def _unreadable(path: Path, compression: str) -> InputError:
    if compression == "none":
        return InputError(f"{path} cannot be read as JSON lines: is it what botopt replay --out wrote?")
    return InputError(f"{path} is damaged or cut off: it cannot be unpacked to its end; copy it here again")


def _kind(path: Path) -> str:
    """How it is packed, by its first bytes, whatever it is called."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_SQLITE))
    except OSError as fault:
        raise InputError(f"{path} cannot be read: {(fault.strerror or str(fault)).lower()}") from fault
    if head == _SQLITE:
        return "sqlite"
    return next((name for magic, name in _PACKED if head.startswith(magic)), "none")


def _literal(path: Path) -> str:
    """A path in which no character stands for many files."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def _note(con: DuckDBPyConnection, path: Path, number: int, seen: Seen) -> None:
    con.execute("DELETE FROM files WHERE number = ?", [number])
    con.execute(
        "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
        [number, str(path), seen.size, seen.mtime_ns, seen.head, seen.tail, seen.read_bytes],
    )


def _one(con: DuckDBPyConnection, sql: str) -> int:
    row = con.execute(sql).fetchone()
    assert row is not None
    return int(row[0])
