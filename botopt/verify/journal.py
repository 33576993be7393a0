"""How far a run came: what is committed with every batch, so that the run can go on after its process died."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec

from botopt.model.errors import InputError, UsageError
from botopt.model.user_state import NEVER_US
from botopt.state.journal_key import KEY
from botopt.verify.appending import NOTHING, Mark
from botopt.verify.summary import Kept, Summary

_CHUNK = 1 << 20


class Input(msgspec.Struct, frozen=True):
    """An input as it was when the run began: its length in bytes, and a BLAKE2b hash of all of them."""

    name: str
    size: int
    digest: str


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where to read on: the input, the byte at which its next line begins, and that line's number."""

    input_number: int = 0
    position: int = 0
    line: int = 1


class Journal(msgspec.Struct, frozen=True):
    """One run at its last commit. `asked` are the options that its output depends on."""

    inputs: tuple[Input, ...]
    asked: dict[str, str | int | None]
    place: Place = Place()
    out: Mark = NOTHING
    rejects: Mark = NOTHING
    newest_us: int = NEVER_US
    shown: int = 0
    summary: Kept = Summary().keep()
    undeclared: tuple[tuple[str, str, int], ...] = ()
    ended: bool = False

    def meta(self) -> dict[str, str]:
        """The meta value to commit."""
        return {KEY: msgspec.json.encode(self).decode()}


def read_journal(meta: Mapping[str, str]) -> Journal | None:
    """The journal of the last run that wrote this state, if it kept one."""
    if not meta.get(KEY):
        return None
    try:
        return msgspec.json.decode(meta[KEY], type=Journal)
    except msgspec.MsgspecError:
        return None  # of another version


def look_at(names: Sequence[str]) -> tuple[Input, ...]:
    """The inputs as they are now, read from end to end: about a second for each gigabyte.

    Raises:
        InputError: one cannot be read.
    """
    found = []
    for name in names:
        digest = blake2b(digest_size=16)
        size = 0
        try:
            with Path(name).open("rb", buffering=0) as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
        except OSError as fault:
            raise InputError(f"{name} cannot be read: {(fault.strerror or str(fault)).lower()}") from fault
        found.append(Input(name, size, digest.hexdigest()))
    return tuple(found)


def check_same(journal: Journal, inputs: Sequence[Input], asked: Mapping[str, str | int | None]) -> None:
    """Refuse to go on with a run that was another one.

    Raises:
        UsageError: other inputs or options; nothing was changed.
        InputError: an input has other contents now.
    """
    before, now = [one.name for one in journal.inputs], [one.name for one in inputs]
    if len(before) != len(now):
        raise UsageError(f"--resume: the run that this state remembers read {', '.join(before)}")
    for old, new in zip(journal.inputs, inputs, strict=True):
        if (old.size, old.digest) != (new.size, new.digest):
            sizes = f": {old.size:,} bytes then, {new.size:,} now" if old.size != new.size else ""
            raise InputError(
                f"{new.name} is not what the run began with ({old.name}{sizes}). It cannot go on: begin anew, "
                "with another --state and --out."
            )
    for name, value in asked.items():
        if journal.asked.get(name) != value:
            then = journal.asked.get(name)
            raise UsageError(
                f"--resume: the run began with another {name}: {'none' if then is None else then} then, "
                f"{'none' if value is None else value} now"
            )
