"""How the service is, as one value."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.model.live import LiveReader
from botopt.model.silence import Silence
from botopt.runtime.health import Failing
from botopt.runtime.reload import RefusedPolicy
from botopt.runtime.writer import Writer


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Times are microseconds since 1970 UTC, `uptime_us` a duration.

    `notices` say where the policy looks further back than the state remembers. `refused` is the change of the policy
    that was refused last, if nothing better came since. `waiting` events stand in the queue, which takes
    `most_waiting`.
    `outbox` counts messages by channel and status. `failing`: why nothing can be written. `not_ready`: why no events
    are taken, as sentences.
    """

    revision: str
    revision_since_us: int
    notices: tuple[str, ...]
    refused: RefusedPolicy | None
    waiting: int
    waiting_bytes: int
    most_waiting: int
    held: int
    outbox: Mapping[tuple[str, str], int]
    silences: tuple[Silence, ...]
    failing: Failing | None
    not_ready: tuple[str, ...]
    newest_commit_us: int | None
    started_us: int
    uptime_us: int


def status_of(
    writer: Writer, reader: LiveReader, refused: RefusedPolicy | None, started_us: int, now_us: int
) -> Status:
    """The status now."""
    desk = writer.desk
    serving = desk.serving
    return Status(
        revision=serving.revision,
        revision_since_us=serving.since_us,
        notices=desk.notices,
        refused=refused,
        waiting=writer.intake.events,
        waiting_bytes=writer.intake.bytes,
        most_waiting=writer.settings.bounds.events,
        held=reader.held(),
        outbox=reader.outbox_counts(),
        silences=tuple(reader.silences(now_us)),
        failing=writer.health.failing,
        not_ready=writer.not_ready(),
        newest_commit_us=writer.health.newest_commit_us,
        started_us=started_us,
        uptime_us=max(now_us - started_us, 0),
    )
