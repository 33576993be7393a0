"""The server: requests of the protocol, answered by `botopt/authoring/editing`. No rules of the language live here."""

from __future__ import annotations

import logging
import os
import sys

from botopt.lsp import names, questions, texts
from botopt.lsp.serving import Server


def make_server() -> Server:
    """A server that does not speak yet."""
    server = Server()
    for method, answer, options in (*texts.FEATURES, *questions.FEATURES, *names.FEATURES):
        server.feature(method, options)(answer)
    return server


def serve() -> None:
    """Speak the protocol over the standard input and output until the editor ends it."""
    if not os.environ.get("BOTOPT_TRACEBACK"):
        logging.getLogger("pygls").setLevel(logging.CRITICAL)
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever prints must not speak to the editor
    server = make_server()
    try:
        server.start_io(stdin, stdout)
    finally:
        for session in server.sessions():
            session.close()
