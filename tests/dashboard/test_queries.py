"""Every question on a log so small that its answers can be worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from botopt.dashboard.asked import Asked
from botopt.dashboard.queries import learning, overview, people, reasons, volume
from botopt.dashboard.queries.asking import Filter, wilson
from botopt.dashboard.store.opening import open_source
from botopt.model.decision import Outcome, Reason
from tests.dashboard.logs import decided, drew, event, write

EARLY, LATE = (
    drew("experiment nudge", "early", 0.5, "early", "late"),
    drew("experiment nudge", "late", 0.5, "early", "late"),
)


@pytest.fixture
def con(tmp_path):
    """Ada (Berlin) got four messages and bo (no zone known) one. The log ends on 10 March, so all answers are known."""
    log = write(
        tmp_path / "log.jsonl",
        # 2 March 2026 is a Monday; Berlin is an hour ahead of UTC.
        decided("a1", "2026-03-02T08:00:00Z", choices=(drew("variant", "plain", 0.6, "plain", "short"), EARLY)),
        decided("a2", "2026-03-02T23:30:00Z", variant="short", choices=(drew("variant", "short", 0.4, "plain", "short"), EARLY)),
        decided("a3", "2026-03-03T08:00:00Z", event_type="invoice", template="invoice", locale="de", revision="r2"),
        decided("a4", "2026-03-04T08:00:00Z", variant="short", channel="mail", revision="r2"),
        decided("b1", "2026-03-03T12:00:00Z", user="bo", choices=(LATE,), revision="r2"),
        decided("a5", "2026-03-03T09:00:00Z", Outcome.SUPPRESSED, reason=Reason.COOLDOWN, by="same-order", revision="r2"),
        decided("a6", "2026-03-03T10:00:00Z", Outcome.BELOW_THRESHOLD, score=0.52, threshold=0.6, revision="r2"),
        # Held, and decided again: one event.
        decided("a7", "2026-03-04T01:00:00Z", Outcome.HELD, reason=Reason.QUIET_HOURS, by="night", event_id="e9", revision="r2"),
        decided("a8", "2026-03-04T07:00:00Z", Outcome.SUPPRESSED, reason=Reason.CAPPED, by="cap", event_id="e9", revision="r2"),
        decided("a9", "2026-03-04T09:00:00Z", Outcome.SUPPRESSED, reason=Reason.DUPLICATE, event_id="e9", revision="r2"),
    )  # fmt: skip
    events = write(
        tmp_path / "events.jsonl",
        event("z", "user.updated", "2026-03-01T00:00:00Z", timezone="Europe/Berlin"),
        event("c1", "message.clicked", "2026-03-02T08:05:00Z", message_id="a1"),
        event("c2", "message.dismissed", "2026-03-03T00:00:00Z", message_id="a2"),
        event("c3", "message.converted", "2026-03-04T08:30:00Z", event_type="parcel"),  # a4: the latest of that type
        event("c4", "message.failed", "2026-03-03T12:00:01Z", user="bo", message_id="b1"),
        *(event(f"p{number}", "parcel", "2026-03-02T08:00:00Z") for number in range(9)),
        event("p0", "parcel", "2026-03-02T08:00:00Z"),  # came twice
        event("last", "user.active", "2026-03-10T00:00:00Z"),
    )
    opened = open_source(Asked(files=(log,), events=(events,)))
    yield opened.cursor()
    opened.close()


def test_the_funnel_goes_from_events_to_conversions_and_counts_a_held_event_once(con):
    steps = {row[0]: row[1] for row in overview.funnel(con, Filter()).rows}
    assert steps == {
        "events": 9,
        "decided": 8,  # 10 less the held one, which was decided again, and the duplicate
        "worth sending": 7,
        "sent": 5,
        "arrived": 4,
        "clicked": 2,
        "converted": 1,
    }


def test_a_step_is_a_share_of_the_step_before(con):
    shares = {row[0]: row[2] for row in overview.funnel(con, Filter()).rows}
    assert shares["events"] is None
    assert shares["arrived"] == pytest.approx(4 / 5)


def test_a_filter_that_events_cannot_answer_leaves_them_out_of_the_funnel(con):
    assert overview.funnel(con, Filter(channels=("mail",))).rows[0][0] == "decided"


def test_a_failed_message_has_no_answer_and_counts_in_no_rate(con):
    total = overview.totals(con, Filter()).dicts()[0]
    assert (total["sent"], total["answered"], total["clicks"], total["users"]) == (5, 4, 2, 2)
    assert total["rate"] == 0.5


def test_days_are_those_of_the_users_own_calendar(con):
    sent = {row["day"]: row["sent"] for row in overview.by_day(con, Filter()).dicts()}
    # a2 was sent at 00:30 on the 3rd, as ada's clock has it.
    assert sent == {date(2026, 3, 2): 1, date(2026, 3, 3): 3, date(2026, 3, 4): 1}


def test_a_user_of_unknown_zone_lives_in_the_zone_that_was_asked_for(con):
    hours = {row["hour"]: row["sent"] for row in volume.by(con, Filter(), volume.Dimension.HOUR).dicts() if row["sent"]}
    assert hours == {0: 1, 9: 3, 12: 1}


def test_volume_is_counted_by_each_dimension(con):
    def sent(dimension):
        return {row[0]: row[2] for row in volume.by(con, Filter(), dimension).rows if row[2]}

    assert sent(volume.Dimension.EVENT_TYPE) == {"parcel": 4, "invoice": 1}
    assert sent(volume.Dimension.WEEKDAY) == {1: 1, 2: 3, 3: 1}
    assert sent(volume.Dimension.LOCALE) == {"en": 4, "de": 1}
    assert sent(volume.Dimension.VARIANT) == {"parcel/plain": 2, "parcel/short": 2, "invoice/plain": 1}
    assert sent(volume.Dimension.CHANNEL) == {"chat": 4, "mail": 1}


def test_reasons_are_counted_by_day_with_their_share_of_the_days_decisions(con):
    rows = {
        (row["day"].day, row["reason"]): (row["count"], row["share"])
        for row in reasons.over_time(con, Filter()).dicts()
    }
    assert rows[3, "cooldown"] == (1, pytest.approx(1 / 5))
    assert rows[4, "capped"] == (1, pytest.approx(1 / 4))
    assert (2, "cooldown") not in rows


def test_reasons_name_what_of_the_policy_gave_them(con):
    found = {(row["reason"], row["by"]): (row["count"], row["users"]) for row in reasons.totals(con, Filter()).dicts()}
    assert found["quiet_hours", "night"] == (1, 1)
    assert found["below_threshold", None] == (1, 1)


def test_a_near_miss_stands_in_its_step(con):
    (row,) = reasons.near_misses(con, Filter()).dicts()
    assert (row["short_by"], row["count"]) == (pytest.approx(0.05), 1)


def test_users_stand_in_the_tenth_of_their_click_rate(con):
    steps = people.engagement(con, Filter(), at_least=1).dicts()
    assert len(steps) == 10
    assert [row["from_rate"] for row in steps if row["users"]] == [0.5]  # ada: 2 of 4; bo's message failed
    assert not any(row["users"] for row in people.engagement(con, Filter(), at_least=5).dicts())


def test_messages_per_user_count_users_without_one(con):
    rows = people.messages_per_user(con, Filter(last=date(2026, 3, 3), event_types=("invoice",))).dicts()
    assert rows == [{"messages": 1, "users": 1}]
    assert people.messages_per_user(con, Filter(outcomes=("suppressed",))).dicts() == [{"messages": 0, "users": 1}]


def test_the_user_with_the_most_messages_stands_first(con):
    assert [(row["user"], row["sent"], row["clicks"]) for row in people.busiest(con, Filter()).dicts()] == [
        ("ada", 4, 2),
        ("bo", 1, 0),
    ]


def test_a_timeline_is_newest_first_and_holds_the_records_parts(con):
    rows = people.timeline(con, "ada", Filter()).dicts()
    assert [row["id"] for row in rows] == ["a9", "a4", "a8", "a7", "a6", "a5", "a3", "a2", "a1"]
    assert rows[-1]["text"] == "It is late."
    assert rows[-1]["parts"].startswith('[{"part":"base"')
    assert people.timeline(con, "ADA", Filter()).rows == ()


def test_arms_are_variants_of_templates_with_several_and_tell_their_chance(con):
    rows = {row["variant"]: row for row in learning.arms(con, Filter()).dicts()}
    assert rows.keys() == {"plain", "short"}  # the invoice has one variant only
    assert (rows["plain"]["sent"], rows["plain"]["answered"], rows["plain"]["clicks"]) == (2, 1, 1)
    assert (rows["short"]["sent"], rows["short"]["answered"], rows["short"]["clicks"]) == (2, 2, 1)
    assert rows["short"]["chance"] == pytest.approx(0.4)  # a4 was not drawn


def test_hours_are_counted_by_weekday(con):
    rows = {
        (row["weekday"], row["hour"]): (row["sent"], row["clicks"]) for row in learning.hours(con, Filter()).dicts()
    }
    assert rows[1, 9] == (1, 1)
    assert rows[2, 0] == (1, 0)


def test_days_of_users_without_a_message_count_between_their_first_and_last(con):
    rows = {row["messages"]: row["user_days"] for row in learning.pacing(con, Filter(event_types=("parcel",))).dicts()}
    # ada: the 2nd one, the 3rd one, the 4th one; bo: the 3rd one.
    assert rows == {1: 4}
    far = Filter(event_types=("parcel",), channels=("mail",))
    assert {row["messages"]: row["share"] for row in learning.pacing(con, far).dicts()} == {1: 1.0}


def test_only_users_heard_of_for_a_week_say_anything_about_a_budget(con):
    assert learning.budget(con, Filter(), 1.5).dicts()[0]["users"] == 0


def test_draws_and_exposures_are_counted_apart(con):
    draws = {(row["purpose"], row["chosen"]): row["draws"] for row in learning.draws(con, Filter()).dicts()}
    assert draws == {("variant", "plain"): 1, ("variant", "short"): 1}
    arms = {row["arm"]: row for row in learning.experiments(con, Filter()).dicts()}
    assert (arms["early"]["experiment"], arms["early"]["users"], arms["early"]["exposures"]) == ("nudge", 1, 2)
    assert (arms["early"]["answered"], arms["early"]["clicks"], arms["early"]["share"]) == (2, 1, 0.5)
    assert (arms["late"]["sent"], arms["late"]["answered"], arms["late"]["rate"]) == (1, 0, None)


def test_revisions_stand_in_the_order_in_which_they_began(con):
    rows = overview.revisions(con, Filter()).dicts()
    assert [(row["revision"], row["first_day"], row["sent"]) for row in rows] == [
        ("r1", date(2026, 3, 2), 2),
        ("r2", date(2026, 3, 3), 3),
    ]


@pytest.mark.parametrize(
    ("chosen", "sent"),
    [
        (Filter(first=date(2026, 3, 4)), 1),
        (Filter(last=date(2026, 3, 2)), 1),
        (Filter(event_types=("invoice",)), 1),
        (Filter(channels=("mail", "chat")), 5),
        (Filter(locales=("de",)), 1),
        (Filter(outcomes=("suppressed",)), 0),
        (Filter(revisions=("r1",)), 2),
        (Filter(event_types=("' OR true --",)), 0),
    ],
)
def test_a_filter_lets_through_what_it_names(con, chosen, sent):
    assert overview.totals(con, chosen).dicts()[0]["sent"] == sent


def test_choices_of_filters_are_the_values_that_there_are(con):
    names = overview.names(con)
    assert names["channel"] == ["chat", "mail"]
    assert names["revision"] == ["r1", "r2"]


@pytest.mark.parametrize(
    ("clicks", "answered", "low", "high"),
    # From the formula of the score interval, by hand: 0 of 10 gives z²/(10 + z²).
    [(0, 10, 0.0, 0.2775328), (10, 10, 0.7224672, 1.0), (5, 10, 0.2365931, 0.7634069)],
)
def test_an_interval_is_wilsons(clicks, answered, low, high):
    assert wilson(clicks, answered) == (clicks / answered, pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))


def test_of_nothing_there_is_no_rate():
    assert wilson(0, 0) == (None, None, None)
