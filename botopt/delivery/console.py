"""`console`: messages are shown on standard output, for trying things out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from threading import Lock

from botopt.model.channels import Channel, ChannelType, Honesty, Surroundings
from botopt.model.delivery import Delivered, Failed, Outgoing, Receipt
from botopt.model.policy import DeliverySettings, Value, WhenUnsure

_one_at_a_time = Lock()
_BOLD, _FAINT, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


class Console(Channel):
    """Writes each message as a few lines."""

    def __init__(self, _: Mapping[str, Value], surroundings: Surroundings) -> None:
        self._name = surroundings.name

    def send(self, message: Outgoing) -> Receipt:
        """Show it."""
        out = sys.stdout
        try:
            colours = out.isatty() and not os.environ.get("NO_COLOR")
            text = "".join(f"{line}\n" for line in self._lines(message, colours=colours))
            text = text.encode(out.encoding or "utf-8", "replace").decode(out.encoding or "utf-8")
            with _one_at_a_time:
                out.write(text)
                out.flush()
        except (OSError, ValueError):  # it was closed, or whoever read it is gone
            return Failed("standard output takes nothing more", retryable=True)
        return Delivered()

    def _lines(self, message: Outgoing, *, colours: bool) -> Iterator[str]:
        bold, faint, end = (_BOLD, _FAINT, _PLAIN) if colours else ("", "", "")
        title = f": {bold}{_shown(message.title)}{end}" if message.title else ""
        yield f"→ {self._name}: {_shown(message.address)}{title}"
        # Every line is set in: no text can look like the beginning of another message.
        yield from (f"  {_shown(line)}" for line in message.text.splitlines() or [""])
        for button in message.buttons:
            link = f" {faint}{_shown(button.link)}{end}" if button.link else ""
            yield f"  [{_shown(button.label)}]{link}"


def _shown(text: str) -> str:
    """One line. What would steer a terminal is shown as a mark."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


TYPE = ChannelType(
    name="console",
    summary="Shows messages on standard output, for trying things out.",
    make=Console,
    honesty=Honesty.LOCAL,
    buttons=True,
    # To see a message twice after a crash harms nobody here.
    settings=DeliverySettings(when_unsure=WhenUnsure.RETRY),
)
