"""`/v1/channels/{channel}/callback`: the channel reads, the writer records, the platform hears what it wants."""

from __future__ import annotations

import threading

import httpx
import pytest

from botopt.model.channels import Channel
from botopt.model.delivery import Answer, Feedback, Inbound, Refused
from botopt.runtime.items import Overloaded
from tests.server.house import NOW_US, event, house


class Platform(Channel):
    def __init__(self) -> None:
        self.inbound: list[Inbound] = []
        self.feedback: tuple[Feedback, ...] = ()
        self.refused: Refused | None = None

    def receive(self, inbound: Inbound) -> Answer:
        self.inbound.append(inbound)
        if self.refused is not None:
            raise self.refused
        return Answer(feedback=self.feedback, status=200, body=b"<Response/>", content_type="text/xml")


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def called(tmp_path, policy, platform):
    with house(tmp_path, policy, channels={"chat": platform}) as live:
        yield live


def test_the_channel_gets_the_request_as_the_platform_wrote_it(called, platform):
    body = b"MessageSid=SM1&MessageStatus=delivered"
    answer = called.client.post(
        "/v1/channels/chat/callback?a=1&a=2&b=%C3%BC", content=body, headers={"X-Twilio-Signature": "abc"}
    )
    assert (answer.status_code, answer.content) == (200, b"<Response/>")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    [inbound] = platform.inbound
    assert inbound.method == "POST"
    assert inbound.url == "https://bot.example/v1/channels/chat/callback?a=1&a=2&b=%C3%BC"
    assert inbound.query == (("a", "1"), ("a", "2"), ("b", "ü"))
    assert (inbound.body, inbound.received_us) == (body, NOW_US)
    assert inbound.headers["x-twilio-signature"] == "abc"


def test_feedback_is_on_the_disk_before_the_platform_hears(called, platform):
    [id] = called.post(event("e1")).json()["events"][0]["decision_ids"]
    platform.feedback = (Feedback(type="message.clicked", event_id="SM1", message_id=id),)
    assert called.client.get("/v1/channels/chat/callback").status_code == 200
    assert called.get("/v1/users/ada").json()["state"]["messages"][0]["response"] == "clicked"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 415, 422])
def test_a_refusal_keeps_its_status(called, platform, status):
    platform.refused = Refused(status, "the signature is wrong")
    answer = called.client.post("/v1/channels/chat/callback")
    assert (answer.status_code, answer.json()["detail"]) == (status, "the signature is wrong")


def test_a_full_queue_is_told_to_the_platform(called, platform):
    platform.feedback = (Feedback(type="message.clicked", event_id="SM1", message_id="0" * 24),)
    called.running.refusal = Overloaded(3)
    answer = called.client.post("/v1/channels/chat/callback")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")


@pytest.mark.parametrize("name", ["nope", "chat2", "..", "%00"])
def test_an_unknown_channel_is_404(called, name):
    assert called.client.post(f"/v1/channels/{name}/callback").status_code == 404


def test_a_channel_without_callbacks_says_so(tmp_path, policy):
    with house(tmp_path, policy, channels={"chat": Channel()}) as live:
        assert live.client.post("/v1/channels/chat/callback").status_code == 404


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_for_now_says_when_to_come_again(called, platform, status):
    platform.refused = Refused(status, "not now")
    answer = called.client.post("/v1/channels/chat/callback")
    assert (answer.status_code, answer.json()["detail"]) == (status, "not now")
    assert int(answer.headers["retry-after"]) > 0


def test_a_channel_that_takes_its_time_keeps_nobody_else_waiting(tmp_path, policy):
    hangs, begun = threading.Event(), threading.Semaphore(0)

    class Hanging(Channel):
        def receive(self, inbound: Inbound) -> Answer:
            begun.release()
            hangs.wait(20)
            return Answer()

    with house(tmp_path, policy, channels={"chat": Hanging(), "other": Platform()}) as live:
        answers: list[int] = []

        def ask() -> None:
            with httpx.Client(base_url=f"http://127.0.0.1:{live.port}", timeout=20, verify=False) as client:
                answers.append(client.post("/v1/channels/chat/callback").status_code)

        threads = [threading.Thread(target=ask) for _ in range(20)]
        try:
            for thread in threads:
                thread.start()
            assert begun.acquire(timeout=10)
            assert live.client.get("/readyz").status_code == 200
            assert live.get("/v1/decisions").status_code == 200
        finally:
            hangs.set()
            for thread in threads:
                thread.join(20)
    assert answers == [200] * 20
