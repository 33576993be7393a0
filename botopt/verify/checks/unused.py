"""What is declared and never used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from botopt.engine.stages.scope import concerns
from botopt.model.codes import finding
from botopt.model.condition import Ref, Scope
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Conversation, Cooldown, EventType, Policy, Resolution, Template
from botopt.verify.analysis.outlook import Outlook
from botopt.verify.analysis.outlooks import outlooks

_CODE = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
_USER = re.compile(r"\buser\s*\.\s*(\w+)")
_WORD = re.compile(r"\w+")


def names_are_used(policy: Policy) -> Iterator[Diagnostic]:
    """Categories, channels, attributes and fields that nothing uses (B412). B123 is about templates.

    Only fields of event types with a message are meant: others say what may come in, and much of it is for others.
    """
    types = policy.events.values()
    categories = {event_type.category for event_type in types}
    for name, category in policy.categories.items():
        if name not in categories:
            message = f"no event type is of the category {name}"
            yield finding("B412", category.position, message, "give it to an event type, or delete it")
    channels = {name for event_type in types for name in policy.channels_of(event_type)}
    # Users may be active where nobody writes to them.
    channels |= {name for one in policy.suppressions if isinstance(one.kind, Conversation) for name in one.channels}
    handed = [channel.delivery for channel in policy.channels.values()]
    channels.update(name for one in handed for name in (one.fallback, one.reply) if name is not None)
    for name, channel in policy.channels.items():
        if name not in channels:
            message = f"no message is sent to the channel {name}"
            yield finding("B412", channel.position, message, "name it in an event type or a rule, or delete it")
    texts = {name: " ".join(_code_of(template)) for name, template in policy.templates.items()}
    attributes = {name for text in texts.values() for name in _USER.findall(text)}
    asked = {name: list(_refs(outlook)) for name, outlook in outlooks(policy).items()}
    attributes.update(ref.name for refs in asked.values() for ref in refs if ref.scope is Scope.USER)
    attributes.update(one.to for one in handed if one.to is not None)
    for name, spec in policy.attributes.items():
        if name not in attributes:
            message = f"no condition, no message and no channel uses user.{name}"
            yield finding("B412", spec.position, message, "use it, or delete it")
    words = {name: frozenset(_WORD.findall(text)) for name, text in texts.items()}
    for event_type in types:
        if event_type.message is not None:
            used = {ref.name for ref in asked[event_type.name] if ref.scope is Scope.EVENT}
            yield from _fields(policy, event_type, words, used)


def _refs(outlook: Outlook) -> Iterator[Ref]:
    """What the conditions of the rules, suppressions and variants that concern an event type look at."""
    yield from (ref for ref in outlook.space.refs if ref is not None)


def _fields(
    policy: Policy, event_type: EventType, words: Mapping[str, frozenset[str]], used: set[str]
) -> Iterator[Diagnostic]:
    for template in policy.templates_of(event_type):
        used |= words.get(template, frozenset())
    for suppression in policy.suppressions:
        if isinstance(suppression.kind, Cooldown) and concerns(suppression, event_type, policy):
            used.update(suppression.kind.per)
        elif isinstance(suppression.kind, Resolution) and (
            concerns(suppression, event_type, policy) or event_type.name in suppression.kind.by
        ):
            used.update(suppression.kind.same)
    for name, spec in event_type.fields.items():
        if name not in used:
            message = f'no rule, suppression or message of "{event_type.name}" uses its field {name}'
            yield finding(
                "B412", spec.position, message, "use it, or delete it: fields that are not declared are ignored"
            )


def _code_of(template: Template) -> Iterator[str]:
    """What stands in braces in a template's texts."""
    for variant in template.variants:
        texts = [*variant.text.values(), *variant.title.values()]
        for button in variant.buttons:
            texts += [*button.label.values(), *button.link.values()]
        for text in texts:
            yield from _CODE.findall(text.source)
