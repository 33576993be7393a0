"""A few connections that only read, shared by the threads that ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue
from threading import Lock

from botopt.model.errors import StateError
from botopt.model.live import LiveReader
from botopt.runtime.items import Overloaded, Stopping

MOST = 4
_WAIT_S = 10.0


class Readers:
    """At most `most` readers, each opened when it is first needed. One thread has a reader at a time."""

    def __init__(self, open_reader: Callable[[], LiveReader], most: int = MOST) -> None:
        self._open = open_reader
        self._most = most
        self._idle: LifoQueue[LiveReader | None] = LifoQueue()
        self._lock = Lock()
        self._closed = False
        for _ in range(most):
            self._idle.put(None)

    @contextmanager
    def reader(self) -> Iterator[LiveReader]:
        """One of them, for a moment; waits for one that is free.

        Raises:
            StateError: the state cannot be read.
            Overloaded: none was free for a long time.
            Stopping: the service has ended.
        """
        try:
            reader = self._idle.get(timeout=_WAIT_S)
        except Empty:
            raise Overloaded(1) from None
        try:
            if self._closed:
                raise Stopping("the service has ended")
            reader = self._open() if reader is None else reader
            yield reader
        except StateError:  # what another connection left behind may be mended by a new one
            if reader is not None:
                reader.close()
                reader = None
            raise
        finally:
            with self._lock:
                if self._closed and reader is not None:
                    reader.close()
                    reader = None
                self._idle.put(reader)

    def close(self) -> None:
        """Close those that nobody has; the others when they come back."""
        with self._lock:
            self._closed = True
            free = [self._idle.get_nowait() for _ in range(self._idle.qsize())]
            for reader in free:
                if reader is not None:
                    reader.close()
                self._idle.put(None)
