"""`webhook`: what is posted, what answers mean, and what a receiver may tell us."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import msgspec
import pytest
from standardwebhooks import Webhook as Official

from botopt.delivery.signing import read_secret, sign
from botopt.delivery.webhook import TYPE, Webhook
from botopt.model.delivery import Answer, Delivered, Failed, Feedback, Inbound, Refused
from botopt.model.options import filled
from tests.delivery.factory_ours import OLD_SECRET, SECRET
from tests.delivery.messages import HOSTILE, NOW_US, outgoing, surroundings, with_buttons
from tests.delivery.peers import Reply, answering, echoing, peer, with_status

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "webhook-message.schema.json").read_text("utf-8"))
_made: list[Webhook] = []
ANSWERED = answering(lambda _: Reply(200, b""))


def made(url: str, *, now_us: int = NOW_US, **options: object) -> Webhook:
    given = {"url": f"{url}/hook", "secret": SECRET, **options}
    channel = Webhook(filled(TYPE, given, {}), surroundings(now_us=lambda: now_us))  # type: ignore[arg-type]
    _made.append(channel)
    return channel


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while _made:
        _made.pop().close()


def test_a_message_is_posted_as_documented():
    sent = with_buttons(expires_us=NOW_US + 3_600_000_000, trace={"traceparent": "00-aa-bb-01", "tracestate": "x=1"})
    with peer(ANSWERED) as there:
        receipt = made(there.url, headers={"X-Tenant": "blue"}, authorization="Bearer t0ken").send(sent)
    [request] = there.requests
    assert receipt == Delivered()
    assert (request.method, request.target) == ("POST", "/hook")
    assert request.json() == {
        "type": "message.send",
        "timestamp": "2026-07-01T12:00:00Z",
        "data": {
            "id": "0123456789abcdef01234567",
            "key": "0123456789abcdef01234567",
            "user": "u1",
            "address": "u1",
            "text": "Your payment of 12.50 EUR failed.",
            "title": "Payment failed",
            "buttons": [
                {
                    "label": "Pay now",
                    "link": "https://example.com/c/abc?x=1&y=2",
                    "payload": "botopt:0123456789abcdef01234567:0",
                },
                {"label": "Later", "link": None, "payload": "botopt:0123456789abcdef01234567:1"},
            ],
            "locale": "en",
            "template": "payment_failed",
            "variant": "",
            "event": {"type": "payment_failed", "id": "e1", "data": {"amount": 12.5, "order_id": "4711"}},
            "decided_at": "2026-07-01T12:00:00Z",
            "expires_at": "2026-07-01T13:00:00Z",
        },
    }
    assert {name: request.headers[name] for name in ("authorization", "x-tenant", "traceparent", "tracestate")} == {
        "authorization": "Bearer t0ken",
        "x-tenant": "blue",
        "traceparent": "00-aa-bb-01",
        "tracestate": "x=1",
    }


@pytest.mark.parametrize("message", [outgoing(), with_buttons(), outgoing(text=HOSTILE), outgoing(data={"a": [1, {}]})])
def test_what_is_posted_obeys_its_schema(message):
    with peer(ANSWERED) as there:
        made(there.url).send(message)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(there.requests[0].json(), SCHEMA)


def test_the_official_library_believes_each_attempt():
    with peer(ANSWERED) as there:
        channel = made(there.url, secret=[OLD_SECRET, SECRET], now_us=int(datetime.now(UTC).timestamp() * 1e6))
        for attempt in (1, 2):
            channel.send(outgoing(attempt=attempt))
    first, second = there.requests
    assert first.body == second.body
    for request in there.requests:
        for secret in (SECRET, OLD_SECRET):
            assert Official(secret).verify(request.body, dict(request.headers)) == request.json()


def test_the_timestamp_is_that_of_the_attempt_and_the_id_that_of_the_message():
    with peer(ANSWERED) as there:
        made(there.url).send(outgoing())
        made(there.url, now_us=NOW_US + 5_000_000).send(outgoing(attempt=2))
    assert [request.headers["webhook-timestamp"] for request in there.requests] == ["1782907200", "1782907205"]
    assert {request.headers["webhook-id"] for request in there.requests} == {"0123456789abcdef01234567"}


def test_a_receiver_may_give_the_message_a_name_of_its_own():
    with peer(answering(lambda _: Reply(200, b'{"id": "r-1"}'))) as there:
        assert made(there.url).send(outgoing()) == Delivered("r-1")


@pytest.mark.parametrize("body", [b'{"id": 5}', b'{"id": ""}', b"[]", b'{"id": "a\\nb"}', b"x", b"[" * 100_000])
def test_a_name_that_is_none_is_not_kept(body: bytes):
    with peer(answering(lambda _: Reply(202, body))) as there:
        assert made(there.url).send(outgoing()) == Delivered()


@pytest.mark.parametrize(
    ("status", "headers", "body", "failed"),
    [
        (302, {"location": "http://127.0.0.1/"}, b"", Failed("HTTP 302: redirects are not followed; name the final address")),
        (400, {}, b'{"error": "no such\\nuser"}', Failed("HTTP 400: no such user")),
        (400, {}, b'{"message": "secret is t0ken"}', Failed("HTTP 400: secret is …")),
        (410, {}, b"", Failed("HTTP 410: the receiver wants no more messages, ever; take the channel out of the policy")),
        (429, {}, b"", Failed("HTTP 429", retryable=True, retry_after_us=30_000_000)),
        (429, {"retry-after": "5"}, b"", Failed("HTTP 429", retryable=True, retry_after_us=5_000_000)),
        (500, {}, b"", Failed("HTTP 500", retryable=True)),
        (502, {}, b"", Failed("HTTP 502", retryable=True, retry_after_us=30_000_000, unsure=True)),
        (504, {"retry-after": "1"}, b"", Failed("HTTP 504", retryable=True, retry_after_us=1_000_000, unsure=True)),
    ],
)  # fmt: skip
def test_what_an_answer_means(status: int, headers: Mapping[str, str], body: bytes, failed: Failed):
    with peer(with_status(status, headers, body)) as there:
        assert made(there.url, authorization="Bearer t0ken").send(outgoing()) == failed


def test_a_receiver_that_repeats_its_address_gives_no_token_in_it_away():
    """Many services give out addresses that are their own password."""
    path = "/services/T0AAAAAAA/tokenInThePath00000000/in?key=tokenInTheQuery&sig=a%2Fb%2Bc%3D12"
    with peer(echoing) as there:
        receipt = made(f"{there.url}{path}").send(outgoing())
    assert isinstance(receipt, Failed)
    assert "HTTP 400" in receipt.detail
    for token in ("tokenInThePath00000000", "tokenInTheQuery", "a%2Fb%2Bc%3D12", "a/b+c=12"):
        assert token not in receipt.detail


def test_where_the_fields_leave_no_room_they_stay_behind():
    with peer(ANSWERED) as there:
        assert made(there.url).send(outgoing(data={"note": "x" * 20_000})) == Delivered()
        too_long = made(there.url).send(outgoing(text="x" * 20_000))
    [request] = there.requests
    assert request.json()["data"]["event"] == {"type": "payment_failed", "id": "e1", "data": None}  # type: ignore[index]
    assert len(request.body) < 20_000
    jsonschema.validate(request.json(), SCHEMA)
    assert too_long == Failed("the message is larger than 20,000 bytes, which is what webhooks carry")


@pytest.mark.parametrize(
    "trace", [{"traceparent": "ü"}, {"traceparent": "a\r\nb: c"}, {"traceparent": " "}, {"x": "1"}]
)
def test_a_trace_that_no_header_can_carry_is_left_out(trace: Mapping[str, str]):
    with peer(ANSWERED) as there:
        assert made(there.url).send(outgoing(trace=trace)) == Delivered()
    assert "traceparent" not in there.requests[0].headers


# What a receiver tells us.


def inbound(said: object, *, id: str = "cb-1", secret: str = SECRET, at_us: int = NOW_US, **changes: object) -> Inbound:
    raw = said if isinstance(said, bytes) else msgspec.json.encode(said)
    headers = sign([read_secret(secret)], id, at_us, raw)
    given = {"method": "POST", "url": "https://b.example/v1/channels/chat/callback", "headers": headers, "body": raw}
    return Inbound(**{"received_us": NOW_US, **given, **changes})  # type: ignore[arg-type]


def told(**changes: object) -> dict[str, object]:
    return {
        "type": "message.clicked",
        "timestamp": "2026-07-01T11:59:00Z",
        "data": {"message_id": "0123456789abcdef01234567", "button": 0},
        **changes,
    }


def test_feedback_that_is_signed_is_believed():
    assert made("http://h").receive(inbound(told())) == Answer(
        feedback=(
            Feedback(
                type="message.clicked",
                event_id="webhook:cb-1",
                message_id="0123456789abcdef01234567",
                time_us=NOW_US - 60_000_000,
                data={"button": 0},
            ),
        ),
        status=202,
    )


@pytest.mark.parametrize(
    "type_",
    [
        "message.clicked",
        "message.converted",
        "message.dismissed",
        "message.failed",
        "user.active",
        "user.subscribed",
        "user.unsubscribed",
    ],
)
def test_a_user_can_be_named_in_each_way(type_: str):
    for name in ("message_id", "provider_id", "address", "user"):
        [feedback] = made("http://h").receive(inbound(told(type=type_, data={name: "x"}))).feedback
        assert (feedback.type, getattr(feedback, name), feedback.data) == (type_, "x", {})


def test_what_comes_again_has_the_same_id():
    channel = made("http://h")
    first = channel.receive(inbound(told()))
    again = channel.receive(inbound(told(), at_us=NOW_US + 60_000_000))
    assert first.feedback[0].event_id == again.feedback[0].event_id


def test_while_secrets_change_either_is_believed():
    channel = made("http://h", secret=[SECRET, OLD_SECRET])
    assert channel.receive(inbound(told(), secret=OLD_SECRET)).feedback


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        (inbound(told(), secret=OLD_SECRET), 401),
        (inbound(told(), at_us=NOW_US - 301_000_000), 401),
        (inbound(told(), at_us=NOW_US + 301_000_000), 401),
        (inbound(told(), headers={}), 401),
        (inbound(told(), body=b"{}"), 401),
        (inbound(told(), method="GET"), 405),
        (inbound(b""), 400),
        (inbound(b"{"), 400),
        (inbound(b"\xff"), 400),
        (inbound(b"[" * 100_000), 400),
        (inbound([]), 400),
        (inbound({"type": "message.clicked"}), 400),
        (inbound(told(type="user.deleted")), 400),
        (inbound(told(type="user.updated")), 400),
        (inbound(told(type="message.send")), 400),
        (inbound(told(type=5)), 400),
        (inbound(told(timestamp="yesterday")), 400),
        (inbound(told(timestamp="2026-07-01T12:00:00")), 400),
        (inbound(told(data=[])), 400),
        (inbound(told(data={})), 400),
        (inbound(told(data={"message_id": 5})), 400),
        (inbound(told(data={"message_id": ""})), 400),
        (inbound(told(data={"message_id": "x", "user": ["u1"]})), 400),
    ],
)
def test_anything_else_is_refused(wrong: Inbound, status: int):
    with pytest.raises(Refused) as raised:
        made("http://h").receive(wrong)
    assert raised.value.status == status
    assert "\n" not in raised.value.detail
