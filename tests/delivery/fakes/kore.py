"""Kore.ai as its documentation describes it: the webhook channel (version 2) and both notify APIs.

The official web SDK runs against this file (tests/delivery/koreai/test_official_client.py), which is what our own
tests of the webhook rest on. The notify APIs have no official client; they follow the documentation's samples
(add-webhook-channel.md at b8cb7e4, api-introduction.md at 05b89a5, proactive-notifications*.md beside it).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import jwt

from tests.delivery.fakes.platform import Asked, Platform, Told

CLIENT_ID = "cs-8a2e1f0c-1111-5222-9333-444455556666"
SECRET = "Zm9yIHRlc3RzIG9ubHksIGFuZCBub3doZXJlIGVsc2U="
BOT = "st-1c2d3e4f-5555-5666-8777-88889999aaaa"
TRACE = "RTM-TRACE-0001"


class Kore(Platform):
    """One bot. `replies` is what its dialog says, in chunks: the first comes at once, each next one is polled for.

    `posts`: asynchronous, so that the answer is an acknowledgement. `waits`: how often a poll finds nothing yet.
    `ends` is added to the last chunk. `identities` are the people that the notify APIs know, `steps` how many status
    questions a job is under way, `comment` what the log says of others.
    """

    def __init__(self, replies: Sequence[Sequence[Any]] = (("Your payment failed.",),), *, posts: bool = False) -> None:
        super().__init__()
        self.replies = [list(chunk) for chunk in replies]
        self.posts = posts
        self.waits = 0
        self.ends: dict[str, object] = {"endOfTask": True, "endReason": "Fulfilled"}
        self.identities = {"ana@example.com"}
        self.steps = 1
        self.comment = "Identity is not associated with the channel"
        self.key, self.algorithm = SECRET, "HS256"
        self._polls: dict[str, tuple[int, int]] = {}
        self._poll_ids = itertools.count()
        self._jobs: dict[str, tuple[dict[str, Any], int]] = {}

    def answer(self, asked: Asked) -> Told:
        webhook = f"/chatbot/v2/webhook/{BOT}"
        public = f"/api/public/bot/{BOT}"
        if asked.path.startswith(f"{webhook}/poll/"):
            return self._poll(asked, asked.path.rpartition("/")[2])
        if asked.path == webhook or asked.path.startswith(f"{webhook}/hookInstance/"):
            return self._webhook(asked)
        for version, path in ((1, "notify"), (2, "notifyV2")):
            if asked.path == f"{public}/{path}" and asked.method == "POST":
                return self._notify(asked, version)
            if asked.path.startswith(f"{public}/{path}/status/"):
                return self._status(asked, asked.path.rpartition("/")[2])
        return Told({"errors": [{"msg": "Not found", "code": 404}]}, 404)

    # ------------------------------------------------------------ webhook

    def _claims(self, token: str) -> dict[str, Any] | None:
        try:
            # No clock of the tests is this machine's.
            return jwt.decode(token, self.key, [self.algorithm], options={"verify_iat": False, "verify_exp": False})
        except jwt.PyJWTError:
            return None

    def _allowed(self, asked: Asked) -> dict[str, Any] | None:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        claims = self._claims(token) if scheme == "bearer" else None
        return claims if claims and claims.get("appId") == CLIENT_ID else None

    def _webhook(self, asked: Asked) -> Told:
        claims, body = self._allowed(asked), asked.json
        if claims is None or claims.get("userIdentity", body["from"]["id"]) != body["from"]["id"]:
            return _refused("Invalid Access token", 401)
        message = body["message"]
        known = message["type"] in {"text", "template", "formData"} or (
            message["type"] == "event" and message["val"] in {"ON_CONNECT", "SESSION_CLOSURE"}
        )
        if not known or not isinstance(body["session"]["new"], bool):
            return _refused("Bad request", 400)
        self.deliver(body.get("customData", {}).get("botopt_id", ""))
        if self.posts:
            return Told({"status": "ok", "_v": "v2", "traceId": TRACE})
        return Told(self._chunk(0))

    def _chunk(self, number: int) -> dict[str, Any]:
        chunk = self.replies[number]
        body: dict[str, Any] = {
            "to": "user-42",
            "from": BOT,
            "data": [
                {
                    "type": "text" if isinstance(val, str) else "template",
                    "val": val,
                    "createdOn": "2026-11-02T10:00:00.000Z",
                    "messageId": f"ms-{number}-{n}",
                }
                for n, val in enumerate(chunk)
            ],
            "_v": "v2",
        }
        if number + 1 < len(self.replies):
            body["pollId"] = self._poll_id(number + 1, self.waits)
        else:
            body |= self.ends
        return body

    def _poll_id(self, number: int, waits: int) -> str:
        poll_id = f"p{next(self._poll_ids)}"
        self._polls[poll_id] = (number, waits)
        return poll_id

    def _poll(self, asked: Asked, poll_id: str) -> Told:
        if self._allowed(asked) is None:
            return _refused("Invalid Access token", 401)
        if poll_id not in self._polls or asked.method != "GET":
            return _refused("No data found", 400)
        number, waits = self._polls.pop(poll_id)  # each is served once
        if waits:
            return Told({"status": "Inprogress", "pollId": self._poll_id(number, waits - 1), "_v": "v2"})
        return Told(self._chunk(number))

    # ------------------------------------------------------------ notify

    def _knows(self, asked: Asked) -> bool:
        claims = self._claims(asked.headers.get("auth", ""))
        return claims is not None and claims.get("appId") == CLIENT_ID and "sub" in claims

    def _notify(self, asked: Asked, version: int) -> Told:
        if not self._knows(asked):
            return Told({"errors": [{"msg": "Unauthorized", "code": 4002}]}, 401)
        body = asked.json
        if version == 1:
            people, text = body["identities"], body["message"]["val"]
        else:
            content = body.get("content") or body["message"]
            people, text = [person["email"] for person in body["identities"]], content["value"]
        assert body["userIdentityType"] == "resolve"
        assert len(people) <= 1_000
        job = {"_id": f"ds-{len(self._jobs)}", "jobType": "PROACTIVE_NOTIFICATIONS_API", "percentageComplete": 0}
        self._jobs[job["_id"]] = ({**job, "people": people}, self.steps)
        for person in people:
            if person in self.identities:
                self.deliver(text)
        return Told({**job, "status": "IN_PROGRESS", "statusLogs": []})

    def _status(self, asked: Asked, job_id: str) -> Told:
        if not self._knows(asked):
            return Told({"errors": [{"msg": "Unauthorized", "code": 4002}]}, 401)
        job, left = self._jobs[job_id]
        self._jobs[job_id] = (job, left - 1)
        if left > 0:
            return Told({"_id": job_id, "status": "IN_PROGRESS", "statusLogs": []})
        logs = [
            {"originalId": person, "status": "SUCCESS", "comments": ""}
            if person in self.identities
            else {"originalId": person, "status": "FAILURE", "comments": self.comment}
            for person in job["people"]
        ]
        failed = sum(log["status"] == "FAILURE" for log in logs)
        status = "SUCCESS" if not failed else "FAILURE" if failed == len(logs) else "PARTIAL_SUCCESS"
        return Told({"_id": job_id, "status": status, "percentageComplete": 100, "statusLogs": logs})


def _refused(words: str, code: int) -> Told:
    return Told({"errors": [{"msg": words, "code": code}], "_v": "v2", "_t": TRACE}, code)
