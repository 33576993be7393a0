"""Messages that are longer than their channel takes."""

from __future__ import annotations

from collections.abc import Iterator

from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic, has_errors
from botopt.model.policy import Policy, Template
from botopt.rendering.lint import Length, check_template, longest_texts
from botopt.verify.analysis.outlook import Outlook
from botopt.verify.analysis.outlooks import outlooks
from botopt.verify.analysis.space import UndecidedError


def texts_fit_channels(policy: Policy) -> Iterator[Diagnostic]:
    """Texts that some event makes longer than a channel takes that they are sent to (B415)."""
    limited = {name: one.max_length for name, one in policy.channels.items() if one.max_length is not None}
    if not limited:
        return
    ways: dict[str, list[tuple[Outlook, str]]] = {}
    for outlook in outlooks(policy).values():
        for channel in policy.channels_of(outlook.event_type):
            for name in policy.templates_of(outlook.event_type) if channel in limited else ():
                if _goes_to(outlook, name, channel):
                    ways.setdefault(name, []).append((outlook, channel))
    for name, found in ways.items():
        template = policy.templates[name]
        if not has_errors(check_template(policy, template)):
            yield from _too_long(policy, template, found, limited)


def _goes_to(outlook: Outlook, template: str, channel: str) -> bool:
    """Whether the event type can send the template to the channel."""
    try:
        return (
            outlook.find(
                lambda standing, _: (
                    standing.template == template and standing.channel == channel and standing.skipped_by is None
                )
            )
            is not None
        )
    except UndecidedError:
        return True


def _too_long(
    policy: Policy, template: Template, ways: list[tuple[Outlook, str]], limited: dict[str, int]
) -> Iterator[Diagnostic]:
    worst: dict[tuple[str, str], tuple[Length, str]] = {}
    for outlook, channel in ways:
        for length in longest_texts(policy, template, outlook.event_type.name):
            key = (length.variant, length.locale)
            more = length.characters > limited[channel]
            if more and (key not in worst or length.characters > worst[key][0].characters):
                worst[key] = (length, channel)
    for length, channel in worst.values():
        where = length.text.where.span(0, len(length.text.source))
        message = (
            f'the text of "{template.name}" ({length.variant}, {length.locale}) has {length.characters:,} characters '
            f"with {length.words}, and {channel} takes {limited[channel]:,}"
        )
        hint = "shorten it, give its fields a max_length, or cut them: {{ name | truncate(40) }}"
        yield finding("B415", where, message, hint)
