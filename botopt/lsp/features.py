"""What a feature of the protocol is here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Feature = tuple[str, Callable[..., Any], object]
"""The method of the protocol, the function that answers it, and what the editor is told about it at the beginning."""
