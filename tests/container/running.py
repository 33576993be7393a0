"""Runs an image as a container engine would: own processes, network and mounts, a root folder that nobody may write.

There is no engine here, so `unshare` makes the namespaces and `launch.py` does the rest: everything of the image is
read-only but what is mounted; the program is process 1 with the image's user, environment, folder and command, and
has no capability and no way to get one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

_HERE = Path(__file__).parent
_ASK = """
import http.client, json, sys
method, path, headers, timeout = json.loads(sys.argv[1])
connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=timeout)
connection.request(method, path, sys.stdin.buffer.read() or None, headers)
answer = connection.getresponse()
sys.stdout.write(json.dumps([answer.status, answer.read().decode()]))
"""


class Volume(msgspec.Struct, frozen=True):
    """What is mounted at `target`: a folder, to be written (`rw`) or not (`ro`), or memory (`tmpfs`)."""

    target: str
    kind: str
    source: str = ""


class Image(msgspec.Struct, frozen=True):
    """Its files, mounted on this machine, and what it says about how to run it."""

    root: Path
    settings: Mapping[str, object]

    @classmethod
    def read(cls, root: Path, settings: Path) -> Image:
        return cls(root, json.loads(settings.read_bytes())["Docker"]["config"])

    @property
    def user(self) -> tuple[int, int]:
        user, _, group = str(self.settings["User"]).partition(":")
        return int(user), int(group)

    @property
    def environment(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.settings["Env"])  # type: ignore[attr-defined]


def owned(folder: Path, uid: int) -> Path:
    """A new folder of this user."""
    folder.mkdir()
    os.chown(folder, uid, uid)
    return folder


def volumes(policy: Path, state: Path, *, tmp: bool = True) -> tuple[Volume, ...]:
    """What an engine is asked to mount."""
    mounted = (Volume("/policy", "ro", str(policy)), Volume("/var/lib/botopt", "rw", str(state)))
    return (*mounted, Volume("/tmp", "tmpfs")) if tmp else mounted


class Answer(msgspec.Struct, frozen=True):
    """What the server said."""

    status: int
    text: str

    def json(self):
        return json.loads(self.text)


class Container:
    """One container, from its start to its end."""

    def __init__(
        self,
        image: Image,
        volumes: tuple[Volume, ...],
        *args: str,
        environment: Mapping[str, str] | None = None,
        user: tuple[int, int] | None = None,
        log: Path,
    ) -> None:
        self.image = image
        self.user = user or image.user
        self.environment = {**image.environment, **(environment or {})}
        self.log = log
        wanted = {
            "root": str(image.root),
            "volumes": [msgspec.to_builtins(volume) for volume in volumes],
            "folder": image.settings["WorkingDir"],
            "user": self.user[0],
            "group": self.user[1],
            "environment": self.environment,
            "command": [*image.settings["Entrypoint"], *(args or image.settings["Cmd"])],  # type: ignore[misc]
        }
        namespaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child=KILL"]
        with log.open("wb") as out:
            self._unshare = subprocess.Popen(
                ["unshare", *namespaces, sys.executable, "-IS", str(_HERE / "launch.py"), json.dumps(wanted)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        if self._unshare.poll() is None:
            self._unshare.kill()  # process 1 dies with it, and with process 1 all others
            self._unshare.wait(timeout=30)
        if fault is not None:
            print(self.said())

    def said(self) -> str:
        """All that the program printed until now."""
        return self.log.read_text("utf-8", errors="replace")

    def wait(self, timeout: float = 120) -> int:
        """Its exit code, when it has ended."""
        return self._unshare.wait(timeout=timeout)

    def first(self) -> int:
        """The number that process 1 of the container has on this machine."""
        deadline = time.monotonic() + 30
        children = Path(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children")
        while time.monotonic() < deadline:
            assert self._unshare.poll() is None, self.said()
            found = children.read_text().split()
            if found and "launch.py" not in Path(f"/proc/{found[0]}/cmdline").read_text():
                return int(found[0])
            time.sleep(0.01)
        raise AssertionError("the program did not start")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to process 1, as an engine does."""
        os.kill(self.first(), number)

    def run(self, *command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as `docker exec` does."""
        user, group = map(str, self.user)
        namespaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--root", f"--wd=/proc/{self.first()}/cwd"]
        return subprocess.run(
            ["nsenter", "-t", str(self.first()), *namespaces, "--setuid", user, "--setgid", group, "--", *command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, timeout: float = 30
    ) -> Answer | None:
        """One request to port 8080 from within the container's network; None: nobody answers."""
        request = json.dumps([method, path, dict(headers or {}), timeout])
        done = subprocess.run(
            ["nsenter", "-t", str(self.first()), "--net", "--", sys.executable, "-IS", "-c", _ASK, request],
            input=body,
            capture_output=True,
            timeout=timeout + 30,
            check=False,
        )
        if done.returncode:
            return None
        status, text = json.loads(done.stdout)
        return Answer(status, text)

    def wait_for(self, path: str, *, saying: str = "", seconds: float = 60) -> Answer:
        """The answer of a path when it is 200 and says this."""
        deadline = time.monotonic() + seconds
        answer = None
        while time.monotonic() < deadline:
            answer = self.ask("GET", path)
            if answer is not None and answer.status == 200 and saying in answer.text:
                return answer
            time.sleep(0.05)
        raise AssertionError(f"{path} did not say 200 {saying} within {seconds} s, but {answer}\n{self.said()}")
