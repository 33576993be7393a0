"""Messages: names and types in every text, then trial rendering."""

from __future__ import annotations

from collections.abc import Iterator

from botopt.model.diagnostic import Diagnostic, has_errors
from botopt.model.policy import Policy
from botopt.rendering.lint import check_template, trial_render


def templates_are_sound(policy: Policy) -> Iterator[Diagnostic]:
    """Syntax, names, types, filters and locales of every text."""
    for template in policy.templates.values():
        yield from check_template(policy, template)


def templates_render(policy: Policy) -> Iterator[Diagnostic]:
    """The same, and then every variant of a sound template in every locale, on its samples and on edge cases."""
    for template in policy.templates.values():
        found = check_template(policy, template)
        yield from found
        if not has_errors(found):
            yield from trial_render(policy, template)  # its texts were read just now, and are remembered
