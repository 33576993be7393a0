"""Health, readiness, numbers, and what every answer has."""

from __future__ import annotations

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from botopt.model.errors import StateError
from botopt.model.live import OutboxRow, OutboxStatus, Parcel, pack_parcel
from botopt.runtime.reload import RefusedPolicy
from botopt.server.observing import Observer
from botopt.server.tracing import NO_TRACING
from tests.server.house import NOW_US, event


def numbers(live) -> dict[tuple, float]:
    found = {}
    for family in text_string_to_metric_families(live.get("/metrics").text):
        for sample in family.samples:
            found[(sample.name, *sorted(sample.labels.values()))] = sample.value
    return found


def test_a_service_that_lives_and_is_ready_says_so(shared):
    assert shared.client.get("/healthz").json()["alive"] is True
    ready = shared.client.get("/readyz").json()
    assert (ready["ready"], ready["revision"]) == (True, shared.running.policy.revision)
    assert ready["refused"] is None


def test_a_draining_service_is_not_ready(live):
    live.site.draining = True
    answer = live.client.get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["it is ending"])
    assert "retry-after" in answer.headers
    assert live.client.get("/healthz").status_code == 200


def test_a_writer_that_cannot_write_is_not_ready(live):
    live.running.not_ready = lambda: ("nothing can be written: the disk is full",)
    answer = live.client.get("/readyz")
    assert (answer.status_code, "disk is full" in answer.json()["detail"]) == (503, True)


def test_a_state_that_cannot_be_read_is_not_ready(live):
    def fail():
        raise StateError("the state is damaged")

    live.running.status = fail
    assert live.client.get("/readyz").json()["reasons"] == ["the state is damaged"]


def test_decisions_are_counted_by_type_outcome_and_reason(live):
    live.post([event("e1"), event("e2", user="bob"), event("e3")])
    found = numbers(live)
    assert found["botopt_decisions_total", "payment_failed", "sent"] == 2
    assert found["botopt_suppressed_total", "cooldown", "payment_failed"] == 1
    assert found["botopt_commit_seconds_count",] == 1
    assert found["botopt_http_requests_total", "202", "receive_events"] == 1
    assert found["botopt_ready",] == 1
    assert found["botopt_outbox", "chat", "pending"] == 2


def test_strangers_make_no_new_labels(live):
    live.post([event(f"e{number}", type=f"nope{number}") for number in range(50)])
    for number in range(50):
        live.client.get(f"/nowhere/{number}")
    text = live.get("/metrics").text
    assert "nope" not in text
    assert "nowhere" not in text
    assert numbers(live)["botopt_decisions_total", "(unknown)", "rejected"] == 50
    assert numbers(live)["botopt_http_requests_total", "(none)", "404"] == 50


def test_delivery_and_reloads_are_counted_and_logged(live):
    observer = Observer(live.site.log, live.site.metrics, NO_TRACING, live.clock, texts=False)
    parcel = pack_parcel(Parcel(None, None))
    row = OutboxRow(
        key="m1", message_id="m1", user="ada", channel="chat", created_us=0, next_us=0, changed_us=0, parcel=parcel
    )
    observer.attempted(row, 20_000)
    observer.concluded(row)
    import msgspec

    observer.concluded(msgspec.structs.replace(row, status=OutboxStatus.DEAD, detail="HTTP 400"))
    observer.breaker("chat", "open")
    observer.stuck("chat", 2)
    observer.trouble("chat", "the state cannot be written")
    observer.policy(live.running.policy, ())
    observer.policy(RefusedPolicy(NOW_US, 1, ("rules/x.yaml:1:1 B102 unknown",)), ())
    observer.failed("a hook failed", ValueError("secret words"))
    found = numbers(live)
    assert found["botopt_deliveries_total", "chat", "retried"] == 1
    assert found["botopt_deliveries_total", "chat", "dead"] == 1
    assert found["botopt_delivery_seconds_count", "chat"] == 1
    assert (found["botopt_reloads_total", "taken"], found["botopt_reloads_total", "refused"]) == (1, 1)
    live.site.log.error("end")
    log = live.log.getvalue()
    for words in (
        '"circuit"',
        '"delivery_stuck"',
        '"delivery_trouble"',
        '"policy_taken"',
        '"policy_refused"',
        "B102",
        '"dead"',
    ):
        assert words in log, words
    assert "secret words" not in log


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/v1/decisions", "/c/x", "/openapi.json"])
def test_every_answer_has_security_headers_and_an_id(shared, path):
    answer = shared.client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-request-id"]
    assert "server" not in answer.headers


def test_a_given_request_id_comes_back_if_it_is_harmless(shared):
    assert shared.client.get("/healthz", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert shared.client.get("/healthz", headers={"x-request-id": "a b"}).headers["x-request-id"] != "a b"


def test_a_wrong_method_names_the_right_ones(shared):
    answer = shared.client.put("/v1/events")
    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"POST", "OPTIONS"})


@pytest.mark.parametrize(
    ("fault", "status"), [(ZeroDivisionError("secret words"), 500), (StateError("rows are damaged"), 503)]
)
def test_a_fault_on_any_address_is_a_problem_and_a_line_of_the_log(live, fault, status):
    def fail(event, now_us):
        raise fault

    live.running.explain = fail
    answer = live.post(event("e1"), "read", path="/v1/explain")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    deadline = time.monotonic() + 10
    while '_error"' not in live.log.getvalue():
        assert time.monotonic() < deadline
    assert answer.headers["x-request-id"] in live.log.getvalue()
    assert "secret words" not in live.log.getvalue() + answer.text
    assert "rows are damaged" not in answer.text
