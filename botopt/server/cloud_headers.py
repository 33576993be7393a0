"""CloudEvents in binary mode: attributes in `ce-*` headers (HTTP protocol binding 1.0.2, 3.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PREFIX = "ce-"
_NAME = re.compile(r"[a-z0-9]{1,64}")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")


class BadHeader(Exception):
    """A header that says nothing which can be read; the text says which."""


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether the request is a CloudEvent in binary mode."""
    return "ce-specversion" in headers


def envelope_of(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The attributes of a CloudEvent, extensions too.

    Raises:
        BadHeader: a value is not percent-encoded UTF-8.
    """
    found = {}
    for header, value in headers.items():
        name = header.removeprefix(_PREFIX)
        if header.startswith(_PREFIX) and _NAME.fullmatch(name) and name not in {"data", "datacontenttype"}:
            found[name] = _decoded(header, value)
    return found


def _decoded(header: str, value: str) -> str:
    """Header values come as Latin-1. Percent-encoding is undone once; what results is UTF-8, in its shortest form."""
    if '"' in value:
        value = _unquoted(value)
    raw = _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), value.encode("latin-1", "replace"))
    if raw == value.encode("latin-1", "replace") and raw.isascii():
        return value
    try:
        return raw.decode()  # refuses forms that are longer than need be
    except UnicodeDecodeError:
        raise BadHeader(f"the header {header} is not percent-encoded UTF-8") from None


def _unquoted(value: str) -> str:
    """A value in double quotes is taken without them; a backslash in it stands for what follows."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
