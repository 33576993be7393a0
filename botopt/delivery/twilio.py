"""`twilio`: SMS and WhatsApp through Twilio's Messages API.

WhatsApp takes free text only within a day of the user's last message; outside it wants a template that Meta approved,
named by its content SID. What becomes of a message Twilio tells later, in status callbacks.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha1
from urllib.parse import parse_qsl

import msgspec

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
from botopt.model.durations import DAY_US, SECOND_US
from botopt.model.policy import DeliverySettings, Value

WINDOW_US = DAY_US
"""How long after a user's message WhatsApp takes free text."""

CAP_US = DAY_US
"""How long a user is left alone after Meta held back a message; its own advice is to wait at least a day."""

_WHATSAPP = "whatsapp:"
_MOST_TEXT = 1_600
_SHORTEST_VALIDITY_S, _LONGEST_VALIDITY_S = 1, 36_000

_CAPPED = frozenset({"63049", "131049"})
"""Meta's cap on marketing messages to one person, over all senders: Twilio's number for it, and Meta's own."""

_OUTSIDE_WINDOW = "63016"
_AUTH = frozenset({20003, 20005, 20006})
"""Faults of the account: no message is to blame, so they wait until somebody has mended it."""

_LATER = frozenset({20429, 14107, 20500, 20503, 21611, 30001})
_FAILED = frozenset({"failed", "undelivered"})
_DIGITS = re.compile(r"[0-9]{1,6}")
_SID = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}")
_HOOK_FIELDS = 200


class Twilio(Channel):
    """One sender (a number, or a messaging service) of one account."""

    def __init__(self, options: Mapping[str, Value], surroundings: Surroundings) -> None:
        account = str(options["account_sid"])
        self._url = f"{str(options['url']).rstrip('/')}/2010-04-01/Accounts/{account}/Messages.json"
        key = options.get("api_key_sid"), options.get("api_key_secret")
        token = str(options["auth_token"])
        self._http = Http(surroundings, secrets=(token, str(key[1] or "")))
        name, password = (str(key[0]), str(key[1])) if all(key) else (account, token)
        self._headers = {"authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}
        self._token = token.encode()
        self._from, self._service = options.get("from"), options.get("messaging_service_sid")
        self._whatsapp = options["medium"] == "whatsapp"
        self._templates = _templates(options.get("templates"))
        self._callback = options.get("callback_url")
        self._now_us = surroundings.now_us
        self._here: Mapping[str, Value] = {"channel": surroundings.name}

    def send(self, message: Outgoing) -> Receipt:
        """Hand it to Twilio, which queues it."""
        form = self._form(message)
        if isinstance(form, Failed):
            return form
        try:
            response = self._http.request(
                "POST", self._url, headers={**self._headers, **trace_headers(message.trace)}, form=form
            )
        except HttpFault as fault:
            return fault.failed
        said = response.json()
        if response.ok:
            sid = said.get("sid") if isinstance(said, dict) else None
            return Delivered(sid if isinstance(sid, str) and _SID.fullmatch(sid) else None)
        return self._failure(response, said)

    def receive(self, inbound: Inbound) -> Answer:
        """A status callback, or a message from the user."""
        fields = self._believed(inbound)
        sid = fields.get("MessageSid") or fields.get("SmsSid") or ""
        if not _SID.fullmatch(sid):
            raise Refused(400, "the request names no message")
        status = fields.get("MessageStatus") or fields.get("SmsStatus") or ""
        if status == "received" or ("Body" in fields and "From" in fields and not fields.get("MessageStatus")):
            return _answer(self._message_of_user(fields, sid))
        return _answer(self._status(fields, sid, status, inbound.received_us))

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _form(self, message: Outgoing) -> dict[str, str] | Failed:
        address = message.address
        if self._whatsapp and not address.startswith(_WHATSAPP):
            address = _WHATSAPP + address
        form = {"To": address}
        if isinstance(self._service, str):
            form["MessagingServiceSid"] = self._service
        if isinstance(self._from, str):
            sender = self._from
            form["From"] = _WHATSAPP + sender if self._whatsapp and not sender.startswith(_WHATSAPP) else sender
        if isinstance(self._callback, str):
            form["StatusCallback"] = self._callback
        if message.expires_us is not None:
            left_s = (message.expires_us - self._now_us()) // SECOND_US
            form["ValidityPeriod"] = str(max(_SHORTEST_VALIDITY_S, min(left_s, _LONGEST_VALIDITY_S)))
        words = self._words(message)
        return words if isinstance(words, Failed) else form | words

    def _words(self, message: Outgoing) -> dict[str, str] | Failed:
        if not self._whatsapp:
            return {"Body": _with_links(message)}
        active_us = message.last_active_us
        if active_us is not None and self._now_us() < active_us + WINDOW_US:
            return {"Body": _with_links(message)}
        template = self._templates.get(f"{message.template}.{message.locale}") or self._templates.get(message.template)
        if template is None:
            return Failed(
                f"WhatsApp takes free text only within a day of the user's last message ({_OUTSIDE_WINDOW}): "
                f"name an approved template for {message.template} in the option templates"
            )
        sid, names = template
        variables = {str(place): _value(message, name) for place, name in enumerate(names, 1)}
        missing = [name for name, value in zip(names, variables.values(), strict=True) if value is None]
        if missing:
            return Failed(f"the approved template wants {', '.join(missing)}, and the message has none")
        return {"ContentSid": sid, "ContentVariables": msgspec.json.encode(variables).decode()}

    def _failure(self, response: Response, said: object) -> Failed:
        code = said.get("code") if isinstance(said, dict) else None
        if code in _AUTH:
            response = msgspec.structs.replace(response, status=401)
        said_so = f"Twilio's code {code}" if isinstance(code, int) else ""
        known = self._http.failure(response, said_so, look_at="the account's options")
        if code in _LATER:
            return msgspec.structs.replace(known, retryable=True)
        if str(code) in _CAPPED:
            return msgspec.structs.replace(known, retryable=False, capped_until_us=self._now_us() + CAP_US)
        return known

    def _believed(self, inbound: Inbound) -> dict[str, str]:
        """The fields of a request that Twilio signed: HMAC-SHA1 over the address and the sorted fields."""
        text = inbound.body.decode("utf-8", "replace")
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_HOOK_FIELDS)
        except ValueError:  # nothing that Twilio sends has as many
            raise Refused(403, "the signature does not fit") from None
        signature = inbound.headers.get("x-twilio-signature", "")
        made = signed(self._token, self._callback if isinstance(self._callback, str) else inbound.url, pairs)
        if not signature or not hmac.compare_digest(made.encode(), signature.encode("utf-8", "replace")):
            raise Refused(403, "the signature does not fit")
        return dict(pairs)

    def _status(self, fields: Mapping[str, str], sid: str, status: str, received_us: int) -> tuple[Feedback, ...]:
        if status not in _FAILED:
            return ()
        code = fields.get("ErrorCode", "")
        data: dict[str, Value] = {"reason": f"twilio {code}" if _DIGITS.fullmatch(code) else f"twilio {status}"}
        if code in _CAPPED:
            data["capped_until"] = received_us + CAP_US
        return (Feedback(type="message.failed", event_id=f"twilio:{sid}:failed", provider_id=sid, data=data),)

    def _message_of_user(self, fields: Mapping[str, str], sid: str) -> tuple[Feedback, ...]:
        address = fields.get("From", "")
        found = []
        pressed = read_payload(fields.get("ButtonPayload", ""))
        replied = fields.get("OriginalRepliedMessageSid", "")
        if pressed is not None:
            found.append(Feedback(type="message.clicked", event_id=click_id(*pressed), message_id=pressed[0]))
        elif fields.get("ButtonPayload") and _SID.fullmatch(replied):
            found.append(Feedback(type="message.clicked", event_id=f"twilio:{sid}:clicked", provider_id=replied))
        word = {"STOP": "user.unsubscribed", "START": "user.subscribed"}.get(fields.get("OptOutType", ""))
        for place in dict.fromkeys((address, address.removeprefix(_WHATSAPP))):
            found.append(Feedback(type="user.active", event_id=f"twilio:{sid}", address=place, data=self._here))
            if word is not None:
                found.append(Feedback(type=word, event_id=f"twilio:{sid}:{word}", address=place, data=self._here))
        return tuple(found)


_EMPTY = b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


def _answer(feedback: tuple[Feedback, ...]) -> Answer:
    """TwiML that says nothing: any other body would be sent to the user."""
    return Answer(feedback=feedback, body=_EMPTY, content_type="text/xml; charset=utf-8")


def signed(token: bytes, url: str, pairs: list[tuple[str, str]]) -> str:
    """The signature of a form that Twilio posts to `url`; of repeated fields each value counts once."""
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    return b64encode(hmac.new(token, text.encode(), sha1).digest()).decode()


def _with_links(message: Outgoing) -> str:
    """There are no buttons in free text: links stand at its end, and are whole however long the text is."""
    text = f"{message.title}\n{message.text}" if message.title else message.text
    links = "".join(f"\n{button.label}: {button.link}" for button in message.buttons if button.link)
    room = max(_MOST_TEXT - len(links), 0)
    return f"{text if len(text) <= room else f'{text[: max(room - 1, 0)]}…'}{links}"[:_MOST_TEXT]


def _value(message: Outgoing, name: str) -> str | None:
    """What a variable of an approved template is filled with: a field, or `text`, `title`, `link`, `button`."""
    first = message.buttons[0] if message.buttons else None
    own = {
        "text": message.text,
        "title": message.title,
        "link": first.link if first else None,
        "button": first.payload if first else None,
    }
    value = own[name] if name in own else message.data.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())  # line breaks are refused in variables


def _templates(option: Value) -> dict[str, tuple[str, tuple[str, ...]]]:
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name, entry in (option if isinstance(option, dict) else {}).items():
        if isinstance(entry, str):
            found[name] = (entry, ())
        elif isinstance(entry, dict):
            variables = entry.get("variables")
            names = tuple(str(one) for one in variables) if isinstance(variables, list) else ()
            found[name] = (str(entry.get("sid")), names)
    return found


def _check(options: Mapping[str, Value]) -> tuple[str, ...]:
    found = []
    sender, service = options.get("from"), options.get("messaging_service_sid")
    if not sender and not service:
        found.append('it has no sender: add from: "+1555…" or messaging_service_sid: MG…')
    if bool(options.get("api_key_sid")) != bool(options.get("api_key_secret")):
        found.append("api_key_sid and api_key_secret belong together: add the other one, or delete this one")
    templates = options.get("templates")
    if templates is not None and options.get("medium", "sms") != "whatsapp":
        found.append("templates are for medium: whatsapp")
    if templates is not None and not isinstance(templates, dict):
        found.append("templates is not a map: type templates: {TEMPLATE: {sid: HX…, variables: [amount]}}")
    for name, entry in (templates if isinstance(templates, dict) else {}).items():
        sid = entry.get("sid") if isinstance(entry, dict) else entry
        if not isinstance(sid, str) or not sid.startswith(("HX", "${")):
            found.append(f"templates: {name} has no content SID: type {name}: {{sid: HX…, variables: [amount]}}")
    return tuple(found)


def _make(options: Mapping[str, Value], surroundings: Surroundings) -> Channel:
    for sentence in _check(options):
        raise ValueError(sentence)
    return Twilio(options, surroundings)


TYPE = ChannelType(
    name="twilio",
    summary="SMS and WhatsApp through Twilio; failures and replies come back.",
    make=_make,
    options=(
        Option("account_sid", OptionType.TEXT, "The account (AC…).", required=True),
        Option("auth_token", OptionType.TEXT, "Its token, which also signs callbacks.", required=True, secret=True),
        Option("api_key_sid", OptionType.TEXT, "An API key (SK…), used for sending instead of the token."),
        Option("api_key_secret", OptionType.TEXT, "The secret of that API key.", secret=True),
        Option("medium", OptionType.TEXT, "What it sends.", default="sms", one_of=("sms", "whatsapp")),
        Option("from", OptionType.TEXT, "The sender's number, as +15557122661."),
        Option("messaging_service_sid", OptionType.TEXT, "The messaging service that sends (MG…)."),
        Option(
            "templates", OptionType.PLAIN, "For WhatsApp: the approved template of each of ours, by its content SID."
        ),
        Option("callback_url", OptionType.URL, "Our callback of this channel, as Twilio reaches it."),
        Option("url", OptionType.URL, "The address of the API.", default="https://api.twilio.com"),
    ),
    honesty=Honesty.OFFICIAL_CLIENT,
    addressed="a phone number such as +15558675310",
    buttons=True,
    callbacks=True,
    max_length=_MOST_TEXT,
    extra="server",
    settings=DeliverySettings(messages=10, per_us=SECOND_US),
    check=_check,
)
