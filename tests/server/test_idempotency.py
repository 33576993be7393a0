"""`Idempotency-Key`: one answer, given again; 409 in flight; 422 for another body."""

from __future__ import annotations

import threading

import pytest

from tests.server.house import KEYS, event, house


def post(live, body, key="k1", **named):
    return live.post(body, headers={"idempotency-key": key, **named.pop("headers", {})}, **named)


def test_the_first_answer_is_given_again_word_for_word(live):
    first = post(live, event("e1"), params={"wait": "true"})
    again = post(live, event("e1"))
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(live.running.received) == 1


def test_a_refusal_is_given_again_too(live):
    first = post(live, event("e1", type="nope"))
    again = post(live, event("e1", type="nope"))
    assert (again.status_code, again.content) == (422, first.content)
    assert again.headers["content-type"] == "application/problem+json"
    assert again.headers["idempotency-replayed"] == "true"


def test_another_body_is_422(live):
    post(live, event("e1"))
    answer = post(live, event("e2"))
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:botopt:problem:reused-key")


def test_what_gives_the_body_its_meaning_counts_with_it(live):
    binary = {
        "ce-specversion": "1.0",
        "ce-id": "c1",
        "ce-source": "/s",
        "ce-type": "payment_failed",
        "ce-subject": "ada",
    }
    headers = {**binary, "ce-time": "2026-03-02T09:00:00Z", "content-type": "application/json"}
    body = b'{"order_id":"o1","amount":1}'
    assert post(live, body, headers=headers).status_code == 202
    assert post(live, body, headers={**headers, "ce-id": "c2"}).status_code == 422


def test_in_flight_is_409_until_the_answer_is_there(live):
    live.running.waits = threading.Event()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(post(live, event("e1"))))
    thread.start()
    deadline = threading.Event()
    for _ in range(500):
        if live.running.received:
            break
        deadline.wait(0.01)
    during = post(live, event("e1"))
    other = post(live, event("e2"))
    live.running.waits.set()
    thread.join(10)
    assert (during.status_code, during.headers["retry-after"]) == (409, "1")
    assert other.status_code == 422
    assert answers[0].status_code == 202
    assert post(live, event("e1")).headers["idempotency-replayed"] == "true"


def test_a_request_that_was_not_taken_may_come_again(live):
    live.running.refusal = ZeroDivisionError()
    assert post(live, event("e1")).status_code == 500
    live.running.refusal = None
    assert post(live, event("e1")).status_code == 202


def test_a_key_belongs_to_its_caller(live):
    post(live, event("e1"))
    assert live.post(event("e2"), "admin", headers={"idempotency-key": "k1"}).status_code == 202


def test_a_key_belongs_to_its_address(live):
    post(live, event("e1"))
    feedback = event("f1", type="message.clicked")
    assert post(live, feedback, path="/v1/feedback").status_code == 202


def test_answers_survive_a_restart(tmp_path, policy):
    with house(tmp_path, policy) as live:
        first = post(live, event("e1"))
    with house(tmp_path, policy, keys=()) as live:
        again = post(live, event("e1"))
        assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")


def test_an_erased_users_answer_is_gone(live):
    post(live, event("e1"), params={"wait": "true"})
    assert live.client.delete("/v1/users/ada", headers={"x-api-key": KEYS["admin"]}).status_code == 204
    assert "idempotency-replayed" not in post(live, event("e1")).headers


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_is_none_is_400(live, key):
    assert post(live, event(), key=key).status_code == 400
