"""Checks that need more than reading: rendering, networks. All that `botopt validate` runs stand in `CHECKS`."""

from __future__ import annotations

from botopt.verify.checks.check import Check
from botopt.verify.checks.learning import learn_is_first
from botopt.verify.checks.network import NetworksAgain, networks_agree
from botopt.verify.checks.templates import templates_are_sound, templates_render
from botopt.verify.checks.templates_again import TemplatesAgain

CHECKS: tuple[Check, ...] = (
    Check("templates", templates_render, essential=templates_are_sound, again=TemplatesAgain),
    Check("learning", learn_is_first),
    Check("networks", networks_agree, again=NetworksAgain),
)


def needed(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """As much of them as a policy must not run without."""
    return tuple(Check(check.name, check.essential) for check in checks if check.essential is not None)


__all__ = ["CHECKS", "Check", "needed"]
