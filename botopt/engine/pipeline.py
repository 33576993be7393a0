"""THE order: from rights, to worth, to comfort, to timing. The first stage that stops a message names its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from botopt.engine.stages import (
    below_threshold,
    capped,
    cooldown,
    expired,
    holdout,
    in_conversation,
    inhibited,
    muted,
    no_consent,
    paced,
    quiet_hours,
    resolved,
    send_time,
    silenced,
    skipped,
)
from botopt.engine.stages.scope import Bound
from botopt.engine.stages.stage import Glance, Stage, decisive
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import (
    Conversation,
    Cooldown,
    EventType,
    Inhibition,
    Limit,
    Mute,
    Policy,
    QuietHours,
    Resolution,
)

_BY_EVENT_TYPE = (
    (Reason.EXPIRED, expired.bind),
    (Reason.NO_CONSENT, no_consent.bind),
    (Reason.SKIPPED, skipped.bind),
    (Reason.BELOW_THRESHOLD, below_threshold.bind),
    (Reason.HOLDOUT, holdout.bind),
    (Reason.SILENCED, silenced.bind),
)
_BY_SUPPRESSION = (
    (Reason.MUTED, Mute, muted.bind),
    (Reason.RESOLVED, Resolution, resolved.bind),
    (Reason.INHIBITED, Inhibition, inhibited.bind),
    (Reason.IN_CONVERSATION, Conversation, in_conversation.bind),
    (Reason.COOLDOWN, Cooldown, cooldown.bind),
    (Reason.CAPPED, Limit, capped.bind),
)
_PACED = ((Reason.PACED, paced.bind),)
_BY_CLOCK = ((Reason.QUIET_HOURS, QuietHours, quiet_hours.bind),)
_SEND_TIME = ((Reason.SEND_TIME, send_time.bind),)

ORDER: tuple[Reason, ...] = (
    Reason.REJECTED,
    Reason.DUPLICATE,
    *(reason for reason, _ in _BY_EVENT_TYPE),
    *(reason for reason, _, _ in _BY_SUPPRESSION),
    *(reason for reason, _ in _PACED),
    *(reason for reason, _, _ in _BY_CLOCK),
    *(reason for reason, _ in _SEND_TIME),
    Reason.RENDER_FAILED,
)
"""Every reason in the order in which it is asked; rejected and duplicate come before the pipeline, rendering after."""

WAIVED_BY_ALWAYS = frozenset(ORDER[ORDER.index(Reason.BELOW_THRESHOLD) : ORDER.index(Reason.RENDER_FAILED)])
"""What `always: true` does not ask."""

WITHDRAWING = frozenset({Reason.EXPIRED, Reason.NO_CONSENT, Reason.RESOLVED})
"""What takes back a message that has not left yet: its worth and its timing were judged when it was sent."""

_GLANCES: Mapping[Reason, tuple[type, Callable[[Sequence[Bound], str], Glance | None]]] = {
    Reason.IN_CONVERSATION: (Conversation, in_conversation.glance),
    Reason.COOLDOWN: (Cooldown, cooldown.glance),
    Reason.CAPPED: (Limit, capped.glance),
}

BoundStage = tuple[Reason, Stage]


def bind(policy: Policy, event_type: EventType, bounds: Sequence[Bound]) -> tuple[BoundStage, ...]:
    """The stages that can apply to an event type, in order, those that `always` waives included."""
    by_kind: Mapping[type, list[Bound]] = {kind: [] for _, kind, _ in (*_BY_SUPPRESSION, *_BY_CLOCK)}
    for bound in bounds:
        by_kind[type(bound.suppression.kind)].append(bound)
    stages: list[tuple[Reason, Stage | None]] = [
        (reason, bound_to(policy, event_type)) for reason, bound_to in _BY_EVENT_TYPE
    ]
    stages += [(reason, bound_to(by_kind[kind])) for reason, kind, bound_to in _BY_SUPPRESSION]
    stages += [(reason, bound_to(policy, event_type)) for reason, bound_to in _PACED]
    stages += [(reason, bound_to(by_kind[kind])) for reason, kind, bound_to in _BY_CLOCK]
    stages += [(reason, bound_to(policy, event_type)) for reason, bound_to in _SEND_TIME]
    return tuple((reason, stage) for reason, stage in stages if stage is not None)


def rare(bounds: Sequence[Bound]) -> frozenset[Reason]:
    """Reasons that no suppression of an event type leads to, but an operator or a provider."""
    limited = any(isinstance(bound.suppression.kind, Limit) for bound in bounds)
    return frozenset({Reason.SILENCED} if limited else {Reason.SILENCED, Reason.CAPPED})


def glance(reason: Reason, event_type: EventType, bounds: Sequence[Bound]) -> Glance | None:
    """The short form of a stage, where it has one."""
    if reason not in _GLANCES:
        return None
    kind, bind_kind = _GLANCES[reason]
    return bind_kind([bound for bound in bounds if isinstance(bound.suppression.kind, kind)], event_type.name)


def first_stop(stages: Sequence[BoundStage], work: Work) -> Stop | None:
    """What decides: the decisive stop of the first stage that has one."""
    for _, stage in stages:
        stops = stage(work)
        if stops:
            return decisive(stops)
    return None
