"""JSON documents that come in one piece, such as the body of a request: read as strictly as lines are."""

from __future__ import annotations

from botopt.model.errors import InputError
from botopt.sources.faults import Fault
from botopt.sources.jsonl import MAX_LINE_BYTES
from botopt.sources.strict_json import MAX_DEPTH, parse

_BOM = b"\xef\xbb\xbf"


def read_document(
    body: bytes, *, most_bytes: int = MAX_LINE_BYTES, most_depth: int = MAX_DEPTH, called: str = "body"
) -> object:
    """The value of a JSON document. Events in it are for `Decoder.read`.

    No key stands twice in an object, no number is beyond what every program can hold, and no text is broken.

    Args:
        body: UTF-8, perhaps with a byte order mark.
        most_bytes: how long it may be.
        most_depth: levels of lists and objects that it may have; a list of events has one more than a line.
        called: what people call the document, for the sentence of a refusal.

    Raises:
        InputError: it is not JSON, not strict, too long or too deep; the text says which, and where.
    """
    if len(body) > most_bytes:
        raise InputError(f"the {called} is too long: {len(body):,} bytes, at most {most_bytes:,}")
    try:
        text = body.removeprefix(_BOM).decode()
    except UnicodeDecodeError as fault:
        raise InputError(f"not UTF-8 text: byte {fault.start + 1} does not fit") from None
    try:
        return parse(text, most_depth=most_depth, called=called)
    except Fault as fault:
        raise InputError(fault.detail) from None
