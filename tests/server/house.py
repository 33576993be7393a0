"""A whole service for tests: the starter policy, a state file, the writer, and a server on a free port."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

from botopt.model.api_keys import RANDOM_BYTES, KeyScope, new_key
from botopt.model.channels import Channel
from botopt.model.instants import instant_us
from botopt.model.policy import Policy
from botopt.runtime.items import Received
from botopt.runtime.service import Listeners, Service
from botopt.runtime.writer import WriterSettings
from botopt.server import serving
from botopt.server.logs import LogFormat, LogLevel, set_up
from botopt.server.metrics import Metrics
from botopt.server.observing import Observer
from botopt.server.running import Running
from botopt.server.site import Settings, Site
from botopt.server.tracing import NO_TRACING, Tracing
from botopt.state.opening import open_control, open_live, open_reader

NOW = "2026-03-02T09:00:00Z"
NOW_US = instant_us(NOW)
CLICK_KEY = bytes(range(32))
MADE = {
    scope.value: new_key(bytes((number,)) * RANDOM_BYTES, scope.value, [scope], NOW_US)
    for number, scope in enumerate(KeyScope, 1)
}
KEYS = {name: text for name, (_, text) in MADE.items()}
SECRETS = {name: text.rpartition("_")[2] for name, text in KEYS.items()}


class Clock:
    """A clock that stands, until somebody sets it."""

    def __init__(self) -> None:
        self.us = NOW_US

    def __call__(self) -> int:
        return self.us


class State(msgspec.Struct, frozen=True):
    name: str
    breaker: str = "closed"
    well: bool = True


class Channels:
    """Delivery that delivers nothing, and knows some channels."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self.known = dict(channels)
        self.stopped = False

    def channel(self, name: str) -> Channel | None:
        return self.known.get(name)

    def status(self) -> Sequence[State]:
        return [State(name) for name in self.known]

    def stop(self, within_s: float) -> int:
        self.stopped = True
        return 0


class Gated(Running):
    """A service whose answers wait while it is closed, as if the disk were slow; or that refuses."""

    def __init__(self, service: Service, delivering: Channels) -> None:
        super().__init__(service, delivering)
        self.refusal: Exception | None = None
        self.received: list[object] = []
        self.waits: threading.Event | None = None

    def receive(self, events, **named) -> Future[Sequence[Received]]:
        if self.refusal is not None:
            raise self.refusal
        self.received.append((events, named))
        inner = super().receive(events, **named)
        gate = self.waits
        if gate is None:
            return inner
        outer: Future[Sequence[Received]] = Future()

        def wait() -> None:
            gate.wait(10)
            outer.set_result(inner.result(10))

        threading.Thread(target=wait, daemon=True).start()
        return outer

    def feedback(self, channel, feedback, received_us):
        if self.refusal is not None:
            raise self.refusal
        return super().feedback(channel, feedback, received_us)

    def erase(self, user, now_us):
        if self.refusal is not None:
            raise self.refusal
        return super().erase(user, now_us)


class House(msgspec.Struct, frozen=True):
    client: httpx.Client
    site: Site
    running: Gated
    log: io.StringIO
    clock: Clock
    state: Path
    port: int
    stop: Callable[[], None]

    def post(self, events: object, key: str | None = "ingest", path: str = "/v1/events", **named) -> httpx.Response:
        headers = {**({"x-api-key": KEYS[key]} if key else {}), **named.pop("headers", {})}
        if isinstance(events, bytes):
            return self.client.post(path, content=events, headers=headers, **named)
        return self.client.post(path, json=events, headers=headers, **named)

    def get(self, path: str, key: str | None = "read", **named) -> httpx.Response:
        headers = {**({"authorization": f"Bearer {KEYS[key]}"} if key else {}), **named.pop("headers", {})}
        return self.client.get(path, headers=headers, **named)


@contextmanager
def house(
    folder: Path,
    policy: Policy,
    *,
    settings: Settings | None = None,
    channels: Mapping[str, Channel] | None = None,
    open_to_all: bool = False,
    secrets: tuple[bytes, ...] = (),
    keys: Sequence[str] = tuple(KEYS),
    fetch: Callable[[str], bytes] | None = None,
    tracing: Tracing = NO_TRACING,
    level: LogLevel = LogLevel.DEBUG,
    writer: WriterSettings | None = None,
    format: LogFormat = LogFormat.JSON,
) -> Iterator[House]:
    state, log, clock = folder / "state.db", io.StringIO(), Clock()
    settings = settings or Settings(public_url="https://bot.example")
    logger = set_up(format, level, log)
    metrics = Metrics(lambda: policy.events)
    observer = Observer(logger, metrics, tracing, clock, texts=settings.log_texts)
    service = Service(
        lambda: open_live(state),
        lambda: open_reader(state),
        policy,
        clock=clock,
        listeners=Listeners(decided=observer.decided, policy=observer.policy, failed=observer.failed),
        settings=writer or WriterSettings(),
    )
    service.start()
    add_keys(state, keys)
    running = Gated(service, Channels(channels or {}))
    site = Site(
        running,
        secrets=secrets,
        click_key=CLICK_KEY,
        clock=clock,
        fetch=fetch or _no_fetch,
        settings=settings,
        metrics=metrics,
        log=logger,
        open_to_all=open_to_all,
        tracing=tracing,
    )
    listener = serving.listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    ready, asked = threading.Event(), serving.Stop()
    thread = threading.Thread(target=serving.serve, args=(site, listener, 5.0, ready.set, asked), daemon=True)
    thread.start()
    assert ready.wait(10)

    def stop() -> None:
        asked.ask()
        thread.join(10)

    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, verify=False) as client:
            yield House(client, site, running, log, clock, state, port, stop)
    finally:
        stop()
        running.stop(1.0)
        site.close()


def add_keys(state: Path, names: Sequence[str]) -> None:
    control = open_control(state, create=True)
    try:
        for name in names:
            control.add_key(MADE[name][0], "tests")
    finally:
        control.close()


def event(id: str = "e1", type: str = "payment_failed", user: str = "ada", time: str = NOW, **data: object) -> dict:
    if type == "payment_failed":
        data = {"order_id": "o1", "amount": 120, "currency": "EUR", "attempt": 1, **data}
    return {"id": id, "type": type, "user": user, "time": time, "data": data}


def _no_fetch(url: str) -> bytes:
    raise AssertionError(f"nothing was to be fetched: {url}")
