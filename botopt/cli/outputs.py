"""Where a replay's records go: the screen, or record lines; and what is said at the end."""

from __future__ import annotations

import sys
from collections import Counter

import msgspec

from botopt.cli.options import Format
from botopt.model.decision import Decision, Outcome
from botopt.model.errors import UsageError
from botopt.model.event import Line
from botopt.model.names import did_you_mean
from botopt.model.policy import RESERVED_TYPES, Policy
from botopt.model.record import decode_line
from botopt.model.rejected import encode_rejected
from botopt.verify.appending import NOTHING, Appending, Mark
from botopt.verify.inputs import Inputs
from botopt.verify.replay import Decided, Responded
from botopt.verify.summary import Summary


class RecordFilter:
    """Which records are shown. Everything is decided all the same."""

    def __init__(self, user: str | None, event_type: str | None, since_us: int | None, limit: int | None) -> None:
        self._user = user
        self._event_type = event_type
        self._since_us = since_us
        self._limit = self._left = limit
        self.active = (user, event_type, since_us, limit) != (None, None, None, None)
        self.shown = 0

    def check(self, policy: Policy) -> None:
        """Refuse an event type that cannot occur.

        Raises:
            UsageError: with the nearest name.
        """
        known = (*policy.events, *RESERVED_TYPES)
        if self._event_type is not None and self._event_type not in known:
            hint = did_you_mean(self._event_type, known)
            raise UsageError(f'--type: there is no event type "{self._event_type}"{"; " if hint else ""}{hint}')

    def takes(self, item: Decided | Responded) -> bool:
        """Whether to show it."""
        if self._left is not None and self._left <= 0:
            return False
        if isinstance(item, Responded):
            user, event_type, time_us = item.event.user, item.message_type, item.event.time_us
        else:
            decision = item.decision
            user, event_type, time_us = decision.user or "", decision.event_type or "", decision.time_us or 0
        return (
            self._user in (None, user)
            and self._event_type in (None, event_type)
            and (self._since_us is None or time_us >= self._since_us)
        )

    def pick(self, records: bytes) -> bytes:
        """The record lines that are shown."""
        kept = []
        for line in records.splitlines(keepends=True):
            if self.takes(Decided(decode_line(line), None)):
                self.count()
                kept.append(line)
        return b"".join(kept)

    def asked(self) -> dict[str, str | int | None]:
        """The options by their names."""
        since = self._since_us
        return {"--user": self._user, "--type": self._event_type, "--since": since, "--limit": self._limit}

    def go_on(self, shown: int) -> None:
        """So many were shown before this run went on."""
        self.shown = shown
        if self._limit is not None:
            self._left = self._limit - shown

    def count(self) -> None:
        """One record was shown."""
        self.shown += 1
        if self._left is not None:
            self._left -= 1


class Screen:
    """Decisions and responses as readable lines, and rejected lines into a file if one was asked for."""

    def __init__(self, rejects: Appending | None, shown: RecordFilter, inputs: Inputs) -> None:
        self._rejects = rejects
        self._filter = shown
        self._inputs = inputs
        from botopt.cli.decisions import Story

        self._story = Story()

    def take(self, item: Decided | Responded) -> None:
        """Show one item, if it is to be shown."""
        from botopt.cli.console import out

        if isinstance(item, Decided) and item.decision.outcome is Outcome.REJECTED and item.line is not None:
            self._reject(item.decision, item.line)
        if not self._filter.takes(item):
            return
        if isinstance(item, Decided):
            self._filter.count()
        for line in self._story.lines(item.decision if isinstance(item, Decided) else item):
            out().print(line)

    def _reject(self, decision: Decision, line: Line) -> None:
        if self._rejects is not None:
            self._rejects.write(encode_rejected(decision, line, self._inputs.names[line.input_number]))


class Stdout:
    """Record lines on standard output."""

    def write(self, data: bytes) -> None:
        """Print them; whoever reads gets them at once."""
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def sync(self) -> Mark:
        """Nothing can be promised of a screen."""
        return NOTHING


def summary_to(
    format: Format,
    shown: RecordFilter,
    summary: Summary,
    policy: Policy,
    undeclared: Counter[tuple[str, str]],
    *,
    alone: bool,
) -> None:
    """The summary: tables for people (on standard error beside JSON records), or a JSON object where it is `alone`."""
    from botopt.cli.console import err, out
    from botopt.cli.summaries import print_summary, undeclared_plain

    if format is Format.JSON and alone:
        plain = summary.to_plain() | {"undeclared": undeclared_plain(undeclared)}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n")
        return
    console = err() if format is Format.JSON else out()
    print_summary(console, summary, policy, undeclared)
    if shown.active:
        console.print(f"shown: {shown.shown:,} of {summary.records:,} records", markup=False)
