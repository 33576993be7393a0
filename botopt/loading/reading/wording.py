"""How messages about YAML quote what an author wrote."""

from __future__ import annotations

import re

NO_BREAK_SPACES = "\u00a0\u2000-\u200a\u202f\u205f\u3000"
INVISIBLE = "\u00ad\u200b\u200e\u200f\u2060\ufeff"
SMART_QUOTES = "“”„‟‘’‚‛"
OPENING_QUOTES = "“„‟‘‚‛"
CONDITION_KEYS = frozenset({"when", "unless"})

_OUTER_QUOTES = re.compile(f"^[{SMART_QUOTES}\"'](.*?)[{SMART_QUOTES}\"']?$", re.DOTALL)


def said(text: str, limit: int = 60) -> str:
    """A text in double quotes, on one line and not too long."""
    flat = re.sub(r"[ \t\r\n]+", " ", text).strip(" ")
    return f'"{flat if len(flat) <= limit else flat[: limit - 1] + "…"}"'


def in_quotes(value: str) -> str:
    """A text as an author should type it: in quotes that YAML takes as they stand."""
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    if "'" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def typed(key: str, value: str, limit: int = 120) -> str:
    """`key: "value"` to be copied from a hint; a value too long to repeat is shortened to its ends."""
    flat = re.sub(r"[ \t\r\n]+", " ", value).strip(" ")
    if len(flat) > limit:
        flat = flat[: limit // 2] + " … " + flat[-limit // 4 :]
    return f"{key}: {in_quotes(flat)}" if key else in_quotes(flat)


def quote_all(key: str, value: str) -> str:
    """The hint for a value that only lacks quotes; it says which kind, because the value may contain the other."""
    what = "condition" if key in CONDITION_KEYS else "text" if key else "value"
    kind = "single" if in_quotes(value)[0] == "'" else "double"
    return f"put the whole {what} in {kind} quotes: {typed(key, value)}"


def without_outer_quotes(value: str) -> str:
    """A text without the quotes of any kind around it."""
    found = _OUTER_QUOTES.match(value)
    return found.group(1) if found else value


def without_comment(value: str) -> str:
    """A piece of a line up to the comment that ends it; a `#` inside a quoted word stays."""
    quote = ""
    for index, char in enumerate(value):
        before = value[index - 1] if index else " "
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and not before.isalnum():
            quote = char
        elif char == "#" and before in " \t":
            return value[:index].rstrip(" \t")
    # A quote that never closes hides a comment: better to cut too much of a hint than to repeat the comment.
    return (re.split(r"[ \t]#", value, maxsplit=1)[0] if quote else value).rstrip(" \t")
