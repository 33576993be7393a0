"""`rasa`: an intent is triggered in a user's conversation with a Rasa bot, which speaks through channels of its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from botopt.delivery.answers import items, known, record, said, secret_of_callbacks, words
from botopt.delivery.http import Http, HttpFault, Response
from botopt.delivery.tokens import Sign, signer
from botopt.delivery.words import trace_headers
from botopt.model.channels import Channel, ChannelType, Honesty, Option, OptionType, Surroundings
from botopt.model.delivery import (
    Answer,
    Delivered,
    Failed,
    Feedback,
    Inbound,
    NeedsTransport,
    Outgoing,
    Receipt,
    Refused,
)
from botopt.model.durations import SECOND_US
from botopt.model.policy import FEEDBACK_TYPES, Value

_TOKEN_S = 300
_COLLECTS_AND_PUSHES = "callback"
"""The one channel of Rasa that both returns what the bot says and has pushed it."""

_CONVERSATION = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]+", re.ASCII)
"""Ids that can stand in a path. Rasa's server (Sanic) decodes nothing there: an encoded id is that of another."""

_ACTIVE = "user.active"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One Rasa server. `fields` None: all of them become entities."""

    url: str
    output_channel: str
    intent_prefix: str
    intents: Mapping[str, str]
    fields: tuple[str, ...] | None
    token: str
    jwt_role: str


class Rasa(Channel):
    """One Rasa server."""

    def __init__(
        self, settings: Settings, http: Http, sign: Sign | None, now_us: Callable[[], int], callback_token: str
    ) -> None:
        self._settings = settings
        self._http = http
        self._sign = sign
        self._now_us = now_us
        self._callback_token = callback_token

    def send(self, message: Outgoing) -> Receipt:
        """Trigger the intent. `messages` in the answer says that Rasa collected texts instead of pushing them."""
        own = self._settings
        if not _CONVERSATION.fullmatch(message.address) or message.address in {".", ".."}:
            return Failed("the conversation's id holds characters that Rasa would not read in a path as they are")
        query = {"output_channel": own.output_channel, "include_events": "NONE"}
        if own.token:
            query["token"] = own.token
        url = f"{own.url}/conversations/{message.address}/trigger_intent?{urlencode(query)}"
        intent = own.intents.get(message.event_type, f"{own.intent_prefix}{message.event_type}")
        body = {"name": intent, "entities": self._entities(message)}
        try:
            response = self._http.request("POST", url, headers=self._headers(message), json=body)
        except HttpFault as fault:
            return fault.failed
        return self._receipt(response, intent)

    def receive(self, inbound: Inbound) -> Answer:
        """What Rasa's callback channel posts: one thing that the bot said.

        It is no sign of the user: the bot also speaks when we trigger an intent. A bot that knows more says so itself,
        in a `custom` payload: `{"botopt": "message.converted", "botopt_id": …}`, or `{"botopt": "user.active"}`.
        """
        body = known(inbound, self._callback_token)
        told = record(body.get("custom"))
        kind, message_id = words(told.get("botopt")), words(told.get("botopt_id"))
        user = words(body.get("recipient_id"))
        if kind == _ACTIVE and user:
            # Activity may be told as often as it is: each is one of its own.
            once = f"{user}:{inbound.received_us}"
            return Answer(feedback=(Feedback(type=kind, event_id=f"rasa:{_short(once.encode())}", address=user),))
        if kind in FEEDBACK_TYPES and message_id:
            once = _short(inbound.body)
            return Answer(feedback=(Feedback(type=kind, event_id=f"rasa:{once}", message_id=message_id),))
        if kind:
            raise Refused(400, "the payload names no event that is known here, or no botopt_id")
        return Answer()

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _headers(self, message: Outgoing) -> Mapping[str, str]:
        headers = trace_headers(message.trace)
        if self._sign is not None:
            now_s = self._now_us() // SECOND_US
            # Role "user" may speak in this conversation only; its name must be the conversation's id.
            user = {"username": message.address, "role": self._settings.jwt_role}
            headers["authorization"] = f"Bearer {self._sign({'user': user, 'iat': now_s, 'exp': now_s + _TOKEN_S})}"
        return headers

    def _entities(self, message: Outgoing) -> dict[str, str]:
        """`{name: text}`; Rasa ignores every other form of a map."""
        wanted = self._settings.fields
        data = message.data if wanted is None else {name: message.data.get(name) for name in wanted}
        found = {name: _text(value) for name, value in data.items() if value is not None}
        found |= {"botopt_id": message.id, "botopt_text": message.text}
        return found

    def _receipt(self, response: Response, intent: str) -> Receipt:
        body = response.json()
        if not response.ok:
            return self._failure(response, record(body), intent)
        if not isinstance(body, dict):
            return Failed("the answer was not a JSON object", retryable=True, unsure=True)
        if "messages" not in body:
            return Delivered()
        if items(body["messages"]) and self._channel(body) == _COLLECTS_AND_PUSHES:
            return Delivered()  # a picture or buttons are pushed as well as a text
        texts = (words(record(message).get("text")) for message in items(body["messages"]))
        found = tuple(text for text in texts if text.strip())
        if not found:
            return Failed("the bot said nothing, and Rasa has pushed nothing")
        return NeedsTransport(found)

    def _channel(self, body: Mapping[str, Any]) -> str:
        """Which channel of Rasa was meant; `latest` is the one that the conversation came from."""
        named = self._settings.output_channel
        return named if named != "latest" else words(record(body.get("tracker")).get("latest_input_channel"))

    def _failure(self, response: Response, body: Mapping[str, Any], intent: str) -> Failed:
        reason = said(body.get("reason"))
        if response.status == 404:
            # Their sentence shows a function instead of the intent.
            return self._http.failure(
                response, f'the intent "{intent}" is not in the domain, or this is no Rasa server'
            )
        if response.status == 409:
            return msgspec.structs.replace(self._http.failure(response, "no model is loaded yet"), retryable=True)
        if response.status in {401, 403}:
            look_at = "token, jwt_secret and jwt_role"
            return self._http.failure(response, reason or "not allowed", credentials={401, 403}, look_at=look_at)
        failed = self._http.failure(response, f"{reason}: {said(body.get('message'))}" if reason else "")
        # The dialogue broke off somewhere; what came before may have been said.
        return msgspec.structs.replace(failed, unsure=True) if reason == "ConversationError" else failed


def _short(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:24]


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _make(options: Mapping[str, Value], surroundings: Surroundings) -> Channel:
    faults = _check(options)
    if faults:
        raise ValueError(faults[0])
    token, secret = str(options["token"] or ""), str(options["jwt_secret"] or "")
    callback_token, fields = secret_of_callbacks(options), options["entities"]
    intents = options["intents"]
    return Rasa(
        Settings(
            url=str(options["url"]).rstrip("/"),
            output_channel=str(options["output_channel"]),
            intent_prefix=str(options["intent_prefix"] or ""),
            intents={name: str(text) for name, text in intents.items()} if isinstance(intents, Mapping) else {},
            fields=tuple(map(str, fields)) if isinstance(fields, (list, tuple)) else None,
            token=token,
            jwt_role=str(options["jwt_role"]),
        ),
        Http(surroundings, secrets=(token, secret, callback_token)),
        signer(surroundings.name, "jwt_secret", secret, str(options["jwt_method"])) if secret else None,
        surroundings.now_us,
        callback_token,
    )


def _check(options: Mapping[str, Value]) -> tuple[str, ...]:
    faults = []
    if options.get("token") and options.get("jwt_secret"):
        faults.append("say how to sign in: either token or jwt_secret")
    if options.get("output_channel") == "rest":
        faults.append("Rasa's rest channel cannot be pushed to; name another output_channel, or give this one a reply")
    return tuple(faults)


TYPE = ChannelType(
    name="rasa",
    summary="Triggers an intent in a user's conversation with a Rasa bot.",
    make=_make,
    check=_check,
    honesty=Honesty.DOCUMENTATION,
    callbacks=True,
    needs_transport=True,
    extra="server",
    options=(
        Option("url", OptionType.URL, "The Rasa server, started with --enable-api.", required=True),
        Option(
            "output_channel",
            OptionType.TEXT,
            "Through which of Rasa's channels the bot speaks: its name, or latest for where the user wrote last.",
            default="latest",
        ),
        Option(
            "intent_prefix",
            OptionType.TEXT,
            "What stands before the event type in the intent's name.",
            default="EXTERNAL_",
        ),
        Option(
            "intents",
            OptionType.NAME_MAP,
            "The intent for an event type; where there is none, intent_prefix and the event type.",
        ),
        Option("entities", OptionType.TEXTS, "The event's fields that become entities; else all of them."),
        Option("token", OptionType.TEXT, "What Rasa was given as --auth-token. It stands in the URL.", secret=True),
        Option("jwt_secret", OptionType.TEXT, "What Rasa was given as --jwt-secret.", secret=True),
        Option(
            "jwt_method",
            OptionType.TEXT,
            "What Rasa was given as --jwt-method. With RS256, jwt_secret is the private key in PEM form.",
            default="HS256",
            one_of=("HS256", "HS384", "HS512", "RS256"),
        ),
        Option(
            "jwt_role",
            OptionType.TEXT,
            "The role in the token: user may act in that one conversation, admin in all.",
            default="user",
            one_of=("user", "admin"),
        ),
        Option(
            "callback_token",
            OptionType.TEXT,
            "What ?token= must hold in the URL that Rasa's callback channel posts to.",
            secret=True,
        ),
    ),
)
