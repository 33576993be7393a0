"""Slack: the official SDK judges the fake, the blocks and the signatures; then the channel meets the same fake."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import ActionsBlock, Block, HeaderBlock, SectionBlock
from slack_sdk.signature import SignatureVerifier

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.model.delivery import Delivered, Failed, Feedback, Inbound, Refused, button_payload, click_id
from botopt.model.options import filled
from tests.delivery.factory_messengers import SLACK_SECRET, SLACK_TOKEN
from tests.delivery.messages import NOW_US, outgoing, surroundings, with_buttons
from tests.delivery.peers import Reply, Request, answering, peer

NOW_S = NOW_US // 1_000_000


class FakeSlack:
    """What the Web API does with the two methods that we call."""

    def __init__(self) -> None:
        self.posted: list[dict] = []
        self.opened = 0
        self.error: str | None = None
        self.limited = False

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {SLACK_TOKEN}":
            return self.say(ok=False, error="invalid_auth")
        if self.limited:
            return Reply(429, b'{"ok":false,"error":"ratelimited"}', {"retry-after": "30"})
        if self.error:
            return self.say(ok=False, error=self.error)
        is_json = request.headers["content-type"].startswith("application/json")
        given = request.json() if is_json else request.form()
        if request.path == "/api/conversations.open":
            self.opened += 1
            return self.say(ok=True, channel={"id": f"D{given['users'][1:]}"})
        if request.path != "/api/chat.postMessage":
            return self.say(ok=False, error="unknown_method")
        if not str(given["channel"]).startswith(("C", "D")):
            return self.say(ok=False, error="channel_not_found")
        blocks = given.get("blocks")
        given["blocks"] = json.loads(blocks) if isinstance(blocks, str) else blocks
        self.posted.append(given)
        return self.say(ok=True, channel=given["channel"], ts=f"1503435956.{len(self.posted):06}", message={})

    def say(self, **said: object) -> Reply:
        return Reply(body=json.dumps(said).encode())


def channel(url: str, **options: object):
    type_ = CHANNEL_TYPES["slack"]
    given = {"token": SLACK_TOKEN, "signing_secret": SLACK_SECRET, "url": f"{url}/api", **options}
    return type_.make(filled(type_, given, {}), surroundings())


@pytest.fixture
def fake():
    slack = FakeSlack()
    with peer(answering(slack)) as there:
        slack.url = there.url
        yield slack


@pytest.fixture
def slack(fake):
    made = channel(fake.url)
    yield made
    made.close()


def test_the_official_client_finds_the_fake_to_be_slack(fake):
    client = WebClient(SLACK_TOKEN, base_url=f"{fake.url}/api/")
    opened = client.conversations_open(users="U024BE7LH")
    posted = client.chat_postMessage(channel=opened["channel"]["id"], text="hello", blocks=[])
    assert posted["ok"]
    assert posted["ts"]
    fake.error = "channel_not_found"
    with pytest.raises(SlackApiError, match="channel_not_found"):
        client.chat_postMessage(channel="C1", text="hello")
    fake.limited = True
    with pytest.raises(SlackApiError) as raised:
        client.chat_postMessage(channel="C1", text="hello")
    assert (raised.value.response.status_code, raised.value.response.headers["Retry-After"]) == (429, "30")
    with pytest.raises(SlackApiError, match="invalid_auth"):
        WebClient("xoxb-other", base_url=f"{fake.url}/api/").chat_postMessage(channel="C1", text="hello")


def test_the_official_models_take_our_blocks(fake, slack):
    message = with_buttons(address="C1H9RESGL", text="x" * 7_000)
    assert slack.send(message) == Delivered("C1H9RESGL:1503435956.000001")
    (posted,) = fake.posted
    blocks = Block.parse_all(posted["blocks"])
    assert [type(block) for block in blocks] == [HeaderBlock, SectionBlock, SectionBlock, SectionBlock, ActionsBlock]
    for block in blocks:
        block.validate_json()
    first, second = blocks[-1].elements
    assert (first.url, first.value) == (message.buttons[0].link, button_payload(message.id, 0))
    assert (second.url, second.value) == (None, button_payload(message.id, 1))
    assert posted["metadata"] == {"event_type": "botopt_message", "event_payload": {"id": message.id}}


def test_long_labels_and_titles_are_cut_to_what_slack_takes(fake, slack):
    message = with_buttons(address="C1")
    buttons = tuple(type(b)("L" * 90, b.link, b.payload) for b in message.buttons * 20)
    slack.send(outgoing(address="C1", title="T" * 200, buttons=buttons))
    for block in Block.parse_all(fake.posted[0]["blocks"]):
        block.validate_json()


def test_a_member_gets_it_in_the_conversation_with_the_app_which_is_opened_once(fake, slack):
    for _ in range(2):
        assert isinstance(slack.send(outgoing(address="U024BE7LH")), Delivered)
    assert fake.opened == 1
    assert {posted["channel"] for posted in fake.posted} == {"D024BE7LH"}


def test_the_text_for_notifications_holds_no_markup(fake, slack):
    slack.send(outgoing(address="C1", text="<!channel> *a* & <https://x|y>"))
    (posted,) = fake.posted
    assert posted["text"] == "&lt;!channel&gt; *a* &amp; &lt;https://x|y&gt;"
    assert posted["mrkdwn"] is False
    assert posted["blocks"][0]["text"]["type"] == "plain_text"


@pytest.mark.parametrize(
    ("error", "retryable", "unsure"),
    [
        ("channel_not_found", False, False),
        ("not_in_channel", False, False),
        ("is_archived", False, False),
        ("msg_too_long", False, False),
        ("invalid_blocks", False, False),
        ("restricted_action", False, False),
        ("ratelimited", True, False),
        ("rate_limited", True, False),
        ("service_unavailable", True, False),
        ("internal_error", True, True),
        ("fatal_error", True, True),
        ("request_timeout", True, True),
        ("invalid_auth", True, False),
        ("token_revoked", True, False),
        ("<b>\n", False, False),
    ],
)
def test_faults_come_with_status_200_and_each_has_its_meaning(fake, slack, error, retryable, unsure):
    fake.error = error
    receipt = slack.send(outgoing(address="C1"))
    assert isinstance(receipt, Failed)
    assert (receipt.retryable, receipt.unsure) == (retryable, unsure)
    assert "\n" not in receipt.detail


def test_a_limit_says_how_long_to_wait(fake, slack):
    fake.limited = True
    receipt = slack.send(outgoing(address="C1"))
    assert (receipt.retryable, receipt.retry_after_us, receipt.unsure) == (True, 30_000_000, False)


def test_a_conversation_that_cannot_be_opened_is_never_unsure(fake, slack):
    fake.error = "internal_error"
    receipt = slack.send(outgoing(address="U024BE7LH"))
    assert (receipt.retryable, receipt.unsure) == (True, False)


# ---------------------------------------------------------------- what Slack tells us


def signed(body: bytes, *, at_s: int = NOW_S, secret: str = SLACK_SECRET, **headers: str) -> Inbound:
    made = SignatureVerifier(secret).generate_signature(timestamp=str(at_s), body=body)
    given = {"x-slack-request-timestamp": str(at_s), "x-slack-signature": made, **headers}
    return Inbound(
        method="POST", url="https://us/v1/channels/chat/callback", headers=given, body=body, received_us=NOW_US
    )


def form(said: object) -> bytes:
    return urlencode({"payload": json.dumps(said)}).encode()


PRESSED = {
    "type": "block_actions",
    "user": {"id": "U024BE7LH"},
    "actions": [
        {"action_id": "botopt_1", "value": "botopt:0123456789abcdef01234567:1", "action_ts": "1548426417.840180"},
        {"action_id": "others", "value": "something"},
        {"action_id": "menu"},
        7,
    ],
}


def test_a_pressed_button_is_a_click_and_a_sign_of_life(slack):
    answer = slack.receive(signed(form(PRESSED)))
    click, alive = answer.feedback
    assert answer.status == 200
    assert click == Feedback(
        type="message.clicked",
        event_id=click_id("0123456789abcdef01234567", 1),
        message_id="0123456789abcdef01234567",
    )
    assert (alive.type, alive.message_id, alive.data) == ("user.active", click.message_id, {"channel": "chat"})
    assert slack.receive(signed(form(PRESSED))) == answer


@pytest.mark.parametrize("at_s", [NOW_S - 300, NOW_S + 300])
def test_a_signature_counts_for_five_minutes(slack, at_s):
    assert slack.receive(signed(form(PRESSED), at_s=at_s)).feedback


@pytest.mark.parametrize(
    "inbound",
    [
        signed(form(PRESSED), at_s=NOW_S - 301),
        signed(form(PRESSED), at_s=NOW_S + 301),
        signed(form(PRESSED), secret="other"),
        Inbound(method="POST", url="", headers=signed(form(PRESSED)).headers, body=form({}), received_us=NOW_US),
    ],
)
def test_what_slack_did_not_sign_or_long_ago_is_refused(slack, inbound):
    with pytest.raises(Refused) as raised:
        slack.receive(inbound)
    assert raised.value.status == 401


def test_junk_in_the_timestamp_is_refused_and_not_a_fault(slack):
    inbound = signed(form(PRESSED))
    for stamp in ("", "x", "1e9", "-5", "٣", "9" * 40):
        broken = {**inbound.headers, "x-slack-request-timestamp": stamp}
        with pytest.raises(Refused) as raised:
            slack.receive(Inbound(method="POST", url="", headers=broken, body=inbound.body, received_us=NOW_US))
        assert raised.value.status == 401


def test_without_a_signing_secret_there_are_no_callbacks(fake):
    made = channel(fake.url, signing_secret=None)
    with pytest.raises(Refused) as raised:
        made.receive(signed(form(PRESSED)))
    assert raised.value.status == 404
    made.close()


def test_the_events_api_is_told_its_challenge_and_tells_who_writes(slack):
    kind = {"content-type": "application/json"}
    assert slack.receive(signed(b'{"type":"url_verification","challenge":"3eZbr"}', **kind)).body == b"3eZbr"
    event = {"type": "message", "channel_type": "im", "user": "U1", "channel": "D1", "text": "hi"}
    told = slack.receive(
        signed(json.dumps({"type": "event_callback", "event_id": "Ev1", "event": event}).encode(), **kind)
    )
    assert [(one.type, one.address) for one in told.feedback] == [("user.active", "U1"), ("user.active", "D1")]
    for change in ({"bot_id": "B1"}, {"channel_type": "channel"}, {"type": "reaction_added"}, {"user": None}):
        body = json.dumps({"type": "event_callback", "event_id": "Ev2", "event": {**event, **change}}).encode()
        assert slack.receive(signed(body, **kind)).feedback == ()


def test_a_form_without_end_is_refused_and_never_a_fault(slack):
    with pytest.raises(Refused) as raised:
        slack.receive(signed(b"a=1&" * 10_000))
    assert raised.value.status == 400


def test_a_trace_that_no_header_can_carry_stops_no_message(fake, slack):
    assert isinstance(slack.send(outgoing(address="C1", trace={"traceparent": "é\r\nx: y"})), Delivered)
