"""What the author asks of training, and which files it read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import file_digest
from pathlib import Path

from botopt.model.click_model import FEATURES
from botopt.model.errors import InputError, UsageError
from botopt.model.names import did_you_mean
from botopt.model.trained_model import TrainingLog
from botopt.sources.jsonl import STDIN
from botopt.verify.training.candidates import Signs

_SIGNS = {"+": 1, "-": -1}


def digests(names: Sequence[str]) -> tuple[TrainingLog, ...]:
    """The files by which a model can be made again.

    Raises:
        UsageError: one of them is standard input, or named twice.
        InputError: one of them cannot be read.
    """
    if STDIN in names:
        raise UsageError("a model file names the logs that it was trained on: give files, not standard input")
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{twice} is named twice")
    return tuple(TrainingLog(Path(name).name, _sha256(Path(name))) for name in names)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as fault:
        raise InputError(f"{path}: {fault.strerror}") from fault


def signs_of(asked: Iterable[str]) -> Signs:
    """What `--monotone user_rate=+` demands.

    Raises:
        UsageError: it is not written so, or there is no such feature.
    """
    found: dict[str, int] = {}
    for text in asked:
        name, _, sign = text.partition("=")
        if name not in FEATURES:
            hint = did_you_mean(name, FEATURES) or f"there are: {', '.join(FEATURES)}"
            raise UsageError(f'--monotone {text}: there is no feature "{name}"; {hint}')
        if sign not in _SIGNS:
            raise UsageError(f"--monotone {text}: write {name}=+ or {name}=-")
        if found.setdefault(name, _SIGNS[sign]) != _SIGNS[sign]:
            raise UsageError(f"--monotone {text}: {name} cannot go both ways")
    return found
