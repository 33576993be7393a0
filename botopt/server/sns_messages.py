"""Messages of Amazon SNS over HTTP: what is signed, by whom, and which addresses may be asked."""

from __future__ import annotations

import base64
import binascii
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from urllib.parse import urlsplit

from botopt.model.errors import BotoptError

Fetch = Callable[[str], bytes]
"""The body of what an https address answers with 2xx; raises `FetchFault`. Redirects are not followed."""

SnsMessage = Mapping[str, str]

SUBSCRIPTION, NOTIFICATION, UNSUBSCRIPTION = "SubscriptionConfirmation", "Notification", "UnsubscribeConfirmation"
_SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_NEEDED = ("Message", "MessageId", "Timestamp", "TopicArn", "Type", "Signature", "SignatureVersion", "SigningCertURL")
_HOST = re.compile(r"sns\.[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}\.amazonaws\.com(?:\.cn)?")
"""A region's name and nothing else: "s3-us-west-2" would be whoever has a bucket called "sns"."""
_MOST_CERTIFICATES = 16
_LONGEST_SIGNATURE = 4_096


class NotGenuine(BotoptError):
    """A message that SNS did not send, or that is none."""


class FetchFault(BotoptError):
    """An address did not give what it should; the text says why, without the address's query."""


def read_message(value: object) -> SnsMessage:
    """A message with everything that each has.

    Raises:
        NotGenuine: it is none.
    """
    if not isinstance(value, dict):
        raise NotGenuine("the body is no JSON object")
    texts = {key: text for key, text in value.items() if isinstance(text, str)}
    missing = [key for key in _NEEDED if not texts.get(key)]
    if missing:
        raise NotGenuine(f"{missing[0]} is missing")
    if any(key in value and key not in texts for key in _SIGNED):
        raise NotGenuine("a signed member is not text")
    return texts


def is_aws(url: str) -> bool:
    """Whether an address is one of SNS itself: https, its host, and neither a port nor somebody's name in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    # The host as it is written: `hostname` would accept what browsers and clients read differently.
    return plain and parts.scheme == "https" and _HOST.fullmatch(parts.netloc) is not None


def signed_text(message: SnsMessage) -> bytes:
    """What the signature is about: each of these members that is there, name and value on lines of their own."""
    return "".join(f"{key}\n{message[key]}\n" for key in _SIGNED if key in message).encode()


class Verifier:
    """Says whether messages are genuine. Certificates are kept; any thread may ask."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._certificates: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def knows(self, message: SnsMessage) -> bool:
        """Whether `verify` need ask nobody: it comes back at once."""
        return message["SigningCertURL"] in self._certificates

    def verify(self, message: SnsMessage) -> None:
        """Check the signature of a message.

        Raises:
            NotGenuine: it is not right.
            FetchFault: the certificate could not be had; it may be right.
        """
        from cryptography import x509
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.hashes import SHA1, SHA256

        url = message["SigningCertURL"]
        if not is_aws(url) or not urlsplit(url).path.endswith(".pem"):
            raise NotGenuine("SigningCertURL is not an address of SNS")
        match message["SignatureVersion"]:
            case "1":
                algorithm: SHA1 | SHA256 = SHA1()  # noqa: S303  # what SNS signs version 1 with
            case "2":
                algorithm = SHA256()
            case _:
                raise NotGenuine("SignatureVersion is neither 1 nor 2")
        try:
            signature = base64.b64decode(message["Signature"][:_LONGEST_SIGNATURE], validate=True)
        except (binascii.Error, ValueError):
            raise NotGenuine("Signature is no base64") from None
        try:
            key = x509.load_pem_x509_certificate(self._certificate(url)).public_key()
        except ValueError:
            self._forget(url)
            raise NotGenuine("there is no certificate at SigningCertURL") from None
        if not isinstance(key, RSAPublicKey):
            raise NotGenuine("the certificate at SigningCertURL holds no RSA key")
        try:
            key.verify(signature, signed_text(message), PKCS1v15(), algorithm)
        except InvalidSignature:
            raise NotGenuine("the signature is not right") from None

    def _certificate(self, url: str) -> bytes:
        found = self._certificates.get(url)
        if found is not None:
            return found
        with self._lock:  # one is fetched at a time: a flood of messages asks once
            found = self._certificates.get(url)
            if found is None:
                found = self._certificates[url] = self._fetch(url)
                while len(self._certificates) > _MOST_CERTIFICATES:
                    self._certificates.popitem(last=False)
            return found

    def _forget(self, url: str) -> None:
        with self._lock:
            self._certificates.pop(url, None)
