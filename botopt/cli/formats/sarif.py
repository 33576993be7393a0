"""SARIF 2.1.0: what code scanning reads (OASIS, Static Analysis Results Interchange Format)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from urllib.parse import quote

from botopt.cli.formats.documents import document
from botopt.cli.formats.entry import Entry, Kind
from botopt.model.position import Position
from botopt.model.version import VERSION

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_FINGERPRINT = "primaryLocationLineHash"
"""The only fingerprint that GitHub compares; others read it like any."""


def sarif(kinds: Sequence[Kind], entries: Iterable[Entry], *, successful: bool = True) -> str:
    """One run. `kinds` are all that the command knows, found or not; `successful`: it could look at everything.

    File names are relative to the root of the sources. The same results are the same bytes.
    """
    index = {kind.id: number for number, kind in enumerate(kinds)}
    seen: Counter[str] = Counter()
    run: dict[str, object] = {
        "tool": {"driver": {"name": "botopt", "semanticVersion": VERSION, "rules": [_rule(kind) for kind in kinds]}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [{"executionSuccessful": successful}],
        "results": [_result(entry, index, seen) for entry in entries],
    }
    return document({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(kind: Kind) -> Mapping[str, object]:
    rule: dict[str, object] = {
        "id": kind.id,
        "shortDescription": {"text": kind.title},
        "fullDescription": {"text": kind.title},
        "defaultConfiguration": {"level": kind.level.value},
        "help": {"text": kind.help or kind.title},
    }
    if kind.help:
        rule["help"] = {"text": kind.help, "markdown": kind.help}
    return rule


def _result(entry: Entry, index: Mapping[str, int], seen: Counter[str]) -> Mapping[str, object]:
    same = f"{entry.kind.id}\0{entry.position.file}\0{entry.identity}"
    seen[same] += 1  # the same words twice in a file are two results
    return {
        "ruleId": entry.kind.id,
        "ruleIndex": index[entry.kind.id],
        "level": entry.level.value,
        "message": {"text": entry.sentence},
        "locations": [{"physicalLocation": _location(entry.position)}],
        "partialFingerprints": {_FINGERPRINT: f"{sha256(same.encode()).hexdigest()[:16]}:{seen[same]}"},
    }


def _location(position: Position) -> Mapping[str, object]:
    place: dict[str, object] = {"artifactLocation": {"uri": quote(position.file), "uriBaseId": _ROOT}}
    if position.line > 0:
        place["region"] = {
            "startLine": position.line,
            "startColumn": max(position.column, 1),
            "endLine": max(position.end_line, position.line),
            "endColumn": max(position.end_column, 1),
        }
    return place
