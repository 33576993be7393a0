"""The decision record as a JSON line: keys in the order of `Decision`, all of them always there."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from botopt.model.decision import Choice, Decision, Message, Outcome, Part, Reason
from botopt.model.instants import instant_text, instant_us

_encode = msgspec.json.Encoder().encode


def _number(value: float | None) -> float | int | None:
    """The shortest form: 1.0 is written 1."""
    if value is None or value != int(value):
        return value
    return int(value)


def to_plain(decision: Decision) -> dict[str, object]:
    """The record as plain data."""
    message = decision.message
    return {
        "id": decision.id,
        "event_id": decision.event_id,
        "event_type": decision.event_type,
        "user": decision.user,
        "time": None if decision.time_us is None else instant_text(decision.time_us),
        "line": decision.line,
        "outcome": decision.outcome.value,
        "reason": None if decision.reason is None else decision.reason.value,
        "by": decision.by,
        "detail": decision.detail,
        "until": None if decision.until_us is None else instant_text(decision.until_us),
        "score": _number(decision.score),
        "threshold": _number(decision.threshold),
        "parts": plain_parts(decision.parts),
        "cause": decision.cause,
        "choices": plain_choices(decision.choices),
        "message": None if message is None else _plain_message(message),
        "snapshot": decision.snapshot,
        "revision": decision.revision,
    }


def plain_parts(parts: Iterable[Part]) -> list[dict[str, object]]:
    """The terms of score and threshold as plain data."""
    return [{"part": part.part, "id": part.id, "value": _number(part.value)} for part in parts]


def plain_choices(choices: Iterable[Choice]) -> list[dict[str, object]]:
    """The draws as plain data."""
    return [
        {
            "purpose": choice.purpose,
            "eligible": list(choice.eligible),
            "chosen": choice.chosen,
            "draw": _number(choice.draw),
            "propensity": _number(choice.propensity),
        }
        for choice in choices
    ]


def encode_plain(value: object) -> str:
    """Plain data as it stands in a record."""
    return _encode(value).decode()


def encode_number(value: float) -> str:
    """A number as it stands in a record."""
    return _encode(_number(value)).decode()


def _plain_message(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "template": message.template,
        "variant": message.variant,
        "locale": message.locale,
        "channel": message.channel,
        "text": message.text,
        "title": message.title,
        "buttons": [{"label": button.label, "link": button.link} for button in message.buttons],
    }


def encode_line(decision: Decision) -> bytes:
    """One JSON line, with its line break."""
    return _encode(to_plain(decision)) + b"\n"


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    event_id: str | None
    event_type: str | None
    user: str | None
    time: str | None
    line: int | None
    outcome: Outcome
    reason: Reason | None
    by: str | None
    detail: str | None
    until: str | None
    score: float | None
    threshold: float | None
    parts: tuple[Part, ...]
    cause: str | None
    choices: tuple[Choice, ...]
    message: Message | None
    snapshot: str | None
    revision: str


_decode = msgspec.json.Decoder(_Record).decode


def decode_line(line: bytes | str) -> Decision:
    """The decision that `encode_line` wrote.

    Raises:
        ValueError: the line is no decision record.
    """
    record = _decode(line)
    fields = msgspec.structs.asdict(record)
    time, until = fields.pop("time"), fields.pop("until")
    return Decision(
        **fields,
        time_us=None if time is None else instant_us(time),
        until_us=None if until is None else instant_us(until),
    )
