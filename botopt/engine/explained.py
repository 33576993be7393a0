"""An explanation as plain data, for JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from botopt.engine.explain import Explanation
from botopt.model.instants import instant_text
from botopt.model.record import to_plain


def explanation_plain(explanation: Explanation) -> dict[str, Any]:
    """Everything about one decision; the decision as in its record, times as texts."""
    plain: dict[str, Any] = msgspec.to_builtins(explanation)
    plain["decision"] = to_plain(explanation.decision)
    for item in plain["suppressions"]:
        until_us = item.pop("until_us")
        item["until"] = None if until_us is None else instant_text(until_us)
    return plain
