"""A progress bar on a terminal: share of the input read, lines a second, time left."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from rich import progress as rich_progress

from botopt.cli.console import err
from botopt.verify.inputs import Inputs


class Progress:
    """Nothing is shown where standard error is no terminal, or where records are printed anyway."""

    def __init__(self, inputs: Inputs, *, visible: bool) -> None:
        self._inputs = inputs
        self._visible = visible and err().is_terminal
        self._stack = ExitStack()
        self._bar: rich_progress.Progress | None = None
        self._lines = 0

    def __enter__(self) -> Self:
        """Draw the bar."""
        if self._visible:
            bar = rich_progress.Progress(
                rich_progress.TextColumn("{task.description}"),
                rich_progress.BarColumn(),
                rich_progress.TaskProgressColumn(),
                rich_progress.TextColumn("{task.fields[rate]}"),
                rich_progress.TimeRemainingColumn(),
                console=err(),
                transient=True,
            )
            self._bar = self._stack.enter_context(bar)
            self._task = bar.add_task("deciding", total=self._inputs.size, rate="")
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._stack.close()

    def tick(self, lines: int, position: int | None = None) -> None:
        """So many more lines were decided; `position` is how many bytes were read, where other processes read them."""
        self._lines += lines
        if self._bar is not None:
            elapsed = self._bar.tasks[self._task].elapsed or 1.0
            rate = f"{self._lines / elapsed:,.0f} lines/s"
            self._bar.update(self._task, completed=self._inputs.position() if position is None else position, rate=rate)
