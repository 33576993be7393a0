"""The decisions that a state file keeps, and the answers that its users' states keep."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from botopt.model.decision import Decision
from botopt.model.live import DecisionQuery
from botopt.model.user_state import NEVER_US, unpack
from botopt.state.opening import open_reader, read_store
from botopt.verify.inputs import BROKEN
from botopt.verify.log.lines import Lines, fault_of
from botopt.verify.log.pairing import Fates

_AT_ONCE = 5_000


def read_state(
    path: Path, lines: Lines, decisions: dict[str, Decision], fates: Fates, problem: Callable[[str, str], None]
) -> int | None:
    """Take in the decisions and answers of a state file, also while a service writes to it; the newest time in it.

    Raises:
        StateError: it cannot be read.
    """
    with closing(open_reader(path)) as reader:
        before: int | None = None
        while rows := reader.decisions(DecisionQuery(before=before, limit=_AT_ONCE)):
            for row in rows:
                try:
                    found = lines.read(row.record)
                except BROKEN:
                    problem(fault_of(row.record), f"{path}, decision {row.id}")
                    continue
                if isinstance(found, Decision):
                    decisions.setdefault(found.id, found)
                    fates.kept.add(found.id)
            before = rows[-1].sequence
    newest_us = NEVER_US
    with read_store(path) as store:
        for user in store.users():
            try:
                state = unpack(user.state)
            except msgspec.MsgspecError:
                problem("a user's state that is damaged", f"{path}, user {user.user}")
                continue
            newest_us = max(newest_us, state.clock_us)
            for send in state.sends:
                fates.take(send.id.hex(), send.response, send.response_us)
    return None if newest_us == NEVER_US else newest_us
