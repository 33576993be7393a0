"""`webhook`: messages are posted to an address of yours, signed as Standard Webhooks 1.0.0 has it.

What the receiver does with them is its own affair. It may tell us what became of a message in the same way: a request
to our callback, signed with the same secret.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.delivery.http import Http, HttpFault, Response
from botopt.delivery.signing import BadSignature, Key, read_secret, sign, verify
from botopt.delivery.words import described, instant, secrets_of, trace_headers
from botopt.model.channels import Channel, ChannelType, Honesty, Option, OptionType, Surroundings
from botopt.model.delivery import Answer, Delivered, Failed, Feedback, Inbound, Outgoing, Receipt, Refused
from botopt.model.durations import SECOND_US
from botopt.model.policy import FEEDBACK_TYPES, DeliverySettings, Value
from botopt.model.values import time_us

_MOST_BYTES = 20_000
"""Of a body, by the specification."""

_SLOWLY_US = 30 * SECOND_US
"""How long to leave a receiver alone that is overloaded and does not say for how long."""

_THROTTLED = frozenset({429, 502, 504})
_TOLD = (*FEEDBACK_TYPES, "user.active", "user.subscribed", "user.unsubscribed")
_OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "user-agent"})
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
_NAMES = ("message_id", "provider_id", "address", "user")


class _Body(msgspec.Struct, frozen=True):
    """What a receiver tells us."""

    type: str
    timestamp: str
    data: dict[str, object]


class Webhook(Channel):
    """Posts each message, and believes what is signed."""

    def __init__(self, options: Mapping[str, Value], surroundings: Surroundings) -> None:
        secrets = _texts(options["secret"])
        self._keys: tuple[Key, ...] = tuple(map(read_secret, secrets))
        self._url = str(options["url"])
        self._headers = {str(name).lower(): str(value) for name, value in _map(options.get("headers")).items()}
        fault = next(iter(check(options)), "")
        if fault:
            raise ValueError(fault)
        token = options.get("authorization")
        if isinstance(token, str):
            self._headers["authorization"] = token
            secrets = (*secrets, token, token.rpartition(" ")[2])
        self._now_us = surroundings.now_us
        self._http = Http(surroundings, secrets=(*secrets, *secrets_of(self._url)))

    def send(self, message: Outgoing) -> Receipt:
        """Post it once."""
        body = _body(message)
        if len(body) > _MOST_BYTES:
            return Failed(f"the message is larger than {_MOST_BYTES:,} bytes, which is what webhooks carry")
        headers = {
            **self._headers,
            **trace_headers(message.trace),
            **sign(self._keys, message.key, self._now_us(), body),
            "content-type": "application/json",
        }
        try:
            response = self._http.request("POST", self._url, headers=headers, content=body)
        except HttpFault as fault:
            return fault.failed
        if response.ok:
            return Delivered(_id_of(response))
        return self._failure(response)

    def _failure(self, response: Response) -> Failed:
        if response.status == 410:
            return Failed("HTTP 410: the receiver wants no more messages, ever; take the channel out of the policy")
        found = response.json()
        said = found.get("error", found.get("message")) if isinstance(found, dict) else None
        failed = self._http.failure(
            response,
            said if isinstance(said, str) else "",
            credentials={401, 403},
            look_at="secret and headers, here and there",
        )
        if response.status in _THROTTLED and failed.retry_after_us is None:
            return msgspec.structs.replace(failed, retry_after_us=_SLOWLY_US)
        return failed

    def receive(self, inbound: Inbound) -> Answer:
        """What a receiver tells us about a message or a user, signed with the channel's secret."""
        if inbound.method != "POST":
            raise Refused(405, "only POST is taken here")
        try:
            id = verify(self._keys, inbound.headers, inbound.body, inbound.received_us)
        except BadSignature as fault:
            raise Refused(401, str(fault)) from None
        return Answer(feedback=(_feedback(id, inbound.body),), status=202)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()


def _body(message: Outgoing) -> bytes:
    """The same at every attempt. The event's fields stay behind where there is no room for them."""
    data = described(message)
    body = _encoded(message, data)
    if len(body) > _MOST_BYTES:
        event = {"type": message.event_type, "id": message.event_id, "data": None}
        body = _encoded(message, {**data, "event": event})
    return body


def _encoded(message: Outgoing, data: Mapping[str, object]) -> bytes:
    return msgspec.json.encode({"type": "message.send", "timestamp": instant(message.decided_us), "data": data})


def _id_of(response: Response) -> str | None:
    """What the receiver calls the message, if it says so."""
    found = response.json()
    id = found.get("id") if isinstance(found, dict) else None
    return id if isinstance(id, str) and 0 < len(id) <= 200 and id.isprintable() else None


def _feedback(id: str, body: bytes) -> Feedback:
    try:
        told = msgspec.json.decode(body, type=_Body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Refused(400, "the body must be an object with type, timestamp and data") from None
    if told.type not in _TOLD:
        raise Refused(400, f"type must be one of {', '.join(_TOLD)}")
    at = time_us(told.timestamp)
    if at is None:
        raise Refused(400, "timestamp must be a time such as 2026-07-01T12:00:00Z")
    names = {name: told.data.get(name) for name in _NAMES}
    if not all(value is None or (isinstance(value, str) and value) for value in names.values()):
        raise Refused(400, f"{', '.join(_NAMES)} must be texts")
    if not any(names.values()):
        raise Refused(400, f"data must name the message or the user: {', '.join(_NAMES)}")
    more = {name: value for name, value in told.data.items() if name not in names and _is_value(value)}
    return Feedback(type=told.type, event_id=f"webhook:{id}", time_us=at, data=more, **names)  # type: ignore[arg-type]


def _is_value(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _map(value: Value) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def check(options: Mapping[str, Value]) -> tuple[str, ...]:
    """What does not go together."""
    found = []
    for name in _map(options.get("headers")):
        lower = name.lower()
        if lower in _SECRET_HEADERS:
            found.append(f"the header {name} is a secret: give it as authorization")
        elif lower in _OURS or lower.startswith(("webhook-", "proxy-")):
            found.append(f"the header {name} is one that botopt sets itself")
        elif not lower.replace("-", "").replace("_", "").isalnum() or not lower.isascii():
            found.append(f'"{name}" is no name of a header')
    return tuple(found)


TYPE = ChannelType(
    name="webhook",
    summary="Posts messages to an address of yours, signed by Standard Webhooks 1.0.0.",
    make=Webhook,
    options=(
        Option("url", OptionType.URL, "Where to post messages.", required=True),
        Option(
            "secret",
            OptionType.TEXTS,
            "What signs them: `whsec_…` or `whsk_…`; two while you change from one to the other.",
            required=True,
            secret=True,
        ),
        Option("authorization", OptionType.TEXT, "The header `Authorization`, if the receiver wants one.", secret=True),
        Option("headers", OptionType.NAME_MAP, "More headers, which are not secret."),
    ),
    honesty=Honesty.OFFICIAL_CLIENT,
    repeatable=True,
    buttons=True,
    callbacks=True,
    extra="server",
    settings=DeliverySettings(timeout_us=20 * SECOND_US),
    check=check,
)
