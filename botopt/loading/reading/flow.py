"""Which bracket, comma or quote breaks a value in `{ }` or `[ ]` that the YAML parser could not read."""

from __future__ import annotations

import re

from botopt.loading.reading import traps
from botopt.loading.reading.lines import closing_quote
from botopt.loading.reading.source import SourceText
from botopt.loading.reading.traps import placed
from botopt.loading.reading.wording import SMART_QUOTES, quote_all, said, typed
from botopt.model.diagnostic import Diagnostic

_PAIRS = {"{": "}", "[": "]"}
_WORD_END = re.compile(r"[,\[\]{}]|:(?=[\s,\[\]{}]|$)|[ \t\r\n]#|$")
_BLANKS = re.compile(r"[ \t\r\n]*")
_ENVIRONMENT = re.compile(r"\$\{[^}\s]*\}?")
_LAST_WORD = re.compile(r"(.*\S)[ \t\r\n]+[\"']?([A-Za-z_][\w.-]*)[\"']?", re.DOTALL)


def flow_trap(source: SourceText, start: int, end: int) -> tuple[Diagnostic | None, int]:
    """Walk from an opening bracket to its closing one.

    Returns the first finding, and the index after the closing bracket (`end` where there is none).
    """
    return _Walk(source, start, end).find()


class _Walk:
    """Where a walk through brackets is: which are open, below which key, whether a value comes next."""

    def __init__(self, source: SourceText, start: int, end: int) -> None:
        self.source, self.text, self.index, self.end = source, source.text, start, end
        self.open: list[int] = []
        self.key, self.in_value = "", False

    def find(self) -> tuple[Diagnostic | None, int]:
        while self.index < self.end:
            char = self.text[self.index]
            if char in " \t\r\n":
                self.index += 1
            elif char == "#":
                newline = self.text.find("\n", self.index)
                self.index = newline if 0 <= newline < self.end else self.end
            elif char in "{}[]":
                if found := self._bracket(char):
                    return found, self.index
                if not self.open:
                    return None, self.index
            elif char == ",":
                if found := self._comma():
                    return found, self.index
            elif char == ":":
                self.in_value = True
                self.index += 1
            elif found := self._quoted() if char in "'\"" else self._word():
                return found, self.index
        opening = self.open[-1] if self.open else self.end - 1
        bracket = self.text[opening]
        message = f"this bracket ({bracket}) is never closed"
        hint = f"type {_PAIRS.get(bracket, ']')} where it ends"
        return placed(self.source, "B032", self.source.span(opening, opening + 1), message, hint), self.end

    def _comma(self) -> Diagnostic | None:
        before = self.text[self.index - 1]
        for index in range(self.index - 1, self.open[-1] - 1, -1):
            before = self.text[index]
            if before not in " \t\r\n":
                break
        self.key, self.in_value = "", False
        self.index += 1
        if before not in {",", "{", "["}:
            return None
        message = "nothing stands in front of this comma"
        return placed(self.source, "B004", self.source.span(self.index - 1, self.index), message, "delete the comma")

    def _bracket(self, char: str) -> Diagnostic | None:
        start = self.index
        if self.text.startswith(("{{", "{%", "{#"), start):
            return traps.braces(self.source, start, self.key, flow=bool(self.open))
        self.index += 1
        if char in _PAIRS:
            self.open.append(start)
            self.key, self.in_value = "", False
            return None
        opening = self.open.pop()
        self.key, self.in_value = "", False
        wanted = _PAIRS[self.text[opening]]
        if char == wanted:
            return None
        line = self.source.place(opening)[0] + 1
        message = f"this {char} meets the {self.text[opening]} that opens in line {line}"
        return placed(self.source, "B032", self.source.span(start, start + 1), message, f"type {wanted} first")

    def _quoted(self) -> Diagnostic | None:
        start = self.index
        closing = closing_quote(self.text, start, self.end)
        if closing < 0:
            self.index = self.end
            return traps.unclosed(self.source, start, self.key, flow=True)
        blanks = _BLANKS.match(self.text, closing + 1)
        after = blanks.end() if blanks else closing + 1
        self.index = after
        following = self.text[after : after + 1]
        if after >= self.end or following in ",]}:" or (following == "#" and after > closing + 1):
            if following == ":" and not self.in_value:
                self.key = self.text[start + 1 : closing]
            return None
        if self.source.place(closing)[0] != self.source.place(start)[0]:
            return traps.unclosed(self.source, start, self.key, self.source.place(closing)[0] + 1, flow=True)
        return traps.goes_on(self.source, start, closing, self._entry_end(start), self.key)

    def _word(self) -> Diagnostic | None:
        """An unquoted word ends at a comma, a bracket, a colon with a blank, or a comment."""
        start = self.index
        found = _WORD_END.search(self.text, start, self.end)
        stop = found.start() if found else self.end
        word = self.text[start:stop].rstrip(" \t\r\n")
        ending = self.text[stop : stop + 1] if stop < self.end else ""
        self.index = max(stop, start + 1)
        if word[:1] in SMART_QUOTES:
            entry = self.text[start : self._entry_end(start)]
            return traps.smart_quoted(self.source, self.source.span(start, start + len(entry)), entry, self.key)
        if ending in {"{", "["} and word:
            return self._bracket_in_word(start, stop, word)
        if ending == "," and word.count("(") > word.count(")"):
            entry = self.text[start : self._entry_end(start)]
            message = "a comma inside { } or [ ] ends the value, parentheses or not"
            hint = quote_all(self.key, entry)
            return placed(self.source, "B025", self.source.span(stop, stop + 1), message, hint)
        if ending in {" ", "\t", "\r", "\n"} and re.match(r"#\w", self.text[stop + 1 : stop + 3]):
            line, column = self.source.place(stop + 1)
            comment = self.source.lines[line][column:]
            position = self.source.span(stop + 1, stop + 1 + len(comment))
            return traps.cut_by_comment(self.source, position, word, re.split(r"[,\]}]", comment)[0], self.key)
        if ending == ":":
            if self.in_value:
                return self._colon_in_word(start, stop, word)
            self.key = word
        return None

    def _bracket_in_word(self, start: int, stop: int, word: str) -> Diagnostic:
        entry = self.text[start : self._entry_end(start)]
        if word.endswith("$") and self.text[stop] == "{":
            found = _ENVIRONMENT.match(self.text, stop - 1)
            end = found.end() if found else stop + 1
            message = f"{self.text[stop - 1 : end]} inside {{ }} or [ ] needs quotes: its own braces get in the way"
            hint = f"type {typed(self.key, entry)}"
            return placed(self.source, "B026", self.source.span(stop - 1, end), message, hint)
        if self.text.startswith(("{{", "{%"), stop):
            message = f"a text with {self.text[stop : stop + 2]} inside {{ }} or [ ] needs quotes"
            hint = quote_all(self.key, entry)
            return placed(self.source, "B022", self.source.span(stop, stop + 2), message, hint)
        message = f"a bracket ({self.text[stop]}) inside {{ }} or [ ] ends the value {said(word)}"
        hint = quote_all(self.key, entry)
        return placed(self.source, "B025", self.source.span(stop, stop + 1), message, hint)

    def _colon_in_word(self, start: int, stop: int, word: str) -> Diagnostic:
        entry = self.text[start : self._entry_end(start)]
        hint = quote_all(self.key, entry)
        next_key = _LAST_WORD.fullmatch(word)
        if next_key:
            value, name = next_key.groups()
            corrected = f"{self.key}: {value.rstrip(';,')}, {name}: …"
            hint = f"type a comma if {said(name)} is the next key: {corrected} - or {hint}"
        message = f"{said(word)} is followed by a second colon in one value"
        return placed(self.source, "B023", self.source.span(stop, stop + 1), message, hint)

    def _entry_end(self, start: int) -> int:
        """Where an author would end the value that begins here: at a comma or bracket of this level."""
        depth, index, quote = 0, start, ""
        while index < self.end:
            char = self.text[index]
            before = self.text[index - 1]
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"" and not before.isalnum():
                quote = char
            elif char in "([{":
                depth += 1
            elif char in ")]}":
                if not depth:
                    break
                depth -= 1
            elif (char == "," and not depth) or (char == "\n" and depth > 20):
                break
            index += 1
        entry = self.text[start:index]
        return start + len(entry.rstrip(" \t\r\n"))
