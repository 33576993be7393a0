"""From a line to what it says of itself, before any policy declares its type."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.model.event import Line
from botopt.model.values import shown
from botopt.sources.faults import Fault
from botopt.sources.instants import END_US, FIRST_US, rfc3339_us
from botopt.sources.jsonl import MAX_LINE_BYTES, LongLine
from botopt.sources.strict_json import parse
from botopt.sources.texts import MAX_NAME, MAX_SOURCE, unfit

_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


class Recorded(msgspec.Struct, frozen=True):
    """An event as it was recorded: its type by the name under which it came, and its data as JSON."""

    type: str
    user: str
    at_us: int
    data: Mapping[str, object]


def recorded(line: Line) -> Recorded | None:
    """The event of a line; None for a blank one.

    Raises:
        Fault: it is no event, whatever a policy declares; `detail` says why.
    """
    raw = line.raw.removeprefix(_BOM) if line.number == 1 else line.raw
    if isinstance(line.raw, LongLine) or len(raw) > MAX_LINE_BYTES:
        raise Fault("the line is too long")
    if not raw.strip(_BLANK):
        return None
    try:
        envelope = parse(raw.decode())
    except UnicodeDecodeError:
        raise Fault("not UTF-8 text") from None
    if not isinstance(envelope, dict):
        raise Fault(f"not a JSON object: the line is {shown(envelope)}")
    cloud = "specversion" in envelope
    if cloud and (envelope["specversion"] != "1.0" or envelope.get("data_base64") is not None):
        raise Fault("not CloudEvents 1.0 with a JSON object in data")
    _name(envelope, "id")
    type_, user = _name(envelope, "type"), _name(envelope, "subject" if cloud else "user")
    if cloud:
        _name(envelope, "source", MAX_SOURCE)
    at = envelope.get("time")
    at_us = rfc3339_us(at) if isinstance(at, str) else None
    if at_us is None or not FIRST_US <= at_us < END_US:
        raise Fault(f'"time" is not a time with an offset from 2000 to 2100: {shown(at)}')
    data = envelope.get("data")
    if data is not None and not isinstance(data, dict):
        raise Fault(f'"data" is not an object: it is {shown(data)}')
    return Recorded(type_, user, at_us, data or {})


def _name(envelope: Mapping[str, object], key: str, longest: int = MAX_NAME) -> str:
    value = envelope.get(key)
    if not isinstance(value, str):
        raise Fault(f'"{key}" is {"missing" if value is None else "not text"}')
    problem = unfit(value, longest)
    if problem is not None:
        raise Fault(f'"{key}" {problem}')
    return value
