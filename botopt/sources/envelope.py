"""From a line to an event: native JSON or CloudEvents, read strictly, checked against the policy."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import NoReturn

from botopt.model.condition import ValueType
from botopt.model.event import Event, Rejected, line_digest
from botopt.model.instants import instant_us
from botopt.model.names import BUILT_IN_ATTRIBUTES, did_you_mean
from botopt.model.policy import RESERVED_TYPES, FieldSpec, Policy, Value
from botopt.model.values import LARGEST, Problem, check, shown, time_us
from botopt.model.zones import is_zone
from botopt.sources.jsonl import MAX_LINE_BYTES

MAX_DEPTH = 64
_FIRST_US = instant_us("2000-01-01T00:00:00Z")
_LAST_US = instant_us("2101-01-01T00:00:00Z")
MAX_NAME = 256
_MOST_UNDECLARED = 1_000
_BOM = b"\xef\xbb\xbf"

_FEEDBACK: Mapping[str, FieldSpec] = {
    name: FieldSpec(name, ValueType.TEXT, optional=True) for name in ("message_id", "event_type")
}
_CONSENT: Mapping[str, FieldSpec] = {
    name: FieldSpec(name, ValueType.TEXT, optional=True) for name in ("category", "channel")
}


class _Fault(Exception):
    """A line that is no event: the sentence, and the key at fault."""

    def __init__(self, detail: str, by: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.by = by


class Decoder:
    """Reads lines for one policy. `undeclared` counts (event type, field) pairs that no policy knows."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._types = {alias: event.name for event in policy.events.values() for alias in event.accepts}
        self._types.update({name: name for name in (*policy.events, *RESERVED_TYPES)})
        self._attributes = {
            name: spec for name, spec in {**BUILT_IN_ATTRIBUTES, **policy.attributes}.items() if name != "id"
        }
        self.undeclared: Counter[tuple[str, str]] = Counter()

    def decode(self, raw: bytes, line: int, input_number: int = 0) -> Event | Rejected | None:
        """One line; None for a blank one."""
        if not raw.strip():
            return None
        envelope: dict[str, object] = {}
        try:
            envelope = _parsed(raw, first=line == 1)
            return self._event(envelope)
        except _Fault as fault:
            return Rejected(
                line,
                fault.detail,
                line_digest(input_number, line, raw),
                fault.by,
                *_readable(envelope, self._types),
            )

    def _event(self, envelope: dict[str, object]) -> Event:
        cloud = "specversion" in envelope
        if cloud and envelope["specversion"] != "1.0":
            raise _Fault(f"not CloudEvents 1.0: specversion is {shown(envelope['specversion'])}", "specversion")
        event_id = _name(envelope, "id")
        named = _name(envelope, "type")
        user = _name(envelope, "subject" if cloud else "user")
        source = _name(envelope, "source") if cloud else ""
        if "time" not in envelope:
            raise _Fault("the time is missing: every event needs a time with an offset", "time")
        if not isinstance(envelope["time"], str):
            raise _Fault(f"the time is not valid: {shown(envelope['time'])} is no text", "time")
        at_us = time_us(envelope["time"])
        if at_us is None or " " in envelope["time"]:
            wanted = "a time with an offset is wanted, such as 2026-03-01T09:00:00Z"
            raise _Fault(f"the time is not valid: {shown(envelope['time'])}; {wanted}", "time")
        if not _FIRST_US <= at_us < _LAST_US:
            raise _Fault(f"the time is not valid: {shown(envelope['time'])} is not from 2000 to 2100", "time")
        event_type = self._types.get(named)
        if event_type is None:
            hint = did_you_mean(named, self._types)
            raise _Fault(f"an event type that the policy does not declare: {shown(named)}{'; ' if hint else ''}{hint}")
        if cloud and "data_base64" in envelope:
            raise _Fault("the data are not JSON: data_base64 is not read", "data_base64")
        data = envelope.get("data")
        if data is None:
            data = {}
        if not isinstance(data, dict):
            raise _Fault(f"data is no object: {shown(data)}", "data")
        return Event(event_id, source, event_type, user, at_us, self._data(event_type, data))

    def _data(self, event_type: str, data: Mapping[str, object]) -> dict[str, Value]:
        match event_type:
            case "user.updated":
                return self._update(data)
            case "user.subscribed" | "user.unsubscribed":
                values = self._fields(event_type, data, _CONSENT)
                self._declared(values, "category", self._policy.categories)
                self._declared(values, "channel", self._policy.channels)
                return values
            case "user.deleted":
                return {}
            case _ if event_type in RESERVED_TYPES:
                values = self._fields(event_type, data, _FEEDBACK)
                self._declared(values, "event_type", self._policy.events)
                return values
            case _:
                return self._fields(event_type, data, self._policy.events[event_type].fields)

    def _fields(self, event_type: str, data: Mapping[str, object], specs: Mapping[str, FieldSpec]) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for name, spec in specs.items():
            value = _checked(spec, data.get(name))
            if value is not None:
                values[name] = value
        if len(data) > len(specs) or not data.keys() <= specs.keys():
            self._count(event_type, data, specs)
        return values

    def _update(self, data: Mapping[str, object]) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for name, raw in data.items():
            spec = self._attributes.get(name)
            if spec is None:
                continue
            value = None if raw is None else _checked(spec, raw)
            if name == "timezone" and isinstance(value, str) and not is_zone(value):
                raise _Fault(f"an unknown time zone: {shown(value)}", name)
            if name == "locale" and isinstance(value, str):
                value = _canonical_locale(value)
                if value is None:
                    raise _Fault(f"an unknown locale: {shown(raw)}", name)
            values[name] = value
        self._count("user.updated", data, self._attributes)
        return values

    def _declared(self, values: Mapping[str, Value], name: str, declared: Mapping[str, object]) -> None:
        value = values.get(name)
        if isinstance(value, str) and value not in declared:
            hint = did_you_mean(value, declared)
            raise _Fault(f"a {name} that the policy does not declare: {shown(value)}{'; ' if hint else ''}{hint}", name)

    def _count(self, event_type: str, data: Mapping[str, object], specs: Mapping[str, FieldSpec]) -> None:
        for name in data:
            if name not in specs and (len(self.undeclared) < _MOST_UNDECLARED or (event_type, name) in self.undeclared):
                self.undeclared[event_type, name] += 1


def _checked(spec: FieldSpec, raw: object) -> Value:
    value = check(spec, raw)
    if isinstance(value, Problem):
        kind = "a field is missing" if raw is None else "a field is not valid"
        raise _Fault(f"{kind}: {spec.name} {value.sentence}", spec.name)
    return value


def _name(envelope: Mapping[str, object], key: str) -> str:
    if key not in envelope:
        raise _Fault(f"the {key} is missing", key)
    value = envelope[key]
    if not isinstance(value, str):
        raise _Fault(f"the {key} is not valid: {shown(value)} is no text", key)
    if not value or len(value) > MAX_NAME or not value.isprintable():
        raise _Fault(f"the {key} is not valid: 1 to {MAX_NAME} printable characters are needed", key)
    return value


def _readable(
    envelope: Mapping[str, object], types: Mapping[str, str]
) -> tuple[str | None, str | None, str | None, int | None]:
    def text(key: str) -> str | None:
        value = envelope.get(key)
        return value if isinstance(value, str) and 0 < len(value) <= MAX_NAME and value.isprintable() else None

    named, moment = text("type"), text("time")
    at_us = time_us(moment) if moment is not None else None
    return (
        text("id"),
        types.get(named, named) if named is not None else None,
        text("subject" if "specversion" in envelope else "user"),
        at_us if isinstance(at_us, int) else None,
    )


def _parsed(raw: bytes, *, first: bool) -> dict[str, object]:
    if len(raw) > MAX_LINE_BYTES:
        raise _Fault(f"the line is too long: more than {MAX_LINE_BYTES:,} bytes")
    if first and raw.startswith(_BOM):
        raw = raw[len(_BOM) :]
    try:
        text = raw.decode()
    except UnicodeDecodeError as fault:
        raise _Fault(f"not UTF-8: byte {fault.start + 1} of the line") from None
    if _depth(text) > MAX_DEPTH:
        raise _Fault(f"nested too deeply: more than {MAX_DEPTH} levels")
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float
        )
    except json.JSONDecodeError as fault:
        raise _Fault(f"not valid JSON: {fault.msg[:1].lower()}{fault.msg[1:]} at character {fault.pos + 1}") from None
    if not isinstance(value, dict):
        raise _Fault(f"not a JSON object: {shown(value)}")
    if "\\u" in text and not _whole(value):
        raise _Fault("a text is broken: it holds half of a character (a lone surrogate)")
    return value


def _depth(text: str) -> int:
    """Brackets open at once, those within texts included: an upper bound, and cheap."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    quoted = escaped = False
    for char in text:
        if quoted:
            quoted = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            quoted = True
        elif char in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "}]":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise _Fault(f"a key stands twice: {shown(twice)}", twice if twice.isprintable() else None)
    return value


def _constant(name: str) -> NoReturn:
    raise _Fault(f"not valid JSON: {name} is no number")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(value := int(text)) >= LARGEST:
        raise _Fault("a number is too large: integers must be smaller than 2 to the 53rd")
    return value


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _Fault(f"a number is too large: {text[:40]}")
    return value


def _whole(value: object) -> bool:
    """Whether no text in it holds half of a character."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def _canonical_locale(name: str) -> str | None:
    """`de_AT` and `de-at` are `de-AT`; None for what Babel does not know."""
    from babel.core import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(name.replace("-", "_"))).replace("_", "-")
    except (UnknownLocaleError, ValueError, TypeError):
        return None
