"""One run of the live service: what was asked for, what is said when it is ready, and its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from botopt.cli.options import LogFormatName, LogLevelName
from botopt.model.errors import UsageError

if TYPE_CHECKING:
    from botopt.server.composing import Composed, Plan
    from botopt.server.site import Settings

_NEEDED = ("cryptography", "fastapi", "httptools", "httpx", "prometheus_client", "structlog", "uvicorn")
_US = 1_000_000
_TOPIC_PARTS = 6


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What `botopt serve` was asked for, as it was typed."""

    workspace: Path
    state: Path
    host: str
    port: int
    public_url: str | None
    no_auth: bool
    drain: str
    keep: str
    queue: int
    rate: float | None
    max_body: int
    log_format: LogFormatName
    log_level: LogLevelName
    log_texts: bool
    otel: bool
    open_metrics: bool
    allow_private_networks: bool
    sns_topics: tuple[str, ...]
    webhook_origins: tuple[str, ...]


def run(asked: Asked) -> None:
    """Serve until a signal comes.

    Raises:
        UsageError: an option makes no sense, a package is missing, or nobody could call.
        PolicyError: the workspace has errors.
        StateError: the state file cannot be opened.
    """
    require_packages()
    from botopt.runtime.clock import now_us
    from botopt.server.composing import Composed
    from botopt.server.logs import LogFormat, LogLevel, set_up
    from botopt.server.serving import Stop, listen, serve
    from botopt.server.tracing import NO_TRACING, open_telemetry
    from botopt.verify.validate import load

    drain_s = duration_us("--drain", asked.drain) / _US
    plan = _plan(asked)
    listener = listen(asked.host, asked.port)
    log = set_up(LogFormat(asked.log_format), LogLevel(asked.log_level))
    tracing = open_telemetry() if asked.otel else NO_TRACING
    try:
        with Stop() as stop:
            composed = Composed(plan, load, log=log, tracing=tracing, clock=now_us)
            try:
                address = listener.getsockname()
                serve(composed.site, listener, drain_s, lambda: _ready(asked, composed, address[1]), stop)
            finally:
                log.info("ending", within=asked.drain, hint="a second signal ends it at once")
                left = composed.close(stop.left_s(drain_s))
                log.info("ended", attempts_left=left)
    finally:
        listener.close()
        tracing.close()


def require_packages() -> None:
    """See that the extra is installed.

    Raises:
        UsageError: it is not.
    """
    if any(find_spec(name) is None for name in _NEEDED):
        raise UsageError("this needs more packages: pip install 'botopt[server]'")


def duration_us(option: str, text: str) -> int:
    """A duration as it is typed, such as `20s`.

    Raises:
        UsageError: it is none.
    """
    from botopt.model.durations import parse_duration

    us = parse_duration(text)
    if us is None:
        raise UsageError(f'{option} is a duration such as 20s, 5m or 30d, not "{text}"')
    return us


def _plan(asked: Asked) -> Plan:
    from botopt.server.composing import Plan
    from botopt.server.serving import is_loopback
    from botopt.server.webhook_signatures import VARIABLE, read_secrets

    if asked.no_auth and not is_loopback(asked.host):
        raise UsageError(f"--no-auth lets anybody call, so it goes with --host 127.0.0.1 only, not {asked.host}")
    return Plan(
        workspace=asked.workspace,
        state=asked.state,
        settings=_settings(asked),
        secrets=read_secrets(os.environ.get(VARIABLE, "")),
        open_to_all=asked.no_auth,
        queue=asked.queue,
        keep_us=duration_us("--keep", asked.keep),
        private_networks=asked.allow_private_networks,
    )


def _settings(asked: Asked) -> Settings:
    from botopt.server.limits import Limits
    from botopt.server.site import Settings, is_public_url

    url = None if asked.public_url is None else asked.public_url.rstrip("/")
    if url is not None and not is_public_url(url):
        raise UsageError(f"--public-url is an address such as https://bot.example.com, not {asked.public_url}")
    for topic in asked.sns_topics:
        if not topic.startswith("arn:") or len(topic.split(":")) != _TOPIC_PARTS:
            raise UsageError(f"--sns-topic is an ARN such as arn:aws:sns:eu-central-1:123456789012:events, not {topic}")
    for origin in asked.webhook_origins:
        if "/" in origin:
            raise UsageError(f"--webhook-origin is the name of a host such as events.example.com, or *, not {origin}")
    return Settings(
        limits=Limits(body=asked.max_body, rate=asked.rate),
        public_url=url,
        topics=asked.sns_topics,
        origins=asked.webhook_origins,
        open_metrics=asked.open_metrics,
        log_texts=asked.log_texts,
    )


def _ready(asked: Asked, composed: Composed, port: int) -> None:
    from botopt.cli.console import say

    host = f"[{asked.host}]" if ":" in asked.host else asked.host
    composed.log_ready(f"http://{host}:{port}")
    head = f"botopt serves revision {composed.running.policy.revision} at http://{host}:{port}"
    say(ready_text(head, tuple(_channels(composed)), tuple(_unsafe(asked)), many_lines=sys.stderr.isatty()))


def ready_text(head: str, channels: Sequence[str], unsafe: Sequence[str], *, many_lines: bool) -> str:
    """What is said when the door is open: one line, or several for who reads it on a terminal."""
    if many_lines:
        told = [f"  channel  {one}" for one in channels] + [f"  unsafe   {one}" for one in unsafe]
        return "\n".join((head, *told, "  Ctrl-C ends it"))
    parts = [head, f"channels: {', '.join(channels) or 'none'}", *([f"unsafe: {'; '.join(unsafe)}"] if unsafe else [])]
    return "; ".join(parts)


def _channels(composed: Composed) -> Iterator[str]:
    """Each channel with its type, and what our tests of the type rest on."""
    from botopt.delivery.registry import CHANNEL_TYPES

    for name, channel in sorted(composed.running.policy.channels.items()):
        honesty = CHANNEL_TYPES[channel.type].honesty_with(dict(channel.options)).value.replace("_", " ")
        yield f"{name} ({channel.type}, tested: {honesty})"


def _unsafe(asked: Asked) -> Iterator[str]:
    if asked.no_auth:
        yield "anybody on this machine may call (--no-auth)"
    if asked.log_texts:
        yield "the log holds what users read (--log-texts)"
    if asked.open_metrics:
        yield "anybody may read /metrics (--open-metrics)"
    if asked.allow_private_networks:
        yield "channels may send into private networks (--allow-private-networks)"
    if asked.public_url is not None and asked.public_url.lower().startswith("http://"):
        yield "click links are not encrypted (--public-url is http)"
