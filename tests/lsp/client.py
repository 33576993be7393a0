"""A client of the protocol that is as plain as can be: every byte that the server writes must be a message."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 60
"""How long an answer may take before the test says that none came: machines of tests can be busy."""


class Client:
    """Starts a server for a folder and talks to it."""

    def __init__(self, folder: Path, **capabilities: object) -> None:
        self.folder = folder
        self.server = subprocess.Popen(
            [sys.executable, "-m", "botopt", "lsp", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._inbox: queue.Queue[dict] = queue.Queue()
        self._kept: list[dict] = []
        self._number = 0
        self.noise = b""
        threading.Thread(target=self._listen, daemon=True).start()
        self.told = self.ask("initialize", processId=None, rootUri=folder.as_uri(), capabilities=capabilities)
        self.tell("initialized")

    def _listen(self) -> None:
        stream = self.server.stdout
        assert stream is not None
        while line := stream.readline():
            if not line.startswith(b"Content-Length: "):
                self.noise += line
                continue
            length = int(line.split(b":")[1])
            while stream.readline().strip():
                pass
            self._inbox.put(json.loads(stream.read(length)))

    def _send(self, message: dict) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.server.stdin is not None
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        self.server.stdin.flush()

    def tell(self, method: str, **params: object) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, **params: object) -> object:
        """The answer to a request; a refusal as `{"error": …}`."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params or None})
        answer = self._wait(lambda message: message.get("id") == self._number and "method" not in message)
        return answer["result"] if "error" not in answer else {"error": answer["error"]}

    def _wait(self, wanted) -> dict:
        for message in self._kept:
            if wanted(message):
                self._kept.remove(message)
                return message
        while True:
            message = self._inbox.get(timeout=PATIENCE_S)
            if wanted(message):
                return message
            self._kept.append(message)

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str | None = None) -> None:
        text = (self.folder / name).read_text("utf-8") if text is None else text
        document = {"uri": self.uri(name), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)

    def change(self, name: str, text: str, version: int = 2) -> None:
        document = {"uri": self.uri(name), "version": version}
        self.tell("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])

    def findings(self, name: str, wanted=lambda found: True) -> list[dict]:
        """The next findings of a file that are as wanted; those before are taken away."""

        def fits(message: dict) -> bool:
            params = message.get("params") or {}
            is_it = message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == self.uri(name)
            return is_it and wanted(params["diagnostics"])

        return self._wait(fits)["params"]["diagnostics"]

    def at(self, what: str, name: str, line: int, character: int, **more: object) -> object:
        place = {"line": line, "character": character}
        return self.ask(f"textDocument/{what}", textDocument={"uri": self.uri(name)}, position=place, **more)

    def notes(self, method: str) -> list[dict]:
        """The notifications of a kind that came so far."""
        return [message["params"] for message in self._kept if message.get("method") == method]

    def close(self) -> int:
        """End the server as editors do; its exit code."""
        self.ask("shutdown")
        self.tell("exit")
        code = self.server.wait(PATIENCE_S)
        assert self.server.stderr is not None
        self.complaints = self.server.stderr.read().decode()
        return code

    def kill(self) -> None:
        if self.server.poll() is None:
            self.server.kill()
        self.server.wait()
        for stream in (self.server.stdin, self.server.stdout, self.server.stderr):
            if stream is not None:
                stream.close()
