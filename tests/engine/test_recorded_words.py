"""What a record says about learning by itself: the sentences of explanations, and what the record does not hold."""

from __future__ import annotations

import pytest

from botopt.engine.recorded_words import recorded, unknown
from botopt.model.decision import Choice, Decision, Message, Outcome, Part

ARM = Choice("experiment early-nudge", ("as-now", "early"), "early", 0.7, 0.5)
HOUR = Choice("send_time", ("now", "21:00", "08:00"), "08:00", 0.758, 0.966667)
SORRY = Choice("variant", ("sorry", "facts"), "sorry", 0.2, 0.72)
DRAWN = "drawn from the hours that are allowed, so that other hours are known, too"


def decision(
    *choices: Choice, parts: tuple[Part, ...] = (), threshold: float = 0.5, snapshot: str | None = None
) -> Decision:
    return Decision(
        id="d1",
        event_id="e1",
        event_type="late",
        user="ada",
        time_us=0,
        outcome=Outcome.SENT,
        score=0.7,
        threshold=threshold,
        parts=parts,
        choices=choices,
        message=Message("d1", "late", "sorry", "en", "chat", "Sorry"),
        snapshot=snapshot,
    )


def texts(one: Decision) -> list[str]:
    return [each.text for each in recorded(one)]


def test_nothing_is_said_where_nothing_was_learned_or_drawn() -> None:
    parts = (Part("base", None, 0.5), Part("engagement", None, 1.2), Part("fatigue", None, 0.1))
    assert recorded(decision(parts=parts)) == ()


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (ARM, "experiment early-nudge: this user is in early, as 50% of users are"),
        (
            Choice("explore", ("no", "yes"), "yes", 0.016, 0.03),
            "explore: only this user's history keeps it back; 3% of such messages go out all the same, this one too",
        ),
        (
            Choice("explore", ("no", "yes"), "no", 0.6, 0.97),
            "explore: only this user's history keeps it back; 3% of such messages go out all the same, this one does not",
        ),
        (HOUR, "send_time: it waits for 08:00; it had a chance of 97%"),
        (
            Choice("send_time", ("now", "08:00"), "now", 0.4, 0.97),
            "send_time: it goes now, no later hour is better; it had a chance of 97%",
        ),
        (
            Choice("send_time", ("now", "08:00"), "08:00", 0.01, 0.017),
            f"send_time: it waits for 08:00, {DRAWN}; it had a chance of 1.7%",
        ),
        (SORRY, "variants of late: sorry had a chance of 72%"),
        (Choice("variant", ("facts",), "facts", None, 1.0), "variants of late: only facts may go to this user"),
        (
            Choice("variant", ("sorry", "facts"), "sorry", None, 1.0),
            "variants of late: sorry, the first, as always in the control group",
        ),
    ],
)
def test_each_draw_is_a_sentence_and_keeps_its_numbers(choice: Choice, text: str) -> None:
    (told,) = recorded(decision(choice))
    assert (told.text, told.choice) == (text, choice)


@pytest.mark.parametrize(
    ("moved", "threshold", "text"),
    [
        (0.069196, 0.569196, "pacing: the bar is × 1.14, that is 0.569"),
        (0.0, 0.5, "pacing: the bar is as it is"),
        (0.6, 1.0, "pacing: the bar is moved by +0.6, to 1"),
        (-0.2, 0.0, "pacing: the bar is moved by -0.2, to 0"),
    ],
)
def test_where_the_bar_is_says_what_pacing_made_of_it(moved: float, threshold: float, text: str) -> None:
    one = decision(parts=(Part("pacing", None, moved),), threshold=threshold)
    assert texts(one) == [text]
    assert unknown(recorded(one)) == ("how many messages were saved up",)


def test_what_a_record_cannot_know_is_named() -> None:
    parts = (Part("engagement", None, 0.765), Part("scorer", None, 1.2))
    told = recorded(decision(HOUR, SORRY, parts=parts, snapshot="486b05c980c1"))
    assert [each.text for each in told][:3] == [
        "all users: what was known of them is snapshot 486b05c980c1",
        "engagement: what this user clicked and ignored makes the score × 0.765",
        "scorer: what it says of a click makes the score × 1.2",
    ]
    assert unknown(told) == (
        "what all users did",
        "how many messages this user clicked",
        "which chance the scorer gave a click, and why",
        "when this user is usually there",
        "how each variant did before",
    )


def test_without_a_trace_of_learning_it_may_have_been_the_control_group() -> None:
    known = "whether this user is in the control group"
    factor = Part("engagement", None, 1.0)
    assert known in unknown(recorded(decision(parts=(factor,), snapshot="486b05c980c1")))
    assert known not in unknown(recorded(decision(parts=(factor, Part("pacing", None, 0.1)), snapshot="486b05c980c1")))


def test_weights_are_no_learning() -> None:
    assert unknown(recorded(decision(SORRY))) == ()
