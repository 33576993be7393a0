"""Goals in words, and what is said about words that are none."""

from __future__ import annotations

import pytest

from botopt.authoring.tuning.goals import read_goal
from botopt.model.errors import UsageError


@pytest.mark.parametrize(
    ("text", "clicks", "messages"),
    [
        ("same clicks, 20% fewer messages", 0.98, 0.80),
        ("20% fewer messages, same clicks", 0.98, 0.80),
        ("at most 5% fewer clicks, fewer messages", 0.95, 0.95),
        ("5% more clicks, same messages", 1.05, 1.02),
        ("  Same   clicks ,  12.5 % fewer messages", 0.98, 0.875),
        ("3% more clicks", 1.03, 1.02),
    ],
)
def test_a_goal_says_what_clicks_and_messages_may_become(text, clicks, messages):
    goal = read_goal(text)
    assert (goal.clicks, goal.messages) == (pytest.approx(clicks), pytest.approx(messages))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("20% fewer messages", "say what may become of clicks"),
        ("same clicks", "as it is now would do"),
        ("same clicks, same messages", "as it is now would do"),
        ("fewer spam", '"fewer spam" is no part of a goal'),
        ("", "is no part of a goal"),
        ("same clicks, 120% fewer messages", "between 0% and 100%"),
        ("same clicks, 20% more messages", '"20% more messages" cannot be asked for'),
        ("more clicks, same messages", '"more clicks" cannot be asked for'),
        ("same clicks, at most 20% fewer messages", "cannot be asked for"),
        ("same clicks, 5% more clicks", "clicks are named twice"),
    ],
)
def test_words_that_are_no_goal_are_refused_with_what_can_be_typed(text, words):
    with pytest.raises(UsageError, match="--goal") as caught:
        read_goal(text)
    assert words in str(caught.value)
