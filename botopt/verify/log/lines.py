"""One line of a log: a decision record, an event (native or CloudEvents), or neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from botopt.model.decision import Button, Choice, Decision, Message, Outcome, Part, Reason
from botopt.model.event import Event
from botopt.model.policy import RESERVED_TYPES, Value
from botopt.sources.instants import Minutes
from botopt.sources.jsonl import LongLine
from botopt.verify.inputs import BROKEN

_MOST_PARTS = 100_000
_RESERVED = frozenset(RESERVED_TYPES)

_NULL = msgspec.Raw(b"null")


class _Words(msgspec.Struct, gc=False):
    id: str
    template: str
    variant: str
    locale: str
    channel: str
    text: str = ""
    title: str | None = None
    buttons: tuple[Button, ...] = ()


class _Line(msgspec.Struct, gc=False):
    """The keys of a record and of an event; `outcome` tells them apart."""

    id: str
    time: str | None = None
    user: str | None = None
    # a record
    outcome: Outcome | None = None
    event_id: str | None = None
    event_type: str | None = None
    line: int | None = None
    reason: Reason | None = None
    by: str | None = None
    detail: str | None = None
    until: str | None = None
    score: float | None = None
    threshold: float | None = None
    parts: tuple[Part, ...] = ()
    cause: str | None = None
    choices: tuple[Choice, ...] = ()
    message: _Words | None = None
    snapshot: str | None = None
    revision: str = ""
    # an event
    type: str | None = None
    source: str = ""
    subject: str | None = None
    specversion: str | None = None
    data: msgspec.Raw = _NULL


class _Any(msgspec.Struct):
    outcome: msgspec.Raw = _NULL
    type: msgspec.Raw = _NULL


_decode = msgspec.json.Decoder(_Line).decode
_decode_data = msgspec.json.Decoder(dict[str, bool | int | float | str | None]).decode
_NO_DATA: Mapping[str, Value] = {}


class Lines:
    """Reads lines. What repeats from line to line is kept once.

    Args:
        texts: keep the words of messages; else `text` is empty, and there are no titles and buttons.
        data: keep the data of all events; else only that of reserved types, such as `message.clicked`.
    """

    def __init__(self, *, texts: bool = False, data: bool = False) -> None:
        self._texts = texts
        self._data = data
        self._names: dict[Any, Any] = {}
        self._tuples: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._parts: dict[tuple[str, str | None, float], Part] = {}
        self._us = Minutes().event_us

    def read(self, raw: bytes) -> Decision | Event:
        """The decision or the event of a line, which is not blank.

        Raises:
            ValueError: it is neither. So does a RecursionError.
        """
        line = _decode(raw)
        return self._event(line) if line.outcome is None else self._decision(line)

    def _decision(self, line: _Line) -> Decision:
        name = self._names.setdefault  # of None, None
        assert line.outcome is not None
        return Decision(
            id=line.id,
            event_id=line.event_id,
            event_type=name(line.event_type, line.event_type),
            user=name(line.user, line.user),
            time_us=self._time(line.time),
            line=line.line,
            outcome=line.outcome,
            reason=line.reason,
            by=name(line.by, line.by),
            detail=name(line.detail, line.detail),
            until_us=self._time(line.until),
            score=line.score,
            threshold=line.threshold,
            parts=tuple([self._part(part) for part in line.parts]),
            cause=line.cause,
            choices=tuple([self._choice(choice) for choice in line.choices]) if line.choices else (),
            message=None if line.message is None else self._message(line.message, line.id),
            snapshot=name(line.snapshot, line.snapshot),
            revision=name(line.revision, line.revision),
        )

    def _event(self, line: _Line) -> Event:
        user = line.user if line.specversion is None else line.subject
        if line.type is None or user is None or line.time is None:
            raise ValueError("no event")
        us = self._us(line.time)
        if us is None:
            raise ValueError("no time of an event")
        data = _NO_DATA
        if line.data != _NULL and (self._data or line.type in _RESERVED):
            try:
                data = _decode_data(line.data)
            except msgspec.ValidationError:  # null, or a field that is a list: `data` of no type that botopt knows
                data = _scalars(line.data)
        source = line.source if line.specversion is not None else ""
        names = self._names.setdefault
        return Event(line.id, names(source, source), names(line.type, line.type), names(user, user), us, data)

    def _time(self, text: str | None) -> int | None:
        if text is None:
            return None
        us = self._us(text)
        if us is None:
            raise ValueError("no time")
        return us

    def _part(self, part: Part) -> Part:
        key = (part.part, part.id, part.value)
        known = self._parts.get(key)
        if known is None:
            if len(self._parts) >= _MOST_PARTS:
                self._parts.clear()
            known = self._parts[key] = part
        return known

    def _choice(self, choice: Choice) -> Choice:
        purpose, eligible = choice.purpose, choice.eligible
        return Choice(
            self._names.setdefault(purpose, purpose),
            self._tuples.setdefault(eligible, eligible),
            self._names.setdefault(choice.chosen, choice.chosen),
            choice.draw,
            choice.propensity,
        )

    def _message(self, words: _Words, id: str) -> Message:
        names = self._names.setdefault
        return Message(
            id if words.id == id else words.id,
            names(words.template, words.template),
            names(words.variant, words.variant),
            names(words.locale, words.locale),
            names(words.channel, words.channel),
            *((words.text, words.title, words.buttons) if self._texts else ("",)),
        )


def fault_of(raw: bytes) -> str:
    """In words, what is wrong with a line that `Lines.read` did not take."""
    if isinstance(raw, LongLine):
        return "longer than 1 MiB"
    try:
        found = msgspec.json.decode(raw, type=_Any)
    except msgspec.ValidationError:
        return "no JSON object"
    except BROKEN:
        return "no JSON"
    if found.outcome != _NULL:
        return "a decision record that is not complete, or that another version of botopt wrote"
    if found.type != _NULL:
        return "an event without a readable id, user (a CloudEvent: subject) or time"
    return "neither a decision record nor an event"


def _scalars(raw: msgspec.Raw) -> Mapping[str, Value]:
    found = msgspec.json.decode(raw)
    if not isinstance(found, dict):
        return _NO_DATA
    return {name: value for name, value in found.items() if isinstance(value, bool | int | float | str)}
