"""What a few conversations reach, and what they leave out."""

from __future__ import annotations

from collections import Counter
from io import StringIO

from hypothesis import HealthCheck, given, settings
from rich.console import Console

from botopt.cli.coverage_view import coverage_json, percent_text, print_coverage
from botopt.engine.engine import Engine
from botopt.model.decision import Decision, Outcome
from botopt.model.event import Line
from botopt.model.record import encode_line
from botopt.sources.envelope import Decoder
from botopt.state.memory import MemoryStore
from botopt.verify.coverage import Coverage, CoverageReport
from botopt.verify.replay import Decided, Replay
from tests.engine.support import Wire, Workspace, base, ev, lines
from tests.engine.test_laws import RULES, timelines
from tests.engine.timeline import Story


def covered(engine: Engine, seen: list[Line]) -> tuple[CoverageReport, list[Decision]]:
    """The report about one replay, and its decisions."""
    coverage = Coverage(engine.policy)
    replay = Replay(engine, Decoder(engine.policy), MemoryStore(), observer=coverage)
    decisions = [item.decision for item in replay.run(seen) if isinstance(item, Decided)]
    return coverage.report(), decisions


def reached(rules: str, *events: Wire) -> dict[tuple[str, str, str], int]:
    """Counts by target."""
    report, _ = covered(Workspace(rules).engine, lines(events))
    return {one.target.key: one.reached for one in report.targets}


def of(rules: str, name: str, *events: Wire) -> dict[str, int]:
    """Counts of one name by what happened."""
    return {what: count for (_, other, what), count in reached(rules, *events).items() if other == name}


def test_a_condition_of_two_parts_wants_each_of_them_true_and_false():
    rules = base(rules="[{id: big, when: [n >= 5, user.plan == 'pro'], score: +0.1}]")
    assert of(rules, "a/big", ev("a", "u", "09:00", n=9)) == {
        "matched": 0,
        "did not match": 1,
        "`n >= 5` true": 1,
        "`n >= 5` false": 0,
        "`user.plan == 'pro'` true": 0,
        "`user.plan == 'pro'` false": 1,
    }


def test_a_condition_of_one_part_has_no_parts():
    rules = base(rules="[{id: small, when: not n >= 5, score: +0.1}]")
    assert of(rules, "a/small", ev("a", "u", "09:00", n=9)) == {"matched": 0, "did not match": 1}


def test_a_suppression_that_let_everything_pass_has_stopped_nothing():
    rules = base("{id: cool, cooldown: 1h}")
    assert of(rules, "cool", ev("a", "u", "09:00")) == {"let a message pass": 1, "stopped a message": 0}


def test_a_suppression_is_not_asked_when_something_stopped_the_message_before():
    rules = base("{id: cool, cooldown: 1h}")
    events = [ev("user.unsubscribed", "u", "09:00"), ev("a", "u", "10:00")]
    assert set(of(rules, "cool", *events).values()) == {0}
    assert of(rules, "service", *events) == {"a user without consent got no message": 1}


def test_conditions_count_only_where_the_suppression_was_asked():
    rules = base("{id: cool, cooldown: 1h, unless: n > 5}")
    events = [ev("user.unsubscribed", "u", "09:00"), ev("a", "u", "10:00", n=9)]
    assert set(of(rules, "cool", *events).values()) == {0}
    assert of(rules, "cool", ev("a", "u", "10:00", n=9))["unless `n > 5` true"] == 1


def test_hours_that_held_a_message_release_it_too():
    rules = base('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}')
    held = ev("a", "u", "23:00")
    assert of(rules, "night", held) == {"held a message": 1, "released a message": 0, "let a message pass": 0}
    both = of(rules, "night", held, ev("paid", "u", "tue 09:00"))
    assert both == {"held a message": 1, "released a message": 1, "let a message pass": 1}


def test_a_mute_begins_once_and_stops_more():
    rules = base("{id: calm, mute: 1d, when: n > 5}")
    events = [ev("a", "u", "09:00", n=1), ev("a", "u", "10:00", n=9), ev("a", "u", "11:00", n=1)]
    found = of(rules, "calm", *events)
    assert (found["the mute began"], found["stopped a message"], found["let a message pass"]) == (1, 2, 1)
    assert (found["when `n > 5` true"], found["when `n > 5` false"]) == (1, 2)


def test_a_conversation_stops_and_lets_pass():
    rules = base("{id: talk, in_conversation: 5m}\n{id: cool, cooldown: 6h}")
    events = [ev("user.active", "u", "09:00"), ev("a", "u", "09:01"), ev("a", "u", "09:05")]
    assert of(rules, "talk", *events) == {"stopped a message": 1, "let a message pass": 1}
    assert of(rules, "cool", *events) == {"stopped a message": 0, "let a message pass": 1}, "it is asked before that"


def test_a_slot_is_kept_only_while_the_cap_is_not_full():
    rules = base("{id: cap, limit: 2, within: 1d, categories: [service, alarm], reserved: {alarm: 1}}")
    kept = of(rules, "cap", ev("a", "u", "09:00"), ev("b", "u", "10:00"))
    assert kept["kept a slot for alarm"] == 1
    full = of(rules, "cap", ev("fire", "u", "09:00"), ev("a", "u", "09:30"), ev("b", "u", "10:00"))
    assert (full["kept a slot for alarm"], full["stopped a message"]) == (0, 1)


def test_an_event_without_a_message_counts_when_a_later_message_could_know_of_it():
    rules = base("{id: closed, resolved_by: paid, within: 1h, events: [a]}")
    assert of(rules, "paid", ev("paid", "u", "09:00")) == {"remembered when a later message was decided": 0}
    later = of(rules, "paid", ev("paid", "u", "09:00"), ev("a", "u", "09:30"))
    assert later == {"remembered when a later message was decided": 1}


def test_what_cannot_be_below_the_threshold_need_not_be():
    sure = base(rules="[{id: low, when: n > 5, score: -0.1}]")
    unsure = base(rules="[{id: low, when: n > 5, score: -0.2}]")
    assert "below the threshold" not in of(sure, "a")
    assert of(unsure, "a", ev("a", "u", "09:00", n=9))["below the threshold"] == 1


def test_always_is_proven_by_a_message_that_would_have_been_stopped():
    must = "must: {category: alarm, channel: chat, weight: 0.8, message: hello, always: true}\n"
    rules = base("{id: cool, cooldown: 1h}", events=must)
    what = "sent although something would have stopped it"
    assert of(rules, "must", ev("must", "u", "09:00"))[what] == 0
    assert of(rules, "must", ev("must", "u", "09:00"), ev("must", "u", "09:30")) == {what: 1, "sent": 2}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(timelines())
def test_the_counts_agree_with_a_recount_from_the_records(events: list[dict[str, object]]):
    engine = Story(RULES).engine
    report, decisions = covered(engine, lines(events))
    recount: Counter[tuple[str, str, str]] = Counter()
    for decision in decisions:
        name, by = decision.event_type or "", decision.by or ""
        if decision.message is not None:
            variant = f"{decision.message.template}/{decision.message.variant}"
            recount["event type", name, "sent"] += 1
            recount["variant", variant, "chosen"] += 1
            recount["locale", f"{variant}/{decision.message.locale}", "rendered"] += 1
        elif decision.outcome is Outcome.HELD:
            recount["suppression", by, "held a message"] += 1
        elif decision.outcome is Outcome.SUPPRESSED:
            recount["suppression", by, "stopped a message"] += 1
    whats = {what for _, _, what in recount} | {"sent", "chosen", "rendered", "held a message", "stopped a message"}
    for one in report.targets:
        if one.target.what in whats:
            assert one.reached == recount[one.target.key], one.target


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(timelines())
def test_looking_changes_no_decision(events: list[dict[str, object]]):
    engine = Story(RULES).engine
    _, decisions = covered(engine, lines(events))
    plain = Replay(engine, Decoder(engine.policy), MemoryStore()).run(lines(events))
    plainly = [item.decision for item in plain if isinstance(item, Decided)]
    assert list(map(encode_line, decisions)) == list(map(encode_line, plainly))


def test_people_read_where_a_test_is_missing():
    rules = base("{id: cool, cooldown: 1h}")
    report, _ = covered(Workspace(rules).engine, lines([ev("a", "u", "09:00")]))
    text = StringIO()
    print_coverage(Console(file=text, width=120, soft_wrap=True), report)
    line = next(one.target.position.line for one in report.targets if one.target.name == "cool")
    wanted = "suppression cool: stopped a message (add a test with a conversation in which it does)"
    assert f"  rules/all.yaml:{line} {wanted}\n" in text.getvalue()
    assert f"{percent_text(report)} of what this policy can do is tested" in text.getvalue()


def test_machines_read_the_same_numbers():
    report, _ = covered(Workspace(base()).engine, lines([ev("a", "u", "09:00")]))
    plain = coverage_json(report)
    assert isinstance(plain["targets"], list)
    assert plain["reached"] == sum(one["reached"] > 0 for one in plain["targets"])
    assert plain["percent"] == round(100 * report.reached / len(report.targets), 6)
