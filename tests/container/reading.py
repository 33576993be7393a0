"""Reads what an engine would read, and asks a health check about a server that answers as told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import msgspec

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
UID = 10001


class Instruction(msgspec.Struct, frozen=True):
    """One instruction of a Dockerfile: its word and the rest, on one line."""

    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        """The rest of an instruction in the exec form."""
        return json.loads(self.rest)


class Dockerfile(msgspec.Struct, frozen=True):
    """What stands before the first stage, and the stages."""

    before: tuple[Instruction, ...]
    stages: tuple[tuple[Instruction, ...], ...]

    @property
    def build(self) -> tuple[Instruction, ...]:
        return self.stages[0]

    @property
    def image(self) -> tuple[Instruction, ...]:
        return self.stages[-1]


def dockerfile() -> Dockerfile:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    stages: list[list[Instruction]] = [[]]
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            if word == "FROM":
                stages.append([])
            stages[-1].append(Instruction(word, rest.strip()))
    before, *others = map(tuple, stages)
    return Dockerfile(before, tuple(others))


def only(instructions: Sequence[Instruction], word: str) -> Instruction:
    [found] = [instruction for instruction in instructions if instruction.word == word]
    return found


def seconds(text: str) -> float:
    """`20s` or `1m` as a number."""
    return float(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


@contextmanager
def answering(statuses: Mapping[str, int]) -> Iterator[int]:
    """A server that answers each path with its status, and others with 404; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses.get(self.path, 404))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def check_health(command: Sequence[str], port: int) -> int:
    """The exit code of a health check that asks port 8080, asked about another port, with a proxy set."""
    assert command[0] == "python"
    words = [word.replace("8080", str(port)) for word in command[1:]]
    assert words != list(command[1:]), "it asks port 8080"
    env = {**os.environ, "http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    return subprocess.run([sys.executable, *words], env=env, capture_output=True, timeout=30, check=False).returncode


def mounted(folder: Path, moment: str, data: dict[str, str]) -> Path:
    """The folder of a ConfigMap as a kubelet makes it: links that are switched all at once when the ConfigMap changes."""
    for name, text in data.items():
        path = folder / f"..{moment}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "..data_tmp").symlink_to(f"..{moment}")
    (folder / "..data_tmp").rename(folder / "..data")
    for top in {name.partition("/")[0] for name in data}:
        if not (folder / top).is_symlink():
            (folder / top).symlink_to(f"..data/{top}")
    return folder
