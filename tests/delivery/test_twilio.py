"""Twilio: the official client and its validator judge the fake, our forms and our signatures."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.delivery.twilio import CAP_US, WINDOW_US, signed
from botopt.model.delivery import Delivered, Failed, Feedback, Inbound, Refused, click_id
from botopt.model.options import filled
from tests.delivery.factory_messengers import TWILIO_TOKEN
from tests.delivery.messages import NOW_US, outgoing, surroundings, with_buttons
from tests.delivery.peers import Reply, Request, answering, peer

ACCOUNT = "AC" + "1" * 32
SID = "SM" + "ab" * 16
CALLBACK = "https://us.example/v1/channels/chat/callback"
TEMPLATES = {"payment_failed": {"sid": "HX" + "2" * 32, "variables": ["amount", "order_id", "link"]}}


class FakeTwilio:
    """The Messages resource, as far as we use it."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.fault: tuple[int, int] | None = None

    def __call__(self, request: Request) -> Reply:
        self.headers.append(dict(request.headers))
        if request.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json" or request.method != "POST":
            return Reply(404, b'{"code": 20404, "message": "not found", "status": 404}')
        if self.fault is not None:
            status, code = self.fault
            return Reply(status, b'{"code": %d, "message": "no", "status": %d}' % (code, status), {"retry-after": "2"})
        form = request.form()
        if not form.get("To") or not ({"From", "MessagingServiceSid"} & set(form)):
            return Reply(400, b'{"code": 21603, "message": "no sender", "status": 400}')
        if not ({"Body", "ContentSid"} & set(form)):
            return Reply(400, b'{"code": 21602, "message": "no body", "status": 400}')
        self.forms.append(form)
        return Reply(201, b'{"sid": "%s", "status": "queued"}' % SID.encode())


class ToTheFake(TwilioHttpClient):
    """The official client's own transport, to another host."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def request(self, method, url, **rest):
        return super().request(method, self.url + urlsplit(url).path, **rest)


def channel(url: str, **options: object):
    type_ = CHANNEL_TYPES["twilio"]
    given = {"account_sid": ACCOUNT, "auth_token": TWILIO_TOKEN, "from": "+15005550006", "url": url, **options}
    return type_.make(filled(type_, {k: v for k, v in given.items() if v is not None}, {}), surroundings())


@pytest.fixture
def fake():
    twilio = FakeTwilio()
    with peer(answering(twilio)) as there:
        twilio.url = there.url
        yield twilio


def official(fake) -> Client:
    return Client(ACCOUNT, TWILIO_TOKEN, http_client=ToTheFake(fake.url))


def test_the_official_client_finds_the_fake_to_be_twilio(fake):
    sent = official(fake).messages.create(to="+15558675310", from_="+15005550006", body="hello")
    assert (sent.sid, sent.status) == (SID, "queued")
    fake.fault = (400, 21211)
    with pytest.raises(TwilioRestException) as raised:
        official(fake).messages.create(to="x", from_="+15005550006", body="hello")
    assert raised.value.code == 21211


def test_an_sms_is_the_form_and_the_authorization_of_the_official_client(fake):
    official(fake).messages.create(
        to="+15558675310",
        from_="+15005550006",
        body="Your payment failed.",
        status_callback=CALLBACK,
        validity_period=3600,
    )
    made = channel(fake.url, callback_url=CALLBACK)
    sent = outgoing(address="+15558675310", text="Your payment failed.", expires_us=NOW_US + 3_600_000_000)
    assert made.send(sent) == Delivered(SID)
    theirs, ours = fake.forms
    assert ours == theirs
    assert fake.headers[0]["authorization"] == fake.headers[1]["authorization"]
    assert fake.headers[0]["content-type"] == fake.headers[1]["content-type"]
    made.close()


def test_a_template_of_whatsapp_is_the_form_of_the_official_client(fake):
    variables = '{"1":"12.5","2":"4711","3":"https://example.com/c/abc?x=1&y=2"}'
    official(fake).messages.create(
        to="whatsapp:+15558675310",
        from_="whatsapp:+15005550006",
        content_sid="HX" + "2" * 32,
        content_variables=variables,
    )
    made = channel(fake.url, medium="whatsapp", templates=TEMPLATES)
    assert made.send(with_buttons(address="+15558675310")) == Delivered(SID)
    theirs, ours = fake.forms
    assert ours == theirs
    made.close()


@pytest.mark.parametrize(
    ("last_us", "free"), [(None, False), (NOW_US - WINDOW_US, False), (NOW_US - WINDOW_US + 1, True), (NOW_US, True)]
)
def test_free_text_goes_out_within_a_day_of_the_users_last_message(fake, last_us, free):
    made = channel(fake.url, medium="whatsapp", templates=TEMPLATES)
    made.send(with_buttons(address="whatsapp:+15558675310", last_active_us=last_us))
    assert ("Body" in fake.forms[0], "ContentSid" in fake.forms[0]) == (free, not free)
    made.close()


def test_outside_the_day_without_a_template_nothing_is_tried(fake):
    made = channel(fake.url, medium="whatsapp")
    receipt = made.send(outgoing(address="+15558675310"))
    assert isinstance(receipt, Failed)
    assert not receipt.retryable
    assert "63016" in receipt.detail
    assert "payment_failed" in receipt.detail
    assert fake.headers == []
    made.close()


def test_a_variable_without_a_value_is_said(fake):
    made = channel(fake.url, medium="whatsapp", templates={"payment_failed": {"sid": "HX1", "variables": ["colour"]}})
    receipt = made.send(outgoing(address="+15558675310"))
    assert (receipt.retryable, "colour" in receipt.detail) == (False, True)
    made.close()


def test_a_template_can_be_named_for_one_language(fake):
    made = channel(fake.url, medium="whatsapp", templates={"payment_failed": "HXen", "payment_failed.de": "HXde"})
    for locale in ("en", "de", "de-AT"):
        made.send(outgoing(address="+15558675310", locale=locale))
    assert [form["ContentSid"] for form in fake.forms] == ["HXen", "HXde", "HXen"]
    made.close()


def test_an_api_key_sends_and_a_service_may_stand_for_a_sender(fake):
    made = channel(fake.url, api_key_sid="SK1", api_key_secret="hidden", messaging_service_sid="MG1", **{"from": None})
    assert isinstance(made.send(outgoing(address="+15558675310")), Delivered)
    assert fake.forms[0]["MessagingServiceSid"] == "MG1"
    assert fake.headers[0]["authorization"] == "Basic U0sxOmhpZGRlbg=="
    made.close()


@pytest.mark.parametrize(
    ("status", "code", "retryable", "capped"),
    [
        (400, 21211, False, False),
        (400, 21610, False, False),
        (400, 63016, False, False),
        (400, 63049, False, True),
        (400, 131049, False, True),
        (401, 20003, True, False),
        (429, 20429, True, False),
        (500, 20500, True, False),
        (503, 20503, True, False),
        (400, 14107, True, False),
        (400, 21611, True, False),
    ],
)
def test_each_fault_has_its_meaning(fake, status, code, retryable, capped):
    fake.fault = (status, code)
    made = channel(fake.url)
    receipt = made.send(outgoing(address="+15558675310"))
    assert isinstance(receipt, Failed)
    assert receipt.retryable == retryable
    assert receipt.capped_until_us == (NOW_US + CAP_US if capped else None)
    assert str(code) in receipt.detail or code == 20003
    made.close()


# ---------------------------------------------------------------- what Twilio tells us


def callback(fields: dict[str, str], *, url: str = CALLBACK, token: str = TWILIO_TOKEN) -> Inbound:
    signature = RequestValidator(token).compute_signature(url, fields)
    headers = {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}
    return Inbound(method="POST", url=url, headers=headers, body=urlencode(fields).encode(), received_us=NOW_US)


@pytest.fixture
def twilio():
    made = channel("http://127.0.0.1:9")
    yield made
    made.close()


def test_the_official_validator_takes_our_signature():
    fields = {"MessageSid": SID, "Body": "ü & = +", "To": "+1", "Empty": ""}
    made = signed(TWILIO_TOKEN.encode(), CALLBACK, list(fields.items()))
    assert RequestValidator(TWILIO_TOKEN).validate(CALLBACK, fields, made)
    assert not RequestValidator(TWILIO_TOKEN).validate(CALLBACK, {**fields, "Body": ""}, made)


@pytest.mark.parametrize("status", ["failed", "undelivered"])
def test_a_failure_takes_the_message_back(twilio, status):
    answer = twilio.receive(callback({"MessageSid": SID, "MessageStatus": status, "ErrorCode": "30008", "To": "+1"}))
    assert answer.feedback == (
        Feedback(
            type="message.failed", event_id=f"twilio:{SID}:failed", provider_id=SID, data={"reason": "twilio 30008"}
        ),
    )


@pytest.mark.parametrize("code", ["63049", "131049"])
def test_the_cap_of_meta_leaves_the_user_alone_for_a_day(twilio, code):
    (told,) = twilio.receive(callback({"MessageSid": SID, "MessageStatus": "failed", "ErrorCode": code})).feedback
    assert told.data["capped_until"] == NOW_US + CAP_US


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "delivered", "read", "accepted", "nonsense"])
def test_other_states_change_nothing(twilio, status):
    assert twilio.receive(callback({"MessageSid": SID, "MessageStatus": status})).feedback == ()


def test_a_message_of_the_user_is_a_sign_of_life_and_nothing_is_said_back(twilio):
    fields = {"MessageSid": SID, "SmsStatus": "received", "From": "whatsapp:+15558675310", "Body": "hi"}
    answer = twilio.receive(callback(fields))
    assert [(one.type, one.address, one.data) for one in answer.feedback] == [
        ("user.active", "whatsapp:+15558675310", {"channel": "chat"}),
        ("user.active", "+15558675310", {"channel": "chat"}),
    ]
    assert answer.content_type.startswith("text/xml")
    assert answer.body.endswith(b"<Response></Response>")


def test_stop_and_start_are_words_on_this_channel(twilio):
    for word, event in (("STOP", "user.unsubscribed"), ("START", "user.subscribed")):
        fields = {"MessageSid": SID, "SmsStatus": "received", "From": "+1555", "Body": word, "OptOutType": word}
        told = [one for one in twilio.receive(callback(fields)).feedback if one.type == event]
        assert [(one.address, one.data) for one in told] == [("+1555", {"channel": "chat"})]


def test_a_quick_reply_is_a_click(twilio):
    base = {"MessageSid": SID, "SmsStatus": "received", "From": "+1555", "Body": "Later"}
    ours = {**base, "ButtonPayload": "botopt:0123456789abcdef01234567:1"}
    first = twilio.receive(callback(ours)).feedback[0]
    assert (first.type, first.event_id) == ("message.clicked", click_id("0123456789abcdef01234567", 1))
    theirs = {**base, "ButtonPayload": "later", "OriginalRepliedMessageSid": "SM" + "0" * 32}
    first = twilio.receive(callback(theirs)).feedback[0]
    assert (first.type, first.provider_id) == ("message.clicked", "SM" + "0" * 32)


def test_the_address_that_twilio_signed_may_be_named_where_a_proxy_changes_it():
    made = channel("http://127.0.0.1:9", callback_url=CALLBACK)
    inbound = callback({"MessageSid": SID, "MessageStatus": "failed"})
    inside = Inbound(
        method="POST", url="http://10.0.0.1/x", headers=inbound.headers, body=inbound.body, received_us=NOW_US
    )
    assert made.receive(inside).feedback
    made.close()


@pytest.mark.parametrize(
    "inbound",
    [
        callback({"MessageSid": SID, "MessageStatus": "failed"}, token="other"),
        Inbound(method="POST", url=CALLBACK, body=b"MessageSid=" + SID.encode(), received_us=NOW_US),
    ],
)
def test_what_twilio_did_not_sign_is_refused(twilio, inbound):
    with pytest.raises(Refused) as raised:
        twilio.receive(inbound)
    assert raised.value.status == 403


def test_a_form_without_end_is_refused_and_never_a_fault(twilio):
    endless = Inbound(method="POST", url=CALLBACK, body=b"a=1&" * 10_000, received_us=NOW_US)
    with pytest.raises(Refused) as raised:
        twilio.receive(endless)
    assert raised.value.status == 403


def test_a_text_that_is_too_long_leaves_the_links_whole(fake):
    made = channel(fake.url)
    message = with_buttons(address="+15558675310", text="x" * 3_000)
    assert isinstance(made.send(message), Delivered)
    body = fake.forms[0]["Body"]
    assert len(body) == 1_600
    assert body.endswith(f"x…\nPay now: {message.buttons[0].link}")
    made.close()


def test_a_trace_that_no_header_can_carry_stops_no_message(fake):
    made = channel(fake.url)
    assert isinstance(made.send(outgoing(address="+15558675310", trace={"traceparent": "é\r\nx: y"})), Delivered)
    made.close()
