"""Where the files that come with botopt are: in the wheel below `botopt/_data`, in a checkout at its top or docs/."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent.parent


def data_dir(kind: Literal["schemas", "rules", "templates", "examples", "codes"]) -> Path:
    """The folder that holds these files.

    Raises:
        FileNotFoundError: the installation lacks them.
    """
    for folder in (_PACKAGE / "_data" / kind, _PACKAGE.parent / kind, _PACKAGE.parent / "docs" / kind):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"botopt's own {kind} are missing from {_PACKAGE}; install botopt anew")
