"""The section `categories`."""

from __future__ import annotations

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.learning import read_pacing, read_send_time
from botopt.loading.reader import Map, Node, Scalar
from botopt.model.policy import Category, Consent

_KEYS = ("consent", "engagement", "send_time", "pacing")


def read_category(findings: Findings, name: Scalar, node: Node) -> Category | None:
    """One category."""
    word = node.text if isinstance(node, Scalar) else ""
    hint = f"type {name.text}: {{consent: {word}}}" if word in set(Consent) else ""
    if not scalars.is_name(findings, name, "the name of a category") and not isinstance(node, Map):
        return None
    inner = scalars.entries(findings, node, name.text, hint)
    if inner is None:
        return None
    block = Block(findings, inner, _KEYS, f'the category "{name.text}"', name.position)
    consent = block.choice("consent", [consent.value for consent in Consent])
    engagement = block.switch("engagement")
    return Category(
        name.text,
        Consent.OPT_OUT if consent is None else Consent(consent),
        engagement=engagement is not False,
        position=name.position,
        send_time=read_send_time(block),
        pacing=read_pacing(block),
    )
