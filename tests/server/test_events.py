"""`POST /v1/events`: forms, answers, and what is refused."""

from __future__ import annotations

import json

import pytest

from botopt.model.live import DecisionQuery
from botopt.runtime.items import Overloaded, Stopping
from botopt.server.limits import Limits
from botopt.server.site import Settings
from tests.server.house import KEYS, NOW, event, house

CLOUD = {
    "specversion": "1.0",
    "id": "c1",
    "source": "/shop",
    "type": "payment_failed",
    "subject": "ada",
    "time": NOW,
    "data": {"order_id": "o1", "amount": 120},
}


def decided(live, **query):
    reader = live.running.reader()
    try:
        return [row.event_id for row in reversed(reader.decisions(DecisionQuery(**query)))]
    finally:
        reader.close()


def test_one_event_is_decided_and_on_the_disk_before_the_answer(live):
    answer = live.post(event("e1"))
    assert answer.status_code == 202
    body = answer.json()
    assert (body["accepted"], body["refused"]) == (1, 0)
    [result] = body["events"]
    assert (result["event_id"], result["status"]) == ("e1", "accepted")
    [id] = result["decision_ids"]
    reader = live.running.reader()
    assert reader.decision(id).event_id == "e1"
    reader.close()


def test_wait_gives_whole_decisions(live):
    [result] = live.post(event("e1"), params={"wait": "true"}).json()["events"]
    [decision] = result["decisions"]
    assert decision["id"] == result["decision_ids"][0]
    assert (decision["outcome"], decision["message"]["channel"]) == ("sent", "chat")


@pytest.mark.parametrize("wait", ["", "1", "yes", "TRUE"])
def test_wait_may_be_said_in_several_ways(shared, wait):
    assert "decisions" in shared.post(event(), params={"wait": wait}).json()["events"][0]


def test_wait_that_is_no_answer_is_refused(shared):
    answer = shared.post(event(), params={"wait": "perhaps"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:botopt:problem:bad-parameter")


FORMS = {
    "json": ("application/json", json.dumps(event("e1")).encode(), ["e1"]),
    "json with a charset": ("Application/JSON; Charset=UTF-8", json.dumps(event("e1")).encode(), ["e1"]),
    "array": ("application/json", json.dumps([event("e1"), event("e2", user="bob")]).encode(), ["e1", "e2"]),
    "lines": (
        "application/x-ndjson",
        b"\n".join(json.dumps(event(i)).encode() for i in ("e1", "e2")) + b"\n\n",
        ["e1", "e2"],
    ),
    "structured": ("application/cloudevents+json; charset=utf-8", json.dumps(CLOUD).encode(), ["c1"]),
    "batch": ("application/cloudevents-batch+json", json.dumps([CLOUD, {**CLOUD, "id": "c2"}]).encode(), ["c1", "c2"]),
    "a cloud event as json": ("application/json", json.dumps(CLOUD).encode(), ["c1"]),
    "byte order mark": ("application/json", b"\xef\xbb\xbf" + json.dumps([event("e1")]).encode(), ["e1"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_in_its_order(live, form):
    kind, body, ids = FORMS[form]
    answer = live.post(body, headers={"content-type": kind})
    assert answer.status_code == 202, answer.text
    assert [result["event_id"] for result in answer.json()["events"]] == ids
    assert decided(live) == ids


def test_binary_cloud_events_are_read_from_headers(live):
    headers = {f"ce-{key}": value for key, value in CLOUD.items() if key != "data"}
    answer = live.post(json.dumps(CLOUD["data"]).encode(), headers={**headers, "content-type": "application/json"})
    assert (answer.status_code, decided(live)) == (202, ["c1"])


def test_structured_mode_stays_what_it_is_with_headers_of_binary_mode_beside_it(live):
    headers = {f"ce-{key}": value for key, value in CLOUD.items() if key != "data"}
    for number, (kind, body) in enumerate((("structured", {**CLOUD, "id": "s"}), ("batch", [{**CLOUD, "id": "b"}]))):
        answer = live.post(json.dumps(body).encode(), headers={**headers, "content-type": FORMS[kind][0]})
        assert answer.status_code == 202, answer.text
        assert decided(live) == ["s", "b"][: number + 1]


@pytest.mark.parametrize(
    ("written", "read"),
    [("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"), ("100%25", "100%"), ('"a%20b"', "a b"), ("50%", "50%")],
)
def test_header_values_are_percent_decoded(live, written, read):
    headers = {f"ce-{key}": value for key, value in CLOUD.items() if key != "data"}
    headers["ce-subject"] = written
    answer = live.post(b'{"order_id":"o1","amount":1}', headers={**headers, "content-type": "application/json"})
    assert answer.status_code == 202, answer.text
    assert live.get(f"/v1/users/{read.replace('%', '%25')}").status_code == 200


@pytest.mark.parametrize("overlong", ["%C0%A0", "%E0%80%A0", "%F0%80%80%A0", "%ED%A0%80", "%FF"])
def test_overlong_and_broken_utf8_in_headers_is_refused(shared, overlong):
    headers = {f"ce-{key}": value for key, value in CLOUD.items() if key != "data"}
    headers["ce-subject"] = f"a{overlong}"
    answer = shared.post(b"{}", headers={**headers, "content-type": "application/json"})
    assert (answer.status_code, "ce-subject" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/cloudevents+xml", "", "application/jsonl"]
)
def test_other_content_types_are_415(shared, kind):
    answer = shared.post(json.dumps(event()).encode(), headers={"content-type": kind})
    assert answer.status_code == 415
    assert "application/cloudevents-batch+json" in answer.headers["accept"]


def test_another_charset_is_415(shared):
    assert shared.post(b"{}", headers={"content-type": "application/json; charset=latin-1"}).status_code == 415


BROKEN = {
    "cut off": b'{"id":"e1"',
    "twice": b'{"id":"e1","id":"e2","type":"payment_failed","user":"u","time":"2026-03-02T09:00:00Z"}',
    "nan": b'{"id":"e1","type":"payment_failed","user":"u","time":"2026-03-02T09:00:00Z","data":{"amount":NaN}}',
    "no utf-8": b'{"id":"\xff"}',
    "text": b'"hello"',
    "number": b"5",
    "nothing": b"",
    "deep": b'{"a":' * 100 + b"1" + b"}" * 100,
    "too deep": b"[" * 100_000,
    "list of a text": b'["hello", 5',
    "utf-16": '{"id":"e1"}'.encode("utf-16"),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_is_not_strict_json_is_400_and_leaves_nothing(shared, body):
    before = len(shared.running.received)
    answer = shared.post(body, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) >= {"type", "title", "status", "detail", "fix"}
    assert len(shared.running.received) == before


@pytest.mark.parametrize(
    ("kind", "body"), [("application/cloudevents+json", event()), ("application/cloudevents-batch+json", [event()])]
)
def test_native_events_are_no_cloud_events(shared, kind, body):
    answer = shared.post(json.dumps(body).encode(), headers={"content-type": kind})
    assert (answer.status_code, "specversion" in answer.json()["detail"]) == (400, True)


def test_all_refused_is_422_with_each_sentence_and_its_record(live):
    answer = live.post([event("e1", type="nope"), event("e2", amount="much")])
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "urn:botopt:problem:refused"
    assert [one["status"] for one in problem["events"]] == ["refused", "refused"]
    assert "nope" in problem["events"][0]["detail"]
    assert problem["events"][1]["by"] == "amount"
    assert decided(live, outcome="rejected") == ["e1", "e2"]


def test_some_refused_is_202_with_a_status_each(live):
    lines = json.dumps(event("e1")).encode() + b"\nnot json\n" + json.dumps(event("e3", user="bob")).encode()
    answer = live.post(lines, headers={"content-type": "application/x-ndjson"})
    assert answer.status_code == 202
    assert [one["status"] for one in answer.json()["events"]] == ["accepted", "refused", "accepted"]


def test_an_event_that_came_before_is_a_duplicate(live):
    live.post(event("e1"))
    assert live.post(event("e1")).json()["events"][0]["status"] == "duplicate"


@pytest.mark.parametrize("body", [b"[]", b" [ ] "])
def test_an_empty_batch_is_taken(shared, body):
    answer = shared.post(body, headers={"content-type": "application/cloudevents-batch+json"})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 0, "refused": 0, "events": []})


def test_an_event_dated_more_than_five_minutes_ahead_is_refused(live):
    assert live.post(event("e1", time="2026-03-02T09:05:00Z")).status_code == 202
    answer = live.post(event("e2", time="2026-03-02T09:05:01Z"))
    assert (answer.status_code, answer.json()["events"][0]["by"]) == (422, "time")


def test_a_full_queue_is_429_with_the_time_to_wait(live):
    live.running.refusal = Overloaded(7)
    answer = live.post(event())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_an_ending_service_is_503_with_the_time_to_wait(live):
    live.running.refusal = Stopping("the disk is full at /secret/path")
    answer = live.post(event())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "secret" not in answer.text


def test_a_fault_of_ours_is_500_without_its_words(live):
    live.running.refusal = ZeroDivisionError("secret words")
    answer = live.post(event())
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:botopt:problem:internal")
    assert "secret words" not in answer.text + live.log.getvalue()
    assert "ZeroDivisionError" in live.log.getvalue()
    assert answer.headers["x-request-id"] in live.log.getvalue()


def test_a_body_that_is_too_long_is_413_declared_or_not(tmp_path, policy):
    with house(tmp_path, policy, settings=Settings(limits=Limits(body=2_000))) as live:
        long = json.dumps(event(reason="x" * 3_000)).encode()
        assert live.post(long, headers={"content-type": "application/json"}).status_code == 413
        headers = {"content-type": "application/json", "x-api-key": KEYS["ingest"]}
        chunked = live.client.post(
            "/v1/events", content=(long[i : i + 500] for i in range(0, 3_500, 500)), headers=headers
        )
        assert chunked.status_code == 413
        assert live.post(event()).status_code == 202


def test_too_many_events_are_413(tmp_path, policy):
    with house(tmp_path, policy, settings=Settings(limits=Limits(events=3))) as live:
        assert live.post([event(f"e{i}") for i in range(4)]).status_code == 413
        lines = b"\n\n\n".join(json.dumps(event(f"e{i}")).encode() for i in range(3))
        assert live.post(lines, headers={"content-type": "application/x-ndjson"}).status_code == 202


def test_a_trace_goes_with_the_events(live):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    live.post(event("e1"), headers={"traceparent": parent, "tracestate": "a=b"})
    live.post({**CLOUD, "traceparent": parent}, headers={"content-type": "application/cloudevents+json"})
    live.post(event("e3"), headers={"traceparent": "00-zz-1-1"})
    traces = [named["trace"] for _, named in live.running.received]
    assert traces == [{"traceparent": parent, "tracestate": "a=b"}, {"traceparent": parent}, None]


def test_feedback_takes_feedback_only(live):
    [id] = live.post(event("e1")).json()["events"][0]["decision_ids"]
    clicked = event("f1", type="message.clicked", message_id=id)
    assert live.post(clicked, path="/v1/feedback").status_code == 202
    answer = live.post(event("e2"), path="/v1/feedback")
    assert (answer.status_code, answer.json()["events"][0]["by"]) == (422, "type")
    assert live.get("/v1/users/ada").json()["state"]["messages"][0]["response"] == "clicked"


def test_a_user_who_talks_to_the_bot_is_heard_of(live):
    answer = live.post(event("a1", type="user.active"), path="/v1/feedback")
    assert (answer.status_code, answer.json()["events"][0]["decision_ids"]) == (202, [])


def test_feedback_about_no_message_is_refused(shared):
    unknown = event("f1", type="message.clicked", message_id="0" * 24)
    assert shared.post(unknown, path="/v1/feedback").status_code == 422


def test_the_handshake_of_cloud_events_names_the_origin_and_the_rate(tmp_path, policy):
    settings = Settings(origins=("eventemitter.example.com",), limits=Limits(rate=2))
    with house(tmp_path, policy, settings=settings) as live:
        asked = {"webhook-request-origin": "eventemitter.example.com", "webhook-request-rate": "120"}
        answer = live.client.options("/v1/events", headers=asked)
        assert answer.status_code == 200
        assert answer.headers["webhook-allowed-origin"] == "eventemitter.example.com"
        assert answer.headers["webhook-allowed-rate"] == "120"
        other = live.client.options("/v1/events", headers={"webhook-request-origin": "evil.example"})
        assert (other.status_code, "webhook-allowed-origin" in other.headers) == (403, False)
        assert "POST" in live.client.options("/v1/events").headers["allow"]
