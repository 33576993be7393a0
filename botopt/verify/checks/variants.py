"""Variants that can never be chosen, and locales that only some variants have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Choose, Policy, Template, Variant
from botopt.rendering.locales import choose
from botopt.verify.analysis.nodes import FALSE, Node, joined
from botopt.verify.analysis.outlook import Outlook
from botopt.verify.analysis.outlooks import outlooks
from botopt.verify.analysis.space import UndecidedError
from botopt.verify.analysis.witness import as_test, scene_of
from botopt.verify.analysis.wording import why_never


def variants_can_be_chosen(policy: Policy) -> Iterator[Diagnostic]:
    """Variants that no event of any type that sends the template can bring about (B413)."""
    reached: dict[str, list[Outlook]] = {}
    for outlook in outlooks(policy).values():
        for name in policy.templates_of(outlook.event_type):
            reached.setdefault(name, []).append(outlook)
    for name, ways in reached.items():
        template = policy.templates[name]
        if all(variant.when is None for variant in template.variants):
            continue
        for place, variant in enumerate(template.variants):
            try:
                if not any(_can_be(outlook, template, place) for outlook in ways):
                    yield _never(ways, template, place, variant)
            except UndecidedError:
                continue


def _can_be(outlook: Outlook, template: Template, place: int) -> bool:
    space = outlook.space
    sent = _is_sent(outlook, template.name)
    return sent is not FALSE and space.possible(sent, *_open(outlook, template, place)) is not None


def _open(outlook: Outlook, template: Template, place: int) -> Sequence[Node]:
    """What must hold for a variant to be chosen."""
    variant, nodes = template.variants[place], []
    if variant.when is not None:
        nodes.append(outlook.space.node(variant.when.condition))
    if template.choose is Choose.FIRST:
        before = (earlier.when for earlier in template.variants[:place])
        nodes += [FALSE if when is None else outlook.space.node(when.condition, wanted=False) for when in before]
    return nodes


def _is_sent(outlook: Outlook, template: str) -> Node:
    """That no rule skips the message, and the last one that names a template names this."""
    naming = [place for place, rule in enumerate(outlook.rules) if rule.message is not None]
    ways = []
    for number, place in enumerate(naming):
        if outlook.rules[place].message == template:
            later = [outlook.rule(other, holds=False) for other in naming[number + 1 :]]
            ways.append(joined([outlook.rule(place), *later], every=True))
    if outlook.template == template:
        ways.append(joined([outlook.rule(place, holds=False) for place in naming], every=True))
    skips = [outlook.rule(place, holds=False) for place, rule in enumerate(outlook.rules) if rule.skip]
    return joined([*skips, joined(ways, every=False)], every=True)


def _never(ways: Sequence[Outlook], template: Template, place: int, variant: Variant) -> Diagnostic:
    when = variant.when
    called = f'the variant {variant.name} of "{template.name}" can never be chosen'
    if when is not None and all(one.space.possible(one.space.node(when.condition)) is None for one in ways):
        message = f"{called}: {why_never(ways[0].space, when)}"
        return finding("B413", variant.position, message, "mend its when, or delete the variant")
    covering = [
        earlier
        for number, earlier in enumerate(template.variants[:place])
        if template.choose is Choose.FIRST
        and all(one.space.possible(*_own(one, variant), *_open_one(one, template, number)) is None for one in ways)
    ]
    before = [earlier for earlier in template.variants[:place] if earlier.when is not None]
    if covering:
        why = f"{covering[0].name}, above it, is chosen whenever it could be"
        hint = f"move {variant.name} up, or narrow the when of {covering[0].name}"
    elif before and template.choose is Choose.FIRST:
        why = "whatever the event, one of the variants above it is chosen"
        above = template.variants[place - 1].name
        hint = f"narrow their conditions; or delete {variant.name} and the when of {above}, so that {above} is the last"
        hint = hint if when is None else "move it up, narrow their conditions, or delete it"
    else:
        why = "its when never holds where this template is sent"
        hint = "mend its when, or delete the variant"
    return finding("B413", variant.position, f"{called}: {why}", hint, witness=_witness(ways, template, variant))


def _own(outlook: Outlook, variant: Variant) -> Sequence[Node]:
    return [] if variant.when is None else [outlook.space.node(variant.when.condition)]


def _open_one(outlook: Outlook, template: Template, number: int) -> Sequence[Node]:
    when = template.variants[number].when
    return [FALSE if when is None else outlook.space.node(when.condition, wanted=False)]


def _witness(ways: Sequence[Outlook], template: Template, variant: Variant) -> str:
    """A message of the template for which the variant's own condition holds, and another is chosen."""
    name = f"B413 {template.name} {variant.name}"
    for outlook in ways:
        if not outlook.event_type.enabled:
            continue
        must = [*_own(outlook, variant), _is_sent(outlook, template.name), *outlook.undisturbed()]
        for number, earlier in enumerate(template.variants):
            chosen = _open(outlook, template, number)
            found = outlook.sendable(plain=True, also=(*must, *chosen))
            if found is not None and earlier is not variant:
                whens = [
                    (one.when, one is earlier or one is variant) for one in (*template.variants[: number + 1], variant)
                ]
                answers = {when.condition: holds for when, holds in whens if when is not None}
                answers |= {rule.when.condition: bool(found.mask >> bit & 1) for bit, rule in enumerate(outlook.rules)}
                return as_test(
                    outlook, scene_of(outlook, found.box, answers, sent=True), name, {"variant": earlier.name}
                )
    return ""


def variants_speak_alike(policy: Policy) -> Iterator[Diagnostic]:
    """Locales that some variants of a template have and others lack (B414)."""
    for template in policy.templates.values():
        if len(template.variants) < 2:
            continue
        owners: dict[str, str] = {}
        for variant in template.variants:
            for tag in variant.text:
                owners.setdefault(tag, variant.name)
        for variant in template.variants:
            lacking = [tag for tag in owners if not choose(tag, variant.text, "")]
            if lacking:
                tags = " and ".join(lacking)
                message = (
                    f'the variant {variant.name} of "{template.name}" has no text in {tags}, '
                    f"as {owners[lacking[0]]} has; users read {policy.settings.locale} instead"
                )
                yield finding("B414", variant.position, message, f"add {tags} to its text")
