"""One YAML file -> data that knows where it stands, and findings. An author's mistake raises nothing."""

from __future__ import annotations

import stat
from pathlib import Path

from botopt.loading.reading.broken import no_colon
from botopt.loading.reading.decoding import decode
from botopt.loading.reading.gathering import Gathering
from botopt.loading.reading.nodes import Document, Map, Node, Scalar, Sequence
from botopt.loading.reading.recovery import Recovery
from botopt.loading.reading.source import SourceText
from botopt.loading.reading.tree import Tree, Unreadable
from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic, in_order
from botopt.model.position import Position

__all__ = ["Document", "Map", "Node", "Scalar", "Sequence", "SourceText", "read_file", "read_text"]

MAX_BYTES = 16 << 20
"""A larger file is no policy: this is room for tens of thousands of event types."""


def read_file(path: Path, shown_as: str) -> tuple[Document, tuple[Diagnostic, ...]]:
    """Read a file; `shown_as` is its name in every position."""
    try:
        data = _bytes(path)
    except OSError as error:
        message = f"this file cannot be read: {_in_words(path, error)}"
        hint = "check that it exists and that you may read it"
        return _nothing(shown_as), (finding("B001", Position(shown_as), message, hint),)
    return read_text(shown_as, data)


def read_text(file: str, data: bytes) -> tuple[Document, tuple[Diagnostic, ...]]:
    """Read the bytes of a file."""
    source, findings = decode(file, data)
    if source is None:
        return _nothing(file), tuple(findings)
    gathering = Gathering(source)
    gathering.findings += findings
    root = _root(gathering)
    document = Document(file, root, source, bool(gathering.losses), tuple(gathering.broken))
    return document, in_order(gathering.findings)


def _root(gathering: Gathering) -> Node | None:
    tree = Tree(gathering)
    try:
        try:
            root = tree.read(gathering.source.text)
        except Unreadable as why:
            if why.fatal:
                raise
            root = Recovery(gathering, tree).read(why)
    except Unreadable as why:
        gathering.lose()
        if why.found:
            gathering.add(why.found)
        return None
    tree.finish()
    if isinstance(root, Scalar):
        # No file of botopt is a single text: its first line is a key that lacks something.
        gathering.lose()
        if not root.flawed:
            gathering.add(no_colon(root.source, root.raw[0], root.source.line(root.position.line).strip(" ")))
        return None
    return root


def _bytes(path: Path) -> bytes:
    """All bytes of a file; of what has no end, or would make its reader wait, none."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(None, "it is a pipe or a device, not a file")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OSError(None, f"it is larger than {MAX_BYTES >> 20} MB")
    return data


def _nothing(file: str) -> Document:
    return Document(file, None, SourceText(file, ""), partial=True)


def _in_words(path: Path, error: OSError) -> str:
    if path.is_symlink() and not path.exists():
        return f"it is a link to {path.readlink()}, which is not there"
    return error.strerror or str(error)
