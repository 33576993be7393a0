"""The fast way from an ordinary line to an event: msgspec checks it while it reads, and anything odd is given up.

What is given up the strict reader decides, so nothing is refused here, and nothing may be read differently.

msgspec lets pass what strict reading refuses or counts: keys that stand twice, and keys that nothing declares.
Counting quotes finds both. Every text of a line, key or value, stands between two quotes; quotes inside of texts come
on top. What was decoded has texts, too: its keys and its text values, each from a text of its own in the line. So if
the line has exactly two quotes for each of them, it has no other text: no key for a second time, whatever its value
was, no other key, not even an empty one or one with null, and nothing inside of a value that was skipped.

For the same reason all of the line is known to be UTF-8: msgspec checks what it decodes, and outside of texts it takes
no byte beyond ASCII.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Annotated, Any, ClassVar, Literal, NotRequired, TypedDict, Union

import msgspec
from msgspec import Meta

from botopt.model.condition import ValueType
from botopt.model.event import Event
from botopt.model.policy import FEEDBACK_TYPES, FieldSpec, Policy, Value
from botopt.model.values import LARGEST, Problem, check
from botopt.sources.instants import Minutes
from botopt.sources.reserved import FAILURE
from botopt.sources.texts import MAX_NAME, MAX_SOURCE, is_name

TypedReader = Callable[[bytes], Event | None]
"""The event of a line, or None where the strict reader decides."""

LONGEST = 65_536
"""Bytes of a line that is read here; the kept beginning of a `LongLine` has more."""

_QUOTE = ord('"')
_NATIVE_QUOTES = 2 * len(("id", "…", "type", "…", "user", "…", "time", "…", "data"))
_CLOUD_QUOTES = 2 * len(("specversion", "…", "source", "…"))
"""What a CloudEvent has more; its subject stands for the user."""

_MOST_SHAPES = 256
_GIVEN_UP = (msgspec.MsgspecError, ValueError, RecursionError)

_Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
_Source = Annotated[str, Meta(min_length=1, max_length=MAX_SOURCE)]

_Convert = Callable[[Any], Value]
"""What remains to be done with a decoded value; None where it does not fit."""

_Shape = tuple[int, Mapping[str, Value] | None, tuple[tuple[str, _Convert], ...]]
"""Of data with certain keys in a certain order: the quotes of its native line, the declared order with the defaults
(None if the data is in that order and complete), and what to convert."""


class _Field(msgspec.Struct, frozen=True):
    """How a field is decoded. `quotes` counts those of its key and its value."""

    spec: FieldSpec
    annotation: Any
    quotes: int = 2
    convert: _Convert | None = None

    @property
    def required(self) -> bool:
        return self.spec.default is None and not self.spec.optional


class _Shapes(dict[tuple[str, ...], _Shape]):
    """The shapes that the data of one event type has, each worked out when it is first seen."""

    def __init__(self, fields: Mapping[str, _Field]) -> None:
        super().__init__()
        self.fields = fields

    def __missing__(self, keys: tuple[str, ...]) -> _Shape:
        fields = self.fields
        defaults = {name: field.spec.default for name, field in fields.items()}
        whole = {name: default for name, default in defaults.items() if default is not None or name in keys}
        converts = ((name, fields[name].convert) for name in keys)
        shape: _Shape = (
            _NATIVE_QUOTES + sum(fields[name].quotes for name in keys),
            None if tuple(whole) == keys else whole,
            tuple((name, convert) for name, convert in converts if convert is not None),
        )
        if len(self) < _MOST_SHAPES:
            self[keys] = shape
        return shape


class _Line(msgspec.Struct, gc=False, kw_only=True):
    """A line as it is decoded. Every name of an event type has its own, with the data of that type."""

    event_type: ClassVar[str]
    shapes: ClassVar[_Shapes]

    id: _Name
    time: str
    user: _Name | None = None
    data: dict[str, Value] | None = None
    specversion: Literal["1.0"] | None = None
    source: _Source | None = None
    subject: _Name | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None


class _Left(msgspec.Struct):
    """A line of a type that is left to the strict reader: skipping what it holds costs less than a failure."""

    user: ClassVar[None] = None
    specversion: ClassVar[None] = None


_Decode = Callable[[bytes], _Line]


def typed_reader(policy: Policy, declared: Mapping[str, str], types: Mapping[str, str]) -> TypedReader:
    """The fast way for the lines of one policy.

    Args:
        policy: what events look like.
        declared: leads from every name of a declared type to that type.
        types: the same, for reserved types too.
    """
    minutes = Minutes()
    known = _known(policy, declared, minutes)
    wanted = {
        named: (event_type, None if (fields := known.get(event_type)) is None else _Shapes(fields))
        for named, event_type in types.items()
        if is_name(named)
    }
    with_nulls = cache(partial(_decoder, wanted, nulls=True))  # made when it is first needed: it takes milliseconds
    return _reader(_decoder(wanted), with_nulls, minutes.event_us)


def _reader(decode: _Decode, with_nulls: Callable[[], _Decode], event_us: Callable[[str], int | None]) -> TypedReader:
    def read(raw: bytes) -> Event | None:
        if len(raw) > LONGEST:
            return None
        quotes = raw.count(_QUOTE)
        try:
            line = decode(raw)
        except _GIVEN_UP:
            nulled = _nulled(raw, with_nulls()) if b"null" in raw else None
            if nulled is None:
                return None
            line, extra = nulled
            quotes -= extra
        user = line.user
        source = ""
        if user is None:
            if not _is_cloud(line):
                return None
            user, source = line.subject or "", line.source or ""
            quotes -= _CLOUD_QUOTES + 4 * ((line.datacontenttype is not None) + (line.dataschema is not None))
        data = line.data
        if data is None:
            data = {}
            quotes += 2
        expected, whole, converts = line.shapes[(*data,)]
        if quotes != expected or not line.id.isprintable() or not user.isprintable():
            return None
        for name, convert in converts:
            value = convert(data[name])
            if value is None:
                return None
            data[name] = value
        at_us = event_us(line.time)
        if at_us is None:
            return None
        return Event(line.id, source, line.event_type, user, at_us, data if whole is None else {**whole, **data})

    return read


def _is_cloud(line: _Line) -> bool:
    return (
        line.specversion is not None
        and line.subject is not None
        and line.source is not None
        and line.source.isprintable()
    )


def _nulled(raw: bytes, decode: _Decode) -> tuple[_Line, int] | None:
    """The line without the fields that are null and may be absent, and how many quotes their keys have."""
    try:
        line = decode(raw)
    except _GIVEN_UP:
        return None
    data = line.data or {}
    nulls = [name for name, value in data.items() if value is None]
    for name in nulls:
        del data[name]
    return line, 2 * len(nulls)


def _decoder(wanted: Mapping[str, tuple[str, _Shapes | None]], *, nulls: bool = False) -> _Decode:
    """Decodes lines of these names; with `nulls`, fields that may be absent may be null."""
    lines = [
        msgspec.defstruct(
            "Line",
            [] if shapes is None else [_data(shapes.fields, nulls=nulls)],
            bases=(_Left if shapes is None else _Line,),
            namespace={"event_type": event_type, "shapes": shapes},
            tag_field="type",
            tag=named,
            gc=False,
            kw_only=True,
        )
        for named, (event_type, shapes) in wanted.items()
    ]
    union: Any = Union[tuple(lines)]  # noqa: UP007 - its members are not known before
    decoder: msgspec.json.Decoder[_Line] = msgspec.json.Decoder(union)
    return decoder.decode


def _data(fields: Mapping[str, _Field], *, nulls: bool) -> tuple[str, Any] | tuple[str, Any, None]:
    make: Any = TypedDict
    data = make("Data", {name: _hint(field, nulls=nulls) for name, field in fields.items()})
    return ("data", data) if any(field.required for field in fields.values()) else ("data", data | None, None)


def _hint(field: _Field, *, nulls: bool) -> object:
    if field.required:
        return field.annotation
    return NotRequired[field.annotation | None if nulls else field.annotation]


def _known(policy: Policy, declared: Mapping[str, str], minutes: Minutes) -> dict[str, Mapping[str, _Field] | None]:
    """The fields of each event type; None for a type that is left to the strict reader, as is `user.updated`."""
    consent = {**_option("category", policy.categories), **_option("channel", policy.channels)}
    known = {name: _fields(event_type.fields, minutes) for name, event_type in policy.events.items()}
    known["user.updated"] = None
    known["user.subscribed"] = known["user.unsubscribed"] = consent
    known["user.deleted"] = {}
    known["user.active"] = _option("channel", policy.channels)
    message_id = _Field(FieldSpec("message_id", ValueType.TEXT, optional=True), str, 4)
    feedback = {"message_id": message_id, **_option("event_type", declared, declared.get)}
    known.update(dict.fromkeys(FEEDBACK_TYPES, feedback))
    failure = _fields(FAILURE, minutes)
    known["message.failed"] = None if failure is None else {**feedback, **failure}
    return known


def _option(name: str, options: Iterable[str], convert: _Convert | None = None) -> dict[str, _Field]:
    """A text that may be absent; nothing that can be read without any options."""
    spec = FieldSpec(name, ValueType.TEXT, one_of=tuple(options), optional=True)
    return {name: _Field(spec, Literal[spec.one_of], 4, convert)} if spec.one_of else {}


def _fields(specs: Mapping[str, FieldSpec], minutes: Minutes) -> Mapping[str, _Field] | None:
    """How to decode these fields, or None where one is left to the strict reader."""
    fields = {name: _field(spec, minutes) for name, spec in specs.items()}
    found = {name: field for name, field in fields.items() if field is not None}
    return found if len(found) == len(specs) else None


def _field(spec: FieldSpec, minutes: Minutes) -> _Field | None:
    match spec.type:
        case ValueType.TEXT:
            return _text(spec)
        case ValueType.BOOLEAN:
            return _Field(spec, bool)
        case ValueType.TIME:
            return _Field(spec, str, 4, minutes.field_us)
        case ValueType.NUMBER:
            # Whole numbers up to here are exact as floats; the strict reader tells larger ones apart.
            return _number(spec, float, LARGEST - 1)
        case ValueType.INTEGER:
            return _number(spec, int, LARGEST)
        case ValueType.LIST | ValueType.OBJECT:
            return None


def _text(spec: FieldSpec) -> _Field | None:
    if spec.one_of:
        options = tuple(option for option in spec.one_of if not isinstance(check(spec, option), Problem))
        return _Field(spec, Literal[options], 4) if options else None
    annotation: object = str if spec.max_length is None else Annotated[str, Meta(max_length=spec.max_length)]
    return _Field(spec, annotation, 4, _checked(spec) if spec.pattern is not None else None)


def _number(spec: FieldSpec, kind: type[int | float], largest: int) -> _Field | None:
    low = -largest if spec.minimum is None else max(-largest, spec.minimum)
    high = largest if spec.maximum is None else min(largest, spec.maximum)
    if not low <= high:
        return None
    bounds = Meta(ge=math.ceil(low), le=math.floor(high)) if kind is int else Meta(ge=float(low), le=float(high))
    return _Field(spec, Annotated[kind, bounds], 2, _checked(spec) if spec.one_of else None)


def _checked(spec: FieldSpec) -> _Convert:
    def convert(value: object) -> Value:
        found = check(spec, value)
        return None if isinstance(found, Problem) else found

    return convert
