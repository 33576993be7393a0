"""What the learners cost: the same events through the same engine, with none, each, and all of them switched on.

`python -m benchmarks.learners` prints microseconds of processor time for an event, medians of rounds in turns, without
reading lines and without writing anything: decoding and a state file cost the same either way, and would hide what is
asked for.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from benchmarks.workload import write_events, write_policy
from botopt.engine.build import build
from botopt.engine.lines.engine import LineEngine
from botopt.learning.learner import Learner
from botopt.model.click_model import ClickModel, ModelKind
from botopt.model.decision import Outcome
from botopt.model.durations import HOUR_US
from botopt.model.event import Event, Line
from botopt.model.learning_policy import EngagementSettings, Pacing, Scorer, SendTime
from botopt.model.policy import Choose, Policy, Template, Text
from botopt.model.user_state import UserState
from botopt.sources.envelope import Decoder
from botopt.verify.validate import load

FEATURES = ("user_rate", "type_rate", "hour", "sent_24h", "days_since_click", "days_since_sent", "raw_score")
WEIGHTS = (0.6, 0.5, 0.3, -0.2, -0.02, 0.01, 0.4)


def engagement(policy: Policy) -> Policy:
    """The population's rates, and a share of messages that go out in spite of a user's history."""
    learnt = EngagementSettings(learn=True, explore=0.03)
    return msgspec.structs.replace(policy, settings=msgspec.structs.replace(policy.settings, engagement=learnt))


def pacing(policy: Policy) -> Policy:
    """A budget for each user."""
    return msgspec.structs.replace(policy, settings=msgspec.structs.replace(policy.settings, pacing=Pacing(1.5)))


def send_time(policy: Policy) -> Policy:
    """Messages of every fourth event type may wait for half a day: each that does is decided twice."""
    waits = SendTime(12 * HOUR_US)
    events = {
        name: msgspec.structs.replace(each, send_time=None if place % 4 else waits)
        for place, (name, each) in enumerate(policy.events.items())
    }
    return msgspec.structs.replace(policy, events=events)


def variants(policy: Policy) -> Policy:
    """Every template has four variants to choose among."""
    templates = {name: _varied(each) for name, each in policy.templates.items()}
    return msgspec.structs.replace(policy, templates=templates)


def first(policy: Policy) -> Policy:
    """The same four variants, of which the first is taken: what the choice costs is the difference."""
    templates = {
        name: msgspec.structs.replace(_varied(each), choose=Choose.FIRST) for name, each in policy.templates.items()
    }
    return msgspec.structs.replace(policy, templates=templates)


def _varied(template: Template) -> Template:
    only = template.variants[0]
    made = tuple(
        msgspec.structs.replace(only, name=f"{only.name}-{letter}", text=_with(only.text, letter)) for letter in "abcd"
    )
    return msgspec.structs.replace(template, variants=made, choose=Choose.LEARN)


def _with(texts: object, letter: str) -> dict[str, Text]:
    assert isinstance(texts, dict)
    return {locale: Text(f"{text.source} {letter}", text.where) for locale, text in texts.items()}


def scorer(policy: Policy) -> Policy:
    """A logistic model of seven numbers."""
    model = ClickModel("clicks", ModelKind.LOGISTIC, FEATURES, -0.1, WEIGHTS, passed=True)
    return msgspec.structs.replace(policy, scorer=Scorer(model))


def control(policy: Policy) -> Policy:
    """Some users stay with the rule as it is written."""
    return msgspec.structs.replace(policy, settings=msgspec.structs.replace(policy.settings, control=0.05))


FIRST = "four variants, the first"
ALL: Sequence[Callable[[Policy], Policy]] = (engagement, pacing, send_time, variants, scorer, control)


class Run:
    """Events through one policy, from nothing known."""

    def __init__(self, name: str, policy: Policy, events: Sequence[tuple[Event, Line]]) -> None:
        self.name = name
        self._policy = policy
        self._events = events
        self.times: list[float] = []
        self.sent = 0

    def measure(self) -> None:
        """One round."""
        engine = build(self._policy)
        learner = Learner(self._policy)
        lines = LineEngine(engine, learner.learned)
        states: dict[str, UserState] = {event.user: UserState() for event, _ in self._events}
        learns, take = self._policy.learns, lines.take
        gc.collect()
        gc.disable()  # as in every run
        began = time.process_time()
        for ordinal, (event, line) in enumerate(self._events):
            if (
                learns
                and not learner.low_us <= event.time_us < learner.next_us
                and learner.is_boundary(event.user, event.time_us, ordinal)
            ):
                learner.turn(event.time_us)
            state = states[event.user]
            if not take(state, event):
                engine.decide(state, event, line, learned=learner.learned)
        self.times.append(time.process_time() - began)
        gc.enable()
        self.sent = sum(count for (_, outcome, _), count in lines.counted().items() if outcome is Outcome.SENT)

    @property
    def us(self) -> float:
        """Microseconds of an event."""
        return statistics.median(self.times) / len(self._events) * 1e6


def _applied(policy: Policy, switched: Iterable[Callable[[Policy], Policy]]) -> Policy:
    for switch in switched:
        policy = switch(policy)
    return policy


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learners", description=main.__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_policy(folder)
        write_events(folder / "events.jsonl", options.events, options.users)
        policy = load(folder)
        decoder = Decoder(policy)
        raws = (folder / "events.jsonl").read_bytes().splitlines()
    read = [(decoder.decode(raw, number, 0), Line(number, raw)) for number, raw in enumerate(raws, 1)]
    events = [(event, line) for event, line in read if isinstance(event, Event)]
    runs = [
        Run("none of them", policy, events),
        Run(FIRST, first(policy), events),
        *(Run(each.__name__, each(policy), events) for each in ALL),
        Run("all of them", _applied(policy, ALL), events),
    ]
    for _ in range(options.rounds):
        for run in runs:
            run.measure()
    base = runs[0].us
    print(f"{'':26} {'us/event':>9} {'more':>7} {'rate':>6}")
    for run in runs:
        print(f"{run.name:26} {run.us:9.2f} {run.us - base:+7.2f} {base / run.us:6.2f}")
    one, chosen = (run for run in runs if run.name in (FIRST, variants.__name__))
    more = (chosen.us - one.us) * len(events) / chosen.sent
    print(f"A message for which one of four variants is chosen takes {more:.1f} us more than one with the first.")


if __name__ == "__main__":
    main()
