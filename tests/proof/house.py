"""The service in this process, with a clock set by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog

from botopt.model.instants import instant_text
from botopt.server.composing import Composed, Plan
from botopt.server.site import Settings
from botopt.server.tracing import NO_TRACING
from botopt.sources.envelope import Decoder
from botopt.verify.validate import load
from tests.proof.world import World

MINUTE_US = 60_000_000


def instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self, at: str) -> None:
        self.us = instant(at)

    def __call__(self) -> int:
        return self.us


@contextmanager
def house(world: World, clock: Hands) -> Iterator[Composed]:
    """The service, as long as the block."""
    plan = Plan(
        workspace=world.folder,
        state=world.state,
        settings=Settings(),
        open_to_all=True,
        private_networks=True,
        watch=False,
    )
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    composed = Composed(
        plan, load, log=structlog.get_logger(), tracing=NO_TRACING, clock=clock, environment=world.environment()
    )
    try:
        yield composed
    finally:
        composed.close(20.0)


def post(composed: Composed, clock: Hands, one: dict[str, object]) -> str:
    """Post an event as of the clock's time; its outcome, or nothing."""
    one["time"] = instant_text(clock.us)
    found = Decoder(composed.running.policy).decode_live(json.dumps(one).encode(), received_us=clock.us)
    assert found is not None
    (received,) = composed.running.receive([found], received_us=clock.us).result(30)
    return received.decisions[0].outcome.value if received.decisions else ""
