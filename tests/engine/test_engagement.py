"""Section 5: what clicks and silence are worth, computed here from the list of outcomes alone."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botopt.model.decision import Decision
from tests.engine.support import DAY, HOUR, Workspace, at, base, ev, parts

getcontext().prec = 50
PRIOR, STRENGTH, HALF_LIFE = Decimal("0.3"), Decimal(2), 3 * DAY
OPEN = "threshold: 0, fatigue: {per_message: 0}, ignored_after: 6h, engagement: ENGAGEMENT"
FORMULA = "{prior: 0.3, strength: 2, half_life: 3d, effect: 1, limits: [0.001, 1000]}"


def workspace(engagement: str = FORMULA, rules: str = "[]", events: str = "", suppression: str = "") -> Workspace:
    return Workspace(base(suppression, OPEN.replace("ENGAGEMENT", engagement), events, rules))


def factor(decision: Decision) -> float:
    [value] = [value for name, _, value in parts(decision) if name == "engagement"]
    return value


Outcome = tuple[str, int, bool]
"""The event type of a message, when its outcome came, and whether it was a click."""


def weighed(outcomes: list[Outcome], now: int, half_life: int = HALF_LIFE) -> tuple[Decimal, Decimal]:
    """Clicks and outcomes: one of age d weighs 2^(-d / half_life)."""
    weights = [(Decimal(2) ** (Decimal(when - now) / half_life), clicked) for _, when, clicked in outcomes]
    return sum((w for w, clicked in weights if clicked), Decimal(0)), sum((w for w, _ in weights), Decimal(0))


def rate(outcomes: list[Outcome], kind: str, now: int) -> Decimal:
    clicks, count = weighed(outcomes, now)
    of_user = (clicks + STRENGTH * PRIOR) / (count + STRENGTH)
    clicks, count = weighed([outcome for outcome in outcomes if outcome[0] == kind], now)
    return (clicks + STRENGTH * of_user) / (count + STRENGTH)


def expected(outcomes: list[Outcome], kind: str, now: int) -> float:
    return float(rate(outcomes, kind, now) / PRIOR)


def test_without_an_outcome_the_factor_is_exactly_one():
    found = workspace().run(ev("a", "u", "09:00"), ev("a", "u", "14:59:59"), ev("b", "u", "14:59:59.999999"))
    assert [factor(d) for d in found] == [1, 1, 1]


def test_a_message_is_ignored_exactly_when_its_time_is_over():
    for time, factors in (
        (at("15:00") - 1, 1.0),
        (at("15:00"), expected([("a", at("15:00"), False)], "a", at("15:00"))),
    ):
        found = workspace().run(ev("a", "u", "09:00"), ev("a", "u", time))
        assert factor(found[1]) == pytest.approx(factors, abs=1e-6)


def test_an_ignored_message_is_dated_when_its_time_was_over_not_when_somebody_looked():
    later = at("+9 09:00")
    found = workspace().run(ev("a", "u", "09:00"), ev("a", "u", later))
    assert factor(found[1]) == pytest.approx(expected([("a", at("15:00"), False)], "a", later), abs=1e-6)


def test_looking_often_changes_nothing():
    looks = [ev("paid", "u", f"+{day} 10:00") for day in range(20)]
    once = workspace().run(ev("a", "u", "09:00"), ev("a", "u", "+20 09:00"))
    often = workspace().run(ev("a", "u", "09:00"), *looks, ev("a", "u", "+20 09:00"))
    assert factor(once[1]) == factor(often[1])


@pytest.mark.parametrize("word", ["message.clicked", "message.converted"])
def test_a_click_counts_from_when_it_comes(word):
    now = at("13:00")
    found = workspace().run(ev("a", "u", "09:00"), ev(word, "u", "10:00"), ev("a", "u", now))
    assert factor(found[1]) == pytest.approx(expected([("a", at("10:00"), True)], "a", now), abs=1e-6)


def test_a_dismissal_counts_against_the_message_from_when_it_comes():
    now = at("13:00")
    found = workspace().run(ev("a", "u", "09:00"), ev("message.dismissed", "u", "10:00"), ev("a", "u", now))
    assert factor(found[1]) == pytest.approx(expected([("a", at("10:00"), False)], "a", now), abs=1e-6)


@pytest.mark.parametrize("earlier", [[], [ev("message.dismissed", "u", "10:00")]])
def test_a_later_click_takes_the_place_of_what_was_counted_and_counts_at_its_own_time(earlier):
    now = at("wed 09:00")
    found = workspace().run(ev("a", "u", "09:00"), *earlier, ev("message.clicked", "u", "tue 10:00"), ev("a", "u", now))
    assert factor(found[1]) == pytest.approx(expected([("a", at("tue 10:00"), True)], "a", now), abs=1e-6)


@pytest.mark.parametrize("word", ["message.clicked", "message.converted", "message.dismissed"])
def test_once_clicked_always_clicked(word):
    now = at("wed 09:00")
    found = workspace().run(
        ev("a", "u", "09:00"), ev("message.clicked", "u", "10:00"), ev(word, "u", "tue 10:00"), ev("a", "u", now)
    )
    assert factor(found[1]) == pytest.approx(expected([("a", at("10:00"), True)], "a", now), abs=1e-6)


def test_another_type_only_moves_the_rate_of_the_user():
    now = at("tue 09:00")
    found = workspace().run(ev("b", "u", "09:00"), ev("message.clicked", "u", "10:00"), ev("a", "u", now))
    assert factor(found[1]) == pytest.approx(expected([("b", at("10:00"), True)], "a", now), abs=1e-6)
    assert expected([("b", at("10:00"), True)], "a", now) > 1


def test_a_failed_message_has_no_outcome_and_the_factor_is_exactly_one_again():
    for before in ([], [ev("message.clicked", "u", "10:00")], [ev("message.dismissed", "u", "10:00")]):
        found = workspace().run(
            ev("a", "u", "09:00"), *before, ev("message.failed", "u", "tue 10:00"), ev("a", "u", "wed 09:00")
        )
        assert factor(found[1]) == 1


def test_what_never_was_sent_has_no_outcome():
    found = workspace(suppression="{id: x, cooldown: 6h}").run(
        ev("a", "u", "09:00"), ev("a", "u", "10:00"), ev("a", "u", "+10 09:00")
    )
    assert factor(found[2]) == pytest.approx(expected([("a", at("15:00"), False)], "a", at("+10 09:00")), abs=1e-6)


@pytest.mark.parametrize("where", ["type", "category"])
def test_engagement_off_makes_the_factor_one_but_outcomes_still_count_for_others(where):
    quiet = "engagement: off, " if where == "type" else ""
    category = "service" if where == "type" else "still"
    events = f"c: {{{quiet}category: {category}, weight: 0.5, channel: chat, message: hello}}"
    text = base("", OPEN.replace("ENGAGEMENT", FORMULA), events)
    text = text.replace("categories:\n", "categories:\n  still: {consent: not_needed, engagement: off}\n")
    found = Workspace(text).run(ev("c", "u", "09:00"), ev("c", "u", "16:00"), ev("a", "u", "16:00"))
    assert [factor(d) for d in found[:2]] == [1, 1]
    assert factor(found[2]) == pytest.approx(expected([("c", at("15:00"), False)], "a", at("16:00")), abs=1e-6)


def test_a_type_may_turn_engagement_on_in_a_category_that_has_it_off():
    events = "c: {engagement: on, category: still, weight: 0.5, channel: chat, message: hello}"
    text = base("", OPEN.replace("ENGAGEMENT", FORMULA), events)
    text = text.replace("categories:\n", "categories:\n  still: {consent: not_needed, engagement: off}\n")
    found = Workspace(text).run(ev("c", "u", "09:00"), ev("c", "u", "16:00"))
    assert factor(found[1]) < 1


@pytest.mark.parametrize(
    ("engagement", "word", "value"),
    [
        ("{prior: 0.3, strength: 0.1, effect: 5, limits: [0.5, 1.5]}", "message.clicked", 1.5),
        ("{prior: 0.3, strength: 0.1, effect: 5, limits: [0.5, 1.5]}", "message.dismissed", 0.5),
        ("{prior: 0.3, strength: 0.1, effect: 5, limits: [1, 1]}", "message.dismissed", 1),
        ("{effect: 0}", "message.dismissed", 1),
    ],
)
def test_the_factor_stays_within_its_limits(engagement, word, value):
    found = workspace(engagement).run(ev("a", "u", "09:00"), ev(word, "u", "09:01"), ev("a", "u", "09:02"))
    assert factor(found[1]) == value


def test_the_default_settings():
    found = Workspace(base("", "threshold: 0")).run(ev("a", "u", "09:00"), ev("a", "u", "thu 09:00"))
    weight = 2 ** (-2 / 30)  # ignored after 24 hours, two days ago, with a half-life of 30 days
    of_user = 10 * 0.3 / (weight + 10)
    assert factor(found[1]) == pytest.approx(math.sqrt(10 * of_user / (weight + 10) / 0.3), abs=1e-6)


@pytest.mark.parametrize(("age", "share"), [(0, 1), (1, 0.5), (2, 0.25), (0.5, math.sqrt(0.5))])
def test_one_outcome_weighs_half_after_each_half_life(age, share):
    # strength 1, and the user only ever had this one click of another type: rate = (w + 0.3) / (w + 1)
    engagement = "{prior: 0.3, strength: 1, half_life: 1d, effect: 1, limits: [0.001, 1000]}"
    time = at("09:01") + int(age * DAY)
    found = workspace(engagement).run(ev("b", "u", "09:00"), ev("message.clicked", "u", "09:01"), ev("a", "u", time))
    assert factor(found[1]) * 0.3 == pytest.approx((share + 0.3) / (share + 1), abs=1e-6)


class History:
    """Messages and what became of them, by the words of section 5 and nothing else."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, str]] = []
        self.clicked: dict[str, int] = {}
        self.dismissed: dict[str, int] = {}
        self.failed: set[str] = set()

    def hear(self, word: str, message: str, now: int) -> None:
        sent = next(when for _, when, id in self.sent if id == message)
        if word == "failed":
            self.failed.add(message)
        elif word == "dismissed" and message not in self.clicked and now < sent + 6 * HOUR:
            self.dismissed.setdefault(message, now)
        elif word in ("clicked", "converted"):
            self.clicked.setdefault(message, now)

    def outcomes(self, now: int) -> list[Outcome]:
        found = []
        for kind, when, id in self.sent:
            if id in self.failed:
                continue
            if id in self.clicked:
                found.append((kind, self.clicked[id], True))
            elif id in self.dismissed:
                found.append((kind, self.dismissed[id], False))
            elif now >= when + 6 * HOUR:
                found.append((kind, when + 6 * HOUR, False))
        return found

    def in_a_row(self, now: int) -> int:
        run = 0
        for _, when, id in self.sent:
            if id in self.failed:
                continue
            if id in self.clicked or id in self.dismissed:
                run = 0
            elif now >= when + 6 * HOUR:
                run += 1
        return run


steps = st.tuples(
    st.sampled_from([0, 1, HOUR, 3 * HOUR, 6 * HOUR, 6 * HOUR - 1, DAY, 5 * DAY]),
    st.sampled_from(["a", "b", "ad", "a", "clicked", "converted", "dismissed", "failed"]),
    st.integers(0, 5),
)
LOOKS = "[{id: look, when: engagement.rate > -1 and engagement.clicks > -1 and engagement.ignored_in_a_row > -1}]"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=25), st.sampled_from([1, 4, 1_000]))
def test_the_engines_rate_is_the_sum_over_all_outcomes(timeline, batch):
    rules = LOOKS.replace("}]", ", score: 0}]")
    ws = Workspace(base("", OPEN.replace("ENGAGEMENT", FORMULA), "", rules), batch=batch)
    ws.run(ev("user.subscribed", "u", "+0 00:00"))
    told, now = History(), at("09:00")
    for gap, what, which in timeline:
        now += gap
        if what in ("a", "b", "ad"):
            ask = ev(what, "u", now)
            [decision] = ws.run(ask)
            outcomes = told.outcomes(now)
            wanted = expected(outcomes, what, now) if outcomes else 1
            assert factor(decision) == pytest.approx(wanted, abs=2e-6)
            told.sent.append((what, now, decision.id))
        elif told.sent:
            message = told.sent[-1 - which % len(told.sent)]
            if now - message[1] < 30 * DAY:
                assert ws.run(ev(f"message.{what}", "u", now, message_id=message[2])) == []
                if message[2] not in told.failed:
                    told.hear(what, message[2], now)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=20))
def test_clicks_and_silence_in_a_row_are_counted_in_whole_messages(timeline):
    ws = Workspace(base("", OPEN.replace("ENGAGEMENT", "{effect: 0}"), "", LOOKS.replace("}]", ", score: 0}]")))
    ws.run(ev("user.subscribed", "u", "+0 00:00"))
    told, now = History(), at("09:00")
    for gap, what, which in timeline:
        now += gap
        if what in ("a", "b", "ad"):
            [decision] = ws.run(ev(what, "u", now))
            told.sent.append((what, now, decision.id))
        elif told.sent:
            message = told.sent[-1 - which % len(told.sent)]
            if now - message[1] < 30 * DAY and message[2] not in told.failed:
                ws.run(ev(f"message.{what}", "u", now, message_id=message[2]))
                told.hear(what, message[2], now)
        values = dict(ws.explain(ev("a", "u", now, id="look"), about="look")[0].values)
        assert values["engagement.ignored_in_a_row"] == told.in_a_row(now)
        clicked = sum(clicked for _, _, clicked in told.outcomes(now))
        assert values["engagement.clicks"] == clicked


def test_the_run_of_ignored_messages_goes_by_the_order_of_sending():
    rules = """
      - {id: three, when: engagement.ignored_in_a_row >= 3, score: -0.1}
      - {id: two, when: engagement.ignored_in_a_row == 2, score: +0.1}
    """
    one, two, three = ev("a", "u", "09:00"), ev("b", "u", "09:01"), ev("a", "u", "09:02")
    ws = workspace("{effect: 0}", rules)
    found = ws.run(one, two, three, ev("a", "u", "tue 09:00"))
    assert found[-1].score == 0.7
    click = ev("message.clicked", "u", "tue 09:01", message_id=found[0].id)  # the first of them, long after
    assert ws.run(click, ev("a", "u", "tue 09:02"))[0].score == 0.9
