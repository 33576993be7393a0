"""Where a replay's records go: the screen, a file of records, a file of rejected lines."""

from __future__ import annotations

import base64
from collections import Counter
from pathlib import Path
from typing import IO, Self

import msgspec

from botopt.cli.decisions import Story
from botopt.cli.options import Format
from botopt.model.decision import Decision, Outcome
from botopt.model.errors import InputError, UsageError
from botopt.model.names import did_you_mean
from botopt.model.policy import RESERVED_TYPES, Policy
from botopt.model.record import encode_line
from botopt.verify.inputs import Inputs
from botopt.verify.replay import Decided, Responded
from botopt.verify.summary import Summary

_RAW_SHOWN = 65_536  # bytes of a rejected line that its entry repeats


class RecordFilter:
    """Which records are shown. Everything is decided all the same."""

    def __init__(self, user: str | None, event_type: str | None, since_us: int | None, limit: int | None) -> None:
        self._user = user
        self._event_type = event_type
        self._since_us = since_us
        self._left = limit
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

    def count(self) -> None:
        """One record was shown."""
        self.shown += 1
        if self._left is not None:
            self._left -= 1


class Sinks:
    """All outputs of one replay. Files are new; they are opened before anything is decided."""

    def __init__(
        self, out: Path | None, rejects: Path | None, format: Format, shown: RecordFilter, inputs: Inputs
    ) -> None:
        self._paths = (out, rejects)
        self._format = format
        self._filter = shown
        self._inputs = inputs
        self._story = Story()
        self._out: IO[bytes] | None = None
        self._rejects: IO[bytes] | None = None
        self.quiet = out is not None
        """Whether the screen shows the summary only."""

    @property
    def filter(self) -> RecordFilter:
        """Which records are shown."""
        return self._filter

    def __enter__(self) -> Self:
        """Open the files.

        Raises:
            InputError: one exists already, or cannot be written.
        """
        out, rejects = self._paths
        if out is not None and rejects is not None and out.absolute() == rejects.absolute():
            raise UsageError("--out and --rejects name the same file")
        try:
            self._out = None if out is None else new_file(out)
            self._rejects = None if rejects is None else new_file(rejects)
        except BaseException:
            if self._out is not None and out is not None:
                self._out.close()
                out.unlink()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        for path, file in zip(self._paths, (self._out, self._rejects), strict=True):
            if file is not None:
                try:
                    file.close()
                except OSError as fault:
                    raise InputError(f"{path}: {fault.strerror}") from fault

    def take(self, item: Decided | Responded) -> None:
        """Write one record wherever it belongs."""
        if isinstance(item, Decided):
            if self._rejects is not None and item.line is not None and item.decision.outcome is Outcome.REJECTED:
                self._write(self._rejects, self._paths[1], _rejected_line(item, self._inputs))
            if not self._filter.takes(item):
                return
            self._filter.count()
            if self._out is not None:
                self._write(self._out, self._paths[0], encode_line(item.decision))
            elif self._format is Format.JSON:
                _stdout(encode_line(item.decision))
            else:
                self._tell(item.decision)
        elif not self.quiet and self._format is Format.TEXT and self._filter.takes(item):
            self._tell(item)

    def _tell(self, item: Decision | Responded) -> None:
        from botopt.cli.console import out

        console = out()
        for line in self._story.lines(item):
            console.print(line)

    def _write(self, file: IO[bytes], path: Path | None, line: bytes) -> None:
        try:
            file.write(line)
        except OSError as fault:
            raise InputError(f"{path}: {fault.strerror}") from fault


def new_file(path: Path) -> IO[bytes]:
    """A file to write; one that exists is never touched.

    Raises:
        InputError: it exists, or cannot be made.
    """
    try:
        return path.open("xb", buffering=1 << 18)
    except FileExistsError:
        raise InputError(f"{path} exists already; it is not overwritten. Remove it or choose another name.") from None
    except OSError as fault:
        raise InputError(f"{path}: {fault.strerror}") from fault


def _stdout(line: bytes) -> None:
    import sys

    sys.stdout.buffer.write(line)


def _rejected_line(item: Decided, inputs: Inputs) -> bytes:
    """An entry of the rejects file (schemas/rejected.schema.json): the record's words, and the line itself."""
    decision, line = item.decision, item.line
    assert line is not None
    raw = line.raw[:_RAW_SHOWN]
    entry: dict[str, object] = {
        "file": inputs.names[line.input_number],
        "line": line.number,
        "detail": decision.detail,
        "by": decision.by,
        "event_id": decision.event_id,
        "event_type": decision.event_type,
        "user": decision.user,
    }
    try:
        entry["raw"] = raw.decode()
    except UnicodeDecodeError:
        entry["raw_base64"] = base64.b64encode(raw).decode()
    entry["cut"] = len(line.raw) > _RAW_SHOWN
    return msgspec.json.encode(entry) + b"\n"


def summary_to(
    format: Format, sinks: Sinks, summary: Summary, policy: Policy, undeclared: Counter[tuple[str, str]]
) -> None:
    """The summary: tables for people (beside JSON records on standard error), or one JSON object after `--out`."""
    from botopt.cli.console import err, out
    from botopt.cli.summaries import print_summary, undeclared_plain

    if format is Format.JSON and sinks.quiet:
        plain = summary.to_plain() | {"undeclared": undeclared_plain(undeclared)}
        _stdout(msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n")
        return
    console = err() if format is Format.JSON else out()
    print_summary(console, summary, policy, undeclared)
    if sinks.filter.active:
        console.print(f"shown: {sinks.filter.shown:,} of {summary.records:,} records", markup=False)
