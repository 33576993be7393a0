"""A workspace to ask questions about, with a mark where the cursor is."""

from __future__ import annotations

from pathlib import Path

from botopt.authoring.editing.completing import complete
from botopt.authoring.editing.expressions import Suggestion
from botopt.authoring.editing.hovering import definition, hover
from botopt.authoring.editing.workbench import Workbench
from botopt.verify.live import Live

MARK = "¦"


def marked(text: str) -> tuple[list[str], int, int]:
    """Lines without the mark; and where it was, counted from 0."""
    before = text[: text.index(MARK)]
    return text.replace(MARK, "").split("\n"), before.count("\n"), len(before.rpartition("\n")[2])


class Desk:
    """Files of a workspace in an editor."""

    def __init__(self, folder: Path) -> None:
        self.live = Live(folder)
        self.bench = Workbench(self.live.look())

    def write(self, name: str, text: str) -> None:
        self.live.write(name, text.encode())
        self.bench = Workbench(self.live.look(), self.bench)

    def tidy(self) -> None:
        """As on the first day."""
        for name in self.bench.view.open:
            self.live.write(name, None)
        self.bench = Workbench(self.live.look())

    def text(self, name: str) -> str:
        return self.bench.view.documents[name].source.text

    def complete(self, name: str, text: str) -> list[Suggestion]:
        """What may stand at the mark; the file is looked at as it is, broken or not."""
        lines, line, column = marked(text)
        self.write(name, "\n".join(lines))
        return complete(self.bench, name, lines, line, column)

    def place(self, name: str, words: str) -> tuple[int, int]:
        """Line and column of a mark within words of a file, counted from 1."""
        text = self.text(name)
        at = text.index(words.replace(MARK, "")) + words.index(MARK)
        before = text[:at]
        return before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1

    def hover(self, name: str, words: str) -> str:
        return hover(self.bench, name, *self.place(name, words))

    def definition(self, name: str, words: str) -> list[str]:
        return [str(node.position) for node in definition(self.bench, name, *self.place(name, words))]
