"""Section 5: every recent message without a click raises what is needed."""

from __future__ import annotations

import pytest

from botopt.model.decision import Decision
from tests.engine.support import HOUR, Wire, Workspace, at, base, ev, parts

TIRING = "engagement: {effect: 0}, fatigue: {per_message: 0.1, within: 2h, limit: 0.25}, ignored_after: 30m"
LOUD = """
loud: {category: alarm, channel: chat, weight: 1, message: hello}
urgent: {category: alarm, channel: sms, weight: 1, message: hello, always: true}
"""


def needed(*events: Wire, suppression: str = "", until: str | int | None = None) -> list[float | None]:
    """What each sent message needed."""
    return [d.threshold for d in records(*events, suppression=suppression, until=until) if d.outcome == "sent"]


def records(*events: Wire, suppression: str = "", until: str | int | None = None) -> list[Decision]:
    return Workspace(base(suppression, TIRING, LOUD)).run(*events, until=until)


def loud(time: str | int, kind: str = "loud"):
    return ev(kind, "u", time)


def test_it_grows_with_each_message_up_to_its_limit():
    assert needed(*(loud(f"09:0{minute}") for minute in range(5))) == [0.6, 0.7, 0.8, 0.85, 0.85]


def test_it_is_the_last_part():
    found = records(loud("09:00"), loud("09:01"), loud("09:02"), loud("09:03"))
    assert [parts(decision)[-1] for decision in found] == [
        ("fatigue", None, 0),
        ("fatigue", None, 0.1),
        ("fatigue", None, 0.2),
        ("fatigue", None, 0.25),
    ]


def test_a_message_counts_until_exactly_the_end_of_the_window():
    last = [needed(loud("09:00"), loud(at("11:00") + shift))[1] for shift in (-1, 0, 1)]
    assert last == [0.7, 0.6, 0.6]


def test_all_types_and_channels_count_also_those_that_always_go():
    assert needed(loud("09:00", "a"), loud("09:01", "urgent"), loud("09:02")) == [0.6, 0.7, 0.8]


@pytest.mark.parametrize(
    ("word", "threshold"),
    [("message.clicked", 0.6), ("message.converted", 0.6), ("message.dismissed", 0.7), ("message.failed", 0.6)],
)
def test_only_a_click_or_a_failure_takes_a_message_out(word, threshold):
    assert needed(loud("09:00"), ev(word, "u", "09:10"), loud("09:20")) == [0.6, threshold]


def test_an_ignored_message_still_counts_and_a_late_click_takes_it_out_at_once():
    found = needed(loud("09:00"), loud("09:45"), ev("message.clicked", "u", "09:50"), loud("09:55"))
    assert found == [0.6, 0.7, 0.7]


def test_a_click_counts_from_the_moment_it_comes():
    first = loud("09:00")
    ws = Workspace(base("", TIRING, LOUD))
    [sent] = ws.run(first)
    assert ws.run(loud("09:01"))[0].threshold == 0.7
    assert ws.run(ev("message.clicked", "u", "09:02", message_id=sent.id), loud("09:03"))[0].threshold == 0.7


def test_what_was_not_sent_does_not_tire():
    found = records(loud("09:00"), loud("09:01"), loud("09:02"), suppression="{id: x, cooldown: 1h, events: [loud]}")
    assert [d.threshold for d in found] == [0.6, 0.7, 0.7]


def test_a_held_message_tires_from_its_release():
    night = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}, events: [loud]}'
    found = records(loud("23:00"), loud("tue 07:30", "urgent"), loud("tue 09:00"), suppression=night)
    assert [(d.outcome, d.threshold) for d in found] == [
        ("held", 0.6),
        ("sent", 0.6),  # nothing was sent so far
        ("sent", 0.7),  # the release, after the urgent one
        ("sent", 0.8),
    ]
    later = [
        records(loud("23:00"), loud(at("tue 08:00") + 2 * HOUR + shift), suppression=night)[-1].threshold
        for shift in (-1, 0)
    ]
    assert later == [0.7, 0.6]


def test_it_may_turn_a_message_away():
    found = records(loud("09:00"), loud("09:01"), loud("09:02", "a"))
    assert (found[2].outcome, found[2].score, found[2].threshold) == ("below_threshold", 0.8, 0.8)


def test_the_defaults():
    events = [ev("loud", "u", f"09:0{minute}") for minute in range(6)]
    found = Workspace(base("", "engagement: {effect: 0}", LOUD)).run(*events)
    assert [d.threshold for d in found] == [0.6, 0.65, 0.7, 0.75, 0.8, 0.8]


def test_what_is_needed_never_passes_one():
    settings = "engagement: {effect: 0}, threshold: 0.9, fatigue: {per_message: 0.5, within: 1d, limit: 1}"
    found = Workspace(base("", settings, LOUD)).run(loud("09:00"), loud("09:01"), loud("09:02", "urgent"))
    assert [(d.outcome, d.threshold) for d in found] == [("sent", 0.9), ("below_threshold", 1), ("sent", 1)]
