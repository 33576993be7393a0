"""A durable_rules matcher of one's own, and when there can be none."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from botopt.model.condition import Condition
from botopt.network.durable import Alive, DurableMatcher, DurableNetwork

ABSENT_HERE = sys.version_info >= (3, 13) or sys.platform == "win32"
"""Anywhere else a missing module is a failure, not a reason to skip."""

needs_durable = pytest.mark.skipif(ABSENT_HERE, reason="durable_rules does not load on this Python")


def durable(conditions: Sequence[Condition], alive: Alive | None = None) -> DurableMatcher:
    """A durable_rules matcher. One that is refused answers like the reference, so ask `refused` too."""
    return DurableNetwork(alive).compile(conditions)
