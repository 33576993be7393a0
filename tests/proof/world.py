"""A real `botopt serve`: a folder with a policy and a state file, and the process that serves it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

from botopt.model.live import DecisionQuery, DecisionRow, OutboxQuery, OutboxRow, OutboxStatus
from botopt.state.opening import open_reader
from botopt.state.sqlite import open_state
from tests.proof.policies import RULES, TEMPLATES, variables
from tests.proof.receiver import Receiver

ROOT = Path(__file__).parents[2]
SOAK = bool(os.environ.get("BOTOPT_SOAK"))
NO_AUTH = ("--no-auth",)

_SERVES = re.compile(r"botopt serves revision \S+ at http://\S+?:(\d+)")

_HANDS = '''\
"""The clock of this process runs as far ahead as a file says: Python reads this before anything else."""
import mmap, os, struct, time
_file = open(os.environ["PROOF_CLOCK"], "rb")
_ahead = mmap.mmap(_file.fileno(), 8, access=mmap.ACCESS_READ)
_time_ns = time.time_ns
time.time_ns = lambda: _time_ns() + struct.unpack("q", _ahead[:8])[0]
time.time = lambda: time.time_ns() / 1e9
'''

_LIMITED = """\
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
os.execv(sys.argv[2], sys.argv[2:])
"""


class World:
    """The process that serves, or several one after another. Each listens on a port that the system chooses."""

    def __init__(
        self,
        folder: Path,
        receiver: Receiver | None = None,
        *,
        rules: str = RULES,
        templates: str = TEMPLATES,
        options: tuple[str, ...] = NO_AUTH,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.receiver = receiver or Receiver()
        self.options = options
        self.state = folder / "state.db"
        self.port = 0
        self.key: str | None = None
        """The API key that `ask` shows."""
        self.process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread
        self.starts = 0
        self.written: list[str] = []
        """Every policy that was to be served."""
        self._environment = variables(self.receiver.urls) if environment is None else environment
        (folder / "rules").mkdir(parents=True)
        (folder / "templates").mkdir()
        (folder / "templates" / "templates.yaml").write_text(templates, encoding="utf-8")
        self.write(rules)

    # ------------------------------------------------------------ the policy, the clock

    def write(self, rules: str) -> None:
        """Put another policy into the folder, as a deployment does: the file is there whole, or not at all."""
        self.written.append(rules)
        beside = self.folder / "rules.new"
        beside.write_text(rules, encoding="utf-8")
        beside.replace(self.folder / "rules" / "rules.yaml")

    def set_clock(self, ahead_s: float) -> None:
        """From now on the process's clock is so far ahead. It must have been started with `clock=True`."""
        place = self.folder / "clock" / "ahead"
        place.parent.mkdir(exist_ok=True)
        (place.parent / "sitecustomize.py").write_text(_HANDS, encoding="utf-8")
        with place.open("r+b" if place.exists() else "wb") as file:  # the process has mapped this very file
            file.write(int(ahead_s * 1e9).to_bytes(8, sys.byteorder, signed=True))

    # ------------------------------------------------------------ the process

    def environment(self, *, clock: bool = False) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BOTOPT_", "OTEL_"))}
        path = [str(self.folder / "clock"), str(ROOT)] if clock else [str(ROOT)]
        ours = {"PYTHONPATH": os.pathsep.join(path), "COLUMNS": "200", "NO_COLOR": "1", "BOTOPT_CACHE_DIR": "off"}
        if clock:
            ours["PROOF_CLOCK"] = str(self.folder / "clock" / "ahead")
        return {**kept, **ours, **self._environment}

    def command(self, *options: str) -> list[str]:
        given = [sys.executable, "-m", "botopt", "serve", "-w", str(self.folder), "--state", str(self.state)]
        given += ["--port", "0", "--allow-private-networks", "--log-format", "json"]
        return [*given, *self.options, *options]

    def start(self, *options: str, wait: bool = True, clock: bool = False, most_bytes: int | None = None) -> None:
        """Start it. It can write no file beyond `most_bytes`."""
        self.starts += 1
        self.port = 0
        command = self.command(*options)
        if most_bytes is not None:
            command = [sys.executable, "-c", _LIMITED, str(most_bytes), *command]
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment(clock=clock),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        place = self.folder / f"log-{self.starts}.jsonl"
        place.touch()
        self._keeper = threading.Thread(target=_keep, args=(self.process.stdout, place), daemon=True)
        self._keeper.start()
        if wait:
            until(self.ready, "the service is not ready", 60, self.log)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def whole_log(self) -> str:
        """Everything that all processes said."""
        logs = [self.folder / f"log-{n}.jsonl" for n in range(1, self.starts + 1)]
        return "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs)

    def log(self) -> str:
        """The end of what the last process said."""
        return (self.folder / f"log-{self.starts}.jsonl").read_text(encoding="utf-8", errors="replace")[-4_000:]

    def kill(self) -> None:
        """As a power cut would, as far as a process can tell."""
        assert self.process is not None
        self.process.kill()
        self._over(30)

    def stop(self, within_s: float = 60) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self._over(within_s)

    def _over(self, within_s: float) -> int:
        assert self.process is not None
        status = self.process.wait(within_s)
        self._keeper.join(30)
        return status

    def end(self) -> None:
        """Leave nothing running, whatever a test was in the middle of."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def botopt(self, *words: str) -> str:
        """Run a command beside the service; what it said."""
        said = subprocess.run(
            [sys.executable, "-m", "botopt", *words, "--state", str(self.state)],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout

    # ------------------------------------------------------------ asking it

    def address(self) -> int:
        """The port, as the process told it. Nobody else can have taken it."""
        if not self.port:
            place = self.folder / f"log-{self.starts}.jsonl"
            found = _SERVES.search(place.read_text(encoding="utf-8", errors="replace"))
            if found is None:
                raise ConnectionError("it does not listen yet")
            self.port = int(found[1])
        return self.port

    def ask(self, method: str, path: str, body: bytes = b"", timeout: float = 20, **headers: str) -> tuple[int, bytes]:
        status, _, said = self.ask_all(method, path, body, timeout, **headers)
        return status, said

    def ask_all(
        self, method: str, path: str, body: bytes = b"", timeout: float = 20, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers, body.

        Raises:
            OSError: there was no whole answer.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.address(), timeout=timeout)
        try:
            named = {"content-type": "application/json"} | {name.replace("_", "-"): v for name, v in headers.items()}
            if self.key is not None:
                named.setdefault("x-api-key", self.key)
            connection.request(method, path, body or None, named)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        except http.client.HTTPException as fault:
            raise ConnectionError(str(fault)) from fault
        finally:
            connection.close()

    def get(self, path: str) -> tuple[int, bytes]:
        return self.ask("GET", path)

    def post(self, *events: Mapping[str, object], wait: bool = False, **headers: str) -> tuple[int, bytes]:
        said: object = events[0] if len(events) == 1 else events
        path = "/v1/events?wait=true" if wait else "/v1/events"
        return self.ask("POST", path, json.dumps(said).encode(), **headers)

    # ------------------------------------------------------------ what the state file holds

    def rows(self, *statuses: OutboxStatus) -> list[OutboxRow]:
        with closing(open_reader(self.state)) as reader:
            return list(reader.outbox(OutboxQuery(statuses=statuses, limit=1_000_000)))

    def decisions(self) -> list[DecisionRow]:
        """All of them, in the order in which they were committed."""
        with closing(open_reader(self.state)) as reader:
            return list(reader.decisions(DecisionQuery(limit=1_000_000)))[::-1]

    def quiet(self) -> bool:
        """Whether nothing is on its way any more."""
        return not self.rows(OutboxStatus.PENDING, OutboxStatus.CLAIMED)

    def close(self, within_s: float = 60) -> None:
        """End it as an operator does: it ends well, leaves one file, and the file is whole."""
        assert self.stop(within_s) == 0, self.log()
        beside = sorted(path.name for path in self.folder.glob("state.db*"))
        assert beside == ["state.db"], f"after an end in order there is more than the state: {beside}"
        with closing(open_state(self.state, create=False, read_only=True)) as store:
            store.check()
        assert "Traceback" not in self.whole_log()


def _keep(said: IO[bytes], place: Path) -> None:
    """Write down what a process says: through a pipe, so that a limit of its files does not make it speechless."""
    with said, place.open("wb", buffering=0) as log:
        while piece := said.read1(65_536):  # type: ignore[attr-defined]  # a pipe has it
            log.write(piece)


def until(holds: Callable[[], bool], words: str, within_s: float, more: Callable[[], str] = str) -> None:
    """Look again and again until it holds."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"{words}\n{more()}"
        time.sleep(0.02)


def heard(asking: Callable[[], tuple[int, bytes]]) -> int:
    """The status of an answer; 0 where there was none."""
    with suppress(OSError):
        return asking()[0]
    return 0


def now_text() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def event(n: int, kind: str = "hooked", *, prefix: str = "e", users: int = 50, **data: object) -> dict[str, object]:
    return {"id": f"{prefix}{n}", "type": kind, "user": f"u{n % users}", "time": now_text(), "data": {"n": n, **data}}
