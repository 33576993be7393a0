"""A comparison of two policies as plain data, for programs (schemas/diff.schema.json)."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.authoring.diff_words import Limit, summary
from botopt.model.decision import Decision
from botopt.model.instants import instant_text
from botopt.model.record import to_plain
from botopt.verify.diff import Change, Consequence, Difference, Edit, Kind, Link, Load


def diff_plain(found: Difference, limits: Sequence[Limit], old: str, new: str) -> dict[str, object]:
    """The whole comparison. Places in `edits` count from 0."""
    return {
        "old": old,
        "new": new,
        "summary": " ".join(summary(found)),
        "lines": found.lines,
        "events": found.decided,
        "changed": found.seen,
        "share": round(found.share, 6),
        "users": found.users,
        "users_changed": found.users_changed,
        "counts": {
            kind.value: {"direct": found.count(kind, direct=True), "consequence": found.count(kind, direct=False)}
            for kind in Kind
        },
        "event_types": _by_type(found),
        "moves": [
            {"event_type": name, "from": before, "to": after, "events": events}
            for name, before, after, events in found.moves
        ],
        "edits": [_edit(found, number, edit) for number, edit in enumerate(found.edits)],
        "consequences": [_consequence(one) for one in found.consequences],
        "load": {"old": _load(found.old), "new": _load(found.new)},
        "affected": [{"user": one.user, "old": one.old, "new": one.new} for one in found.affected],
        "limits": [
            {"option": limit.option, "limit": limit.limit, "found": limit.found, "holds": limit.holds}
            for limit in limits
        ],
        "samples": [_change(change) for change in found.samples],
    }


def _by_type(found: Difference) -> dict[str, dict[str, int]]:
    types: dict[str, dict[str, int]] = {}
    for name, kind, events in found.by_type:
        types.setdefault(name, {})[kind.value] = events
    return types


def _edit(found: Difference, number: int, edit: Edit) -> dict[str, object]:
    effects = [
        {"kind": kind.value, "direct": direct, "events": events}
        for one, kind, direct, events in found.by_edit
        if one == number
    ]
    return {
        "file": edit.position.file,
        "line": edit.position.line,
        "path": list(edit.path),
        "words": edit.words,
        "old": edit.old,
        "new": edit.new,
        "effects": effects,
    }


def _consequence(one: Consequence) -> dict[str, object]:
    return {
        "kind": one.kind.value,
        "event_type": one.event_type,
        "reason": one.reason,
        "window": one.window,
        "because": None if one.because is None else one.because.value,
        "because_type": one.because_type,
        "edits": list(one.edits),
        "events": one.events,
        "example": None if one.example is None else _change(one.example),
    }


def _load(load: Load) -> dict[str, object]:
    return {
        "messages": load.messages,
        "users": load.users,
        "mean": round(load.mean, 6),
        "p95": load.quantile(0.95),
        "most": load.most,
        "days": {str(messages): days for messages, days in load.days.items()},
        "busiest": [
            {"user": one.user, "day": instant_text(one.day_us)[:10], "messages": one.messages} for one in load.busiest
        ],
    }


def _change(change: Change) -> dict[str, object]:
    return {
        "kind": change.kind.value,
        "direct": change.direct,
        "user": change.user,
        "event_type": change.event_type,
        "event_id": change.event_id,
        "time": instant_text(change.time_us),
        "old": _decision(change.old),
        "new": _decision(change.new),
        "edits": list(change.edits),
        "window": change.window,
        "chain": [_link(link) for link in change.chain],
    }


def _decision(decision: Decision | None) -> dict[str, object] | None:
    """The record, without the revision: both sides were decided without one."""
    if decision is None:
        return None
    plain = to_plain(decision)
    del plain["revision"]
    return plain


def _link(link: Link) -> dict[str, object]:
    return {
        "kind": None if link.kind is None else link.kind.value,
        "event_type": link.event_type,
        "event_id": link.event_id,
        "time": instant_text(link.time_us),
    }
