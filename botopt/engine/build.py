"""An engine for a policy, with the parts it needs."""

from __future__ import annotations

from botopt.engine.engine import Engine
from botopt.engine.history import retention, together
from botopt.model.policy import Policy
from botopt.network.network import make_network
from botopt.rendering.renderer import TemplateRenderer


def build_both(one: Policy, other: Policy, network: str = "auto") -> tuple[Engine, Engine]:
    """Two policies whose engines may take in states that the other has left."""
    renderers = TemplateRenderer(one), TemplateRenderer(other)
    keep = together(retention(one, renderers[0]), retention(other, renderers[1]))
    return (
        Engine(one, make_network(network), renderers[0], keep),
        Engine(other, make_network(network), renderers[1], keep),
    )


def build(policy: Policy, network: str = "auto") -> Engine:
    """Compile a policy.

    `network` is `auto`, `durable_rules` or `reference`; all give the same decisions.
    """
    return Engine(policy, make_network(network), TemplateRenderer(policy))
