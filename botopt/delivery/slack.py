"""`slack`: messages to people and channels of a Slack workspace, by the Web API.

A button without a link comes back to us as an interaction. Slack answers faults with status 200 and `ok: false`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from threading import Lock
from urllib.parse import parse_qs

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
from botopt.model.durations import SECOND_US
from botopt.model.policy import DeliverySettings, Value

_TOLERANCE_S = 300
"""How old a signed request may be: what Slack's documentation recommends."""

_SECTION = 3_000
_HEADER = 150
_LABEL = 75
_MOST_BUTTONS = 25
_MOST_TEXT = 12_000
_MOST_KNOWN = 10_000
_MOST_FIELDS = 50

_TRY_LATER = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "accesslimited"})
_MAY_HAVE_WORKED = frozenset({"internal_error", "fatal_error", "request_timeout"})
_NOT_OURS = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})
"""Faults of the token: no message is to blame, so they wait until somebody has mended it."""

_NOT_SLACK = "the body is not what Slack sends"
_USER = re.compile(r"[UW][A-Z0-9]{2,}")
_DIGITS = re.compile(r"[0-9]{1,12}")


class Slack(Channel):
    """One Slack app, as the bot whose token it has."""

    def __init__(self, options: Mapping[str, Value], surroundings: Surroundings) -> None:
        self._http = Http(surroundings, secrets=(str(options["token"]), str(options.get("signing_secret") or "")))
        self._url = str(options["url"]).rstrip("/")
        self._headers = {
            "authorization": f"Bearer {options['token']}",
            "content-type": "application/json; charset=utf-8",
        }
        secret = options.get("signing_secret")
        self._secret = secret.encode() if isinstance(secret, str) else None
        self._lock = Lock()
        self._conversations: dict[str, str] = {}
        self._here: Mapping[str, Value] = {"channel": surroundings.name}

    def send(self, message: Outgoing) -> Receipt:
        """Post it; a person gets it in the conversation with the app."""
        try:
            with self._http.attempt():
                channel = message.address
                if _USER.fullmatch(channel):
                    opened = self._conversation(channel)
                    if isinstance(opened, Failed):
                        return opened
                    channel = opened
                headers = {**self._headers, **trace_headers(message.trace)}
                url = f"{self._url}/chat.postMessage"
                response = self._http.request("POST", url, headers=headers, json=payload(message, channel))
        except HttpFault as fault:
            return fault.failed
        said = _said(response)
        if isinstance(said, dict) and said.get("ok") is True:
            stamp = said.get("ts")
            return Delivered(f"{said.get('channel')}:{stamp}" if isinstance(stamp, str) else None)
        return self._failure(response, said)

    def receive(self, inbound: Inbound) -> Answer:
        """An interaction (a button was pressed), or an event of the Events API (the user wrote to the app)."""
        if self._secret is None:
            raise Refused(404, "this channel takes no callbacks: it has no signing_secret")
        check_signature(self._secret, inbound)
        if inbound.headers.get("content-type", "").startswith("application/json"):
            return _event(posted(inbound.body, _NOT_SLACK), self._here)
        try:
            fields = parse_qs(inbound.body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise Refused(400, _NOT_SLACK) from None
        if "payload" not in fields:
            return Answer()  # a slash command, say: nothing that concerns a message
        return _interaction(posted(fields["payload"][0].encode(), _NOT_SLACK), self._here)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _conversation(self, user: str) -> str | Failed:
        """The direct conversation with a user. Opening it again gives the same one, so trying twice does no harm."""
        with self._lock:
            known = self._conversations.get(user)
        if known is not None:
            return known
        try:
            response = self._http.request(
                "POST", f"{self._url}/conversations.open", headers=self._headers, json={"users": user}
            )
        except HttpFault as fault:
            return msgspec.structs.replace(fault.failed, unsure=False)
        said = _said(response)
        channel = said.get("channel") if isinstance(said, dict) and said.get("ok") is True else None
        found = channel.get("id") if isinstance(channel, dict) else None
        if not isinstance(found, str):
            return msgspec.structs.replace(self._failure(response, said), unsure=False)
        with self._lock:
            if len(self._conversations) >= _MOST_KNOWN:
                self._conversations.clear()
            self._conversations[user] = found
        return found

    def _failure(self, response: Response, said: object) -> Failed:
        if not response.ok:
            return self._http.failure(response, look_at="the option token")
        error = said.get("error") if isinstance(said, dict) else None
        if not isinstance(error, str):
            return Failed("Slack's answer cannot be read", retryable=True, unsure=True)
        word = re.sub(r"[^a-z0-9_]", "?", error[:60])
        if word in _TRY_LATER:
            again = self._http.failure(msgspec.structs.replace(response, status=429))
            return Failed(f"Slack says {word}", retryable=True, retry_after_us=again.retry_after_us)
        if word in _MAY_HAVE_WORKED:
            return Failed(f"Slack says {word}", retryable=True, unsure=True)
        if word in _NOT_OURS:
            return Failed(f"Slack says {word}: look at the option token", retryable=True)
        return Failed(f"Slack says {word}")


def payload(message: Outgoing, channel: str) -> dict[str, object]:
    """The body of `chat.postMessage`. Blocks hold plain text, so nothing in a message is read as markup."""
    blocks: list[dict[str, object]] = []
    if message.title:
        blocks.append({"type": "header", "text": _plain(message.title, _HEADER)})
    text = message.text[:_MOST_TEXT]
    blocks += [
        {"type": "section", "text": _plain(text[start : start + _SECTION], _SECTION)}
        for start in range(0, len(text), _SECTION)
    ]
    buttons = [
        {
            "type": "button",
            "action_id": f"botopt_{number}",
            "text": _plain(button.label, _LABEL),
            "value": button.payload,
            **({"url": button.link} if button.link else {}),
        }
        for number, button in enumerate(message.buttons[:_MOST_BUTTONS])
    ]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return {
        "channel": channel,
        "text": _escaped(f"{message.title}\n{text}" if message.title else text),  # for notifications, and old clients
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": blocks,
        "metadata": {"event_type": "botopt_message", "event_payload": {"id": message.id}},
    }


def check_signature(secret: bytes, inbound: Inbound) -> None:
    """Believe only what Slack signed (`v0`), not long ago.

    Raises:
        Refused: it did not, or long ago.
    """
    stamp = inbound.headers.get("x-slack-request-timestamp", "")
    signature = inbound.headers.get("x-slack-signature", "")
    if not _DIGITS.fullmatch(stamp) or not signature:
        raise Refused(401, "the request is not signed")
    if abs(inbound.received_us // SECOND_US - int(stamp)) > _TOLERANCE_S:
        raise Refused(401, "the signature is too old")
    made = "v0=" + hmac.new(secret, f"v0:{stamp}:".encode() + inbound.body, sha256).hexdigest()
    if not hmac.compare_digest(made.encode(), signature.encode("utf-8", "replace")):
        raise Refused(401, "the signature does not fit")


def _interaction(said: Mapping[str, object], here: Mapping[str, Value]) -> Answer:
    """A pressed button is a click, and a sign of life."""
    actions = said.get("actions")
    if said.get("type") != "block_actions" or not isinstance(actions, list):
        return Answer()
    feedback = []
    for action in actions:
        value = action.get("value") if isinstance(action, dict) else None
        pressed = read_payload(value) if isinstance(value, str) else None
        if pressed is None:
            continue
        message_id, number = pressed
        feedback.append(Feedback(type="message.clicked", event_id=click_id(*pressed), message_id=message_id))
        alive = f"slack:{message_id}:{str(action.get('action_ts', number))[:40]}"
        feedback.append(Feedback(type="user.active", event_id=alive, message_id=message_id, data=here))
    return Answer(feedback=tuple(feedback))


def _event(said: Mapping[str, object], here: Mapping[str, Value]) -> Answer:
    """What people write to the app in its conversation shows that they are there."""
    if said.get("type") == "url_verification":
        challenge = said.get("challenge")
        return Answer(body=challenge.encode()[:512] if isinstance(challenge, str) else b"")
    event, event_id = said.get("event"), said.get("event_id")
    if not isinstance(event, dict) or not isinstance(event_id, str):
        return Answer()
    user, channel = event.get("user"), event.get("channel")
    direct = event.get("channel_type") == "im"
    if event.get("type") != "message" or not direct or "bot_id" in event or not isinstance(user, str):
        return Answer()
    places = [user, channel] if isinstance(channel, str) else [user]  # a policy may know either
    return Answer(
        feedback=tuple(
            Feedback(type="user.active", event_id=f"slack:{event_id[:200]}", address=place, data=here)
            for place in places
        )
    )


def _said(response: Response) -> object:
    return response.json() if response.ok else None


def _plain(text: str, longest: int) -> dict[str, object]:
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return {"type": "plain_text", "text": cut, "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _make(options: Mapping[str, Value], surroundings: Surroundings) -> Channel:
    return Slack(options, surroundings)


TYPE = ChannelType(
    name="slack",
    summary="Posts to people and channels of a Slack workspace; buttons come back as clicks.",
    make=_make,
    options=(
        Option("token", OptionType.TEXT, "The bot's token (xoxb-…).", required=True, secret=True),
        Option("signing_secret", OptionType.TEXT, "The app's signing secret, for clicks and replies.", secret=True),
        Option("url", OptionType.URL, "The address of the Web API.", default="https://slack.com/api"),
    ),
    honesty=Honesty.OFFICIAL_CLIENT,
    addressed="a member id such as U024BE7LH, or the id of a conversation such as C1H9RESGL",
    buttons=True,
    callbacks=True,
    max_length=_MOST_TEXT,
    extra="server",
    settings=DeliverySettings(messages=4, per_us=SECOND_US),  # a workspace takes some hundreds a minute
)
