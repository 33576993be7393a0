from __future__ import annotations

import pytest

from botopt.dashboard.queries.asking import Answer
from botopt.dashboard.words import OUTCOMES, REASONS, RESPONSES, arithmetic, sentence
from botopt.model.decision import Outcome, Reason
from botopt.model.user_state import Response

pytest.importorskip("streamlit")
from botopt.dashboard.views.charts import BLUE, VERMILION
from botopt.dashboard.views.showing import MOST_SHOWN, cell, csv_text, plain

RECORD = {
    "outcome": "sent",
    "reason": None,
    "by": None,
    "channel": "chat",
    "response": "clicked",
    "detail": None,
    "until_us": None,
    "parts": None,
    "score": None,
    "threshold": None,
}


def test_every_reason_outcome_and_answer_has_words():
    assert set(REASONS) == set(Reason)
    assert set(OUTCOMES) == set(Outcome)
    assert {response.name.lower() for response in Response} <= set(RESPONSES)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "Sent on chat: clicked."),
        (
            {"outcome": "suppressed", "reason": "cooldown", "by": "same-order"},
            "Not sent because a similar message had gone out shortly before (same-order).",
        ),
        (
            {"outcome": "held", "reason": "quiet_hours", "by": "night", "until_us": 1_772_434_800_000_000},
            "Held because it was in the user's quiet hours, until 2026-03-02T07:00:00Z (night).",
        ),
        (
            {"outcome": "rejected", "reason": "rejected", "detail": "no such type"},
            "Not sent because the line was no event that the policy takes. no such type",
        ),
    ],
)
def test_a_record_is_told_in_one_sentence(more, told):
    assert sentence(RECORD | more) == told


def test_the_score_is_told_term_by_term():
    parts = (
        '[{"part":"base","id":null,"value":0.7},{"part":"rule","id":"large","value":0.15},'
        '{"part":"engagement","id":null,"value":0.8},{"part":"fatigue","id":null,"value":0.1}]'
    )
    assert list(arithmetic(RECORD | {"parts": parts, "score": 0.68, "threshold": 0.7})) == [
        "the event type's own score: 0.7",
        "rule large: +0.15",
        "how this user answers such messages: ×0.8",
        "recent messages raise the bar by: +0.1",
        "score 0.68, not above the threshold 0.7",
    ]


@pytest.mark.parametrize("parts", ["nonsense", "[1]", "{}"])
def test_parts_that_nobody_can_read_are_left_out(parts):
    assert list(arithmetic(RECORD | {"parts": parts})) == []


def test_data_is_never_markdown():
    assert plain("![x](http://e.example)\n# h") == r"\!\[x\]\(http\:\/\/e\.example\) \# h".replace(r"\/", "/")


def test_a_cell_is_written_for_people():
    assert [cell("rate", 0.1234), cell("count", 12345), cell("score", 0.5), cell("x", None)] == [
        "12.3%",
        "12,345",
        "0.50",
        "–",
    ]


def test_a_download_has_all_rows_unrounded_and_no_formulas():
    answer = Answer(("user", "rate"), (("=1+1", 0.123456), *((f"u{n}", 0.5) for n in range(MOST_SHOWN + 1))))
    lines = csv_text(answer).splitlines()
    assert lines[:2] == ["user,rate", "'=1+1,0.123456"]
    assert len(lines) == MOST_SHOWN + 3


@pytest.mark.parametrize("colour", [BLUE, VERMILION])
@pytest.mark.parametrize("background", ["#ffffff", "#0e1117"])
def test_marks_stand_out_from_both_backgrounds(colour, background):
    light, dark = sorted((_luminance(colour), _luminance(background)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def _luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
