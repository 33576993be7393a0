"""What tests of the bot platforms share: messages, channels that talk to a fake, and callbacks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from botopt.model.channels import Channel, ChannelType, Surroundings
from botopt.model.delivery import Inbound, Outgoing, OutgoingButton, button_payload
from botopt.model.options import filled

TOKEN = "t0ken-of-the-tests"
NOW_US = 1_793_613_600_000_000  # 2026-11-02T10:00:00Z


def message(**changes: object) -> Outgoing:
    """A message about a failed payment, for user-42."""
    fields: dict = {
        "id": "5f0c1e2d3b4a5f0c1e2d3b4a",
        "key": "5f0c1e2d3b4a5f0c1e2d3b4a",
        "user": "user-42",
        "address": "user-42",
        "text": "Ana, your card was declined.",
        "title": "Payment failed",
        "buttons": (OutgoingButton("Pay now", None, button_payload("5f0c1e2d3b4a5f0c1e2d3b4a", 0)),),
        "locale": "pt-BR",
        "event_type": "payment_failed",
        "event_id": "e-1",
        "template": "payment_failed",
        "variant": "plain",
        "data": {"amount": 12.5, "tries": 3, "due_at": "2026-11-02T09:00:00Z", "vip": True, "note": None},
        "decided_us": NOW_US - 1_000_000,
    }
    return Outgoing(**(fields | changes))


def new_channel(
    kind: ChannelType, *, timeout_s: float = 5, now_us: Callable[[], int] = lambda: NOW_US, **options: object
) -> Channel:
    """A channel of this type, with the defaults of all other options; the caller closes it."""
    surroundings = Surroundings(name="bot", timeout_s=timeout_s, now_us=now_us, private_networks=True)
    return kind.make(filled(kind, options, {}), surroundings)


def channel(kind: ChannelType, **given: Any) -> Channel:
    """The same, closed after the test."""
    made = new_channel(kind, **given)
    _open.append(made)
    return made


_open: list[Channel] = []


@pytest.fixture(autouse=True)
def close_channels() -> Iterator[None]:
    """Every channel of a test is closed after it."""
    yield
    while _open:
        _open.pop().close()


def callback(
    body: object, url: str = "https://botopt.example.com/v1/channels/bot/callback?token=t0ken-of-the-tests", **changes
) -> Inbound:
    """What a platform posts to us."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    inbound = Inbound(
        method="POST",
        url=url,
        query=tuple(parse_qsl(urlsplit(url).query)),
        headers={"content-type": "application/json"},
        body=content,
        received_us=NOW_US,
    )
    return msgspec.structs.replace(inbound, **changes)
