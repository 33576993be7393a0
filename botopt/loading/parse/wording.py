"""How messages about structure quote what an author wrote, and what they suggest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from botopt.loading.reader import Map, Node, Scalar, Sequence
from botopt.loading.reading.values import resolve
from botopt.loading.reading.wording import in_quotes, said

_TRUE = frozenset("yes y on ja wahr".split())
_FALSE = frozenset("no n off nein falsch".split())


def shown(node: Node) -> str:
    """What stands there, in a sentence: `"high"`, `5`, `a list`."""
    match node:
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=str(text)):
            return said(text)
        case Scalar(text=text):
            return text
        case Sequence():
            return "a list"
        case Map():
            return "a map"


def listed(words: Iterable[str], last: str = "or") -> str:
    """`a, b or c`."""
    *first, end = words
    return f"{', '.join(first)} {last} {end}" if first else end


def named(words: Iterable[str], last: str = "and") -> str:
    """`"a", "b" and "c"`."""
    return listed((f'"{word}"' for word in words), last)


def number_hint(key: str, node: Node, fits: Callable[[float], bool] = lambda _: True) -> str:
    """What to type for a number that is written as text; of a percentage only what `fits`."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return ""
    text = node.text.strip()
    if isinstance(resolve(text)[0] if text else None, (int, float)):
        return f"leave out the quotes: {key}: {text}"
    if re.fullmatch(r"[-+]?\d+,\d+", text):
        return f"numbers have a point, not a comma: {key}: {text.replace(',', '.')}"
    if (found := re.fullmatch(r"(\d{1,4}(?:\.\d+)?) ?%", text)) and fits(float(found[1]) / 100):
        return f"type it as a share: {key}: {float(found[1]) / 100:g}"
    if found := re.fullmatch(r"(minus|plus) ?(\d+(?:\.\d+)?)", text.lower()):
        return f"type {key}: {'-' if found[1] == 'minus' else '+'}{found[2]}"
    return ""


def text_hint(key: str, node: Node) -> str:
    """What to type for a text that YAML takes for something else."""
    if isinstance(node, Scalar) and node.value is not None:
        return (
            f"put it in quotes: {key}: {in_quotes(node.text)}" if key else f"put it in quotes: {in_quotes(node.text)}"
        )
    return ""


def boolean_hint(key: str, node: Node) -> str:
    """What to type for a yes or no."""
    word = node.text.strip().lower() if isinstance(node, Scalar) else ""
    value = "true" if word in _TRUE | {"true", "1"} else "false" if word in _FALSE | {"false", "0"} else ""
    return f"type {key}: {value}" if value else ""


def list_hint(key: str, node: Node) -> str:
    """What to type for a list of which somebody wrote the only entry."""
    if isinstance(node, Scalar) and node.value is not None:
        entries = [part for part in re.split(r"[,;\s]+", node.text.strip()) if part]
        if entries and all(re.fullmatch(r"[\w.-]+", entry) for entry in entries):
            return f"type it as a list: {key}: [{', '.join(entries)}]"
    return ""
