"""Simulated people: what is true of them, what happens to them, and that only decisions make a difference."""

from __future__ import annotations

import io
import math
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from benchmarks.study_policies import learning, nudges, written
from botopt.engine.build import build
from botopt.model.durations import DAY_US
from botopt.model.errors import UsageError
from botopt.model.event import Event
from botopt.model.policy import Policy
from botopt.model.record import encode_line
from botopt.model.user_state import UserState
from botopt.sources.envelope import Decoder
from botopt.verify.simulation.closed_loop import Log, simulate
from botopt.verify.simulation.comparing import change, interval, report
from botopt.verify.simulation.curves import letters, svg
from botopt.verify.simulation.happening import happenings
from botopt.verify.simulation.rivals import hindsight, liked, static
from botopt.verify.simulation.trials import POLICY, START_US, STATIC, Setup, trial, trials
from botopt.verify.simulation.truth import Sent, Truth
from botopt.verify.simulation.worlds import WORLDS
from botopt.verify.simulation.writing import log_into
from botopt.verify.validate import load

MODEST, NULL = WORLDS["modest"], WORLDS["null"]
REPOSITORY = Path(__file__).parents[3]


def truth(world: str = "modest", seed: int = 0, users: int = 8) -> Truth:
    return Truth(WORLDS[world], seed, users, START_US)


def sent(hour: float = 12.0, crowd: int = 0, repeated_us: int | None = None, time_us: int = START_US) -> Sent:
    return Sent("offer", "offer/a", time_us, hour, crowd, repeated_us)


def test_the_same_seed_gives_the_same_people_and_the_same_happenings() -> None:
    assert truth().people == truth().people
    assert happenings(nudges(), truth(), 5) == happenings(nudges(), truth(), 5)
    assert truth().people != truth(seed=1).people


def test_more_people_change_nothing_about_the_others() -> None:
    assert truth(users=12).people[:8] == truth().people


def test_a_message_that_two_policies_both_send_is_answered_alike() -> None:
    policy = nudges()
    people = truth(users=20)
    happening = happenings(policy, people, 10)
    clicked = []
    for tried in (policy, replace(policy, suppressions=())):
        answers: set[str] = set()
        figures: list[str] = []
        log = Log(lambda event, into=answers: into.add(event.id), figures.append)
        simulate(tried, Truth(NULL, 0, 20, START_US), 10, happening, log)
        messages = {line["message"]["id"] for line in map(msgspec.json.decode, figures) if line["message"]}
        clicked.append((messages, answers))
    both = clicked[0][0] & clicked[1][0]

    assert len(both) > 20
    for message in both:
        assert (f"{message}-clicked" in clicked[0][1]) == (f"{message}-clicked" in clicked[1][1])


def test_in_the_null_world_every_message_has_the_same_chance() -> None:
    people = truth("null")
    chances = {
        people.chance(person, sent(hour, crowd, repeated))
        for person in people.people
        for hour in (3.0, 15.0)
        for crowd in (0, 4)
        for repeated in (None, DAY_US)
    }

    assert len(chances) == 1
    assert chances.pop() == pytest.approx(1 / (1 + math.exp(2.4)))


def test_a_crowd_a_repetition_and_the_wrong_hour_cost_clicks() -> None:
    people = truth()
    person = people.people[0]
    best = people.chance(person, sent(person.peak))

    assert people.chance(person, sent(person.peak, crowd=1)) < best
    assert people.chance(person, sent(person.peak, repeated_us=DAY_US)) < best
    assert people.chance(person, sent((person.peak + 12) % 24)) < best


def test_a_drift_changes_tastes_on_its_day_and_not_before() -> None:
    steady, drifting = truth(), truth("drift")
    person = steady.people[0]

    assert drifting.appeal(person, "offer", START_US) == steady.appeal(person, "offer", START_US)
    later_us = START_US + 30 * DAY_US
    assert drifting.appeal(person, "offer", later_us) != steady.appeal(person, "offer", later_us)


def test_a_surge_brings_three_times_as_many_events() -> None:
    people = truth("surge", users=20)
    events = [event for event in happenings(nudges(), people, 44) if event.type in nudges().events]
    middle_us = START_US + 30 * DAY_US
    before = sum(event.time_us < middle_us for event in events) / 30
    after = sum(event.time_us >= middle_us for event in events) / 14

    assert after / before == pytest.approx(3, rel=0.1)


def test_the_static_rule_learns_nothing_and_keeps_what_an_author_wrote() -> None:
    policy = static(learning(nudges()))

    assert not policy.learns
    assert policy.settings.pacing is None
    assert policy.suppressions == nudges().suppressions


def test_the_hindsight_rule_sends_only_what_people_like_best() -> None:
    people = truth(users=40)
    best = liked(nudges(), people)[0].name
    policy = hindsight(learning(nudges()), people, 1)

    assert [name for name, event_type in policy.events.items() if event_type.decides] == [best]
    assert max(people.mean_appeal(name) for name in nudges().events) == people.mean_appeal(best)


def test_nobody_does_better_than_the_oracle() -> None:
    for figures in trial(Setup(learning(nudges()), MODEST, 15, 15), 0).figures.values():
        assert figures.messages
        assert figures.true_rate < figures.oracle_rate


def test_many_processes_find_what_one_finds() -> None:
    setup = Setup(nudges(), MODEST, 6, 6, {STATIC: static(nudges())})

    assert trials(setup, [3, 1, 2], 2) == trials(setup, [3, 1, 2], 1)


def test_users_who_left_get_nothing_more() -> None:
    world = replace(WORLDS["fatigue"], hazard=1.0, base=-20.0)
    records: list[str] = []
    left: dict[str, int] = {}

    def note(event: Event) -> None:
        if event.type == "user.unsubscribed":
            left[event.user] = event.time_us

    policy = replace(nudges(), events={n: replace(e, category=None) for n, e in nudges().events.items()})
    people = Truth(world, 0, 10, START_US)
    figures = simulate(policy, people, 10, happenings(policy, people, 10), Log(note, records.append))

    assert figures.unsubscribed == len(left) == 10
    for line in map(msgspec.json.decode, records):
        if line["outcome"] == "sent":
            assert (
                msgspec.convert(line["time"], type=__import__("datetime").datetime).timestamp() * 1e6
                <= left[line["user"]]
            )


def replayed(policy: Policy, lines: list[str]) -> list[str]:
    """What an engine decides about these event lines, one user at a time, as a replay does."""
    engine, decoder = build(policy), Decoder(policy)
    states: dict[str, UserState] = {}
    found = []
    for number, line in enumerate(lines, 1):
        event = decoder.decode(line.encode(), number, 0)
        assert isinstance(event, Event), event
        decisions = engine.decide(states.setdefault(event.user, UserState()), event)
        found += [encode_line(decision).decode() for decision in decisions]
    return found


@pytest.mark.parametrize("name", ["nudges", "workspace"])
def test_what_was_written_down_replays_to_the_same_records(name: str) -> None:
    policy = static(nudges() if name == "nudges" else load(REPOSITORY))
    events, records = io.StringIO(), io.StringIO()
    people = truth(users=6)
    simulate(policy, people, 12, happenings(policy, people, 12), log_into(policy, events, records))
    again = replayed(policy, events.getvalue().splitlines())
    # what is still held at the end is released in a simulation only if its time comes
    assert set(again) <= set(records.getvalue().splitlines(keepends=True))
    assert len(again) > 100


def test_a_policy_without_messages_is_refused_in_plain_words() -> None:
    policy = written({"rules/a.yaml": "events: {seen: {fields: {}}}\n"})
    with pytest.raises(UsageError, match="nothing to simulate"):
        trial(Setup(policy, MODEST, 2, 2), 0)


def test_a_text_that_cannot_be_made_up_asks_for_a_sample() -> None:
    rules = (
        "channels: {chat: {type: console}}\nevents: {seen: {weight: 0.9, message: hi, "
        "fields: {code: {type: text, pattern: '(ab|cd)+x'}}}}\n"
    )
    policy = written({"rules/a.yaml": rules, "templates/a.yaml": 'templates: {hi: "Hi"}\n'})
    with pytest.raises(UsageError, match="give the template a sample with code"):
        trial(Setup(policy, MODEST, 2, 2), 0)


def test_an_interval_is_students() -> None:
    found = interval([1.0, 2.0, 3.0])

    assert found.mean == 2
    assert found.half == pytest.approx(4.303 / math.sqrt(3))
    assert interval([5.0]).half is None


def test_a_change_is_paired_by_seed() -> None:
    found = trials(Setup(nudges(), MODEST, 6, 6, {STATIC: nudges()}, hindsight=False), [0, 1])
    gain, better = change(found, lambda figures: figures.true_rate, STATIC)

    assert (gain.mean, gain.half, better) == (0, 0, 0)


def test_curves_are_drawn_with_marks_and_dashes_and_not_with_colours_alone() -> None:
    told = report("modest", "x", "r", trials(Setup(nudges(), MODEST, 6, 10, {STATIC: static(nudges())}), [0]))
    curves = {row.name: row.curve for row in told.rows}
    text, picture = "\n".join(letters(curves, 7)), svg(curves, 7, "a < b")

    assert "* policy" in text
    assert "o static" in text
    assert "stroke-dasharray" in picture
    assert "a &lt; b" in picture
    assert told.rows[0].name == POLICY
