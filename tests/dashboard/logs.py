"""Small logs, written by hand."""

from __future__ import annotations

import json
from pathlib import Path

from botopt.model.decision import Choice, Decision, Message, Outcome, Part, Reason
from botopt.model.instants import instant_us
from botopt.model.record import encode_line


def decided(id: str, time: str, outcome: Outcome = Outcome.SENT, **more: object) -> Decision:
    """A decision; a sent one has a message."""
    fields: dict = {"event_id": f"e-{id}", "event_type": "parcel", "user": "ada", "score": 0.7, "threshold": 0.6}
    fields |= {"parts": (Part("base", None, 0.7),), "revision": "r1"}
    if outcome is Outcome.SENT:
        words = {name: more.pop(name) for name in ("template", "variant", "locale", "channel", "text") if name in more}
        usual = {"template": "parcel", "variant": "plain", "locale": "en", "channel": "chat", "text": "It is late."}
        fields["message"] = Message(id=id, **(usual | words))
    elif "reason" not in more:
        fields["reason"] = Reason(outcome.value) if outcome.value in set(Reason) else Reason.COOLDOWN
    return Decision(id=id, time_us=instant_us(time), outcome=outcome, **(fields | more))


def drew(purpose: str, chosen: str, propensity: float, *eligible: str) -> Choice:
    """A draw."""
    return Choice(purpose, eligible, chosen, 0.5, propensity)


def event(id: str, type: str, time: str, user: str = "ada", **data: object) -> dict:
    """An event as it stands in a file."""
    return {"id": id, "type": type, "user": user, "time": time, "data": data}


def write(path: Path, *lines: Decision | dict | str) -> Path:
    """A file of records, events, and whatever else."""
    written = [
        line
        if isinstance(line, str)
        else json.dumps(line)
        if isinstance(line, dict)
        else encode_line(line).decode().strip()
        for line in lines
    ]
    path.write_text("".join(f"{line}\n" for line in written), encoding="utf-8")
    return path
