"""Kore.ai's notify APIs, from the samples of their documentation."""

from __future__ import annotations

import time

import jwt
import pytest

from botopt.delivery.koreai import TYPE
from botopt.model.channels import Channel
from botopt.model.delivery import Delivered, Failed
from tests.delivery.fakes.kore import BOT, CLIENT_ID, SECRET, Kore
from tests.delivery.fakes.platform import Told
from tests.delivery.platforms import NOW_US, channel, message

ANA = message(address="ana@example.com")


def bot(kore: Kore, api: str = "notify_v1", **options: object) -> Channel:
    known = {"host": kore.url, "bot": BOT, "client_id": CLIENT_ID, "client_secret": SECRET, "poll_every": 10_000}
    to = {"notify_v1": "msteams", "notify_v2": "ivr"}[api]
    return channel(TYPE, **(known | {"api": api, "notify_channel": to} | options))


def test_version_1_as_documented():
    with Kore() as kore:
        assert bot(kore).send(ANA) == Delivered("ds-0")
        first, *rest = kore.asked
    assert (first.method, first.path) == ("POST", f"/api/public/bot/{BOT}/notify")
    assert first.json == {
        "channel": "msteams",
        "userIdentityType": "resolve",
        "message": {"type": "text", "val": "Payment failed\nAna, your card was declined."},
        "identities": ["ana@example.com"],
    }
    assert [(asked.method, asked.path) for asked in rest] == [("GET", f"/api/public/bot/{BOT}/notify/status/ds-0")] * 2


@pytest.mark.parametrize("key", ["content", "message"])
def test_version_2_as_documented_either_way(key: str):
    with Kore() as kore:
        own = bot(kore, "notify_v2", content_key=key, instance="Webhook")
        assert own.send(message(address="ana@example.com", title=None)) == Delivered("ds-0")
        first, *rest = kore.asked
    assert (first.method, first.path) == ("POST", f"/api/public/bot/{BOT}/notifyV2")
    assert first.json == {
        "channel": "ivr",
        "webhookInstanceName": "Webhook",
        "userIdentityType": "resolve",
        key: {"type": "text", "value": "Ana, your card was declined."},
        "identities": [{"email": "ana@example.com"}],
    }
    assert {asked.path for asked in rest} == {f"/api/public/bot/{BOT}/notifyV2/status/ds-0"}


def test_the_header_is_auth_and_the_claims_are_two():
    with Kore() as kore:
        bot(kore).send(ANA)
        for asked in kore.asked:
            assert "authorization" not in asked.headers
            assert jwt.decode(asked.headers["auth"], SECRET, ["HS256"]) == {"sub": "1234567890", "appId": CLIENT_ID}


def test_tokens_can_be_used_once_where_an_app_asks_for_it():
    with Kore() as kore:
        kore.steps = 3
        bot(kore, unique_tokens=True).send(ANA)
        options = {"verify_iat": False, "verify_exp": False}
        claims = [jwt.decode(asked.headers["auth"], SECRET, ["HS256"], options=options) for asked in kore.asked]
    assert len({one["jti"] for one in claims}) == len(claims) == 5
    assert {one["exp"] - one["iat"] for one in claims} == {300}
    assert claims[0]["iat"] == NOW_US // 1_000_000


def test_the_status_can_be_asked_for_with_post():
    with Kore() as kore:
        assert bot(kore, status_method="POST").send(ANA) == Delivered("ds-0")
        assert {asked.method for asked in kore.asked} == {"POST"}


def test_somebody_unknown_is_a_failure_in_their_words():
    with Kore() as kore:
        receipt = bot(kore).send(message(address="bob@example.com"))
    assert receipt == Failed("not delivered: Identity is not associated with the channel")


def test_a_limit_told_by_the_log_is_worth_another_try():
    with Kore() as kore:
        kore.comment = "Rate limit for this API has been reached. Please try again after some time."
        receipt = bot(kore).send(message(address="bob@example.com"))
    assert isinstance(receipt, Failed)
    assert receipt.retryable
    assert not receipt.unsure


@pytest.mark.parametrize(
    ("end", "logs", "receipt"),
    [
        ("SUCCESS", [], Delivered("ds-1")),
        ("PARTIAL_SUCCESS", [{"originalId": "ANA@example.com", "status": "SUCCESS"}], Delivered("ds-1")),
        (
            "PARTIAL_SUCCESS",
            [{"originalId": "ana@example.com", "status": "FAILURE", "comments": "User blocked\nthe bot"}],
            Failed("not delivered: User blocked the bot"),
        ),
        (
            "PARTIAL_SUCCESS",
            [],
            Failed("the job was a partial success, and says nothing of this user", retryable=True, unsure=True),
        ),
        ("FAILURE", [], Failed("not delivered: the job ended as FAILURE")),
        ("FAILURE", ["junk", {"originalId": 5}], Failed("not delivered: the job ended as FAILURE")),
    ],
)
def test_ends_of_a_job(end: str, logs: list, receipt: object, monkeypatch: pytest.MonkeyPatch):
    answers = iter([{"_id": "ds-1", "status": "IN_PROGRESS"}, {"_id": "ds-1", "status": end, "statusLogs": logs}])
    with Kore() as kore:
        monkeypatch.setattr(kore, "answer", lambda _: Told(next(answers)))
        assert bot(kore).send(ANA) == receipt


def test_a_job_still_under_way_at_the_end_of_the_attempt_leaves_the_fate_open():
    with Kore() as kore:
        kore.steps = 100_000
        begun = time.monotonic()
        receipt = bot(kore, timeout_s=0.4).send(ANA)
        assert time.monotonic() - begun < 2
    assert receipt == Failed("it was taken, but was still under way at the end", retryable=True, unsure=True)


def test_a_status_that_is_lost_is_asked_for_again():
    with Kore() as kore:
        kore.faults.extend([("none",), ("reset",), ("status", 503), ("garbage",), ("status", 429)])
        assert bot(kore).send(ANA) == Delivered("ds-0")
        assert kore.deliveries.total() == 1


def test_a_status_that_is_refused_leaves_the_fate_open():
    with Kore() as kore:
        kore.faults.extend([("none",), ("status", 403)])
        receipt = bot(kore).send(ANA)
    assert isinstance(receipt, Failed)
    assert receipt.unsure
    assert receipt.detail.startswith("it was taken, but its status cannot be asked for: HTTP 403")


def test_the_words_about_their_limit_mean_429_whatever_the_status(monkeypatch: pytest.MonkeyPatch):
    words = "Rate limit for this API has been reached. Please try again after some time."
    with Kore() as kore:
        monkeypatch.setattr(kore, "answer", lambda _: Told({"errors": [{"msg": words, "code": 4003}]}, 400))
        assert bot(kore).send(ANA) == Failed(f"HTTP 429: {words}", retryable=True, retry_after_us=60_000_000)


@pytest.mark.parametrize(
    ("fault", "retryable", "unsure"),
    [
        (("status", 429), True, False),
        (("status", 500), True, False),
        (("status", 502), True, True),
        (("status", 401), True, False),
        (("garbage",), True, True),
        (("reset",), True, True),
        (("dies",), True, True),
    ],
)
def test_faults_of_the_platform(fault: tuple, retryable: bool, unsure: bool):
    with Kore() as kore:
        kore.faults.append(fault)
        receipt = bot(kore).send(ANA)
    assert isinstance(receipt, Failed)
    assert (receipt.retryable, receipt.unsure) == (retryable, unsure)


def test_the_default_rate_keeps_both_of_their_limits():
    """600 in a minute and 18,000 in an hour, rolling."""
    per_minute = TYPE.settings.messages * 60_000_000 / TYPE.settings.per_us
    assert per_minute <= 600
    assert per_minute * 60 <= 18_000
