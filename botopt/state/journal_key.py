"""Where a state remembers how far a run over files came."""

from __future__ import annotations

KEY = "run"
"""The name of the journal among the state's meta values."""

NO_JOURNAL: dict[str, str] = {KEY: ""}
"""What a run that cannot go on commits instead: the state has left the journal of an earlier one behind."""
