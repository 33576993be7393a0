"""Comparing two policies in a test, and the same once more as slowly and plainly as it can be said."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.engine.build import build
from botopt.loading.policy import load_policy
from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.event import Line
from botopt.model.policy import Policy
from botopt.sources.envelope import Decoder
from botopt.state.memory import MemoryStore
from botopt.verify.diff import Difference, Task, compare, edits
from botopt.verify.inputs import Inputs
from botopt.verify.replay import Decided, Replay
from tests.engine.support import TEMPLATES

Texts = tuple[str, str]


def texts(rules: str | Texts) -> Texts:
    """Rules and templates."""
    return (rules, TEMPLATES) if isinstance(rules, str) else rules


def workspace(folder: Path, rules: str | Texts) -> Path:
    """A folder with these rules and templates."""
    for kind, text in zip(("rules", "templates"), texts(rules), strict=True):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / kind / "all.yaml").write_text(text, "utf-8")
    return folder


def read(folder: Path) -> Policy:
    """The policy in a folder."""
    loaded = load_policy(folder, channel_types=CHANNEL_TYPES)
    assert loaded.policy is not None, "\n".join(f"{d.code} {d.position} {d.message}" for d in loaded.diagnostics)
    return loaded.policy


def raws(events: Sequence[object]) -> list[bytes]:
    """Events as lines."""
    return [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]


def differ(
    old: str | Texts, new: str | Texts, events: Sequence[object], *, until: int | None = None, workers: int = 1
) -> Difference:
    """What the program finds."""
    with tempfile.TemporaryDirectory() as name:
        before, after = (workspace(Path(name) / side, rules) for side, rules in (("old", old), ("new", new)))
        file = Path(name) / "events.jsonl"
        file.write_bytes(b"\n".join(raws(events)))
        task = Task(read(before), read(after), edits(before, after), (str(file),), None, until, network="reference")
        with Inputs(task.events) as inputs:
            return compare(task, inputs, workers)


def plainly(old: str | Texts, new: str | Texts, events: Sequence[object], until: int) -> tuple[Counter[str], int, int]:
    """How many events end differently in which way, and the messages of both: by two replays and their records."""
    ends = []
    for rules in (old, new):
        with tempfile.TemporaryDirectory() as name:
            ends.append(_ends(read(workspace(Path(name), rules)), events, until))
    before, after = ends
    kinds: Counter[str] = Counter()
    for place in before.keys() | after.keys():
        kind = _kind(before.get(place), after.get(place))
        if kind is not None:
            kinds[kind] += 1
    return kinds, *(sum(1 for one in found.values() if one.message is not None) for found in ends)


def _ends(policy: Policy, events: Sequence[object], until: int) -> dict[int, Decision]:
    """The last record about each line's event."""
    lines = [Line(number, raw) for number, raw in enumerate(raws(events), 1)]
    replay = Replay(build(policy, "reference"), Decoder(policy), MemoryStore())
    found: dict[int, Decision] = {}
    waiting: dict[tuple[str | None, str | None], int] = {}
    for item in replay.run(lines, until_us=until):
        if not isinstance(item, Decided):
            continue
        one = item.decision
        key = one.user, one.event_id
        refused = one.reason in (Reason.DUPLICATE, Reason.REJECTED) and one.line is not None
        place = None if refused or one.reason is Reason.DUPLICATE else waiting.pop(key, None)
        if place is None:
            assert item.line is not None
            place = item.line.number
        found[place] = one
        if one.outcome is Outcome.HELD:
            waiting[key] = place
    return found


def _kind(old: Decision | None, new: Decision | None) -> str | None:
    before, after = (None if one is None else one.message for one in (old, new))
    if before is None or after is None:
        if before is None and after is None:
            why = [("no decision",) if one is None else (one.outcome, one.reason, one.by) for one in (old, new)]
            return None if why[0] == why[1] else "reason"
        return "gained" if after is not None else "lost"
    if old.time_us != new.time_us:
        return "moved"
    if before.channel != after.channel:
        return "rerouted"
    shown = [(one.text, one.title, one.buttons, one.locale) for one in (before, after)]
    return None if shown[0] == shown[1] else "reworded"
