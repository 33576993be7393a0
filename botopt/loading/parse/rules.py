"""The rules of an event type."""

from __future__ import annotations

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.conditions import InReach, read_when
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.known import Known
from botopt.loading.parse.wording import shown
from botopt.loading.reader import Node, Scalar
from botopt.model.policy import Rule, When

_KEYS = "id when score threshold message channel skip".split()
_EFFECTS = ("score", "threshold", "message", "channel", "skip")
_HINTS = {
    "weight": "type score: +0.10 for what is added to the weight",
    "unless": "type when: not (…)",
    "if": "type when: …",
    "condition": "type when: …",
    "name": "type id: …",
    "template": "type message: …",
}


def read_rule(
    findings: Findings, node: Node, reach: InReach, templates: Known, channels: Known, seen: dict[str, Scalar]
) -> Rule | None:
    """One rule, or None if there are findings about it. `seen` gathers the ids of the event type's rules."""
    before = findings.faults
    inner = scalars.entries(findings, node, "each entry of rules", "a rule has keys: {id: …, when: …, score: +0.10}")
    if inner is None:
        return None
    findings.fault_if_damaged(inner)
    id_node = inner.get("id")
    called = f"the rule {shown(id_node)}" if isinstance(id_node, Scalar) else "this rule"
    place = id_node.position if id_node is not None else inner.position
    block = Block(findings, inner, _KEYS, called, place, _HINTS)
    rule_id = ""
    if block.needs("id", hint="add an id: that is how the rule is named in explanations"):
        assert id_node is not None
        rule_id = scalars.name(findings, id_node, "id") or ""
        if rule_id and isinstance(id_node, Scalar) and (first := seen.setdefault(rule_id, id_node)) is not id_node:
            message = f'two rules of this event type have the id "{rule_id}"; the first is at {first.position}'
            findings.report("B108", id_node.position, message, "give one of them another id")
    when_node = block.get("when")
    when: When | None = None
    if block.needs("when", hint="add when: …; a rule for every event is part of the weight"):
        assert when_node is not None
        when = read_when(findings, when_node, "when", reach)
    rule = Rule(
        rule_id,
        when or When(),
        score=block.number("score", -1, 1),
        threshold=block.number("threshold", -1, 1),
        message=_known(block, "message", templates),
        channel=_known(block, "channel", channels),
        skip=block.boolean("skip", default=False),
        position=place,
    )
    if not any(key in block for key in _EFFECTS) and not block.may_have(*_EFFECTS):
        hint = "give it a score, a threshold, a message, a channel or skip: true"
        findings.report("B121", place, f"{called} changes nothing", hint)
    return rule if findings.faults == before else None


def _known(block: Block, key: str, known: Known) -> str | None:
    word, node = block.text(key), block.get(key)
    if word is not None and isinstance(node, Scalar):
        known.knows(block.findings, node)
    return word
