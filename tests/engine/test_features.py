"""What a scorer looks at, by another way to the same numbers, and whatever was forgotten meanwhile."""

from __future__ import annotations

import math
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.engine.build import build
from botopt.engine.engine import Engine
from botopt.engine.features import bind
from botopt.engine.feedback import settle
from botopt.learning import send_time
from botopt.learning.engagement import prior_of, rate
from botopt.learning.learner import unlearned
from botopt.learning.scorer import BoundScorer
from botopt.model.click_model import FEATURES, ClickModel, ModelKind
from botopt.model.durations import DAY_US, HOUR_US
from botopt.model.learning_policy import Scorer
from botopt.model.user_state import Response, Send, Tally, UserState, pack, unpack
from botopt.model.zones import hour_of, local, zone_names
from tests.verify.training.world import START_US, policy

NAMES = tuple(FEATURES)
NOW_US = START_US + 50 * DAY_US + 3 * HOUR_US + 17
ANSWERS = [Response.PENDING, Response.CLICKED, Response.DISMISSED, Response.IGNORED, Response.FAILED]
ZONES = ["UTC", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]


@cache
def engine() -> Engine:
    return build(policy(), "reference")


@st.composite
def states(draw: st.DrawFn) -> UserState:
    """A user with messages of two months, as the engine leaves them: in order, old ones settled."""
    ages = sorted(draw(st.lists(st.integers(0, 60 * 24), max_size=40)), reverse=True)
    state = UserState(clock_us=NOW_US)
    for number, hours in enumerate(ages):
        sent_us = NOW_US - hours * HOUR_US
        answer = draw(st.sampled_from(ANSWERS))
        delay_us = draw(st.integers(0, min(hours, 30 * 24 - 1))) * HOUR_US
        if answer is Response.IGNORED:
            answer = Response.PENDING
        response_us = 0 if answer is Response.PENDING else sent_us + delay_us
        kind = draw(st.sampled_from(["news", "offer"]))
        state.sends.append(Send(number.to_bytes(2, "big"), kind, "chat", sent_us, answer, response_us))
    settle(state, NOW_US, policy().settings)
    state.total = Tally(draw(st.floats(0, 9)), 9.5, NOW_US - DAY_US, 3, 10)
    state.ignored_run = draw(st.integers(0, 30)) if draw(st.booleans()) else 0
    if draw(st.booleans()):
        for _ in range(draw(st.integers(1, 9))):
            state.hours = send_time.acted(state.hours, draw(st.integers(0, 23)), 1, NOW_US - DAY_US)
    state.attributes = draw(st.sampled_from([{}, *({"timezone": zone} for zone in ZONES)]))
    return state


def plainly(state: UserState, raw: float) -> dict[str, float]:
    """The same, one feature after another, as the words of `FEATURES` have it."""
    engagement, snapshot = policy().settings.engagement, unlearned(policy()).snapshot

    def logit(share: float) -> float:
        return math.log(share / (1 - share))

    sends = [send for send in reversed(state.sends) if send.response is not Response.FAILED]
    month = [send for send in sends if send.time_us > NOW_US - 30 * DAY_US]
    in_a_row, ended = 0, False
    for send in sends:
        ended = ended or send.response in (Response.CLICKED, Response.DISMISSED)
        in_a_row += not ended and send.response is Response.IGNORED
    in_a_row += 0 if ended else state.ignored_run
    since_click = 30.0
    before, open_ = 0, True
    for send in sends:
        if send.response is Response.CLICKED:
            if send in month and before < 20:
                since_click = (NOW_US - send.response_us) / DAY_US
            break
        open_ = open_ and send.response is not Response.DISMISSED
        before += open_ and send.response is Response.IGNORED
    hour = local(NOW_US, str(state.attributes.get("timezone", "UTC"))).hour
    return {
        "user_rate": logit(
            rate(state.total, state.by_type.get("news"), NOW_US, engagement, prior_of(engagement, snapshot, "news"))
        ),
        "type_rate": logit(snapshot.rate),
        "hour": math.log(send_time.values(state.hours, snapshot.hours)[hour] * 24),
        "sent_24h": min(sum(send.time_us > NOW_US - DAY_US for send in sends), 20),
        "unanswered_7d": min(
            sum(send.time_us > NOW_US - 7 * DAY_US and send.response is not Response.CLICKED for send in sends), 20
        ),
        "days_since_click": since_click,
        "days_since_sent": (NOW_US - month[0].time_us) / DAY_US if month else 30.0,
        "ignored_in_a_row": min(in_a_row, 20),
        "raw_score": raw,
    }


def looked(state: UserState) -> dict[str, float]:
    look = bind(policy().settings, "news")
    return dict(zip(NAMES, look(state, NOW_US, unlearned(policy()).snapshot, 0.7), strict=True))


@settings(deadline=None, max_examples=50)
@given(states())
def test_features_are_what_their_words_say(state: UserState) -> None:
    assert looked(state) == pytest.approx(plainly(state, 0.7), abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(states())
def test_features_do_not_hang_on_what_was_forgotten(state: UserState) -> None:
    before = looked(state)
    pruned = unpack(pack(state))
    engine().prune(pruned)
    assert looked(pruned) == before


@settings(deadline=None, max_examples=50)
@given(states(), st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
def test_a_model_that_looks_at_fewer_gets_the_same_numbers_in_its_own_order(state: UserState, names: list[str]) -> None:
    everything = looked(state)
    model = ClickModel("m", ModelKind.LOGISTIC, tuple(names), 0.1, tuple(0.01 * place for place, _ in enumerate(names)))
    own = BoundScorer(Scorer(model)).chance([everything[name] for name in names])
    assert BoundScorer(Scorer(model), NAMES).chance(list(everything.values())) == own is not None


@settings(deadline=None, max_examples=50)
@given(states())
def test_a_rate_that_is_known_already_is_not_another_one(state: UserState) -> None:
    found, snapshot = policy(), unlearned(policy()).snapshot
    engagement = found.settings.engagement
    known = rate(state.total, state.by_type.get("news"), NOW_US, engagement, prior_of(engagement, snapshot, "news"))
    look = bind(found.settings, "news")
    assert look(state, NOW_US, snapshot, 0.7, known) == look(state, NOW_US, snapshot, 0.7)


@settings(deadline=None)
@given(st.sampled_from(sorted(zone_names())), st.integers(0, 60 * 366 * 24 * 60))
def test_the_remembered_hour_is_that_on_the_wall(zone: str, minutes: int) -> None:
    us = minutes * 60_000_000
    assert hour_of(us, zone) == local(us, zone).hour


def test_a_snapshot_that_changes_is_looked_at() -> None:
    snapshot = unlearned(policy()).snapshot
    look = bind(policy().settings, "news")
    for share in (0.2, 0.4, 0.2):
        other = msgspec.structs.replace(snapshot, types={"news": share})
        assert look(UserState(), NOW_US, other, 0.5)[NAMES.index("type_rate")] == pytest.approx(
            math.log(share / (1 - share))
        )


def test_every_feature_has_words() -> None:
    assert all(words and not words.endswith(".") for words in FEATURES.values())
