"""Rasa's HTTP API, as far as `trigger_intent` goes (rasa/server.py of 3.6), written from its contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jwt

from tests.delivery.fakes.platform import Asked, Platform, Told

VERBOSITY = {"NONE", "APPLIED", "AFTER_RESTART", "ALL"}


class Rasa(Platform):
    """A server whose bot says `texts`. `channels` are those that can push; others only collect."""

    def __init__(self, texts: Sequence[str] = ("Your payment failed.",), channels: Sequence[str] = ("slack",)) -> None:
        super().__init__()
        self.texts = texts
        self.channels = channels
        self.latest = "slack"
        self.intents = {"EXTERNAL_payment_failed"}
        self.token: str | None = None
        self.jwt_secret: str | None = None
        self.ready = True
        self.breaks = False

    def answer(self, asked: Asked) -> Told:
        head, _, rest = asked.path.removeprefix("/conversations/").rpartition("/")
        if asked.method != "POST" or rest != "trigger_intent":
            return _failure(404, "NotFound", "Requested URL not found")
        refused = self._refused(asked, head)
        if refused is not None:
            return refused
        if not self.ready:
            return _failure(409, "Conflict", "No agent loaded.")
        body = asked.json
        if not body.get("name"):
            return _failure(400, "BadRequest", "Name of the intent not provided in request body.")
        if asked.query.get("include_events", "AFTER_RESTART") not in VERBOSITY:
            return _failure(400, "BadRequest", "Invalid parameter value for 'include_events'.")
        if body["name"] not in self.intents:
            return _failure(
                404, "NotFound", "The intent <function trigger_intent at 0x7f> does not exist in the domain."
            )
        if self.breaks:
            return _failure(500, "ConversationError", "An unexpected error occurred. Error: the action server is gone")
        wanted = asked.query.get("output_channel")
        channel = self.latest if wanted == "latest" else wanted
        entities = body.get("entities", [])
        if channel in self.channels and isinstance(entities, dict):
            self.deliver(entities.get("botopt_id", ""))
        answer: dict[str, Any] = {"tracker": {"sender_id": head, "latest_input_channel": self.latest}}
        if channel not in self.channels or channel == "callback":
            answer["messages"] = [{"recipient_id": head, "text": text} for text in self.texts]
        return Told(answer)

    def _refused(self, asked: Asked, conversation: str) -> Told | None:
        if self.token is not None and asked.query.get("token") == self.token:
            return None
        if self.jwt_secret is not None:
            try:
                given = asked.headers.get("authorization", "").removeprefix("Bearer ")
                claims = jwt.decode(
                    given, self.jwt_secret, ["HS256"], options={"verify_exp": False, "verify_iat": False}
                )
            except jwt.PyJWTError:
                return _failure(401, "NotAuthenticated", "User is not authenticated.")
            user = claims.get("user", {})
            if user.get("role") == "admin" or (user.get("role") == "user" and user.get("username") == conversation):
                return None
            return _failure(403, "NotAuthorized", "User has insufficient permissions.")
        return None if self.token is None else _failure(401, "NotAuthenticated", "User is not authenticated.")


def _failure(code: int, reason: str, message: str) -> Told:
    return Told(
        {"version": "3.6.21", "status": "failure", "message": message, "reason": reason, "details": {}, "code": code},
        code,
    )
