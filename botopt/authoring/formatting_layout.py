"""YAML text -> the same with tidy spaces, line by line, guided by the tokens: all else stays as it was typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Protocol

import msgspec

INDENT = 2


class Unusual(Exception):
    """The text uses something that policies have no use for (anchors, tags, several documents)."""


class Rules(msgspec.Struct, frozen=True):
    """What to settle."""

    indent: bool = True
    blank_lines: bool = True


class _Atom(msgspec.Struct):
    """A scalar or a sign, from the first character to before the last; `indent` is where it goes if it begins a line.

    `shift` is how far lines move that continue it. `open` leads from each column where a block around it begins to the
    column where that block goes.
    """

    sign: str
    line: int
    column: int
    end_line: int
    end_column: int
    indent: int
    shift: int
    open: dict[int, int]
    top: bool


class _Block(msgspec.Struct):
    """A map or list in block style: the column where it begins and the one where it goes."""

    column: int
    wanted: int
    is_map: bool
    unstarted: bool = False


class _Mark(Protocol):
    index: int
    line: int
    column: int


class _Token(Protocol):
    start_mark: _Mark
    end_mark: _Mark


_SIGNS = {
    "FlowMappingStartToken": "{",
    "FlowMappingEndToken": "}",
    "FlowSequenceStartToken": "[",
    "FlowSequenceEndToken": "]",
    "FlowEntryToken": ",",
    "ValueToken": ":",
    "BlockEntryToken": "-",
    "ScalarToken": "",
}


def laid_out(text: str, rules: Rules) -> str:
    """The text with tidy spaces.

    Raises:
        Unusual: it is better left alone.
    """
    lines = text.split("\n")
    atoms = _Atoms(rules).read(text)
    written = list(_Lines(lines, atoms, rules).write())
    kept = list(_settled(written)) if rules.blank_lines else [line for line, _ in written]
    return "\n".join(kept).rstrip("\n") + "\n" if any(kept) else ""


def comments(text: str) -> tuple[str, ...]:
    """Every comment of a text, in order.

    Raises:
        Unusual: it is better left alone.
    """
    lines = text.split("\n")
    writing = _Lines(lines, _Atoms(Rules()).read(text), Rules())
    return tuple(comment for number in range(len(lines)) if (comment := writing.comment(number)[1]))


class _Atoms:
    """One reading of the tokens."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._blocks: list[_Block] = []
        self._flows = 0
        self._key_at: tuple[int, int] | None = None

    def read(self, text: str) -> list[_Atom]:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        try:
            tokens = list(YAML(typ="safe", pure=True).scan(text))
        except YAMLError:
            raise Unusual from None
        return [atom for token in tokens if (atom := self._atom(token)) is not None]

    def _atom(self, token: _Token) -> _Atom | None:
        kind = type(token).__name__
        start, end = token.start_mark, token.end_mark
        match kind:
            case "StreamStartToken" | "StreamEndToken":
                return None
            case "BlockMappingStartToken" | "BlockSequenceStartToken":
                self._open(start.column, is_map=kind == "BlockMappingStartToken")
                return None
            case "BlockEndToken":
                self._close_unstarted()
                self._blocks.pop()
                return None
            case "KeyToken":
                if end.index > start.index:  # a question mark
                    raise Unusual
                if not self._flows:
                    self._close_unstarted()
                    self._key_at = (start.line, start.column)
                return None
            case "BlockEntryToken" if self._blocks and self._blocks[-1].is_map:
                # A list that is not indented below its key has no token for its beginning.
                self._open(start.column, unstarted=True)
            case _:
                pass
        if kind not in _SIGNS:
            raise Unusual
        sign = _SIGNS[kind]
        key = sign == "" and not self._flows and self._key_at == (start.line, start.column)
        atom = self._placed(sign, token, begins=key or sign == "-")
        self._flows += {"{": 1, "[": 1, "}": -1, "]": -1}.get(sign, 0)
        return atom

    def _placed(self, sign: str, token: _Token, *, begins: bool) -> _Atom:
        start, end = token.start_mark, token.end_mark
        block = self._blocks[-1] if self._blocks else _Block(0, 0, is_map=False)
        shift = block.wanted - block.column
        indent = block.wanted if begins else start.column + shift if self._flows else block.wanted + INDENT
        if not self._rules.indent:
            indent, shift = start.column, 0
        around = {one.column: one.wanted for one in reversed(self._blocks)}  # the outermost counts
        top = begins and sign == "" and len(self._blocks) == 1
        return _Atom(sign, start.line, start.column, end.line, end.column, indent, shift, around, top)

    def _open(self, column: int, *, is_map: bool = False, unstarted: bool = False) -> None:
        wanted = self._blocks[-1].wanted + INDENT if self._blocks else 0
        self._blocks.append(_Block(column, wanted, is_map, unstarted))

    def _close_unstarted(self) -> None:
        if self._blocks and self._blocks[-1].unstarted:
            self._blocks.pop()


class _Lines:
    """One writing of the lines."""

    def __init__(self, lines: Sequence[str], atoms: Sequence[_Atom], rules: Rules) -> None:
        self._lines = lines
        self._rules = rules
        self._starting: dict[int, list[_Atom]] = {}
        self._ending: dict[int, _Atom] = {}
        self._inside: dict[int, _Atom] = {}
        for atom in atoms:
            self._starting.setdefault(atom.line, []).append(atom)
            if atom.end_line > atom.line:
                self._inside.update(dict.fromkeys(range(atom.line + 1, atom.end_line), atom))
                if atom.end_column:
                    self._ending[atom.end_line] = atom

    def write(self) -> Iterator[tuple[str, str]]:
        """Each line with its kind: `blank`, `comment`, `key` at the left edge, `inside` a text, or `other`."""
        for number, line in enumerate(self._lines):
            if number in self._inside:
                yield _shifted(line, self._inside[number].shift), "inside"
            elif number in self._starting or number in self._ending:
                first = self._starting.get(number)
                yield self._content(number), "key" if first and first[0].top else "other"
            elif line.strip():
                yield self._remark(number), "comment"
            else:
                yield "", "blank"

    def comment(self, number: int) -> tuple[int, str]:
        """The column and the text of the comment on a line; no text where there is none."""
        if number in self._inside:
            return 0, ""
        last = self._last(number)
        if last is not None and last.end_line > number:
            return 0, ""
        start = 0 if last is None else last.end_column
        rest = self._lines[number][start:]
        text = rest.strip()
        if text and not text.startswith("#"):
            raise Unusual
        return start + len(rest) - len(rest.lstrip()), text

    def _last(self, number: int) -> _Atom | None:
        starting = self._starting.get(number)
        return starting[-1] if starting else self._ending.get(number)

    def _content(self, number: int) -> str:
        line, before = self._lines[number], self._ending.get(number)
        starting = self._starting.get(number, [])
        if before is not None:
            moved, written = before.shift, _shifted(line[: before.end_column], before.shift)
        else:
            moved, written = starting[0].indent - starting[0].column, " " * starting[0].indent
        for atom in starting:
            if before is not None:
                gap = line[before.end_column : atom.column]
                if gap.strip(" \t"):
                    raise Unusual
                written += " " * _gap(before.sign, atom.sign, len(gap))
            written += line[atom.column : atom.end_column if atom.end_line == number else None]
            before = atom
        column, remark = self.comment(number)
        if not remark:
            return written
        assert before is not None
        nearest = len(written) + min(2, column - before.end_column)
        return written.ljust(max(nearest, column + moved)) + remark

    def _remark(self, number: int) -> str:
        column, remark = self.comment(number)
        if not self._rules.indent:
            return " " * column + remark
        after, before = self._near(number, 1), self._near(number, -1)
        if after is not None and after.column == column:
            wanted = after.indent
        elif before is not None and column in before.open:
            wanted = before.open[column]
        elif after is not None and column in after.open:
            wanted = after.open[column]
        else:
            near = after or before
            wanted = column if near is None else max(0, column + near.indent - near.column)
        return " " * wanted + remark

    def _near(self, number: int, step: int) -> _Atom | None:
        """The first sign of the next line that has one, or of the one before."""
        at = number + step
        while 0 <= at < len(self._lines):
            if at in self._starting:
                return self._starting[at][0]
            at += step
        return None


def _gap(before: str, after: str, width: int) -> int:
    """How many spaces stand between two signs that had so many; wide ones may be a column, and stay."""
    if before in {"{", "["} or after in {"}", "]", ",", ":"}:
        return 0
    if before in {",", ":"}:
        return max(1, width)
    return 1 if before == "-" else width


def _shifted(line: str, shift: int) -> str:
    if not line.strip():
        return line
    if shift >= 0:
        return " " * shift + line
    return line[min(-shift, len(line) - len(line.lstrip(" "))) :]


def _settled(lines: Sequence[tuple[str, str]]) -> Iterator[str]:
    """One blank line at most, none at the beginning, and one above each key at the left edge and its comments."""
    begun = False
    for number, (line, kind) in enumerate(lines):
        before = lines[number - 1] if number else ("", "blank")
        if kind == "blank":
            if begun and before[1] != "blank":
                yield line
            continue
        if begun and before[1] not in {"blank", "inside"} and _begins(lines, number):
            yield ""
        begun = True
        yield line


def _begins(lines: Sequence[tuple[str, str]], number: int) -> bool:
    """Whether a key at the left edge begins here, with the comments right above it, and is not the first."""
    if not any(kind in {"key", "inside", "other"} for _, kind in lines[:number]):
        return False
    if _at_edge(lines[number - 1]):
        return False
    following = number + sum(1 for _ in takewhile(_at_edge, lines[number:]))
    return following < len(lines) and lines[following][1] == "key"


def _at_edge(line: tuple[str, str]) -> bool:
    return line[1] == "comment" and line[0].startswith("#")
