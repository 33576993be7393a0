"""Explanations of recorded events: replay up to one, and look over the engine's shoulder."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from botopt.engine.engine import Engine
from botopt.engine.explain import Explainer, Explanation
from botopt.model.decision import Decision, Outcome
from botopt.model.event import Line
from botopt.model.ports import StateStore
from botopt.verify.replay import Decided, LineDecoder, Replay


class Explained(msgspec.Struct, frozen=True):
    """All decisions about one event: `explanations` of those that ran through the pipeline, and the `others`."""

    explanations: tuple[Explanation, ...]
    others: tuple[Decision, ...]


def explain_event(
    engine: Engine,
    decoder: LineDecoder,
    store: StateStore,
    lines: Iterable[Line],
    event_id: str,
    user: str | None = None,
) -> Explained:
    """Replay until the event is decided for good: a held one, until it is decided again.

    `store` is changed; give a copy or an overlay.
    """
    search = _Search(event_id, user)
    explainer = Explainer(search.wants)
    run = Replay(engine, decoder, store, observer=explainer)
    for item in run.run(lines, stop=search.is_over):
        if isinstance(item, Decided) and search.wants(item.decision):
            search.note(item.decision)
    return Explained(tuple(explainer.found), tuple(search.others))


class _Search:
    """Which decisions are wanted, and whether all of them were seen."""

    def __init__(self, event_id: str, user: str | None) -> None:
        self._event_id = event_id
        self._user = user
        self._waiting: set[str | None] = set()
        self._found = False
        self.others: list[Decision] = []

    def wants(self, decision: Decision) -> bool:
        """Whether the decision is about the event."""
        return self._event_id in (decision.event_id, decision.id) and self._user in (None, decision.user)

    def note(self, decision: Decision) -> None:
        """One more decision about it."""
        self._found = True
        if decision.score is None:
            self.others.append(decision)
        if decision.outcome is Outcome.HELD:
            self._waiting.add(decision.user)
        else:
            self._waiting.discard(decision.user)

    def is_over(self) -> bool:
        """With a user named there is one such event: nothing more can come once it is decided for good."""
        return self._found and not self._waiting and self._user is not None
