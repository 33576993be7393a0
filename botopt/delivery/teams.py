"""`teams`: messages into conversations of Microsoft Teams, through the Bot Framework's connector.

A bot can only write into a conversation that it knows: the address of a user is the id of that conversation, which
every activity of the user names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from threading import Lock
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from botopt.delivery.answers import posted
from botopt.delivery.http import Http, HttpFault, Response
from botopt.delivery.words import trace_headers
from botopt.model.channels import Channel, ChannelType, Honesty, Option, OptionType, Surroundings
from botopt.model.delivery import (
    Answer,
    Delivered,
    Failed,
    Feedback,
    Inbound,
    Outgoing,
    Receipt,
    Refused,
    click_id,
    read_payload,
)
from botopt.model.durations import HOUR_US, MINUTE_US, SECOND_US
from botopt.model.policy import DeliverySettings, Value

_SCOPE = "https://api.botframework.com/.default"
_ISSUER = "https://api.botframework.com"
_LEEWAY_S = 300
_KEYS_US = 24 * HOUR_US
"""How long signing keys are kept: what Microsoft's documentation asks for."""

_AGAIN_US = 30 * SECOND_US
"""How long after keys could not be read they are asked for again: strangers can make us want them."""

_LATER_STATUS = frozenset({412})
"""Microsoft says to try again after 412, 502 and 504, as after 429."""

_EARLY_US = 5 * MINUTE_US
_MOST_TEXT = 20_000
_MOST_BUTTONS = 6
_ID = re.compile(r"[\x21-\x7e]{1,512}")


class Teams(Channel):
    """One bot registration."""

    def __init__(self, options: Mapping[str, Value], surroundings: Surroundings) -> None:
        self._app_id, self._password = str(options["app_id"]), str(options["app_password"])
        self._http = Http(surroundings, secrets=(self._password,))
        self._login = (
            f"{str(options['login_url']).rstrip('/')}/{quote(str(options['tenant']), safe='')}/oauth2/v2.0/token"
        )
        self._service = str(options["service_url"]).rstrip("/")
        self._metadata = str(options["metadata_url"])
        self._now_us = surroundings.now_us
        self._here: Mapping[str, Value] = {"channel": surroundings.name}
        self._lock = Lock()
        self._token: tuple[str, int] | None = None
        self._keys_lock = Lock()  # another one: who asks for keys keeps no message waiting
        self._no_keys_until_us = 0
        self._keys: tuple[Mapping[str, Any], int] | None = None

    def send(self, message: Outgoing) -> Receipt:
        """Post an activity into the conversation."""
        if not _ID.fullmatch(message.address):
            return Failed("the address is not the id of a conversation")
        url = f"{self._service}/v3/conversations/{quote(message.address, safe='')}/activities"
        try:
            with self._http.attempt():
                token = self._access_token()
                if isinstance(token, Failed):
                    return token
                headers = {"authorization": f"Bearer {token}", **trace_headers(message.trace)}
                response = self._http.request("POST", url, headers=headers, json=activity(message, self._app_id))
        except HttpFault as fault:
            return fault.failed
        if response.ok:
            said = response.json()
            name = said.get("id") if isinstance(said, dict) else None
            return Delivered(name if isinstance(name, str) else None)
        return self._failure(response)

    def receive(self, inbound: Inbound) -> Answer:
        """An activity that the connector posts: the user wrote, or pressed a button."""
        self._check(inbound)
        return Answer(feedback=_feedback(posted(inbound.body, "the body is not an activity"), self._here))

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _access_token(self) -> str | Failed:
        """Client credentials, kept until shortly before they expire. Raises HttpFault: then nothing was sent."""
        with self._lock:
            if self._token is not None and self._now_us() < self._token[1]:
                return self._token[0]
            form = {
                "grant_type": "client_credentials",
                "client_id": self._app_id,
                "client_secret": self._password,
                "scope": _SCOPE,
            }
            try:
                response = self._http.request("POST", self._login, form=form)
            except HttpFault as fault:
                raise HttpFault(msgspec.structs.replace(fault.failed, unsure=False)) from fault
            said = response.json()
            token = said.get("access_token") if response.ok and isinstance(said, dict) else None
            if not response.ok:
                failed = self._http.failure(
                    response, "no token", credentials=range(400, 429), look_at="app_id and app_password"
                )
                return msgspec.structs.replace(failed, retryable=True, unsure=False)
            if not isinstance(token, str):
                return Failed("no token: what the login service says cannot be read", retryable=True)
            lasts = said.get("expires_in")
            lasts_us = int(lasts) * SECOND_US if isinstance(lasts, int) and lasts > 0 else HOUR_US
            self._token = token, self._now_us() + max(lasts_us - _EARLY_US, lasts_us // 2)
            return token

    def _failure(self, response: Response) -> Failed:
        said = response.json()
        error = said.get("error") if isinstance(said, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        word = code if isinstance(code, str) and code.isalnum() and len(code) < 60 else ""
        if response.status == 401:
            with self._lock:
                self._token = None
        failed = self._http.failure(response, word, look_at="app_id and app_password")
        return msgspec.structs.replace(failed, retryable=True) if response.status in _LATER_STATUS else failed

    def _check(self, inbound: Inbound) -> None:
        """Believe only what the connector signed, for this bot, from the service that the policy names."""
        import jwt

        scheme, _, token = inbound.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(401, "the request is not signed")
        try:
            key = self._key(str(jwt.get_unverified_header(token).get("kid")), inbound.received_us)
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._app_id,
                issuer=_ISSUER,
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "require": ["exp"]},
            )
            now_s = inbound.received_us // SECOND_US
            begins, ends = int(claims.get("nbf", 0)), int(claims["exp"])
        except HttpFault as fault:
            raise Refused(503, "the keys of the connector cannot be read now") from fault
        except (jwt.PyJWTError, TypeError, ValueError, KeyError) as fault:
            raise Refused(401, "the signature does not fit") from fault
        if not begins - _LEEWAY_S <= now_s <= ends + _LEEWAY_S:
            raise Refused(401, "the signature is too old")
        service = claims.get("serviceurl")
        if isinstance(service, str) and urlsplit(service).hostname != urlsplit(self._service).hostname:
            raise Refused(403, "the service is not the one that the policy names")

    def _key(self, name: str, now_us: int) -> Any:  # noqa: ANN401  # a key of the library
        with self._keys_lock:
            known = self._keys
            fresh = known is not None and now_us < known[1]
            if known is None or not fresh or (name not in known[0] and now_us > known[1] - _KEYS_US + HOUR_US):
                # Neither a clock that was set back nor anybody's requests make this wait or hurry.
                if self._no_keys_until_us - _AGAIN_US <= now_us < self._no_keys_until_us:
                    raise HttpFault(Failed("no keys", retryable=True))
                self._no_keys_until_us = now_us + _AGAIN_US
                known = self._keys = self._read_keys(), now_us + _KEYS_US
                self._no_keys_until_us = 0
        return known[0][name]

    def _read_keys(self) -> Mapping[str, Any]:
        import jwt

        metadata = self._http.request("GET", self._metadata).json()
        address = metadata.get("jwks_uri") if isinstance(metadata, dict) else None
        if not isinstance(address, str):
            raise HttpFault(Failed("no keys", retryable=True))
        listed = self._http.request("GET", address).json()
        try:
            keys = jwt.PyJWKSet.from_dict(listed if isinstance(listed, dict) else {}).keys
        except (jwt.PyJWTError, TypeError, ValueError, AttributeError, KeyError) as fault:
            raise HttpFault(Failed("no keys", retryable=True)) from fault
        return {str(key.key_id): key for key in keys}


def activity(message: Outgoing, app_id: str) -> dict[str, object]:
    """The activity. Plain text; with buttons an Adaptive Card, whose text runs read no markup."""
    found: dict[str, object] = {
        "type": "message",
        "from": {"id": f"28:{app_id}"},
        "locale": message.locale,
        "textFormat": "plain",
        "channelData": {"botopt_id": message.id},
    }
    text = message.text[:_MOST_TEXT]
    if not message.buttons:
        return found | {"text": f"{message.title}\n\n{text}" if message.title else text}
    body = [_run(text)]
    if message.title:
        body.insert(0, _run(message.title, weight="Bolder"))
    actions = [
        {"type": "Action.OpenUrl", "title": button.label, "url": button.link}
        if button.link
        else {"type": "Action.Submit", "title": button.label, "data": {"botopt": button.payload}}
        for button in message.buttons[:_MOST_BUTTONS]
    ]
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.2",
        "body": body,
        "actions": actions,
        "lang": message.locale,
    }
    return found | {
        "summary": text[:200],
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _feedback(said: Mapping[str, Any], here: Mapping[str, Value]) -> tuple[Feedback, ...]:
    conversation, name = said.get("conversation"), said.get("id")
    place = conversation.get("id") if isinstance(conversation, dict) else None
    if said.get("type") not in {"message", "invoke"} or not isinstance(place, str) or not isinstance(name, str):
        return ()
    place = place.partition(";messageid=")[0]  # a reply in a thread
    found = [Feedback(type="user.active", event_id=f"teams:{place}:{name}"[:250], address=place, data=here)]
    value = said.get("value")
    payload = value.get("botopt") if isinstance(value, dict) else None
    pressed = read_payload(payload) if isinstance(payload, str) else None
    if pressed is not None:
        found.append(Feedback(type="message.clicked", event_id=click_id(*pressed), message_id=pressed[0]))
    return tuple(found)


def _run(text: str, **style: str) -> dict[str, object]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _make(options: Mapping[str, Value], surroundings: Surroundings) -> Channel:
    return Teams(options, surroundings)


TYPE = ChannelType(
    name="teams",
    summary="Writes into conversations of Microsoft Teams that the bot knows; buttons come back as clicks.",
    make=_make,
    options=(
        Option("app_id", OptionType.TEXT, "The bot's application id.", required=True),
        Option("app_password", OptionType.TEXT, "Its client secret.", required=True, secret=True),
        Option("tenant", OptionType.TEXT, "The tenant of a single-tenant bot.", default="botframework.com"),
        Option(
            "service_url",
            OptionType.URL,
            "The connector of your region.",
            default="https://smba.trafficmanager.net/teams/",
        ),
        Option("login_url", OptionType.URL, "Where tokens come from.", default="https://login.microsoftonline.com"),
        Option(
            "metadata_url",
            OptionType.URL,
            "Where the connector's signing keys are named.",
            default="https://login.botframework.com/v1/.well-known/openidconfiguration",
        ),
    ),
    honesty=Honesty.OFFICIAL_CLIENT,
    addressed="the id of the user's conversation with the bot, such as 19:…@thread.v2 or a:1…",
    buttons=True,
    callbacks=True,
    max_length=_MOST_TEXT,
    extra="server",
    settings=DeliverySettings(messages=10, per_us=SECOND_US),
)
