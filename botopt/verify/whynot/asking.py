"""The question from its beginning to its end."""

from __future__ import annotations

import msgspec

from botopt.model.errors import UsageError
from botopt.model.instants import instant_us
from botopt.model.names import did_you_mean
from botopt.model.policy import Policy
from botopt.verify.whynot.closing import closing
from botopt.verify.whynot.counting import Tally
from botopt.verify.whynot.log import Log
from botopt.verify.whynot.model import Answer, Cause, Logged, Miss


def why_not(
    log: Log,
    event_type: str,
    *,
    user: str | None = None,
    since_us: int | None = None,
    until_us: int | None = None,
    policy: Policy | None = None,
) -> Answer:
    """Count, then look at the nearest misses more closely. `policy` helps where it is the one of the records.

    Raises:
        UsageError: the log knows no such event type.
    """
    tally = Tally(event_type, user, since_us, until_us)
    log.give(tally.add)
    if event_type not in tally.types:
        raise UsageError(_unknown(event_type, tally, policy))
    answer = tally.answer()
    ours = policy is not None and policy.revision in answer.revisions
    declared = policy.events.get(event_type) if policy is not None and ours else None
    causes = log.with_ids({one.nearest.cause.id for one in answer.reasons if one.nearest.cause is not None})
    reasons = []
    for one in answer.reasons:
        miss = one.nearest
        near = closing(miss, declared) if miss.gap is not None else None
        nearest = msgspec.structs.replace(miss, closing=near, cause=_cause(miss, causes))
        reasons.append(msgspec.structs.replace(one, nearest=nearest))
    return msgspec.structs.replace(answer, reasons=tuple(reasons))


def _cause(miss: Miss, found: dict[str, Logged]) -> Cause | None:
    if miss.cause is None or miss.cause.id not in found:
        return miss.cause
    record = found[miss.cause.id]
    time_us = None if record.time is None else instant_us(record.time)
    return Cause(record.id, record.event_type, record.event_id, time_us)


def _unknown(event_type: str, tally: Tally, policy: Policy | None) -> str:
    declared = None if policy is None else policy.events.get(event_type)
    if declared is not None and not declared.decides:
        why = "is switched off" if declared.message is not None else "has no message"
        return f"{event_type} {why} ({declared.position}): its events are only remembered, and give no records"
    if not tally.types:
        return "the log holds no records"
    names = [name for name, _ in tally.types.most_common() if name not in tally.undeclared]
    hint = did_you_mean(event_type, names if policy is None else (*names, *policy.events))
    seen = ", ".join(names[:8])
    return f'the log has no record of "{event_type}"; {hint or f"there are {seen}"}'
