"""Puts the live service together: state file, writer, delivery, a policy that changes, the site; and ends it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from secrets import token_bytes
from threading import Event
from typing import TYPE_CHECKING

import msgspec

from botopt.model.durations import DAY_US
from botopt.model.errors import PolicyError, UsageError
from botopt.model.live import LiveStore
from botopt.model.policy import Policy
from botopt.runtime.clock import Clock
from botopt.runtime.delivering.making import Made, close_channels, make_channels
from botopt.runtime.delivering.postman import Postman
from botopt.runtime.delivering.world import World
from botopt.runtime.intake import Bounds
from botopt.runtime.readers import Readers
from botopt.runtime.reload import Loaded, RefusedPolicy
from botopt.runtime.service import Listeners, Service
from botopt.runtime.writer import WriterSettings
from botopt.server.click_links import click_link
from botopt.server.fetching import fetch
from botopt.server.metrics import Metrics
from botopt.server.observing import Observer
from botopt.server.running import Running
from botopt.server.site import Settings, Site
from botopt.server.tracing import Tracing
from botopt.state.opening import open_live, open_reader

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

CLICK_KEY = "click_key"
"""The meta value of the state that holds the key of click links: they must work after a restart."""

_KEY_BYTES = 32


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to run. `queue` events may wait; `keep_us`: how long decisions and finished messages are kept."""

    workspace: Path
    state: Path
    settings: Settings
    secrets: tuple[bytes, ...] = ()
    open_to_all: bool = False
    queue: int = 20_000
    keep_us: int = 30 * DAY_US
    private_networks: bool = False
    watch: bool = True


class Composed:
    """The live service, running. `close` ends it.

    Raises:
        PolicyError: the workspace has errors.
        UsageError: a channel cannot be made, or nobody could call the service.
        StateError: the state file cannot be opened.
    """

    def __init__(
        self,
        plan: Plan,
        load: Callable[[Path], Policy],
        *,
        log: FilteringBoundLogger,
        tracing: Tracing,
        clock: Clock,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._plan = plan
        self._load = load
        self._log = log
        self._clock = clock
        self._environment = environment
        self._click_key = b""
        self._delivering = Event()
        self._coming: Mapping[str, Made] = {}
        policy = load(plan.workspace)
        made = self._making(policy, None)
        self.metrics = Metrics(lambda: self.running.policy.events)
        self._observer = Observer(log, self.metrics, tracing, clock, texts=plan.settings.log_texts)
        self._readers = Readers(lambda: open_reader(plan.state), most=2)
        service = Service(
            self._opened,
            lambda: open_reader(plan.state),
            policy,
            clock=clock,
            loader=self._loaded,
            workspace=plan.workspace if plan.watch else None,
            listeners=Listeners(
                decided=self._observer.decided,
                outbox=self._wake,
                policy=self._changed,
                failed=self._observer.failed,
            ),
            settings=WriterSettings(bounds=Bounds(events=plan.queue), keep_us=plan.keep_us),
        )
        self._postman = Postman(
            World(
                service,
                next_us=self._next_us,
                now_us=clock,
                monotonic_us=lambda: time.monotonic_ns() // 1_000,
                chance=random.random,
                link_for=self._link_for,
                watching=self._observer,
            )
        )
        self.running = Running(service, self._postman)
        service.start()
        site = None
        try:
            self.site = site = Site(
                self.running,
                secrets=plan.secrets,
                click_key=self._click_key,
                clock=clock,
                fetch=fetch,
                settings=plan.settings,
                metrics=self.metrics,
                log=log,
                open_to_all=plan.open_to_all,
                tracing=tracing,
            )
            self._require_callers()
            self._postman.start(policy, made)
        except BaseException:
            self._postman.stop(0.0)
            self._delivering.set()
            if site is not None:
                site.close()
            service.stop(0.0)
            close_channels(made.values())
            raise
        self._delivering.set()

    def close(self, drain_s: float) -> int:
        """End: delivery, then the writer; how many attempts to deliver did not end in time."""
        return self.running.stop(drain_s, self._let_go)

    def _let_go(self) -> None:
        """Of all that reads: who closes the state last settles it, and leaves one file."""
        self.site.close()
        self._readers.close()

    def log_ready(self, address: str) -> None:
        """Say in the log that the door is open."""
        policy = self.running.policy
        self._log.info("ready", address=address, revision=policy.revision, channels=sorted(policy.channels))

    def _require_callers(self) -> None:
        if not self.site.deaf:
            return
        # Keys that have all expired must not keep messages that are on their way from those whom they are for.
        if not self.site.door.has_keys:
            raise UsageError(
                f"nobody could call this service: {self._plan.state} has no API key that is valid. Make one: "
                f"botopt keys add NAME --scope ingest --state {self._plan.state}. Or set BOTOPT_WEBHOOK_SECRETS, or "
                "start with --no-auth for a try on this machine alone"
            )
        self._log.warning("nobody_may_call", detail=self.site.deaf)

    def _link_for(self, message_id: str, number: int, link: str) -> str:
        return click_link(self._plan.settings.public_url, self._click_key, message_id, number, link)

    def _opened(self) -> LiveStore:
        store = open_live(self._plan.state)
        try:
            known = store.meta().get(CLICK_KEY)
            if known is None:
                known = token_bytes(_KEY_BYTES).hex()
                store.commit((), meta={CLICK_KEY: known})
            self._click_key = bytes.fromhex(known)
        except BaseException:
            store.close()
            raise
        return store

    def _next_us(self, channel: str) -> int | None:
        with self._readers.reader() as reader:
            return reader.outbox_next_us(channel)

    def _wake(self, channels: frozenset[str] | None) -> None:
        if channels is None:
            self._postman.wake_all()
            return
        for channel in channels:
            self._postman.wake(channel)

    def _making(self, policy: Policy, running: Mapping[str, Made] | None) -> Mapping[str, Made]:
        return make_channels(
            policy,
            self._environment,
            self._clock,
            private_networks=self._plan.private_networks,
            running=running,
        )

    def _loaded(self) -> Loaded:
        """The workspace as it is now. A policy whose channels cannot be made is refused like one with errors."""
        self._delivering.wait()  # a change right at the start must not be overtaken by the policy before it
        try:
            policy = self._load(self._plan.workspace)
        except PolicyError as fault:
            return Loaded(None, fault.diagnostics)
        running = self._postman.made
        self._coming = self._making(policy, running)
        return Loaded(policy)

    def _changed(self, what: Policy | RefusedPolicy, notices: tuple[str, ...]) -> None:
        """After `_loaded`, in the same thread: what was made for a policy goes to work, or is let go of."""
        coming, self._coming = self._coming, {}
        if isinstance(what, Policy):
            self._postman.change(what, coming)
        else:
            running = self._postman.made
            close_channels(each for name, each in coming.items() if each is not running.get(name))
        self._observer.policy(what, notices)
