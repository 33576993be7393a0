"""Section 3: consent is two questions, each answered by the user's latest word on it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.support import MINUTE, Wire, Workspace, at, base, ev

NO, YES = "user.unsubscribed", "user.subscribed"
EVERYTHING: dict[str, str] = {}
KINDS = {"a": ("service", "chat"), "ad": ("ads", "sms"), "fire": ("alarm", "chat"), "loose": (None, "chat")}
KINDS["ad2"], KINDS["a2"] = ("ads", "chat"), ("service", "sms")
MORE = """
ad2: {category: ads, channel: chat, weight: 0.8, message: hello}
a2: {category: service, channel: sms, weight: 0.8, message: hello}
"""


def allowed(*words: tuple[str, dict[str, str]]) -> set[str]:
    """The event types whose messages are sent after these words."""
    said = [ev(word, "u", at("08:00") + number * MINUTE, **data) for number, (word, data) in enumerate(words)]
    found = Workspace(base(events=MORE)).run(*said, *(ev(kind, "u", "12:00") for kind in KINDS))
    assert len(found) == len(KINDS)
    assert {d.reason for d in found} <= {None, "no_consent"}
    return {str(d.event_type) for d in found if d.reason is None}


def test_without_a_word_only_what_must_be_asked_for_is_not_sent():
    assert allowed() == {"a", "a2", "fire", "loose"}


def test_unsubscribed_with_nothing_refuses_every_category_but_those_that_need_no_consent():
    assert allowed((NO, EVERYTHING)) == {"fire"}


def test_subscribed_with_nothing_grants_every_opt_in():
    assert allowed((YES, EVERYTHING)) == set(KINDS)


def test_subscribed_with_nothing_clears_all_refusals():
    refusals = [(NO, EVERYTHING), (NO, {"category": "ads"}), (NO, {"channel": "sms"})]
    refusals.append((NO, {"category": "service", "channel": "chat"}))
    assert allowed(*refusals, (YES, EVERYTHING)) == set(KINDS)


def test_a_category_is_opened_again_after_everything_was_refused():
    assert allowed((NO, EVERYTHING), (YES, {"category": "ads"})) == {"ad", "ad2", "fire"}
    assert allowed((NO, EVERYTHING), (YES, {"category": "service"})) == {"a", "a2", "fire"}


def test_a_refusal_of_everything_is_for_later_categories_too():
    said = [(YES, {"category": "ads"}), (NO, EVERYTHING)]
    assert allowed(*said) == {"fire"}


def test_a_category_is_refused_on_every_channel():
    assert allowed((NO, {"category": "service"})) == {"fire", "loose"}


def test_a_channel_is_refused_for_every_category_that_asks():
    assert allowed((YES, EVERYTHING), (NO, {"channel": "chat"})) == {"ad", "a2", "fire"}


def test_the_channel_is_a_question_of_its_own():
    assert allowed((NO, {"channel": "sms"}), (YES, {"category": "ads"})) == {"ad2", "a", "fire", "loose"}
    assert allowed((NO, {"channel": "sms"}), (YES, {"channel": "sms"})) == {"a", "a2", "fire", "loose"}
    assert allowed((NO, EVERYTHING), (YES, {"channel": "chat"})) == {"fire"}


def test_both_keys_are_about_that_category_on_that_channel_only():
    assert allowed((NO, {"category": "service", "channel": "chat"})) == {"a2", "fire", "loose"}
    assert allowed((YES, {"category": "ads", "channel": "sms"})) == {"a", "a2", "fire", "loose", "ad"}


def test_not_needed_asks_neither_question():
    assert "fire" in allowed((NO, EVERYTHING), (NO, {"channel": "chat"}), (NO, {"category": "alarm"}))


def test_the_latest_word_counts():
    for words in itertools.product((NO, YES), repeat=3):
        last = allowed(*((word, {"category": "ads"}) for word in words))
        assert ("ad" in last) is (words[-1] == YES)


def granted(words: list[tuple[str, dict[str, str]]], kind: str) -> bool:
    """The language's two questions, asked of the whole list of words."""
    category, channel = KINDS[kind]
    if category == "alarm":
        return True
    of_category, of_channel = category != "ads", True
    for word, data in words:
        named = (data.get("category"), data.get("channel"))
        if named in ((None, None), (category, None), (category, channel)) and (category or named == (None, None)):
            of_category = word == YES
        if named in ((None, channel), (category, channel)) or (named == (None, None) and word == YES):
            of_channel = word == YES
    return of_category and of_channel


somewhere = st.fixed_dictionaries(
    {}, optional={"category": st.sampled_from(["service", "ads", "alarm"]), "channel": st.sampled_from(["chat", "sms"])}
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([NO, YES]), somewhere), max_size=6))
def test_each_question_is_answered_by_the_latest_word_on_it(words):
    assert allowed(*words) == {kind for kind in KINDS if granted(words, kind)}


def test_the_channel_is_the_one_finally_chosen():
    rules = "[{id: by-sms, when: n > 0, channel: sms}]"
    events: list[Wire] = [ev(NO, "u", "08:00", channel="sms"), ev("a", "u", "09:00"), ev("a", "u", "09:01", n=1)]
    assert Workspace(base(rules=rules)).tell(*events) == ["sent", "no_consent"]
    assert Workspace(base(rules=rules)).tell(ev(NO, "u", "08:00", channel="chat"), *events[1:]) == [
        "no_consent",
        "sent",
    ]


@pytest.mark.parametrize("data", [{"category": "news"}, {"channel": "fax"}, {"category": "ads", "channel": "fax"}])
@pytest.mark.parametrize("word", [NO, YES])
def test_an_undeclared_category_or_channel_is_rejected_and_changes_nothing(word, data):
    ws = Workspace(base())
    [refused] = ws.run(ev(word, "u", "08:00", **data))
    assert (refused.outcome, refused.reason, refused.line) == ("rejected", "rejected", 1)
    assert refused.by in data
    assert ws.tell(ev("a", "u", "07:00"), ev("ad", "u", "07:01")) == ["sent", "no_consent"]  # no clock either


def test_a_late_word_counts_from_now_on():
    ws = Workspace(base())
    assert ws.tell(ev("a", "u", "10:00"), ev(NO, "u", "09:00"), ev("a", "u", "10:00")) == ["sent", "no_consent"]


def test_words_count_from_their_own_line_on():
    ws = Workspace(base())
    events = [ev("a", "u", "09:00"), ev(NO, "u", "09:00"), ev("b", "u", "09:00"), ev(YES, "u", "09:00")]
    assert ws.tell(*events, ev("ad", "u", "09:00")) == ["sent", "no_consent", "sent"]


def test_consent_is_asked_even_of_what_always_goes():
    ws = Workspace(base(events="must: {category: service, channel: chat, weight: 0, message: hello, always: true}"))
    assert ws.tell(ev("must", "u", "08:00"), ev(NO, "u", "08:01"), ev("must", "u", "08:02")) == ["sent", "no_consent"]


def test_refused_messages_are_remembered_as_events():
    rules = "[{id: second, when: \"count('a', '1h') >= 2\", score: -0.8}]"
    events = [ev(NO, "u", "08:00"), ev("a", "u", "08:01"), ev(YES, "u", "08:02"), ev("a", "u", "08:03")]
    assert Workspace(base(rules=rules)).tell(*events) == ["no_consent", "below_threshold"]
