"""Tables of users: CSV with a header, or one JSON object a line. A row that cannot be read is told, and no other."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from botopt.model.errors import InputError
from botopt.model.values import is_text
from botopt.sources.faults import Fault
from botopt.sources.jsonl import InputFile, LongLine
from botopt.sources.strict_json import parse

CLEAR = "\\N"
"""A cell that says: take this value back. An empty one says nothing."""

Columns = Callable[[Sequence[str]], None]
"""Is told the names in a header; raises `InputError` for one that it does not know."""

_BOM = "\ufeff"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = (",", ";", "\t")


class Wrong(msgspec.Struct, frozen=True):
    """What is wrong with a row, and in which column, if it is one."""

    detail: str
    column: str | None = None


class TableRow(msgspec.Struct, frozen=True):
    """One row. `line` is where it begins. `values`: texts from CSV, where an empty cell is absent; or JSON values.

    None is a value to be taken back.
    """

    line: int
    values: Mapping[str, object] = {}
    wrong: Wrong | None = None


def read_csv(file: InputFile, known: Columns) -> Iterator[TableRow]:
    """The rows of a CSV file: UTF-8, with commas, semicolons or tabs, as the header has them.

    Raises:
        InputError: it has no header that can be used, or cannot be read.
    """
    lines = _Lines(file)
    reader = csv.reader(lines, delimiter=lines.delimiter(), strict=True)
    header: list[str] | None = None
    while True:
        first = lines.number + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            break
        except csv.Error as fault:
            row = TableRow(first, wrong=Wrong(_csv_words(fault)))
        else:
            if not any(cells):
                continue
            if header is None:
                header = _header(file.name, first, cells, known)
                continue
            row = _row(first, header, cells)
        if header is None:
            assert row.wrong is not None
            raise InputError(f"{file.name}:{first}: the header cannot be read: {row.wrong.detail}")
        yield row
    if header is None:
        raise InputError(f"{file.name} is empty: the first line names the columns, such as id,timezone,locale")


def read_objects(file: InputFile) -> Iterator[TableRow]:
    """The rows of a file with one JSON object a line.

    Raises:
        InputError: it cannot be read.
    """
    for line in file:
        raw = line.raw.removeprefix(_BOM.encode()) if line.number == 1 else line.raw
        if isinstance(line.raw, LongLine):
            yield TableRow(line.number, wrong=Wrong("the line is too long"))
        elif raw.strip():
            yield _object(line.number, raw)


def _object(number: int, raw: bytes) -> TableRow:
    try:
        value = parse(raw.decode())
    except UnicodeDecodeError:
        return TableRow(number, wrong=Wrong(_NO_UTF8))
    except Fault as fault:
        return TableRow(number, wrong=Wrong(fault.detail))
    if not isinstance(value, dict):
        return TableRow(number, wrong=Wrong('not a JSON object, such as {"id": "ada", "plan": "pro"}'))
    return TableRow(number, value)


class _Lines:
    """A file's lines as texts; `number` is that of the last one given. Half characters stand for what is no UTF-8."""

    def __init__(self, file: InputFile) -> None:
        self._lines = iter(file)
        self._name = file.name
        self.number = 0
        self._first = self._next()

    def delimiter(self) -> str:
        """What stands between the names of the first line, outside quotes."""
        outside = "".join((self._first or "").split('"')[::2])
        return max(_DELIMITERS, key=outside.count)

    def __iter__(self) -> Iterator[str]:
        line = self._first
        while line is not None:
            self.number += 1
            yield line
            line = self._next()

    def _next(self) -> str | None:
        line = next(self._lines, None)
        if line is None:
            return None
        if line.number == 1 and line.raw.startswith(_UTF16):
            raise InputError(f"{self._name} is UTF-16 text: save it as CSV UTF-8")
        text = line.raw.decode(errors="surrogateescape").removesuffix("\r")
        return f"{text.removeprefix(_BOM) if line.number == 1 else text}\n"


_NO_UTF8 = "this is not UTF-8 text: save the file as CSV UTF-8"


def _header(name: str, line: int, cells: Sequence[str], known: Columns) -> list[str]:
    where = f"{name}:{line}"
    if not all(map(is_text, cells)):
        raise InputError(f"{where}: {_NO_UTF8}")
    twice = [cell for cell, times in Counter(filter(None, cells)).items() if times > 1]
    if twice:
        raise InputError(f'{where}: two columns are called "{twice[0][:100]}"')
    try:
        known([cell for cell in cells if cell])
    except InputError as fault:
        raise InputError(f"{where}: {fault}") from None
    return list(cells)


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> TableRow:
    if len(cells) != len(header):
        few = "fewer" if len(cells) < len(header) else "more"
        detail = (
            f"it has {few} cells than the header: {len(cells)}, not {len(header)}; is a delimiter or a quote missing?"
        )
        return TableRow(line, wrong=Wrong(detail))
    values: dict[str, object] = {}
    for name, cell in zip(header, cells, strict=True):
        if not cell:
            continue
        if not name:
            return TableRow(line, wrong=Wrong("a cell stands in a column that has no name"))
        if not is_text(cell):
            return TableRow(line, wrong=Wrong(_NO_UTF8, name))
        values[name] = None if cell == CLEAR else cell
    return TableRow(line, values)


def _csv_words(fault: csv.Error) -> str:
    said = str(fault)
    if "unexpected end" in said or "field larger" in said:
        return 'a quote (") that is opened here is never closed'
    if "expected after" in said:
        return 'something follows a closing quote ("): write a quote inside a text twice, ""'
    return f"the row cannot be read: {said}"
