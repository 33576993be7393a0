"""Section 3: what users and networks say about messages."""

from __future__ import annotations

import pytest

from tests.engine.support import CALM, DAY, Wire, Workspace, around, at, base, ev, tell

WORDS = ["message.clicked", "message.converted", "message.dismissed", "message.failed"]
COUNTS = (
    "[{id: clicked, when: engagement.clicks > 0, score: +0.1}, {id: again, when: engagement.clicks > 1, score: +0.05}]"
)


def score_after(*events: Wire, suppression: str = "") -> float | None:
    """The score of `a` tells how many messages were clicked: 0.8 none, 0.9 one, 0.95 more."""
    return Workspace(base(suppression, rules=COUNTS)).run(*events, ev("a", "u", "+29 12:00"))[-1].score


@pytest.mark.parametrize("word", WORDS)
def test_it_gives_no_record(word):
    assert tell("", ev("a", "u", "09:00"), ev(word, "u", "09:01")) == ["sent"]


@pytest.mark.parametrize("word", WORDS)
def test_it_is_rejected_where_nothing_was_sent(word):
    ws = Workspace(base("{id: x, mute: always, when: n == 0}"))
    found = ws.run(ev("a", "u", "09:00"), ev(word, "u", "09:01"), ev("a", "v", "09:02", n=1), ev(word, "u", "09:03"))
    assert [d.reason for d in found] == ["muted", "rejected", None, "rejected"]
    assert [d.line for d in found] == [None, 2, None, 4]
    assert found[1].detail
    assert (found[1].event_type, found[1].user, found[1].message) == (word, "u", None)


@pytest.mark.parametrize("word", WORDS)
def test_an_unknown_id_is_rejected_also_that_of_another_users_message(word):
    ws = Workspace(base())
    [mine, theirs] = ws.run(ev("a", "u", "09:00"), ev("a", "v", "09:00"))
    assert mine.message is not None
    assert theirs.message is not None
    assert ws.tell(ev(word, "u", "09:01", message_id="nobody")) == ["rejected message_id"]
    assert ws.tell(ev(word, "u", "09:01", message_id="")) == ["rejected message_id"]
    assert ws.tell(ev(word, "u", "09:01", message_id=theirs.message.id)) == ["rejected message_id"]
    assert ws.tell(ev(word, "u", "09:01", message_id=mine.message.id)) == []


def test_without_an_id_it_is_about_the_latest_message():
    ws = Workspace(base("{id: x, cooldown: 6h, per: [user]}"))
    events = [ev("a", "u", "09:00"), ev("b", "u", "16:00"), ev("message.failed", "u", "16:01"), ev("b", "u", "16:02")]
    assert ws.tell(*events) == ["sent", "sent", "sent"]
    assert ws.tell(ev("a", "u", "16:03")) == ["cooldown x until 22:02"]


def test_the_latest_message_may_be_asked_for_by_its_type():
    ws = Workspace(base("{id: x, cooldown: 6h}"))
    ws.run(ev("a", "u", "09:00"), ev("b", "u", "09:01"))
    assert ws.tell(ev("message.failed", "u", "09:02", event_type="a")) == []
    assert ws.tell(ev("b", "u", "09:03"), ev("a", "u", "09:04")) == ["cooldown x until 15:01", "sent"]


def test_of_that_type_nothing_was_sent():
    ws = Workspace(base())
    assert ws.tell(ev("a", "u", "09:00"), ev("message.clicked", "u", "09:01", event_type="b")) == ["sent", "rejected"]
    assert ws.tell(ev("message.clicked", "u", "09:02", event_type="unheard-of")) == ["rejected event_type"]


def test_a_failed_message_is_not_the_latest():
    events = [ev("a", "u", "09:00"), ev("a", "u", "10:00"), ev("message.failed", "u", "10:01")]
    assert score_after(*events, ev("message.clicked", "u", "10:02")) == 0.9
    told = tell("", *events, ev("message.failed", "u", "10:02"), ev("message.failed", "u", "10:03"))
    assert told == ["sent", "sent", "rejected"]


@pytest.mark.parametrize("named", [True, False])
def test_thirty_days_after_the_message_it_is_too_late(named):
    """Read so: at exactly 30 days the window is over, as every window is."""

    def after(us: int) -> str:
        ws = Workspace(base())
        [sent] = ws.run(ev("a", "u", "09:00"))
        data = {"message_id": sent.id} if named else {}
        return " ".join(ws.tell(ev("message.clicked", "u", us, **data)))

    rejected = "rejected message_id" if named else "rejected"
    assert around(at("09:00") + 30 * DAY, after) == ["", rejected, rejected]


@pytest.mark.parametrize("late", ["message.clicked", "message.converted"])
def test_a_click_is_one_click_however_often_it_is_said(late):
    clicks = [ev("message.clicked", "u", "09:01"), ev(late, "u", "09:02")]
    assert score_after(ev("a", "u", "09:00"), *clicks) == 0.9
    assert score_after(ev("a", "u", "09:00"), clicks[0], ev("b", "u", "09:30"), ev(late, "u", "09:31")) == 0.95


def test_once_clicked_always_clicked():
    assert (
        score_after(ev("a", "u", "09:00"), ev("message.clicked", "u", "09:01"), ev("message.dismissed", "u", "09:02"))
        == 0.9
    )


def test_a_click_after_a_dismissal_or_long_silence_counts():
    assert (
        score_after(ev("a", "u", "09:00"), ev("message.dismissed", "u", "09:01"), ev("message.clicked", "u", "09:02"))
        == 0.9
    )
    assert score_after(ev("a", "u", "09:00"), ev("message.clicked", "u", "+20 09:00")) == 0.9


def test_a_failure_takes_the_click_back_and_the_rest_stays():
    events = [
        ev("a", "u", "09:00"),
        ev("message.clicked", "u", "09:01"),
        ev("b", "u", "09:02"),
        ev("message.clicked", "u", "09:03"),
    ]
    assert score_after(*events) == 0.95
    assert score_after(*events, ev("message.failed", "u", "09:04")) == 0.9


def test_a_failed_message_has_no_outcome_any_more():
    ws = Workspace(base(rules=COUNTS))
    [sent] = ws.run(ev("a", "u", "09:00"))
    ws.run(
        ev("message.failed", "u", "09:01", message_id=sent.id), ev("message.clicked", "u", "09:02", message_id=sent.id)
    )
    assert ws.run(ev("a", "u", "09:03"))[0].score == 0.8


def test_the_same_feedback_twice_is_silently_dropped():
    click = ev("message.clicked", "u", "09:01")
    assert tell("", ev("a", "u", "09:00"), click, click) == ["sent"]
    fail = ev("message.failed", "u", "09:10")
    stories = ([fail], [fail, fail])
    scores = [
        score_after(ev("a", "u", "09:00"), ev("message.clicked", "u", "09:01"), ev("a", "u", "09:05"), *story)
        for story in stories
    ]
    assert scores == [0.9, 0.9]


def test_rejected_feedback_changes_nothing_and_may_come_again():
    ws = Workspace(base())
    click = ev("message.clicked", "u", "12:00")
    assert ws.tell(click) == ["rejected"]
    [sent] = ws.run(ev("a", "u", "11:00"))
    assert sent.time_us == at("11:00")  # the clock is not at noon
    assert ws.tell(click) == []


def test_late_feedback_counts_now():
    rules = "[{id: soon, when: \"seen('message.clicked', '1h')\", score: +0.1}]"
    ws = Workspace(base(rules=rules))
    found = ws.run(
        ev("a", "u", "09:00"), ev("paid", "u", "12:00"), ev("message.clicked", "u", "09:30"), ev("a", "u", "12:59")
    )
    assert found[-1].score == 0.9


def test_a_message_is_clicked_even_before_its_own_time():
    """Clocks of apps are wrong: a click with an older time is late, not impossible."""
    assert score_after(ev("a", "u", "09:00"), ev("message.clicked", "u", "08:59")) == 0.9


def test_the_id_of_a_decision_that_sent_nothing_is_unknown():
    ws = Workspace(base("{id: x, cooldown: 6h}"))
    found = ws.run(ev("a", "u", "09:00"), ev("a", "u", "09:01"))
    assert ws.tell(ev("message.clicked", "u", "09:02", message_id=found[1].id)) == ["rejected message_id"]


def test_feedback_moves_the_clock():
    found = Workspace(base()).run(ev("a", "u", "09:00"), ev("message.clicked", "u", "12:00"), ev("b", "u", "10:00"))
    assert found[1].time_us == at("12:00")


def test_a_message_of_a_type_that_lost_its_message_can_still_be_clicked():
    settings = f"{CALM}, ignored_after: 1h"
    ws = Workspace(base("", settings))
    ws.run(ev("a", "u", "09:00"))
    later = Workspace(base("", settings).replace("    message: hello\n", "    message: hello\n    enabled: false\n"))
    later.store = ws.store
    assert later.tell(ev("message.clicked", "u", "09:01"), ev("a", "u", "09:02")) == []
