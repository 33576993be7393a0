"""Google's own protocol definitions and REST transports for Dialogflow, which judge what we send."""

from __future__ import annotations

import importlib
import json
import warnings
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def quiet_import(name: str) -> Any:
    """A module whose imports warn of what is to come, which here would be an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def judged(request: type, body: dict) -> Any:
    """The body as their protocol definition reads it; it raises at anything that it does not know."""
    json_format = quiet_import("google.protobuf.json_format")
    return json_format.ParseDict(body, request.pb(request()))


@pytest.fixture(scope="session")
def key_pair() -> tuple[str, Any]:
    """A private key in PEM form, and the public one."""
    key = rsa.generate_private_key(65_537, 2_048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return pem, key.public_key()


def key_file(pem: str, url: str) -> dict[str, str]:
    """A service account's key file, whose token server is our fake."""
    return {
        "type": "service_account",
        "project_id": "shop",
        "private_key_id": "key-1",
        "private_key": pem,
        "client_email": "botopt@shop.iam.gserviceaccount.com",
        "token_uri": f"{url}/token",
    }


def detect(module: str, url: str, credentials: Any, request: Any) -> Any:
    """Ask the fake through the official transport."""
    services = quiet_import(f"google.cloud.{module}.services.sessions")
    rest = quiet_import(f"google.cloud.{module}.services.sessions.transports.rest")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transport = rest.SessionsRestTransport(
            host=url.removeprefix("http://"), url_scheme="http", credentials=credentials
        )
        with services.SessionsClient(transport=transport) as client:
            return client.detect_intent(request=request, retry=None, timeout=10)


def same_json(one: bytes, other: bytes) -> bool:
    """Whether two bodies say the same; in JSON, 3 and 3.0 are one number."""
    return json.loads(one) == json.loads(other)
