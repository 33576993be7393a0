"""JSON documents in one piece: a list of events, a request of a platform."""

from __future__ import annotations

import json

import pytest

from botopt.model.errors import InputError
from botopt.sources.documents import read_document
from botopt.sources.strict_json import MAX_DEPTH


@pytest.mark.parametrize("value", [[], {}, [{"a": [1, 2.5, None, True, "ü"]}], "text", 5])
def test_a_document_is_read_like_json(value):
    assert read_document(json.dumps(value).encode()) == value
    assert read_document(b"\xef\xbb\xbf" + json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not valid JSON: the body ends too early, after character 0"),
        (b"[1,", "not valid JSON: the body ends too early, after character 3"),
        (b"[1,]", "not valid JSON: expected a value at character 4"),
        (b'[{"a": 1, "a": 2}]', 'a key stands twice: "a"'),
        (b"[1] 2", "not valid JSON: something follows after the end at character 5"),
        (b"[NaN]", "not valid JSON: NaN is no number"),
        (b"[9007199254740993]", "a number is too large: 9007199254740993 is beyond 2 to the power of 53"),
        (b'["\\ud800"]', "a text is broken: it holds half a character (a lone surrogate)"),
        (b'["\xff"]', "not UTF-8 text: byte 3 does not fit"),
    ],
)
def test_what_is_refused_and_why(body, said):
    with pytest.raises(InputError) as fault:
        read_document(body)
    assert str(fault.value) == said


@pytest.mark.parametrize(("levels", "most"), [(3, 3), (MAX_DEPTH, None), (MAX_DEPTH + 1, MAX_DEPTH + 1)])
def test_the_deepest_that_is_read(levels, most):
    body = b"[" * levels + b"]" * levels
    limits = {} if most is None else {"most_depth": most}
    assert isinstance(read_document(body, **limits), list)
    with pytest.raises(InputError, match=f"more than {levels} levels"):
        read_document(b"[" + body + b"]", **limits)


def test_brackets_in_texts_are_no_levels():
    assert read_document(b'["[[[[", "{"]', most_depth=1) == ["[[[[", "{"]


def test_the_longest_that_is_read():
    body = json.dumps(["x" * 10]).encode()
    assert read_document(body, most_bytes=len(body)) == ["x" * 10]
    with pytest.raises(InputError, match=r"the request is too long: 14 bytes, at most 13"):
        read_document(body, most_bytes=len(body) - 1, called="request")
