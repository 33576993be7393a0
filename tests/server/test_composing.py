"""The whole service put together: what it leaves behind, and what a refused change leaves alone."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.model.api_keys import RANDOM_BYTES, new_key
from botopt.model.channels import Channel, ChannelType
from botopt.model.delivery import Delivered, Outgoing, Receipt
from botopt.model.errors import UsageError
from botopt.runtime.reload import RefusedPolicy
from botopt.server import composing, health
from botopt.server.composing import Composed, Plan
from botopt.server.logs import LogFormat, LogLevel, set_up
from botopt.server.serving import Stop
from botopt.server.site import Settings
from botopt.server.tracing import NO_TRACING
from botopt.state.opening import open_control
from botopt.verify.validate import load
from tests.server.house import NOW_US, Clock
from tests.server.process import RULES, workspace


class Noted(Channel):
    """A channel that notes when it is let go of."""

    made: ClassVar[list[Noted]] = []

    def __init__(self, *_: object) -> None:
        self.closed = False
        Noted.made.append(self)

    def send(self, message: Outgoing) -> Receipt:
        return Delivered()

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def noted(monkeypatch) -> None:
    Noted.made = []
    known: Mapping[str, ChannelType] = {**CHANNEL_TYPES, "console": ChannelType(name="console", summary="", make=Noted)}
    making = composing.make_channels
    monkeypatch.setattr(composing, "make_channels", lambda *given, **named: making(*given, **named, types=known))


@contextmanager
def composed(folder: Path, *, open_to_all: bool = True, settings: Settings | None = None) -> Iterator[Composed]:
    state = folder / "state.db"
    plan = Plan(workspace=folder, state=state, settings=settings or Settings(), open_to_all=open_to_all, watch=False)
    log = set_up(LogFormat.JSON, LogLevel.DEBUG, io.StringIO())
    one = Composed(plan, load, log=log, tracing=NO_TRACING, clock=Clock())
    try:
        yield one
    finally:
        one.close(5.0)


def rules(folder: Path, text: str) -> None:
    (folder / "rules" / "shop.yaml").write_text(text, "utf-8")


def test_a_clean_end_leaves_one_file(tmp_path):
    with composed(workspace(tmp_path)) as one:
        assert one.site.reader.held() == 0
        assert one.running.status().held == 0
    assert [path.name for path in tmp_path.glob("state.db*") if not path.name.endswith("lock")] == ["state.db"]


def test_a_change_that_cannot_be_served_keeps_the_channels_that_run(tmp_path, monkeypatch):
    with composed(workspace(tmp_path)) as one:
        [first] = Noted.made
        with monkeypatch.context() as patch:
            patch.setattr("botopt.runtime.reload.serve", lambda *_: (_ for _ in ()).throw(MemoryError()))
            rules(tmp_path, RULES.replace("{type: console}", "{type: console, timeout: 3s}"))
            assert isinstance(one.running.service.reload_now(), RefusedPolicy)
        assert one.running.channel("chat") is first
        rules(tmp_path, RULES)
        assert one.running.service.reload_now() is None
        assert one.running.channel("chat") is first
        assert [channel.closed for channel in Noted.made] == [False, True]
    assert all(channel.closed for channel in Noted.made)


def test_a_change_right_at_the_start_waits_until_delivery_has_begun(tmp_path, monkeypatch):
    changed = threading.Event()
    start_service, start_postman = composing.Service.start, composing.Postman.start

    def and_change(service) -> None:
        start_service(service)
        rules(tmp_path, RULES.replace("{type: console}", "{type: console, timeout: 3s}"))
        threading.Thread(target=lambda: (service.reload_now(), changed.set()), daemon=True).start()

    def late(postman, policy, made) -> None:
        changed.wait(0.3)  # long enough for a change that does not wait
        start_postman(postman, policy, made)

    monkeypatch.setattr(composing.Service, "start", and_change)
    monkeypatch.setattr(composing.Postman, "start", late)
    with composed(workspace(tmp_path)) as one:
        assert changed.wait(10)
        assert one.running.policy.channels["chat"].delivery.timeout_us == 3_000_000
        assert one._postman.made["chat"].settings.timeout_us == 3_000_000


def test_the_parts_of_an_end_share_its_time(tmp_path):
    given: list[float] = []
    with composed(workspace(tmp_path)) as one:
        delivery, service = one.running._delivering, one.running.service
        stop_delivery, stop_service = delivery.stop, service.stop

        def deliver(within_s: float) -> int:
            given.append(within_s)
            time.sleep(0.2)  # as long as the channels took
            return stop_delivery(0.0)

        def write(within_s: float) -> None:
            given.append(within_s)
            stop_service(within_s)

        delivery.stop, service.stop = deliver, write
        one.close(3.0)
        one.close(0.1)
    assert given[0] == 3.0
    assert 1.0 < given[1] <= 2.8
    assert given[2:4] == [0.1, 1.0]


def test_what_an_end_has_taken_so_far_counts():
    stop = Stop()
    assert stop.left_s(5.0) == 5.0
    stop.ask()
    assert 4.0 < stop.left_s(5.0) < 5.0
    assert stop.left_s(0.0) == 0.0


def test_a_service_that_never_had_a_caller_does_not_start(tmp_path):
    with pytest.raises(UsageError, match="no API key"), composed(workspace(tmp_path), open_to_all=False):
        pass


def test_a_topic_of_sns_is_somebody_who_calls(tmp_path):
    settings = Settings(topics=("arn:aws:sns:eu-central-1:123456789012:events",))
    with composed(workspace(tmp_path), open_to_all=False, settings=settings) as one:
        assert one.site.deaf == ""


def test_keys_that_have_all_expired_do_not_keep_messages_from_going_out(tmp_path):
    state = workspace(tmp_path) / "state.db"
    with open_control(state, create=True) as control:
        key, _ = new_key(bytes(RANDOM_BYTES), "old", ["ingest"], NOW_US - 2, NOW_US - 1)
        control.add_key(key, "tests")
    with composed(tmp_path, open_to_all=False) as one:
        assert "no API key is valid" in one.site.deaf
        assert one.running.channel("chat") is not None
        answer = asyncio.run(health.readyz(one.site, None, None))
        assert json.loads(answer.body)["notices"] == [one.site.deaf]
