"""Runs rule tests: every step through the engine, on a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from botopt.engine.engine import Engine, Observer
from botopt.engine.explain import Explanation, explain
from botopt.engine.work import Work
from botopt.model.decision import Decision
from botopt.model.event import Event, Line, Rejected
from botopt.model.position import Position
from botopt.model.user_state import Send, UserState
from botopt.sources.envelope import Decoder
from botopt.verify.alone import Alone
from botopt.verify.ruletest.expecting import differences
from botopt.verify.ruletest.model import Difference, Failure, Result, RuleTest, Step
from botopt.verify.ruletest.reading import wire


def run_tests(engine: Engine, tests: Iterable[RuleTest], observer: Observer | None = None) -> Iterator[Result]:
    """Each test with a user of its own. `observer` sees every decision of all of them."""
    decoder = Decoder(engine.policy)
    for test in tests:
        yield _Conversation(engine, decoder, test, observer).run()


def played(engine: Engine, test: RuleTest) -> Iterator[tuple[Decision | None, Failure | None]]:
    """What comes of each step: its decision if it has one, and how it failed; without explanations, which take long."""
    conversation = _Conversation(engine, Decoder(engine.policy), test, None, explains=False)
    for step in test.steps:
        yield conversation.take(step)


class _Conversation:
    """One test while it runs; as an observer it keeps the explanation of the newest decision."""

    def __init__(
        self, engine: Engine, decoder: Decoder, test: RuleTest, observer: Observer | None, *, explains: bool = True
    ) -> None:
        self._engine = engine
        self._decoder = decoder
        self._test = test
        self._observer = observer
        self._explains = explains
        self._now_us = test.at_us
        self._state = UserState(clock_us=test.at_us, attributes=dict(test.attributes))
        self._alone = Alone(engine)
        self._messages: dict[str, str | None] = {}
        self._explained: dict[str, Explanation] = {}
        self._line = 0

    def run(self) -> Result:
        failures = []
        for step in self._test.steps:
            _, failure = self.take(step)
            if failure is not None:
                failures.append(failure)
        expectations = sum(step.expect is not None for step in self._test.steps)
        return Result(self._test, expectations, tuple(failures))

    def take(self, step: Step) -> tuple[Decision | None, Failure | None]:
        """One step: the decision that it brings about, and how it is not as expected."""
        self._now_us += step.after_us
        self._explained.clear()
        if step.kind == "advance":
            made = self._pass_time()
            decision = made[-1] if made else None
        else:
            about = self._about(step)
            if isinstance(about, Difference):
                return None, Failure(step, (about,))
            decision = self._decided(step, about)
        if step.expect is None:
            return decision, None
        found = tuple(differences(step.expect, decision))
        if not found:
            return decision, None
        explanation = None if decision is None else self._explained.get(decision.id)
        return decision, Failure(step, found, decision, explanation)

    def _pass_time(self) -> list[Decision]:
        """What is due by now is released, and the user's clock shows now."""
        made = self._alone.follow(self._state, self._now_us, self)
        made += self._engine.release(self._state, self._now_us, self, learned=self._alone.learned)
        self._state.clock_us = max(self._state.clock_us, self._now_us)
        return made

    def _about(self, step: Step) -> dict[str, object] | Difference:
        """What the event of a step carries; feedback says which message it is about."""
        data = dict(step.data)
        if not step.about or step.about == "last":
            return data
        if step.about in self._messages:
            message = self._messages[step.about]
            return {"message_id": message, **data} if message else _nothing_sent(step, step.position)
        return {"event_type": step.about, **data}

    def _decided(self, step: Step, data: dict[str, object]) -> Decision | None:
        """The decision about the step's own event; releases that it brings about come before that."""
        if step.late_us:
            self._pass_time()  # it is late by the clock of the test, whenever something came last
        self._line += 1
        event_id = step.id if step.kind == "send" else f"line-{self._line}"
        raw = wire(step.event_type, event_id, self._test.user, self._now_us - step.late_us, data)
        if step.kind == "send":
            self._messages.setdefault(step.id, None)
        event = self._decoder.decode(raw, self._line)
        if isinstance(event, Rejected):
            return self._engine.reject(event)
        assert event is not None
        made = self._alone.follow(self._state, event.time_us, self)
        line = Line(self._line, raw)
        made += self._engine.decide(self._state, event, line, self, learned=self._alone.learned)
        self._engine.prune(self._state)
        return made[-1] if made and made[-1].event_id == event_id else None

    def decided(self, work: Work, decision: Decision) -> None:
        """Explain it now: the state changes right after. Note the message: feedback may name its step."""
        if decision.message is not None and decision.event_id in self._messages:
            self._messages[decision.event_id] = decision.message.id
        if self._explains:
            self._explained[decision.id] = explain(work, decision)
        if self._observer is not None:
            self._observer.decided(work, decision)

    def responded(self, event: Event, send: Send) -> None:
        """Pass it on."""
        if self._observer is not None:
            self._observer.responded(event, send)


def _nothing_sent(step: Step, position: Position) -> Difference:
    return Difference(step.kind, f"a message of {step.about}", "none was sent", position)
