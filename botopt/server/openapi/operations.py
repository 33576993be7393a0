"""What each endpoint takes and answers, by its name in `botopt/server/endpoints.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botopt.server.openapi.schemas import Schema, listed, ref
from botopt.server.problems import MEDIA_TYPE, TITLES

Operation = Mapping[str, Any]

_JSON, _NDJSON, _PLAIN = "application/json", "application/x-ndjson", "text/plain"
_CLOUD, _BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 256}

EVERYWHERE = (400, 405, 431, 500, 503)
"""What any request may be answered with."""

KEYED = (401, 403, 429)
"""What a request that needs a key may be answered with."""


def _content(schema: Schema, *types: str) -> Mapping[str, Any]:
    return {kind: {"schema": schema} for kind in types or (_JSON,)}


def _answer(description: str, content: Mapping[str, Any] | None = None, *headers: str) -> Mapping[str, Any]:
    answer: dict[str, Any] = {"description": description}
    answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *headers)}
    if content is not None:
        answer["content"] = content
    return answer


def problems(statuses: Iterable[int]) -> Mapping[str, Any]:
    """Answers that say what is wrong."""
    found = {}
    for status in statuses:
        titles = [title for number, title in TITLES.values() if number == status]
        waits = ("Retry-After",) if status in {409, 429, 503} else ()
        found[str(status)] = _answer(". ".join(titles) + ".", _content(ref("Problem"), MEDIA_TYPE), *waits)
    return found


def _query(name: str, description: str, schema: Schema) -> Mapping[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _header(name: str, description: str, schema: Schema | None = None) -> Mapping[str, Any]:
    text = {"type": "string"} if schema is None else schema
    return {"name": name, "in": "header", "required": False, "description": description, "schema": text}


def _path(name: str, description: str, schema: Schema = _NAME) -> Mapping[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


_KEY = _header(
    "Idempotency-Key",
    "The same for each attempt of the same request. The first answer is given again; a request with another body is "
    "refused. Without it, events are told apart by their ids only.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
)
_WAIT = _query("wait", "true: answer with whole decisions, not only their ids.", {"type": "boolean"})
_TRACE = (
    _header("traceparent", "W3C trace context: it goes on to the channel."),
    _header("tracestate", "W3C trace context."),
)
_ID = _header("X-Request-Id", "Comes back with the answer, and stands in the log.")


def _events(schema: Schema, *, cloud: bool) -> Mapping[str, Any]:
    content = {
        _JSON: {"schema": {"oneOf": [schema, listed(schema)]}},
        _NDJSON: {"schema": {"type": "string", "description": "One event a line."}},
    }
    if cloud:
        content[_CLOUD] = {"schema": ref("CloudEvent")}
        content[_BATCH] = {"schema": listed(ref("CloudEvent"))}
    return {"required": True, "content": content}


def _receive(summary: str, description: str, body: Mapping[str, Any]) -> Operation:
    return {
        "summary": summary,
        "description": description,
        "tags": ["events"],
        "parameters": [_KEY, _WAIT, *_TRACE, _ID],
        "requestBody": body,
        "responses": {
            "202": _answer(
                "At least one event was taken, and is on the disk.", _content(ref("Accepted")), "Idempotency-Replayed"
            ),
            **problems((408, 409, 413, 415, 422)),
        },
    }


_CALLBACK: Operation = {
    "summary": "What a platform says",
    "description": "Receipts, clicks and replies, as the platform sends them. The channel's own secret or signature "
    "says whom to believe; see the page of its type.",
    "tags": ["feedback"],
    "parameters": [_path("channel", "The channel's name in the policy."), _ID],
    "responses": {
        "200": _answer("Taken. The body is what the platform wants to hear.", {"*/*": {"schema": {}}}),
        **problems((401, 403, 404, 408, 413, 415, 422, 429)),
    },
}
_CLICK: Operation = {
    "summary": "A link in a message",
    "description": "Records the click and leads to where the button of the message leads, and nowhere else. HEAD, "
    "previews and prefetches are not clicks.",
    "tags": ["feedback"],
    "parameters": [
        _path("token", "Names the message and the button; only the service can make it.", {"type": "string"})
    ],
    "responses": {
        "302": _answer("To where the button leads.", None, "Location"),
        "404": _answer("The link is incomplete, or its message is gone.", _content({"type": "string"}, "text/html")),
    },
}

OPERATIONS: Mapping[str, Operation] = {
    "receive_events": _receive(
        "Send events",
        "One event, or many. The content type says which form they have; `ce-*` headers make a request a CloudEvent in "
        "binary mode. The answer comes when everything is on the disk. Several events are decided in their order.",
        _events({"anyOf": [ref("Event"), ref("CloudEvent")]}, cloud=True),
    ),
    "event_options": {
        "summary": "CloudEvents webhook handshake",
        "description": "Whether an origin may send events here.",
        "tags": ["events"],
        "parameters": [
            _header("WebHook-Request-Origin", "Who wants to send."),
            _header("WebHook-Request-Rate", "How many events a minute."),
        ],
        "responses": {
            "200": _answer("It may.", None, "Allow", "WebHook-Allowed-Origin", "WebHook-Allowed-Rate"),
            "204": _answer("Which methods there are.", None, "Allow"),
            **problems((403,)),
        },
    },
    "receive_feedback": _receive(
        "Send feedback",
        "What users did with messages, and that they are talking to the bot.",
        _events(ref("FeedbackEvent"), cloud=False),
    ),
    "click": {**_CLICK, "operationId": "click"},
    "click_head": {**_CLICK, "operationId": "click_head"},
    "sns": {
        "summary": "Amazon SNS",
        "description": "The endpoint of an SNS subscription over HTTPS. Its signature is checked, and its topic must "
        "be one of `--sns-topic`.",
        "tags": ["events"],
        "parameters": [_ID],
        "requestBody": {"required": True, "content": _content(ref("SnsMessage"), _PLAIN, _JSON)},
        "responses": {
            "200": _answer("A subscription was confirmed, or ended."),
            "202": _answer("Events were taken.", _content(ref("Accepted")), "Idempotency-Replayed"),
            **problems((403, 404, 408, 409, 413, 415, 422, 429)),
        },
    },
    "callback": {
        **_CALLBACK,
        "operationId": "callback",
        "requestBody": {"required": False, "content": {"*/*": {"schema": {}}}},
    },
    "callback_get": {**_CALLBACK, "operationId": "callback_get"},
    "decisions": {
        "summary": "Decisions",
        "description": "Newest first. `Accept: application/x-ndjson` gives one a line, and the next page in `Link`.",
        "tags": ["reading"],
        "parameters": [
            _query("user", "Of this user.", _NAME),
            _query("event", "About the event of this id.", _NAME),
            _query("event_type", "About events of this type.", _NAME),
            _query("outcome", "With this outcome.", ref("Outcome")),
            _query("reason", "For this reason.", ref("Reason")),
            _query("since", "Decided then or later.", {"type": "string", "format": "date-time"}),
            _query("until", "Decided before then.", {"type": "string", "format": "date-time"}),
            _query(
                "before", "The page after the one that gave this.", {"type": "integer", "minimum": 0, "maximum": 2**62}
            ),
            _query(
                "limit",
                "At most so many; 100 where it is not said.",
                {"type": "integer", "minimum": 1, "maximum": 1000},
            ),
            _ID,
        ],
        "responses": {
            "200": _answer(
                "A page.",
                {
                    **_content(ref("Decisions")),
                    _NDJSON: {"schema": {"type": "string", "description": "A decision a line."}},
                },
                "Link",
            )
        },
    },
    "user": {
        "summary": "What is known about a user, and why",
        "tags": ["reading"],
        "parameters": [_path("id", "The user's id."), _ID],
        "responses": {"200": _answer("What is known.", _content(ref("User"))), **problems((404,))},
    },
    "erase": {
        "summary": "Erase a user",
        "description": "Everything that is known, decided and on its way goes. Later events of the id are refused, "
        "until `user.subscribed`.",
        "tags": ["administration"],
        "parameters": [_path("id", "The user's id."), _ID],
        "responses": {"204": _answer("Erased, and on the disk."), **problems((404,))},
    },
    "explain": {
        "summary": "Explain an event",
        "description": "What would be decided about one event now, and why. Nothing is written.",
        "tags": ["reading"],
        "parameters": [_ID],
        "requestBody": _events({"anyOf": [ref("Event"), ref("CloudEvent")]}, cloud=True),
        "responses": {
            "200": _answer("The explanation.", _content(ref("Explained"))),
            **problems((408, 413, 415, 422)),
        },
    },
    "healthz": {
        "summary": "Does the process live",
        "tags": ["operation"],
        "responses": {"200": _answer("It does.", _content(ref("Alive")))},
    },
    "readyz": {
        "summary": "Should the service get work",
        "description": "What runs; 503 with reasons while it starts, drains, or cannot write.",
        "tags": ["operation"],
        "responses": {"200": _answer("It should.", _content(ref("Ready")))},
    },
    "metrics": {
        "summary": "Numbers for Prometheus",
        "tags": ["operation"],
        "parameters": [_ID],
        "responses": {"200": _answer("The numbers.", _content({"type": "string"}, _PLAIN))},
    },
    "openapi": {
        "summary": "This document",
        "tags": ["operation"],
        "responses": {"200": _answer("OpenAPI 3.1.", _content({"type": "object"}))},
    },
}
