"""Kore.ai's notify APIs: a text pushed to somebody in Teams, Slack and others, and its fate asked for.

The documentation contradicts itself in places; where it does, an option decides. Nothing here ran against Kore.ai.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from typing import Any
from urllib.parse import quote

import msgspec

from botopt.delivery.answers import items, record, said, words
from botopt.delivery.http import Http, HttpFault
from botopt.delivery.koreai_answers import CREDENTIALS_STATUS, refusal
from botopt.delivery.tokens import Sign
from botopt.delivery.words import trace_headers
from botopt.model.delivery import Delivered, Failed, Outgoing, Receipt
from botopt.model.durations import SECOND_US

_SLOWEST_US = 5 * SECOND_US
_TOKEN_S = 300
_SUB = "1234567890"
"""What their documentation has there; it names nobody."""

_ENDS = frozenset({"SUCCESS", "FAILURE", "PARTIAL_SUCCESS"})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How one bot is asked to notify. `url` ends with the bot's id; `version` is 1 or 2."""

    url: str
    version: int
    client_id: str
    channel: str
    webhook_instance: str = ""
    content_key: str = "content"
    identity_key: str = "email"
    status_method: str = "GET"
    unique_tokens: bool = False
    poll_every_us: int = SECOND_US


class Notify:
    """Notifies one person, and waits for the job's end as long as the attempt may take."""

    def __init__(self, settings: Settings, http: Http, sign: Sign, now_us: Callable[[], int]) -> None:
        self._settings = settings
        self._http = http
        self._sign = sign
        self._now_us = now_us
        self._closed = Event()
        self._path = "notify" if settings.version == 1 else "notifyV2"

    def send(self, message: Outgoing) -> Receipt:
        """Ask for it, and ask what became of it."""
        with self._http.attempt():
            try:
                response = self._http.request(
                    "POST",
                    f"{self._settings.url}/{self._path}",
                    headers={**trace_headers(message.trace), **self._headers(f"{message.key}:{message.attempt}")},
                    json=self._body(message),
                )
            except HttpFault as fault:
                return fault.failed
            failed = refusal(self._http, response)
            if failed is not None:
                return failed
            job = record(response.json())
            if not words(job.get("_id")):
                return Failed("the answer names no job", retryable=True, unsure=True)
            return self._fate(job, message)

    def close(self) -> None:
        """Wait no longer for anything."""
        self._closed.set()

    def _headers(self, once: str) -> Mapping[str, str]:
        """The header is `auth`, not Authorization; the claim is `appId`, spelt so."""
        claims: dict[str, object] = {"sub": _SUB, "appId": self._settings.client_id}
        if self._settings.unique_tokens:
            now_s = self._now_us() // SECOND_US
            claims |= {"jti": once, "iat": now_s, "exp": now_s + _TOKEN_S}
        return {"auth": self._sign(claims)}

    def _body(self, message: Outgoing) -> dict[str, object]:
        own = self._settings
        text = f"{message.title}\n{message.text}" if message.title else message.text
        if own.version == 1:
            return {
                "channel": own.channel,
                "userIdentityType": "resolve",
                "message": {"type": "text", "val": text},
                "identities": [message.address],
            }
        body: dict[str, object] = {
            "channel": own.channel,
            "userIdentityType": "resolve",
            own.content_key: {"type": "text", "value": text},
            "identities": [{own.identity_key: message.address}],
        }
        if own.webhook_instance:
            body["webhookInstanceName"] = own.webhook_instance
        return body

    def _fate(self, job: Mapping[str, Any], message: Outgoing) -> Receipt:
        """What became of it. An answer that is lost on the way is asked for again: asking changes nothing."""
        job_id, wait_us, asked = words(job.get("_id")), self._settings.poll_every_us, 0
        url = f"{self._settings.url}/{self._path}/status/{quote(job_id, safe='')}"
        while words(job.get("status")).upper() not in _ENDS:
            wait_s = wait_us / SECOND_US
            if self._http.left_s() <= wait_s or self._closed.wait(wait_s):
                return Failed("it was taken, but was still under way at the end", retryable=True, unsure=True)
            wait_us, asked = min(wait_us * 2, max(_SLOWEST_US, self._settings.poll_every_us)), asked + 1
            try:
                response = self._http.request(
                    self._settings.status_method, url, headers=self._headers(f"{message.key}:{message.attempt}:{asked}")
                )
            except HttpFault:
                continue
            failed = refusal(self._http, response)
            if failed is None:
                job = record(response.json())
            elif not failed.retryable or response.status in CREDENTIALS_STATUS:
                detail = f"it was taken, but its status cannot be asked for: {failed.detail}"
                return Failed(detail, retryable=True, unsure=True)
        return self._end(job, job_id, message.address)

    def _end(self, job: Mapping[str, Any], job_id: str, address: str) -> Receipt:
        """The job's status, or this person's own where the log has it. Nobody else is in the job."""
        status, comments = words(job.get("status")).upper(), ""
        for log in (record(log) for log in items(job.get("statusLogs"))):
            if words(log.get("originalId")).lower() == address.lower():
                status, comments = words(log.get("status")).upper() or status, said(log.get("comments"))
        if status.startswith("SUCCESS"):
            return Delivered(job_id)
        if status == "PARTIAL_SUCCESS":
            return Failed("the job was a partial success, and says nothing of this user", retryable=True, unsure=True)
        why = comments or f"the job ended as {status or 'nothing'}"
        return Failed(f"not delivered: {self._http.plain(why)}", retryable="rate limit" in why.lower())
