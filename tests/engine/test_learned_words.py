"""What explanations say about learning: sentences that people read, one of each kind, from a shop that learns."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from botopt.engine.build import build
from botopt.engine.explain import Explainer
from botopt.model.durations import DAY_US
from botopt.model.event import Line
from botopt.model.instants import instant_us
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


def told() -> Iterable[str]:
    """All sentences of 40 simulated days of 30 people."""
    policy = load(SHOP)
    engagement = replace(policy.settings.engagement, effect=2.0)
    policy = replace(policy, settings=replace(policy.settings, engagement=engagement, control=0.2))
    truth, events = Truth(WORLDS["modest"], 3, 30, START_US), io.StringIO()
    simulate(policy, truth, 40, happenings(policy, truth, 40), log_into(policy, events, None))
    explainer = Explainer(lambda decision: decision.time_us is not None and decision.time_us > START_US + DAY_US)
    run = Replay(build(policy, "reference"), Decoder(policy), MemoryStore(), observer=explainer)
    for _ in run.run([Line(number, line.encode()) for number, line in enumerate(events.getvalue().splitlines(), 1)]):
        pass
    return [sentence for explanation in explainer.found for sentence in explanation.learned]


def test_each_learner_says_in_a_sentence_what_it_had_to_do_with_a_decision() -> None:
    sentences = told()
    first = {kind: next((each for each in sentences if re.search(how, each)), "never") for kind, how in KINDS.items()}
    text = "".join(f"{kind}\n    {sentence}\n" for kind, sentence in first.items())
    if os.environ.get("BOTOPT_UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text, encoding="utf-8")
    assert "never" not in first.values()
    assert text == GOLDEN.read_text(encoding="utf-8")
    known = re.compile("|".join((*KINDS.values(), "^all users: nothing", "^pacing .* the bar is ")))
    assert [sentence for sentence in sentences if not known.search(sentence)] == []
