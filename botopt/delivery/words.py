"""Words of the other side, made fit for a receipt; and a message in the words that every channel without a form of its
own can send.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import unquote, unquote_plus, urlsplit

from botopt.model.delivery import Outgoing

_LONGEST = 300
_ENOUGH = 4_096
_TOKEN, _SHORTEST = 16, 4
"""Characters. Shorter ones guard nothing, and removing them would make words unreadable."""


def plain(words: str, secrets: Iterable[str] = ()) -> str:
    """One short line of printable text, in which no secret stands."""
    for secret in secrets:
        words = words.replace(secret, "…")
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in words[:_ENOUGH]).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def secrets_of(url: str) -> tuple[str, ...]:
    """What may be a secret in an address, as it stands there and as a receiver may repeat it.

    Each value of its query, and each part of its path that is long enough to be a token.
    """
    parts = urlsplit(url)
    values = [pair.partition("=")[2] or pair for pair in parts.query.split("&")]
    found = [*values, *(part for part in parts.path.split("/") if len(part) >= _TOKEN)]
    told = {spelling for one in found for spelling in (one, unquote(one), unquote_plus(one)) if len(one) >= _SHORTEST}
    return tuple(sorted(told))


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
