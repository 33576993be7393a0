"""Findings about templates, for the people who write them.

`check_template` reads; `trial_render` tries. Both look at a template once for every event type that can send it, and
make one finding of what is wrong for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic, in_order
from botopt.model.policy import Policy, Template, Text, Variant
from botopt.rendering.linting.facts import NOTHING, Facts, known_in, known_on
from botopt.rendering.linting.locale_rules import locale_findings
from botopt.rendering.linting.statements import type_faults
from botopt.rendering.linting.text_rules import missing_plurals, plain_link, single_braces
from botopt.rendering.linting.trial import Length, longest_texts, trial_render
from botopt.rendering.naming import Reach, from_samples, reaches
from botopt.rendering.reading.allowed import check
from botopt.rendering.reading.faults import Fault
from botopt.rendering.reading.syntax import parse

Way = tuple[Reach, Facts]


def check_template(policy: Policy, template: Template) -> tuple[Diagnostic, ...]:
    """Everything that can be said about a template without rendering it, in the order of its places."""
    ways = _ways(policy, template)
    findings: list[Diagnostic] = []
    for variant in template.variants:
        findings += locale_findings(policy.settings, template, variant)
        known = known_in(template, variant)
        for tag, text, is_link in _texts(variant):
            faults = _faults(policy, text, tag, [(way, facts | known) for way, facts in ways], is_link=is_link)
            findings += (_placed(text, fault) for fault in faults)
    return in_order(findings)


def _ways(policy: Policy, template: Template) -> Sequence[Way]:
    ways = reaches(policy, template.name)
    if not ways:
        return ((from_samples(policy, template.samples), NOTHING),)
    return tuple((way, known_on(policy.events[way.event_type], template.name)) for way in ways)


def _texts(variant: Variant) -> Iterator[tuple[str, Text, bool]]:
    """Every text of a variant: its locale, and whether it is a link."""
    for tag, text in (*variant.text.items(), *variant.title.items()):
        yield tag, text, False
    for button in variant.buttons:
        for tag, text in button.label.items():
            yield tag, text, False
        for tag, text in button.link.items():
            yield tag, text, True


def _faults(policy: Policy, text: Text, tag: str, ways: Sequence[Way], *, is_link: bool) -> Iterator[Fault]:
    parsed = parse(text.source)
    if isinstance(parsed, Fault):
        yield parsed
        return
    refused = check(parsed)
    yield from refused
    for way, _ in ways:
        yield from single_braces(parsed, way.names)
    yield from missing_plurals(parsed, tag)
    if is_link:
        for way, _ in ways:
            yield from plain_link(parsed, way)
    for fault in _common(ways, [type_faults(policy, way, parsed, known) for way, known in ways]):
        if not any(fault.start < other.end and other.start < fault.end for other in refused):
            yield fault  # the type of what is not allowed would only confuse


def _common(ways: Sequence[Way], faults: Sequence[Iterable[Fault]]) -> Iterator[Fault]:
    """The faults of all ways, each once; one that only some event types have says which."""
    found: dict[tuple[str, int, int, str], tuple[Fault, list[str]]] = {}
    for (way, _), those in zip(ways, faults, strict=True):
        for fault in those:
            key = (fault.code, fault.start, fault.end, fault.message)
            found.setdefault(key, (fault, []))[1].append(way.event_type)
    for fault, names in found.values():
        if len(set(names)) == len(ways) or fault.code == "B304":
            yield fault
        else:
            which = " and ".join(f'"{name}"' for name in dict.fromkeys(names))
            yield Fault(fault.code, fault.start, fault.end, f"for {which}: {fault.message}", fault.hint)


def _placed(text: Text, fault: Fault) -> Diagnostic:
    size = len(text.source)
    start = max(min(fault.start, size - 1), 0)
    place = text.where.span(start, min(max(fault.end, start + 1), size))
    return finding(fault.code, place, fault.message, fault.hint)


__all__ = ["Length", "check_template", "longest_texts", "trial_render"]
