"""Who calls, and what they may do: API keys with scopes, or a signature of Standard Webhooks for what comes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from botopt.model.api_keys import KeyScope, is_valid, matches, parse
from botopt.model.errors import StateError
from botopt.model.live import ApiKey, LiveReader
from botopt.runtime.clock import Clock
from botopt.server import webhook_signatures
from botopt.server.problems import Problem


class Caller(msgspec.Struct, frozen=True):
    """Somebody who may call. `id` says who without telling anything secret. The scope `admin` may do everything."""

    id: str
    scopes: frozenset[str]

    def may(self, scope: KeyScope) -> bool:
        """Whether this is allowed."""
        return scope in self.scopes or KeyScope.ADMIN in self.scopes


ANYBODY = Caller("anybody", frozenset(KeyScope))
"""Who calls where no key is asked for."""

SIGNED = Caller("webhook", frozenset({KeyScope.INGEST}))
"""Who signs with one of the webhook secrets."""

_CHALLENGE = {"www-authenticate": "Bearer"}


class Door:
    """Lets callers in. Keys are read again when the state file says that something changed. For one thread."""

    def __init__(self, reader: LiveReader | None, secrets: Sequence[bytes], clock: Clock, *, open_to_all: bool) -> None:
        self._reader = reader
        self._secrets = tuple(secrets)
        self._clock = clock
        self._open = open_to_all
        self._version: int | None = None
        self._keys: Mapping[str, ApiKey] = {}
        self._callers: dict[str, Caller] = {}
        self.refresh()

    @property
    def is_open(self) -> bool:
        """Whether anybody may call."""
        return self._open

    @property
    def usable(self) -> bool:
        """Whether there is anything to call with."""
        now_us = self._clock()
        return bool(self._open or self._secrets or any(is_valid(key, now_us) for key in self._keys.values()))

    @property
    def has_keys(self) -> bool:
        """Whether there are keys, be they valid or not."""
        return bool(self._keys)

    def refresh(self) -> None:
        """Look whether keys have changed. Cheap: call it twice a second or so, so that revoked ones end."""
        if self._reader is None:
            return
        version = self._reader.control_version()
        if version != self._version:
            keys = {key.id: key for key in self._reader.api_keys()}
            self._version = version
            if keys != self._keys:
                self._keys = keys
                self._callers = {id: Caller(f"key:{id}", frozenset(key.scopes)) for id, key in keys.items()}

    def by_key(self, headers: Mapping[str, str]) -> Caller | None:
        """Who has this key; None where there is none.

        Raises:
            Problem: there is one, and it is not good.
        """
        if self._open:
            return ANYBODY
        given = headers.get("x-api-key")
        if given is None:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer":
                return None
        parts = parse(given.strip())
        key = None if parts is None else self._key(parts[0])
        if parts is None or key is None or not matches(key, parts[1]):
            raise _unauthorized("the API key is not one of ours")
        if not is_valid(key, self._clock()):
            raise _unauthorized("the API key was revoked, or has expired")
        return self._callers[key.id]

    def _key(self, id: str) -> ApiKey | None:
        """The key of this id. One that is not known may have been made a moment ago."""
        if id not in self._keys:
            with suppress(StateError):  # the keys that are known go on; /readyz says what is wrong with the state
                self.refresh()
        return self._keys.get(id)

    def by_signature(self, headers: Mapping[str, str], body: bytes) -> Caller:
        """Who signed the body.

        Raises:
            Problem: nobody whom we know.
        """
        if not self._secrets or not webhook_signatures.is_signed(headers):
            raise nobody()
        wrong = webhook_signatures.verify(self._secrets, headers, body, self._clock())
        if wrong is not None:
            raise _unauthorized(wrong)
        return SIGNED


def nobody() -> Problem:
    """What is said to somebody who brings nothing."""
    return _unauthorized("there is no API key in the request")


def _unauthorized(detail: str) -> Problem:
    return Problem(
        "unauthorized",
        detail,
        "send a key as Authorization: Bearer bk_… (`botopt keys add` makes one), or sign as Standard Webhooks says",
        headers=_CHALLENGE,
    )


def require(caller: Caller, scope: KeyScope) -> None:
    """Let this caller do it.

    Raises:
        Problem: they may not.
    """
    if not caller.may(scope):
        raise Problem(
            "forbidden",
            f"this needs the scope {scope}, and the key has {', '.join(sorted(caller.scopes)) or 'none'}",
            f"make a key with --scope {scope}",
        )
