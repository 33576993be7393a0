"""A state file, read beside its writer: the decisions that it keeps, and the answers that its users' states keep."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from botopt.dashboard.store.reading import read_files
from botopt.model.live import DecisionQuery
from botopt.model.user_state import unpack
from botopt.state.opening import open_reader, read_store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AT_ONCE = 5_000


def copy_out(con: DuckDBPyConnection, path: Path) -> int:
    """Decisions into `lines`, answers into `stated`, time zones into `stated_zones`; the newest time of its users.

    Raises:
        StateError: it cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="botopt-dashboard-") as folder:
        copy = Path(folder) / "decisions.jsonl"
        with closing(open_reader(path)) as reader, copy.open("wb") as file:
            before: int | None = None
            while rows := reader.decisions(DecisionQuery(before=before, limit=_AT_ONCE)):
                file.writelines(row.record.rstrip(b"\n") + b"\n" for row in rows)
                before = rows[-1].sequence
        read_files(con, [copy])
    con.execute("DELETE FROM files")
    answers: list[tuple[str, str, int]] = []
    zones: list[tuple[str, str]] = []
    damaged, newest_us = 0, 0
    with read_store(path) as store:
        for user in store.users():
            try:
                state = unpack(user.state)
            except msgspec.MsgspecError:
                damaged += 1
                continue
            newest_us = max(newest_us, state.clock_us)
            answers.extend((send.id.hex(), send.response.name.lower(), send.response_us) for send in state.sends)
            zone = state.attributes.get("timezone")
            if isinstance(zone, str):
                zones.append((user.user, zone))
    insert(con, answers, zones)
    if damaged:
        con.execute("INSERT INTO problems VALUES (?, ?, ?)", ["users whose state is damaged", damaged, str(path)])
    return newest_us


def insert(con: DuckDBPyConnection, answers: list[tuple[str, str, int]], zones: list[tuple[str, str]]) -> None:
    """Put answers and zones into their tables."""
    if answers:
        ids, words, times = (list(column) for column in zip(*answers, strict=True))
        con.execute(
            "INSERT INTO stated SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::BIGINT[])",
            [ids, words, times],
        )
    if zones:
        users, names = (list(column) for column in zip(*zones, strict=True))
        con.execute("INSERT INTO stated_zones SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[])", [users, names])
