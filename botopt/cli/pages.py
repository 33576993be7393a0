"""Pages for a browser, written to files."""

from __future__ import annotations

from pathlib import Path

from botopt.model.errors import UsageError


def write_page(option: str, path: Path, page: str) -> None:
    """Write a page, in place of an older one of that name.

    Raises:
        UsageError: the name does not end in `.html`, so that no other file is lost.
        OSError: the file cannot be written.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f'{option}: the name of a page ends in .html; "{path.name}" does not')
    path.write_text(page, encoding="utf-8", newline="\n")
