"""What happens inside the service, as lines of the log, numbers and spans: ids, never texts or attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botopt.model.decision import Decision
from botopt.model.durations import SECOND_US
from botopt.model.live import OutboxRow, OutboxStatus, unpack_parcel
from botopt.model.policy import Policy
from botopt.model.record import to_plain
from botopt.runtime.clock import Clock
from botopt.runtime.reload import RefusedPolicy
from botopt.server.logs import places
from botopt.server.metrics import Metrics
from botopt.server.tracing import Tracing

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

_GRAVE = frozenset({OutboxStatus.DEAD, OutboxStatus.UNSURE})


class Observer:
    """Told by the writer, by delivery and by whoever reloads; each method comes back at once. Any thread may call.

    `texts`: messages' texts and attributes are logged too.
    """

    def __init__(
        self, log: FilteringBoundLogger, metrics: Metrics, tracing: Tracing, clock: Clock, *, texts: bool
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._tracing = tracing
        self._clock = clock
        self._texts = texts

    # ------------------------------------------------------------ the writer

    def decided(self, decisions: Sequence[Decision]) -> None:
        """These decisions are on the disk."""
        self._metrics.decided(decisions)
        tell = self._log.info
        for decision in decisions:
            message = decision.message
            more = {"decision": to_plain(decision)} if self._texts else {}
            tell(
                "decision",
                decision_id=decision.id,
                event_id=decision.event_id,
                event_type=decision.event_type,
                user=decision.user,
                outcome=decision.outcome,
                reason=decision.reason,
                by=decision.by,
                channel=None if message is None else message.channel,
                template=None if message is None else message.template,
                **more,
            )

    def policy(self, what: Policy | RefusedPolicy, notices: Sequence[str]) -> None:
        """Another policy decides from now on, or a change was refused."""
        if isinstance(what, RefusedPolicy):
            self._metrics.reloaded("refused")
            self._log.error("policy_refused", errors=what.errors, findings=what.findings, revision=what.revision)
            return
        self._metrics.reloaded("taken")
        self._log.info("policy_taken", revision=what.revision, notices=tuple(notices))

    def failed(self, words: str, fault: BaseException) -> None:
        """A fault of our own. What its text quotes is not logged."""
        self._log.error("internal_error", what=words, fault=type(fault).__name__, at=places(fault))

    # ------------------------------------------------------------ delivery

    def attempted(self, row: OutboxRow, took_us: int) -> None:
        """A channel was asked, and has answered, or was given up."""
        self._metrics.attempted(row.channel, took_us / SECOND_US)
        if self._tracing.on:
            now_us = self._clock()
            named: dict[str, str | int] = {
                "botopt.message_id": row.message_id,
                "botopt.channel": row.channel,
                "botopt.attempt": row.attempts,
            }
            trace = unpack_parcel(row.parcel).trace
            self._tracing.past("deliver", trace, named, now_us - took_us, now_us)

    def concluded(self, row: OutboxRow) -> None:
        """What became of an attempt is on the disk."""
        result = "retried" if row.status is OutboxStatus.PENDING else row.status.value
        self._metrics.delivered(row.channel, result)
        tell = self._log.error if row.status in _GRAVE else self._log.info
        tell(
            "delivery",
            message_id=row.message_id,
            key=row.key,
            channel=row.channel,
            user=row.user,
            result=result,
            attempts=row.attempts,
            provider_id=row.provider_id,
            detail=row.detail,
        )

    def breaker(self, channel: str, state: str) -> None:
        """A channel's circuit breaker has changed."""
        tell = self._log.info if state == "closed" else self._log.warning
        tell("circuit", channel=channel, state=str(state))

    def stuck(self, channel: str, threads: int) -> None:
        """How many attempts of a channel do not come back."""
        self._log.warning("delivery_stuck", channel=channel, attempts=threads)

    def trouble(self, channel: str, detail: str) -> None:
        """Something keeps a channel from its work."""
        self._log.error("delivery_trouble", channel=channel, detail=detail)
