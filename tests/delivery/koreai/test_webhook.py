"""The webhook channel of Kore.ai: what starts a dialog, and what comes back."""

from __future__ import annotations

import time
from threading import Thread

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from botopt.delivery.koreai import TYPE
from botopt.model.channels import Channel
from botopt.model.delivery import Delivered, Failed, NeedsTransport
from tests.delivery.fakes.kore import BOT, CLIENT_ID, SECRET, TRACE, Kore
from tests.delivery.platforms import NOW_US, channel, message

TEXTS = NeedsTransport(("Your payment failed.",), "ms-0-0")


def bot(kore: Kore, **options: object) -> Channel:
    known = {"host": kore.url, "bot": BOT, "client_id": CLIENT_ID, "client_secret": SECRET, "poll_every": 10_000}
    spoken = {} if options.get("on_connect") or "utterances" in options else {"utterance": "payment failed"}
    return channel(TYPE, **(known | spoken | options))


def test_everything_that_the_documentation_asks_for_is_sent():
    with Kore() as kore:
        assert bot(kore, merge_identity=True, preferred_channel="rtm").send(message()) == TEXTS
        (asked,) = kore.asked
    assert asked.path == f"/chatbot/v2/webhook/{BOT}"
    assert asked.json == {
        "session": {"new": False},
        "message": {"type": "text", "val": "payment failed"},
        "from": {"id": "user-42", "userInfo": {"firstName": "", "lastName": "", "email": ""}},
        "to": {"id": BOT, "groupInfo": {"id": "", "name": ""}},
        "mergeIdentity": True,
        "preferredChannelForResponse": "rtm",
        "interactiveLanguage": "pt",
        "metaTags": {"messageLevelTags": [{"name": "botopt_id", "value": "5f0c1e2d3b4a5f0c1e2d3b4a"}]},
        "customData": {
            "botopt_id": "5f0c1e2d3b4a5f0c1e2d3b4a",
            "event": "payment_failed",
            "template": "payment_failed",
            "variant": "plain",
            "title": "Payment failed",
            "text": "Ana, your card was declined.",
            "buttons": [{"label": "Pay now", "link": None, "payload": "botopt:5f0c1e2d3b4a5f0c1e2d3b4a:0"}],
            "fields": {"amount": 12.5, "tries": 3, "due_at": "2026-11-02T09:00:00Z", "vip": True, "note": None},
        },
    }


def test_what_is_not_asked_for_is_left_out():
    with Kore() as kore:
        bot(kore).send(message(title=None, variant="", buttons=()))
        body = kore.asked[0].json
    assert "mergeIdentity" not in body
    assert "preferredChannelForResponse" not in body
    assert set(body["customData"]) == {"botopt_id", "event", "template", "text", "fields"}


def test_the_token_names_the_user_the_moment_and_something_new():
    with Kore() as kore:
        for attempt in (1, 2):
            bot(kore).send(message(attempt=attempt))
        tokens = [asked.headers["authorization"].removeprefix("bearer ") for asked in kore.asked]
    claims = [jwt.decode(token, SECRET, ["HS256"], options={"verify_iat": False}) for token in tokens]
    assert [set(one) for one in claims] == [{"appId", "sub", "userIdentity", "iat"}] * 2
    assert claims[0]["userIdentity"] == "user-42"
    assert claims[0]["iat"] == NOW_US // 1_000_000
    assert claims[0]["sub"].isdigit()
    assert claims[0]["sub"] != claims[1]["sub"]


@pytest.mark.parametrize("algorithm", ["RS256", "RS512"])
def test_a_private_key_signs_too(algorithm: str):
    key = rsa.generate_private_key(65_537, 2_048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    with Kore() as kore:
        kore.key, kore.algorithm = key.public_key(), algorithm
        assert bot(kore, client_secret=pem, algorithm=algorithm).send(message()) == TEXTS


def test_each_event_type_may_have_an_utterance_of_its_own():
    with Kore() as kore:
        own = bot(kore, utterances={"payment_failed": "my payment failed"}, utterance="hello")
        own.send(message())
        own.send(message(event_type="trial_ends"))
        assert [asked.json["message"]["val"] for asked in kore.asked] == ["my payment failed", "hello"]


def test_an_event_type_without_an_utterance_is_not_sent():
    with Kore() as kore:
        receipt = bot(kore, utterances={"trial_ends": "my trial ends"}).send(message())
        assert receipt == Failed('no utterance starts a dialog for "payment_failed": add it to utterances')
        assert kore.asked == []


def test_on_connect_opens_a_new_session():
    with Kore() as kore:
        assert bot(kore, on_connect=True).send(message()) == TEXTS
        assert kore.asked[0].json["session"] == {"new": True}
        assert kore.asked[0].json["message"] == {"type": "event", "val": "ON_CONNECT"}
        assert kore.asked[0].json["customData"]["event"] == "payment_failed"


@pytest.mark.parametrize(
    ("locale", "language"), [("de", "de"), ("de-AT", "de"), ("pt-BR", "pt_br"), ("zh_Hant_TW", "zh"), ("EN-GB", "en")]
)
def test_the_language_follows_the_locale(locale: str, language: str):
    with Kore() as kore:
        bot(kore, languages={"pt-BR": "pt_br"}).send(message(locale=locale))
        assert kore.asked[0].json["interactiveLanguage"] == language


# ---------------------------------------------------------------- what comes back


def test_an_acknowledgement_is_a_delivery_to_the_provider():
    with Kore(posts=True) as kore:
        assert bot(kore).send(message()) == Delivered(TRACE)
        assert kore.deliveries == {"5f0c1e2d3b4a5f0c1e2d3b4a": 1}


def test_a_chain_of_polls_is_followed_to_its_end():
    with Kore([["one", "two"], [], ["three"], ["four"]]) as kore:
        kore.waits = 2
        assert bot(kore).send(message()) == NeedsTransport(("one", "two", "three", "four"), "ms-0-0")
        polls = [asked.path for asked in kore.asked[1:]]
    assert len(polls) == len(set(polls)) == 9  # each of the three chunks waits twice, and no id is asked for twice


TEMPLATE = {"type": "template", "payload": {"template_type": "button", "text": "Pay now?", "buttons": []}}


@pytest.mark.parametrize(
    ("said", "texts"),
    [
        ([TEMPLATE], ("Pay now?",)),
        (['{"type": "template", "payload": {"text": "Pay now?"}}'], ("Pay now?",)),
        ([{"text": "plain object"}], ("plain object",)),
        (["{name}, hello"], ("{name}, hello",)),
        (["", "  ", "hello"], ("hello",)),
    ],
)
def test_texts_are_found_in_texts_and_templates(said: list, texts: tuple[str, ...]):
    with Kore([said]) as kore:
        assert bot(kore).send(message()) == NeedsTransport(texts, "ms-0-0")


@pytest.mark.parametrize(
    ("said", "ends", "detail"),
    [
        ([], {"endOfTask": True, "endReason": "Failed"}, "the dialog ended (Failed) without a text"),
        ([{"payload": {"template_type": "carousel"}}], {}, "the bot replied without a text"),
        ([], {}, "the bot replied without a text"),
    ],
)
def test_a_dialog_without_words_delivers_nothing(said: list, ends: dict, detail: str):
    with Kore([said]) as kore:
        kore.ends = ends
        assert bot(kore).send(message()) == Failed(detail)


def test_a_poll_that_fails_keeps_what_was_said_before():
    with Kore([["one"], ["two"]]) as kore:
        own = bot(kore)
        kore.faults.extend([("none",), ("status", 400)])
        assert own.send(message()) == NeedsTransport(("one",), "ms-0-0")


@pytest.mark.parametrize("fault", [("reset",), ("garbage",), ("status", 400), ("status", 503)])
def test_a_poll_that_fails_before_any_word_leaves_the_fate_open(fault: tuple):
    with Kore([[], ["two"]]) as kore:
        own = bot(kore)
        kore.faults.extend([("none",), fault])
        receipt = own.send(message())
    assert receipt == Failed("the dialog was started, but its reply did not come in time", retryable=True, unsure=True)


def test_polling_ends_with_the_attempt():
    with Kore([[], ["too late"]]) as kore:
        kore.waits = 10_000
        begun = time.monotonic()
        receipt = bot(kore, timeout_s=0.3).send(message())
        assert time.monotonic() - begun < 2
    assert isinstance(receipt, Failed)
    assert receipt.unsure


def test_closing_ends_the_polling():
    with Kore([[], ["too late"]]) as kore:
        kore.waits = 10_000
        own = bot(kore, timeout_s=30, poll_every=20_000_000)
        receipts: list = []
        sending = Thread(target=lambda: receipts.append(own.send(message())))
        sending.start()
        deadline = time.monotonic() + 10
        while not kore.deliveries and time.monotonic() < deadline:
            sending.join(0.01)
        own.close()
        sending.join(10)
        assert not sending.is_alive()
    assert receipts[0].unsure


# ---------------------------------------------------------------- refusals


def test_a_token_of_somebody_else_is_no_fault_of_the_message():
    with Kore() as kore:
        receipt = bot(kore, client_secret="another secret, of the length that is asked for").send(message())
    assert receipt == Failed(
        "HTTP 401: Invalid Access token; look at client_id, client_secret, and the scopes of the app", retryable=True
    )


def test_errors_in_the_body_count_whatever_the_status_says(monkeypatch: pytest.MonkeyPatch):
    with Kore() as kore:
        for code, words in ((429, "Too Many requests"), (401, "Invalid Access token"), (500, "Oops"), (408, "Late")):
            error = {"errors": [{"msg": words, "code": code}], "_v": "v2", "_t": TRACE}
            monkeypatch.setattr(kore, "answer", lambda _, error=error: _told(error))
            receipt = bot(kore).send(message())
            assert isinstance(receipt, Failed)
            assert words in receipt.detail
            assert receipt.retryable
            assert receipt.unsure is (code == 408)
            assert receipt.retry_after_us == (60_000_000 if code == 429 else None)


def _told(body: object):
    from tests.delivery.fakes.platform import Told

    return Told(body)


@pytest.mark.parametrize(
    ("fault", "retryable", "unsure", "wait_us"),
    [
        (("status", 429, {"retry-after": "7"}), True, False, 7_000_000),
        (("status", 429), True, False, 60_000_000),
        (("status", 503), True, False, None),
        (("status", 504), True, True, None),
        (("status", 408), True, True, None),  # their 15 s are over: the dialog may have begun
        (("status", 404), False, False, None),
        (("status", 302), False, False, None),
        (("garbage",), True, True, None),
        (("reset",), True, True, None),
        (("dies",), True, True, None),
    ],
)
def test_faults_of_the_platform(fault: tuple, retryable: bool, unsure: bool, wait_us: int | None):
    with Kore() as kore:
        kore.faults.append(fault)
        receipt = bot(kore).send(message())
    assert isinstance(receipt, Failed)
    assert (receipt.retryable, receipt.unsure, receipt.retry_after_us) == (retryable, unsure, wait_us)
    assert SECRET not in receipt.detail


def test_a_platform_that_hangs_leaves_the_fate_open():
    with Kore() as kore:
        kore.faults.append(("hangs",))
        receipt = bot(kore, timeout_s=0.3).send(message())
        assert kore.deliveries.total() == 1
    assert isinstance(receipt, Failed)
    assert receipt.unsure


def test_nobody_there_took_nothing():
    with Kore() as kore:
        own = bot(kore)
    receipt = own.send(message())
    assert isinstance(receipt, Failed)
    assert (receipt.retryable, receipt.unsure) == (True, False)
