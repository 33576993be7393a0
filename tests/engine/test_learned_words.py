"""What explanations say about learning: sentences that people read, one of each kind, from a shop that learns."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from botopt.engine import learned_words
from botopt.engine.build import build
from botopt.engine.explain import Explainer, Explanation
from botopt.engine.recorded_words import recorded
from botopt.learning.pacing import Budget
from botopt.model.decision import Reason
from botopt.model.durations import DAY_US
from botopt.model.event import Line
from botopt.model.instants import instant_us
from botopt.model.learning_policy import Pacing
from botopt.model.user_state import Pace
from botopt.sources.envelope import Decoder
from botopt.state.memory import MemoryStore
from botopt.verify.replay import Replay
from botopt.verify.simulation.closed_loop import simulate
from botopt.verify.simulation.happening import happenings
from botopt.verify.simulation.truth import Truth
from botopt.verify.simulation.worlds import WORLDS
from botopt.verify.simulation.writing import log_into
from botopt.verify.validate import load

GOLDEN = Path(__file__).parent / "golden" / "learned.txt"
"""`BOTOPT_UPDATE_GOLDEN=1` writes it anew."""

SHOP = Path(__file__).parents[2] / "examples" / "learning"
START_US = instant_us("2026-03-02T00:00:00Z")
KINDS = {
    "an experiment": r"^experiment ",
    "the control group": r"^control group",
    "all users": r"^all users: known",
    "a user of whom nothing is known": r"^engagement: nothing",
    "a user without messages of this type": r"^engagement: .* none of them of this type",
    "a user with messages of this type": r"^engagement: .* of them;",
    "explored": r"^explore: .* too$",
    "not explored": r"^explore: .* not$",
    "no message yet": r"^pacing .* nothing was sent yet",
    "a bar that was lifted": r"^pacing .*× 1\.",
    "a bar that was lowered": r"^pacing .*× 0\.",
    "no later hour is better": r"^send_time: it goes now, no later",
    "everybody's hour": r"^send_time: it waits .* users in general",
    "the user's own hour": r"^send_time: it waits .* this user did",
    "an hour that was drawn": r"^send_time: .* drawn",
    "variants": r"^variants of .* against",
    "a variant that the user had": r"^variants of .* days ago",
}


@pytest.fixture(scope="module")
def found() -> Sequence[Explanation]:
    """The explanations of 40 simulated days of 30 people."""
    policy = load(SHOP)
    engagement = replace(policy.settings.engagement, effect=2.0)
    policy = replace(policy, settings=replace(policy.settings, engagement=engagement, control=0.2))
    truth, events = Truth(WORLDS["modest"], 3, 30, START_US), io.StringIO()
    simulate(policy, truth, 40, happenings(policy, truth, 40), log_into(policy, events, None))
    explainer = Explainer(lambda decision: decision.time_us is not None and decision.time_us > START_US + DAY_US)
    run = Replay(build(policy, "reference"), Decoder(policy), MemoryStore(), observer=explainer)
    for _ in run.run([Line(number, line.encode()) for number, line in enumerate(events.getvalue().splitlines(), 1)]):
        pass
    return explainer.found


def test_each_learner_says_in_a_sentence_what_it_had_to_do_with_a_decision(found: Sequence[Explanation]) -> None:
    sentences = [sentence for explanation in found for sentence in explanation.learned]
    first = {kind: next((each for each in sentences if re.search(how, each)), "never") for kind, how in KINDS.items()}
    text = "".join(f"{kind}\n    {sentence}\n" for kind, sentence in first.items())
    if os.environ.get("BOTOPT_UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text, encoding="utf-8")
    assert "never" not in first.values()
    assert text == GOLDEN.read_text(encoding="utf-8")
    known = re.compile("|".join((*KINDS.values(), "^all users: nothing", "^pacing .* the bar is ")))
    assert [sentence for sentence in sentences if not known.search(sentence)] == []


def test_a_budget_is_one_number_wherever_it_stands(found: Sequence[Explanation]) -> None:
    saved = re.compile(r"-?[\d.]+ of [\d.]+ messages are saved up")
    several = 0
    for explanation in found:
        paced = [stage.numbers for stage in explanation.stages if stage.reason is Reason.PACED]
        texts = (*explanation.arithmetic, *explanation.learned, *paced)
        told = [match.group() for text in texts for match in [saved.search(text)] if match]
        assert len(set(told)) <= 1
        several += len(told) == 3
    assert several > 100


def test_with_less_than_a_message_saved_up_it_never_says_one() -> None:
    budget = Budget("", Pacing(1.5, DAY_US), 0.5)
    assert learned_words.saved_up(budget, Pace(0.996, 0.0, 0), 0) == "0.99 of 3 messages are saved up"


def test_a_record_says_in_the_same_sentences_what_it_knows(found: Sequence[Explanation]) -> None:
    said = {"experiment": 0, "explore": 0, "pacing": 0, "send_time": 0}
    numbers = re.compile(r"(?<=[ ×])[\d.]+")
    for explanation in found:
        by_kind = {kind: line for line in explanation.learned for kind in said if line.startswith(kind)}
        for one in recorded(explanation.decision):
            kind = one.text.split(maxsplit=1)[0].rstrip(":")
            if kind not in by_kind or by_kind[kind].endswith(("the bar is the usual one", "that is 1", "that is 0")):
                continue
            ours = one.text if kind in {"experiment", "explore"} else one.text.split("; ")[-1].removeprefix("pacing: ")
            theirs = by_kind[kind][-len(ours) :] if kind != "pacing" else by_kind[kind].split("; ")[-1]
            assert numbers.sub("", ours) == numbers.sub("", theirs)
            rounded = [float(each) for each in numbers.findall(theirs)]
            assert [float(each) for each in numbers.findall(ours)] == pytest.approx(rounded, abs=0.011)
            said[kind] += 1
    assert min(said.values()) > 10
