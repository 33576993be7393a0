"""A model file and all that it was before: `clicks.json`, and beside it the folder `clicks.history`.

Every model that ever was in use lies there under a number, byte for byte, so that going back is exact. A model's card
is made from its file alone, and so goes back with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from botopt.loading.models import decode
from botopt.model.errors import InputError, UsageError
from botopt.model.trained_model import TrainedModel

_NUMBERED = re.compile(r"[0-9]{4,6}\.json")

Cards = Callable[[TrainedModel], Mapping[str, str]]
"""A model's card in each of its forms, by the ending of its file, such as `.md`."""

Write = Callable[[Path, str], None]
"""Writes a file as a whole or not at all."""


class Kept(msgspec.Struct, frozen=True):
    """One model of the history. `current`: it is the one in use."""

    number: int
    path: Path
    data: bytes
    current: bool

    @property
    def model(self) -> TrainedModel:
        """What it holds.

        Raises:
            InputError: the file was changed.
        """
        try:
            return decode(self.data)
        except ValueError as fault:
            raise InputError(f"{self.path}: {fault}") from None


class Shelf:
    """The history of one model file.

    Args:
        path: the model file, which need not be there.
        cards: makes its card.
        write: writes files.
    """

    def __init__(self, path: Path, cards: Cards, write: Write) -> None:
        if path.suffix != ".json":
            raise UsageError(f"{path}: a model file ends with .json")
        self.path = path
        self.folder = path.with_suffix(".history")
        self._cards = cards
        self._write = write

    def history(self) -> tuple[Kept, ...]:
        """All models that were in use, the oldest first. What is in use is the newest of those that equal it.

        Raises:
            InputError: a file cannot be read.
        """
        now = self._now()
        found = [(int(path.stem), path, _read(path)) for path in self._numbered()]
        current = next((number for number, _, data in reversed(found) if data == now), None)
        return tuple(Kept(number, path, data, number == current) for number, path, data in found)

    def put(self, data: bytes) -> bool:
        """A new model is in use from now on.

        Returns:
            Whether it is another one than before.

        Raises:
            InputError: a file cannot be read or written.
        """
        now = self._now()
        if now is not None and all(kept.data != now for kept in self.history()):
            self._add(now)  # it came here by hand
        if now != data or not self.history():
            self._add(data)
        self._use(data)
        return now != data

    def back(self, number: int | None = None) -> tuple[Kept, Kept | None]:
        """Go back to the model before the one in use, or to one of the history.

        Returns:
            What is in use now, and what was.

        Raises:
            UsageError: there is none.
            InputError: a file cannot be read or written.
        """
        history = self.history()
        if not history:
            why = "botopt train begins one with the first model that it writes there"
            raise UsageError(f"{self.path} has no history to go back to ({self.folder}); {why}")
        place = next((place for place, kept in enumerate(history) if kept.current), None)
        if number is None:
            if place is None:
                there = ", ".join(str(kept.number) for kept in history)
                raise UsageError(f"{self.path} is not in its history: say which model to go back to: --to {there}")
            if place == 0:
                raise UsageError(f"there is no model before this one in {self.folder}")
            wanted = history[place - 1]
        else:
            known = {kept.number: kept for kept in history}
            if number not in known:
                there = ", ".join(map(str, known))
                raise UsageError(f"there is no model {number} in {self.folder}; there are: {there}")
            wanted = known[number]
        before = None if place is None else history[place]
        assert wanted.model is not None  # it can be read, or it is not put in use
        self._use(wanted.data)
        return msgspec.structs.replace(wanted, current=True), before

    def _use(self, data: bytes) -> None:
        self._write(self.path, data.decode())
        for ending, text in self._cards(decode(data)).items():
            self._write(self.path.with_suffix(ending), text)

    def _add(self, data: bytes) -> None:
        numbers = [int(path.stem) for path in self._numbered()]
        self._make(self.folder)
        self._write(self.folder / f"{max(numbers, default=0) + 1:04d}.json", data.decode())

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise InputError(f"{folder}: {fault.strerror}") from fault

    def _now(self) -> bytes | None:
        return _read(self.path) if self.path.exists() else None

    def _numbered(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(
            (path for path in self.folder.iterdir() if _NUMBERED.fullmatch(path.name)), key=lambda path: int(path.stem)
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise InputError(f"{path}: {fault.strerror}") from fault
