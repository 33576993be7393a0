"""What decides the findings of a workspace, as one hash: if it is the same, so are they.

That is every byte that is read, what is not read but reported, the code that reads it, and Python and the libraries
that the code stands on. The folder, the time and the environment are no part of it: no finding depends on them.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path

import msgspec

from botopt.loading.snapshot import Snapshot, models_in
from botopt.model.version import VERSION

SIZE = 32
"""Bytes of a key."""

_LIBRARIES = frozenset("babel google-re2 jinja2 markupsafe msgspec pyyaml tzdata".split())
_OPTIONAL = frozenset({"durable-rules"})
_INSTALLED = re.compile(r"(.+)-([^-]+)\.(?:dist|egg)-info")
_PACKAGE = Path(__file__).resolve().parent.parent.parent


def key_of(snapshot: Snapshot, kind: str) -> bytes | None:
    """The key of what `kind` of checks find in a workspace; None where the answer must not be remembered.

    A file that could not be read, or a missing folder, says something about a moment or a place, not about content.
    """
    known = _installation()
    if known is None or not snapshot.has_rules or any(found.code == "B001" for found in snapshot.findings):
        return None
    parts = [known, kind.encode(), msgspec.msgpack.encode(snapshot.findings)]
    for file in snapshot.files:
        if not isinstance(file.data, bytes):
            return None
        parts += (file.kind.encode(), os.fsencode(file.name), file.data)
    if any(isinstance(file.data, bytes) and b"scorer" in file.data for file in snapshot.files):
        for name, data in models_in(snapshot.folder).items():
            if not isinstance(data, bytes):
                return None
            parts += (os.fsencode(name), data)
    return _hash(parts)


def _hash(parts: Iterable[bytes]) -> bytes:
    """A hash of all parts; where one ends and the next begins counts, too."""
    whole = blake2b(digest_size=SIZE)
    for part in parts:
        whole.update(len(part).to_bytes(8, "little"))
        whole.update(part)
    return whole.digest()


@cache
def _installation() -> bytes | None:
    """A hash of botopt, Python and the libraries; None if the version of one cannot be told."""
    versions = _versions(sys.path)
    if not versions.keys() >= _LIBRARIES:
        return None
    told = [VERSION, sys.version, sys.platform, *(f"{name} {version}" for name, version in sorted(versions.items()))]
    return _hash([*(word.encode() for word in told), *_sources()])


def _versions(folders: Iterable[str]) -> dict[str, str]:
    """The versions of the libraries by the names of their folders: to ask the packages themselves takes too long."""
    found: dict[str, str] = {}
    for folder in folders:
        try:
            names = sorted(path.name for path in Path(folder).iterdir())
        except OSError:
            continue
        for installed in filter(None, map(_INSTALLED.fullmatch, names)):
            name = re.sub(r"[-_.]+", "-", installed[1]).lower()
            if name in _LIBRARIES or name in _OPTIONAL:
                found.setdefault(name, installed[2])
    return found


def _sources() -> Iterator[bytes]:
    """In a checkout the version does not say which code runs: the code itself, file by file."""
    if (_PACKAGE.parent / "pyproject.toml").exists():
        for path in sorted(_PACKAGE.rglob("*.py")):
            yield path.relative_to(_PACKAGE).as_posix().encode()
            yield path.read_bytes()
