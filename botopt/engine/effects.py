"""What an event and the decision about it leave behind in the user's state."""

from __future__ import annotations

from collections.abc import Iterable

from botopt.engine import hashes
from botopt.engine.history import Retention
from botopt.engine.plan import Plan
from botopt.engine.stages.muted import rearm
from botopt.engine.work import Work
from botopt.learning import send_time
from botopt.learning.learner import Learned
from botopt.learning.lessons import ONE, whole
from botopt.model.decision import Outcome, Reason
from botopt.model.durations import HOUR_US
from botopt.model.event import Event
from botopt.model.learned import Snapshot
from botopt.model.policy import Settings
from botopt.model.user_state import Activity, Held, Lesson, PastEvent, Send, UserState
from botopt.model.zones import hour_of


def conclude(work: Work, outcome: Outcome) -> None:
    """Remember a message that was sent or is held; other outcomes leave nothing."""
    stop = work.stop
    if outcome is Outcome.SENT:
        chance = work.chance
        if chance is None and not work.control:
            chance = foretold(work.plan, work.state, work.now_us, work.learned.snapshot, work.raw)
        record_send(work.plan, work.state, work.event, work.now_us, work.id, work.channel, work.control)
        if work.plan.learns:
            teach(work.state, work.event.type, work.now_us, work.lesson, chance, work.learned)
    elif outcome is Outcome.HELD and stop is not None and stop.until_us is not None:
        timed = work.timed or stop.reason is Reason.SEND_TIME
        work.state.held.append(Held(stop.until_us, work.seen_us, work.attempt + 1, work.event, timed))


def foretold(plan: Plan, state: UserState, now_us: int, snapshot: Snapshot, raw: float) -> float | None:
    """What the scorer says of a message that is sent. It is asked even where it is not believed, or nobody would ever
    know that it is right again.
    """
    if plan.scorer is None or plan.looking is None or not plan.engagement:
        return None
    return plan.scorer.chance(plan.looking(state, now_us, snapshot, raw))


def teach(
    state: UserState, event_type: str, now_us: int, lesson: Lesson | None, chance: float | None, learned: Learned
) -> None:
    """What is to be learned from the answer to the message that was sent last; `chance` is the scorer's.

    Every such message has a lesson: one without was sent by a policy that did not learn, and nobody waits for its
    answer.
    """
    if chance is not None:
        lesson = lesson or Lesson()
        lesson.scored, lesson.scorer = whole(chance), learned.scorer
    state.sends[-1].lesson = lesson = lesson or _PLAIN
    learned.recorder.sent(event_type, now_us, lesson)


def record_send(
    plan: Plan, state: UserState, event: Event, now_us: int, message_id: bytes, channel: str, control: bool
) -> None:
    """One more message was sent. In the control group it takes nothing from a budget."""
    keys = _keys(event, plan.send_fields) if plan.send_fields else _NO_KEYS
    send = Send(message_id, event.type, channel, now_us, keys=keys)
    state.sends.append(send)
    if plan.budget is not None and not control:
        send.took = key = plan.budget.key
        state.paces[key] = plan.budget.spent(state.paces.get(key), now_us)
    if plan.mutes:
        rearm(plan.mutes, state.mutes, send)


def remember(state: UserState, event: Event, now_us: int, keep: Retention) -> None:
    """One more event happened, as far as count, seen and resolved_by ask for it."""
    if event.type in keep.times:
        state.times.setdefault(event.type, []).append(now_us)
    if event.type in keep.past:
        keys = _keys(event, keep.past_fields[event.type])
        past_id = hashes.decision_id(event.key, 0, now_us)
        state.past.setdefault(event.type, []).append(PastEvent(past_id, now_us, keys))


def acted(state: UserState, worth: int, now_us: int, settings: Settings, learned: Learned) -> None:
    """The user did something: at this hour of their day they can be reached.

    Being active counts once an hour, or whoever says it most often would decide everybody's hours.
    """
    since_1970 = now_us // HOUR_US
    if worth == send_time.ACTIVE and state.hours is not None and state.hours.active == since_1970:
        return
    own = state.attributes.get("timezone")
    hour = hour_of(now_us, own if isinstance(own, str) else settings.timezone)
    state.hours = send_time.acted(state.hours, hour, worth, now_us)
    if worth == send_time.ACTIVE:
        state.hours.active = since_1970
    learned.recorder.active(hour, worth * ONE)


def notice(state: UserState, event: Event, now_us: int) -> None:
    """`user.active`: the user said or did something, perhaps on a certain channel."""
    channel = event.data.get("channel")
    name = channel if isinstance(channel, str) else ""
    state.active.pop(name, None)
    state.active[name] = Activity(now_us, hashes.decision_id(event.key, 0, now_us))


_NO_KEYS: dict[str, int] = {}  # nobody changes the keys of a message


_PLAIN = Lesson()  # nobody changes it, either


def _keys(event: Event, fields: Iterable[str]) -> dict[str, int]:
    data = event.data
    return {name: hashes.field_key(data[name]) for name in fields if data.get(name) is not None}
