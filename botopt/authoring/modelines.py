"""The two comments at the head of a file that tell editors its schema."""

from __future__ import annotations

import re
from os.path import relpath
from pathlib import Path

_MODELINE = re.compile(r"#[ \t]*(?:yaml-language-server:[ \t]*\$schema=|\$schema:)")
_BREAK = re.compile(r"\r\n|\r|\n")
_MARK = "\ufeff"


def modelines(schema: str) -> tuple[str, str]:
    """The spelling of the YAML language server (VS Code, Neovim, Helix), and that of JetBrains."""
    return f"# yaml-language-server: $schema={schema}", f"# $schema: {schema}"


def with_modelines(text: str, schema: str) -> str:
    """A text that begins with the modelines of this schema. Others in its head go; everything else stays."""
    mark = _MARK if text.startswith(_MARK) else ""
    body = text.removeprefix(_MARK)
    found = _BREAK.search(body)
    end = found[0] if found else "\n"
    head, rest = _head(body)
    kept = [line for line in head if not _MODELINE.match(line)]
    return mark + "".join(f"{line}{end}" for line in modelines(schema)) + "".join(kept) + rest


def _head(text: str) -> tuple[list[str], str]:
    """The comments and empty lines at the beginning, each with its line break; and what follows."""
    lines, at = [], 0
    while at < len(text):
        found = _BREAK.search(text, at)
        end = found.end() if found else len(text)
        line = text[at:end]
        if line.strip() and not line.startswith("#"):
            break
        lines.append(line)
        at = end
    return lines, text[at:]


def path_to(schema: Path, file: Path) -> str:
    """The path from a file to its schema, as both spellings take it: relative, with slashes."""
    return relpath(schema, file.parent).replace("\\", "/")
