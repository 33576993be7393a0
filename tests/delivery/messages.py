"""Messages for the tests of channels."""

from __future__ import annotations

from botopt.model.channels import Surroundings
from botopt.model.delivery import Outgoing, OutgoingButton, button_payload

NOW_US = 1_782_907_200_000_000  # 2026-07-01T12:00:00Z
HOSTILE = (
    "<script>alert(1)</script> <@U123> <!channel> [a](javascript:x) *b* _c_ ~d~ `e` & &amp; \"q\" 'p' \\ %0d%0a"
    "\r\nBcc: victim@example.com\r\n\r\n.\r\n{{7*7}} ${HOME} %s {0} \x1b[31m\u202e \N{SNOWMAN} \N{GRINNING FACE}"
)


def outgoing(**changes: object) -> Outgoing:
    given: dict[str, object] = {
        "id": "0123456789abcdef01234567",
        "key": "0123456789abcdef01234567",
        "user": "u1",
        "address": "u1",
        "text": "Your payment of 12.50 EUR failed.",
        "event_type": "payment_failed",
        "event_id": "e1",
        "template": "payment_failed",
        "data": {"amount": 12.5, "order_id": "4711"},
        "decided_us": NOW_US,
        **changes,
    }
    return Outgoing(**given)  # type: ignore[arg-type]


def with_buttons(**changes: object) -> Outgoing:
    message = outgoing(title="Payment failed", **changes)
    buttons = (
        OutgoingButton("Pay now", "https://example.com/c/abc?x=1&y=2", button_payload(message.id, 0)),
        OutgoingButton("Later", None, button_payload(message.id, 1)),
    )
    return outgoing(title="Payment failed", **{**changes, "buttons": buttons})


def surroundings(**changes: object) -> Surroundings:
    given: dict[str, object] = {
        "name": "chat",
        "timeout_s": 0.6,
        "now_us": lambda: NOW_US,
        "private_networks": True,
        **changes,
    }
    return Surroundings(**given)  # type: ignore[arg-type]
