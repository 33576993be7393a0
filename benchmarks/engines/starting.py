"""What all engines have in common: `python -m benchmarks.engines.NAME FOLDER EVENTS OUT REVISION`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import straightforward
from benchmarks.engines.translation import Matcher
from botopt.model.condition import Condition
from botopt.verify.validate import load

Build = Callable[[Sequence[Condition]], Matcher]


def start(build: Build) -> None:
    """Decide all events with an engine's matchers, one for each event type."""
    folder, events, out, revision = sys.argv[1:]
    matchers = {
        name: build([rule.when.condition for rule in event_type.rules])
        for name, event_type in load(Path(folder)).events.items()
    }
    straightforward.run(Path(folder), Path(events), Path(out), revision, matchers=matchers)
