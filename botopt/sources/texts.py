"""Which texts may be ids, users and event types, and which may stand in a record as such."""

from __future__ import annotations

import re
from typing import TypeGuard

MAX_NAME = 256
"""Characters of an id, a user or an event type."""

MAX_SOURCE = 1_024
"""Characters of a CloudEvents source, which is a URI."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def is_name(value: object) -> TypeGuard[str]:
    """Whether this is a text of 1 to `MAX_NAME` characters without control characters or half characters."""
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME and _CONTROL.search(value) is None


def unfit(text: str, longest: int) -> str | None:
    """What keeps a text from being a name: the words after `"id" …`, general part first; or None."""
    if not text:
        return "is empty"
    if len(text) > longest:
        return f"is too long: {len(text)} characters, at most {longest}"
    found = _CONTROL.search(text)
    if found is not None:
        return f"holds a control character: U+{ord(found[0]):04X} at character {found.start() + 1}"
    return None
