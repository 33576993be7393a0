"""What an attempt leads to: cases, and laws over whole lives of messages."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.delivery import Delivered, Failed, NeedsTransport, Receipt
from botopt.model.durations import DAY_US, HOUR_US, SECOND_US
from botopt.model.live import DOUBTFUL, OutboxRow, OutboxStatus, unpack_parcel
from botopt.model.policy import DeliverySettings, WhenUnsure
from botopt.runtime.delivering.transitions import (
    LONGEST_WAIT_US,
    Facts,
    Transition,
    after,
    after_crash,
    is_due,
    may_repeat,
    released,
    tried,
    wait_us,
)
from tests.runtime.delivering.support import CLAIMED, DEAD, DELIVERED, PENDING, UNSURE, WITHDRAWN, T, message_id, row

PLAIN = DeliverySettings()
ONCE, REPEATABLE = Facts(repeatable=False), Facts(repeatable=True)
LATER = Failed("HTTP 503", retryable=True)
NEVER = Failed("HTTP 400")
LOST = Failed("no answer: read timeout", retryable=True, unsure=True)


def claimed(**fields: object) -> OutboxRow:
    return row(**{"status": CLAIMED, "attempts": 1, "first_us": T, **fields})


def follow(
    receipt: Receipt,
    before: OutboxRow | None = None,
    using: DeliverySettings = PLAIN,
    facts: Facts = ONCE,
    now_us: int = T,
    jitter: float = 0.5,
) -> Transition:
    return after(before or claimed(), receipt, using, facts, now_us, jitter)


def test_delivered():
    (done,) = follow(Delivered("p1"), claimed(detail="HTTP 503")).rows
    assert (done.status, done.provider_id, done.detail, done.changed_us) == (DELIVERED, "p1", None, T)


@pytest.mark.parametrize(
    ("receipt", "using", "facts", "status"),
    [
        (LATER, PLAIN, ONCE, PENDING),
        (LATER, PLAIN, REPEATABLE, PENDING),
        (NEVER, PLAIN, ONCE, DEAD),
        (NEVER, PLAIN, REPEATABLE, DEAD),
        (LOST, PLAIN, ONCE, UNSURE),
        (LOST, PLAIN, REPEATABLE, PENDING),
        (LOST, DeliverySettings(when_unsure=WhenUnsure.RETRY), ONCE, PENDING),
        (LOST, DeliverySettings(when_unsure=WhenUnsure.STOP), REPEATABLE, UNSURE),
        (Failed("?", unsure=True), PLAIN, REPEATABLE, PENDING),
        (LATER, DeliverySettings(retry_for_us=0), ONCE, DEAD),
        (Failed("later", retryable=True, retry_after_us=2 * DAY_US), PLAIN, ONCE, DEAD),
        (Failed("later", retryable=True, retry_after_us=2 * DAY_US), DeliverySettings(retry_for_us=9 * DAY_US), ONCE, DEAD),
        (Failed("capped", retryable=True, capped_until_us=T + HOUR_US), PLAIN, ONCE, PENDING),
        (NeedsTransport(("Hi",)), PLAIN, ONCE, DEAD),
        (NeedsTransport((" ",)), DeliverySettings(reply="web"), ONCE, DEAD),
        (NeedsTransport(()), DeliverySettings(reply="web"), ONCE, DEAD),
        (NeedsTransport(("Hi",)), DeliverySettings(reply="chat"), ONCE, DEAD),
        (NeedsTransport(("Hi",)), DeliverySettings(reply="web"), ONCE, DELIVERED),
    ],
)  # fmt: skip
def test_where_a_receipt_leads(receipt: Receipt, using: DeliverySettings, facts: Facts, status: OutboxStatus):
    done = follow(receipt, using=using, facts=facts)
    assert done.rows[0].status is status
    assert bool(done.feedback) is (status is DEAD)


def test_the_wait_doubles_and_is_bounded():
    waits = [wait_us(attempts, 1.0) for attempts in range(1, 16)]
    assert waits[:4] == [2 * SECOND_US, 4 * SECOND_US, 8 * SECOND_US, 16 * SECOND_US]
    assert waits[-1] == waits[-2] == HOUR_US == wait_us(10_000, 1.0)
    assert [wait_us(1, jitter) for jitter in (0.0, 0.5)] == [200_000, 1_100_000]


def test_a_retry_keeps_the_key_and_the_reason():
    (again,) = follow(LATER, claimed(attempts=3), jitter=0.0).rows
    assert again.key == message_id(0)
    assert (again.attempts, again.detail, again.next_us) == (3, "HTTP 503", T + wait_us(3, 0.0))


def test_what_the_platform_asks_for_is_the_least():
    (again,) = follow(Failed("HTTP 429", retryable=True, retry_after_us=90 * SECOND_US)).rows
    assert again.next_us == T + 90 * SECOND_US
    (again,) = follow(Failed("HTTP 429", retryable=True, retry_after_us=1)).rows
    assert again.next_us == T + wait_us(1, 0.5)


@pytest.mark.parametrize("left_us", [SECOND_US, 1_100_000])
def test_no_attempt_is_planned_at_or_after_the_end_of_a_message(left_us: int):
    assert follow(LATER, claimed(expires_us=T + left_us)).rows[0].status is DEAD
    assert follow(LATER, claimed(expires_us=T + 1_100_001)).rows[0].status is PENDING


def test_it_is_tried_again_for_so_long_and_then_no_more():
    using = DeliverySettings(retry_for_us=HOUR_US)
    assert follow(LATER, claimed(first_us=T - HOUR_US + 1_100_001), using).rows[0].status is PENDING
    done = follow(LATER, claimed(first_us=T - HOUR_US + 1_100_000), using)
    assert done.rows[0].status is DEAD
    assert done.feedback[0].data == {"reason": "HTTP 503"}


def test_a_first_attempt_in_the_future_began_now():
    (again,) = follow(LATER, claimed(first_us=T + DAY_US)).rows
    assert again.first_us == T


def test_a_dead_message_is_told_once_under_one_name():
    done = follow(Failed("capped by WhatsApp", capped_until_us=T + DAY_US), claimed(expires_us=T + HOUR_US))
    (told,) = done.feedback
    assert (told.type, told.event_id, told.message_id) == ("message.failed", f"{message_id(0)}:failed", message_id(0))
    assert (told.user, told.time_us) == ("u0", T)
    assert told.data == {"reason": "capped by WhatsApp", "capped_until": T + DAY_US, "channel": "chat"}


def test_a_dead_message_goes_to_the_fallback():
    done = follow(NEVER, claimed(expires_us=T + 1, provider_id="p", address="a"), DeliverySettings(fallback="sms"))
    dead, following = done.rows
    assert (dead.status, dead.detail) == (DEAD, 'HTTP 400; handed over to "sms"')
    assert following == row(key=f"{message_id(0)}:sms", channel="sms", expires_us=T + 1, parcel=dead.parcel)
    assert not done.feedback


def test_a_cap_is_told_also_where_another_channel_takes_over():
    done = follow(Failed("capped", capped_until_us=T + DAY_US), using=DeliverySettings(fallback="sms"))
    (told,) = done.feedback
    assert (told.type, told.event_id) == ("message.failed", f"{message_id(0)}:capped:chat")
    assert told.data == {"capped_until": T + DAY_US, "channel": "chat", "handed_over": True}


def test_what_has_expired_goes_nowhere():
    done = follow(NEVER, claimed(expires_us=T), DeliverySettings(fallback="sms"))
    assert [each.status for each in done.rows] == [DEAD]
    assert done.feedback


def test_no_channel_has_a_second_turn():
    first = claimed()
    _, second = follow(NEVER, first, DeliverySettings(fallback="sms")).rows
    second = msgspec.structs.replace(second, status=CLAIMED, attempts=1, first_us=T)
    assert tried(second) == {"chat", "sms"}
    for again in ("chat", "sms"):
        done = follow(NEVER, second, DeliverySettings(fallback=again))
        assert [each.status for each in done.rows] == [DEAD]
        assert done.feedback
    _, third = follow(NEVER, second, DeliverySettings(fallback="email")).rows
    assert third.key == f"{message_id(0)}:sms:email"
    assert tried(third) == {"chat", "sms", "email"}


def test_texts_go_out_on_the_reply_channel():
    using = DeliverySettings(reply="web", fallback="sms")
    done = follow(NeedsTransport(("One", " ", "Two"), "p1"), using=using)
    first, following = done.rows
    assert (first.status, first.provider_id) == (DELIVERED, "p1")
    assert (following.key, following.channel, following.status) == (f"{message_id(0)}:web", "web", PENDING)
    assert unpack_parcel(following.parcel) == msgspec.structs.replace(unpack_parcel(first.parcel), texts=("One", "Two"))


def test_texts_without_a_reply_channel_say_what_to_configure():
    (dead,) = follow(NeedsTransport(("Hi",))).rows
    assert dead.detail == (
        'the platform only returned texts, which nobody has seen: give the channel "chat" a `reply:` with the channel '
        "that is to carry them"
    )
    dead, following = follow(NeedsTransport(("Hi",)), using=DeliverySettings(fallback="sms")).rows
    assert (dead.status, following.channel) == (DEAD, "sms")


def test_doubt_is_remembered_over_attempts():
    (again,) = follow(LOST, facts=REPEATABLE).rows
    assert again.detail == f"{DOUBTFUL}no answer: read timeout"
    (again,) = follow(LATER, msgspec.structs.replace(again, status=CLAIMED), facts=REPEATABLE).rows
    assert again.detail == f"{DOUBTFUL}HTTP 503"
    done = follow(NEVER, msgspec.structs.replace(again, status=CLAIMED), DeliverySettings(fallback="sms"), REPEATABLE)
    assert [(each.status, each.detail) for each in done.rows] == [(UNSURE, f"{DOUBTFUL}HTTP 400")]
    assert not done.feedback


def test_who_would_rather_have_two_than_none_gets_the_fallback():
    using = DeliverySettings(fallback="sms", when_unsure=WhenUnsure.RETRY, retry_for_us=0)
    assert [each.status for each in follow(LOST, using=using).rows] == [DEAD, PENDING]


@pytest.mark.parametrize("status", [status for status in OutboxStatus if status is not CLAIMED])
@pytest.mark.parametrize("receipt", [Delivered(), LATER, NEVER, LOST, NeedsTransport(("Hi",))])
def test_what_is_not_claimed_never_changes(status: OutboxStatus, receipt: Receipt):
    assert follow(receipt, row(status=status)) == Transition()


def test_after_a_crash():
    again = after_crash(claimed(), PLAIN, REPEATABLE, T + 5)
    assert (again.status, again.next_us, again.attempts) == (PENDING, T + 5, 1)
    assert again.detail == f"{DOUBTFUL}the service ended during an attempt"
    assert after_crash(claimed(), PLAIN, ONCE, T + 5).status is UNSURE


def test_an_attempt_that_never_began_does_not_count():
    assert released(claimed(), T + 5) == row(next_us=T + 5, changed_us=T + 5)
    again = released(claimed(attempts=3, first_us=T - 9), T + 5)
    assert (again.attempts, again.first_us) == (2, T - 9)


def test_a_wait_that_is_too_long_was_left_behind_by_a_clock():
    assert is_due(T, T)
    assert not is_due(T + 1, T)
    assert not is_due(T + LONGEST_WAIT_US, T)
    assert is_due(T + LONGEST_WAIT_US + 1, T)


# -------------------------------------------------------------------- laws

durations = st.integers(0, 3 * DAY_US)
failures = st.builds(
    Failed,
    detail=st.sampled_from(["HTTP 503", "x" * 900, ""]),
    retryable=st.booleans(),
    retry_after_us=st.none() | durations,
    unsure=st.booleans(),
    capped_until_us=st.none() | st.integers(T - DAY_US, T + 9 * DAY_US),
)
receipts = st.one_of(
    st.builds(Delivered, provider_id=st.none() | st.just("p")),
    st.builds(NeedsTransport, texts=st.lists(st.sampled_from(["Hi", "", "Ho"]), max_size=3).map(tuple)),
    failures,
    failures,
)
NAMES = ("chat", "sms", "web", "mail")
names = st.none() | st.sampled_from(NAMES)
of_a_channel = st.builds(
    DeliverySettings,
    fallback=names,
    reply=names,
    retry_for_us=durations,
    when_unsure=st.none() | st.sampled_from(WhenUnsure),
)
all_settings = st.fixed_dictionaries(dict.fromkeys(NAMES, of_a_channel))
all_facts = st.fixed_dictionaries(dict.fromkeys(NAMES, st.builds(Facts, repeatable=st.booleans())))


class Life:
    """A message from its decision to its end, with a claim between attempts as the writer makes it."""

    def __init__(
        self, using: Mapping[str, DeliverySettings], facts: Mapping[str, Facts], chance: random.Random
    ) -> None:
        self.using, self.facts, self.chance = using, facts, chance
        self.now_us = T
        self.told = 0
        self.rows: dict[str, OutboxRow] = {}
        self.attempts = 0

    def run(self, first: OutboxRow, receipts: Iterator[Receipt]) -> None:
        self.rows = {first.key: first}
        while pending := [each for each in self.rows.values() if each.status is PENDING]:
            assert len(pending) == 1, "a message is in one place at a time"
            self._attempt(pending[0], next(receipts))

    def _attempt(self, before: OutboxRow, receipt: Receipt) -> None:
        self.now_us = max(self.now_us, before.next_us)
        if before.expires_us is not None and self.now_us >= before.expires_us:
            self._put(msgspec.structs.replace(before, status=WITHDRAWN, changed_us=self.now_us))
            return
        self.attempts += 1
        first_us = self.now_us if before.first_us is None else before.first_us
        using, facts = self.using[before.channel], self.facts[before.channel]
        attempts = before.attempts + 1
        now = msgspec.structs.replace(before, status=CLAIMED, attempts=attempts, first_us=first_us)
        self._put(now)
        self.now_us += self.chance.randrange(20 * SECOND_US)
        jitter = self.chance.random()
        done = after(now, receipt, using, facts, self.now_us, jitter)
        assert done == after(now, receipt, using, facts, self.now_us, jitter), "it is a function"
        self._check(now, receipt, done)
        for each in done.rows:
            self._put(each)
        self.told += sum("handed_over" not in told.data for told in done.feedback)

    def _put(self, new: OutboxRow) -> None:
        before = self.rows.get(new.key)
        assert before is None or before.status in {PENDING, CLAIMED}, "what is over never changes"
        self.rows[new.key] = new

    def _check(self, now: OutboxRow, receipt: Receipt, done: Transition) -> None:
        using, facts = self.using[now.channel], self.facts[now.channel]
        changed = done.rows[0]
        assert changed.key == now.key
        if changed.status is PENDING:
            assert isinstance(receipt, Failed)
            assert changed.next_us >= self.now_us + (receipt.retry_after_us or 0)
            assert changed.next_us >= self.now_us + wait_us(now.attempts, 0.0)
            assert changed.next_us - self.now_us <= LONGEST_WAIT_US
            assert changed.next_us < (now.first_us or 0) + using.retry_for_us
            assert now.expires_us is None or changed.next_us < now.expires_us
            assert not receipt.unsure or may_repeat(using, facts)
        for other in done.rows[1:]:
            assert other.channel not in {each.channel for each in self.rows.values()}, "a channel has one turn"
        assert len((changed.detail or "").encode()) < 1_100


def _most_attempts(retry_for_us: int) -> int:
    """If each draw were the smallest."""
    at_us, attempts = 0, 1
    while (at_us := at_us + wait_us(attempts, 0.0)) < retry_for_us:
        attempts += 1
    return attempts


@settings(max_examples=400, deadline=None)
@given(all_settings, all_facts, st.lists(receipts, max_size=12), failures, st.none() | durations, st.integers(0, 2**32))
def test_every_life_ends_well(using, facts, script, rest, expires_after_us, seed):
    expires_us = None if expires_after_us is None else T + expires_after_us
    life = Life(using, facts, random.Random(seed))
    life.run(row(expires_us=expires_us), _then_for_ever(script, rest))

    statuses = [each.status for each in life.rows.values()]
    assert set(statuses) <= {DELIVERED, DEAD, UNSURE, WITHDRAWN}
    *handed_over, last = life.rows.values()  # in their order
    assert all(each.status in {DEAD, DELIVERED} for each in handed_over)
    assert life.told == (1 if last.status is DEAD else 0), "taken back once, and only if it has died for good"
    assert len(life.rows) <= len(NAMES)
    assert life.attempts <= sum(_most_attempts(using[each.channel].retry_for_us) for each in life.rows.values())
    for each in life.rows.values():
        if each.status is UNSURE:
            assert (each.detail or "").startswith(DOUBTFUL)


def _then_for_ever(script: list[Receipt], rest: Receipt) -> Iterator[Receipt]:
    yield from script
    while True:
        yield rest


def test_a_day_of_outage_takes_a_sensible_number_of_attempts():
    chance = random.Random(1)
    counts = []
    for number in range(50):
        life = Life(dict.fromkeys(NAMES, PLAIN), dict.fromkeys(NAMES, ONCE), chance)
        life.run(row(number), _then_for_ever([], LATER))
        counts.append(life.attempts)
    assert 45 <= sum(counts) / len(counts) <= 65
