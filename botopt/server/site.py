"""Everything that answers need: one value, made when the service starts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import msgspec

from botopt.model.live import LiveReader
from botopt.model.policy import Policy
from botopt.runtime.clock import Clock
from botopt.runtime.readers import Readers
from botopt.server.apart import Apart
from botopt.server.auth import Door
from botopt.server.backend import Backend
from botopt.server.idempotency import InFlight
from botopt.server.limits import Bodies, Buckets, Limits, Monotonic
from botopt.server.metrics import Metrics
from botopt.server.receipts import Receipts
from botopt.server.sns_messages import Fetch, Verifier
from botopt.server.tracing import NO_TRACING, Tracing
from botopt.server.waiting import Waiting
from botopt.sources.envelope import Decoder

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

T = TypeVar("T")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator says. `public_url` is our address as others see it, without a slash at the end.

    `topics` are the SNS topics that are listened to; none: SNS is not. `origins` may send CloudEvents webhooks; `*`:
    anybody who has a key.
    """

    limits: Limits = Limits()
    public_url: str | None = None
    topics: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    open_metrics: bool = False
    log_texts: bool = False


class Site:
    """The parts of the server. Endpoints run in one event loop; `read` takes long reading to other threads."""

    def __init__(
        self,
        backend: Backend,
        *,
        secrets: tuple[bytes, ...],
        click_key: bytes,
        clock: Clock,
        fetch: Fetch,
        settings: Settings,
        metrics: Metrics,
        log: FilteringBoundLogger,
        open_to_all: bool = False,
        tracing: Tracing = NO_TRACING,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self.backend = backend
        self.settings = settings
        self.click_key = click_key
        self.clock = clock
        self.monotonic = monotonic
        self.fetch = fetch
        self.sns = Verifier(fetch)
        self.tracing = tracing
        self.reader = backend.reader()
        self.door = Door(self.reader, secrets, clock, open_to_all=open_to_all)
        self.bodies = Bodies(settings.limits)
        self.buckets = Buckets(settings.limits.rate, monotonic)
        self.in_flight = InFlight()
        self.receipts = Receipts(clock)
        self.waiting = Waiting()
        self.metrics = metrics
        self.log = log
        self.draining = False
        self._policy: Policy | None = None
        self._decoder: Decoder | None = None
        self.asking_sns = Apart("sns", 1, 10, "too much waits for an answer of SNS", 20)
        self.asking_channels = Apart("callback", 8, 100, "too many callbacks at once", 2)
        self._readers = Readers(backend.reader)

    @property
    def decoder(self) -> Decoder:
        """Reads events for the policy that decides now. For the event loop's thread."""
        policy = self.backend.policy
        if self._decoder is None or policy is not self._policy:
            self._policy, self._decoder = policy, Decoder(policy)
        return self._decoder

    @property
    def revision(self) -> str | None:
        """Of the policy by which `decoder` reads."""
        return None if self._policy is None else self._policy.revision

    @property
    def deaf(self) -> str:
        """Why nobody can send events, as a sentence; empty where somebody can."""
        if self.door.usable or self.settings.topics:
            return ""
        return "no API key is valid, so nobody can send events; make one with botopt keys add"

    async def read(self, reading: Callable[[LiveReader], T]) -> T:
        """What a reading gives, in a thread of its own."""
        return await asyncio.to_thread(self._reading, reading)

    def _reading(self, reading: Callable[[LiveReader], T]) -> T:
        with self._readers.reader() as reader:
            return reading(reader)

    def close(self) -> None:
        """Let go of the state."""
        self.asking_sns.close()
        self.asking_channels.close()
        self._readers.close()
        self.reader.close()

    def address(self, path: str, query: str, host: str) -> str:
        """Our address as whoever called wrote it."""
        base = self.settings.public_url or f"http://{host}"
        return f"{base}{path}{'?' if query else ''}{query}"


def is_public_url(text: str) -> bool:
    """Whether this can stand before `/c/…`: http or https, a host, perhaps a path, nothing more."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    named = bool(parts.hostname) and "@" not in parts.netloc and text.isascii() and text.isprintable()
    return parts.scheme in {"http", "https"} and named and not parts.query and not parts.fragment and " " not in text
