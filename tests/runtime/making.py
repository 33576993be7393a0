"""A writer over a store in memory, with a clock that a test sets."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.loading.policy import load_policy
from botopt.model.data_files import data_dir
from botopt.model.event import Event
from botopt.model.instants import instant_us
from botopt.model.policy import Policy
from botopt.runtime.claims import Claim, Conclude
from botopt.runtime.feedback import TakeFeedback
from botopt.runtime.hooks import Hooks
from botopt.runtime.receiving import Erase, Receive
from botopt.runtime.serving import Serving, serve
from botopt.runtime.writer import Writer, WriterSettings
from botopt.verify.validate import load
from tests.engine.support import TEMPLATES, base
from tests.runtime.fakes import FakeStore

NOON = instant_us("2026-03-02T12:00:00Z")
SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000


def write_policy(folder: Path, rules: str, templates: str = TEMPLATES) -> None:
    for kind, text in (("rules", rules), ("templates", templates)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / kind / "all.yaml").write_text(text, "utf-8")


@lru_cache(maxsize=256)
def policy_of(rules: str, templates: str = TEMPLATES) -> Policy:
    with tempfile.TemporaryDirectory() as name:
        write_policy(Path(name), rules, templates)
        loaded = load_policy(Path(name), channel_types=CHANNEL_TYPES)
    assert loaded.policy is not None, "\n".join(f"{d.code} {d.position} {d.message}" for d in loaded.diagnostics)
    return loaded.policy


@lru_cache(maxsize=256)
def serving_of(rules: str, templates: str = TEMPLATES) -> Serving:
    return serve(policy_of(rules, templates), 0, "reference")


@lru_cache(maxsize=1)
def starter() -> Serving:
    return serve(load(data_dir("rules").parent), 0, "reference")


class Clock:
    def __init__(self, now_us: int = NOON) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us


class Bench:
    """A writer without its thread: `run` does what waits."""

    def __init__(
        self,
        suppression: str = "",
        *,
        serving: Serving | None = None,
        store: FakeStore | None = None,
        clock: Clock | None = None,
        hooks: Hooks | None = None,
        **settings: object,
    ) -> None:
        self.store = FakeStore() if store is None else store
        self.clock = clock or Clock()
        self.serving = serving or serving_of(base(suppression))
        self.seen: list[object] = []
        self.faults: list[tuple[str, BaseException]] = []
        self.woken: list[frozenset[str] | None] = []
        hooks = hooks or Hooks(
            decided=self.seen.extend,
            outbox=self.woken.append,
            failed=lambda words, fault: self.faults.append((words, fault)),
        )
        self.writer = Writer(self.store, self.serving, self.clock, hooks, WriterSettings(**settings))

    def put(self, *events: object, at_us: int | None = None, answering=None, trace=None, read_by: str | None = ""):
        read_by = self.serving.revision if read_by == "" else read_by
        task = Receive(events, self.clock() if at_us is None else at_us, answering, trace or {}, read_by)
        self.writer.intake.put(task)
        return task.future

    def run(self) -> None:
        while self.writer.step():
            pass

    def receive(self, *events: object, **more: object):
        future = self.put(*events, **more)
        self.run()
        return future.result(0)

    def do(self, task):
        self.writer.intake.put_first(task)
        self.run()
        return task.future.result(0)

    def claim(self, channel: str = "chat", limit: int = 100, to: str | None = None):
        return self.do(Claim(channel, limit, self.clock(), to))

    def conclude(self, rows, feedback=()):
        return self.do(Conclude(rows, feedback, self.clock()))

    def told(self, *feedback, channel: str = "chat"):
        return self.do(TakeFeedback(channel, feedback, self.clock()))

    def erase(self, user: str = "ada") -> bool:
        return self.do(Erase(user, self.clock()))

    def state(self, user: str = "ada"):
        return self.writer.desk.states.look(user)


def event(id: str, type: str = "a", user: str = "ada", time_us: int = NOON, source: str = "", **data: object) -> Event:
    return Event(id, source, type, user, time_us, data)
