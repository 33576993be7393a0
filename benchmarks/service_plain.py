"""Yardsticks beside `botopt serve`: `python -m benchmarks.service_plain empty|straightforward PORT FILE`.

`empty` reads the body and answers 202: what the same web server and framework take when nothing is done.
`straightforward` is the service as it is usually written: a model that checks the event, a handler, one transaction for
each event, on the disk (`synchronous=FULL`) before the answer. It decides nothing and remembers nothing of its users.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel


def empty() -> FastAPI:
    app = FastAPI()

    @app.post("/v1/events", status_code=202)
    async def events(request: Request) -> Response:
        await request.body()
        return Response(b"{}", 202, media_type="application/json")

    return app


class Event(BaseModel):
    """What is checked."""

    id: str
    type: str
    user: str
    time: str
    data: dict[str, Any] = {}


def straightforward(path: str) -> FastAPI:
    app = FastAPI()
    store = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = FULL")
    store.execute("CREATE TABLE IF NOT EXISTS events (id TEXT, type TEXT, user TEXT, time TEXT, data TEXT)")
    lock = threading.Lock()

    @app.post("/v1/events", status_code=202)
    def events(event: Event) -> dict[str, str]:
        with lock:
            store.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
                (event.id, event.type, event.user, event.time, str(event.data)),
            )
        return {"id": event.id}

    return app


if __name__ == "__main__":
    kind, port, file = sys.argv[1:4]
    app = empty() if kind == "empty" else straightforward(file)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False, loop="uvloop")
