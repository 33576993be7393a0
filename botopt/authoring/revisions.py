"""A workspace as it was: the files of a git revision, read with `git` into a folder of their own."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path, PurePosixPath

from botopt.loading.snapshot import KINDS, MODELS
from botopt.model.errors import InputError, UsageError

_SHALLOW = "; a shallow clone holds only the last commits: git fetch --unshallow, or fetch-depth: 0 in a workflow"


class _NoRepositoryError(InputError):
    """Here git has nothing to say."""


def is_workspace(text: str) -> bool:
    """Whether this names a folder, and no revision: a folder with rules wins over a branch of that name."""
    return Path(text).is_dir() and ((Path(text) / "rules").is_dir() or text in (".", "..") or "/" in text)


def endpoints(old: str, new: str | None) -> tuple[str, str | None]:
    """The two ends of a comparison: `main..HEAD` and `main...HEAD` are both ends in one word.

    `main...HEAD` begins where HEAD left main, and stands for the merge base as `main...HEAD` again.

    Raises:
        UsageError: three ends are given.
    """
    if ".." not in old or is_workspace(old):
        return old, new
    if new is not None:
        raise UsageError(f'"{old}" names both ends already: leave out "{new}"')
    first, dots, last = old.partition("..." if "..." in old else "..")
    return (f"{first}...{last or 'HEAD'}" if dots == "..." else first or "HEAD"), last or "HEAD"


def check_out(revision: str, workspace: Path, folder: Path) -> str:
    """Write the workspace's files of a revision into an empty folder; the short id of the commit.

    Raises:
        UsageError: git does not know the revision, or there is no workspace in it.
        InputError: there is no git, or no repository.
    """
    here = _existing(workspace)
    try:
        top = Path(_git(here, "rev-parse", "--show-toplevel").decode().strip())
    except _NoRepositoryError:
        raise InputError(
            f'"{revision}" is no workspace folder (with rules/ in it), and no revision, for {here} is in no git '
            "repository: compare two folders, or go where the repository is"
        ) from None
    inside = PurePosixPath(workspace.resolve().relative_to(top.resolve()).as_posix())
    commit = _commit(top, revision)
    paths = [str(inside / kind) for kind in (*KINDS, MODELS)]
    known = set(_git(top, "ls-tree", "-d", "--name-only", "-z", commit, "--", *paths).decode().split("\0"))
    present = [path for path in paths if path in known]
    if str(inside / "rules") not in present:
        where = "." if str(inside) == "." else str(inside)
        raise UsageError(f'there is no workspace in "{revision}": {where} has no rules/ there (-w names the folder)')
    with tarfile.open(fileobj=io.BytesIO(_git(top, "archive", "--format=tar", commit, "--", *present))) as archive:
        _unpack(archive, folder)
    return _git(top, "rev-parse", "--short", commit).decode().strip()


def _unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """The ordinary files of an archive; links and whatever would lie outside are left out.

    `extractall(filter=…)` does the same, but Python has it only since 3.11.4.
    """
    for member in archive:
        path = PurePosixPath(member.name)
        file = archive.extractfile(member) if member.isfile() else None
        if file is not None and not path.is_absolute() and ".." not in path.parts:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read())


def workspace_in(folder: Path, workspace: Path) -> Path:
    """Where `check_out` has put the workspace."""
    top = Path(_git(_existing(workspace), "rev-parse", "--show-toplevel").decode().strip())
    return folder / workspace.resolve().relative_to(top.resolve())


def _existing(workspace: Path) -> Path:
    """The workspace may have been removed since."""
    return next(folder for folder in (workspace.resolve(), *workspace.resolve().parents) if folder.is_dir())


def _commit(top: Path, revision: str) -> str:
    if "..." in revision:
        first, _, last = revision.partition("...")
        ends = [_commit(top, first or "HEAD"), _commit(top, last or "HEAD")]
        try:
            return _git(top, "merge-base", *ends).decode().strip()
        except InputError:
            raise UsageError(f'"{first}" and "{last}" have no common commit{_SHALLOW}') from None
    try:
        return (
            _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
        )
    except InputError:
        raise UsageError(
            f'"{revision}" is neither a workspace folder (with rules/ in it) nor a revision that git knows{_SHALLOW}'
        ) from None


def _git(folder: Path, *args: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *args], capture_output=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        raise InputError("git is not installed: install it, or compare two folders") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ").partition("\n")[0]
        if "not a git repository" in said:
            raise _NoRepositoryError(f"{folder} is in no git repository")
        raise InputError(f"git {args[0]}: {said or 'it failed'}")
    return done.stdout
