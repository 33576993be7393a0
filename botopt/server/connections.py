"""The HTTP protocol of uvicorn, with what it lacks: an end to waiting for a request, and to headers without end."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_SECONDS = 10.0
"""How long a connection may take to say what it wants."""

MOST_HEAD_BYTES = 32 << 10

MOST_REST_BYTES = 16 << 20
"""Of a request that was answered already."""


class Connection(HttpToolsProtocol):
    """One connection. It is closed if a request's headers do not come in time, or do not end.

    The same holds for the rest of a request that was answered before it was whole, such as a body that is too long: it
    is read and thrown away, so that the answer arrives, but not for ever.
    """

    head_seconds = HEAD_SECONDS

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401  # as uvicorn gives them
        super().__init__(*args, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._waited_bytes = 0
        self._whole = True
        self._unanswered: list[RequestResponseCycle] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._stop_waiting()
        self._nobody_listens()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes come in. Between two requests uvicorn's own time limit holds; it ends with the first byte."""
        cycle: RequestResponseCycle | None = self.cycle  # there is none before the first request
        if self._deadline is None and (cycle is None or cycle.response_complete):
            self._wait()
        super().data_received(data)
        if self._deadline is None:
            return
        self._waited_bytes += len(data)
        if self.transport.is_closing():
            return
        if self._whole and self._waited_bytes > MOST_HEAD_BYTES:
            self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n")
            self.transport.close()
        elif self._waited_bytes > MOST_REST_BYTES:
            self.transport.close()

    def on_headers_complete(self) -> None:
        """A request is known."""
        self._stop_waiting()
        self._whole = False
        super().on_headers_complete()
        self._unanswered = [cycle for cycle in self._unanswered if not cycle.response_complete]
        if self.cycle is not None:
            self._unanswered.append(self.cycle)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._whole = True
        self._stop_waiting()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP. Where an answer is still owed to what came before, this one would be taken for it."""
        owed = [cycle for cycle in self._unanswered if not cycle.response_complete]
        if len(owed) > (not self._whole):  # the last one is the broken request itself, if its head was read
            self.transport.close()
        elif not self.transport.is_closing():
            super().send_400_response(msg)
        self._nobody_listens()

    def _nobody_listens(self) -> None:
        """Whoever still works on an answer must not write to a closed connection. uvicorn tells the last one only."""
        for cycle in self._unanswered:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self._unanswered = []

    def _wait(self) -> None:
        self._waited_bytes = 0
        self._deadline = self.loop.call_later(self.head_seconds, self._too_late)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
