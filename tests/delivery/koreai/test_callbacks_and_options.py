"""What Kore.ai posts to us, and options that do not go together."""

from __future__ import annotations

import pytest

from botopt.delivery.koreai import TYPE
from botopt.model.channels import Channel, Honesty
from botopt.model.delivery import Answer, Feedback, Refused
from tests.delivery.fakes.kore import BOT, CLIENT_ID, SECRET
from tests.delivery.platforms import TOKEN, callback, channel

REPLY = {
    "to": "user-42",
    "from": BOT,
    "data": [{"type": "text", "val": "Paid, thank you.", "createdOn": "2026-11-02T10:00:00.000Z", "messageId": "ms-1"}],
    "_v": "v2",
    "endOfTask": True,
    "endReason": "Fulfilled",
    "completedTaskId": "dg-1",
    "completedTaskName": "Pay an invoice",
}
BASE = {"bot": BOT, "client_id": CLIENT_ID, "client_secret": SECRET, "utterance": "payment failed"}


def bot(**options: object) -> Channel:
    return channel(TYPE, **(BASE | {"callback_token": TOKEN, "counted_tasks": ["Pay an invoice"]} | options))


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Fulfilled", "message.converted"),
        ("Fulfilled_LinkedDialog", "message.converted"),
        ("Fulfilled_Event", "message.converted"),
        ("Canceled", "message.dismissed"),
    ],
)
def test_the_end_of_a_counted_dialog_is_feedback(reason: str, kind: str):
    (told,) = bot().receive(callback(REPLY | {"endReason": reason})).feedback
    assert (told.type, told.address, told.message_id, told.user) == (kind, "user-42", None, None)


@pytest.mark.parametrize("reason", ["Failed", "Failed_Event", "Interrupted", "", None, 5, "something new"])
def test_other_ends_say_nothing_of_the_user(reason: object):
    assert bot().receive(callback(REPLY | {"endReason": reason})) == Answer()


@pytest.mark.parametrize(
    "changes",
    [
        {"endOfTask": False},
        {"completedTaskName": "Small talk", "completedTaskId": "dg-9"},
        {"data": "junk", "endOfTask": None},
    ],
)
def test_a_reply_alone_is_the_bots_and_no_activity_of_the_user(changes: dict):
    assert bot().receive(callback(REPLY | changes)) == Answer()


def test_a_dialog_may_be_named_by_its_id():
    assert len(bot(counted_tasks=["dg-1"]).receive(callback(REPLY)).feedback) == 1


def test_the_same_reply_again_is_the_same_event_and_another_is_another():
    own = bot()
    first, again, other = (
        own.receive(callback(body)).feedback[0].event_id for body in (REPLY, REPLY, REPLY | {"data": []})
    )
    assert first == again != other


@pytest.mark.parametrize(
    "mark",
    [
        {"customData": {"botopt_id": "5f0c"}},
        {
            "metaTags": {
                "messageLevelTags": ["junk", {"name": "x", "value": "y"}, {"name": "botopt_id", "value": "5f0c"}]
            }
        },
    ],
)
def test_our_mark_is_read_where_the_bot_hands_it_back(mark: dict):
    (told,) = bot().receive(callback(REPLY | mark)).feedback
    assert isinstance(told, Feedback)
    assert told.message_id == "5f0c"


@pytest.mark.parametrize("token", ["", "wrong", f"{TOKEN}&token={TOKEN}", TOKEN[:-1], f"{TOKEN}%00", "ü"])
def test_a_callback_without_the_token_is_refused(token: str):
    with pytest.raises(Refused) as refused:
        bot().receive(callback(REPLY, f"https://botopt.example.com/v1/channels/bot/callback?token={token}"))
    assert refused.value.status == 401
    assert TOKEN not in refused.value.detail


def test_without_a_token_of_ours_no_callback_is_believed():
    for url in ("https://x.example/?token=", "https://x.example/"):
        with pytest.raises(Refused) as refused:
            bot(callback_token=None, counted_tasks=None).receive(callback(REPLY, url))
        assert refused.value.status == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b"null"])
def test_junk_is_refused(body: bytes):
    with pytest.raises(Refused) as refused:
        bot().receive(callback(body))
    assert refused.value.status == 400


def test_a_reply_to_nobody_is_refused():
    with pytest.raises(Refused) as refused:
        bot().receive(callback(REPLY | {"to": None}))
    assert refused.value.status == 400


def test_callbacks_are_posted():
    with pytest.raises(Refused) as refused:
        bot().receive(callback(REPLY, method="GET"))
    assert refused.value.status == 405


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"utterance": None}, "say what starts a dialog"),
        ({"on_connect": True}, "say nothing then"),
        ({"host": "https://bots.kore.ai/chatbot/hooks/st-1"}, "host is the address of the server alone"),
        ({"api": "notify_v1"}, "notify_channel must be one of msteams, slack where api is notify_v1"),
        ({"api": "notify_v2", "notify_channel": "msteams"}, "ivr, hangoutchat, hangouts where api is notify_v2"),
        ({"api": "notify_v1", "notify_channel": "slack"}, "utterance says nothing where api is notify_v1"),
        ({"content_key": "message"}, "content_key says nothing where api is webhook"),
        ({"counted_tasks": ["Pay"]}, "counted_tasks needs callback_token"),
        ({"callback_token": "short"}, "callback_token must have 16 characters or more"),
        ({"algorithm": "RS256"}, "client_secret cannot sign with RS256: it must be a private key in PEM form"),
    ],
)
def test_options_that_do_not_go_together(options: dict, words: str):
    with pytest.raises(ValueError, match=words) as raised:
        channel(TYPE, **(BASE | options))
    assert SECRET not in str(raised.value)
    if not {"algorithm", "callback_token"} & set(options):  # these are known only when the value is
        assert any(words in fault for fault in TYPE.check(BASE | options))


def test_options_from_the_environment_are_left_to_it():
    assert TYPE.check({"client_secret": "${KORE_SECRET}", "api": "notify_v1", "notify_channel": "${WHERE}"}) == ()


@pytest.mark.parametrize(
    ("api", "texts"), [(None, True), ("webhook", True), ("notify_v1", False), ("notify_v2", False)]
)
def test_only_the_webhook_may_give_texts_back(api: str | None, texts: bool):
    assert TYPE.gives_texts({"api": api} if api else {}) is texts


@pytest.mark.parametrize(
    ("api", "honesty"),
    [
        (None, Honesty.OFFICIAL_CLIENT),
        ("webhook", Honesty.OFFICIAL_CLIENT),
        ("notify_v1", Honesty.DOCUMENTATION),
        ("notify_v2", Honesty.DOCUMENTATION),
    ],
)
def test_nobody_claims_more_of_the_notify_apis_than_their_documentation(api: str | None, honesty: Honesty):
    assert TYPE.honesty_with({} if api is None else {"api": api}) is honesty
