"""An entry of the rejects file (schemas/rejected.schema.json): the record's words, and the line itself."""

from __future__ import annotations

import base64

import msgspec

from botopt.model.decision import Decision
from botopt.model.event import Line

_RAW_SHOWN = 65_536  # bytes of a rejected line that its entry repeats

_encode = msgspec.json.Encoder().encode


def encode_rejected(decision: Decision, line: Line, file: str) -> bytes:
    """One JSON line, with its line break, for a rejected line of this file."""
    raw = line.raw[:_RAW_SHOWN]
    entry: dict[str, object] = {
        "file": file,
        "line": line.number,
        "detail": decision.detail,
        "by": decision.by,
        "event_id": decision.event_id,
        "event_type": decision.event_type,
        "user": decision.user,
    }
    try:
        entry["raw"] = raw.decode()
    except UnicodeDecodeError:
        entry["raw_base64"] = base64.b64encode(raw).decode()
    entry["cut"] = len(line.raw) > _RAW_SHOWN
    return _encode(entry) + b"\n"
