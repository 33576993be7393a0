"""Whether an installation, a workspace and a state are in order."""

from __future__ import annotations

import platform
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from botopt.model.counting import number_of
from botopt.model.diagnostic import Severity
from botopt.model.errors import BotoptError
from botopt.model.policy import Policy
from botopt.model.version import VERSION
from botopt.model.zones import zone
from botopt.network.network import available, thorough_check
from botopt.state.sqlite import open_state
from botopt.verify.checks.network import condition_groups
from botopt.verify.validate import validate

_PACKAGES = ("msgspec", "Jinja2", "PyYAML", "jsonschema", "Babel", "tzdata", "google-re2", "typer", "rich", "zstandard")


class Health(StrEnum):
    """How something is."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was examined."""

    name: str
    health: Health
    detail: str


def examine(workspace: Path, state: Path | None) -> list[Finding]:
    """Look at everything; never raises for what it finds."""
    results = [
        Finding("botopt", Health.OK, f"{VERSION} on {platform.python_implementation()} {platform.python_version()}"),
        *_packages(),
        _network(),
        _zones(),
        *_workspace(workspace),
    ]
    if state is not None:
        results.append(_state(state))
    return results


def _packages() -> list[Finding]:
    found, missing = [], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    results = [Finding("packages", Health.OK, ", ".join(found))]
    if missing:
        results.append(Finding("packages", Health.BAD, f"missing: {', '.join(missing)}; install botopt again"))
    return results


def _network() -> Finding:
    status = available()
    health = Health.OK if status.name == "durable_rules" else Health.NOTE
    return Finding("rules network", health, status.why)


def _zones() -> Finding:
    try:
        zone("Europe/Berlin")
    except (OSError, ValueError) as fault:
        return Finding("time zones", Health.BAD, f"the package tzdata cannot be read: {fault}")
    return Finding("time zones", Health.OK, f"from the package tzdata {version('tzdata')}")


def _workspace(folder: Path) -> list[Finding]:
    result = validate(folder)
    errors = sum(1 for found in result.diagnostics if found.severity is Severity.ERROR)
    if result.policy is None:
        return [Finding("workspace", Health.BAD, f"{number_of(errors, 'error')} in {folder}; see `botopt validate`")]
    policy = result.policy
    types, findings = number_of(len(policy.events), "event type"), number_of(len(result.diagnostics), "finding")
    text = f"{types}, revision {policy.revision}, {findings}"
    return [Finding("workspace", Health.OK, text), _agreement(policy)]


def _agreement(policy: Policy) -> Finding:
    facts = refused = 0
    for group in condition_groups(policy):
        checked = thorough_check([when.condition for when in group])
        if checked.disagreements:
            return Finding("networks agree", Health.BAD, str(checked.disagreements[0]))
        facts += checked.facts
        refused += bool(checked.refused)
    if refused:
        detail = (
            f"on {facts:,} boundary facts; for {number_of(refused, 'group')} of conditions durable_rules was of no use"
        )
        return Finding("networks agree", Health.NOTE, detail)
    return Finding("networks agree", Health.OK, f"on {facts:,} boundary facts")


def _state(path: Path) -> Finding:
    try:
        with open_state(path, create=False, read_only=True) as store:
            users = sum(1 for _ in store.users())
            return Finding("state", Health.OK, f"{number_of(users, 'user')}, {number_of(store.held(), 'held message')}")
    except BotoptError as fault:
        return Finding("state", Health.BAD, str(fault))
