"""Conditions, rules and suppressions in plain words: never something else than what the policy says."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botopt.authoring.handbook.clauses import Clause, clause, words
from botopt.authoring.handbook.effects import consent_sentence, effects, kind_name, scope_words, stops
from botopt.authoring.handbook.terms import OPPOSITE, Speaker
from botopt.authoring.handbook.wording import duration_words, last_words, name_words, sentence
from botopt.loading.expression.reading import read_condition
from botopt.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    Contains,
    Expression,
    IsDefined,
    Literal,
    Membership,
    Negative,
    Not,
    Ref,
    Scope,
    Truth,
    ValueType,
)
from botopt.model.names import Names
from botopt.model.policy import (
    Calendar,
    Consent,
    Conversation,
    Cooldown,
    FieldSpec,
    Inhibition,
    Kind,
    Limit,
    Mute,
    QuietHours,
    Resolution,
    Rule,
    Suppression,
    When,
)
from botopt.model.position import Unplaced
from botopt.network.reference import ReferenceMatcher, inputs_of
from tests.network.conditions import conditions, facts

HOUR = 3_600_000_000
DAY = 24 * HOUR
NAMES = Names(
    fields={
        spec.name: spec
        for spec in (
            FieldSpec("amount", ValueType.NUMBER),
            FieldSpec("fee", ValueType.NUMBER),
            FieldSpec("tip", ValueType.NUMBER, optional=True),
            FieldSpec("days_late", ValueType.INTEGER),
            FieldSpec("currency", ValueType.TEXT),
            FieldSpec("reason", ValueType.TEXT, optional=True),
            FieldSpec("overdue", ValueType.BOOLEAN),
            FieldSpec("known", ValueType.BOOLEAN, optional=True),
            FieldSpec("due_at", ValueType.TIME),
            FieldSpec("paid_at", ValueType.TIME, optional=True),
        )
    },
    attributes={"plan": FieldSpec("plan", ValueType.TEXT), "autopay": FieldSpec("autopay", ValueType.BOOLEAN)},
    event_types=frozenset({"payment_failed", "order"}),
)


def said(text: str, own_type: str | None = "order") -> str:
    condition, found = read_condition(text, Unplaced(), NAMES)
    assert condition is not None, found
    return words(clause(condition), Speaker(own_type))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("amount >= 500", "the amount is at least 500"),
        ("500 <= amount", "the amount is at least 500"),
        ("amount > 0.5", "the amount is above 0.5"),
        ("amount < 5", "the amount is below 5"),
        ("amount <= 5", "the amount is at most 5"),
        ("amount == 5", "the amount is 5"),
        ("amount != 5", "the amount is not 5"),
        ("amount > fee", "the amount is above the fee"),
        ("1 < amount < 5", "the amount is above 1, and the amount is below 5"),
        ("1 < amount < fee", "the amount is above 1, and the amount is below the fee"),
        ("not 1 < amount < 5", "either the amount is at most 1, or the amount is at least 5"),
        ("days_late >= 3", "the number of days late is at least 3"),
        ("amount * 2 + fee > 900", "(the amount × 2) + the fee is above 900"),
        ("-amount < -5", "−the amount is below -5"),
        ("amount / fee < 0.5", "the amount ÷ the fee is below 0.5"),
        ("not amount / fee < 0.5", "the amount ÷ the fee is at least 0.5 or cannot be worked out"),
        ("amount / fee != 2", "the amount ÷ the fee can be worked out and is not 2"),
        ("not amount / 4 < 1", "the amount ÷ 4 is at least 1"),
        ("tip >= 5", "the tip is at least 5"),
        ("not tip >= 5", "the tip is below 5 or is missing"),
        ("tip is defined and tip != 5", "the tip is known, and the tip is known and is not 5"),
        ("not amount > tip", "the amount is at most the tip or the tip is missing"),
        ("currency == 'EUR'", "the currency is “EUR”"),
        ("not currency == 'EUR'", "the currency is not “EUR”"),
        ("currency in ['EUR']", "the currency is “EUR”"),
        ("currency in ['EUR', 'USD']", "the currency is “EUR” or “USD”"),
        ("currency not in ['EUR', 'USD']", "the currency is neither “EUR” nor “USD”"),
        ("not currency in ['EUR', 'USD']", "the currency is neither “EUR” nor “USD”"),
        ("not currency not in ['EUR', 'USD']", "the currency is “EUR” or “USD”"),
        ("currency in ['A', 'B', 'C']", "the currency is one of “A”, “B”, “C”"),
        ("not reason in ['A', 'B', 'C']", "the reason is none of “A”, “B”, “C” or is missing"),
        ("not not reason == 'x'", "the reason is “x”"),
        ("'refund' in reason", "the reason contains “refund”"),
        ("not 'refund' in reason", "the reason does not contain “refund” or is missing"),
        ("currency in reason", "the reason contains the currency"),
        ("'refund' not in currency", "the currency does not contain “refund”"),
        ("not 'refund' not in currency", "the currency contains “refund”"),
        ("reason is defined", "the reason is known"),
        ("reason is not defined", "the reason is not known"),
        ("not reason is not defined", "the reason is known"),
        ("overdue", "“overdue” is true"),
        ("not overdue", "“overdue” is false"),
        ("not known", "“known” is false or is missing"),
        ("known == false", "“known” is false"),
        ("not known == false", "“known” is true or is missing"),
        ("known != true", "“known” is false"),
        ("due_at <= paid_at", "the due at is not later than the paid at"),
        ("not due_at <= paid_at", "the due at is later than the paid at or the paid at is missing"),
        ("user.plan == 'free'", "the user's plan is “free”"),
        ("user.autopay", "the user's “autopay” is true"),
        ("user.timezone == 'UTC'", "the user's time zone is “UTC”"),
        ("engagement.rate < 0.15", "the rate at which this user clicks such messages is below 0.15"),
        ("engagement.clicks >= 2", "the number of messages that the user has clicked is at least 2"),
        (
            "engagement.ignored_in_a_row > 2",
            "the number of messages that the user has ignored in a row is above 2",
        ),
        ("time.hour >= 18", "it is 18:00 or later on the user's clock"),
        ("time.hour > 17", "it is 18:00 or later on the user's clock"),
        ("not time.hour >= 18", "it is before 18:00 on the user's clock"),
        ("time.hour <= 8", "it is before 9:00 on the user's clock"),
        ("time.hour == 9", "it is between 9:00 and 9:59 on the user's clock"),
        ("time.hour != 9", "it is not between 9:00 and 9:59 on the user's clock"),
        ("time.weekday == 'mon'", "it is Monday on the user's clock"),
        ("time.weekday in ['mon', 'tue']", "it is Monday or Tuesday on the user's clock"),
        ("not time.weekday in ['mon', 'tue']", "it is neither Monday nor Tuesday on the user's clock"),
        ("time.weekday not in ['mon']", "it is not Monday on the user's clock"),
        ("time.weekend", "it is Saturday or Sunday on the user's clock"),
        ("not time.weekend", "it is not Saturday or Sunday on the user's clock"),
        (
            "count('order', '7d') >= 3",
            "there were at least 3 “order” events of this user in the last 7 days (this one included)",
        ),
        (
            "count('payment_failed', '1h') == 0",
            "there was no “payment_failed” event of this user in the last hour",
        ),
        (
            "count('payment_failed', '1h') < 2",
            "there was at most 1 “payment_failed” event of this user in the last hour",
        ),
        (
            "count('payment_failed', '1d') > fee",
            "the number of “payment_failed” events of this user in the last 24 hours is above the fee",
        ),
        ("seen('payment_failed', '3d')", "an earlier “payment_failed” event of this user came in the last 3 days"),
        (
            "not seen('payment_failed', '30m')",
            "no earlier “payment_failed” event of this user came in the last 30 minutes",
        ),
        ("sent('3d') == 0", "the user was sent no message in the last 3 days"),
        ("sent('24h') >= 2", "the user was sent at least 2 messages in the last 24 hours"),
        ("not sent('24h') != 0", "the user was sent no message in the last 24 hours"),
        ("amount > 1 and overdue", "the amount is above 1, and “overdue” is true"),
        ("amount > 1 or overdue", "either the amount is above 1, or “overdue” is true"),
        ("not (amount > 1 and overdue)", "either the amount is at most 1, or “overdue” is false"),
        ("not (amount > 1 or overdue)", "the amount is at most 1, and “overdue” is false"),
        (
            "amount > 9 and (overdue or currency == 'EUR')",
            "the amount is above 9, and [either “overdue” is true, or the currency is “EUR”]",
        ),
        (
            "amount > 9 or not (overdue or currency == 'EUR')",
            "either the amount is above 9, or [“overdue” is false, and the currency is not “EUR”]",
        ),
        ("true", "always"),
        ("not true", "never"),
    ],
)
def test_golden_sentences(condition, expected):
    assert said(condition) == expected


def test_a_suppression_counts_the_event_itself_only_where_it_is_one():
    assert said("count('order', '7d') >= 3", None).endswith("(this one included, if it is one)")


def _holds(told: Clause, refs: tuple[Ref, ...], values: tuple[object, ...]) -> bool:
    if told.leaf is not None:
        matcher = ReferenceMatcher([told.leaf])
        own = tuple(values[refs.index(ref)] for ref in matcher.inputs)
        return bool(matcher.match(own)) is told.holds
    return (all if told.joint == "all" else any)(_holds(part, refs, values) for part in told.parts)


@given(st.data(), conditions)
def test_what_is_said_holds_exactly_when_the_condition_does(data, condition):
    matcher = ReferenceMatcher([condition])
    values = data.draw(facts(matcher.inputs, []))
    told = clause(condition)
    assert _holds(told, matcher.inputs, values) is bool(matcher.match(values))
    assert _holds(clause(condition, holds=False), matcher.inputs, values) is not bool(matcher.match(values))


@given(conditions)
def test_every_condition_has_words_and_says_all_its_values(condition):
    told = words(clause(condition), Speaker("order"))
    assert told
    for leaf in _leaves(clause(condition)):
        for ref in inputs_of([leaf]):
            assert name_words(ref.name) in told


def _leaves(told: Clause) -> list[Condition]:
    return [told.leaf] if told.leaf is not None else [leaf for part in told.parts for leaf in _leaves(part)]


_SMALL_NUMBERS = st.sampled_from((Literal(0), Literal(1), Literal(2.5)))
_SMALL_TEXTS = st.sampled_from((Literal("a"), Literal("b")))
_NUMBER = Ref(Scope.EVENT, "n", ValueType.NUMBER, optional=True)
_TEXT = Ref(Scope.EVENT, "t", ValueType.TEXT, optional=True)
_FLAG = Ref(Scope.EVENT, "b", ValueType.BOOLEAN, optional=True)
_small_leaves = st.one_of(
    st.builds(Comparison, st.sampled_from(sorted(OPPOSITE)), st.just(_NUMBER), _SMALL_NUMBERS),
    st.builds(Comparison, st.sampled_from(sorted(OPPOSITE)), _SMALL_NUMBERS, st.just(_NUMBER)),
    st.builds(Comparison, st.sampled_from(("==", "!=")), st.just(_TEXT), _SMALL_TEXTS),
    st.builds(Comparison, st.sampled_from(("==", "!=")), st.just(_FLAG), st.booleans().map(Literal)),
    st.builds(Membership, st.just(_TEXT), st.lists(_SMALL_TEXTS, min_size=1, max_size=2).map(tuple), st.booleans()),
    st.builds(Contains, _SMALL_TEXTS, st.just(_TEXT), st.booleans()),
    st.builds(IsDefined, st.sampled_from((_NUMBER, _TEXT, _FLAG))),
    st.builds(Truth, st.just(_FLAG)),
)
_FACTS = list(product((None, -1.0, 0.0, 0.5, 1.0, 2.0, 2.5, 3.0), (None, "", "a", "b", "ab", "c"), (None, True, False)))


def _answers(condition: Condition) -> list[bool]:
    matcher = ReferenceMatcher([condition])
    places = [(_NUMBER, _TEXT, _FLAG).index(ref) for ref in matcher.inputs]
    return [bool(matcher.match(tuple(fact[place] for place in places))) for fact in _FACTS]


@given(_small_leaves, _small_leaves, st.booleans(), st.booleans())
def test_leaves_that_mean_different_things_are_never_said_in_the_same_words(one, other, deny_one, deny_other):
    left, right = (Not(one) if deny_one else one), (Not(other) if deny_other else other)
    if _answers(left) != _answers(right):
        assert words(clause(left), Speaker()) != words(clause(right), Speaker())


KINDS: dict[type, Condition] = {
    Comparison: Comparison("<", _NUMBER, Literal(1)),
    Membership: Membership(_TEXT, (Literal("a"),)),
    Contains: Contains(Literal("a"), _TEXT),
    IsDefined: IsDefined(_TEXT),
    Truth: Truth(_FLAG),
    Constant: Constant(True),
    Not: Not(Truth(_FLAG)),
    All: All((Truth(_FLAG), IsDefined(_TEXT))),
    AnyOf: AnyOf((Truth(_FLAG), IsDefined(_TEXT))),
}
TERMS: dict[type, Expression] = {
    Ref: _NUMBER,
    Literal: Literal(2),
    Arithmetic: Arithmetic("*", _NUMBER, Literal(2)),
    Negative: Negative(_NUMBER),
}


def test_every_kind_of_node_has_words():
    assert set(KINDS) == set(get_args(Condition))
    assert set(TERMS) == set(get_args(Expression))
    for condition in KINDS.values():
        assert words(clause(condition), Speaker())
        assert words(clause(condition, holds=False), Speaker()) != words(clause(condition), Speaker())
    for scope in Scope:
        is_truth = scope is Scope.SEEN
        name = {Scope.ENGAGEMENT: "rate", Scope.TIME: "hour"}.get(scope, "x")
        ref = Ref(scope, name, ValueType.BOOLEAN if is_truth else ValueType.NUMBER, HOUR)
        condition = Truth(ref) if is_truth else Comparison(">", ref, Literal(0.5))
        assert words(clause(condition), Speaker())
    for term in TERMS.values():
        assert Speaker().noun(term)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("r", When(), score=0.15), ["the score rises by 0.15"]),
        (Rule("r", When(), score=-0.2), ["the score falls by 0.2"]),
        (Rule("r", When(), score=0.0), ["the score stays the same"]),
        (
            Rule("r", When(), score=0.1, threshold=-0.05),
            ["the score rises by 0.1", "the score that is needed falls by 0.05"],
        ),
        (Rule("r", When(), message="help", channel="sms"), ["the message is “help”", "it goes to “sms”"]),
        (Rule("r", When(), skip=True), ["no message is sent, whatever the score"]),
    ],
)
def test_effects_of_rules(rule, expected):
    assert list(effects(rule)) == expected


SUPPRESSIONS: list[tuple[Kind, str]] = [
    (Cooldown(6 * HOUR), "After a message, the user gets no other one of the same event type for 6 hours."),
    (
        Cooldown(HOUR, ("event", "order_id")),
        "After a message, the user gets no other one of the same event type with the same order id for 1 hour.",
    ),
    (
        Cooldown(7 * DAY, ("order_id",)),
        "After a message, the user gets no other one with the same order id for 7 days.",
    ),
    (Cooldown(DAY, ()), "After a message, the user gets no other one for 24 hours."),
    (Limit(3, DAY), "A user gets at most 3 messages within 24 hours."),
    (
        Limit(3, 0, Calendar.DAY, (("orders", 1), ("news", 2))),
        (
            "A user gets at most 3 messages on one day of the user's calendar (it begins at 00:00). "
            "1 of the 3 is kept for “orders”: others cannot use it. 2 of the 3 are kept for “news”: others cannot use them."
        ),
    ),
    (
        Limit(1, 0, Calendar.WEEK),
        "A user gets at most 1 message in one week of the user's calendar (it begins on Monday at 00:00).",
    ),
    (
        Inhibition(("outage", "alarm"), 2 * HOUR),
        (
            "Not sent for 2 hours after the user was sent a message of “outage” or “alarm”. "
            "An event type never stops its own messages in this way."
        ),
    ),
    (
        Resolution(("paid",), HOUR, ("order_id",)),
        (
            "Not sent once the matter is closed: the event “paid” came for this user with the same order id, less than "
            "1 hour before this event or at any time since."
        ),
    ),
    (Conversation(HOUR // 12), "Not sent for 5 minutes after the user said or did something in the chat."),
    (
        Mute(7 * DAY),
        (
            "Not sent for 7 days, from the moment that this holds: C. "
            "The silence begins again only after that was no longer so, or after one more message was sent."
        ),
    ),
    (Mute(None), "Never sent when this holds: C."),
    (
        QuietHours(22 * 60, 8 * 60),
        (
            "Not sent from 22:00 to 08:00 on the user's clock. "
            "The message waits until these hours are over, and then everything is decided again."
        ),
    ),
    (
        QuietHours(22 * 60, 24 * 60, (0, 6), hold=False),
        (
            "Not sent from 22:00 to 24:00 on the user's clock, where these hours begin on Monday and Sunday. "
            "The message is dropped: it is not sent later either."
        ),
    ),
]


@pytest.mark.parametrize(("kind", "expected"), SUPPRESSIONS)
def test_what_suppressions_stop(kind, expected):
    assert " ".join(stops(Suppression("s", kind), "C")) == expected


def test_what_is_counted_is_what_is_in_scope():
    few = Suppression("s", Limit(3, DAY), categories=("orders", "news"), channels=("sms",))
    assert " ".join(stops(few, "")) == (
        "A user gets at most 3 messages of categories “orders” or “news” on channel “sms” within 24 hours."
    )
    once = Suppression("s", Cooldown(HOUR, ()), events=("a", "b"))
    assert " ".join(stops(once, "")) == (
        "After a message of event types “a” or “b”, the user gets no other one for 1 hour."
    )


def test_activity_counts_on_the_channels_in_scope():
    talk = Suppression("s", Conversation(HOUR), events=("a",), channels=("chat", "web"))
    assert " ".join(stops(talk, "")) == (
        "Not sent for 1 hour after the user said or did something on channels “chat” or “web”, "
        "or on no channel in particular."
    )
    assert kind_name(talk) == "conversation, 1 hour"


def test_every_kind_of_suppression_and_of_consent_has_a_sentence():
    assert {type(kind) for kind, _ in SUPPRESSIONS} == set(get_args(Kind))
    assert len({consent_sentence(consent) for consent in (*Consent, None)}) == 4


def test_scopes():
    assert scope_words(Suppression("s", Mute(None))) == "About all messages."
    scoped = Suppression("s", Mute(None), categories=("news",), channels=("sms", "mail"))
    assert scope_words(scoped) == "About messages of category “news” on channels “sms” or “mail”."


def test_durations_and_names():
    told = [duration_words(us) for us in (30_000_000, HOUR + HOUR // 2, DAY, 36 * HOUR, 7 * DAY, 14 * DAY, 15 * DAY)]
    assert told == ["30 seconds", "1 hour 30 minutes", "24 hours", "1 day 12 hours", "7 days", "2 weeks", "15 days"]
    assert [last_words(us) for us in (HOUR, 60_000_000, DAY, 7 * DAY)] == ["hour", "minute", "24 hours", "7 days"]
    assert [name_words(name) for name in ("days_late", "daysLate", "ID", "_", "x2y")] == [
        "days late",
        "days late",
        "id",
        "_",
        "x2y",
    ]
    assert sentence("really?") == "Really?"
