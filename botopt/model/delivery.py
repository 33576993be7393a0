"""What goes to a channel, what comes back, and what platforms tell us later."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.model.errors import BotoptError
from botopt.model.policy import Value


class OutgoingButton(msgspec.Struct, frozen=True):
    """A button. `link` is where it leads (through us, where clicks are counted); None for a plain reply.

    `payload` is what a platform gives back when a button without a link is pressed; `button_payload` makes it.
    """

    label: str
    link: str | None
    payload: str


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One message on its way to one user. `text` and the rest are plain text: a channel does its own escaping.

    `key` is the idempotency key, the same at every attempt. `data` are the event's fields as JSON has them (times as
    RFC 3339 texts). `last_active_us` is when the user was last heard of in the chat, on this channel or on none in
    particular. `trace` holds the headers of the W3C trace context, if there is one.
    """

    id: str
    key: str
    user: str
    address: str
    text: str
    title: str | None = None
    buttons: tuple[OutgoingButton, ...] = ()
    locale: str = "en"
    event_type: str
    event_id: str
    template: str
    variant: str = ""
    data: Mapping[str, object] = {}
    decided_us: int
    expires_us: int | None = None
    attempt: int = 1
    last_active_us: int | None = None
    trace: Mapping[str, str] = {}


class Delivered(msgspec.Struct, frozen=True, tag="delivered_to_provider"):
    """The provider took the message. `provider_id` is its own name for it, by which it will speak of it later."""

    provider_id: str | None = None


class NeedsTransport(msgspec.Struct, frozen=True, tag="needs_transport"):
    """The platform only answered with texts, in order; nobody has seen them yet."""

    texts: tuple[str, ...]
    provider_id: str | None = None


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It was not delivered, as far as we know. `detail` is a sentence for people, without secrets.

    `retryable`: the same attempt may succeed later, not before `retry_after_us` (a duration) where that is given.
    `unsure`: the request may have been taken; nobody told us. `capped_until_us`: the provider refuses messages to this
    user until then.
    """

    detail: str
    retryable: bool = False
    retry_after_us: int | None = None
    unsure: bool = False
    capped_until_us: int | None = None


Receipt = Delivered | NeedsTransport | Failed


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """A platform's request to us. Header names are lower case; `url` is ours as the platform wrote it, query
    included.
    """

    method: str
    url: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = {}
    body: bytes = b""
    received_us: int


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """Something a platform told us: an event of a reserved type, about a message or a user that it names in its own
    way.

    The user is found by `message_id`, else by `provider_id`, else by `address` (the newest message to it on this
    channel), else it is `user`. `event_id` must be the same when the platform tells us again. `time_us` None: when it
    came in.
    """

    type: str
    event_id: str
    message_id: str | None = None
    provider_id: str | None = None
    address: str | None = None
    user: str | None = None
    time_us: int | None = None
    data: Mapping[str, Value] = {}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a callback means, and what the platform is to be told, once the feedback is safe."""

    feedback: tuple[Feedback, ...] = ()
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


class Refused(BotoptError):
    """A callback that is refused: a status of HTTP, and a sentence that tells nothing to an attacker."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def button_payload(message_id: str, number: int) -> str:
    """What a platform gives back when the button (counted from 0) of a message is pressed: `botopt:ID:NUMBER`."""
    return f"botopt:{message_id}:{number}"


def read_payload(payload: str) -> tuple[str, int] | None:
    """The message and the button that `button_payload` named; None for another program's payload."""
    head, _, rest = payload.partition(":")
    message_id, _, number = rest.partition(":")
    if head != "botopt" or not message_id.isalnum() or not number.isascii() or not number.isdigit() or len(number) > 2:
        return None
    return message_id, int(number)


def click_id(message_id: str, number: int) -> str:
    """The id of the event that says that a button was pressed: the same, however often and by whomever we are told."""
    return f"click:{message_id}:{number}"
