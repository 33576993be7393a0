"""Checks that need more than reading: rendering, networks. All that `botopt validate` runs stand in `CHECKS`."""

from __future__ import annotations

from botopt.verify.checks.check import Check
from botopt.verify.checks.durations import cooldowns_leave_room, holds_end_in_time
from botopt.verify.checks.learning import learners_can_learn
from botopt.verify.checks.lengths import texts_fit_channels
from botopt.verify.checks.network import NetworksAgain, networks_agree
from botopt.verify.checks.rules import rules_take_effect
from botopt.verify.checks.suppressions import suppressions_can_stop, suppressions_let_through
from botopt.verify.checks.templates import templates_are_sound, templates_render
from botopt.verify.checks.templates_again import TemplatesAgain
from botopt.verify.checks.unused import names_are_used
from botopt.verify.checks.variants import variants_can_be_chosen, variants_speak_alike
from botopt.verify.checks.worth import worth_leaves_a_choice

CHECKS: tuple[Check, ...] = (
    Check("templates", templates_render, essential=templates_are_sound, again=TemplatesAgain),
    Check("learning", learners_can_learn, whole=True),
    Check("networks", networks_agree, again=NetworksAgain),
    Check("worth", worth_leaves_a_choice, whole=True),
    Check("rules", rules_take_effect, whole=True),
    Check("suppressions", suppressions_can_stop, whole=True),
    Check("blocking", suppressions_let_through, whole=True),
    Check("cooldowns", cooldowns_leave_room, whole=True),
    Check("holding", holds_end_in_time, whole=True),
    Check("unused", names_are_used, whole=True),
    Check("variants", variants_can_be_chosen, whole=True),
    Check("locales", variants_speak_alike, whole=True),
    Check("lengths", texts_fit_channels, whole=True),
)


def needed(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """As much of them as a policy must not run without."""
    return tuple(Check(check.name, check.essential) for check in checks if check.essential is not None)


__all__ = ["CHECKS", "Check", "needed"]
