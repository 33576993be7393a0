"""An engine for a policy, with the parts it needs."""

from __future__ import annotations

from botopt.engine.engine import Engine
from botopt.model.policy import Policy
from botopt.network.network import make_network
from botopt.rendering.renderer import TemplateRenderer


def build(policy: Policy, network: str = "auto") -> Engine:
    """Compile a policy.

    `network` is `auto`, `durable_rules` or `reference`; all give the same decisions.
    """
    return Engine(policy, make_network(network), TemplateRenderer(policy))
