"""A workspace's findings: reading it, then every check on what was read.

What was found before is remembered by content (`cache`), so an unchanged workspace is not even read as YAML. That is
why nothing that reads or checks is imported before it is known to be needed.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from botopt.loading.snapshot import Snapshot, take
from botopt.model.diagnostic import Diagnostic, has_errors, in_order
from botopt.model.errors import PolicyError
from botopt.model.policy import Policy
from botopt.verify.cache.key import key_of
from botopt.verify.cache.packing import pack, unpack, unplaced
from botopt.verify.cache.store import find, keep

if TYPE_CHECKING:
    from botopt.loading.policy import Loaded
    from botopt.verify.checks import Check

_ALL, _NEEDED = "all", "needed"
"""The kinds of checks whose findings are remembered."""


class Validation(msgspec.Struct, frozen=True):
    """Every finding of a workspace. `policy` is None when one of them is an error; `allowed` counts those that comments
    in the files allow, which are not among them.
    """

    policy: Policy | None
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]
    allowed: int = 0


def validate(folder: Path | str) -> Validation:
    """All findings of the workspace in `folder`, in one run."""
    snapshot = take(Path(folder))
    return _remembered(snapshot, _ALL) or _found(snapshot, _ALL)


def load(folder: Path | str) -> Policy:
    """The policy of the workspace in `folder`.

    Raises:
        PolicyError: it has errors; the exception carries all findings.
    """
    snapshot = take(Path(folder))
    known = _remembered(snapshot, _ALL)
    if known is None or known.policy is None:  # an error that only the other checks find stops no policy
        known = _remembered(snapshot, _NEEDED) or _found(snapshot, _NEEDED)
    if known.policy is None:
        raise PolicyError(known.diagnostics)
    return known.policy


def _remembered(snapshot: Snapshot, kind: str) -> Validation | None:
    key = key_of(snapshot, kind)
    data = None if key is None else find(key)
    return None if data is None else unpack(data, Validation)


def _found(snapshot: Snapshot, kind: str) -> Validation:
    """What reading and checking finds, which is then remembered."""
    from botopt.delivery.registry import CHANNEL_TYPES
    from botopt.loading.policy import read_policy
    from botopt.verify.checks import CHECKS, needed

    with _few_collections():
        loaded = read_policy(snapshot, channel_types=CHANNEL_TYPES)
        checks = CHECKS if kind == _ALL else needed(CHECKS)
        found, allowed = in_order((*loaded.diagnostics, *_checked(loaded, checks))), 0
        if kind == _ALL:
            found, allowed = _allowed(found, loaded)
    policy = None if loaded.policy is None or has_errors(found) else unplaced(loaded.policy)
    validation = Validation(policy, found, loaded.files, allowed)
    key = key_of(snapshot, kind) if _is_ours(loaded) else None
    data = None if key is None else pack(validation)
    if key is not None and data is not None:
        keep(key, data)
    return validation


def _is_ours(loaded: Loaded) -> bool:
    """Whether only channel types of botopt's own matter: what another package says may change when it is installed."""
    from botopt.delivery.registry import BUILT_IN

    types = {channel.type for channel in loaded.partial.channels.values()}
    return types <= set(BUILT_IN) and not any(
        one.code == "B102" and "channel type" in one.message for one in loaded.diagnostics
    )


def _allowed(found: tuple[Diagnostic, ...], loaded: Loaded) -> tuple[tuple[Diagnostic, ...], int]:
    from botopt.verify.allowing import allow

    result = allow(found, loaded.sources)
    return result.findings, result.count


@contextmanager
def _few_collections() -> Iterator[None]:
    """What is read here stays until the end: to look for garbage among it time and again costs a seventh of all."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 50_000), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _checked(loaded: Loaded, checks: tuple[Check, ...]) -> list[Diagnostic]:
    """What the checks find in what could be read, even if something else could not."""
    policy = loaded.partial
    # All begin before the first is asked for what it found: one may have another process at work by then.
    begun = [check.findings(policy) for check in checks if loaded.policy is not None or not check.whole]
    return [
        msgspec.structs.replace(finding, source=loaded.line(finding.position))
        for findings in reversed(begun)
        for finding in findings
    ]
