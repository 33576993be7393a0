"""One YAML file -> data that knows where it stands, and findings. An author's mistake raises nothing."""

from __future__ import annotations

from pathlib import Path

from botopt.loading.files import read_bytes
from botopt.loading.reading.broken import no_colon
from botopt.loading.reading.decoding import decode
from botopt.loading.reading.gathering import Gathering
from botopt.loading.reading.nodes import Document, Map, Node, Scalar, Sequence
from botopt.loading.reading.recovery import Recovery
from botopt.loading.reading.source import SourceText
from botopt.loading.reading.tree import Tree, Unreadable
from botopt.model.diagnostic import Diagnostic, in_order

__all__ = ["Document", "Map", "Node", "Scalar", "Sequence", "SourceText", "read_data", "read_file", "read_text"]


def read_file(path: Path, shown_as: str) -> tuple[Document, tuple[Diagnostic, ...]]:
    """Read a file; `shown_as` is its name in every position."""
    return read_data(shown_as, read_bytes(path, shown_as))


def read_data(file: str, data: bytes | Diagnostic) -> tuple[Document, tuple[Diagnostic, ...]]:
    """Read the bytes of a file, or what is known of one without."""
    if isinstance(data, Diagnostic):
        return _nothing(file), (data,)
    return read_text(file, data)


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


def _nothing(file: str) -> Document:
    return Document(file, None, SourceText(file, ""), partial=True)
