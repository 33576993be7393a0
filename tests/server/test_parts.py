"""Small parts by themselves: waiting, receipts, the log, trace context, spans."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from botopt.model.decision import Message
from botopt.model.event import Event
from botopt.model.live import OutboxRow, Parcel, pack_parcel
from botopt.server.cloud_headers import BadHeader, envelope_of
from botopt.server.logs import Lines, LogFormat, LogLevel, set_up
from botopt.server.metrics import Metrics
from botopt.server.observing import Observer
from botopt.server.receipts import Receipts
from botopt.server.trace_context import read_trace, trace_of
from botopt.server.tracing import OpenTelemetry
from botopt.server.waiting import Waiting
from tests.server.house import event, house

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


# ---------------------------------------------------------------- waiting


def test_futures_of_other_threads_end_in_the_loop_in_their_order():
    async def main() -> list[object]:
        waiting = Waiting()
        futures: list[Future[int]] = [Future() for _ in range(200)]
        waits = [waiting.result(future) for future in futures]

        def finish() -> None:
            for number, future in enumerate(futures):
                if number % 50 == 7:
                    future.set_exception(ValueError(number))
                else:
                    future.set_result(number)

        thread = threading.Thread(target=finish)
        thread.start()
        found = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 10)
        thread.join()
        return found

    found = asyncio.run(main())
    assert [n for n, one in enumerate(found) if isinstance(one, ValueError)] == [7, 57, 107, 157]
    assert all(one == n for n, one in enumerate(found) if not isinstance(one, ValueError))


def test_who_has_gone_is_not_told():
    async def main() -> None:
        waiting, future = Waiting(), Future()
        wait = waiting.result(future)
        wait.cancel()
        future.set_result(1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert wait.cancelled()

    asyncio.run(main())


def test_a_closed_loop_stops_no_writer():
    waiting, future = Waiting(), Future()

    async def main() -> None:
        waiting.result(future)

    asyncio.run(main())
    future.set_result(1)


# ---------------------------------------------------------------- receipts


@given(st.lists(st.integers(0, 50), min_size=1, max_size=50))
def test_no_two_requests_come_at_once(times):
    given = iter(times)
    receipts = Receipts(lambda: 10**15 + next(given))
    found = [receipts.next_us() for _ in times]
    assert len(set(found)) == len(found)
    assert found == sorted(found)


def test_a_clock_that_is_set_back_is_followed():
    given = iter([10**15, 10**15 - 3_600_000_000])
    receipts = Receipts(lambda: next(given))
    assert [receipts.next_us(), receipts.next_us()] == [10**15, 10**15 - 3_600_000_000]


# ---------------------------------------------------------------- the log


def test_lines_come_in_their_order_and_none_is_lost():
    stream = io.StringIO()
    lines = Lines(stream)

    def write(name: int) -> None:
        for number in range(500):
            lines.later(f"{name} {number}")

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines.flush()
    said = stream.getvalue().splitlines()
    assert len(said) == 2_000
    for name in range(4):
        assert [line for line in said if line.startswith(f"{name} ")] == [f"{name} {number}" for number in range(500)]


def test_what_is_grave_is_written_at_once_after_what_came_before():
    stream = io.StringIO()
    lines = Lines(stream)
    lines.later("one")
    lines.now("two")
    assert stream.getvalue() == "one\ntwo\n"


def test_a_stream_that_is_gone_stops_nothing():
    stream = io.StringIO()
    lines = Lines(stream)
    stream.close()
    lines.now("one")


def test_libraries_log_the_same_way_and_without_what_they_quote():
    stream = io.StringIO()
    set_up(LogFormat.JSON, LogLevel.INFO, stream)
    try:
        int("secret words")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("it failed")
    logging.getLogger("httpx").info("GET https://x/?token=secret words")
    logging.getLogger("uvicorn.access").info("GET /c/secret words")
    [line] = stream.getvalue().splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["fault"]) == ("it failed", "error", "ValueError")
    assert list(told)[:3] == ["timestamp", "level", "event"]
    assert "secret" not in line


def test_the_level_and_the_format_are_obeyed():
    stream = io.StringIO()
    log = set_up(LogFormat.PRETTY, LogLevel.WARNING, stream)
    log.info("not this")
    log.warning("this", channel="chat")
    assert "not this" not in stream.getvalue()
    assert "channel=chat" in stream.getvalue()


def test_words_for_a_terminal_hold_what_is_known_in_its_order():
    stream = io.StringIO()
    log = set_up(LogFormat.PRETTY, LogLevel.INFO, stream)
    log.warning("policy_refused", reason=None, notices=(), errors=2, channels=["chat", "sms"], findings=("a b\nc", "d"))
    first, *below = stream.getvalue().splitlines()
    assert first.rstrip().endswith("errors=2 channels=chat,sms")
    assert "None" not in first
    assert [line.strip() for line in below] == ["a b", "c", "d"]


# ---------------------------------------------------------------- headers


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        PARENT.upper(),
        PARENT + "-more",
        PARENT[:-1],
        "01" + PARENT[2:] + "-é",
        "01" + PARENT[2:] + "-a\rx-header: y",
        "01" + PARENT[2:] + "-a b\t",
    ],
)
def test_a_malformed_trace_is_none(parent):
    assert read_trace({"traceparent": parent}) == {}


def test_a_trace_of_a_later_version_may_be_longer():
    later = "01" + PARENT[2:] + "-more"
    assert read_trace({"traceparent": later}) == {"traceparent": later}


@pytest.mark.parametrize("body", [b'{"traceparent": 5}', b'["traceparent"]', b'{"traceparent"', b'"traceparent"'])
def test_a_body_without_a_trace_has_none(body):
    assert trace_of({}, body) == {}


def test_attributes_of_a_cloud_event_keep_their_names():
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "a",
        "ce-data": "x",
        "ce-datacontenttype": "y",
        "ce-Bad": "z",
        "other": "o",
    }
    assert envelope_of(headers) == {"specversion": "1.0", "id": "a"}
    with pytest.raises(BadHeader):
        envelope_of({"ce-subject": "%C0%80"})


# ---------------------------------------------------------------- spans


@pytest.fixture
def spans():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter, OpenTelemetry(provider.get_tracer("tests"), provider.shutdown)
    provider.shutdown()


def test_spans_go_from_the_request_to_the_channel(tmp_path, policy, spans):
    exporter, tracing = spans
    with house(tmp_path, policy, tracing=tracing) as live:
        assert live.post(event("e1"), headers={"traceparent": PARENT}).status_code == 202
        reader = live.running.reader()
        [row] = reader.outbox_of(live.get("/v1/users/ada").json()["outbox"][0]["message_id"])
        reader.close()
        Observer(live.site.log, live.site.metrics, tracing, live.clock, texts=False).attempted(row, 5_000)
    named = {span.name: span for span in exporter.get_finished_spans() if span.name != "receive"}
    [receive] = [span for span in exporter.get_finished_spans() if span.parent and span.name == "receive"]
    decide, deliver = named["decide and commit"], named["deliver"]
    assert f"{receive.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{receive.parent.span_id:016x}" == PARENT.split("-")[2]
    assert decide.parent.span_id == receive.context.span_id
    assert deliver.parent.span_id == decide.context.span_id
    assert deliver.end_time - deliver.start_time == 5_000_000
    assert "ada" not in str([dict(span.attributes or {}) for span in exporter.get_finished_spans()])


def test_the_trace_of_an_event_is_the_parent_where_the_request_has_none(tmp_path, policy, spans):
    exporter, tracing = spans
    cloud = {
        "specversion": "1.0",
        "id": "c1",
        "source": "/s",
        "type": "payment_failed",
        "subject": "ada",
        "time": "2026-03-02T09:00:00Z",
        "traceparent": PARENT,
        "data": {"order_id": "o", "amount": 1},
    }
    with house(tmp_path, policy, tracing=tracing) as live:
        assert live.post(cloud, headers={"content-type": "application/cloudevents+json"}).status_code == 202
    [decide] = [span for span in exporter.get_finished_spans() if span.name == "decide and commit"]
    assert f"{decide.parent.span_id:016x}" == PARENT.split("-")[2]


def test_a_fault_is_on_its_span_by_its_name_only(tmp_path, policy, spans):
    exporter, tracing = spans
    with house(tmp_path, policy, tracing=tracing) as live:
        live.running.refusal = ZeroDivisionError("secret words")
        assert live.post(event("e1")).status_code == 500
    [decide] = [span for span in exporter.get_finished_spans() if span.name == "decide and commit"]
    assert decide.status.description == "ZeroDivisionError"
    assert "secret words" not in "".join(span.to_json() for span in exporter.get_finished_spans())


def test_a_parcel_without_a_trace_begins_one(spans):
    exporter, tracing = spans
    parcel = Parcel(Message("m", "t", "v", "en", "chat", "text"), Event("e", "", "x", "ada", 0))
    row = OutboxRow(
        key="m",
        message_id="m",
        user="ada",
        channel="chat",
        created_us=0,
        next_us=0,
        changed_us=0,
        parcel=pack_parcel(parcel),
    )
    log = set_up(LogFormat.JSON, LogLevel.INFO, io.StringIO())
    Observer(log, Metrics(dict), tracing, lambda: 10**15, texts=False).attempted(row, 1_000)
    [span] = exporter.get_finished_spans()
    assert (span.name, span.parent) == ("deliver", None)
