"""Spans, where OpenTelemetry is switched on (extra `botopt[otel]`): receive, decide and commit, deliver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

from botopt.model.errors import UsageError
from botopt.model.version import VERSION
from botopt.server.trace_context import Trace

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

Attributes = Mapping[str, str | int]
"""Ids and counts; never a text of a message, an attribute of a user, or a header."""

_US_IN_NS = 1_000


class Tracing(Protocol):
    """Makes spans. Any thread may ask."""

    @property
    def on(self) -> bool:
        """Whether any are made."""

    def span(self, name: str, trace: Trace, attributes: Attributes, *, serving: bool) -> AbstractContextManager[Trace]:
        """A span below that trace; what it gives is the trace to pass on."""

    def past(self, name: str, trace: Trace, attributes: Attributes, start_us: int, end_us: int) -> None:
        """A span of something that is over."""

    def close(self) -> None:
        """Send what waits."""


class NoTracing:
    """No spans; trace context is passed on as it came."""

    on = False

    def span(self, name: str, trace: Trace, attributes: Attributes, *, serving: bool) -> AbstractContextManager[Trace]:
        """Nothing."""
        return nullcontext(trace)

    def past(self, name: str, trace: Trace, attributes: Attributes, start_us: int, end_us: int) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing waits."""


NO_TRACING = NoTracing()


class OpenTelemetry:
    """Spans of OpenTelemetry."""

    on = True

    def __init__(self, tracer: Tracer, close: Callable[[], None] = lambda: None) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._tracer = tracer
        self._context = TraceContextTextMapPropagator()
        self._close = close

    @contextmanager
    def span(self, name: str, trace: Trace, attributes: Attributes, *, serving: bool) -> Iterator[Trace]:
        """A span while something happens."""
        from opentelemetry.trace import SpanKind, set_span_in_context

        kind = SpanKind.SERVER if serving else SpanKind.INTERNAL
        parent = self._context.extract(dict(trace), context=_empty())
        span = self._tracer.start_span(name, parent, kind, attributes)
        carrier: dict[str, str] = {}
        self._context.inject(carrier, set_span_in_context(span))
        try:
            yield carrier
        except BaseException as fault:
            _fail(span, type(fault).__name__)  # the text may quote what came in
            raise
        finally:
            span.end()

    def past(self, name: str, trace: Trace, attributes: Attributes, start_us: int, end_us: int) -> None:
        """A span of something that is over."""
        from opentelemetry.trace import SpanKind

        parent = self._context.extract(dict(trace), context=_empty())
        span = self._tracer.start_span(name, parent, SpanKind.CLIENT, attributes, start_time=start_us * _US_IN_NS)
        span.end(end_us * _US_IN_NS)

    def close(self) -> None:
        """Send what waits."""
        self._close()


def open_telemetry() -> OpenTelemetry:
    """Spans, sent over OTLP as the `OTEL_*` variables say.

    Raises:
        UsageError: a package is missing.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as fault:
        raise UsageError("traces need more packages: pip install 'botopt[otel]'") from fault
    import os

    named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "botopt"}
    provider = TracerProvider(resource=Resource.create({**named, "service.version": VERSION}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OpenTelemetry(provider.get_tracer("botopt", VERSION), provider.shutdown)


def _empty() -> Context:
    from opentelemetry.context import Context as Fresh

    return Fresh()


def _fail(span: object, why: str) -> None:
    from opentelemetry.trace import Span, Status, StatusCode

    assert isinstance(span, Span)
    span.set_status(Status(StatusCode.ERROR, why))
