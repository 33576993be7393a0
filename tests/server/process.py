"""A real `botopt serve`, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx

from tests.cli.running import ROOT

DEADLINE_S = 30.0

RULES = """
channels:
  chat: {type: console}

events:
  order_shipped:
    fields:
      order: {type: text}
    weight: 0.9
    message: shipped
    channel: chat
"""
TEMPLATES = """
templates:
  shipped:
    variants:
      only:
        text: "Order {{ order }} is on its way."
        buttons:
          - {label: Track, link: "https://shop.example/orders/{{ order | urlencode }}"}
    samples:
      - {order: A-1}
"""


def workspace(folder: Path) -> Path:
    """A policy that sends at any time of the day."""
    for name, text in (("rules", RULES), ("templates", TEMPLATES)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "shop.yaml").write_text(text, "utf-8")
    return folder


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BOTOPT_", "OTEL_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1", "BOTOPT_CACHE_DIR": "off", **more}


def botopt(*words: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "botopt", *words],
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


class Process:
    """The service, from its ready line to its end."""

    def __init__(self, folder: Path, *options: str, env: dict[str, str] | None = None) -> None:
        words = [sys.executable, "-m", "botopt", "serve", "-w", str(folder), "--port", "0", *options]
        self.process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment(**(env or {})),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._threads = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.out), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stderr, self.err), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self.ready = self.wait_for(lambda: next((line for line in self.err if "botopt serves" in line), ""))
        found = re.search(r"http://\S+:(\d+)", self.ready)
        assert found is not None, self.err
        self.url = f"http://127.0.0.1:{found[1]}"
        self.client = httpx.Client(base_url=self.url, timeout=20, verify=False)

    def _read(self, stream, lines: list[str]) -> None:
        lines.extend(line.rstrip("\n") for line in stream)  # each as it comes

    def wait_for(self, found: Callable[[], str]) -> str:
        """What is found before the deadline and the end of the process."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            value = found()
            if value:
                return value
            if self.process.poll() is not None:
                for thread in self._threads:
                    thread.join(5)
                value = found()
                assert value, f"ended with {self.process.returncode}: {self.err}"
                return value
            time.sleep(0.02)
        raise AssertionError(f"nothing came: {self.out} {self.err}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE_S)
        for thread in self._threads:
            thread.join(5)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
