"""Beginning a run that can go on after its process died, and going on with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from botopt.model.errors import UsageError
from botopt.model.ports import StateStore
from botopt.verify.appending import DISK, Appending, Disk, exists
from botopt.verify.journal import Journal, check_same, look_at, read_journal

Options = Mapping[str, str | int | None]
"""The options that the output of a run depends on, by the name that people know."""


class Files:
    """The output files of one run, and its journal. Made by `begin` and `resume`; leaving the context closes them."""

    def __init__(self, out: Appending, rejects: Appending | None, journal: Journal | None) -> None:
        self.out = out
        self.rejects = rejects
        self.journal = journal

    def __enter__(self) -> Self:
        """Open already."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close both files; after a fault, what was not written yet is given up."""
        with ExitStack() as both:
            for file in (self.out, self.rejects):
                if file is not None:
                    both.callback(file.close, flush=kind is None)


def begin(
    store: StateStore, out: Path, rejects: Path | None, asked: Options, *, journaled: bool, disk: Disk = DISK
) -> Files:
    """New files for a new run.

    A journal is committed before they are made, so that whoever finds them later knows whose they are. It holds no
    inputs yet: nothing of them has been decided.

    Raises:
        InputError: one exists already, or cannot be made.
    """
    for path in (out, rejects):
        if path is not None and path.exists():
            raise exists(path)
    if not journaled:
        return _create(out, rejects, None, disk)
    journal = Journal((), {**asked, **_paths(out, rejects)})
    store.commit((), meta=journal.meta())
    files = _create(out, rejects, journal, disk)
    files.out.sync_name()
    if files.rejects is not None:
        files.rejects.sync_name()
    return files


def resume(
    store: StateStore, inputs: Sequence[str], out: Path, rejects: Path | None, asked: Options, *, disk: Disk = DISK
) -> Files:
    """The files of the run that the state remembers, cut off where its last commit says; new ones where it has ended.

    Raises:
        UsageError: that run had other inputs or options.
        InputError: an input has changed since, or an output is not as the run left it. Nothing was changed.
    """
    journal = read_journal(store.meta())
    if journal is None:
        return begin(store, out, rejects, asked, journaled=True, disk=disk)
    asked = {**asked, **_paths(out, rejects)}
    same = all(journal.asked.get(name) == value for name, value in asked.items())
    if journal.ended and not (same and journal.inputs == look_at(inputs)):
        return begin(store, out, rejects, asked, journaled=True, disk=disk)
    if journal.inputs:
        check_same(journal, look_at(inputs), asked)
    elif not same:
        raise UsageError(
            f"--resume: a run that has not decided anything yet was to write {journal.asked['--out']}. "
            "Go on with the same files, or begin a new run without --resume"
        )
    first = Appending.reopen(out, journal.out, disk)
    try:
        second = None if rejects is None else Appending.reopen(rejects, journal.rejects, disk)
    except BaseException:
        first.close(flush=False)
        raise
    return Files(first, second, journal)


def check_resumable(inputs: Sequence[str], state: Path | None, out: Path | None) -> None:
    """Refuse `--resume` where a run could not know how far it had come.

    Raises:
        UsageError: without `--state` or `--out`, or for inputs that cannot be read from the middle.
    """
    for option, given in (("--state", state), ("--out", out)):
        if given is None:
            raise UsageError(f"--resume needs {option}: it says how far the run had come")
    for name in inputs:
        if not is_plain(name):
            raise UsageError(
                f"--resume reads on in the middle of a file, and {name} is not a plain one: unpack it first"
            )


def is_plain(name: str) -> bool:
    """Whether an input can be read from its middle: an ordinary file that is not packed."""
    path = Path(name)
    if name == "-" or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            begun = file.read(4)
    except OSError:
        return False
    return not (begun.startswith(b"\x1f\x8b") or begun == b"\x28\xb5\x2f\xfd" or begun[1:] == b"\x2a\x4d\x18")


def _create(out: Path, rejects: Path | None, journal: Journal | None, disk: Disk) -> Files:
    first = Appending.create(out, disk)
    try:
        second = None if rejects is None else Appending.create(rejects, disk)
    except BaseException:
        first.close(flush=False)
        out.unlink(missing_ok=True)
        raise
    return Files(first, second, journal)


def _paths(out: Path, rejects: Path | None) -> dict[str, str | int | None]:
    return {"--out": str(out.absolute()), "--rejects": None if rejects is None else str(rejects.absolute())}
