"""Kore.ai's webhook channel, version 2: what we say starts a dialog, and the bot speaks.

There are no events of one's own there. `message.type` `event` knows ON_CONNECT and SESSION_CLOSURE only, so a dialog is
started by a text that the bot was trained on, or by ON_CONNECT in a new session. What it should know comes as
`customData`; the dialog finds it at `context.session.BotUserSession.lastMessage`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any
from urllib.parse import quote

import msgspec

from botopt.delivery.answers import items, record, said, words
from botopt.delivery.http import Http, HttpFault, Response
from botopt.delivery.koreai_answers import refusal
from botopt.delivery.tokens import Sign
from botopt.delivery.words import trace_headers
from botopt.model.delivery import Delivered, Failed, NeedsTransport, Outgoing, Receipt
from botopt.model.durations import SECOND_US


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How one bot is spoken to. `url` ends with the stream's id; `instance` is empty for the first webhook."""

    url: str
    bot: str
    client_id: str
    instance: str = ""
    utterance: str = ""
    utterances: Mapping[str, str] = {}
    on_connect: bool = False
    merge_identity: bool = False
    preferred_channel: str = ""
    languages: Mapping[str, str] = {}
    poll_every_us: int = SECOND_US


class Webhook:
    """Starts dialogs, and takes what comes back at once."""

    def __init__(self, settings: Settings, http: Http, sign: Sign, now_us: Callable[[], int]) -> None:
        self._settings = settings
        self._http = http
        self._sign = sign
        self._now_us = now_us
        self._closed = Event()
        instance = f"/hookInstance/{quote(settings.instance, safe='')}" if settings.instance else ""
        self._trigger_url = settings.url + instance

    def send(self, message: Outgoing) -> Receipt:
        """Start the dialog; collect what the bot says, if it says it here."""
        opening = self._opening(message.event_type)
        if opening is None:
            event_type = self._http.plain(message.event_type)
            return Failed(f'no utterance starts a dialog for "{event_type}": add it to utterances')
        headers = {"authorization": f"bearer {self._token(message)}"}
        trace = trace_headers(message.trace)
        with self._http.attempt():
            try:
                response = self._http.request(
                    "POST", self._trigger_url, headers={**trace, **headers}, json=self._body(message, opening)
                )
            except HttpFault as fault:
                return fault.failed
            failed = refusal(self._http, response)
            return failed or self._receipt(response, headers)

    def close(self) -> None:
        """Wait no longer for anything."""
        self._closed.set()

    def _opening(self, event_type: str) -> Mapping[str, str] | None:
        if self._settings.on_connect:
            return {"type": "event", "val": "ON_CONNECT"}
        utterance = self._settings.utterances.get(event_type, self._settings.utterance)
        return {"type": "text", "val": utterance} if utterance else None

    def _token(self, message: Outgoing) -> str:
        now_us = self._now_us()
        # Kore.ai asks for a random number here. This one is as good, and needs no source of chance.
        drawn = hashlib.sha256(f"{message.key}:{message.attempt}:{now_us}".encode()).digest()
        return self._sign(
            {
                "appId": self._settings.client_id,
                "sub": str(int.from_bytes(drawn[:6])),
                "userIdentity": message.address,  # must equal from.id: else the token is refused
                "iat": now_us // SECOND_US,
            }
        )

    def _body(self, message: Outgoing, opening: Mapping[str, str]) -> dict[str, object]:
        own = self._settings
        body: dict[str, object] = {
            "session": {"new": own.on_connect},
            "message": opening,
            "from": {"id": message.address, "userInfo": {"firstName": "", "lastName": "", "email": ""}},
            "to": {"id": own.bot, "groupInfo": {"id": "", "name": ""}},
            "metaTags": {"messageLevelTags": [{"name": "botopt_id", "value": message.id}]},
            "customData": _custom_data(message),
            # The table of their documentation writes InteractiveLanguage, its sample this.
            "interactiveLanguage": self._language(message.locale),
        }
        if own.merge_identity:
            body["mergeIdentity"] = True
        if own.preferred_channel:
            body["preferredChannelForResponse"] = own.preferred_channel
        return body

    def _language(self, locale: str) -> str:
        primary = locale.replace("_", "-").partition("-")[0].lower()
        return self._settings.languages.get(locale, self._settings.languages.get(primary, primary))

    def _receipt(self, response: Response, headers: Mapping[str, str]) -> Receipt:
        body = response.json()
        if not isinstance(body, dict):
            return Failed("the answer was not a JSON object", retryable=True, unsure=True)
        provider_id = words(body.get("traceId")) or words(body.get("_t")) or None
        if "data" not in body and "text" not in body and "pollId" not in body:
            if body.get("status") == "ok":
                return Delivered(provider_id)  # asynchronous: Kore.ai posts the replies to the bot's POST URL
            return Failed("the answer was neither an acknowledgement nor a reply", retryable=True, unsure=True)
        texts, complete, last = self._collect(body, headers)
        if texts:
            return NeedsTransport(tuple(texts), provider_id or _message_id(body))
        if not complete:
            return Failed("the dialog was started, but its reply did not come in time", retryable=True, unsure=True)
        if reason := said(last.get("endReason")):
            return Failed(f"the dialog ended ({self._http.plain(reason)}) without a text")
        return Failed("the bot replied without a text")

    def _collect(
        self, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[list[str], bool, Mapping[str, Any]]:
        """All texts, whether nothing more was to come, and the last answer.

        Each poll id is answered once, and the answer may name another. What is lost on the way is lost; what came
        before is worth passing on.
        """
        texts = list(_texts(body))
        poll_id = words(body.get("pollId"))
        while poll_id:
            if not self._pause():
                return texts, False, body
            try:
                response = self._http.request(
                    "GET", f"{self._settings.url}/poll/{quote(poll_id, safe='')}", headers=headers
                )
            except HttpFault:
                return texts, False, body
            found = response.json()
            if not isinstance(found, dict) or refusal(self._http, response) is not None:
                return texts, False, body
            body = found
            texts += _texts(body)
            waiting = words(body.get("status")).lower() == "inprogress"
            poll_id = words(body.get("pollId")) or (poll_id if waiting else "")
        return texts, True, body

    def _pause(self) -> bool:
        """Wait before the next poll; False when there is no time for it."""
        wait_s = self._settings.poll_every_us / SECOND_US
        return self._http.left_s() > wait_s and not self._closed.wait(wait_s)


def _custom_data(message: Outgoing) -> dict[str, object]:
    data: dict[str, object] = {
        "botopt_id": message.id,
        "event": message.event_type,
        "template": message.template,
        "text": message.text,
        "fields": dict(message.data),
    }
    if message.title:
        data["title"] = message.title
    if message.variant:
        data["variant"] = message.variant
    if message.buttons:
        data["buttons"] = [
            {"label": button.label, "link": button.link, "payload": button.payload} for button in message.buttons
        ]
    return data


def _texts(body: Mapping[str, Any]) -> list[str]:
    """What the bot says: `data` holds a list; version 1 called it `text`, and had single ones too."""
    found = body.get("data", body.get("text"))
    parts = found if isinstance(found, list) else [found]
    texts = (_text(record(part).get("val", record(part).get("text", part))) for part in parts)
    return [text for text in texts if text.strip()]


def _text(value: object) -> str:
    """The words of one reply: a text, or a template as an object or as JSON inside a text."""
    if isinstance(value, str):
        if not value.lstrip().startswith("{"):
            return value
        try:
            inner = msgspec.json.decode(value)
        except (msgspec.MsgspecError, RecursionError):
            return value
        return _text(inner)
    template = record(value)
    return words(record(template.get("payload")).get("text")) or words(template.get("text"))


def _message_id(body: Mapping[str, Any]) -> str | None:
    ids = (words(record(part).get("messageId")) for part in items(body.get("data")))
    return next((found for found in ids if found), None)
