"""What the tests of stores share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

import botopt
from botopt.model.decision import Message
from botopt.model.event import Event
from botopt.model.live import DecisionRow, OutboxRow, Parcel, pack_parcel
from botopt.model.ports import UserRow

ROOT = Path(str(botopt.__file__)).parent.parent
T = 1_772_355_600_000_000  # 2026-03-01T09:00:00Z


def row(user: str, *, at_us: int = T, held: int = 0, due_us: int | None = None, state: bytes = b"state") -> UserRow:
    return UserRow(user, at_us, None, None, held, due_us, state)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another Python process; it runs until its standard input is closed, if it waits for that."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    return line or process.stderr.read()


def end(process: subprocess.Popen[str], *, kill: bool = False) -> None:
    if kill:
        process.kill()
    process.communicate()


def as_anybody(function: Callable[[], object]) -> str:
    """What a function returns or raises when it is run without root's rights, which would open everything."""
    if os.geteuid() != 0:
        return _said(function)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgid(65534)
            os.setuid(65534)
            os.write(write, _said(function).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def _said(function: Callable[[], object]) -> str:
    try:
        return repr(function())
    except Exception as fault:  # noqa: BLE001 the other process tells this one
        return f"{type(fault).__name__}: {fault}"


def decision(id: str, user: str | None = "ada", *, at_us: int = T, **changes: object) -> DecisionRow:
    made = DecisionRow(
        id, user, f"event-{id}", "payment_failed", at_us, "sent", None, f'{{"id":"{id}"}}\n'.encode(), at_us
    )
    return replace(made, **changes)


def parcel(text: str = "Hello.", user: str = "ada", id: str = "m1") -> bytes:
    message = Message(id, "hello", "only", "en", "chat", text)
    return pack_parcel(Parcel(message, Event("e1", "", "payment_failed", user, T, {"amount": 42.0})))


def sending(key: str, user: str = "ada", *, at_us: int = T, **changes: object) -> OutboxRow:
    made = OutboxRow(
        key=key,
        message_id=key.partition(":")[0],
        user=user,
        channel="chat",
        created_us=at_us,
        next_us=at_us,
        changed_us=at_us,
        parcel=parcel(user=user),
    )
    return replace(made, **changes)
