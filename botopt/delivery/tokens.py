"""Signed tokens (JWT, RFC 7519), for platforms that ask for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from botopt.model.errors import UsageError

Claims = Mapping[str, object]
Sign = Callable[[Claims], str]


def signer(channel: str, option: str, key: str, algorithm: str, headers: Mapping[str, str] | None = None) -> Sign:
    """What signs claims with a key: a shared secret (HS…) or a private key in PEM form (RS…).

    Raises:
        UsageError: PyJWT, or what it needs, is not installed.
        ValueError: the key does not fit the algorithm. The sentence names the option, never the key.
    """
    try:
        import jwt
    except ImportError as fault:
        raise UsageError(f"the channel \"{channel}\" needs more packages: pip install 'botopt[server]'") from fault

    own = dict(headers or {})

    def sign(claims: Claims) -> str:
        return jwt.encode(dict(claims), key, algorithm=algorithm, headers=own)

    try:
        sign({})
    except (jwt.PyJWTError, ValueError, TypeError):
        # What was raised may quote the key, so it is not kept as the cause.
        kind = "a private key in PEM form" if algorithm.startswith("RS") else "a shared secret"
        raise ValueError(f"{option} cannot sign with {algorithm}: it must be {kind}") from None
    except NotImplementedError:
        raise UsageError(f"the channel \"{channel}\" needs more packages: pip install 'botopt[server]'") from None
    return sign
