"""How a live service is, in lines for people: the same as plain data says, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from botopt.cli.operating import about
from botopt.model.counting import number_of

_SECOND_US = 1_000_000
_BREAKERS = {
    "closed": "works",
    "open": "stopped after failures, tried again in 5 minutes at most",
    "half_open": "stopped after failures, one message tries whether it is back",
}
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_COUNTS = (
    ("decided", "botopt_decisions_total", "event_type", "outcome"),
    ("not sent", "botopt_suppressed_total", "event_type", "reason"),
    ("attempts", "botopt_deliveries_total", "channel", "result"),
)
_WIDTH = 17


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """What `botopt status` has found out, the most important first."""
    yield from _first(told)
    for name in ("revision", "since", "newest_commit", "newest_decision"):
        if told.get(name) is not None:
            yield _line(name.replace("_", " "), told[name])
    if told.get("queue") is not None:
        yield _line("queue", f"{number_of(told['queue'], 'event')} of at most {told.get('queue_limit', 0):,}")
    if told.get("held") is not None:
        yield _line("held", number_of(told["held"], "message"))
    if told.get("keys") is not None:
        yield _line("keys", f"{told['keys']:,}")
    yield from _refused(told.get("refused"))
    yield from _channels(told)
    yield from _silences(told.get("silences"))
    yield from _counts(told.get("counts") or {})
    if told.get("no_counts"):
        yield _line("no numbers", told["no_counts"])
    for notice in told.get("notices", ()):
        yield _line("notice", notice)


def _line(name: str, words: object) -> str:
    return f"{name:<{_WIDTH}}{words}"


def _first(told: Mapping[str, Any]) -> Iterator[str]:
    if "ready" not in told:
        return
    up = told.get("uptime_seconds")
    since = "" if up is None else f"; it runs for {about(int(up) * _SECOND_US)}"
    yield f"ready{since}" if told["ready"] else f"not ready: {told.get('detail', 'it does not say why')}"


def _refused(refused: Mapping[str, Any] | None) -> Iterator[str]:
    if not refused:
        return
    yield _line(
        "refused", f"a change of {refused['at']} has errors, and is not served; `botopt validate` shows them whole"
    )
    for finding in refused["findings"]:
        yield from (_line("", line) for line in finding.splitlines())


def _channels(told: Mapping[str, Any]) -> Iterator[str]:
    """A line for each channel: whether it works, and what is not over there."""
    waiting: dict[str, list[str]] = {}
    for key, count in (told.get("outbox") or {}).items():
        channel, _, status = key.rpartition("/")
        waiting.setdefault(channel, []).append(f"{count:,} {status}")
    circuits = told.get("circuits") or {}
    for channel in sorted({*circuits, *waiting}):
        state = circuits.get(channel)
        words = [] if not circuits else ["not in the policy" if state is None else _BREAKERS.get(state, str(state))]
        if channel in waiting:
            words.append(", ".join(waiting[channel]))
        yield _line("channel", f"{channel}: {'; '.join(words)}")


def _silences(silences: object) -> Iterator[str]:
    if isinstance(silences, list):
        for one in silences:
            yield _line("silence", f"{one['id']} until {one['until']}: {', '.join(one['events']) or 'everything'}")
    elif silences:
        yield _line("silences", silences)


def _counts(counts: Mapping[str, float]) -> Iterator[str]:
    """Numbers since the start, by event type or channel: `parcel_waiting: 14 sent, 3 suppressed`."""
    for name, metric, by, what in _COUNTS:
        found: dict[str, list[str]] = {}
        for series, value in counts.items():
            if series.startswith(f"{metric}{{"):
                labels = dict(_LABEL.findall(series))
                found.setdefault(labels.get(by, ""), []).append(f"{value:,.0f} {labels.get(what, '')}")
        for key in sorted(found):
            yield _line(name, f"{key}: {', '.join(found[key])}")
