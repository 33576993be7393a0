"""What requests and answers look like, as JSON Schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botopt.model.data_files import data_dir
from botopt.server.problems import TITLES, URN

Schema = Mapping[str, Any]

_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 256}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}
_MAYBE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_OBJECT: Schema = {"type": "object"}
_NAME_OF_STATUS: Schema = {
    "type": "string",
    "enum": ["pending", "claimed", "delivered", "withdrawn", "dead", "unsure", "dropped"],
}


def ref(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def _object(description: str, required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "description": description,
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


def _native(description: str, kind: Schema, data: Schema) -> Schema:
    return _object(
        description,
        {
            "id": {**_NAME, "description": "The same when the same event is sent again."},
            "type": kind,
            "user": {**_NAME, "description": "Whom it happened to."},
            "time": {**_TIME, "description": "When it happened. At most 5 minutes ahead of its receipt."},
        },
        {"data": data},
    )


def _problem() -> Schema:
    return _object(
        "What is wrong, as RFC 9457 has it, and what to do.",
        {
            "type": {"type": "string", "enum": [URN + kind for kind in TITLES]},
            "title": _TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {**_TEXT, "description": "What is wrong, in a sentence."},
            "fix": {**_TEXT, "description": "What to do about it."},
        },
        {
            "events": {
                **listed(ref("EventResult")),
                "description": "What became of each event, where all were refused.",
            },
            "by": {**_MAYBE_TEXT, "description": "The field at fault."},
            "reasons": {**listed(_TEXT), "description": "Why the service is not ready."},
        },
    )


def schemas(reasons: tuple[str, ...], feedback: tuple[str, ...]) -> Mapping[str, Schema]:
    """All of them, by name."""
    trace = {"type": "object", "description": "Everything about one decision: rules, suppressions, numbers."}
    return {
        "Event": _native(
            "A native event.",
            {**_NAME, "description": "A type that the policy declares, or a reserved one such as user.updated."},
            {"type": ["object", "null"], "description": "The fields that the policy declares for the type."},
        ),
        "FeedbackEvent": _native(
            "What a user did with a message, or that the user is talking to the bot.",
            {"type": "string", "enum": list(feedback)},
            {
                "type": ["object", "null"],
                "properties": {
                    "message_id": {**_MAYBE_TEXT, "description": "The message; without it, the latest one."},
                    "event_type": {**_MAYBE_TEXT, "description": "The latest message about events of this type."},
                },
            },
        ),
        "CloudEvent": _object(
            "A CloudEvent 1.0. Its subject is the user.",
            {
                "specversion": {"const": "1.0"},
                "id": _NAME,
                "source": {"type": "string", "format": "uri-reference", "minLength": 1, "maxLength": 1024},
                "type": _NAME,
                "subject": _NAME,
                "time": _TIME,
            },
            {"datacontenttype": _TEXT, "data": {"type": ["object", "null"]}, "traceparent": _TEXT, "tracestate": _TEXT},
        ),
        "EventResult": _object(
            "What became of one event.",
            {
                "event_id": {**_MAYBE_TEXT, "description": "Null if it could not be read."},
                "status": {"type": "string", "enum": ["accepted", "duplicate", "refused"]},
                "decision_ids": {
                    **listed(_TEXT),
                    "description": "Its decisions; none for an event that is only remembered.",
                },
            },
            {
                "detail": {**_TEXT, "description": "Why it was refused."},
                "by": {**_TEXT, "description": "The field at fault."},
                "decisions": {**listed(ref("Decision")), "description": "With wait=true: the decisions themselves."},
            },
        ),
        "Accepted": _object(
            "What became of the events. All that was accepted is on the disk.",
            {"accepted": _COUNT, "refused": _COUNT, "events": listed(ref("EventResult"))},
        ),
        "Decision": _decision(),
        "Decisions": _object(
            "A page of decisions, newest first.",
            {
                "decisions": listed(ref("Decision")),
                "before": {
                    "type": ["integer", "null"],
                    "description": "Ask with this for the next page; null: no more.",
                },
            },
        ),
        "User": _object(
            "What is known about a user, the latest 100 decisions, and the latest 100 messages on their way.",
            {
                "state": {**_OBJECT, "description": "As botopt state show prints it."},
                "decisions": listed(ref("Decision")),
                "outbox": listed(ref("OutboxMessage")),
            },
        ),
        "OutboxMessage": _object(
            "A message on its way through a channel.",
            {
                "key": {**_TEXT, "description": "Its idempotency key."},
                "message_id": _TEXT,
                "channel": _TEXT,
                "status": _NAME_OF_STATUS,
                "attempts": _COUNT,
                "created": _TIME,
                "next": _TIME,
                "changed": _TIME,
                "expires": _MAYBE_TIME,
                "provider_id": _MAYBE_TEXT,
                "detail": {**_MAYBE_TEXT, "description": "The last failure, or why it was withdrawn."},
            },
        ),
        "Explained": _object(
            "What would be decided about the event now, and why.",
            {
                "explanations": listed(trace),
                "decisions": {**listed(ref("Decision")), "description": "Decisions that need no explanation."},
            },
        ),
        "Alive": _object("The process lives.", {"alive": {"const": True}, "version": _TEXT}),
        "Ready": _object(
            "What runs.",
            {
                "ready": {"const": True},
                "version": _TEXT,
                "revision": {**_TEXT, "description": "Of the policy that decides."},
                "since": {**_TIME, "description": "Since when it decides."},
                "notices": {
                    **listed(_TEXT),
                    "description": "Where the policy looks back further than the state does; that no key is valid.",
                },
                "refused": {
                    "description": "A changed policy that has errors and is not served.",
                    "oneOf": [
                        {"type": "null"},
                        _object(
                            "Since when, and the first of its findings.",
                            {
                                "at": _TIME,
                                "revision": _MAYBE_TEXT,
                                "errors": _COUNT,
                                "findings": listed(_TEXT),
                            },
                        ),
                    ],
                },
                "writable": {"type": "boolean", "description": "Whether the state could be written the last time."},
                "newest_commit": _MAYBE_TIME,
                "queue": {**_COUNT, "description": "Events that wait."},
                "queue_limit": _COUNT,
                "held": {**_COUNT, "description": "Messages that are held."},
                "silences": {**_COUNT, "description": "Silences of operators that hold now."},
                "outbox": {
                    "type": "object",
                    "description": "How many messages are not over yet, by channel/status.",
                    "additionalProperties": _COUNT,
                },
                "uptime_seconds": _COUNT,
                "circuits": {
                    "type": "object",
                    "description": "Each channel's circuit breaker.",
                    "additionalProperties": _TEXT,
                },
            },
        ),
        "SnsMessage": _object(
            "A message of Amazon SNS.",
            {
                "Type": {"type": "string"},
                "MessageId": _TEXT,
                "TopicArn": _TEXT,
                "Message": {**_TEXT, "description": "One native event or CloudEvent, or a list of them, as JSON."},
                "Timestamp": _TEXT,
                "SignatureVersion": {"type": "string", "enum": ["1", "2"]},
                "Signature": _TEXT,
                "SigningCertURL": _TEXT,
            },
            {"Subject": _TEXT, "SubscribeURL": _TEXT, "Token": _TEXT},
        ),
        "Problem": _problem(),
        "Outcome": {"type": "string", "enum": ["sent", "skipped", "below_threshold", "suppressed", "held", "rejected"]},
        "Reason": {"type": "string", "enum": list(reasons)},
    }


def _decision() -> Schema:
    found: dict[str, Any] = json.loads((data_dir("schemas") / "decision.schema.json").read_text("utf-8"))
    return {key: value for key, value in found.items() if key not in {"$schema", "$id"}}
