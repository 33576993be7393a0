"""W3C trace context: what comes in with requests and events, and is passed on."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

Trace = Mapping[str, str]
"""The headers `traceparent` and perhaps `tracestate`; empty for none."""

NO_TRACE: Trace = {}

TRACE = "botopt.trace"
"""Where the trace of our span stands in the scope."""

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]*)?")
_LENGTH = 55
_LONGEST = 512
_MARK = b'"traceparent"'


class _Extension(msgspec.Struct):
    traceparent: str = ""
    tracestate: str = ""


_extension = msgspec.json.Decoder(_Extension).decode


def read_trace(headers: Mapping[str, str], prefix: str = "") -> Trace:
    """The trace context that headers carry; a malformed one is none (W3C Trace Context, 3.2.2.3 and 4.3)."""
    parent = headers.get(f"{prefix}traceparent")
    if parent is None or len(parent) > _LONGEST or _TRACEPARENT.fullmatch(parent) is None:
        return NO_TRACE
    if parent.startswith("00") and len(parent) != _LENGTH:
        return NO_TRACE
    state = headers.get(f"{prefix}tracestate", "")
    if state and len(state) <= _LONGEST and state.isascii() and state.isprintable():
        return {"traceparent": parent, "tracestate": state}
    return {"traceparent": parent}


def trace_of(headers: Mapping[str, str], body: bytes) -> Trace:
    """The trace of a request: its own, else that of the one CloudEvent in it."""
    if "traceparent" in headers:
        return read_trace(headers)
    if "ce-traceparent" in headers:
        return read_trace(headers, "ce-")
    if _MARK not in body:
        return NO_TRACE
    try:
        found = _extension(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return NO_TRACE
    return read_trace({"traceparent": found.traceparent, "tracestate": found.tracestate})
