"""What is expected of a decision: reading it, and comparing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from botopt.engine.numbers import number as in_short
from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.wording import shown
from botopt.loading.reader import Map, Node
from botopt.model.decision import PROVIDER, Decision, Outcome, Reason
from botopt.model.instants import instant_text, instant_us
from botopt.model.names import did_you_mean
from botopt.model.policy import Policy
from botopt.sources.reserved import FAILURE
from botopt.verify.ruletest.model import Difference, Expectation

_SPACES = re.compile(r"\s+")
_BOUNDS = ("above", "below")
_DIGITS = 6  # as records have them


def _texts(decision: Decision) -> Mapping[str, object]:
    message = decision.message
    if message is None:
        return {}
    return {
        "template": message.template,
        "variant": message.variant,
        "locale": message.locale,
        "channel": message.channel,
        "text": message.text,
        "text_contains": message.text,
        "title": message.title,
        "buttons": [button.label for button in message.buttons],
    }


def _values(decision: Decision) -> Mapping[str, object]:
    return {
        "outcome": decision.outcome.value,
        "reason": None if decision.reason is None else decision.reason.value,
        "by": decision.by,
        "until": None if decision.until_us is None else instant_text(decision.until_us),
        "score": decision.score,
        "threshold": decision.threshold,
        "detail": decision.detail,
        **_texts(decision),
    }


KEYS = (
    "outcome",
    "reason",
    "by",
    "until",
    "score",
    "threshold",
    "template",
    "variant",
    "locale",
    "channel",
    "text",
    "text_contains",
    "title",
    "buttons",
    "detail",
    "nothing",
)
"""What `expect` may name, besides `nothing` keys of the record and of its message."""


def read_expectation(findings: Findings, policy: Policy, node: Node) -> Expectation | None:
    """The keys that are named, each with its place; every name must be one of the policy's."""
    inner = scalars.entries(findings, node, "expect", "such as expect: {outcome: sent}")
    if inner is None:
        return None
    block = Block(findings, inner, KEYS, "expect", inner.position)
    if not inner.entries and not findings.is_damaged(inner):
        findings.report("B111", inner.position, "expect names nothing", "such as expect: {outcome: sent}")
    if block.boolean("nothing", default=False):
        if len(inner.entries) > 1:
            findings.report("B113", block.key("nothing"), "nothing stands alone", "delete the other keys, or this one")
        return Expectation(inner.position, nothing=True)
    wanted: dict[str, object] = {}
    places = {}
    for key in KEYS[:-1]:
        value = block.get(key)
        if value is not None:
            read = _read(findings, policy, block, key, value)
            if read is not None:
                wanted[key], places[key] = read, value.position
    return Expectation(inner.position, wanted, places)


def _read(findings: Findings, policy: Policy, block: Block, key: str, node: Node) -> object:
    match key:
        case "outcome":
            return block.choice(key, [outcome.value for outcome in Outcome])
        case "reason":
            return block.choice(key, [reason.value for reason in Reason])
        case "score" | "threshold":
            return _number(findings, block, key, node)
        case "until":
            return _instant(findings, key, node)
        case "text_contains" | "buttons":
            found = scalars.names(findings, node, key, single=True)
            return None if found is None else [one.text for one in found]
        case "by" | "template" | "variant" | "channel":
            return _name(findings, key, node, _known(policy, key))
        case _:
            return block.text(key)


def _known(policy: Policy, key: str) -> Collection[str]:
    match key:
        case "template":
            return policy.templates
        case "channel":
            return policy.channels
        case "variant":
            return {variant.name for template in policy.templates.values() for variant in template.variants}
        case _:
            rules = (rule.id for event_type in policy.events.values() for rule in event_type.rules)
            fields = (name for event_type in policy.events.values() for name in event_type.fields)
            ids = (suppression.id for suppression in policy.suppressions)
            envelope = ("id", "type", "user", "time", "message_id", "user.deleted", PROVIDER)
            return {*ids, *rules, *policy.templates, *fields, *policy.attributes, *envelope, *FAILURE}


def _name(findings: Findings, key: str, node: Node, known: Collection[str]) -> str | None:
    name = scalars.text(findings, node, key)
    if name is not None and name not in known:
        what = "nothing that could decide is called" if key == "by" else f"there is no {key}"
        findings.report("B102", node.position, f'{what} "{name}"', did_you_mean(name, known))
        return None
    return name


def _number(findings: Findings, block: Block, key: str, node: Node) -> object:
    if not isinstance(node, Map):
        return scalars.number(findings, node, key, 0, 1)
    inner = Block(findings, node, _BOUNDS, key, block.key(key))
    if not node.entries:
        findings.report("B111", node.position, f"{key} names nothing", f"such as {key}: {{above: 0.6}}")
    return {bound: value for bound in _BOUNDS if (value := inner.number(bound, 0, 1)) is not None}


def _instant(findings: Findings, key: str, node: Node) -> str | None:
    text = scalars.text(findings, node, key)
    try:
        return None if text is None else instant_text(instant_us(text))
    except ValueError:
        hint = "such as 2026-03-02T08:00:00Z"
        findings.report("B109", node.position, f"{key} must be a time with an offset, not {shown(node)}", hint)
        return None


def differences(expected: Expectation, decision: Decision | None) -> Iterator[Difference]:
    """Where a decision is not the expected one. None: no decision was made."""
    if expected.nothing or decision is None:
        if expected.nothing == (decision is not None):
            wanted = "no decision" if expected.nothing else "a decision"
            yield Difference("nothing", wanted, _in_words(decision), expected.position)
        return
    values = _values(decision)
    for key, value in expected.wanted.items():
        found = values.get(key)
        if not _FITS.get(key, _equal)(value, found):
            yield Difference(key, _shown(value), _shown(found), expected.places[key])


def _in_words(decision: Decision | None) -> str:
    if decision is None:
        return "no decision"
    why = "" if decision.reason is None or decision.reason.value == decision.outcome.value else f" ({decision.reason})"
    return f"{decision.event_type}: {decision.outcome}{why}"


def _equal(wanted: object, found: object) -> bool:
    return wanted == found


def _numbers(wanted: object, found: object) -> bool:
    if not isinstance(found, (int, float)):
        return False
    if isinstance(wanted, Mapping):
        return bool(wanted.get("above", -1) < found < wanted.get("below", 2))
    return isinstance(wanted, float) and round(wanted, _DIGITS) == round(found, _DIGITS)


def _contains(wanted: object, found: object) -> bool:
    text = _SPACES.sub(" ", found) if isinstance(found, str) else ""
    return isinstance(wanted, list) and all(_SPACES.sub(" ", part) in text for part in wanted)


_FITS: Mapping[str, Callable[[object, object], bool]] = {
    "score": _numbers,
    "threshold": _numbers,
    "text_contains": _contains,
}


def _shown(value: object) -> str:
    match value:
        case None:
            return "none"
        case float() | int():
            return in_short(value)
        case list():
            return ", ".join(f'"{one}"' for one in value) or "none"
        case Mapping():
            return " and ".join(f"{bound} {in_short(limit)}" for bound, limit in value.items())
        case _:
            return f'"{value}"' if " " in str(value) or not str(value) else str(value)
