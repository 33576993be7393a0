"""Whether a state remembers as much as the policy asks for: windows may have grown since it was written."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.model.condition import duration_text
from botopt.model.instants import instant_text

META_KEY = "windows"
NEWEST_KEY = "newest_event_us"


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """How long something is remembered, and from when on that memory is complete."""

    window_us: int
    complete_from_us: int | None = None


def compare(meta: Mapping[str, str], wanted: Mapping[str, int]) -> tuple[dict[str, Kept], tuple[str, ...]]:
    """What the state will keep from now on, and a sentence for every window it cannot answer completely yet.

    Args:
        meta: the state's meta values; without a newest event the state is new, and complete.
        wanted: windows in microseconds by their name (`Retention.windows`).
    """
    newest_us = int(meta[NEWEST_KEY]) if NEWEST_KEY in meta else None
    before = msgspec.json.decode(meta.get(META_KEY, "{}"), type=dict[str, Kept])
    kept: dict[str, Kept] = {}
    notices = []
    for name, window_us in wanted.items():
        old = before.get(name, Kept(0))
        complete_us = old.complete_from_us
        if newest_us is None:
            complete_us = None
        elif window_us > old.window_us:
            complete_us = max(newest_us + window_us - old.window_us, complete_us or newest_us)
        kept[name] = Kept(window_us, complete_us)
        if newest_us is not None and complete_us is not None and complete_us > newest_us:
            held = duration_text(old.window_us) if old.window_us else "nothing"
            notices.append(
                f"{name}: the policy looks back {duration_text(window_us)}, the state holds {held}; "
                f"complete from {instant_text(complete_us)}"
            )
    return kept, tuple(notices)


def meta_values(kept: Mapping[str, Kept], newest_us: int | None) -> dict[str, str]:
    """The meta values to commit with a batch."""
    values = {META_KEY: msgspec.json.encode(dict(kept)).decode()}
    if newest_us is not None:
        values[NEWEST_KEY] = str(newest_us)
    return values
