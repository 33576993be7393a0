"""What a report counts, whom it leaves out, and what it concludes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest
from msgspec.structs import replace

from botopt.engine.experiments import arm_of, is_in_control
from botopt.engine.stages.holdout import is_held_out
from botopt.model.decision import Choice, Decision, Outcome, Reason
from botopt.model.event import Event
from botopt.model.learning_policy import Experiment
from botopt.model.policy import Policy
from botopt.model.user_state import Response
from botopt.verify.experiments import Metric, Report, Results, Verdict, report
from botopt.verify.log import Log, Logged
from tests.engine.support import DAY, HOUR, MONDAY, Workspace, base

NUDGE = Experiment("nudge", (("now", 0.5), ("early", 0.5)))
END = MONDAY + 20 * DAY
_numbers = count()


def policy(settings: str = "holdout: 10%, control: 10%", arms: str = "now: 50%, early: 50%") -> Policy:
    text = base(settings=settings, rules="[{id: early, when: experiment('nudge') == 'early', threshold: -0.2}]")
    return Workspace(f"{text}experiment: {{nudge: {{description: Sooner?, arms: {{{arms}}}}}}}\n").engine.policy


def exposure(arm: str, arms: Sequence[str] = ("now", "early"), share: float = 0.5) -> tuple[Choice, ...]:
    return (Choice("experiment nudge", tuple(arms), arm, 0.1, share),)


def sent(user: str, response: Response, *choices: Choice, at: int = MONDAY, converted: bool = False) -> Logged:
    decision = Decision(
        id=f"d{next(_numbers)}",
        event_id="e",
        event_type="a",
        user=user,
        time_us=at,
        outcome=Outcome.SENT,
        choices=choices,
    )
    return Logged(decision, response, at + 1, converted=converted)


def below(user: str, *choices: Choice, at: int = MONDAY, reason: Reason = Reason.BELOW_THRESHOLD) -> Logged:
    decision = Decision(
        id=f"d{next(_numbers)}",
        event_id="e",
        event_type="a",
        user=user,
        time_us=at,
        outcome=Outcome.BELOW_THRESHOLD,
        reason=reason,
        choices=choices,
    )
    return Logged(decision)


def event(type: str, user: str, at: int = MONDAY + HOUR) -> Event:
    return Event(f"e{next(_numbers)}", "", type, user, at)


def log(*decisions: Logged, events: Sequence[Event] = (), until_us: int = END) -> Log:
    ordered = sorted(decisions, key=lambda one: (one.decision.time_us or 0, one.decision.id))
    return Log(tuple(ordered), tuple(sorted(events, key=lambda one: one.time_us)), (), until_us)


def only(made: Report) -> Results:
    (results,) = made.experiments
    return results


def arms(made: Report) -> dict[str, int]:
    return {arm.name: arm.users for arm in only(made).arms}


def crowd(clicked: dict[str, int], size: int = 200) -> list[Logged]:
    """So many users in each arm, and so many of them who clicked."""
    return [
        sent(f"{arm}{number}", Response.CLICKED if number < clicks else Response.IGNORED, *exposure(arm))
        for arm, clicks in clicked.items()
        for number in range(size)
    ]


def test_a_user_is_counted_from_the_first_exposure_on():
    made = report(
        log(
            sent("ada", Response.CLICKED, at=MONDAY),
            below("ada", *exposure("now"), at=MONDAY + HOUR),
            sent("ada", Response.CLICKED, at=MONDAY + 2 * HOUR),
            sent("bob", Response.CLICKED),
            events=[event("user.unsubscribed", "ada", MONDAY)],
        )
    )
    now, early = only(made).arms
    assert (now.users, now.exposures, now.messages, now.clicks, now.unsubscribed) == (1, 1, 1, 1, 0)
    assert (early.users, early.share) == (0, 0.5)
    assert only(made).since_us == MONDAY + HOUR


def test_messages_after_the_exposure_count_whatever_their_event_type():
    late = sent("ada", Response.IGNORED, at=MONDAY + HOUR)
    made = report(log(below("ada", *exposure("early")), late))
    assert {arm.name: arm.messages for arm in only(made).arms} == {"now": 0, "early": 1}


def test_what_failed_is_no_message_and_what_is_young_is_none_yet():
    made = report(
        log(
            sent("ada", Response.FAILED, *exposure("now")),
            sent("ada", Response.DISMISSED, *exposure("now")),
            sent("ada", Response.CLICKED, *exposure("now"), converted=True),
            sent("ada", Response.CLICKED, *exposure("now"), at=END - HOUR),
            sent("ada", Response.PENDING, *exposure("now"), at=END - HOUR),
        )
    )
    now = only(made).arms[0]
    assert (now.messages, now.clicks, now.converted, now.dismissed, now.failed, now.recent) == (2, 1, 1, 1, 1, 2)
    assert now.values[Metric.CLICK_RATE] == 0.5


def test_users_of_the_holdout_are_in_no_arm():
    own = policy()
    users = [f"u{number}" for number in range(300)]
    held = {user for user in users if is_held_out(own.settings, user)}
    decided = [below(user, arm_of(own.experiments["nudge"], own.settings.seed, user)) for user in users]
    made = report(log(*decided), own)
    apart = {user for user in users if is_in_control(own.settings, user)} - held
    assert made.held_out == len(held) > 0
    assert sum(arm.users for arm in only(made).arms) == len(users) - len(held) - len(apart)
    assert sum(arm.control for arm in only(made).arms) == len(apart) > 0


def test_without_a_policy_the_records_say_who_is_held_out():
    made = report(log(below("ada", *exposure("now"), reason=Reason.HOLDOUT), below("bob", *exposure("now"))))
    assert (made.held_out, arms(made)) == (1, {"now": 1, "early": 0})
    assert (made.holdout, made.control) == (None, None)


def test_who_changed_arms_is_left_out_with_a_warning():
    made = report(log(below("ada", *exposure("now")), below("ada", *exposure("early")), below("bob", *exposure("now"))))
    assert arms(made) == {"now": 1, "early": 0}
    assert "1 user changed arms, and is left out" in only(made).warnings[0]


def test_a_policy_with_another_seed_is_noticed():
    own = policy()
    users = [f"u{number}" for number in range(60)]
    decided = [below(user, arm_of(own.experiments["nudge"], own.settings.seed + 1, user)) for user in users]
    (warning,) = only(report(log(*decided), own)).warnings
    assert "would be in another arm by this policy" in warning


def test_no_winner_is_named_before_the_interval_excludes_0():
    for clicked, verdict in ((60, Verdict.NO_DIFFERENCE), (100, Verdict.MORE), (5, Verdict.FEWER)):
        results = only(report(log(*crowd({"now": 50, "early": clicked}))))
        (found,) = [one for one in results.differences if one.metric is Metric.CLICKS]
        assert [one.verdict for one in results.conclusions] == [verdict]
        assert found.value == pytest.approx((clicked - 50) / 200)
        assert found.sure == (found.low > 0 or found.high < 0) == (verdict is not Verdict.NO_DIFFERENCE)


def test_few_users_or_few_acts_conclude_nothing():
    for size, clicked in ((49, {"now": 1, "early": 49}), (200, {"now": 0, "early": 19})):
        assert [one.verdict for one in only(report(log(*crowd(clicked, size)))).conclusions] == [Verdict.TOO_EARLY]


def test_users_that_are_not_split_as_written_conclude_nothing():
    decided = crowd({"now": 10}, 300) + crowd({"early": 150}, 200)
    results = only(report(log(*decided)))
    assert results.split is not None
    assert not results.split.ok
    assert results.split.p < 0.001
    assert [one.verdict for one in results.conclusions] == [Verdict.BROKEN]


def test_shares_are_those_of_the_policy_and_else_of_the_records():
    decided = [below("ada", *exposure("now", share=0.9)), below("bob", *exposure("now", share=0.9))]
    assert [arm.share for arm in only(report(log(*decided))).arms] == [0.9, pytest.approx(0.1)]
    assert [arm.share for arm in only(report(log(*decided), policy(arms="now: 70%, early: 30%"))).arms] == [0.7, 0.3]


def test_an_arm_that_the_policy_has_no_more_is_told_and_its_split_is_not_judged():
    decided = [below("ada", *exposure("gone", ("now", "gone"))), below("bob", *exposure("now"))]
    results = only(report(log(*decided), policy("locale: en")))
    assert [(arm.name, arm.share, arm.users) for arm in results.arms] == [
        ("now", 0.5, 1),
        ("early", 0.5, 0),
        ("gone", 0.0, 1),
    ]
    assert results.split is None
    assert "2 users would be in another arm" in results.warnings[0]


def test_three_arms_share_the_error():
    names = ("now", "early", "late")
    decided = [
        sent(f"{arm}{number}", Response.IGNORED, *exposure(arm, names, 1 / 3)) for arm in names for number in range(60)
    ]
    results = only(report(log(*decided)))
    assert results.confidence == pytest.approx(0.975)
    assert [(one.arm, one.against) for one in results.conclusions] == [("early", "now"), ("late", "now")]


def test_a_guardrail_that_surely_rose_is_named():
    decided = crowd({"now": 50, "early": 50})
    gone = [event("user.unsubscribed", f"early{number}") for number in range(60)]
    (conclusion,) = only(report(log(*decided, events=[*gone, *gone]))).conclusions
    assert conclusion.worse == (Metric.UNSUBSCRIBED,)
    assert [arm.unsubscribed for arm in only(report(log(*decided, events=gone))).arms] == [0, 60]


def test_a_goal_is_compared_instead_of_clicks():
    decided = crowd({"now": 50, "early": 50})
    paid = [event("paid", f"early{number}") for number in range(150)] + [event("paid", "now1")]
    results = only(report(log(*decided, events=paid), goal="paid"))
    assert [(one.metric, one.verdict) for one in results.conclusions] == [(Metric.GOALS, Verdict.MORE)]
    assert [arm.goals for arm in results.arms] == [1, 150]


def test_a_goal_counts_under_every_name_that_its_event_type_accepts():
    own = Workspace(base(events="bought: {accepts: [shop.order.paid]}")).engine.policy
    decided = [below("ada", *exposure("now"))]
    events = [event("shop.order.paid", "ada"), event("bought", "ada"), event("paid", "ada")]
    for goal in ("bought", "shop.order.paid"):
        (now, _) = only(report(log(*decided, events=events), own, goal=goal)).arms
        assert now.goals == 2


def test_lift_is_what_everybody_else_does_against_the_holdout():
    own = policy("holdout: 50%")
    users = [f"u{number}" for number in range(400)]
    active = [event("user.active", user) for user in users for _ in range(1 if is_held_out(own.settings, user) else 2)]
    results = report(log(events=active), own).holdout
    assert results is not None
    holdout, rest = results.arms
    assert (holdout.name, rest.name) == ("holdout", "everybody else")
    assert holdout.users + rest.users == 400
    assert (holdout.values, rest.values) == ({Metric.ACTIVE: 1.0}, {Metric.ACTIVE: 2.0})
    assert [one.verdict for one in results.conclusions] == [Verdict.MORE]
    assert results.differences[0].relative == pytest.approx(1.0)
    goal = report(log(events=active), own, goal="paid").holdout
    assert goal is not None
    assert [one.verdict for one in goal.conclusions] == [Verdict.TOO_EARLY]


def test_control_is_compared_with_those_for_whom_something_is_learned():
    own = policy("holdout: 20%, control: 50%")
    users = [f"u{number}" for number in range(400)]
    decided = [
        sent(user, Response.CLICKED if number % 2 else Response.IGNORED)
        for number, user in enumerate(users)
        if not is_held_out(own.settings, user)
    ]
    results = report(log(*decided), own).control
    assert results is not None
    control, learned = results.arms
    assert (control.name, learned.name) == ("control", "learned")
    assert control.users == sum(
        is_in_control(own.settings, user) for user in users if not is_held_out(own.settings, user)
    )
    assert control.users + learned.users == len(decided)


def test_groups_that_a_policy_does_not_have_are_not_reported():
    made = report(log(), policy("locale: en"))
    assert (made.holdout, made.control) == (None, None)


def test_sample_sizes_stand_beside_every_experiment():
    decided = [
        sent(f"{arm}{number}", Response.CLICKED if number < 16 else Response.IGNORED, *exposure(arm))
        for arm in ("now", "early")
        for number in range(200)
    ]
    needs = only(report(log(*decided))).needs
    assert [(need.relative, need.messages) for need in needs] == [(0.2, 4_600), (0.1, 18_400), (0.05, 73_600)]
    assert [need.users for need in needs] == [4_624, 18_493, 73_970]  # the same, and n / (n - 1) of the variance


def test_where_all_users_did_the_same_there_is_no_size_in_users():
    decided = [
        sent(f"{arm}{number}", response, *exposure(arm), at=MONDAY + later)
        for arm in ("now", "early")
        for number in range(20)
        for later, response in ((0, Response.CLICKED), (HOUR, Response.IGNORED))
    ]
    needs = only(report(log(*decided))).needs
    assert [(need.messages, need.users) for need in needs] == [(400, None), (1_600, None), (6_400, None)]
    assert only(report(log(*(one for one in decided if one.response is Response.CLICKED)))).needs == ()
    assert only(report(log(sent("ada", Response.CLICKED, *exposure("now"))))).needs == ()


def test_records_of_another_policy_are_noted():
    own = policy()
    ours, other = (
        Logged(replace(sent("ada", Response.IGNORED, *exposure("now")).decision, revision=name))
        for name in (own.revision, "0ther")
    )
    (note,) = [note for note in report(log(ours, other), own).notes if "revision" in note]
    assert note.startswith("1 of 2 decisions is of another revision (0ther) than the policy that was named (")
    assert note.endswith("if seed, shares or groups were others, name the policy that decided.")
    for quiet in (report(log(ours), own), report(log(ours, other))):
        assert not any("revision" in note for note in quiet.notes)


def test_only_one_experiment_is_reported_on_demand():
    other = Choice("experiment other", ("a", "b"), "a", 0.1, 0.5)
    decided = log(below("ada", *exposure("now"), other))
    assert [one.name for one in report(decided).experiments] == ["nudge", "other"]
    assert [one.name for one in report(decided, name="other").experiments] == ["other"]
    assert report(decided, name="none").experiments == ()


def test_an_experiment_that_nobody_was_exposed_to_is_listed():
    (results,) = report(log(), policy()).experiments
    assert [(arm.name, arm.users) for arm in results.arms] == [("now", 0), ("early", 0)]
    assert [one.verdict for one in results.conclusions] == [Verdict.TOO_EARLY]
