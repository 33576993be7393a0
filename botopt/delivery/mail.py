"""An e-mail as bytes: the same at every attempt, and nothing in it but text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from html import escape
from urllib.parse import quote

from botopt.delivery.words import with_links
from botopt.model.delivery import Outgoing
from botopt.model.policy import Value

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f-\x9f]{1,64}@[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f-\x9f]{1,253}")
_LONGEST_SUBJECT = 200
_LINK = re.compile(r"https?://", re.IGNORECASE)


def written(message: Outgoing, to: str, sender: Address, options: Mapping[str, Value]) -> bytes:
    """The whole mail to one recipient, with the options of the channel."""
    mail = EmailMessage(policy=SMTP if to.isascii() else SMTPUTF8)
    mail["From"] = sender
    local, _, domain = to.rpartition("@")
    mail["To"] = Address(username=local, domain=domain)
    mail["Subject"] = _subject(message, _text(options["subject"]))
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.decided_us // 1_000_000, UTC))
    mail["Message-ID"] = message_id(message, sender)
    mail["Auto-Submitted"] = "auto-generated"
    if reply_to := _text(options["reply_to"]):
        mail["Reply-To"] = read_sender(reply_to)
    if unsubscribe := _text(options["unsubscribe"]):
        for name, value in (("user", message.user), ("address", to), ("message", message.id)):
            unsubscribe = unsubscribe.replace(f"{{{name}}}", quote(value, safe=""))
        mail["List-Unsubscribe"] = f"<{unsubscribe}>"
        if options["one_click"]:
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(_clean(with_links(message)), cte="quoted-printable")
    if options["html"]:
        mail.add_alternative(_html(message), subtype="html", cte="quoted-printable")
        mail.set_boundary(f"={message.id}=")
    return mail.as_bytes()


def message_id(message: Outgoing, sender: Address) -> str:
    """What the mail is called, by everyone who hands it on."""
    return f"<{re.sub('[^0-9A-Za-z._-]', '.', message.key)}@{ascii_domain(sender.domain)}>"


def _subject(message: Outgoing, usual: str) -> str:
    first = next((line for line in message.text.splitlines() if line.strip()), "")
    line = _CONTROL.sub(" ", message.title or usual or first).strip()
    return line if len(line) <= _LONGEST_SUBJECT else f"{line[: _LONGEST_SUBJECT - 1]}…"


def _html(message: Outgoing) -> str:
    """The text as paragraphs; everything in it is only text."""
    blocks = re.split(r"\n[ \t]*\n", _clean(message.text).replace("\r\n", "\n").replace("\r", "\n"))
    parts = [f"<p>{escape(block.strip()).replace(chr(10), '<br>')}</p>" for block in blocks if block.strip()]
    for button in message.buttons:
        if button.link is not None and _LINK.match(button.link):
            parts.append(f'<p><a href="{escape(button.link)}">{escape(_clean(button.label))}</a></p>')
        elif button.link is not None:
            parts.append(f"<p>{escape(_clean(button.label))}: {escape(_clean(button.link))}</p>")
    title = f"<h1>{escape(_clean(message.title))}</h1>\n" if message.title else ""
    head = f'<!doctype html>\n<html lang="{escape(message.locale)}">\n<meta charset="utf-8">\n'
    return f"{head}<body>\n{title}" + "\n".join(parts) + "\n</body>\n</html>\n"


def _clean(text: str) -> str:
    """Without what is no text: control characters, but for line breaks and tabs."""
    return "".join(letter for letter in text if letter in "\n\r\t" or ord(letter) >= 32)


def read_recipient(address: str) -> str:
    """The address as SMTP takes it, its domain in ASCII."""
    if not _ADDRESS.fullmatch(address):
        raise ValueError("the address is not an e-mail address")
    local, _, domain = address.rpartition("@")
    return f"{local}@{ascii_domain(domain)}"


def ascii_domain(domain: str) -> str:
    """A domain as the wire has it.

    Raises:
        ValueError: it is none.
    """
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError("the address is not an e-mail address") from None


def read_sender(text: str) -> Address:
    """`Name <address>`, or an address alone.

    Raises:
        ValueError: it is neither.
    """
    name, address = parseaddr(text)
    if _CONTROL.search(text) or not _ADDRESS.fullmatch(address) or not address.isascii():
        raise ValueError("from and reply_to must be an address, such as Example <news@example.com>")
    return Address(display_name=name, addr_spec=address)


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""
