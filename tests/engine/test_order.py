"""Section 6: one order, from rights to comfort to timing; the first reason wins, an explanation has them all."""

from __future__ import annotations

import pytest

from tests.engine.support import Wire, Workspace, at, base, clock, ev

ORDER = """
expired no_consent skipped below_threshold holdout muted resolved inhibited cooldown capped quiet_hours
""".split()
CALM = "fatigue: {per_message: 0}, engagement: {effect: 0}"
EVENTS = """
c:
  category: service
  channel: chat
  weight: 0.8
  message: hello
  expires_after: EXPIRES
  rules: [{id: no, when: time.hour == SKIP, skip: true}, {id: low, when: time.hour == LOW, score: -0.8}]
"""
STOPS = {
    "muted": "{id: m, mute: always, when: time.hour >= 12, events: [c]}",
    "resolved": "{id: r, resolved_by: paid, within: 8h, events: [c]}",
    "inhibited": "{id: i, inhibited_by: fire, within: 8h, events: [c]}",
    "cooldown": "{id: k, cooldown: 8h, events: [c]}",
    "capped": "{id: l, limit: 1, within: 8h, events: [c]}",
    "quiet_hours": '{id: q, quiet_hours: {from: "12:00", to: "14:00"}, events: [c]}',
}
NAMES = {
    "skipped": "no",
    "muted": "m",
    "resolved": "r",
    "inhibited": "i",
    "cooldown": "k",
    "capped": "l",
    "quiet_hours": "q",
}
NAMES |= {"no_consent": "service", "expired": "", "below_threshold": "", "holdout": ""}


def workspace(reasons: set[str]) -> Workspace:
    events = EVENTS.replace("EXPIRES", "1h" if "expired" in reasons else "1d")
    events = events.replace("SKIP", "12" if "skipped" in reasons else "23")
    events = events.replace("LOW", "12" if "below_threshold" in reasons else "23")
    settings = f"{CALM}, holdout: {'100%' if 'holdout' in reasons else '0%'}"
    return Workspace(base("\n".join(text for name, text in STOPS.items() if name in reasons), settings, events))


def timeline(reasons: set[str]) -> list[Wire]:
    """A message in the morning, and at noon one that all these reasons are against."""
    story = [ev("c", "u", "09:00"), ev("fire", "u", "09:01")]
    if "resolved" in reasons:
        story.append(ev("paid", "u", "09:02"))
    if "no_consent" in reasons:
        story.append(ev("user.unsubscribed", "u", "11:30"))
    story.append(ev("loose", "u", "12:00"))
    return [*story, ev("c", "u", "10:59" if "expired" in reasons else "12:00", id="asked")]


COMFORT = {"inhibited", "cooldown", "capped"}
"""These need messages that were sent, which a holdout user never gets."""


@pytest.mark.parametrize("start", range(len(ORDER)))
def test_the_first_that_applies_is_the_reason(start):
    reasons = set(ORDER[start:])
    if "holdout" in reasons:
        reasons -= COMFORT
    found = workspace(reasons).run(*timeline(reasons), until="00:00")
    assert found[-1].reason == ORDER[start]


@pytest.mark.parametrize("first", range(len(ORDER)))
@pytest.mark.parametrize("second", range(len(ORDER)))
def test_any_two_are_in_order_and_both_are_explained(first, second):
    one, two = ORDER[first], ORDER[second]
    if first >= second or ("holdout" in (one, two) and COMFORT & {one, two}):
        return
    ws, story = workspace({one, two}), timeline({one, two})
    [explanation] = ws.explain(*story, about="asked")[:1]
    assert explanation.decision.reason == one
    assert [stage.reason for stage in explanation.stages if stage.applies and not stage.waived] == [one, two]
    assert [stage.reason for stage in explanation.stages if stage.reason in ORDER] == ORDER


def test_an_explanation_lists_every_reason_with_its_numbers_and_its_end():
    reasons = set(ORDER) - {"holdout"}
    explanation = workspace(reasons).explain(*timeline(reasons), about="asked")[0]
    assert [stage.reason for stage in explanation.stages if stage.applies] == [r for r in ORDER if r in reasons]
    assert all(stage.numbers for stage in explanation.stages if stage.applies)
    ends = {trace.id: trace.until_us and clock(trace.until_us) for trace in explanation.suppressions if trace.stops}
    assert ends == {"m": None, "r": "17:02", "i": "17:01", "k": "17:00", "l": "17:00", "q": "14:00"}
    assert all(trace.numbers for trace in explanation.suppressions)


def test_rejected_and_duplicate_come_first_of_all():
    ws = workspace(set(ORDER) - {"holdout"})
    one = ev("c", "u", "12:00")
    told = ws.tell(one, one, ev("user.deleted", "u", "12:01"), one)
    assert told[1:] == ["duplicate", "rejected user.deleted"]


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        (
            reason,
            {"skipped": "skipped", "below_threshold": "below_threshold", "quiet_hours": "held"}.get(
                reason, "suppressed"
            ),
        )
        for reason in ORDER
    ],
)
def test_outcomes(reason, outcome):
    found = workspace({reason}).run(*timeline({reason}), until="00:00")
    assert (found[-1].outcome, found[-1].reason) == (outcome, reason)


@pytest.mark.parametrize("reason", ORDER)
def test_who_is_named_and_when_it_ends(reason):
    found = workspace({reason}).run(*timeline({reason}), until="00:00")
    if reason != "no_consent":  # the language does not say who is named there
        assert (found[-1].by or "") == NAMES[reason]
    ends = {"resolved": "17:02", "inhibited": "17:01", "cooldown": "17:00", "capped": "17:00", "quiet_hours": "14:00"}
    assert (found[-1].until_us and clock(found[-1].until_us)) == ends.get(reason)


def test_causes():
    sends = {"inhibited": 1, "cooldown": 0, "capped": 0}
    for reason in ORDER:
        found = workspace({reason}).run(*timeline({reason}), until="00:00")
        if reason in sends:
            assert found[-1].cause == found[sends[reason]].id
        elif reason == "resolved":
            assert found[-1].cause is not None
        else:
            assert found[-1].cause is None


def test_the_scores_are_those_of_the_whole_message_whatever_the_reason():
    found = workspace({"expired", "skipped"}).run(*timeline({"expired", "skipped"}))
    assert (found[-1].score, found[-1].time_us) == (0.8, at("12:00"))
