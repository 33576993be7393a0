"""What was learned from all users together: frozen values that decisions read (a snapshot).

A snapshot changes only when the time of events passes a boundary (`settings.refresh`), so every decision between two
boundaries reads the same values, whoever takes it and whenever.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Arm(msgspec.Struct, frozen=True, array_like=True):
    """How a variant did. Counts are decayed and only of messages whose answer is known.

    `score` is how much better it does than expected, as a share: 0.1 is a tenth better. `sends` and `clicks` are what
    it rests on.
    """

    score: float
    sends: float = 0.0
    clicks: float = 0.0


class Snapshot(msgspec.Struct, frozen=True):
    """Learned values, frozen. Rates and shares lie between 0 and 1.

    `id` is a hash of all the others; `at_us` the boundary at which they were frozen. `rate` is the share of all
    messages that are clicked, `types` that of each event type (one that is not in it has `rate`). `arms` are by
    template and variant. `hours` says which share of what users do falls near each hour of their own day. `scorer_ok`:
    what the scorer foretold fits what came.
    """

    id: str
    at_us: int
    rate: float
    types: Mapping[str, float] = {}
    arms: Mapping[str, Mapping[str, Arm]] = {}
    hours: tuple[float, ...] = (1 / 24,) * 24
    scorer_ok: bool = True
