"""Rasa, from its contract: what is asked, what was pushed, and what its bot may tell us."""

from __future__ import annotations

import jwt
import pytest

from botopt.delivery.rasa import TYPE
from botopt.model.channels import Channel
from botopt.model.delivery import Answer, Delivered, Failed, NeedsTransport, Refused
from tests.delivery.fakes.platform import Told
from tests.delivery.fakes.rasa import Rasa
from tests.delivery.platforms import NOW_US, TOKEN, callback, channel, message

SECRET = "a secret that is long enough to sign with"


def bot(server: Rasa, **options: object) -> Channel:
    return channel(TYPE, **({"url": server.url} | options))


def test_the_request():
    with Rasa() as server:
        assert bot(server).send(message()) == Delivered()
        (asked,) = server.asked
        assert server.deliveries == {"5f0c1e2d3b4a5f0c1e2d3b4a": 1}
    assert asked.path == "/conversations/user-42/trigger_intent"
    assert asked.query == {"output_channel": "latest", "include_events": "NONE"}
    assert "authorization" not in asked.headers
    assert asked.json == {
        "name": "EXTERNAL_payment_failed",
        "entities": {
            "amount": "12.5",
            "tries": "3",
            "due_at": "2026-11-02T09:00:00Z",
            "vip": "true",
            "botopt_id": "5f0c1e2d3b4a5f0c1e2d3b4a",
            "botopt_text": "Ana, your card was declined.",
        },
    }


def test_names_of_the_bots_own():
    with Rasa() as server:
        server.intents = {"pay", "EVT.trial_ends"}
        own = bot(server, intents={"payment_failed": "pay"}, intent_prefix="EVT.", entities=["amount", "absent"])
        assert own.send(message()) == Delivered()
        assert own.send(message(event_type="trial_ends")) == Delivered()
        assert [asked.json["name"] for asked in server.asked] == ["pay", "EVT.trial_ends"]
        assert set(server.asked[0].json["entities"]) == {"amount", "botopt_id", "botopt_text"}


@pytest.mark.parametrize("address", ["ana@example.com", "whatsapp:+4915", "29:1bS_n-H.~;a=b", "a!b$c&d'e(f)*,;=~"])
def test_a_conversation_stands_in_the_path_as_it_is(address: str):
    with Rasa() as server:
        assert bot(server).send(message(address=address)) == Delivered()
        assert server.asked[0].path == f"/conversations/{address}/trigger_intent"


@pytest.mark.parametrize(
    "address", ["", ".", "..", "a/../../model", "a/b", "a b", "a?c", "a#d", "a%20e", "ü", "a\nb", "a\n"]
)
def test_a_conversation_that_rasa_would_not_read_is_not_asked_for(address: str):
    """Rasa decodes no paths: a%20b is another conversation than "a b", and nobody is there."""
    with Rasa() as server:
        receipt = bot(server).send(message(address=address))
        assert receipt == Failed(
            "the conversation's id holds characters that Rasa would not read in a path as they are"
        )
        assert server.asked == []


# ---------------------------------------------------------------- pushed or not


def test_texts_that_were_only_collected_need_a_transport():
    with Rasa(["one", "", "two"]) as server:
        server.latest = "rest"
        assert bot(server).send(message()) == NeedsTransport(("one", "two"))
        assert server.deliveries == {}


@pytest.mark.parametrize("named", ["callback", "latest"])
def test_the_callback_channel_returns_texts_that_it_has_pushed(named: str):
    with Rasa(channels=["callback"]) as server:
        server.latest = "callback"
        assert bot(server, output_channel=named).send(message()) == Delivered()
        assert server.deliveries.total() == 1


def test_a_callback_channel_that_was_given_nothing_to_say_has_pushed_nothing():
    with Rasa([], channels=["callback"]) as server:
        server.latest = "callback"
        receipt = bot(server, output_channel="callback").send(message())
    assert receipt == Failed("the bot said nothing, and Rasa has pushed nothing")


def test_another_channel_named_is_not_taken_for_the_latest():
    with Rasa(["one"], channels=["callback"]) as server:
        server.latest = "callback"
        assert bot(server, output_channel="web").send(message()) == NeedsTransport(("one",))


@pytest.mark.parametrize("texts", [[], ["", " "]])
def test_a_bot_that_said_nothing_delivered_nothing(texts: list[str]):
    with Rasa(texts, channels=[]) as server:
        assert bot(server).send(message()) == Failed("the bot said nothing, and Rasa has pushed nothing")


# ---------------------------------------------------------------- signing in


def test_a_token():
    with Rasa() as server:
        server.token = "t0ken & more"
        assert bot(server, token="t0ken & more").send(message()) == Delivered()
        receipt = bot(server).send(message())
    assert receipt == Failed("HTTP 401: NotAuthenticated; look at token, jwt_secret and jwt_role", retryable=True)


@pytest.mark.parametrize("role", ["user", "admin"])
def test_a_signed_token_for_this_conversation(role: str):
    with Rasa() as server:
        server.jwt_secret = SECRET
        assert bot(server, jwt_secret=SECRET, jwt_role=role).send(message()) == Delivered()
        token = server.asked[0].headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, SECRET, ["HS256"], options={"verify_exp": False, "verify_iat": False})
    now_s = NOW_US // 1_000_000
    assert claims == {"user": {"username": "user-42", "role": role}, "iat": now_s, "exp": now_s + 300}


def test_a_wrong_secret_waits_for_a_person():
    with Rasa() as server:
        server.jwt_secret = SECRET
        receipt = bot(server, jwt_secret="another secret, which is long enough too").send(message())
    assert receipt == Failed("HTTP 401: NotAuthenticated; look at token, jwt_secret and jwt_role", retryable=True)


# ---------------------------------------------------------------- refusals


def test_an_unknown_intent_is_named_by_us():
    """Rasa's own sentence shows a function's address there."""
    with Rasa() as server:
        receipt = bot(server).send(message(event_type="new"))
    assert receipt == Failed('HTTP 404: the intent "EXTERNAL_new" is not in the domain, or this is no Rasa server')


def test_a_server_without_a_model_is_asked_again():
    with Rasa() as server:
        server.ready = False
        assert bot(server).send(message()) == Failed("HTTP 409: no model is loaded yet", retryable=True)


def test_a_dialogue_that_broke_off_may_have_spoken():
    with Rasa() as server:
        server.breaks = True
        receipt = bot(server).send(message())
    assert receipt == Failed(
        "HTTP 500: ConversationError: An unexpected error occurred. Error: the action server is gone",
        retryable=True,
        unsure=True,
    )


def test_a_request_that_is_wrong_is_refused_for_good(monkeypatch: pytest.MonkeyPatch):
    body = {"reason": "BadRequest", "message": "Name of the intent not provided in request body."}
    with Rasa() as server:
        monkeypatch.setattr(server, "answer", lambda _: Told(body, 400))
        receipt = bot(server).send(message())
    assert receipt == Failed("HTTP 400: BadRequest: Name of the intent not provided in request body.")


@pytest.mark.parametrize(
    ("fault", "retryable", "unsure"),
    [
        (("status", 429), True, False),
        (("status", 500), True, False),
        (("status", 504), True, True),
        (("garbage",), True, True),
        (("reset",), True, True),
        (("dies",), True, True),
    ],
)
def test_faults_of_the_platform(fault: tuple, retryable: bool, unsure: bool):
    with Rasa() as server:
        server.faults.append(fault)
        server.token = "t0ken-of-rasa"
        receipt = bot(server, token="t0ken-of-rasa").send(message())
    assert isinstance(receipt, Failed)
    assert (receipt.retryable, receipt.unsure) == (retryable, unsure)
    assert "t0ken-of-rasa" not in receipt.detail


# ---------------------------------------------------------------- what the bot tells us


def told(body: object, **changes: object) -> Answer:
    own = channel(TYPE, url="http://127.0.0.1:5005", callback_token=TOKEN)
    return own.receive(callback(body, **changes))


@pytest.mark.parametrize(
    "body",
    [
        {"recipient_id": "user-42", "text": "Your payment failed."},
        {"recipient_id": "user-42", "custom": {"carousel": []}},
        {"recipient_id": "user-42", "custom": "botopt"},
        {"recipient_id": "user-42", "image": "https://…"},
    ],
)
def test_what_the_bot_says_is_no_sign_of_the_user(body: dict):
    assert told(body) == Answer()


@pytest.mark.parametrize("kind", ["message.clicked", "message.converted", "message.dismissed", "message.failed"])
def test_a_bot_may_tell_what_became_of_a_message(kind: str):
    body = {"recipient_id": "user-42", "custom": {"botopt": kind, "botopt_id": "5f0c"}}
    (first,), (again,) = told(body).feedback, told(body, received_us=NOW_US + 9_000_000).feedback
    assert (first.type, first.message_id, first.address) == (kind, "5f0c", None)
    assert first.event_id == again.event_id


def test_a_bot_may_tell_that_the_user_is_there():
    body = {"recipient_id": "user-42", "custom": {"botopt": "user.active"}}
    (first,), (later,) = told(body).feedback, told(body, received_us=NOW_US + 9_000_000).feedback
    assert (first.type, first.message_id, first.address) == ("user.active", None, "user-42")
    assert first.event_id != later.event_id


@pytest.mark.parametrize(
    "custom",
    [{"botopt": "message.converted"}, {"botopt": "user.deleted", "botopt_id": "5f0c"}, {"botopt": "nonsense"}],
)
def test_what_a_bot_may_not_tell_is_refused(custom: dict):
    with pytest.raises(Refused) as refused:
        told({"recipient_id": "user-42", "custom": custom})
    assert refused.value.status == 400


def test_a_callback_without_the_token_is_refused():
    with pytest.raises(Refused) as refused:
        told({}, query=(("token", "wrong"),))
    assert refused.value.status == 401


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"token": "a", "jwt_secret": SECRET}, "either token or jwt_secret"),
        ({"output_channel": "rest"}, "rest channel cannot be pushed to"),
        ({"jwt_secret": SECRET, "jwt_method": "RS256"}, "jwt_secret cannot sign with RS256"),
    ],
)
def test_options_that_do_not_go_together(options: dict, words: str):
    with pytest.raises(ValueError, match=words) as raised:
        channel(TYPE, url="http://127.0.0.1:5005", **options)
    assert SECRET not in str(raised.value)
