"""The section `experiment`: named splits of users."""

from __future__ import annotations

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.wording import shown
from botopt.loading.reader import Map, Node, Scalar, Sequence
from botopt.model.learning_policy import Experiment

_KEYS = ("description", "arms")
_HINTS = {
    "variants": "type arms: {as-now: 50%, early: 50%}",
    "groups": "type arms: {as-now: 50%, early: 50%}",
    "split": "type arms: {as-now: 50%, early: 50%}",
}
_NEAR = 1e-9


def read_experiment(findings: Findings, name: Scalar, node: Node) -> Experiment | None:
    """One experiment, or None if its arms cannot be used."""
    if not scalars.is_name(findings, name, "the name of an experiment") and not isinstance(node, Map):
        return None
    inner = scalars.entries(findings, node, name.text, f"type {name.text}: {{arms: {{as-now: 50%, early: 50%}}}}")
    if inner is None:
        return None
    block = Block(findings, inner, _KEYS, f"the experiment {shown(name)}", name.position, _HINTS)
    description = block.text("description") or ""
    if not block.needs("arms", hint="add arms: {as-now: 50%, early: 50%}"):
        return None
    arms = _arms(block)
    return None if arms is None else Experiment(name.text, arms, description, name.position)


def _arms(block: Block) -> tuple[tuple[str, float], ...] | None:
    findings, node = block.findings, block.get("arms")
    hint = "type arms: {as-now: 50%, early: 50%}"
    if isinstance(node, Sequence) and node.items and all(isinstance(item, Scalar) for item in node.items):
        share = 100 / len(node.items)
        words = ", ".join(f"{item.text}: {share:.10g}%" for item in node.items if isinstance(item, Scalar))
        hint = f"type arms: {{{words}}}"
    inner = None if node is None else scalars.entries(findings, node, "arms", hint)
    if inner is None:
        return None
    before = findings.faults
    arms: list[tuple[str, float]] = []
    for name, value in inner.entries:
        scalars.is_name(findings, name, "the name of an arm")
        part = scalars.share(findings, value, name.text)
        if part is not None and part <= 0:
            message = f"nobody is in the arm {shown(name)}: its share is 0%"
            findings.report("B131", value.position, message, "delete it, or give it a share")
        arms.append((name.text, part or 0.0))
    if findings.faults > before:
        return None
    if findings.is_damaged(inner):
        findings.fault()
        return None
    if len(arms) < 2:
        what = "has one arm" if arms else "has no arms"
        message = f"{block.what} {what}, and a comparison needs two"
        findings.report("B131", block.key("arms"), message, hint)
        return None
    total = sum(share for _, share in arms)
    if abs(total - 1) > _NEAR:
        last, share = arms[-1]
        rest = share + 1 - total
        message = f"the shares of {block.what} are {total * 100:.10g}% together, and must be 100%"
        fix = f"type {last}: {rest * 100:.10g}%, say" if rest > 0 else "make some of them smaller"
        findings.report("B131", inner.entries[-1][1].position, message, fix)
        return None
    return tuple(arms)
