"""Numbers for Prometheus. Labels are bounded: declared event types, channels, reasons, results."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from botopt.model.decision import Decision, Outcome
from botopt.model.version import VERSION
from botopt.runtime.status import Status
from botopt.server.backend import ChannelState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNKNOWN = "(unknown)"
"""The label for what is not declared: strangers cannot make new ones."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
_CIRCUITS = {"closed": 0, "half_open": 1, "open": 2}


class Metrics:
    """Everything that is counted. Any thread may count."""

    def __init__(self, declared: Callable[[], Container[str]]) -> None:
        """`declared` gives the event types that the policy declares now."""
        self._declared = declared
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "botopt_http_requests", "Requests by endpoint and status.", ("endpoint", "status"), registry=registry
        )
        self._duration = Histogram(
            "botopt_http_request_seconds",
            "How long requests took.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._decisions = Counter(
            "botopt_decisions",
            "Decisions by event type and outcome.",
            ("event_type", "outcome"),
            registry=registry,
        )
        self._suppressed = Counter(
            "botopt_suppressed",
            "Messages that were not sent, or not yet, by reason and event type.",
            ("reason", "event_type"),
            registry=registry,
        )
        self._commit = Histogram(
            "botopt_commit_seconds",
            "How long requests' events took to be decided and on the disk.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._attempts = Counter(
            "botopt_deliveries",
            "Attempts to deliver a message, by channel and what became of the message.",
            ("channel", "result"),
            registry=registry,
        )
        self._attempt_duration = Histogram(
            "botopt_delivery_seconds",
            "How long channels took for an attempt.",
            ("channel",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._reloads = Counter(
            "botopt_reloads", "Changes of the workspace, by whether they were taken.", ("result",), registry=registry
        )
        self._clicks = Counter(
            "botopt_click_links", "Click links that were asked for, by what was done.", ("result",), registry=registry
        )
        self._requests_now = Gauge("botopt_http_requests_in_progress", "Requests in progress.", registry=registry)
        Gauge("botopt_build", "The version of botopt.", ("version",), registry=registry).labels(VERSION).set(1)
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._live = _Live()
        self._looking = Lock()
        registry.register(self._live)
        self._seen: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._decided: dict[tuple[str, str, str | None], tuple[Counter, Counter | None]] = {}

    def request(self, endpoint: str, status: int, seconds: float) -> None:
        """A request was answered."""
        found = self._seen.get((endpoint, status))
        if found is None:
            found = (self._requests.labels(endpoint, str(status)), self._duration.labels(endpoint))
            self._seen[endpoint, status] = found
        found[0].inc()
        found[1].observe(seconds)

    def in_progress(self, requests: int) -> None:
        """So many requests are being answered."""
        self._requests_now.set(requests)

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Decisions are on the disk."""
        for decision in decisions:
            named = decision.event_type
            key = (named or UNKNOWN, decision.outcome, decision.reason)
            found = self._decided.get(key)
            if found is None:
                if named is not None and named not in self._declared():
                    key = (UNKNOWN, decision.outcome, decision.reason)
                found = self._counters(*key)
                self._decided[key] = found
            found[0].inc()
            if found[1] is not None:
                found[1].inc()

    def _counters(self, event_type: str, outcome: str, reason: str | None) -> tuple[Counter, Counter | None]:
        stopped = None if outcome == Outcome.SENT or reason is None else self._suppressed.labels(reason, event_type)
        return self._decisions.labels(event_type, outcome), stopped

    def committed(self, seconds: float) -> None:
        """A request's events were decided, and on the disk, after so long."""
        self._commit.observe(seconds)

    def delivered(self, channel: str, result: str) -> None:
        """What became of an attempt."""
        self._attempts.labels(channel, result).inc()

    def attempted(self, channel: str, seconds: float) -> None:
        """A channel took so long."""
        self._attempt_duration.labels(channel).observe(seconds)

    def reloaded(self, result: str) -> None:
        """The workspace changed: `taken` or `refused`."""
        self._reloads.labels(result).inc()

    def clicked(self, result: str) -> None:
        """A click link: `recorded`, `preview`, `late`, `lost` or `unknown`."""
        self._clicks.labels(result).inc()

    def page(self, status: Status, channels: Sequence[ChannelState]) -> bytes:
        """All of it, in Prometheus' text format."""
        with self._looking:
            self._live.look(status, channels)
            return generate_latest(self.registry)


class _Live(Collector):
    """What is asked for when somebody looks."""

    def __init__(self) -> None:
        self._found: list[Metric] = []

    def look(self, status: Status, channels: Sequence[ChannelState]) -> None:
        """Take over the values of now."""
        circuits = GaugeMetricFamily(
            "botopt_circuit", "A channel's circuit breaker: 0 closed, 1 half open, 2 open.", labels=("channel",)
        )
        for channel in channels:
            circuits.add_metric((channel.name,), _CIRCUITS.get(str(channel.breaker), 0))
        policy = GaugeMetricFamily("botopt_policy", "The revision that decides.", labels=("revision",))
        policy.add_metric((status.revision,), 1)
        outbox = GaugeMetricFamily("botopt_outbox", "Messages that are not over yet.", labels=("channel", "status"))
        for (channel_name, state), count in sorted(status.outbox.items()):
            outbox.add_metric((channel_name, str(state)), count)
        self._found = [
            *(GaugeMetricFamily(name, words, value=value) for name, words, value in _values(status)),
            circuits,
            policy,
            outbox,
        ]

    def describe(self) -> list[Metric]:
        """Nothing is asked at registration."""
        return []

    def collect(self) -> list[Metric]:
        """What `look` took over."""
        return self._found


def _values(status: Status) -> Sequence[tuple[str, str, float]]:
    return (
        ("botopt_ready", "1 if events are taken.", not status.not_ready),
        ("botopt_queue_events", "Events that wait for the writer.", status.waiting),
        ("botopt_queue_limit_events", "How many events may wait.", status.most_waiting),
        ("botopt_queue_bytes", "Bytes of events that wait for the writer, about.", status.waiting_bytes),
        ("botopt_held", "Messages that are held.", status.held),
        (
            "botopt_policy_refused",
            "1 if the workspace has errors, and an older policy decides.",
            status.refused is not None,
        ),
        ("botopt_silences", "Silences of operators that hold now.", len(status.silences)),
        ("botopt_write_failing", "1 if the state cannot be written.", status.failing is not None),
        ("botopt_uptime_seconds", "Since the service began.", status.uptime_us / 1e6),
    )
