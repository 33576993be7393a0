"""Section 2 and 6: a share of users is never messaged, to measure what messages are worth."""

from __future__ import annotations

import pytest

from tests.engine.support import CALM, Workspace, base, ev

MORE = "must: {channel: chat, weight: 0.8, message: hello, always: true}"


def held_out(share: str, users: int = 2_000, seed: int = 0, batch: str = "u") -> set[str]:
    ws = Workspace(base("", f"{CALM}, holdout: {share}, seed: {seed}"))
    found = ws.run(*(ev("a", f"{batch}{number}", "09:00") for number in range(users)))
    assert {d.reason for d in found} <= {None, "holdout"}
    assert all(d.outcome == "suppressed" for d in found if d.reason == "holdout")
    return {str(d.user) for d in found if d.reason == "holdout"}


def test_nobody_and_everybody():
    assert held_out("0%", 50) == set()
    assert len(held_out("100%", 50)) == 50


@pytest.mark.parametrize("share", [10, 50])
def test_the_share_is_about_right(share):
    assert abs(len(held_out(f"{share}%")) / 2_000 - share / 100) < 0.04


def test_a_larger_share_holds_out_the_same_users_and_more():
    assert held_out("10%", 500) < held_out("30%", 500)


def test_it_depends_on_the_seed_and_the_user_alone():
    assert held_out("30%", 300) == held_out("30%", 300)
    assert held_out("30%", 300) != held_out("30%", 300, seed=1)


def test_a_user_is_held_out_of_everything_or_nothing_at_any_time():
    ws = Workspace(base("", f"{CALM}, holdout: 50%"))
    kinds = ("a", "b", "fire", "loose", "a")
    found = ws.run(*(ev(kind, f"u{user}", f"+{day} 09:00") for day, kind in enumerate(kinds) for user in range(30)))
    for user in range(30):
        assert len({d.reason for d in found if d.user == f"u{user}"}) == 1


ALL = f"{CALM}, holdout: 100%"


def test_their_messages_count_nowhere():
    rules = "[{id: one, when: sent('1d') > 0, score: +0.1}]"
    stops = "{id: x, cooldown: 6h}\n{id: y, limit: 1, within: 24h}\n{id: z, inhibited_by: a, within: 6h}"
    found = Workspace(base(stops, ALL, rules=rules)).run(
        ev("a", "u", "09:00"), ev("a", "u", "09:01"), ev("b", "u", "09:02")
    )
    assert [(d.reason, d.score, d.message) for d in found] == [("holdout", 0.8, None)] * 3


def test_they_have_no_engagement_and_no_fatigue():
    found = Workspace(base("", "holdout: 100%, ignored_after: 1h")).run(ev("a", "u", "09:00"), ev("a", "u", "12:00"))
    assert [(d.score, d.threshold) for d in found] == [(0.8, 0.6)] * 2


def test_feedback_finds_nothing():
    assert Workspace(base("", ALL)).tell(ev("a", "u", "09:00"), ev("message.clicked", "u", "09:01")) == [
        "holdout",
        "rejected",
    ]


def test_it_comes_after_the_worth_and_before_every_comfort():
    stops = '{id: m, mute: always, when: time.hour >= 0}\n{id: q, quiet_hours: {from: "00:00", to: "23:00"}}'
    rules = "[{id: low, when: n == 1, score: -0.8}, {id: no, when: n == 2, skip: true}]"
    ws = Workspace(base(stops, ALL, rules=rules))
    assert ws.tell(*(ev("a", "u", f"09:0{n}", n=n) for n in range(3))) == ["holdout", "below_threshold", "skipped no"]


def test_messages_that_always_go_do_so():
    assert Workspace(base("", ALL, MORE)).tell(ev("must", "u", "09:00"), ev("a", "u", "09:01")) == ["sent", "holdout"]


def test_it_is_named_by_nobody_and_ends_never():
    [decision] = Workspace(base("", ALL)).run(ev("a", "u", "09:00"))
    assert (decision.by, decision.until_us, decision.cause) == (None, None, None)
