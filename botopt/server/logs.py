"""The log: one line of JSON for each thing that happened, or words for a terminal. No texts, no secrets."""

from __future__ import annotations

import atexit
import logging
import sys
from collections import deque
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from enum import StrEnum
from threading import Event as Flag
from threading import Lock, Thread
from time import sleep
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger, Processor


class LogFormat(StrEnum):
    """How the log is written: `auto` is `pretty` on a terminal and `json` elsewhere."""

    AUTO = "auto"
    JSON = "json"
    PRETTY = "pretty"


class LogLevel(StrEnum):
    """What is logged: this and whatever is graver."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_LEVELS: Mapping[LogLevel, int] = {
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.INFO: logging.INFO,
    LogLevel.WARNING: logging.WARNING,
    LogLevel.ERROR: logging.ERROR,
}
_SILENCED = ("uvicorn.access", "httpx", "httpcore", "asyncio", "watchfiles")
"""Loggers that would quote addresses with secrets in them, or say what we say ourselves."""

_SOON_S = 0.05
_IDLE_S = 2.0
"""How long the thread that writes waits for more before it ends; the next line begins another."""

_MOST_WAITING = 10_000
_FIRST = ("timestamp", "level", "event")

_encode = msgspec.json.Encoder(enc_hook=repr).encode

Event = MutableMapping[str, Any]


def set_up(format: LogFormat, level: LogLevel, stream: TextIO | None = None) -> FilteringBoundLogger:
    """Send everything that is logged in this process to the stream (standard error), and give the service's logger."""
    import structlog

    stream = sys.stderr if stream is None else stream
    pretty = format is LogFormat.PRETTY or (format is LogFormat.AUTO and stream.isatty())
    lines = Lines(stream)
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_tracebacks,
    ]
    renderer: Processor = _Pretty(colours=stream.isatty()) if pretty else _json
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    _others(shared, renderer, _LEVELS[level], lines)
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


class Lines:
    """Writes lines, those of a moment together: a write for each would cost more than the decision that it tells of.

    What is grave is written at once, with all before it; the rest by a thread of its own, and when the process ends.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: deque[str] = deque()
        self._lock = Lock()
        self._wake = Flag()
        self._thread: Thread | None = None
        atexit.register(self.flush)

    def later(self, line: str) -> None:
        """Write it soon."""
        self._waiting.append(line)
        if not self._wake.is_set():
            self._wake.set()
            if self._thread is None:
                self._begin()
        elif len(self._waiting) > _MOST_WAITING:  # nobody reads as fast as we write
            self.flush()

    def now(self, line: str) -> None:
        """Write it now."""
        self._waiting.append(line)
        self.flush()

    debug = info = later
    warning = error = critical = exception = fatal = now
    msg = log = now

    def write(self, text: str) -> None:
        """As a stream: what libraries say is grave."""
        self.now(text.removesuffix("\n"))

    def flush(self) -> None:
        """Write what waits. A stream that is gone says nothing more, and stops nothing."""
        with self._lock:
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if waiting:
                with suppress(OSError, ValueError):
                    self._stream.write("\n".join((*waiting, "")))
                    self._stream.flush()

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._live, name="botopt-log", daemon=True)
                self._thread.start()

    def _live(self) -> None:
        while self._wake.wait(_IDLE_S):
            sleep(_SOON_S)
            self._wake.clear()
            self.flush()
        self._thread = None
        if self._waiting:  # since the last look; who comes from now on sees that there is no thread
            self._begin()


def _others(shared: list[Processor], renderer: Processor, level: int, lines: Lines) -> None:
    """What libraries log by the standard library goes the same way; only what is grave, and uvicorn's notes."""
    import structlog

    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _without_colours, renderer],
    )
    handler: logging.StreamHandler[Lines] = logging.StreamHandler(lines)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "botopt"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(level, logging.WARNING) if name != "botopt" else level)
    for name in _SILENCED:
        logging.getLogger(name).setLevel(logging.ERROR)
        logging.getLogger(name).handlers.clear()


class _Pretty:
    """Words for a terminal: what is known, in the order in which it was said; sentences stand on lines of their own."""

    def __init__(self, *, colours: bool) -> None:
        import structlog

        self._render = structlog.dev.ConsoleRenderer(colors=colours, sort_keys=False)

    def __call__(self, logger: object, name: str, event: Event) -> str:
        known: Event = {}
        below: list[str] = []
        for key, value in event.items():
            items = [str(item) for item in value] if isinstance(value, tuple | list) else []
            if any(" " in item for item in items):
                below += [f"    {line}" for item in items for line in item.splitlines()]
            elif items:
                known[key] = ",".join(items)
            elif value not in (None, (), []):
                known[key] = value
        return "\n".join((str(self._render(logger, name, known)), *below))


def _json(_: object, __: str, event: Event) -> str:
    """What is known, the time first; what is not known is left out."""
    first = {name: event.pop(name, None) for name in _FIRST}
    return _encode({name: value for name, value in (*first.items(), *event.items()) if value is not None}).decode()


def _without_tracebacks(_: object, __: str, event: Event) -> Event:
    """A fault is named by its type and the lines it passed, without what these lines held."""
    found = event.pop("exc_info", None)
    event.pop("exc_text", None)
    if found is None or found is False:
        return event
    fault = found if isinstance(found, BaseException) else sys.exc_info()[1] if found is True else found[1]
    if isinstance(fault, BaseException):
        event["fault"] = type(fault).__name__
        event["at"] = places(fault)
    return event


def _without_colours(_: object, __: str, event: Event) -> Event:
    event.pop("color_message", None)
    return event


def places(fault: BaseException) -> list[str]:
    """The last lines of code that a fault passed, innermost last."""
    from traceback import extract_tb

    return [
        f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}"
        for frame in extract_tb(fault.__traceback__)[-8:]
    ]
