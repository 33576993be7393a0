"""Access to Google's APIs: a service account's key, or a token that somebody else keeps fresh."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, Protocol

import msgspec

from botopt.delivery.answers import record, said, words
from botopt.delivery.http import Http, HttpFault
from botopt.delivery.tokens import Sign, signer
from botopt.model.delivery import Failed
from botopt.model.durations import SECOND_US

_LIFETIME_S = 3_600
_EARLY_US = 60 * SECOND_US
"""A token is renewed this long before it ends: a request that is on its way must still find it valid."""

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPE = "https://www.googleapis.com/auth/dialogflow"
_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address


class Account(msgspec.Struct, frozen=True):
    """A service account, as its key file has it. Other names in the file are passed over."""

    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = _TOKEN_URL


class Access(Protocol):
    """What gives tokens."""

    def token(self) -> tuple[str, bool]:
        """A token, and whether it was kept from an earlier message.

        Raises:
            HttpFault: none can be had now. Nothing was sent to the API, so nothing is unsure.
        """

    def forget(self, token: str) -> None:
        """This token was refused."""


class Given:
    """One token for ever."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> tuple[str, bool]:
        """The token."""
        return self._token, False

    def forget(self, token: str) -> None:
        """There is no other."""


class ServiceAccount:
    """Tokens of a service account, kept until shortly before they end.

    With an `audience` it signs them itself (`self_signed`); else it asks for them at `token_uri` (RFC 7523).
    """

    def __init__(self, account: Account, http: Http, now_us: Callable[[], int], sign: Sign, audience: str = "") -> None:
        self._account = account
        self._http = http
        self._now_us = now_us
        self._sign = sign
        self._audience = audience
        self._lock = Lock()
        self._kept = ""
        self._ends_us = 0

    def token(self) -> tuple[str, bool]:
        """The kept token, or a new one; one thread asks, the others wait for what it gets."""
        with self._lock:
            now_us = self._now_us()
            # A clock that was set back must not keep a token alive for ever.
            left_us = self._ends_us - now_us
            if self._kept and _EARLY_US < left_us <= _LIFETIME_S * SECOND_US:
                return self._kept, True
            self._kept, lifetime_s = self._self_signed(now_us) if self._audience else self._granted(now_us)
            self._ends_us = now_us + lifetime_s * SECOND_US
            return self._kept, False

    def forget(self, token: str) -> None:
        """Ask for another next time."""
        with self._lock:
            if self._kept == token:
                self._kept = ""

    def _self_signed(self, now_us: int) -> tuple[str, int]:
        email = self._account.client_email
        return self._sign(self._claims(now_us) | {"sub": email, "aud": self._audience}), _LIFETIME_S

    def _granted(self, now_us: int) -> tuple[str, int]:
        url = self._account.token_uri
        # The audience is the same where a private network has an address of its own for the token server.
        assertion = self._sign(self._claims(now_us) | {"aud": _TOKEN_URL, "scope": _SCOPE})
        try:
            response = self._http.request("POST", url, form={"grant_type": _GRANT, "assertion": assertion})
        except HttpFault as fault:
            failed = fault.failed
            raise HttpFault(
                msgspec.structs.replace(failed, detail=f"no access token: {failed.detail}", unsure=False)
            ) from fault
        answer = record(response.json())
        if not response.ok:
            failed = self._http.failure(
                response,
                said(answer.get("error_description")) or said(answer.get("error")),
                credentials={400, 401, 403},
                look_at="the option credentials",
            )
            raise HttpFault(msgspec.structs.replace(failed, detail=f"no access token: {failed.detail}", unsure=False))
        token = words(answer.get("access_token"))
        if not token:
            raise HttpFault(Failed("no access token: the token server answered without one", retryable=True))
        return token, _seconds(answer.get("expires_in"))

    def _claims(self, now_us: int) -> dict[str, object]:
        now_s = now_us // SECOND_US
        return {"iss": self._account.client_email, "iat": now_s, "exp": now_s + _LIFETIME_S}


def service_account(
    text: str, channel: str, http: Http, now_us: Callable[[], int], *, audience: str = ""
) -> ServiceAccount:
    """The service account whose key file holds `text`.

    Raises:
        ValueError: it is no such file. The sentence quotes nothing of it.
    """
    try:
        account = msgspec.json.decode(text, type=Account)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise ValueError(
            "credentials must hold the JSON key file of a service account, with client_email and private_key"
        ) from None
    headers = {"kid": account.private_key_id} if account.private_key_id else {}
    sign = signer(channel, "private_key in credentials", account.private_key, "RS256", headers)
    return ServiceAccount(account, http, now_us, sign, audience)


def _seconds(value: Any) -> int:  # noqa: ANN401  # whatever they send
    """How long a token lives; an hour where nobody says, and never longer."""
    known = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return min(value, _LIFETIME_S) if known else _LIFETIME_S
