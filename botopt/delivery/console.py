"""`console`: messages are shown on standard output, for trying things out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from threading import Lock

from botopt.model.channels import Channel, ChannelType, Honesty, Surroundings
from botopt.model.delivery import Delivered, Outgoing, Receipt
from botopt.model.policy import Value

_one_at_a_time = Lock()


class Console(Channel):
    """Writes each message as a few lines."""

    def __init__(self, name: str) -> None:
        self._name = name

    def send(self, message: Outgoing) -> Receipt:
        """Show it."""
        lines = [f"→ {self._name}: {message.address}: {message.title or ''}".rstrip(": "), f"  {message.text}"]
        lines += [f"  [{button.label}] {button.link or ''}".rstrip() for button in message.buttons]
        with _one_at_a_time:
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()
        return Delivered()


def _make(_: Mapping[str, Value], surroundings: Surroundings) -> Channel:
    return Console(surroundings.name)


TYPE = ChannelType(
    name="console",
    summary="Shows messages on standard output, for trying things out.",
    make=_make,
    honesty=Honesty.LOCAL,
    repeatable=True,
    buttons=True,
)
