"""Proposals: right about the log, small, the same every time, and none where there is none."""

from __future__ import annotations

import json

import pytest

from botopt.authoring.tuning.cases import Cases
from botopt.authoring.tuning.goals import read_goal
from botopt.authoring.tuning.knobs import Knob, Sort, values
from botopt.authoring.tuning.patching import patch
from botopt.authoring.tuning.searching import MOST_TURNED
from botopt.authoring.tuning.tuning import tune
from botopt.cli.tune_view import lines, proposal_json
from botopt.delivery.registry import CHANNEL_TYPES
from botopt.loading.policy import read_policy
from botopt.loading.snapshot import take
from botopt.verify.evaluating.evaluating import evaluate, rounds_of
from botopt.verify.evaluating.matching import read
from botopt.verify.validate import load
from tests.verify.evaluating.logs import HOUR, chance_of, events, workspace, write_log

GOAL = read_goal("same clicks, 10% fewer messages")
USELESS = {"a": 0.2, "b": 0.4, "only": 0.005}
"""Hardly anybody clicks offers."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A workspace that sends useless offers, and its log."""
    folder = tmp_path_factory.mktemp("shop")
    here = workspace(folder / "shop", explore="10%")
    files = write_log(
        folder / "log", load(here), events(60, 14), clicks=lambda decision: USELESS[decision.message.variant]
    )
    return here, list(files), folder


def test_messages_that_nobody_clicks_are_cut_by_one_small_turn(shop):
    here, files, _ = shop
    found = tune(here, files, load(here), GOAL)
    assert found.refusals == ()
    assert [str(turn.change.knob) for turn in found.turns] == ["offer: weight"]
    assert found.turns[0].change.after == "0.50"
    assert found.after.messages <= 0.9 * found.before.messages
    assert found.after.clicks >= 0.98 * found.before.clicks
    assert found.saving.after < found.saving.before
    assert found.saving.agree
    assert found.warnings == ()
    assert "+    weight: 0.50" in found.patch
    assert "+  tuned_until: 2026-03-15T23:" in found.patch


def test_a_proposal_changes_no_file_and_is_the_same_every_time(shop):
    here, files, _ = shop
    before = (here / "rules" / "r.yaml").read_bytes()
    assert tune(here, files, load(here), GOAL) == tune(here, files, load(here), GOAL)
    assert (here / "rules" / "r.yaml").read_bytes() == before


def test_what_it_reports_is_of_later_days_than_what_it_chose_on(shop):
    here, files, _ = shop
    found = tune(here, files, load(here), GOAL)
    assert found.from_us < found.split_us < found.until_us
    assert found.then.decisions < 0.4 * len(read(files, load(here)).matched)
    assert found.clicks.low <= 0 <= found.clicks.high


def test_the_tuned_policy_is_not_evaluated_on_the_days_it_was_chosen_on(shop, tmp_path):
    here, files, _ = shop
    found = tune(here, files, load(here), GOAL)
    stamp = next(line for line in found.patch.splitlines() if "tuned_until" in line).removeprefix("+")
    tuned = workspace(tmp_path, explore="10%", edit=lambda text: text.replace("settings:", f"settings:\n{stamp}"))
    assert "chosen on this log" in evaluate(files, load(tuned), tuned).evaluation.refusals[0]


@pytest.mark.parametrize(
    "turned",
    [
        {},
        {Knob(Sort.WEIGHT, "offer"): 0.45},
        {Knob(Sort.WEIGHT, "news"): 0.70, Knob(Sort.BAR): 0.60},
        {Knob(Sort.RULE_SCORE, "news", "large"): 0.05, Knob(Sort.COOLDOWN, "once"): 6 * HOUR},
        {Knob(Sort.LIMIT, "many"): 3, Knob(Sort.COOLDOWN, "once"): 3 * HOUR},
    ],
    ids=["as it is", "a weight", "a weight and the threshold", "a rule and a cooldown", "a limit and a cooldown"],
)
def test_arithmetic_on_kept_decisions_says_what_the_engine_says(shop, turned):
    here, files, _ = shop
    policy = load(here)
    reading = read(files, policy)
    cases = Cases(policy, reading, reading.from_us, reading.until_us - 6 * HOUR)
    other = read_policy(patch(take(here), turned, 0).after, channel_types=CHANNEL_TYPES).policy
    rounds, _ = rounds_of(reading, other, reading.from_us, reading.until_us - 6 * HOUR)
    found = cases.totals(turned)
    assert found.messages == pytest.approx(sum(each.supported + each.unsupported for each in rounds))
    assert found.unsupported == pytest.approx(sum(each.unsupported for each in rounds))
    assert found.clicks == pytest.approx(sum(each.weight * each.clicked for each in rounds))


def test_a_goal_out_of_reach_is_no_proposal_and_says_how_near_it_came(shop):
    here, files, _ = shop
    found = tune(here, files, load(here), read_goal("same clicks, 60% fewer messages"))
    assert "the nearest comes to" in found.refusals[0]
    assert found.patch == ""


def test_where_every_message_is_worth_the_same_there_is_nothing_to_propose(tmp_path):
    here = workspace(tmp_path / "shop")
    files = write_log(tmp_path / "log", load(here), events(40, 10), clicks=lambda _: 0.3)
    found = tune(here, list(files), load(here), read_goal("same clicks, 20% fewer messages"))
    assert found.refusals
    assert found.patch == ""


def test_a_proposal_turns_few_numbers(tmp_path):
    here = workspace(tmp_path / "shop", explore="10%")
    files = write_log(tmp_path / "log", load(here), events(60, 10), clicks=chance_of)
    found = tune(here, list(files), load(here), read_goal("at most 30% fewer clicks, 30% fewer messages"))
    assert len(found.turns) <= MOST_TURNED
    assert found.refusals == ()
    assert found.turns
    for turn in found.turns:
        assert turn.messages < 0  # each of them earns its place


def test_a_short_log_and_one_without_events_are_refused(tmp_path):
    here = workspace(tmp_path / "shop")
    happened, records = write_log(tmp_path / "log", load(here), events(40, 3))
    assert "spans less than 4 days" in tune(here, [happened, records], load(here), GOAL).refusals[0]
    assert "holds no events" in tune(here, [records], load(here), GOAL).refusals[0]


def test_every_number_of_a_policy_can_be_turned_but_of_mandatory_messages(tmp_path):
    policy = load(workspace(tmp_path))
    assert {str(knob) for knob in values(policy)} == {
        "settings: threshold",
        "news: weight",
        "news, rule large: score",
        "offer: weight",
        "once: cooldown",
        "many: limit",
    }


def test_what_was_sent_is_known_to_what_comes_after(tmp_path):
    """A budget is spent by what was sent; so the bars of its own log are those that the engine had."""

    def paced(text: str) -> str:
        return text.replace("settings:", "settings:\n  pacing: {messages: 1, per: day}", 1)

    policy = load(workspace(tmp_path / "paced", edit=paced))
    assert policy.settings.pacing is not None
    reading = read(list(write_log(tmp_path / "log", policy, events(20, 10), clicks=lambda _: 0.2)), policy)
    cases = Cases(policy, reading, reading.from_us, reading.until_us)
    lifts = [case.lift for chains in cases._chains.values() for _, found in chains for case in found]
    assert len({round(lift, 6) for lift in lifts if lift is not None}) > 50


def test_a_saving_that_a_budget_takes_back_is_said_with_what_is_to_be_believed(tmp_path):
    """Where a budget holds, less that is worth sending lowers the bar until as much is sent as before."""

    def paced(text: str) -> str:
        text = text.replace("settings:", "settings:\n  pacing: {messages: 1, per: day}", 1)
        return text.replace("threshold: 0.50", "threshold: 0.30")

    here = workspace(tmp_path / "shop", explore="10%", edit=paced)
    happened = write_log(
        tmp_path / "log", load(here), events(60, 14), clicks=lambda decision: USELESS[decision.message.variant]
    )
    files = list(happened)
    found = tune(here, files, load(here), read_goal("at most 10% fewer clicks, 10% fewer messages"))

    assert found.refusals == ()
    assert found.saving.estimated.value < -0.05
    assert found.saving.replayed.value > found.saving.estimated.high
    assert not found.saving.agree
    (warning,) = found.warnings
    assert "with a budget (pacing) the bar falls" in warning
    assert warning.endswith("Count on the replay's")
    assert f"Warning: {warning}." in lines(found)
    told = json.loads(proposal_json(found))
    assert told["warnings"] == [warning]
    assert (told["messages"]["agree"], told["messages"]["believe"]) == (False, "replayed")
