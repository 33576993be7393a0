"""`email`: a real mail server (aiosmtpd) judges what we say, and scripted ones what we make of their answers."""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from botopt.delivery.certificates import certificates
from botopt.delivery.email import TYPE, Email
from botopt.model.delivery import Delivered, Failed
from botopt.model.options import filled
from tests.delivery.messages import HOSTILE, NOW_US, outgoing, surroundings, with_buttons
from tests.delivery.peers import Connection, Way, peer

PASSWORD = "t0p-secret-of-mail"
ANA = "ana@example.com"


class Mailbox:
    """What a real server took."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.encrypted: list[bool] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.taken.append(envelope)
        self.encrypted.append(session.ssl is not None)
        return "250 taken"

    def mail(self) -> EmailMessage:
        [envelope] = self.taken
        found = message_from_bytes(envelope.original_content or b"", policy=default)
        assert isinstance(found, EmailMessage)
        assert not found.defects
        return found


def authenticator(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"me", PASSWORD.encode()), handled=False)


class Anywhere(Controller):
    """On a port that the system chooses."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def server(mailbox: Mailbox, **options: object) -> Iterator[Controller]:
    controller = Anywhere(mailbox, hostname="127.0.0.1", port=0, **options)  # type: ignore[arg-type]
    controller.start()
    try:
        yield controller
    finally:
        controller.stop()


def made(port: int, *, timeout_s: float = 5, host: str = "receiver.example", **options: object) -> Email:
    given = {"host": host, "port": port, "security": "none", "from": "Example <news@example.com>", **options}
    return Email(
        filled(TYPE, given, {}),  # type: ignore[arg-type]
        surroundings(timeout_s=timeout_s),
        resolve=lambda name, port: ("127.0.0.1",),
    )


def taken(message: object, **options: object) -> tuple[EmailMessage, Envelope]:
    mailbox = Mailbox()
    with server(mailbox, enable_SMTPUTF8=True) as controller:
        receipt = made(controller.port, **options).send(message)  # type: ignore[arg-type]
        assert isinstance(receipt, Delivered), receipt
    return mailbox.mail(), mailbox.taken[0]


def text_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_message_arrives_with_its_text_its_html_and_its_links():
    mail, envelope = taken(with_buttons(address=ANA, locale="de"), reply_to="Help <help@example.com>")
    assert (envelope.mail_from, envelope.rcpt_tos) == ("news@example.com", [ANA])
    headers = {name: str(mail[name]) for name in mail.keys()}  # noqa: SIM118  # a message is no map
    headers.pop("Content-Type")
    assert headers == {
        "From": "Example <news@example.com>",
        "To": ANA,
        "Subject": "Payment failed",
        "Date": "Wed, 01 Jul 2026 12:00:00 +0000",
        "Message-ID": "<0123456789abcdef01234567@example.com>",
        "Auto-Submitted": "auto-generated",
        "Reply-To": "Help <help@example.com>",
        "MIME-Version": "1.0",
    }
    assert text_of(mail, "plain") == (
        "Your payment of 12.50 EUR failed.\n\nPay now: https://example.com/c/abc?x=1&y=2\n"
    )
    assert text_of(mail, "html") == (
        '<!doctype html>\n<html lang="de">\n<meta charset="utf-8">\n<body>\n<h1>Payment failed</h1>\n'
        "<p>Your payment of 12.50 EUR failed.</p>\n"
        '<p><a href="https://example.com/c/abc?x=1&amp;y=2">Pay now</a></p>\n</body>\n</html>\n'
    )


def test_the_receipt_has_the_id_of_the_message():
    with server(Mailbox()) as controller:
        receipt = made(controller.port).send(outgoing(address=ANA, key="0123456789abcdef01234567:mail"))
    assert receipt == Delivered("<0123456789abcdef01234567.mail@example.com>")


def test_each_attempt_says_the_same():
    mailbox = Mailbox()
    with server(mailbox) as controller:
        for attempt in (1, 2):
            made(controller.port).send(with_buttons(address=ANA, attempt=attempt))
    first, second = mailbox.taken
    assert first.original_content == second.original_content


def test_no_html_where_none_is_wanted():
    mail, _ = taken(with_buttons(address=ANA), html=False)
    assert mail.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    ("message", "options", "subject"),
    [
        (outgoing(address=ANA), {}, "Your payment of 12.50 EUR failed."),
        (outgoing(address=ANA), {"subject": "News"}, "News"),
        (outgoing(address=ANA, title="T"), {"subject": "News"}, "T"),
        (outgoing(address=ANA, text="\n\nFirst\nSecond"), {}, "First"),
        (outgoing(address=ANA, title="a\r\nBcc: x@example.com"), {}, "a Bcc: x@example.com"),
        (outgoing(address=ANA, title="\x00\u2028x\x85y\x1b"), {}, "x y"),
        (outgoing(address=ANA, title="Grüße ☃ 😀"), {}, "Grüße ☃ 😀"),
        (outgoing(address=ANA, title="=?utf-8?q?x?="), {}, None),
        (outgoing(address=ANA, title="x" * 500), {}, "x" * 199 + "…"),
    ],
)
def test_subjects(message: object, options: dict[str, object], subject: str | None):
    mail, _ = taken(message, **options)
    assert mail["Bcc"] is None
    assert subject is None or mail["Subject"] == subject


def test_hostile_text_is_only_text():
    sent = with_buttons(address=ANA, text=HOSTILE + "\r\n.\r\nRSET\r\n..x", locale='"><script>')
    mail, envelope = taken(sent)
    clean = (HOSTILE + "\n.\nRSET\n..x").replace("\r\n", "\n").replace("\x1b", "")
    assert text_of(mail, "plain").startswith(clean)
    assert "<script" not in text_of(mail, "html")
    assert mail["Bcc"] is None
    assert envelope.rcpt_tos == [ANA]
    assert all(len(line) <= 998 for line in (envelope.original_content or b"").split(b"\r\n"))


def test_only_links_of_the_web_can_be_pressed():
    from botopt.model.delivery import OutgoingButton

    sent = outgoing(
        address=ANA, buttons=(OutgoingButton("A", "javascript:alert(1)", "p"), OutgoingButton("B", "http://x/\"'", "p"))
    )
    html = text_of(taken(sent)[0], "html")
    assert "<p>A: javascript:alert(1)</p>" in html
    assert '<a href="http://x/&quot;&#x27;">B</a>' in html


def test_the_way_to_unsubscribe_names_the_user():
    mail, _ = taken(
        outgoing(address=ANA, user="ü/1?"),
        unsubscribe="https://example.com/u/{user}?a={address}&m={message}",
        one_click=True,
    )
    assert mail["List-Unsubscribe"] == (
        "<https://example.com/u/%C3%BC%2F1%3F?a=ana%40example.com&m=0123456789abcdef01234567>"
    )
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "ana@",
        "@example.com",
        "ana@example.com\r\nRCPT TO:<bob@example.com>",
        "ana@example.com>\r\nDATA",
        "ana@example.com,bob@example.com",
        "Ana <ana@example.com>",
        "ana@exa mple.com",
        "ana@example.com\x00",
        "ana@a..example",
        f"{'a' * 65}@example.com",
        f"ana@{'a' * 70}.example",
    ],
)
def test_what_is_no_address_is_never_tried(address: str):
    assert made(9).send(outgoing(address=address)) == Failed("the address is not an e-mail address")


def test_international_addresses():
    _, envelope = taken(outgoing(address="ana@bücher.example"))
    assert envelope.rcpt_tos == ["ana@xn--bcher-kva.example"]
    mail, envelope = taken(outgoing(address="änä@example.com", title="Grüße"))
    assert envelope.rcpt_tos == ["änä@example.com"]
    assert mail["To"] == "änä@example.com"
    with server(Mailbox(), enable_SMTPUTF8=False) as controller:
        receipt = made(controller.port).send(outgoing(address="änä@example.com"))
    assert receipt == Failed("the server takes no addresses with such letters: 550")


# Encryption and login.


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    certificates.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    yield context
    certificates.cache_clear()


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it does not see that all is encrypted
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_password_goes_over_an_encrypted_connection_only(security: str, trusted: ssl.SSLContext):
    mailbox = Mailbox()
    ways = {"tls_context": trusted, "require_starttls": True} if security == "starttls" else {"ssl_context": trusted}
    login = {"authenticator": authenticator, "auth_required": True, "auth_require_tls": security == "starttls"}
    with server(mailbox, **ways, **login) as controller:
        good = made(controller.port, security=security, username="me", password=PASSWORD)
        assert isinstance(good.send(outgoing(address=ANA)), Delivered)
        wrong = made(controller.port, security=security, username="me", password="wrong-" + PASSWORD)
        refused = wrong.send(outgoing(address=ANA))
        other = made(controller.port, security=security, host="other.example").send(outgoing(address=ANA))
    assert len(mailbox.taken) == 1
    assert isinstance(refused, Failed)
    assert refused.detail.startswith("the login was refused: 535 ")
    assert (refused.retryable, PASSWORD in repr(refused)) == (True, False)
    assert other == Failed(
        "the mail server: the certificate is not to be trusted (hostname mismatch)", retryable=True
    )  # fmt: skip


def test_a_server_that_does_not_encrypt_gets_neither_password_nor_message():
    mailbox = Mailbox()
    with server(mailbox, authenticator=authenticator, auth_require_tls=False) as controller:
        receipt = made(controller.port, security="starttls", username="me", password=PASSWORD).send(
            outgoing(address=ANA)
        )
    assert isinstance(receipt, Failed)
    assert receipt.detail.startswith("STARTTLS: ")
    assert mailbox.taken == []


def test_what_is_said_before_the_encryption_counts_no_more(trusted: ssl.SSLContext):
    """Whoever sits between could put answers there (CVE-2011-0411 and its kin)."""

    def way(connection: Connection) -> None:
        sock = connection.sock
        sock.settimeout(5)
        lines = sock.makefile("rb")
        sock.sendall(b"220 x\r\n")
        lines.readline()
        sock.sendall(b"250-x\r\n250 STARTTLS\r\n")
        lines.readline()
        sock.sendall(b"220 go\r\n" + b"250-evil\r\n250 AUTH PLAIN\r\n235 ok\r\n" * 3)
        with suppress(OSError, ssl.SSLError), trusted.wrap_socket(sock, server_side=True) as inner:
            connection.sock = inner
            connection.wait()

    with peer(way) as there:
        receipt = made(there.port, timeout_s=1, security="starttls", username="me", password=PASSWORD).send(
            outgoing(address=ANA)
        )
    assert isinstance(receipt, Failed)
    assert receipt.retryable


# What answers mean.


def scripted(changes: Mapping[str, bytes | Callable[[Connection], None]]) -> Way:
    """A server that is well, but for its answer to some commands ("" is the greeting, "." the end of a message)."""
    usual = {"": b"220 x\r\n", "EHLO": b"250 x\r\n", "MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n"}
    answers = {**usual, "DATA": b"354 go on\r\n", ".": b"250 taken\r\n", "QUIT": b"221 bye\r\n", **changes}

    def way(connection: Connection) -> None:
        connection.sock.settimeout(5)
        lines = connection.sock.makefile("rb")
        command = ""
        while True:
            answer = answers[command]
            if callable(answer):
                return answer(connection)
            connection.send(answer)
            line = lines.readline()
            if command == "DATA" and answer.startswith(b"354"):
                while line not in {b".\r\n", b""}:
                    line = lines.readline()
                command = "."
            else:
                command = line[:4].decode("latin-1").strip().upper()
            if not line:
                return None

    return way


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"": b"554 no\r\n"}, Failed("the greeting: 554 no", retryable=True)),
        ({"": b"421 busy\r\n"}, Failed("the greeting: 421 busy", retryable=True)),
        ({"EHLO": b"502 what?\r\n"}, Failed("the mail server: 502 what?", retryable=True)),
        ({"MAIL": b"451 later\r\n"}, Failed("the sender was refused: 451 later", retryable=True)),
        ({"MAIL": b"550 spf\r\n"}, Failed("the sender was refused: 550 spf", retryable=True)),
        ({"RCPT": b"450 greylisted\r\n"}, Failed("the address was refused: 450 greylisted", retryable=True)),
        ({"RCPT": b"550-5.1.1 no such\r\n550 user\r\n"}, Failed("the address was refused: 550 5.1.1 no such user")),
        ({"DATA": b"452 full\r\n"}, Failed("the message was refused: 452 full", retryable=True)),
        ({".": b"552 too large\r\n"}, Failed("the message was refused: 552 too large")),
        ({".": b"451 later\r\n"}, Failed("the message was refused: 451 later", retryable=True)),
        ({".": b"999 what\r\n"}, Failed("the message was refused: 999 what", retryable=True)),
        ({"RCPT": Connection.reset}, Failed("the mail server: connection reset by peer", retryable=True)),
        ({".": Connection.reset}, Failed("no answer: connection reset by peer", retryable=True, unsure=True)),
        ({".": Connection.wait}, Failed("no answer: it took too long", retryable=True, unsure=True)),
        ({"RCPT": Connection.wait}, Failed("the mail server: it took too long", retryable=True)),
        ({".": lambda connection: None}, Failed("no answer: the connection broke off", retryable=True, unsure=True)),
        ({"DATA": lambda connection: None}, Failed("the mail server: the connection broke off", retryable=True)),
    ],
)
def test_what_an_answer_means(changes: Mapping[str, bytes], failed: Failed):
    with peer(scripted(changes)) as there:
        receipt = made(there.port, timeout_s=0.5).send(outgoing(address=ANA))
    if "took too long" in failed.detail:  # the clock may be faster than the time-out
        assert isinstance(receipt, Failed)
        assert (receipt.retryable, receipt.unsure) == (failed.retryable, failed.unsure)
    else:
        assert receipt == failed


def test_a_server_that_says_bye_badly_has_taken_the_message_all_the_same():
    for bye in (b"500 no\r\n", Connection.reset, Connection.wait):
        with peer(scripted({"QUIT": bye})) as there:
            assert isinstance(made(there.port, timeout_s=0.5).send(outgoing(address=ANA)), Delivered)


def test_a_server_that_drips_is_cut_off_in_time():
    def way(connection: Connection) -> None:
        while not connection.peer.over.wait(0.02):
            connection.send(b"2")

    with peer(way) as there:
        began = time.monotonic()
        receipt = made(there.port, timeout_s=0.4).send(outgoing(address=ANA))
        took = time.monotonic() - began
    assert isinstance(receipt, Failed)
    assert (receipt.retryable, receipt.unsure) == (True, False)
    assert took < 2


def test_a_server_that_repeats_the_password_does_not_bring_it_into_the_receipt(trusted: ssl.SSLContext):
    told = base64.b64encode(f"\0me\0{PASSWORD}".encode())

    def way(connection: Connection) -> None:
        connection.sock.settimeout(5)
        with suppress(OSError), trusted.wrap_socket(connection.sock, server_side=True) as inner:
            lines = inner.makefile("rb")
            inner.sendall(b"220 x\r\n")
            lines.readline()
            inner.sendall(b"250-x\r\n250 AUTH PLAIN\r\n")
            lines.readline()
            inner.sendall(b"535 wrong: " + told + b" " + PASSWORD.encode() + b"\r\n")
            lines.readline()

    with peer(way) as there:
        receipt = made(there.port, security="tls", username="me", password=PASSWORD).send(outgoing(address=ANA))
    assert receipt == Failed("the login was refused: 535 wrong: … …", retryable=True)


def test_a_mail_server_in_a_private_network_needs_an_operators_word():
    channel = Email(
        filled(TYPE, {"host": "mail.example", "from": "a@example.com"}, {}),
        surroundings(private_networks=False),
        resolve=lambda name, port: ("10.0.0.1",),
    )
    receipt = channel.send(outgoing(address=ANA))
    assert isinstance(receipt, Failed)
    assert "an operator can allow private networks" in receipt.detail


def test_ports_follow_the_encryption():
    asked: list[int] = []

    def resolve(host: str, port: int) -> tuple[str, ...]:
        asked.append(port)
        return ()

    for security in ("starttls", "tls", "none"):
        options = filled(TYPE, {"host": "m", "from": "a@example.com", "security": security}, {})
        receipt = Email(options, surroundings(), resolve=resolve).send(outgoing(address=ANA))
        assert receipt == Failed("the mail server: the host is not known", retryable=True)
    assert asked == [587, 465, 25]


def test_dates_are_those_of_the_decision():
    mail, _ = taken(outgoing(address=ANA, decided_us=NOW_US + 86_400_000_000))
    assert str(mail["Date"]) == "Thu, 02 Jul 2026 12:00:00 +0000"
