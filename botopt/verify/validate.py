"""A workspace's findings: reading it, then every check on what was read."""

from __future__ import annotations

from pathlib import Path

import msgspec

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.loading.policy import Loaded, load_policy
from botopt.model.diagnostic import Diagnostic, has_errors, in_order
from botopt.model.errors import PolicyError
from botopt.model.policy import Policy
from botopt.verify.checks import CHECKS, Check, needed


class Validation(msgspec.Struct, frozen=True):
    """Every finding of a workspace. `policy` is None when one of them is an error."""

    policy: Policy | None
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]


def validate(folder: Path | str, checks: tuple[Check, ...] = CHECKS) -> Validation:
    """All findings of the workspace in `folder`, in one run."""
    loaded = load_policy(Path(folder), channel_types=CHANNEL_TYPES)
    found = in_order((*loaded.diagnostics, *_checked(loaded, checks)))
    policy = None if has_errors(found) else loaded.policy
    return Validation(policy, found, loaded.files)


def _checked(loaded: Loaded, checks: tuple[Check, ...]) -> list[Diagnostic]:
    """What the checks find in what could be read, even if something else could not."""
    policy = loaded.partial
    return [
        msgspec.structs.replace(finding, source=loaded.line(finding.position))
        for check in checks
        for finding in check.findings(policy)
    ]


def load(folder: Path | str) -> Policy:
    """The policy of the workspace in `folder`.

    Raises:
        PolicyError: it has errors; the exception carries all findings.
    """
    validation = validate(folder, needed(CHECKS))
    if validation.policy is None:
        raise PolicyError(validation.diagnostics)
    return validation.policy
