"""The bot platforms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from botopt.model.policy import Value
from tests.delivery.factories import Factory
from tests.delivery.peers import Reply, Request


def _json(body: object) -> Reply:
    return Reply(body=json.dumps(body).encode())


def _koreai(url: str, folder: Path) -> Mapping[str, Value]:
    return {
        "host": url,
        "bot": "st-1",
        "client_id": "cs-1",
        "client_secret": "s3cret-of-the-app-that-is-long-enough",
        "utterance": "payment failed",
        "callback_token": "t0ken-of-the-callback",
    }


def _dialogflow(url: str, folder: Path) -> Mapping[str, Value]:
    return {"host": url, "project": "shop", "access_token": "t0ken-of-the-project"}


def _rasa(url: str, folder: Path) -> Mapping[str, Value]:
    return {"url": url, "token": "t0ken-of-the-server", "callback_token": "t0ken-of-the-callback"}


def _cx_answers(request: Request) -> Reply:
    event = json.loads(request.body)["queryInput"]["event"]["event"]
    said = [{"text": {"text": ["Your payment failed."]}}]
    return _json({"queryResult": {"triggerEvent": event, "match": {"matchType": "EVENT"}, "responseMessages": said}})


FACTORIES = {
    "koreai": Factory(
        options=_koreai,
        yes=lambda _: _json({"status": "ok", "_v": "v2", "traceId": "RTM-TRACE-1"}),
        text_of=lambda request: json.loads(request.body)["customData"]["text"],
        spoils=(
            {"utterance": None},
            {"on_connect": True},
            {"api": "notify_v1"},
            {"algorithm": "RS256"},
            {"host": "https://bots.kore.ai/chatbot/hooks/st-1"},
        ),
    ),
    "dialogflow_cx": Factory(
        options=lambda url, folder: {**_dialogflow(url, folder), "agent": "a-1"},
        yes=_cx_answers,
        text_of=lambda request: json.loads(request.body)["queryParams"]["parameters"]["botopt_text"],
        spoils=({"access_token": None}, {"credentials": "{}"}, {"self_signed": True}, {"session_ttl": "2d"}),
    ),
    "dialogflow_es": Factory(
        options=_dialogflow,
        yes=lambda _: _json({"queryResult": {"intent": {"displayName": "Payment"}, "fulfillmentText": "It failed."}}),
        text_of=lambda request: json.loads(request.body)["queryInput"]["event"]["parameters"]["botopt_text"],
        spoils=({"access_token": None}, {"credentials": "{}"}, {"session_namespace": "shop"}),
    ),
    "rasa": Factory(
        options=_rasa,
        yes=lambda _: _json({"tracker": {}}),
        text_of=lambda request: json.loads(request.body)["entities"]["botopt_text"],
        spoils=({"jwt_secret": "s3cret-that-signs-and-is-long-enough"}, {"output_channel": "rest"}),
    ),
}
