"""A real `botopt serve`, receivers that misbehave, clients that try again, and an account of everything in the end."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

import msgspec

from botopt.model.live import DecisionQuery, DecisionRow, OutboxQuery, OutboxRow, OutboxStatus
from botopt.state.opening import open_reader
from tests.delivery.peers import Connection, Peer, Reply, Request, Way, peer

ROOT = Path(__file__).parents[2]
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
KEY_PLACE = "webhook-id"
SOAK = bool(os.environ.get("BOTOPT_SOAK"))

RULES = """\
settings: {{fatigue: {{per_message: 0}}, engagement: {{effect: 0}}}}
channels:
  hook:
    type: webhook
    url: {hook}/in
    secret: ${{PROOF_SECRET}}
    timeout: 2s
    concurrency: 8
  sms:
    type: twilio
    account_sid: AC11111111111111111111111111111111
    auth_token: ${{PROOF_TOKEN}}
    from: "+15005550006"
    url: {sms}
    timeout: 2s
    rate: {{messages: 1000, per: 1s}}
    concurrency: 8
events:
  hooked: {{weight: 0.9, threshold: 0.1, message: hooked, channel: hook, fields: {{n: {{type: integer}}}}}}
  texted: {{weight: 0.9, threshold: 0.1, message: texted, channel: sms, fields: {{n: {{type: integer}}}}}}
  weak: {{weight: 0.1, threshold: 0.5, message: hooked, channel: hook, fields: {{n: {{type: integer}}}}}}
  seen: {{fields: {{n: {{type: integer}}}}}}
  nightly:
    weight: 0.9
    threshold: 0.1
    message: hooked
    channel: hook
    fields: {{n: {{type: integer}}}}
suppression:
  - {{id: night, quiet_hours: {{from: "22:00", to: "08:00"}}, events: [nightly]}}
"""
TEMPLATES = """\
templates:
  hooked: "hooked {{ n }} of {{ user.id }}"
  texted: "texted {{ n }} of {{ user.id }}"
"""


class Receiver:
    """The other side of both channels: it remembers what it took, by idempotency key or by text, and never forgets.

    `way` says how it treats a connection; None: it takes everything.
    """

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.bodies: dict[str, set[bytes]] = {}
        self.lock = threading.Lock()
        self.way: Way | None = None
        self.peer: Peer

    def note(self, request: Request) -> Reply:
        """Take it: from here on the message has reached its user, whether or not anybody hears of that."""
        if request.path == "/in":
            key, body = request.headers[KEY_PLACE], request.body
            reply = Reply(200, b"{}")
        else:
            key, body = request.form()["Body"], request.body
            reply = Reply(201, b'{"sid": "SM%032x", "status": "queued"}' % abs(hash(key)))
        with self.lock:
            self.taken[key] += 1
            self.bodies.setdefault(key, set()).add(body)
        return reply

    def __call__(self, connection: Connection) -> None:
        if self.way is not None:
            self.way(connection)
            return
        while (request := connection.read()) is not None:
            connection.send(self.note(request).encoded())


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens as long as the block."""
    receiver = Receiver()
    with peer(receiver) as there:
        receiver.peer = there
        yield receiver


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class World:
    """A folder with a policy and a state file, and the process that serves it, or several one after another."""

    def __init__(self, folder: Path, receiver: Receiver, *, state: Path | None = None) -> None:
        self.folder = folder
        self.receiver = receiver
        self.state = state or folder / "state.db"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        (folder / "rules").mkdir(parents=True)
        (folder / "templates").mkdir()
        self.write(RULES.format(hook=receiver.peer.url, sms=receiver.peer.url))
        (folder / "templates" / "templates.yaml").write_text(TEMPLATES, encoding="utf-8")

    def write(self, rules: str) -> None:
        (self.folder / "rules" / "rules.yaml").write_text(rules, encoding="utf-8")

    def command(self, *options: str) -> list[str]:
        given = [sys.executable, "-m", "botopt", "serve", "-w", str(self.folder), "--state", str(self.state)]
        given += ["--port", str(self.port), "--no-auth", "--allow-private-networks", "--log-format", "json"]
        return [*given, *options]

    def environment(self, **more: str) -> dict[str, str]:
        ours = {"PROOF_SECRET": SECRET, "PROOF_TOKEN": "a-token-that-nobody-sees"}
        return {**os.environ, "PYTHONPATH": str(ROOT), **ours, **more}

    def start(self, *options: str, wait: bool = True, **environment: str) -> None:
        self.starts += 1
        log = (self.folder / f"log-{self.starts}.jsonl").open("wb")
        with log:
            self.process = subprocess.Popen(
                self.command(*options),
                cwd=self.folder,
                env=self.environment(**environment),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if wait:
            until(self.ready, "the service is not ready", 60, self.log)

    def ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def log(self) -> str:
        return (self.folder / f"log-{self.starts}.jsonl").read_text(encoding="utf-8", errors="replace")[-4_000:]

    def kill(self) -> None:
        """As a power cut would, as far as a process can tell."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def stop(self, within_s: float = 60) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)

    def ask(self, method: str, path: str, body: bytes = b"", timeout: float = 20, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            named = {"content-type": "application/json"} | {name.replace("_", "-"): v for name, v in headers.items()}
            connection.request(method, path, body or None, named)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except http.client.HTTPException as fault:
            raise ConnectionError(str(fault)) from fault
        finally:
            connection.close()

    def get(self, path: str) -> tuple[int, bytes]:
        return self.ask("GET", path, timeout=5)

    def post(self, *events: Mapping[str, object], wait: bool = False) -> tuple[int, bytes]:
        said: object = events[0] if len(events) == 1 else events
        return self.ask("POST", "/v1/events?wait=true" if wait else "/v1/events", json.dumps(said).encode())

    def rows(self, *statuses: OutboxStatus) -> list[OutboxRow]:
        with closing(open_reader(self.state)) as reader:
            return list(reader.outbox(OutboxQuery(statuses=statuses, limit=1_000_000)))

    def decisions(self) -> list[DecisionRow]:
        with closing(open_reader(self.state)) as reader:
            return list(reader.decisions(DecisionQuery(limit=1_000_000)))

    def quiet(self) -> bool:
        """Whether nothing is on its way any more."""
        return not self.rows(OutboxStatus.PENDING, OutboxStatus.CLAIMED)


def until(holds: Callable[[], bool], words: str, within_s: float, more: Callable[[], str] = str) -> None:
    """Look again and again until it holds."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"{words}\n{more()}"
        time.sleep(0.02)


def now_text() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def event(n: int, kind: str = "hooked", *, prefix: str = "e", users: int = 50, **data: object) -> dict[str, object]:
    return {"id": f"{prefix}{n}", "type": kind, "user": f"u{n % users}", "time": now_text(), "data": {"n": n, **data}}


class Clients:
    """Threads that post events, and post each again until it was taken: what a careful client does."""

    KINDS = ("hooked", "texted", "hooked", "weak", "seen")

    def __init__(self, world: World, threads: int = 4, *, batch: int = 1, pause_s: float = 0.0) -> None:
        self.world = world
        self.batch = batch
        self.pause_s = pause_s
        self.taken: dict[str, str] = {}
        self.tried = 0
        self.statuses: Counter[int] = Counter()
        self.over = threading.Event()
        self.lock = threading.Lock()
        self._next = 0
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self) -> None:
        while not self.over.is_set():
            with self.lock:
                first, self._next = self._next, self._next + self.batch
            events = [event(n, self.KINDS[n % len(self.KINDS)]) for n in range(first, first + self.batch)]
            while not self._post(events):
                if self.over.is_set():
                    return
                time.sleep(0.02)
            time.sleep(self.pause_s)

    def _post(self, events: list[dict[str, object]]) -> bool:
        self.tried += 1
        try:
            status, _ = self.world.post(*events)
        except OSError:
            return False
        with self.lock:
            self.statuses[status] += 1
            if status == 202:
                self.taken.update((str(one["id"]), str(one["type"])) for one in events)
        return status == 202


class Account(msgspec.Struct):
    """What the books say in the end, in numbers for the report."""

    taken: int
    decided: int
    sent: int
    delivered: int
    repeated: int
    unsure: int
    starts: int


def account(world: World, taken: Mapping[str, str]) -> Account:
    """Every 2xx event has exactly one decision, every `sent` message was attempted, none came twice beyond what the
    receiver's own idempotency key absorbs.
    """
    decisions = world.decisions()
    real = [one for one in decisions if one.reason != "duplicate"]
    per_event = Counter(one.event_id for one in real if one.outcome != "rejected")
    twice = {name: count for name, count in per_event.items() if count > 1}
    assert not twice, f"decided twice: {twice}"
    lost = [name for name, kind in taken.items() if kind != "seen" and name not in per_event]
    assert not lost, f"taken, and never decided: {lost[:10]} and {len(lost)} in all"
    assert not [one for one in decisions if one.outcome == "rejected"]

    sent = {one.id: one for one in real if one.outcome == "sent"}
    rows = {row.message_id: row for row in world.rows()}
    assert sent.keys() == rows.keys(), "the outbox does not hold what was sent"
    never = [key for key, row in rows.items() if row.attempts < 1 and row.status is not OutboxStatus.WITHDRAWN]
    assert not never, f"sent, and never attempted: {never[:10]}"
    open_ = [row for row in rows.values() if row.status in {OutboxStatus.PENDING, OutboxStatus.CLAIMED}]
    assert not open_

    received = world.receiver.taken
    texts = {row.message_id: json.loads(sent[row.message_id].record)["message"]["text"] for row in rows.values()}
    repeated = unsure = delivered = 0
    for row in rows.values():
        came = received[row.message_id] if row.channel == "hook" else received[texts[row.message_id]]
        match row.status:
            case OutboxStatus.DELIVERED:
                assert came >= 1, f"{row.key} counts as delivered, and never came"
                delivered += 1
            case OutboxStatus.UNSURE:
                assert row.channel == "sms", f"{row.key}: the receiver absorbs repeats, so it is never unsure"
                unsure += 1
            case _:
                pass
        if row.channel == "sms":
            assert came <= 1, f"{row.key} came {came} times to a receiver that cannot tell"
        elif came > 1:
            repeated += 1
            assert len(world.receiver.bodies[row.message_id]) >= 1
    known = set(rows) | set(texts.values())
    assert not set(received) - known, "something came that was never decided"
    return Account(len(taken), len(per_event), len(sent), delivered, repeated, unsure, world.starts)
