"""`koreai`: Kore.ai XO. A dialog is started through the bot's webhook channel, or a text is pushed by a notify API."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from botopt.delivery import koreai_notify, koreai_webhook
from botopt.delivery.answers import items, known, record, secret_of_callbacks, words
from botopt.delivery.http import Http
from botopt.delivery.tokens import signer
from botopt.model.channels import Channel, ChannelType, Honesty, Option, OptionType, Surroundings
from botopt.model.delivery import Answer, Feedback, Inbound, Outgoing, Receipt, Refused
from botopt.model.durations import MINUTE_US, SECOND_US
from botopt.model.policy import DeliverySettings, Value

_CHANNELS = {"notify_v1": ("msteams", "slack"), "notify_v2": ("ivr", "hangoutchat", "hangouts")}
_WEBHOOK = (
    "utterance",
    "utterances",
    "on_connect",
    "preferred_channel",
    "merge_identity",
    "languages",
    "callback_token",
    "counted_tasks",
)
_NOTIFY = ("notify_channel", "status_method", "unique_tokens")
_VERSION_2 = ("content_key", "identity_key")
_IDLE = {
    "webhook": (*_NOTIFY, *_VERSION_2),
    "notify_v1": (*_WEBHOOK, *_VERSION_2, "instance"),
    "notify_v2": _WEBHOOK,
}
"""Options that say nothing, by API."""

_ENDINGS = {
    "Fulfilled": "message.converted",
    "Fulfilled_LinkedDialog": "message.converted",
    "Fulfilled_Event": "message.converted",
    "Canceled": "message.dismissed",
}
"""What the end of a dialog that is counted means. Failed, Failed_Event and Interrupted say nothing of the user."""


class KoreAi(Channel):
    """One bot, by one of its APIs."""

    def __init__(
        self, way: koreai_webhook.Webhook | koreai_notify.Notify, http: Http, token: str, tasks: tuple[str, ...]
    ) -> None:
        self._way = way
        self._http = http
        self._token = token
        self._tasks = frozenset(tasks)

    def send(self, message: Outgoing) -> Receipt:
        """Start the dialog, or push the text."""
        return self._way.send(message)

    def receive(self, inbound: Inbound) -> Answer:
        """A reply that Kore.ai posts to the bot's POST URL. It carries no signature: our token stands in the URL.

        A reply is the bot's. That the user said something before it cannot be told from one that we caused, so it is
        no activity of the user. What counts is the end of a dialog that the author named.
        """
        body = known(inbound, self._token)
        kind = _ENDINGS.get(words(body.get("endReason"))) if body.get("endOfTask") is True else None
        named = {words(body.get("completedTaskName")), words(body.get("completedTaskId"))} - {""}
        if kind is None or not named & self._tasks:
            return Answer()
        message_id, address = _marker(body), _person(body.get("to"))
        if not message_id and not address:
            raise Refused(400, "the reply names no user")
        once = hashlib.sha256(inbound.body).hexdigest()[:24]
        return Answer(
            feedback=(
                Feedback(type=kind, event_id=f"koreai:{once}", message_id=message_id or None, address=address or None),
            )
        )

    def close(self) -> None:
        """Let go of connections, and stop waiting."""
        self._way.close()
        self._http.close()


def _person(to: object) -> str:
    """Whom a reply is for: an id, or an object that holds one."""
    return words(to) or words(record(to).get("id"))


def _marker(body: Mapping[str, Any]) -> str:
    """Our message's id, if the bot was made to hand back what we gave it (no document says that it does so itself)."""
    tags = items(record(body.get("metaTags")).get("messageLevelTags"))
    tagged = (words(record(tag).get("value")) for tag in tags if record(tag).get("name") == "botopt_id")
    return words(record(body.get("customData")).get("botopt_id")) or next(tagged, "")


def _make(options: Mapping[str, Value], surroundings: Surroundings) -> Channel:
    faults = _check(options)
    if faults:
        raise ValueError(faults[0])
    key, token = str(options["client_secret"]), secret_of_callbacks(options)
    sign = signer(surroundings.name, "client_secret", key, str(options["algorithm"]))
    http = Http(surroundings, secrets=(key, token))
    host, bot = str(options["host"]).rstrip("/"), str(options["bot"])
    api, client_id = str(options["api"]), str(options["client_id"])
    every_us = max(cast("int", options["poll_every"]), SECOND_US // 1_000)
    way: koreai_webhook.Webhook | koreai_notify.Notify
    if api == "webhook":
        way = koreai_webhook.Webhook(
            koreai_webhook.Settings(
                url=f"{host}/chatbot/v2/webhook/{quote(bot, safe='')}",
                bot=bot,
                client_id=client_id,
                instance=str(options["instance"] or ""),
                utterance=str(options["utterance"] or ""),
                utterances=_texts_by_name(options["utterances"]),
                on_connect=options["on_connect"] is True,
                merge_identity=options["merge_identity"] is True,
                preferred_channel=str(options["preferred_channel"] or ""),
                languages=_texts_by_name(options["languages"]),
                poll_every_us=every_us,
            ),
            http,
            sign,
            surroundings.now_us,
        )
    else:
        way = koreai_notify.Notify(
            koreai_notify.Settings(
                url=f"{host}/api/public/bot/{quote(bot, safe='')}",
                version=1 if api == "notify_v1" else 2,
                client_id=client_id,
                channel=str(options["notify_channel"]),
                webhook_instance=str(options["instance"] or ""),
                content_key=str(options["content_key"]),
                identity_key=str(options["identity_key"]),
                status_method=str(options["status_method"]),
                unique_tokens=options["unique_tokens"] is True,
                poll_every_us=every_us,
            ),
            http,
            sign,
            surroundings.now_us,
        )
    tasks = options["counted_tasks"]
    return KoreAi(way, http, token, tuple(map(str, tasks)) if isinstance(tasks, (list, tuple)) else ())


def _texts_by_name(value: Value) -> Mapping[str, str]:
    return {name: str(text) for name, text in value.items()} if isinstance(value, Mapping) else {}


def _check(options: Mapping[str, Value]) -> tuple[str, ...]:
    api = options.get("api") or "webhook"
    host = str(options.get("host") or "")
    faults = []
    if "/chatbot/" in host or "/hooks/" in host or "/api/" in host:
        faults.append("host is the address of the server alone, such as https://bots.kore.ai; bot is the stream's id")
    if api == "webhook":
        spoken = options.get("utterance") or options.get("utterances")
        if options.get("on_connect") and spoken:
            faults.append("on_connect starts the bot's on-connect task; utterance and utterances say nothing then")
        if not options.get("on_connect") and not spoken:
            faults.append(
                "say what starts a dialog: utterance or utterances, with texts that the bot was trained on, "
                "or on_connect: true"
            )
    elif api in _CHANNELS:
        channel, fitting = options.get("notify_channel"), _CHANNELS[str(api)]
        if channel not in fitting and not str(channel or "").startswith("${"):
            faults.append(f"notify_channel must be one of {', '.join(fitting)} where api is {api}")
    defaults = {option.name: option.default for option in TYPE.options}
    idle = [name for name in _IDLE.get(str(api), ()) if options.get(name) not in (None, defaults[name])]
    faults += [f"{name} says nothing where api is {api}" for name in idle]
    if options.get("counted_tasks") and not options.get("callback_token"):
        faults.append("counted_tasks needs callback_token: without one no reply is taken")
    return tuple(faults)


TYPE = ChannelType(
    name="koreai",
    summary="Starts a dialog of a Kore.ai bot, or pushes a text through a notify API of Kore.ai.",
    make=_make,
    check=_check,
    honesty=Honesty.OFFICIAL_CLIENT,
    callbacks=True,
    needs_transport=True,
    documented=lambda options: options.get("api") in _CHANNELS,
    pushes=lambda options: options.get("api") in _CHANNELS,
    extra="server",
    # The notify APIs take 600 a minute and 18,000 an hour for each bot, and both must hold: 300 a minute keeps both.
    # A synchronous webhook answers within 15 s, and then there is polling.
    settings=DeliverySettings(messages=300, per_us=MINUTE_US, timeout_us=30 * SECOND_US),
    options=(
        Option(
            "api",
            OptionType.TEXT,
            "How the bot is reached. The notify APIs rest on Kore.ai's documentation alone.",
            default="webhook",
            one_of=("webhook", "notify_v1", "notify_v2"),
        ),
        Option("host", OptionType.URL, "The server of Kore.ai that the bot runs on.", default="https://bots.kore.ai"),
        Option("bot", OptionType.TEXT, "The bot's id, which is the stream's id and begins with st-.", required=True),
        Option("client_id", OptionType.TEXT, "The client id of the app that may do this.", required=True),
        Option(
            "client_secret",
            OptionType.TEXT,
            "The client secret; with RS256 and RS512 the private key in PEM form.",
            required=True,
            secret=True,
        ),
        Option(
            "algorithm",
            OptionType.TEXT,
            "How tokens are signed. The notify APIs document HS256.",
            default="HS256",
            one_of=("HS256", "HS512", "RS256", "RS512"),
        ),
        Option(
            "utterance", OptionType.TEXT, "For webhook: the text that starts a dialog, one that the bot was trained on."
        ),
        Option(
            "utterances",
            OptionType.NAME_MAP,
            "For webhook: that text for each event type; where there is none, utterance.",
        ),
        Option(
            "on_connect",
            OptionType.BOOLEAN,
            "For webhook: open a new session with ON_CONNECT instead. Unsafe while the user is chatting.",
            default=False,
        ),
        Option(
            "instance",
            OptionType.TEXT,
            "For webhook: the hookInstance, if it is not the first; for notify_v2: webhookInstanceName.",
        ),
        Option(
            "preferred_channel",
            OptionType.TEXT,
            "For webhook: preferredChannelForResponse, where the bot shall reply: rtm.",
        ),
        Option(
            "merge_identity",
            OptionType.BOOLEAN,
            "For webhook: whether to merge identities (mergeIdentity).",
            default=False,
        ),
        Option(
            "languages",
            OptionType.NAME_MAP,
            "For webhook: Kore.ai's name for a locale, where it is not the locale's first part (pt-BR: pt_br).",
        ),
        Option(
            "notify_channel",
            OptionType.TEXT,
            "For notify_v1: msteams or slack. For notify_v2: ivr, hangoutchat or hangouts.",
        ),
        Option(
            "content_key",
            OptionType.TEXT,
            "For notify_v2: where the text stands. The samples have content, the table has message.",
            default="content",
            one_of=("content", "message"),
        ),
        Option("identity_key", OptionType.TEXT, "For notify_v2: what an address is called there.", default="email"),
        Option(
            "status_method",
            OptionType.TEXT,
            "For notify_v1 and notify_v2: how the status is asked for. The page of v1 says POST, its example GET.",
            default="GET",
            one_of=("GET", "POST"),
        ),
        Option(
            "unique_tokens",
            OptionType.BOOLEAN,
            "For notify_v1 and notify_v2: give each token a jti and five minutes to live, for apps that enforce JTI.",
            default=False,
        ),
        Option("poll_every", OptionType.DURATION, "How long to wait before asking for more.", default=SECOND_US),
        Option(
            "callback_token",
            OptionType.TEXT,
            "For webhook: what ?token= must hold in the POST URL that Kore.ai sends replies to.",
            secret=True,
        ),
        Option(
            "counted_tasks",
            OptionType.TEXTS,
            "For webhook: dialogs, by name or id, whose end counts: fulfilled as message.converted, canceled as "
            "message.dismissed.",
        ),
    ),
)
