"""The channels that speak to no particular platform."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from botopt.model.policy import Value
from tests.delivery.factories import Factory
from tests.delivery.peers import Connection, Reply, Request

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdefghijklmnopqrstuv").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"vutsrqponmlkjihgfedcba9876543210").decode()


def webhook(url: str, folder: Path) -> Mapping[str, Value]:
    return {
        "url": f"{url}/hook",
        "secret": [SECRET, OLD_SECRET],
        "authorization": "Bearer t0ken-of-the-receiver",
        "headers": {"X-Tenant": "blue"},
    }


def email(url: str, folder: Path) -> Mapping[str, Value]:
    parts = urlsplit(url)
    return {
        "host": parts.hostname or "",
        "port": parts.port or 0,
        "security": "none",
        "from": "Example <news@example.com>",
    }


def smtp(connection: Connection) -> None:
    """A mail server that takes everything. The whole message is the body of a request."""
    sock = connection.sock
    sock.settimeout(5)
    lines = sock.makefile("rb")
    sock.sendall(b"220 mail.example ESMTP\r\n")
    while line := lines.readline():
        match line.split()[0].upper() if line.split() else b"":
            case b"EHLO":
                sock.sendall(b"250-mail.example\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
            case b"DATA":
                sock.sendall(b"354 go on\r\n")
                body = b""
                while (line := lines.readline()) not in {b".\r\n", b""}:
                    body += line.removeprefix(b".")
                with connection.peer.changed:
                    connection.peer.requests.append(Request("DATA", "", {}, body))
                    connection.peer.changed.notify_all()
                sock.sendall(b"250 taken\r\n")
            case b"QUIT":
                sock.sendall(b"221 bye\r\n")
                return
            case b"MAIL" | b"RCPT":
                sock.sendall(b"250 ok\r\n")
            case _:
                sock.sendall(b"500 what?\r\n")


FACTORIES = {
    "console": Factory(options=lambda url, folder: {}, local=True, http=False),
    "file": Factory(
        options=lambda url, folder: {"path": str(folder / "messages.jsonl")},
        local=True,
        http=False,
        spoils=({"path": "/"}, {"path": 5}, {"paht": "x"}),
    ),
    "webhook": Factory(
        options=webhook,
        yes=lambda request: Reply(200, b'{"id": "r-1"}'),
        key_of=lambda request: request.headers["webhook-id"],
        text_of=lambda request: request.json()["data"]["text"],  # type: ignore[index]
        spoils=(
            {"url": "ftp://example.com/"},
            {"url": "http://user:pass@example.com/"},
            {"secret": "plain-words-that-are-no-secret"},
            {"secret": ["whsec_c2hvcnQ="]},
            {"secret": "whsk_c2hvcnQ="},
            {"headers": {"Authorization": "Bearer x"}},
            {"headers": {"webhook-id": "x"}},
            {"headers": {"a b": "x"}},
        ),
    ),
    "email": Factory(
        options=email,
        way=smtp,
        http=False,
        address="ana@example.com",
        spoils=(
            {"port": 0},
            {"port": 70_000},
            {"security": "ssl"},
            {"username": "me"},
            {"username": "me", "password": "t0p-secret-of-mail"},
            {"from": "nobody"},
            {"from": "a@example.com\r\nBcc: b@example.com"},
            {"reply_to": "x"},
            {"one_click": True},
            {"unsubscribe": "mailto:x@example.com"},
        ),
    ),
    "apprise": Factory(
        options=lambda url, folder: {"urls": [f"{url.replace('http', 'json')}/t0ken-of-the-service"]},
        text_of=lambda request: request.json()["message"],  # type: ignore[index]
        knows=False,
        http=False,
        spoils=({"urls": ["nothing://x y"]}, {"urls": []}, {"urls": "words"}),
    ),
}
