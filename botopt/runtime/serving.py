"""A policy compiled for the live service."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.engine.engine import Engine
from botopt.engine.history import retention
from botopt.model.durations import DAY_US
from botopt.model.policy import Policy
from botopt.network.network import make_network
from botopt.rendering.renderer import TemplateRenderer
from botopt.sources.envelope import Decoder

_ACTIVE_US = DAY_US
"""How long it is known when a user was last heard of, whatever the policy asks for: messengers let a business write
freely for a day after that.
"""


class Serving(msgspec.Struct, frozen=True):
    """A policy at work: its engine, and the reader of what platforms tell us.

    `windows` are those that the policy looks back, by name; the engine may remember more.
    """

    engine: Engine
    decoder: Decoder
    windows: Mapping[str, int]
    since_us: int

    @property
    def policy(self) -> Policy:
        """What it was compiled from."""
        return self.engine.policy

    @property
    def revision(self) -> str:
        """The policy's."""
        return self.engine.policy.revision


def serve(policy: Policy, now_us: int, network: str = "auto") -> Serving:
    """Compile a policy. `network` is `auto`, `durable_rules` or `reference`; all give the same decisions."""
    renderer = TemplateRenderer(policy)
    needed = retention(policy, renderer)
    keep = msgspec.structs.replace(needed, active_us=max(needed.active_us, _ACTIVE_US))
    engine = Engine(policy, make_network(network), renderer, keep)
    return Serving(engine, Decoder(policy), needed.windows(), now_us)
