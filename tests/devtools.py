"""A browser that is led: headless Chromium over its DevTools protocol, for pages that live only while they are served."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

from tests.browser import _FLAGS, chromium

PATIENCE_S = 90.0


class Page:
    """One tab. What it asked of the network stands in `asked`, what it threw in `thrown`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.asked: list[str] = []
        self.thrown: list[str] = []
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> dict:
        """Ask the browser for something, and wait for its answer."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv(timeout=PATIENCE_S))
            self._note(told)
            if told.get("id") == number:
                if "navigated" in told.get("error", {}).get("message", ""):
                    return {"result": {"value": None}}  # asked of a page that is gone
                assert "error" not in told, told["error"]
                return told["result"]

    def _note(self, told: dict) -> None:
        match told.get("method"):
            case "Network.requestWillBeSent":
                self.asked.append(told["params"]["request"]["url"])
            case "Network.webSocketCreated":
                self.asked.append(told["params"]["url"])
            case "Runtime.exceptionThrown":
                self.thrown.append(json.dumps(told["params"]["exceptionDetails"])[:500])

    def ask(self, script: str) -> object:
        """The value of an expression in the page; promises are awaited."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def go(self, url: str) -> None:
        """Open an address."""
        self.call("Page.navigate", url=url)

    def until(self, condition: str, what: str = "") -> None:
        """Wait until an expression in the page holds."""
        end = time.monotonic() + PATIENCE_S
        while not self.ask(f"Boolean({condition})"):
            assert time.monotonic() < end, f"{what or condition} never came: {self.text()[:2000]}"
            self.ask("new Promise(done => setTimeout(done, 100))")

    def text(self) -> str:
        """What a reader sees."""
        return str(self.ask("document.body ? document.body.innerText : ''"))

    def press(self, key: str, times: int = 1) -> None:
        """Press a key of the keyboard."""
        codes = {"Tab": 9, "Enter": 13, "Space": 32}
        for _ in range(times):
            shown = {"key": " " if key == "Space" else key, "code": key, "windowsVirtualKeyCode": codes[key]}
            if key != "Tab":
                shown["text"] = "\r" if key == "Enter" else " "
            self.call("Input.dispatchKeyEvent", type="keyDown", **shown)
            self.call("Input.dispatchKeyEvent", type="keyUp", **shown)

    def look(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Set the size of the window and the colours that the reader prefers."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path: Path) -> None:
        """Write what is seen as a PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """One browser with one tab."""
    command = [chromium(), *_FLAGS, f"--user-data-dir={folder}", "--remote-debugging-port=0", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            port = _port(folder / "DevToolsActivePort", process)
            with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE_S) as answer:
                tabs = json.load(answer)
            address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
            with connect(address, max_size=None, compression=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _port(file: Path, process: subprocess.Popen) -> int:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        lines = file.read_text().splitlines() if file.exists() else []
        if lines:
            return int(lines[0])
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("the browser did not start")
