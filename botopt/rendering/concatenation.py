"""Texts of plain words and plain values, put together without Jinja: most messages are such.

What is unusual is left to Jinja's code for the same source (a value that is absent, a time, a text that is too long),
so that every bound, every refusal and every character stays the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import nodes

from botopt.rendering.reading.syntax import Parsed
from botopt.rendering.reading.uses import Key, use_of
from botopt.rendering.scene import EXACT, MAX_CHARACTERS, MAX_STEPS, Refusal, number_text


class Concatenation:
    """Words and values in turn. `joined` gives None where Jinja's code must decide."""

    __slots__ = ("_pieces", "_places", "keys")

    def __init__(self, pieces: Sequence[str | Key]) -> None:
        self._pieces = [piece if isinstance(piece, str) else "" for piece in pieces]
        self.keys: tuple[Key, ...] = tuple(dict.fromkeys(piece for piece in pieces if not isinstance(piece, str)))
        numbers = {key: number for number, key in enumerate(self.keys)}
        self._places = tuple(
            (place, numbers[piece]) for place, piece in enumerate(pieces) if not isinstance(piece, str)
        )

    def joined(self, values: Sequence[object]) -> str | None:
        """The text for these values, in the order of `keys`."""
        pieces = self._pieces.copy()
        for place, number in self._places:
            value = values[number]
            kind = type(value)
            if kind is str:
                pieces[place] = value  # type: ignore[call-overload]  # its type was just looked at
            elif kind is float or (kind is int and -EXACT < value < EXACT):  # type: ignore[operator]
                try:
                    pieces[place] = number_text(value)  # type: ignore[arg-type]
                except Refusal:
                    return None
            elif kind is bool:
                pieces[place] = "true" if value else "false"
            else:
                return None
        text = "".join(pieces)
        if len(text) > MAX_CHARACTERS:
            return None
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                return None
        return text


def concatenation(parsed: Parsed, own: frozenset[str]) -> Concatenation | None:
    """The text as a concatenation, if it is nothing else."""
    pieces: list[str | Key] = []
    for output in parsed.tree.body:
        if not isinstance(output, nodes.Output):
            return None
        for node in output.nodes:
            if isinstance(node, nodes.TemplateData):
                pieces.append(node.data)
                continue
            use = use_of(parsed, node, own)
            if use is None:
                return None
            pieces.append(use.key)
    return Concatenation(pieces) if len(pieces) < MAX_STEPS else None
