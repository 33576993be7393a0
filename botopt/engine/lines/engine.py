"""Taking events, one after another, on the shortest way that is right for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from botopt.engine import effects
from botopt.engine.engine import Engine
from botopt.engine.feedback import cap, counts_as_before, respond, settle, target
from botopt.engine.hashes import begin_identity
from botopt.engine.lines.deciding import Act, deciding
from botopt.engine.lines.texts import Ending, Key
from botopt.engine.plan import Plan
from botopt.engine.values import as_declared
from botopt.learning.learner import Learned
from botopt.model.event import Event
from botopt.model.policy import FEEDBACK_TYPES
from botopt.model.user_state import Held, UserState

Take = Callable[[UserState, Event], bool]
"""(state, event) -> whether it was taken; else nothing has changed, and `Engine.decide` must take it."""


class LineEngine:
    """An engine that appends record lines to `lines`.

    `take` does all that is ordinary. It leaves alone what is rare: rejected and duplicate events, feedback before which
    a held message is due, users whom a provider caps, and what users say about themselves. Both may work on the same
    states in turn.
    """

    def __init__(self, engine: Engine, learned: Learned | None = None) -> None:
        self.engine = engine
        self.learned = engine.unlearned if learned is None else learned
        self.lines: list[str] = []
        self._endings: list[Ending] = []
        self.responses: Counter[str] = Counter()
        self.take: Take = _taking(engine, self._acts())

    def _notice(self, state: UserState, event: Event, now_us: int) -> None:
        self.engine.notice(state, event, now_us, self.learned)

    def counted(self) -> Counter[Key]:
        """What was decided since the last call."""
        counts: Counter[Key] = Counter()
        for ending in self._endings:
            if ending.count:
                counts[ending.key] += ending.count
                ending.count = 0
        return counts

    def _acts(self) -> dict[str, Act]:
        engine = self.engine
        acts = {name: _remembering(engine) for name in engine.policy.events}
        in_control: dict[str, bool] = {}
        for plan in engine.plans():
            acts[plan.event_type.name] = deciding(
                plan, engine.keep, engine.policy.revision, self.lines, self._endings, self.learned, in_control
            )
        acts["user.active"] = _remembering(engine, self._notice if engine.keep.active_us or engine.keep.hours else None)
        return acts | {name: _responding(engine, name, self.responses, self.learned) for name in FEEDBACK_TYPES}


def _taking(engine: Engine, acts: dict[str, Act]) -> Take:
    from_bytes = int.from_bytes
    dedupe_us = engine.policy.settings.dedupe_window_us
    plans = {plan.event_type.name: plan for plan in engine.plans()}

    def take(state: UserState, event: Event) -> bool:
        time_us, clock_us = event.time_us, state.clock_us
        act = acts.get(event.type)
        if act is None or state.deleted or state.capped or time_us + dedupe_us <= clock_us or time_us < state.floor_us:
            return False
        now_us = time_us if time_us > clock_us else clock_us
        due = state.held and [held for held in state.held if held.until_us <= now_us]
        if due and (event.type in FEEDBACK_TYPES or any(held.event.type not in plans for held in due)):
            return False
        key = f"{event.user}\0{event.source}\0{event.id}"  # `Event.key`, without the call
        begun = begin_identity()
        begun.update(key.encode())
        identity, identities = from_bytes(begun.digest(), "big"), state.identities
        if identity in identities:
            return False
        if due:
            _release(state, now_us, plans, acts)
        if not act(state, event, now_us, key):
            return False
        identities[identity] = now_us
        return True

    return take


def _release(state: UserState, until_us: int, plans: Mapping[str, Plan], acts: Mapping[str, Act]) -> None:
    """As `Engine.release`, for held messages whose event types still lead to messages."""
    while state.held:
        held = min(state.held, key=lambda held: held.until_us)
        if held.until_us > until_us:
            return
        state.held.remove(held)
        event = as_declared(held.event, plans[held.event.type].event_type)
        acts[event.type](state, event, held.until_us, event.key, held)


def _remembering(engine: Engine, notice: Callable[[UserState, Event, int], None] | None = None) -> Act:
    keep = engine.keep
    settings = engine.policy.settings

    def act(state: UserState, event: Event, now_us: int, key: str, held: Held | None = None) -> bool:
        state.clock_us = now_us
        settle(state, now_us, settings)
        if notice is not None:
            notice(state, event, now_us)
        effects.remember(state, event, now_us, keep)
        return True

    return act


def _responding(engine: Engine, name: str, responses: Counter[str], learned: Learned) -> Act:
    keep = engine.keep
    settings = engine.policy.settings
    counted_as = name.partition(".")[2]
    heeds = engine.learns or bool(engine.budgets) or learned is not engine.unlearned

    def act(state: UserState, event: Event, now_us: int, key: str, held: Held | None = None) -> bool:
        found = target(state, event, now_us)
        if isinstance(found, str):
            return False
        state.clock_us = now_us
        settle(state, now_us, settings)
        if not counts_as_before(event):
            before = respond(state, found, name, now_us, settings)
            if before is not None and heeds:
                engine.heed(state, found, before, now_us, learned)
            responses[counted_as] += 1
        cap(state, found, event, now_us)
        effects.remember(state, event, now_us, keep)
        return True

    return act
