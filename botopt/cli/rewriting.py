"""Files of authors, written anew, and what is different shown before."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from botopt.model.errors import InputError

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def rewrite(path: Path, text: str) -> None:
    """Write a file as a whole or not at all; a link stays a link, and the rights stay as they are.

    Raises:
        InputError: it cannot be written.
    """
    target = path.resolve()
    try:
        with NamedTemporaryFile("wb", dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            draft = Path(file.name)
            file.write(text.encode())
        try:
            if target.exists():
                draft.chmod(target.stat().st_mode)
            else:
                draft.chmod(0o666 & ~_umask())
            draft.replace(target)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    except OSError as fault:
        raise InputError(f"{path}: {fault.strerror}") from fault


def show_diff(diff: str) -> None:
    """A diff, coloured on a terminal."""
    from botopt.cli.console import out, visible

    for line in diff.splitlines():
        out().print(visible(line), style=_COLOURS.get(line[:1]), markup=False)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
