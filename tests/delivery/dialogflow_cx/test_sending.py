"""What CX is asked, when its answer counts, and how access is had."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from botopt.delivery.dialogflow import NAMESPACE
from botopt.delivery.dialogflow_cx import TYPE
from botopt.model.channels import Channel, Surroundings
from botopt.model.delivery import Failed, NeedsTransport
from tests.delivery.dialogflow_cx.support import PLACE, SESSION
from tests.delivery.fakes.dialogflow import Dialogflow
from tests.delivery.fakes.platform import Told
from tests.delivery.google_judges import key_file, key_pair
from tests.delivery.platforms import NOW_US, channel, message

__all__ = ["key_pair"]

EVENTS = {"payment_failed": ["Your payment failed."]}
SAID = NeedsTransport(("Your payment failed.",), "response-1")
SECOND_US = 1_000_000


def bot(agent: Dialogflow, **options: object) -> Channel:
    return channel(TYPE, **(PLACE | {"host": agent.url, "access_token": "token-0"} | options))


def test_the_request():
    with Dialogflow(EVENTS) as agent:
        own = bot(
            agent, environment="prod-1", channel="webchat", timezone="Europe/Paris", session_ttl=3_600 * SECOND_US
        )
        assert own.send(message()) == SAID
        (asked,) = agent.asked
    assert asked.path == (
        f"/v3/projects/shop/locations/europe-west1/agents/11112222-aaaa/environments/prod-1/sessions/{SESSION}:detectIntent"
    )
    assert asked.headers["authorization"] == "Bearer token-0"
    assert "x-goog-user-project" not in asked.headers
    assert asked.json == {
        "queryInput": {"event": {"event": "payment_failed"}, "languageCode": "pt-BR"},
        "queryParams": {
            "parameters": {
                "amount": 12.5,
                "tries": 3,
                "due_at": "2026-11-02T09:00:00Z",
                "vip": True,
                "note": None,
                "botopt_id": "5f0c1e2d3b4a5f0c1e2d3b4a",
                "botopt_text": "Ana, your card was declined.",
                "botopt_title": "Payment failed",
            },
            "timeZone": "Europe/Paris",
            "channel": "webchat",
            "sessionTtl": "3600s",
        },
    }


def test_names_of_the_agents_own():
    with Dialogflow({"pay-failed": ["Oh."]}) as agent:
        own = bot(agent, events={"payment_failed": "pay-failed"}, languages={"pt-BR": "pt-br"}, user_project="payer")
        assert own.send(message()) == NeedsTransport(("Oh.",), "response-1")
        (asked,) = agent.asked
    assert asked.json["queryInput"] == {"event": {"event": "pay-failed"}, "languageCode": "pt-br"}
    assert asked.headers["x-goog-user-project"] == "payer"


def test_the_session_is_a_hash_that_your_chat_can_make_too():
    own = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    with Dialogflow(EVENTS) as agent:
        bot(agent).send(message(address="ana@example.com"))
        bot(agent, session_namespace=own).send(message(address="ana@example.com"))
        first, second = (asked.path.rpartition("/")[2].partition(":")[0] for asked in agent.asked)
        assert not any(b"ana@" in asked.body or "ana" in asked.path for asked in agent.asked)
    assert first == str(uuid.uuid5(NAMESPACE, "ana@example.com"))
    assert second == str(uuid.uuid5(uuid.UUID(own), "ana@example.com"))
    assert len(first) == 36


def test_the_namespace_of_sessions_never_changes():
    assert str(NAMESPACE) == "6f1d7a52-43a1-5e0e-9c2c-0b6a0c6f3d11"


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "https://dialogflow.googleapis.com"),
        ("us-central1", "https://us-central1-dialogflow.googleapis.com"),
    ],
)
def test_each_region_has_a_host(location: str, host: str):
    own = channel(TYPE, project="p", agent="a", location=location, access_token="x")
    assert own.place.host == host


def test_integers_that_a_double_cannot_hold_go_as_text():
    with Dialogflow(EVENTS) as agent:
        bot(agent).send(message(data={"order": 2**53 + 1, "small": 2**53, "yes": True}))
        sent = agent.asked[0].json["queryParams"]["parameters"]
    assert (sent["order"], sent["small"], sent["yes"]) == ("9007199254740993", 9007199254740992, True)


# ---------------------------------------------------------------- what counts


@pytest.mark.parametrize("numbers", [True, False])
def test_an_event_that_nobody_handles_is_not_delivered(numbers: bool):
    """The answer has status 200, texts, and the event's name in triggerEvent."""
    with Dialogflow({}) as agent:
        agent.numbers = numbers
        receipt = bot(agent).send(message())
    assert receipt == Failed(
        'the agent has no handler for the event "payment_failed" where the conversation stands (match: NO_MATCH)'
    )


@pytest.mark.parametrize(
    ("result", "detail"),
    [
        ({"match": {"matchType": "INTENT"}}, "(match: INTENT)"),
        ({"match": {"matchType": 9}}, "(match: PLAYBOOK)"),
        ({"match": {"matchType": 77}}, "(match: 77)"),
        ({"match": {"matchType": None}}, "(match: nothing)"),
        ({"match": "EVENT"}, "(match: nothing)"),
        ({"triggerEvent": "other", "match": {"matchType": "EVENT"}}, 'took up the event "other", not "payment_failed"'),
        ({"match": {"matchType": "EVENT"}}, "the agent took the event up and said nothing"),
        ({"match": {"matchType": 6}, "responseMessages": [{"payload": {"x": 1}}, {"text": {}}, 5]}, "said nothing"),
    ],
)
def test_other_answers_are_not_delivered(result: dict, detail: str, monkeypatch: pytest.MonkeyPatch):
    with Dialogflow(EVENTS) as agent:
        monkeypatch.setattr(agent, "answer", lambda _: Told({"queryResult": result}))
        receipt = bot(agent).send(message())
    assert isinstance(receipt, Failed)
    assert detail in receipt.detail
    assert (receipt.retryable, receipt.unsure) == (False, False)


@pytest.mark.parametrize(("attempt", "wait_s"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 32), (60, 32)])
def test_a_quota_is_waited_for_longer_each_time(attempt: int, wait_s: int):
    with Dialogflow(EVENTS) as agent:
        agent.faults.append(("status", 429))
        receipt = bot(agent).send(message(attempt=attempt))
    assert receipt == Failed("HTTP 429", retryable=True, retry_after_us=wait_s * SECOND_US)


def test_a_wait_that_is_told_is_kept():
    with Dialogflow(EVENTS) as agent:
        agent.faults.append(("status", 429, {"retry-after": "9"}))
        receipt = bot(agent).send(message())
    assert isinstance(receipt, Failed)
    assert receipt.retry_after_us == 9 * SECOND_US


@pytest.mark.parametrize(
    ("fault", "retryable", "unsure"),
    [
        (("status", 400), False, False),
        (("status", 403), True, False),
        (("status", 404), False, False),
        (("status", 500), True, False),
        (("status", 503), True, False),
        (("status", 504), True, True),
        (("garbage",), True, True),
        (("reset",), True, True),
        (("dies",), True, True),
    ],
)
def test_faults_of_the_platform(fault: tuple, retryable: bool, unsure: bool):
    with Dialogflow(EVENTS) as agent:
        agent.faults.append(fault)
        receipt = bot(agent).send(message())
    assert isinstance(receipt, Failed)
    assert (receipt.retryable, receipt.unsure) == (retryable, unsure)


def test_their_words_are_passed_on_without_secrets(monkeypatch: pytest.MonkeyPatch):
    error = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no: token-0\nhas no right"}}
    with Dialogflow(EVENTS) as agent:
        monkeypatch.setattr(agent, "answer", lambda _: Told(error, 403))
        receipt = bot(agent).send(message())
    assert receipt == Failed(
        "HTTP 403: PERMISSION_DENIED: no: … has no right; look at the option credentials, and what the account may do",
        retryable=True,
    )


# ---------------------------------------------------------------- access


def with_key(agent: Dialogflow, pem: str, now: list[int], **options: object) -> Channel:
    key = json.dumps(key_file(pem, agent.url))
    return bot(agent, access_token=None, credentials=key, now_us=lambda: now[0], **options)


def test_a_token_is_kept_until_shortly_before_it_ends(key_pair: tuple):
    pem, public = key_pair
    now = [NOW_US]
    with Dialogflow(EVENTS, public_key=public) as agent:
        own = with_key(agent, pem, now)
        granted = []
        for at_s in (0, 10, 3_539, 3_540, 3_541):
            now[0] = NOW_US + at_s * SECOND_US
            assert own.send(message()) == SAID
            granted.append(agent.granted)
        now[0] = NOW_US - 86_400 * SECOND_US  # the clock is set back by a day
        assert own.send(message()) == SAID
        granted.append(agent.granted)
    assert granted == [1, 1, 1, 2, 2, 3]


def test_many_threads_ask_for_one_token(key_pair: tuple):
    pem, public = key_pair
    with Dialogflow(EVENTS, public_key=public) as agent:
        own = with_key(agent, pem, [NOW_US])
        with ThreadPoolExecutor(8) as pool:
            receipts = list(pool.map(lambda n: own.send(message(id=f"{n:024x}")), range(16)))
        assert receipts == [SAID] * 16
        assert agent.granted == 1
        assert agent.deliveries.total() == len(agent.deliveries) == 16


def test_a_kept_token_that_is_refused_is_replaced_at_once(key_pair: tuple):
    pem, public = key_pair
    with Dialogflow(EVENTS, public_key=public) as agent:
        own = with_key(agent, pem, [NOW_US])
        assert own.send(message()) == SAID
        agent.valid = set()
        assert own.send(message()) == SAID
        assert agent.granted == 2
        assert agent.deliveries.total() == 2


def test_a_new_token_that_is_refused_is_the_end(key_pair: tuple, monkeypatch: pytest.MonkeyPatch):
    pem, public = key_pair
    with Dialogflow(EVENTS, public_key=public) as agent:
        grant = agent._grant

        def granted_for_nothing(asked):
            told = grant(asked)
            agent.valid = set()
            return told

        monkeypatch.setattr(agent, "_grant", granted_for_nothing)
        receipt = with_key(agent, pem, [NOW_US]).send(message())
        assert len(agent.asked) == 2
    assert receipt == Failed(
        "HTTP 401: UNAUTHENTICATED: Request had invalid authentication credentials; look at the option credentials, "
        "and what the account may do",
        retryable=True,
    )


def test_self_signed_tokens_ask_nobody(key_pair: tuple):
    pem, public = key_pair
    with Dialogflow(EVENTS, public_key=public) as agent:
        own = with_key(agent, pem, [NOW_US], self_signed=True)
        assert [own.send(message()), own.send(message())] == [SAID, SAID]
        first, second = agent.asked
    assert first.headers["authorization"] == second.headers["authorization"]
    assert agent.granted == 0


@pytest.mark.parametrize(
    ("fault", "retryable"),
    [
        (("status", 500), True),
        (("status", 504), True),
        (("status", 400), True),
        (("status", 404), False),
        (("reset",), True),
        (("garbage",), True),
    ],
)
def test_without_a_token_nothing_was_sent_so_nothing_is_unsure(key_pair: tuple, fault: tuple, retryable: bool):
    pem, public = key_pair
    with Dialogflow(EVENTS, public_key=public) as agent:
        own = with_key(agent, pem, [NOW_US])
        agent.faults.append(fault)
        receipt = own.send(message())
        assert isinstance(receipt, Failed)
        assert receipt.detail.startswith("no access token: ")
        assert (receipt.retryable, receipt.unsure) == (retryable, False)
        assert [asked.path for asked in agent.asked] == ["/token"]
        assert own.send(message()) == SAID


def test_a_key_that_is_not_known_is_refused_in_their_words(key_pair: tuple):
    pem, _ = key_pair
    with Dialogflow(EVENTS, public_key="nobody's") as agent:
        receipt = with_key(agent, pem, [NOW_US]).send(message())
    assert receipt == Failed(
        "no access token: HTTP 400: Invalid JWT Signature; look at the option credentials", retryable=True
    )


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "say how to sign in"),
        ({"access_token": "a", "credentials": "b"}, "say how to sign in"),
        ({"access_token": "a", "self_signed": True}, "self_signed needs credentials"),
        ({"access_token": "a", "session_namespace": "shop"}, "session_namespace is not a UUID"),
        ({"credentials": "s3cret"}, "credentials must hold the JSON key file"),
        ({"credentials": '{"client_email": "a@b", "private_key": "s3cret"}'}, "it must be a private key in PEM form"),
        ({"credentials": "[1]"}, "credentials must hold the JSON key file"),
    ],
)
def test_options_that_do_not_go_together(options: dict, words: str):
    with pytest.raises(ValueError, match=words) as raised:
        channel(TYPE, **(PLACE | options))
    assert "s3cret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_options_from_the_environment_are_left_to_it():
    assert TYPE.check(PLACE | {"credentials": "${KEY}", "session_namespace": "${SPACE}"}) == ()


def test_names_in_paths_cannot_leave_their_place():
    surroundings = Surroundings(name="bot", timeout_s=1, now_us=lambda: NOW_US)
    options = {option.name: option.default for option in TYPE.options}
    own = TYPE.make(options | {"project": "p/../x", "agent": "a?b", "access_token": "t"}, surroundings)
    assert own.path(message()).startswith("v3/projects/p%2F..%2Fx/locations/global/agents/a%3Fb/sessions/")
    own.close()
