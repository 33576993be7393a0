"""From a line to an event: native JSON or CloudEvents, read strictly, checked against the policy.

`Decoder.decode` and `Decoder.decode_many` are the ways in for files, `Decoder.decode_live` and `Decoder.read` for a
live service. What is here is the strict reader. The fast one of `sources/typed` stands before it, and leaves to it
every line that it would not read to an equal event.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from botopt.model.condition import duration_text
from botopt.model.event import Event, Line, Rejected
from botopt.model.names import did_you_mean
from botopt.model.policy import Policy
from botopt.model.values import shown
from botopt.sources.faults import Fault
from botopt.sources.fields import JsonObject, Undeclared, fields_reader
from botopt.sources.instants import END_US, FIRST_US, LATEST_AHEAD_US, rfc3339_us
from botopt.sources.jsonl import MAX_LINE_BYTES, LongLine
from botopt.sources.reserved import reserved_readers
from botopt.sources.salvage import salvage
from botopt.sources.strict_json import check_halves, parse
from botopt.sources.texts import MAX_NAME, MAX_SOURCE, is_name, unfit
from botopt.sources.typed import TypedReader, typed_reader

_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MOST_HINTS = 1_000
_SALVAGED_BYTES = 65_536
_SECOND_US = 1_000_000
_WANTED = "every event needs id, type, user and time"

_Found = TypeVar("_Found", Event | Rejected, Event | Rejected | None)


class Decoder:
    """Reads lines for one policy. Not shared between threads: it counts.

    Without `typed` every line is read strictly from the start; the result is the same.
    """

    def __init__(self, policy: Policy, *, typed: bool = True) -> None:
        declared = {name: name for name in policy.events}
        for name, event_type in policy.events.items():
            declared.update(dict.fromkeys(event_type.accepts, name))
        self._undeclared = Undeclared()
        self._readers = {
            name: fields_reader(name, event_type.fields, self._undeclared) for name, event_type in policy.events.items()
        }
        self._readers.update(reserved_readers(policy, declared, self._undeclared))
        self._types = {name: declared.get(name, name) for name in (*declared, *self._readers)}
        self._hints: dict[str, str] = {}
        self.typed: TypedReader = typed_reader(policy, declared, self._types) if typed else _nothing
        """The fast reader: the event of an ordinary line, or None, and then `decode` says what the line is."""

    @property
    def undeclared(self) -> Counter[tuple[str, str]]:
        """How often events carried a field that nothing declares, by (event type, field); at most 1,000 of them."""
        return self._undeclared.counts

    def decode(self, raw: bytes, line: int, input_number: int = 0) -> Event | Rejected | None:
        """One line, without its line break; None for a blank one.

        Args:
            raw: its bytes.
            line: its number in its input, from 1.
            input_number: its input's place among the inputs, from 0.
        """
        return self.typed(raw) or self._strict(Line(line, raw, input_number))

    def decode_many(
        self, lines: Sequence[bytes], numbers: Sequence[int], input_number: int = 0
    ) -> list[Event | Rejected | None]:
        """What `decode` says of several lines with these numbers."""
        typed, strict = self.typed, self._strict
        return [
            typed(raw) or strict(Line(number, raw, input_number)) for raw, number in zip(lines, numbers, strict=True)
        ]

    def decode_live(self, raw: bytes, *, received_us: int, place: int = 1) -> Event | Rejected | None:
        """What a live service got as the JSON text of one event; None for a blank one.

        Args:
            raw: its bytes.
            received_us: when it came: an event dated more than `LATEST_AHEAD_US` later is rejected. No two requests
                have the same, so that no two rejected records share an id.
            place: its place in its request, from 1.
        """
        line = Line(place, raw, received_us=received_us)
        return self._timely(self.typed(raw) or self._strict(line), line)

    def read(self, envelope: JsonObject, *, received_us: int, place: int = 1) -> Event | Rejected:
        """The same for a JSON object that `read_document` has parsed already, alone or in a list."""
        line = Line(place, _text_of(envelope), received_us=received_us)
        try:
            check_halves(envelope)
            found: Event | Rejected = self._read(envelope)
        except Fault as fault:
            found = self._rejected(line.number, fault, line.digest, envelope)
        return self._timely(found, line)

    def _timely(self, found: _Found, line: Line) -> _Found | Rejected:
        if not isinstance(found, Event) or line.received_us is None:
            return found
        ahead_us = found.time_us - line.received_us
        if ahead_us <= LATEST_AHEAD_US:
            return found
        ahead, most = duration_text(ahead_us + _SECOND_US - 1), duration_text(LATEST_AHEAD_US)
        detail = f"the event is dated too far ahead: {ahead} after it was received, at most {most}"
        return Rejected(line.number, detail, line.digest, "time", found.id, found.type, found.user, found.time_us)

    def _strict(self, line: Line) -> Event | Rejected | None:
        raw = line.raw
        body = raw[len(_BOM) :] if line.number == 1 and raw.startswith(_BOM) else raw
        if not body.strip(_BLANK) and not isinstance(raw, LongLine):
            return None
        envelope: JsonObject | None = None
        try:
            if isinstance(raw, LongLine):
                raise _too_long(raw.size)
            envelope = _envelope(body)
            return self._read(envelope)
        except Fault as fault:
            known = envelope if envelope is not None else _salvaged(body)
            digest = raw.digest if isinstance(raw, LongLine) else line.digest
            return self._rejected(line.number, fault, digest, known)

    def _read(self, envelope: JsonObject) -> Event:
        cloud = "specversion" in envelope
        if cloud:
            _check_cloud(envelope)
        event_id = _name(envelope, "id", MAX_NAME)
        named = _name(envelope, "type", MAX_NAME)
        user = _name(envelope, "subject" if cloud else "user", MAX_NAME)
        source = _name(envelope, "source", MAX_SOURCE) if cloud else ""
        at_us = _time(envelope)
        event_type = self._types.get(named)
        if event_type is None:
            raise Fault(f"an event type that is not declared: {shown(named)}{self._hint(named)}", "type")
        data = envelope.get("data")
        if data is None:
            data = {}
        elif not isinstance(data, dict):
            raise Fault(f'"data" is not an object: it is {shown(data)}', "data")
        return Event(event_id, source, event_type, user, at_us, self._readers[event_type](data, envelope))

    def _hint(self, named: str) -> str:
        """Remembered: files repeat their unknown types, and looking for a similar one takes long."""
        hint = self._hints.get(named)
        if hint is None:
            found = did_you_mean(named, self._types)
            hint = f" - {found}" if found else ""
            if len(self._hints) < _MOST_HINTS:
                self._hints[named] = hint
        return hint

    def _rejected(self, line: int, fault: Fault, digest: bytes, known: JsonObject) -> Rejected:
        event_id, event_type = known.get("id"), known.get("type")
        user = known.get("subject" if "specversion" in known else "user")
        try:
            at_us = _time(known)
        except Fault:
            at_us = None
        return Rejected(
            line,
            fault.detail,
            digest,
            fault.by,
            event_id if is_name(event_id) else None,
            self._types.get(event_type, event_type) if is_name(event_type) else None,
            user if is_name(user) else None,
            at_us,
        )


def _text_of(envelope: JsonObject) -> bytes:
    """Bytes that stand for an object, whatever it holds."""
    try:
        return json.dumps(envelope, default=repr).encode()
    except (TypeError, ValueError, RecursionError):
        return b""


def _nothing(_: bytes) -> None:
    """The fast reader that reads nothing."""


def _envelope(body: bytes) -> JsonObject:
    if len(body) > MAX_LINE_BYTES:
        raise _too_long(len(body))
    try:
        text = body.decode()
    except UnicodeDecodeError as fault:
        if body.startswith(_UTF16):
            raise Fault("not UTF-8 text: it looks like UTF-16, save the file as UTF-8") from None
        raise Fault(f"not UTF-8 text: byte {fault.start + 1} does not fit") from None
    value = parse(text)
    if not isinstance(value, dict):
        raise Fault(f"not a JSON object: the line is {shown(value)}")
    return value


def _too_long(size: int) -> Fault:
    return Fault(f"the line is too long: {size:,} bytes, at most {MAX_LINE_BYTES:,}")


def _salvaged(body: bytes) -> Mapping[str, str]:
    # Bytes that are no UTF-8 become half characters, and texts that hold those are not kept.
    return salvage(body[:_SALVAGED_BYTES].decode(errors="surrogateescape"))


def _check_cloud(envelope: JsonObject) -> None:
    if envelope["specversion"] != "1.0":
        raise Fault(f'not CloudEvents 1.0: "specversion" is {shown(envelope["specversion"])}', "specversion")
    if envelope.get("data_base64") is not None:
        raise Fault('"data_base64" is not read: send a JSON object in "data"', "data_base64")


def _name(envelope: JsonObject, key: str, longest: int) -> str:
    value = envelope.get(key)
    if not isinstance(value, str):
        if value is not None:
            raise Fault(f'"{key}" is not text: it is {shown(value)}', key)
        if key in {"subject", "source"}:
            raise Fault(f'"{key}" is missing: a CloudEvent needs it here, the subject is the user', key)
        raise Fault(f'"{key}" is missing: {_WANTED}', key)
    problem = unfit(value, longest)
    if problem is not None:
        raise Fault(f'"{key}" {problem}', key)
    return value


def _time(envelope: JsonObject) -> int:
    value = envelope.get("time")
    if not isinstance(value, str):
        if value is None:
            raise Fault(f'"time" is missing: {_WANTED}', "time")
        raise Fault(f'"time" is not text: it is {shown(value)}', "time")
    at_us = rfc3339_us(value)
    if at_us is None:
        raise Fault(f'"time" is not a time with an offset: {shown(value)} instead of 2026-03-01T09:00:00Z', "time")
    if not FIRST_US <= at_us < END_US:
        raise Fault(f'"time" is out of range: {shown(value)} is not from 2000 to 2100', "time")
    return at_us
