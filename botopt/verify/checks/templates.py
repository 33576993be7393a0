"""Messages: names and types in every text, then trial rendering."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from botopt.model.diagnostic import Diagnostic, has_errors
from botopt.model.policy import Policy, Template
from botopt.rendering.lint import check_template, trial_render
from botopt.verify.checks.sharing import shared


def templates_are_sound(policy: Policy) -> Iterator[Diagnostic]:
    """Syntax, names, types, filters and locales of every text."""
    for template in policy.templates.values():
        yield from check_template(policy, template)


def templates_render(policy: Policy) -> Iterable[Diagnostic]:
    """The same, and then every variant of a sound template in every locale, on its samples and on edge cases."""

    def look(templates: Sequence[Template]) -> list[Diagnostic]:
        return [finding for template in templates for finding in rendered(policy, template)]

    return shared(tuple(policy.templates.values()), look)


def rendered(policy: Policy, template: Template) -> Iterator[Diagnostic]:
    """Everything about one template."""
    found = check_template(policy, template)
    yield from found
    if not has_errors(found):
        yield from trial_render(policy, template)  # its texts were read just now, and are remembered
