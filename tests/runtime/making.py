"""A writer over a store in memory, with a clock that a test sets."""

from __future__ import annotations

from functools import lru_cache

from botopt.engine.build import build
from botopt.engine.engine import Engine
from botopt.model.data_files import data_dir
from botopt.model.event import Event
from botopt.model.instants import instant_us
from botopt.model.policy import Policy
from botopt.runtime.desk import Serving
from botopt.runtime.receiving import Receive
from botopt.runtime.writer import Hooks, Writer, WriterSettings
from botopt.sources.envelope import Decoder
from botopt.verify.validate import load
from tests.engine.support import TEMPLATES, _engine, base
from tests.runtime.fakes import FakeStore

NOON = instant_us("2026-03-02T12:00:00Z")
SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000


@lru_cache(maxsize=1)
def starter() -> Engine:
    return build(load(data_dir("rules").parent), network="reference")


def engine_of(rules: str, templates: str = TEMPLATES) -> Engine:
    return _engine(rules, templates, "reference")


def serving(engine: Engine) -> Serving:
    return Serving(engine, Decoder(engine.policy), 0)


class Clock:
    def __init__(self, now_us: int = NOON) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us


class Bench:
    """A writer without its thread: `run` does what waits."""

    def __init__(self, engine: Engine | None = None, store: FakeStore | None = None, **settings: object) -> None:
        self.store = FakeStore() if store is None else store
        self.clock = Clock()
        self.engine = engine or engine_of(base())
        self.seen: list[object] = []
        self.faults: list[tuple[str, BaseException]] = []
        self.woken: list[frozenset[str] | None] = []
        hooks = Hooks(
            decided=self.seen.extend,
            outbox=self.woken.append,
            failed=lambda words, fault: self.faults.append((words, fault)),
        )
        self.writer = Writer(self.store, serving(self.engine), self.clock, hooks, WriterSettings(**settings))

    def put(self, *events: object, at_us: int | None = None, answering=None, trace=None):
        task = Receive(
            events, self.clock() if at_us is None else at_us, answering, trace or {}, self.engine.policy.revision
        )
        self.writer.intake.put(task)
        return task.future

    def run(self) -> None:
        while self.writer.step():
            pass

    def receive(self, *events: object, **more: object):
        future = self.put(*events, **more)
        self.run()
        return future.result(0)


def event(id: str, type: str = "a", user: str = "ada", time_us: int = NOON, source: str = "", **data: object) -> Event:
    return Event(id, source, type, user, time_us, data)


__all__ = ["DAY", "HOUR", "MINUTE", "NOON", "SECOND", "Bench", "Policy", "base", "event", "starter"]
