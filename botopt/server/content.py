"""From a request's body to events, as its content type says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from botopt.model.errors import InputError
from botopt.model.event import Event, Rejected
from botopt.server.cloud_headers import BadHeader, envelope_of, is_binary
from botopt.server.problems import Problem
from botopt.sources.documents import read_document
from botopt.sources.envelope import Decoder
from botopt.sources.strict_json import MAX_DEPTH

JSON, NDJSON = "application/json", "application/x-ndjson"
CLOUD, CLOUD_BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
READABLE = (JSON, NDJSON, CLOUD, CLOUD_BATCH)

Incoming = Sequence[Event | Rejected]

_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"

_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Content(msgspec.Struct, frozen=True):
    """A request's body and what says how to read it. `type` is the media type, without parameters, in lower case.

    `signed`: only the body proves who sent it, so headers say nothing about the event.
    """

    type: str
    headers: Mapping[str, str]
    body: bytes
    received_us: int
    signed: bool = False


def media_type(header: str | None) -> str:
    """The media type of a `Content-Type` header, without parameters.

    Raises:
        Problem: the text is not to be UTF-8.
    """
    if header is None:
        return ""
    essence, _, parameters = header.partition(";")
    for parameter in parameters.lower().split(";") if parameters else ():
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('" ') not in {"utf-8", "utf8", "us-ascii"}:
            raise Problem(
                "media-type", "the charset is not UTF-8", "send UTF-8 text", headers={"accept": ", ".join(READABLE)}
            )
    return essence.strip().lower()


def read_events(decoder: Decoder, content: Content, most: int) -> Incoming:
    """The events of a request, at most so many.

    Raises:
        Problem: the content type is not one that is read, the body is not what it says, or there are too many.
    """
    # The content type goes first: a structured request may have the headers of binary mode beside it (3.2.4 there).
    if is_binary(content.headers) and content.type not in {CLOUD, CLOUD_BATCH}:
        return (_binary(decoder, content),)
    match content.type:
        case "application/json":
            if content.body.removeprefix(_BOM).lstrip(_SPACE)[:1] == b"[":
                return _array(decoder, content, most)
            return (_one(decoder, content),)
        case "application/x-ndjson":
            return _lines(decoder, content, most)
        case "application/cloudevents-batch+json":
            return _array(decoder, content, most, cloud=True)
        case "application/cloudevents+json":
            return (_one(decoder, content, cloud=True),)
        case _:
            named = f"{content.type[:100]!a} is not" if content.type else "there is no Content-Type"
            raise Problem(
                "media-type",
                f"{named} one of those that are read here" if content.type else named,
                f"send one of {', '.join(READABLE)}, or a CloudEvent with ce-* headers and {JSON}",
                headers={"accept": ", ".join(READABLE)},
            )


def _one(decoder: Decoder, content: Content, *, cloud: bool = False) -> Event | Rejected:
    body = content.body
    found = None
    if not cloud or b'"specversion"' in body:
        found = decoder.decode_live(body, received_us=content.received_us)
        if isinstance(found, Event):
            return found
    value = _document(body, MAX_DEPTH)
    if not isinstance(value, dict):
        raise _unreadable("the body is JSON, but no object", "send one event as a JSON object")
    if cloud and "specversion" not in value:
        raise _no_cloud_event("the body")
    return found or decoder.read(value, received_us=content.received_us)


def _array(decoder: Decoder, content: Content, most: int, *, cloud: bool = False) -> Incoming:
    body = content.body.removeprefix(_BOM)
    try:
        raws = _elements(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        value = _document(body, MAX_DEPTH + 1)
        raise _unreadable(
            "the body is not a list of JSON objects" if isinstance(value, list) else "the body is no list",
            "send events as a list: [{…}, {…}]",
        ) from None
    _few(len(raws), most)
    found: list[Event | Rejected] = []
    for place, raw in enumerate(raws, 1):
        text = bytes(raw)
        if cloud and b'"specversion"' not in text:
            raise _no_cloud_event(f"element {place}")
        event = decoder.decode_live(text, received_us=content.received_us, place=place)
        if event is not None:  # no element of a list is blank
            found.append(event)
    return found


def _lines(decoder: Decoder, content: Content, most: int) -> Incoming:
    lines = content.body.split(b"\n")
    if len(lines) > most:  # blank ones do not count
        _few(sum(1 for line in lines if line.strip(_SPACE)), most)
    received_us = content.received_us
    found = (decoder.decode_live(line, received_us=received_us, place=place) for place, line in enumerate(lines, 1))
    return [event for event in found if event is not None]


def _binary(decoder: Decoder, content: Content) -> Event | Rejected:
    if content.signed:
        raise Problem(
            "media-type",
            "a signature covers the body alone, and this CloudEvent has its attributes in headers",
            f"send it in structured mode, as {CLOUD}, or with an API key",
            headers={"accept": ", ".join(READABLE)},
        )
    if content.type not in {"", JSON} and not content.type.endswith("+json"):
        raise Problem(
            "media-type",
            f"the data of this CloudEvent is {content.type[:100]!a}, and only JSON objects are read",
            f"send the data as {JSON}",
            headers={"accept": ", ".join(READABLE)},
        )
    try:
        envelope: dict[str, object] = dict(envelope_of(content.headers))
    except BadHeader as fault:
        raise _unreadable(str(fault), "percent-encode the UTF-8 bytes of header values, as CloudEvents asks") from None
    if content.body.strip(_SPACE):
        envelope["data"] = _document(content.body, MAX_DEPTH - 1)
    return decoder.read(envelope, received_us=content.received_us)


def _document(body: bytes, depth: int) -> object:
    try:
        return read_document(body, most_bytes=len(body), most_depth=depth)
    except InputError as fault:
        raise _unreadable(str(fault), "send strict JSON, as UTF-8") from None


def _few(count: int, most: int) -> None:
    if count > most:
        raise Problem(
            "too-large",
            f"there are {count:,} events in the request, and at most {most:,} are taken",
            "send them in several requests",
        )


def _unreadable(detail: str, fix: str) -> Problem:
    return Problem("unreadable", detail, fix)


def _no_cloud_event(what: str) -> Problem:
    return _unreadable(
        f'{what} is no CloudEvent: "specversion" is missing', f"send native events as {JSON} or {NDJSON}"
    )
