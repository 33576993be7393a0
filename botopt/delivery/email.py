"""`email`: messages go out as e-mail, through a server that speaks SMTP.

A message counts as delivered when the server took responsibility for it. Where the connection broke off after its last
byte was sent, nobody knows.
"""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.headerregistry import Address
from os import strerror

from botopt.delivery.addresses import Forbidden, Resolve, Unknown, addresses, look_up
from botopt.delivery.certificates import certificates
from botopt.delivery.mail import ascii_domain, message_id, read_recipient, read_sender, written
from botopt.delivery.words import plain
from botopt.model.channels import Channel, ChannelType, Honesty, Option, OptionType, Surroundings
from botopt.model.delivery import Delivered, Failed, Outgoing, Receipt
from botopt.model.policy import DeliverySettings, Value

_ADDRESS_REFUSED, _MESSAGE_REFUSED = "the address was refused", "the message was refused"
_NO_SUCH_LETTERS = "the server takes no addresses with such letters"
_OF_THE_MESSAGE = frozenset({_ADDRESS_REFUSED, _MESSAGE_REFUSED, _NO_SUCH_LETTERS})
"""What a message is to blame for. Anything else (the login, the sender) waits until somebody has mended it."""

_LEADING_DOT = re.compile(rb"(?m)^\.")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class _Refused(Exception):
    """The server said no, in a reply with a code."""

    def __init__(self, code: int, words: bytes, step: str) -> None:
        super().__init__(step)
        self.code = code
        self.words = words
        self.step = step


class Email(Channel):
    """Sends each message over a connection of its own."""

    def __init__(self, options: Mapping[str, Value], surroundings: Surroundings, resolve: Resolve = look_up) -> None:
        fault = next(iter(check(options)), "")
        if fault:
            raise ValueError(fault)
        self._host = str(options["host"])
        self._security = str(options["security"])
        port = options["port"]
        self._port = port if isinstance(port, int) else _PORTS[self._security]
        self._login = (_text(options["username"]), _text(options["password"]))
        self._from = read_sender(str(options["from"]))
        self._options = options
        self._surroundings = surroundings
        self._resolve = resolve
        user, password = self._login
        together = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        alone = base64.b64encode(password.encode()).decode()
        self._secrets = (together, alone, password) if password else ()

    def send(self, message: Outgoing) -> Receipt:
        """Hand it to the server once."""
        try:
            to = read_recipient(message.address)
            content = written(message, to, self._from, self._options)
        except ValueError as fault:
            return Failed(str(fault))
        sent = threading.Event()
        try:
            with self._connected() as server:
                return Delivered(self._hand_over(server, message, to, content, sent))
        except _Refused as fault:
            words = plain(fault.words.decode("utf-8", "replace"), self._secrets)
            final = fault.step in _OF_THE_MESSAGE and 500 <= fault.code < 600
            return Failed(f"{fault.step}: {fault.code} {words}".strip(), retryable=not final)
        except Forbidden as fault:
            return Failed(str(fault))
        except (Unknown, OSError, smtplib.SMTPException, ValueError) as fault:
            doing = "no answer" if sent.is_set() else "the mail server"
            return Failed(f"{doing}: {_words(fault)}", retryable=True, unsure=sent.is_set())

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A conversation that has begun, and is cut off when the time is up."""
        ends = time.monotonic() + self._surroundings.timeout_s
        sock = self._connect(ends)
        # Each wait has its time-out; a server that says a letter now and then needs a clock beside it. It shuts the
        # connection down through a second handle, which stays good when encryption takes over the first.
        second = sock.dup()
        clock = threading.Timer(max(ends - time.monotonic(), 0), lambda: _shut(second))
        clock.daemon = True
        clock.start()
        server = smtplib.SMTP(local_hostname=_own_name(self._from), timeout=self._surroundings.timeout_s)
        try:
            if self._security == "tls":
                sock = self._encrypted(sock)
            server.sock, server.file = sock, None
            _expect(server.getreply(), "the greeting", 220)
            yield server
            with suppress(OSError, smtplib.SMTPException, ValueError):
                server.docmd("QUIT")
        finally:
            clock.cancel()
            with suppress(OSError, smtplib.SMTPException, ValueError):
                server.close()
            sock.close()
            second.close()

    def _connect(self, ends: float) -> socket.socket:
        found = addresses(
            self._host,
            self._port,
            private_networks=self._surroundings.private_networks,
            timeout_s=ends - time.monotonic(),
            resolve=self._resolve,
        )
        fault: Exception = TimeoutError()
        for number, address in enumerate(found):
            share = (ends - time.monotonic()) / (len(found) - number)
            if share <= 0:
                break
            try:
                sock = socket.create_connection((address, self._port), share)
            except OSError as why:
                fault = why
            else:
                sock.settimeout(max(ends - time.monotonic(), 0.001))
                return sock
        raise fault

    def _encrypted(self, sock: socket.socket) -> socket.socket:
        return certificates().wrap_socket(sock, server_hostname=self._host)

    def _hand_over(
        self, server: smtplib.SMTP, message: Outgoing, to: str, content: bytes, sent: threading.Event
    ) -> str | None:
        _expect(server.ehlo(), "the mail server", 250)
        if self._security == "starttls":
            _expect(server.docmd("STARTTLS"), "STARTTLS", 220)
            assert server.sock is not None
            # A new conversation: what was said before, and what was read ahead, counts no more.
            server.sock, server.file = self._encrypted(server.sock), None
            server.esmtp_features.clear()
            _expect(server.ehlo(), "the mail server", 250)
        user, password = self._login
        if user:
            try:
                server.login(user, password)
            except smtplib.SMTPAuthenticationError as fault:
                raise _Refused(fault.smtp_code, _bytes(fault.smtp_error), "the login was refused") from None
        options = ["SMTPUTF8", "BODY=8BITMIME"] if not to.isascii() else []
        if options and not server.has_extn("smtputf8"):
            raise _Refused(550, b"", _NO_SUCH_LETTERS)
        _expect(server.mail(self._from.addr_spec, options), "the sender was refused", 250)
        _expect(server.rcpt(to), _ADDRESS_REFUSED, 250, 251)
        _expect(server.docmd("DATA"), _MESSAGE_REFUSED, 354)
        server.send(_LEADING_DOT.sub(b"..", content) + b".\r\n")
        sent.set()
        _expect(server.getreply(), _MESSAGE_REFUSED, 250)
        return message_id(message, self._from)


def _own_name(sender: Address) -> str:
    """How we greet: nothing about this machine."""
    return ascii_domain(sender.domain)


def _expect(reply: tuple[int, bytes], step: str, *codes: int) -> None:
    if reply[0] not in codes:
        raise _Refused(reply[0], reply[1], step)


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _bytes(words: bytes | str) -> bytes:
    return words.encode() if isinstance(words, str) else words


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _words(fault: BaseException) -> str:
    if isinstance(fault, smtplib.SMTPServerDisconnected) and isinstance(fault.__context__, OSError):
        fault = fault.__context__
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"the certificate is not to be trusted ({fault.verify_message.partition(',')[0].lower()})"
    if isinstance(fault, ssl.SSLError):
        return "no encryption could be agreed on"
    if isinstance(fault, Unknown):
        return str(fault)
    if isinstance(fault, TimeoutError):
        return "it took too long"
    if isinstance(fault, smtplib.SMTPNotSupportedError):
        return "it does not offer what is needed for the login"
    if isinstance(fault, OSError) and fault.errno and not isinstance(fault, smtplib.SMTPException):
        return strerror(fault.errno).lower()
    return "the connection broke off"


def check(options: Mapping[str, Value]) -> tuple[str, ...]:
    """What does not go together."""
    found = []
    if bool(options.get("username")) != bool(options.get("password")):
        found.append("username and password go together")
    if options.get("username") and options.get("security") == "none":
        found.append("a password must not be sent without encryption: security must be starttls or tls")
    if options.get("one_click") and not str(options.get("unsubscribe") or "").startswith(("https://", "${")):
        found.append("one_click needs an unsubscribe address that begins with https://")
    for name in ("from", "reply_to"):
        text = options.get(name)
        if isinstance(text, str) and "${" not in text:
            try:
                read_sender(text)
            except ValueError as fault:
                found.append(str(fault))
    return tuple(dict.fromkeys(found))


TYPE = ChannelType(
    name="email",
    summary="Sends e-mail through a server that speaks SMTP.",
    make=Email,
    options=(
        Option("host", OptionType.TEXT, "The mail server.", required=True),
        Option(
            "port",
            OptionType.INTEGER,
            "Its port; 587 with `starttls`, 465 with `tls` and 25 with `none` if it is left out.",
            minimum=1,
            maximum=65_535,
        ),
        Option(
            "security",
            OptionType.TEXT,
            "How the connection is encrypted; `none` only for a server of your own.",
            default="starttls",
            one_of=("starttls", "tls", "none"),
        ),
        Option("username", OptionType.TEXT, "The name to log in with, if the server wants a login."),
        Option("password", OptionType.TEXT, "The password that goes with it.", secret=True),
        Option("from", OptionType.TEXT, "Who it is from: `Example <news@example.com>`.", required=True),
        Option("reply_to", OptionType.TEXT, "Where replies go, if not to the sender."),
        Option("subject", OptionType.TEXT, "The subject of messages without a title; else their first line."),
        Option("html", OptionType.BOOLEAN, "Whether there is an HTML part beside the text.", default=True),
        Option(
            "unsubscribe",
            OptionType.URL,
            "Where users unsubscribe; `{user}`, `{address}` and `{message}` in it are replaced.",
        ),
        Option(
            "one_click",
            OptionType.BOOLEAN,
            "Whether a POST to that address unsubscribes at once (RFC 8058).",
            default=False,
        ),
    ),
    honesty=Honesty.OFFICIAL_CLIENT,
    addressed="an e-mail address such as ana@example.com",
    buttons=True,
    settings=DeliverySettings(timeout_us=30 * 1_000_000),
    check=check,
)
