"""Dialogflow CX (v3) and ES (v2) over HTTP, with Google's token server in front.

The official transports run against this file. `events` are those that the agent handles, with what it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import jwt

from tests.delivery.fakes.platform import Asked, Platform, Told

FALLBACK = "Default Fallback Intent"


class Dialogflow(Platform):
    """An agent. `numbers`: enums are told as integers, as the official transport asks for."""

    def __init__(self, events: Mapping[str, Sequence[str]], *, public_key: object = None) -> None:
        super().__init__()
        self.events = events
        self.public_key = public_key
        self.numbers = False
        self.expires_in = 3_600
        self.valid = {"token-0"}
        self.granted = 0

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/token":
            return self._grant(asked)
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not (token in self.valid or self._self_signed(token)):
            return _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if not asked.path.endswith(":detectIntent"):
            return _error(404, "NOT_FOUND", "no such method")
        return self._cx(asked.json) if asked.path.startswith("/v3/") else self._es(asked.json)

    def _grant(self, asked: Asked) -> Told:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        claims = self._claims(form["assertion"], "https://oauth2.googleapis.com/token")
        if form["grant_type"] != "urn:ietf:params:oauth:grant-type:jwt-bearer" or claims is None:
            return Told({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        assert claims["scope"].startswith("https://www.googleapis.com/auth/")
        self.granted += 1
        token = f"token-{self.granted}"
        self.valid = {token}
        return Told({"access_token": token, "expires_in": self.expires_in, "token_type": "Bearer"})

    def _self_signed(self, token: str) -> bool:
        claims = self._claims(token, "https://dialogflow.googleapis.com/")
        return claims is not None and claims["iss"] == claims["sub"]

    def _claims(self, token: str, audience: str) -> dict[str, Any] | None:
        options = {"verify_exp": False, "verify_iat": False}  # no clock of the tests is this machine's
        try:
            return jwt.decode(token, self.public_key, ["RS256"], audience=audience, options=options)
        except (jwt.PyJWTError, TypeError):
            return None

    def _cx(self, body: dict[str, Any]) -> Told:
        event, parameters = body["queryInput"]["event"]["event"], body.get("queryParams", {}).get("parameters", {})
        if not body["queryInput"].get("languageCode"):
            return _error(400, "INVALID_ARGUMENT", "language code is required")
        said = self.events.get(event)
        if said is not None:
            self.deliver(str(parameters.get("botopt_id", "")))
        kind = "EVENT" if said is not None else "NO_MATCH"
        return Told({
            "responseId": "response-1",
            "queryResult": {
                "triggerEvent": event,
                "languageCode": body["queryInput"]["languageCode"],
                "parameters": parameters,
                "responseMessages": [
                    {"text": {"text": [text]}, "responseType": 3 if self.numbers else "HANDLER_PROMPT"}
                    for text in said or ("Sorry?",)
                ],
                "currentPage": {"name": "…/pages/START_PAGE", "displayName": "Start Page"},
                "match": {
                    "event": event,
                    "matchType": {"EVENT": 6, "NO_MATCH": 4}[kind] if self.numbers else kind,
                    "confidence": 1,
                },
            },
            "responseType": 2 if self.numbers else "FINAL",
        })  # fmt: skip

    def _es(self, body: dict[str, Any]) -> Told:
        event = body["queryInput"]["event"]
        said = self.events.get(event["name"])
        if said is not None:
            self.deliver(str(event.get("parameters", {}).get("botopt_id", "")))
        intent = {"name": "projects/p/agent/intents/i", "displayName": event["name"] if said else FALLBACK}
        if said is None:
            intent["isFallback"] = True
        return Told({
            "responseId": "response-1",
            "queryResult": {
                "queryText": event["name"],
                "parameters": event.get("parameters", {}),
                "allRequiredParamsPresent": True,
                "fulfillmentText": (said or ("Sorry?",))[0],
                "fulfillmentMessages": [{"text": {"text": [text]}} for text in said or ("Sorry?",)],
                "intent": intent,
                "intentDetectionConfidence": 1,
                "languageCode": event["languageCode"],
            },
        })  # fmt: skip


def _error(code: int, status: str, message: str) -> Told:
    return Told({"error": {"code": code, "message": message, "status": status}}, code)
