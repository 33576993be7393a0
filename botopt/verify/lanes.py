"""How many processes decide."""

from __future__ import annotations

import os

from botopt.verify.inputs import Inputs

PAYS_FROM = 16 << 20
"""Bytes of input for each worker from which on it saves more time than starting it costs (benchmarks/README.md)."""

MOST = 8
"""Workers by default; reading and writing keep up with about so many."""


def workers_for(inputs: Inputs, wanted: int | None) -> int:
    """How many processes to use: what was asked for, else as many as the inputs pay for and the machine has."""
    if wanted is not None:
        return wanted
    size = inputs.size
    if size is None or not all(inputs.plain):
        return 1
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(processors, MOST, size // PAYS_FROM))
