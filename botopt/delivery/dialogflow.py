"""What Dialogflow CX and ES have in common: who asks, where, in which session, and what a refusal means.

`detectIntent` reaches no user. It answers with texts, which must be carried further. It is no safe call either: asked
twice, an agent may call its webhooks twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

import msgspec

from botopt.delivery.answers import record, said, words
from botopt.delivery.google import Access, Given, service_account
from botopt.delivery.http import Http, HttpFault, Response
from botopt.delivery.words import trace_headers
from botopt.model.channels import Channel, Option, OptionType, Surroundings
from botopt.model.delivery import Failed, NeedsTransport, Outgoing, Receipt
from botopt.model.durations import SECOND_US
from botopt.model.policy import Value

_LONGEST_BACKOFF_S = 32
_EXACT = 1 << 53
_HOST = "dialogflow.googleapis.com"
_AUDIENCE = f"https://{_HOST}/"

NAMESPACE = uuid.UUID("6f1d7a52-43a1-5e0e-9c2c-0b6a0c6f3d11")
"""From which session ids are made, if the author names no other. It never changes: conversations hang on it."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Which agent is asked, and how it names things. `host` begins with the scheme."""

    host: str
    project: str
    location: str
    environment: str
    events: Mapping[str, str]
    languages: Mapping[str, str]
    timezone: str
    user_project: str
    namespace: uuid.UUID

    def event(self, event_type: str) -> str:
        """The agent's name for an event type."""
        return self.events.get(event_type, event_type)

    def language(self, locale: str) -> str:
        """The agent's name for a locale."""
        return self.languages.get(locale, locale)

    def session(self, address: str) -> str:
        """The session of a user: 36 characters, the most there may be, that tell nobody who it is."""
        return str(uuid.uuid5(self.namespace, address))


class Dialogflow(Channel):
    """An agent. CX and ES differ in paths, in bodies, and in what proves that an event was taken up."""

    def __init__(self, place: Place, http: Http, access: Access) -> None:
        self.place = place
        self._http = http
        self._access = access

    def path(self, message: Outgoing) -> str:
        """The resource, from the version on, without `:detectIntent`."""
        raise NotImplementedError

    def body(self, message: Outgoing) -> dict[str, object]:
        """The request."""
        raise NotImplementedError

    def refused(self, result: Mapping[str, Any], event: str) -> str:
        """Why a `queryResult` shows that the event was not taken up, in words; empty if it was."""
        raise NotImplementedError

    def texts(self, result: Mapping[str, Any]) -> list[str]:
        """What the agent says in a `queryResult`."""
        raise NotImplementedError

    def send(self, message: Outgoing) -> Receipt:
        """Give the agent the event; return what it says."""
        with self._http.attempt():
            try:
                response = self._ask(message)
            except HttpFault as fault:
                return fault.failed
        if not response.ok:
            return self._failure(response, message.attempt)
        answer = record(response.json())
        result = record(answer.get("queryResult"))
        if not result:
            return Failed("the answer has no queryResult", retryable=True, unsure=True)
        why = self.refused(result, self.place.event(message.event_type))
        if why:
            return Failed(self._http.plain(said(why)))
        texts = tuple(text for text in self.texts(result) if text.strip())
        if not texts:
            return Failed("the agent took the event up and said nothing")
        return NeedsTransport(texts, words(answer.get("responseId")) or None)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _ask(self, message: Outgoing) -> Response:
        """Ask with a token; once more with a new one if a kept one was refused, which happens before anything else."""
        url = f"{self.place.host}/{self.path(message)}:detectIntent"
        body = self.body(message)
        while True:
            token, kept = self._access.token()
            headers = {**trace_headers(message.trace), "authorization": f"Bearer {token}"}
            if self.place.user_project:
                headers["x-goog-user-project"] = self.place.user_project
            response = self._http.request("POST", url, headers=headers, json=body)
            if response.status != 401:
                return response
            self._access.forget(token)
            if not kept:
                return response

    def _failure(self, response: Response, attempt: int) -> Failed:
        error = record(record(response.json()).get("error"))
        parts = (said(error.get("status")), said(error.get("message")))
        failed = self._http.failure(
            response,
            ": ".join(part for part in parts if part),
            credentials={401, 403},
            look_at="the option credentials, and what the account may do",
        )
        if response.status == 429 and failed.retry_after_us is None:
            # Their quotas are counted by the minute, and no header tells how long: 1 s, doubled up to 32 s.
            wait_s = min(1 << min(max(attempt - 1, 0), 5), _LONGEST_BACKOFF_S)
            return msgspec.structs.replace(failed, retry_after_us=wait_s * SECOND_US)
        return failed


def parameters(message: Outgoing) -> dict[str, object]:
    """The event's fields and the message, as parameters.

    All numbers are doubles there, so an integer that a double cannot hold goes as text. An absent field is null.
    """
    found = {name: _exact(value) for name, value in message.data.items()}
    found |= {"botopt_id": message.id, "botopt_text": message.text}
    if message.title:
        found["botopt_title"] = message.title
    return found


def texts_of(messages: object) -> list[str]:
    """The texts of a list of messages; a `text` holds a list of wordings, of which the agent has left one."""
    found: list[str] = []
    for message in messages if isinstance(messages, list) else ():
        wordings = record(record(message).get("text")).get("text")
        if isinstance(wordings, list):
            found += [text for text in wordings if isinstance(text, str)]
    return found


def segment(text: str) -> str:
    """A part of a path."""
    return quote(text, safe="")


def _exact(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _EXACT:
        return str(value)
    return value


# ---------------------------------------------------------------- options


def options(*own: Option) -> tuple[Option, ...]:
    """The options of both, and between them those of one."""
    return (*_WHERE, *own, *_HOW)


def place(options: Mapping[str, Value]) -> Place:
    """The agent that the options name."""
    location = str(options["location"] or "")
    regional = location and location != "global"
    return Place(
        host=str(options["host"] or f"https://{f'{location}-' if regional else ''}{_HOST}").rstrip("/"),
        project=str(options["project"]),
        location=location,
        environment=str(options["environment"] or ""),
        events=_by_name(options["events"]),
        languages=_by_name(options["languages"]),
        timezone=str(options["timezone"] or ""),
        user_project=str(options["user_project"] or ""),
        namespace=uuid.UUID(str(options["session_namespace"])) if options["session_namespace"] else NAMESPACE,
    )


def connect(options: Mapping[str, Value], surroundings: Surroundings) -> tuple[Http, Access]:
    """The client, and what gives it tokens.

    Raises:
        ValueError: a sentence about options that do not go together, or do not fit.
    """
    faults = check(options)
    if faults:
        raise ValueError(faults[0])
    given, key = str(options["access_token"] or ""), str(options["credentials"] or "")
    http = Http(surroundings, secrets=(given, key))
    if given:
        return http, Given(given)
    audience = _AUDIENCE if options["self_signed"] is True else ""
    return http, service_account(key, surroundings.name, http, surroundings.now_us, audience=audience)


def check(options: Mapping[str, Value]) -> tuple[str, ...]:
    """What does not go together."""
    faults = []
    if bool(options.get("credentials")) == bool(options.get("access_token")):
        faults.append("say how to sign in: either credentials (a service account's key file) or access_token")
    if options.get("self_signed") and not options.get("credentials"):
        faults.append("self_signed needs credentials: a token that is given cannot be signed here")
    namespace = options.get("session_namespace")
    if namespace and not str(namespace).startswith("${"):
        try:
            uuid.UUID(str(namespace))
        except ValueError:
            faults.append("session_namespace is not a UUID, such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8")
    return tuple(faults)


def _by_name(value: Value) -> Mapping[str, str]:
    return cast("Mapping[str, str]", value) if isinstance(value, Mapping) else {}


_WHERE = (
    Option("project", OptionType.TEXT, "The project's id.", required=True),
    Option(
        "location",
        OptionType.TEXT,
        "The region of the agent, such as europe-west1. Any but global is asked at a host of its own.",
        default="global",
    ),
)
_HOW = (
    Option(
        "events",
        OptionType.NAME_MAP,
        "The agent's name for an event type; where there is none, the event type itself.",
    ),
    Option(
        "languages",
        OptionType.NAME_MAP,
        "The agent's name for a locale; where there is none, the locale (languageCode).",
    ),
    Option("timezone", OptionType.TEXT, "The time zone to speak in, such as Europe/Paris; else the agent's own."),
    Option(
        "credentials",
        OptionType.TEXT,
        "The JSON key file of a service account that may use Dialogflow: its contents, not its name.",
        secret=True,
    ),
    Option(
        "self_signed",
        OptionType.BOOLEAN,
        "Sign access tokens here instead of asking Google for them: one request less an hour.",
        default=False,
    ),
    Option(
        "access_token",
        OptionType.TEXT,
        "A bearer token that somebody else keeps fresh, instead of credentials.",
        secret=True,
    ),
    Option("user_project", OptionType.TEXT, "The project that pays: x-goog-user-project, for the tokens of people."),
    Option(
        "session_namespace",
        OptionType.TEXT,
        "A UUID from which session ids are made, if your chat makes its own in the same way.",
    ),
    Option("host", OptionType.URL, "Another address of the API, such as a private endpoint."),
)
