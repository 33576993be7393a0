"""What another policy would have got on a log: against the truth, on its own log, and what is refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from botopt.learning.evaluation import Estimate
from botopt.model.errors import UsageError
from botopt.model.record import decode_line
from botopt.verify.evaluating.evaluating import evaluate, rounds_of
from botopt.verify.evaluating.matching import read
from botopt.verify.evaluating.measuring import measure
from botopt.verify.evaluating.rounds import Action, Round
from botopt.verify.validate import load
from tests.verify.evaluating.logs import CLICKS, DAY, events, policy_of, write_log

MOSTLY_B = ('b: {text: "New: {{ size }}", weight: 1}', 'b: {text: "New: {{ size }}", weight: 9}')
RICH = """\
settings:
  threshold: 0.50
  ignored_after: 6h
  engagement: {explore: 20%, learn: true}
  control: 20%
  holdout: 10%
  timezone: Europe/Berlin
  pacing: {messages: 2, per: day}
categories:
  service: {send_time: {within: 6h, explore: 30%}}
channels:
  chat: {type: console}
events:
  news:
    description: Something new.
    category: service
    fields:
      size: {type: number, min: 0}
    weight: 0.70
    message: hello
    expires_after: 8h
    rules:
      - {id: large, when: size >= 5, score: +0.15}
      - {id: again, when: "count('news', '24h') > 3", score: -0.10}
  offer:
    description: Something to buy.
    fields:
      size: {type: number, min: 0}
    weight: 0.75
    message: buy
  bill:
    description: Something to pay.
    fields:
      size: {type: number, min: 0}
    weight: 0.70
    message: buy
suppression:
  - {id: once, cooldown: 2h, per: [user, event, size]}
  - {id: many, limit: 6, within: 24h}
  - {id: night, quiet_hours: {from: "22:00", to: "07:00"}, events: [news, offer]}
  - {id: first, events: [offer], inhibited_by: news, within: 30m}
  - {id: quiet, mute: 12h, when: engagement.ignored_in_a_row >= 4}
"""
RICH_TEMPLATES = """\
templates:
  hello:
    choose: learn
    variants:
      a: {text: "Size {{ size }}"}
      b: {text: "New: {{ size }}"}
      c: {text: "Large: {{ size }}", when: size >= 5}
    samples: [{size: 3}]
  buy:
    choose: weighted
    variants:
      only: {text: "Buy {{ size }}", weight: 3}
      d: {text: "Buy it: {{ size }}", weight: 1}
    samples: [{size: 3}]
"""


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """A log of a policy that draws both its texts evenly and explores, and its folder."""
    folder = tmp_path_factory.mktemp("logged")
    old = policy_of(folder / "old", explore="10%")
    return old, list(write_log(folder / "log", old, events(60, 10))), folder


def held(estimate: Estimate, truth: float) -> bool:
    return estimate.low <= truth <= estimate.high


def true_value(rounds: list[Round]) -> float:
    """Clicks in each decision that the new policy really gets, one step at a time."""
    return sum(mass * CLICKS.get(action.variant, 0.0) for each in rounds for action, mass in each.masses) / len(rounds)


def test_the_policy_of_the_log_gets_what_the_log_got(logged):
    old, files, folder = logged
    found = evaluate(files, old, folder / "old").evaluation
    assert found.refusals == ()
    assert found.largest == 1.0
    assert found.unsupported == 0
    assert found.effective == pytest.approx(found.logged_messages)
    assert found.new.per_message == found.logged.per_message
    assert found.verdict == "open"


def test_a_policy_that_prefers_the_better_text_is_better_by_what_it_really_gains(logged, tmp_path):
    _, files, _ = logged
    new = policy_of(tmp_path, explore="10%", edit=lambda text: text.replace(*MOSTLY_B))
    found = evaluate(files, new, tmp_path).evaluation
    reading = read(files, new)
    rounds, _ = rounds_of(reading, new, reading.from_us, reading.until_us - DAY // 4)
    truth = true_value(rounds)
    assert found.verdict == "better"
    assert held(found.new.per_decision, truth)
    assert held(found.inverse, truth)
    assert held(found.robust, truth)
    assert found.largest == pytest.approx(1.8)


def test_fewer_messages_by_a_higher_bar_are_counted_exactly_and_their_clicks_are_those_of_the_log(logged, tmp_path):
    _, files, _ = logged
    new = policy_of(tmp_path, edit=lambda text: text.replace("threshold: 0.50", "threshold: 0.58"))
    found = evaluate(files, new, tmp_path).evaluation
    decisions = [decode_line(line) for line in files[1].read_bytes().splitlines()]
    assert found.new_messages == int(found.new_messages) < sum(one.message is not None for one in decisions)
    assert found.new.per_decision.value * found.decisions == pytest.approx(found.clicks)
    assert found.verdict == "worse"


def test_intervals_hold_the_truth_in_nine_of_ten_worlds(tmp_path):
    count, hits = 20, 0
    old = policy_of(tmp_path / "old", explore="20%")
    new = policy_of(tmp_path / "new", explore="20%", edit=lambda text: text.replace(*MOSTLY_B))
    happened = events(30, 6, seed=7)
    for seed in range(count):
        files = write_log(tmp_path / "log", old, happened, seed)
        reading = read(list(files), new)
        rounds, _ = rounds_of(reading, new, reading.from_us, reading.until_us - DAY // 4)
        hits += held(measure(rounds).new.per_decision, true_value(rounds))
    assert hits >= 0.9 * count


def test_on_its_own_log_every_weight_is_one_whatever_the_policy_draws_learns_holds_and_mutes(tmp_path):
    (tmp_path / "w" / "rules").mkdir(parents=True)
    (tmp_path / "w" / "templates").mkdir()
    (tmp_path / "w" / "rules" / "r.yaml").write_text(RICH)
    (tmp_path / "w" / "templates" / "t.yaml").write_text(RICH_TEMPLATES)
    policy = load(tmp_path / "w")
    happened = events(25, 12, seed=3)
    for place, event in enumerate(happened):
        if place % 5 == 0:
            event["type"] = "bill"
        if place % 11 == 0:
            event.update(type="user.active", data={})
    files = write_log(tmp_path / "log", policy, happened, clicks=lambda _: 0.3)
    reading = read(list(files), policy)
    assert reading.unmatched == 0
    rounds, _ = rounds_of(reading, policy, reading.from_us, reading.until_us - DAY // 4)
    sent = [each for each in rounds if each.taken is not None]
    kinds = {choice.purpose for line in files[1].read_bytes().splitlines() for choice in decode_line(line).choices}
    assert kinds == {"variant", "explore", "send_time"}
    assert len(sent) > 200
    assert [each.weight for each in sent] == pytest.approx([1.0] * len(sent), abs=1e-6)
    assert sum(each.unsupported for each in rounds) == 0
    assert sum(each.supported for each in rounds) == pytest.approx(len(sent), rel=0.15)


def test_messages_that_the_log_never_sent_are_refused_beyond_a_fifth(logged, tmp_path):
    _, files, _ = logged
    new = policy_of(tmp_path, edit=lambda text: text.replace("cooldown: 2h", "cooldown: 1s").replace("6,", "60,"))
    found = evaluate(files, new, tmp_path).evaluation
    assert found.verdict == "refused"
    assert "says nothing about" in found.refusals[0]
    assert "explore" in found.refusals[0]
    assert found.new is None


def test_too_few_clicks_and_too_few_messages_are_refused_by_their_numbers(tmp_path):
    old = policy_of(tmp_path / "old")
    files = write_log(tmp_path / "log", old, events(4, 3))
    found = evaluate(files, old, tmp_path / "old").evaluation
    assert any("at least 100 are needed" in why for why in found.refusals)
    assert any("at least 30 are needed" in why for why in found.refusals)


def test_a_policy_that_was_tuned_on_the_same_log_is_refused(logged, tmp_path):
    _, files, _ = logged
    tuned = "settings:\n  tuned_until: 2026-03-12T00:00:00Z"
    new = policy_of(tmp_path, edit=lambda text: text.replace("settings:", tuned))
    found = evaluate(files, new, tmp_path)
    assert found.evaluation.verdict == "refused"
    assert "chosen on this log" in found.evaluation.refusals[0]


def test_of_a_log_that_goes_on_after_a_policy_was_tuned_only_the_later_days_count(logged, tmp_path):
    old, files, _ = logged
    tuned = "settings:\n  tuned_until: 2026-03-06T00:00:00Z"
    new = policy_of(tmp_path, explore="10%", edit=lambda text: text.replace("settings:", tuned))
    found = evaluate(files, new, tmp_path)
    assert found.since is not None
    assert found.evaluation.refusals == ()
    everything = evaluate(files, old, tmp_path).evaluation
    assert 0.4 < found.evaluation.decisions / everything.decisions < 0.8
    assert found.evaluation.largest == 1.0  # the days before are part of the states all the same


def test_a_scorer_that_was_trained_on_the_same_log_is_refused(logged, tmp_path):
    from botopt.model.click_model import ClickModel, ModelKind
    from botopt.model.learning_policy import Scorer

    old, files, _ = logged
    model = ClickModel("clicks", ModelKind.LOGISTIC, (), passed=True, digest="abc")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "clicks.json").write_text('{"digest": "abc", "training": {"last_day": "2026-03-20"}}')
    found = evaluate(files, msgspec.structs.replace(old, scorer=Scorer(model)), tmp_path)
    assert "its scorer was trained on a log until the end of 2026-03-20" in found.evaluation.refusals[0]


def test_a_log_without_chances_is_refused(logged, tmp_path):
    old, (happened, records), folder = logged
    lines = records.read_bytes().replace(b'"choices":', b'"chances":')
    (tmp_path / "d.jsonl").write_bytes(lines)
    found = evaluate([happened, tmp_path / "d.jsonl"], old, folder / "old").evaluation
    assert "do not say with which chance" in found.refusals[0]


def test_a_log_whose_chances_are_none_is_refused(logged, tmp_path):
    old, (happened, records), folder = logged
    lines = records.read_bytes().replace(b'"propensity":0.5', b'"propensity":0')
    (tmp_path / "d.jsonl").write_bytes(lines)
    found = evaluate([happened, tmp_path / "d.jsonl"], old, folder / "old").evaluation
    assert "do not say with which chance" in found.refusals[0]


def test_a_log_without_events_or_without_records_says_what_is_missing(logged):
    old, (happened, records), folder = logged
    assert "holds no events" in evaluate([records], old, folder).evaluation.refusals[0]
    assert "holds no decision records" in evaluate([happened], old, folder).evaluation.refusals[0]


def test_files_may_come_in_any_order_and_in_pieces(logged, tmp_path):
    old, (happened, records), folder = logged
    lines = happened.read_bytes().splitlines(keepends=True)
    (tmp_path / "one.jsonl").write_bytes(b"".join(lines[:2_000]))
    (tmp_path / "two.jsonl").write_bytes(b"".join(lines[2_000:]))
    pieces = [tmp_path / "two.jsonl", records, tmp_path / "one.jsonl"]
    assert evaluate(pieces, old, folder) == evaluate([happened, records], old, folder)


def test_standard_input_is_not_a_log(logged):
    old, _, folder = logged
    with pytest.raises(UsageError, match="name files"):
        evaluate(["-"], old, folder)


def _round(user: int, weight: float, *, clicked: bool, unsupported: float = 0.0) -> Round:
    action = Action("hello", "a", "chat")
    return Round(user, 0, "news", action, clicked, weight, ((action, weight),), min(weight, 1.0), unsupported)


def test_the_direct_method_foretells_nobody_from_their_own_clicks():
    """Users of one half always click and those of the other never do: each half is foretold from the other."""
    rounds = [_round(user % 400, 1.0, clicked=user % 2 == 0) for user in range(4_000)]
    found = measure(rounds)
    assert found.direct.value == pytest.approx(0.5, abs=0.01)
    assert found.robust.value == pytest.approx(0.5, abs=0.01)


def test_worse_is_only_said_if_messages_the_log_says_nothing_about_could_not_make_up_for_it():
    rounds = [_round(user, 0.9, clicked=user % 4 == 0, unsupported=0.1) for user in range(2_000)]
    found = measure(rounds)
    assert found.difference.high < 0
    assert found.verdict == "open"


def test_the_same_policy_twice_gives_the_same_answer(logged, tmp_path: Path):
    _, files, _ = logged
    new = policy_of(tmp_path, explore="10%", edit=lambda text: text.replace(*MOSTLY_B))
    assert evaluate(files, new, tmp_path) == evaluate(files, new, tmp_path)
