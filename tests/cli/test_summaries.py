"""Summaries of a replay that people can still read."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from botopt.cli.summaries import _MOST_TYPES, print_summary
from botopt.model.decision import Outcome, Reason
from botopt.model.policy import Policy
from botopt.verify.summary import Summary


def table(types: int) -> list[list[str]]:
    """The rows of event types, in words; type n has n messages sent and one below the threshold."""
    summary = Summary()
    for number in range(1, types + 1):
        summary.decided[f"t{number:03}", Outcome.SENT, None] = number
        summary.decided[f"t{number:03}", Outcome.BELOW_THRESHOLD, Reason.BELOW_THRESHOLD] = 1
    console = Console(file=io.StringIO(), width=200)
    print_summary(console, summary, Policy(), {})
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    return [words for words in lines if words and (words[0].startswith("t0") or words[-1].isdigit())]


@pytest.mark.parametrize("types", [1, _MOST_TYPES])
def test_every_event_type_has_a_row(types):
    rows = [words for words in table(types) if words[0].startswith("t")]
    assert [words[0] for words in rows] == [f"t{number:03}" for number in range(1, types + 1)]


def test_of_very_many_event_types_the_least_frequent_share_a_row():
    rows = table(_MOST_TYPES + 3)
    assert ["3", "others", "6", "·", "3", "·", "·", "9"] in rows
    assert next(words[0] for words in rows if words[0].startswith("t")) == "t004"
