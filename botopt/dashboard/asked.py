"""What somebody wants to look at."""

from __future__ import annotations

from pathlib import Path

import msgspec

from botopt.model.durations import DAY_US

UTC = "UTC"


class Asked(msgspec.Struct, frozen=True):
    """One source, and what is known beside it.

    Exactly one of three: `files` (decision records and events, in any mix), `state` (a state file), `url` (a running
    service, asked with `key`). `workspace` is the policy that decided, where somebody has it. `zone` is the time zone
    of users of whom the source does not tell; `ignored_after_us` how long an answer is waited for.
    """

    files: tuple[Path, ...] = ()
    state: Path | None = None
    url: str | None = None
    key: str | None = None
    workspace: Path | None = None
    events: tuple[Path, ...] = ()
    zone: str = UTC
    ignored_after_us: int = DAY_US

    @property
    def name(self) -> str:
        """The source in a few words."""
        if self.state is not None:
            return f"the state file {self.state}"
        if self.url is not None:
            return f"the service at {self.url}"
        return ", ".join(str(path) for path in (*self.files, *self.events))
