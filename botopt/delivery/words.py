"""Words of the other side, made fit for a receipt; and a message in the words that every channel without a form of its
own can send.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from botopt.model.delivery import Outgoing

_LONGEST = 300
_ENOUGH = 4_096


def plain(words: str, secrets: Iterable[str] = ()) -> str:
    """One short line of printable text, in which no secret stands."""
    for secret in secrets:
        words = words.replace(secret, "…")
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in words[:_ENOUGH]).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def instant(us: int) -> str:
    """A time as RFC 3339, in UTC, with a fraction only where there is one."""
    seconds, fraction = divmod(us, 1_000_000)
    text = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
    return f"{text}.{fraction:06}Z".replace("000Z", "Z") if fraction else f"{text}Z"


def described(message: Outgoing) -> dict[str, object]:
    """The message as JSON: see schemas/webhook-message.schema.json. The same at every attempt."""
    return {
        "id": message.id,
        "key": message.key,
        "user": message.user,
        "address": message.address,
        "text": message.text,
        "title": message.title,
        "buttons": [{"label": one.label, "link": one.link, "payload": one.payload} for one in message.buttons],
        "locale": message.locale,
        "template": message.template,
        "variant": message.variant,
        "event": {"type": message.event_type, "id": message.event_id, "data": dict(message.data)},
        "decided_at": instant(message.decided_us),
        "expires_at": None if message.expires_us is None else instant(message.expires_us),
    }


def with_links(message: Outgoing) -> str:
    """The text, and below it a line for each button that leads somewhere."""
    lines = [f"{one.label}: {one.link}" for one in message.buttons if one.link is not None]
    return "\n\n".join([message.text, "\n".join(lines)]) if lines else message.text


def trace_headers(trace: Mapping[str, str]) -> dict[str, str]:
    """Those of the W3C trace context that a header can carry."""
    found = {name: trace[name] for name in ("traceparent", "tracestate") if name in trace}
    return {name: value for name, value in found.items() if value.isascii() and value.isprintable() and value.strip()}
