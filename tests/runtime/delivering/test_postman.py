"""Threads that deliver: with a writer in memory, clocks set by hand, and channels that do as they are told."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec
import pytest

from botopt.model.condition import ValueType
from botopt.model.delivery import Delivered, Failed, NeedsTransport, Outgoing, Receipt
from botopt.model.durations import DAY_US, HOUR_US, SECOND_US
from botopt.model.errors import StateError
from botopt.model.event import Event
from botopt.model.live import DOUBTFUL, OutboxStatus, pack_parcel
from botopt.model.policy import DeliverySettings, EventType, FieldSpec, Policy, WhenUnsure
from botopt.runtime.clock import now_us
from botopt.runtime.delivering.breaker import FIRST_OPEN_US, IN_A_ROW, Breaker
from botopt.runtime.delivering.crew import STUCK_FOR_EACH, Crew
from botopt.runtime.delivering.lane import LIMIT_EXTRA_US
from botopt.runtime.delivering.transitions import after
from tests.runtime.delivering.support import (
    CLAIMED,
    DEAD,
    DELIVERED,
    PENDING,
    UNSURE,
    Hanging,
    Scripted,
    T,
    made,
    message_id,
    office,
    parcel,
    row,
    until,
)

LATER = Failed("HTTP 503", retryable=True)
NEVER = Failed("HTTP 400")
LIMIT_US = 2 * DeliverySettings().timeout_us + LIMIT_EXTRA_US


def alone(**fields: object) -> DeliverySettings:
    return DeliverySettings(**{"concurrency": 1, **fields})  # type: ignore[arg-type]


def rows(count: int, channel: str = "chat") -> list:
    return [row(number, channel) for number in range(count)]


# -------------------------------------------------------------------- the ordinary way


def test_what_waits_is_delivered_and_told():
    chat = Scripted(Delivered("p"))
    with office(made(chat), rows=rows(1)) as place:
        place.wait(delivered=1)
        done = place.writer.rows[message_id(0)]
        assert (done.provider_id, done.address, done.attempts) == ("p", "u0", 1)
        assert chat.sent[0].key == message_id(0)
        until(lambda: place.seen.written == [done])
        assert [each.key for each in place.seen.attempts] == [message_id(0)]
        assert place.postman.channel("chat") is chat
        assert place.postman.channel("sms") is None


def test_ten_thousand_messages_are_each_delivered_once():
    chat = Scripted()
    with office(made(chat), rows=rows(10_000)) as place:
        place.wait(delivered=10_000)
        assert Counter(each.key for each in chat.sent) == {message_id(number): 1 for number in range(10_000)}
        assert chat.most_at_once <= 4
        assert all(limit <= 4 for _, limit in place.writer.claims)


def test_all_threads_are_used_and_never_more():
    hanging = [Hanging() for _ in range(6)]
    chat = Scripted(*hanging)
    with office(made(chat, settings=DeliverySettings(concurrency=3)), rows=rows(6)) as place:
        until(lambda: chat.at_once == 3)
        assert place.writer.statuses() == {"claimed": 3, "pending": 3}, "a claim is an attempt that begins"
        for each in hanging:
            each.let_go()
        place.wait(delivered=6)
        assert chat.most_at_once == 3


def test_a_message_is_tried_when_its_time_has_come():
    chat = Scripted()
    with office(made(chat), rows=[row(next_us=T + HOUR_US)]) as place:
        place.clock.advance(HOUR_US - 1)
        place.look()
        assert not chat.sent
        place.clock.advance(1)
        place.wait(delivered=1)


def test_a_failure_is_tried_again_after_a_while():
    chat = Scripted(LATER, LATER, Delivered())
    with office(made(chat), rows=rows(1)) as place:
        for attempts, wait_us in ((1, 1_100_000), (2, 2_200_000)):
            until(lambda n=attempts: place.writer.rows[message_id(0)].attempts == n and place.settled(pending=1))
            assert place.writer.rows[message_id(0)].next_us == place.clock.now_us() + wait_us
            place.clock.advance(wait_us)
        place.wait(delivered=1)
        assert [each.attempt for each in chat.sent] == [1, 2, 3]
        assert {each.key for each in chat.sent} == {message_id(0)}


def test_a_fallback_takes_over_at_once():
    chat, sms = Scripted(NEVER), Scripted()
    using = DeliverySettings(fallback="sms")
    with office(made(chat, settings=using), made(sms, "sms"), rows=rows(1)) as place:
        place.wait(dead=1, delivered=1)
        assert [each.key for each in sms.sent] == [f"{message_id(0)}:sms"]
        assert [each.id for each in sms.sent] == [message_id(0)]
        assert not place.writer.feedback


def test_while_a_platform_is_down_its_fallback_gets_what_has_waited_long_enough():
    """Not one message at a time, as its turn to try comes: all that have waited for as long as they would be tried."""
    chat, sms = Scripted(LATER), Scripted()
    using = alone(fallback="sms", retry_for_us=FIRST_OPEN_US // 2)
    with office(made(chat, settings=using), made(sms, "sms"), rows=rows(100)) as place:
        until(lambda: len(chat.sent) == IN_A_ROW and place.settled(pending=100))
        place.clock.advance(FIRST_OPEN_US // 2 - 1)
        place.look()
        assert place.settled(pending=100)
        place.clock.advance(2 * SECOND_US)  # those that were tried wait a little longer
        place.wait(dead=100, delivered=100)
        assert len(chat.sent) == IN_A_ROW
        assert sorted(each.key for each in sms.sent) == sorted(f"{message_id(number)}:sms" for number in range(100))
        never = place.writer.rows[message_id(99)]
        assert (never.attempts, never.first_us) == (0, None)
        assert never.detail == 'the platform was down for as long as a message is tried; handed over to "sms"'
        assert not place.writer.feedback


def test_while_a_platform_is_down_what_may_have_arrived_is_left_to_a_person_and_what_has_nowhere_to_go_waits():
    doubtful = row(0, next_us=T, attempts=1, first_us=T, detail=f"{DOUBTFUL}HTTP 502")
    seen = row(1, key=f"{message_id(1)}:chat", parcel=pack_parcel(parcel(1, "sms")))
    chat, sms = Scripted(LATER), Scripted()
    using = alone(fallback="sms", retry_for_us=FIRST_OPEN_US // 2)
    place_settings = made(chat, settings=using, repeatable=True), made(sms, "sms")
    with office(*place_settings, rows=rows(IN_A_ROW + 2)[2:]) as place:
        until(lambda: len(chat.sent) == IN_A_ROW and place.settled(pending=IN_A_ROW))
        place.put(doubtful, seen)
        place.clock.advance(FIRST_OPEN_US - 1)
        place.wait(pending=1, unsure=1, dead=IN_A_ROW, delivered=IN_A_ROW)
        place.look()
        assert place.settled(pending=1, unsure=1, dead=IN_A_ROW, delivered=IN_A_ROW)
        left = [place.writer.rows[each.key] for each in (doubtful, seen)]
        down = f"{DOUBTFUL}the platform was down for as long as a message is tried"
        assert [(each.attempts, each.detail) for each in left] == [(1, down), (0, None)]


def test_texts_go_out_through_the_reply_channel():
    bot, web = Scripted(NeedsTransport(("Hi", "Ho"))), Scripted()
    with office(made(bot, settings=DeliverySettings(reply="web")), made(web, "web"), rows=rows(1)) as place:
        place.wait(delivered=2)
        assert [each.text for each in web.sent] == ["Hi\n\nHo"]


def test_a_message_that_no_channel_can_deliver_is_told_once():
    chat = made(Scripted(NEVER), settings=DeliverySettings(fallback="sms"))
    sms = made(Scripted(NEVER), "sms", settings=DeliverySettings(fallback="chat"))
    with office(chat, sms, rows=rows(1)) as place:
        place.wait(dead=2)
        assert [each.event_id for each in place.writer.feedback] == [f"{message_id(0)}:failed"]


def test_a_user_without_an_address_costs_no_attempt_of_the_channel():
    chat = Scripted()
    with office(made(chat, settings=DeliverySettings(to="phone", messages=1, per_us=HOUR_US))) as place:
        place.writer.address = lambda row: None if row.user == "u0" else "+49"
        place.put(*rows(2))
        place.wait(dead=1, delivered=1)
        assert place.writer.rows[message_id(0)].detail == 'the user has no "user.phone", which "chat" needs'
        assert [each.user for each in chat.sent] == ["u1"]
        assert [each.user for each in place.seen.attempts] == ["u1"]


def test_withdrawn_messages_do_not_stop_what_is_behind_them():
    chat = Scripted()
    with office(made(chat, settings=alone())) as place:
        place.writer.withdrawing = lambda row: "no_consent" if row.user != "u9" else None
        place.put(*rows(10))
        place.wait(withdrawn=9, delivered=1)


def test_times_of_an_event_reach_the_channel_as_texts():
    chat = Scripted()
    policy = Policy(events={"paid": EventType("paid", fields={"at": FieldSpec("at", ValueType.TIME)})})
    with office(made(chat)) as place:
        place.postman.change(policy, {"chat": place.lane().made})
        carries = parcel(event=Event("e", "", "paid", "u0", T, {"at": T}))
        place.put(row(parcel=pack_parcel(carries)))
        place.wait(delivered=1)
        assert chat.sent[0].data == {"at": "2026-03-01T09:00:00Z"}


# -------------------------------------------------------------------- channels that fail


def test_an_exception_is_doubt_and_only_its_kind_is_told():
    chat = Scripted(ConnectionResetError("token hunter2"))
    with office(made(chat), rows=rows(1)) as place:
        place.wait(unsure=1)
        detail = f"{DOUBTFUL}the channel failed by itself: ConnectionResetError"
        assert place.writer.rows[message_id(0)].detail == detail
        assert not place.writer.feedback


def test_an_exception_of_a_repeatable_channel_is_tried_again_with_the_same_key():
    chat = Scripted(KeyError("x"), Delivered())
    with office(made(chat, repeatable=True), rows=rows(1)) as place:
        until(lambda: len(chat.sent) == 1 and place.settled(pending=1))
        place.clock.advance(2 * SECOND_US)
        place.wait(delivered=1)
        assert [each.key for each in chat.sent] == [message_id(0)] * 2


def test_a_channel_that_gives_no_receipt_leaves_doubt():
    with office(made(Scripted(lambda _: None)), rows=rows(1)) as place:  # type: ignore[arg-type, return-value]
        place.wait(unsure=1)
        assert place.writer.rows[message_id(0)].detail == f"{DOUBTFUL}the channel gave no receipt, but NoneType"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (Delivered(17), DELIVERED),
        (Delivered("\ud800"), DELIVERED),
        (Failed(None), UNSURE),
        (Failed("HTTP 503", retryable=True, retry_after_us=0.3), UNSURE),
        (Failed("half a character: \ud800"), UNSURE),
        (Failed("HTTP 503", retryable=True, retry_after_us=2**70), UNSURE),
        (NeedsTransport(("Hi", None)), UNSURE),
    ],
)
def test_a_receipt_of_wrong_values_keeps_no_message_claimed(given: Receipt, status: OutboxStatus):
    with office(made(Scripted(given)), rows=rows(1)) as place:
        place.wait(**{status.value: 1})
        assert not place.seen.troubles


def test_even_an_exit_is_only_a_failure():
    def leave(_: Outgoing) -> Delivered:
        raise SystemExit(1)

    with office(made(Scripted(leave, Delivered())), rows=rows(2)) as place:
        place.wait(unsure=1, delivered=1)


def test_a_link_that_cannot_be_made_is_no_doubt():
    def no_link(id: str, number: int, link: str) -> str:
        raise ValueError(link)

    chat = Scripted()
    with office(made(chat)) as place:
        place.world.link_for = no_link
        place.put(row(parcel=pack_parcel(_with_link())))
        place.wait(dead=1)
        assert place.writer.rows[message_id(0)].detail == "the message could not be prepared: ValueError"
        assert not chat.sent


def _with_link():
    from botopt.model.decision import Button
    from tests.runtime.delivering.support import with_buttons

    return with_buttons(0, Button("Pay", "https://shop.example"))


def test_a_thread_that_does_not_come_back_is_written_off_and_replaced():
    hanging = Hanging()
    chat = Scripted(hanging, Delivered())
    with office(made(chat, settings=alone()), rows=rows(2)) as place:
        until(lambda: chat.at_once == 1)
        place.clock.advance(LIMIT_US - 1)
        place.look()
        assert place.writer.statuses() == {"claimed": 1, "pending": 1}
        place.clock.advance(1)
        place.wait(unsure=1, delivered=1)
        assert place.writer.rows[message_id(0)].detail == f"{DOUBTFUL}the channel did not come back within 35 s"
        assert place.lane().status().stuck == 1
        until(lambda: place.seen.counts == [1])

        hanging.let_go()  # too late: its receipt changes nothing
        until(lambda: place.lane().status().stuck == 0)
        until(lambda: place.seen.counts == [1, 0])
        place.look()
        assert place.writer.statuses() == {"unsure": 1, "delivered": 1}
        place.put(row(7))
        place.wait(unsure=1, delivered=2)
        assert chat.most_at_once == 2


def test_too_many_lost_threads_block_the_channel_until_one_comes_back():
    hanging = [Hanging() for _ in range(STUCK_FOR_EACH)]
    chat = Scripted(*hanging, Delivered())
    using = alone(when_unsure=WhenUnsure.STOP)
    with office(made(chat, settings=using), rows=rows(STUCK_FOR_EACH + 1)) as place:
        for number in range(STUCK_FOR_EACH):
            until(lambda n=number: chat.at_once == n + 1)
            place.clock.advance(LIMIT_US)
            until(lambda n=number: place.writer.statuses().get("unsure") == n + 1)
        status = place.postman.status()[0]
        assert (status.blocked, status.well) == (True, False)
        place.clock.advance(HOUR_US)
        place.look()
        assert len(chat.sent) == STUCK_FOR_EACH
        hanging[0].let_go()
        place.wait(unsure=STUCK_FOR_EACH, delivered=1)
        hanging[1].let_go()
        until(lambda: place.postman.status()[0].well)


def test_a_429_pauses_the_whole_channel():
    storm = Failed("HTTP 429", retryable=True, retry_after_us=30 * SECOND_US)
    chat = Scripted(storm, Delivered())
    with office(made(chat, settings=alone()), rows=rows(5)) as place:
        until(lambda: len(chat.sent) == 1 and place.settled(pending=5))
        assert place.postman.status()[0].paused_us == 30 * SECOND_US
        place.clock.advance(30 * SECOND_US - 1)
        place.look()
        assert len(chat.sent) == 1
        place.clock.advance(1)
        place.wait(delivered=5)
        assert place.clock.monotonic == 30 * SECOND_US


def test_while_a_platform_is_down_messages_keep_their_attempts():
    chat = Scripted(*[LATER] * (IN_A_ROW + 2), Delivered())
    with office(made(chat, settings=alone()), rows=rows(100)) as place:
        until(lambda: len(chat.sent) == IN_A_ROW and place.settled(pending=100))
        place.clock.advance(FIRST_OPEN_US)
        until(lambda: len(chat.sent) == IN_A_ROW + 1 and place.settled(pending=100))
        place.clock.advance(FIRST_OPEN_US)  # it stays open for twice as long now
        place.look()
        assert len(chat.sent) == IN_A_ROW + 1
        assert place.postman.status()[0].breaker is Breaker.OPEN
        place.clock.advance(FIRST_OPEN_US)
        until(lambda: len(chat.sent) == IN_A_ROW + 2 and place.settled(pending=100))
        assert sum(each.attempts for each in place.writer.rows.values()) == IN_A_ROW + 2
        place.clock.advance(4 * FIRST_OPEN_US)
        place.wait(delivered=100)
        closed, opened, half = Breaker.CLOSED, Breaker.OPEN, Breaker.HALF_OPEN
        assert [state for _, state in place.seen.states] == [opened, half, opened, half, opened, half, closed]


def test_a_flapping_platform_gets_everything_in_the_end():
    chance = random.Random(5)

    def flap(_: Outgoing):
        return chance.choice([Delivered(), LATER, Failed("HTTP 502", retryable=True, unsure=True)])

    chat = Scripted(flap)
    with office(made(chat, repeatable=True), rows=rows(60)) as place:

        def tick() -> bool:
            place.clock.advance(3 * SECOND_US)
            return place.settled(delivered=60)

        until(tick)
        attempts = Counter(each.key for each in chat.sent)
        assert {key: each.attempts for key, each in place.writer.rows.items()} == attempts


# -------------------------------------------------------------------- rates, clocks, the writer


def test_a_rate_holds_in_every_window_whatever_happens():
    sent_us: list[int] = []
    chance = random.Random(3)
    using = DeliverySettings(messages=7, per_us=SECOND_US)
    with office() as place:

        def send(_: Outgoing):
            sent_us.append(place.clock.monotonic)
            return chance.choice([Delivered(), Delivered(), NEVER, Failed("HTTP 500", retryable=True)])

        place.postman.change(Policy(), {"chat": made(Scripted(send), settings=using)})
        place.put(*rows(80))

        def tick() -> bool:
            place.clock.advance(chance.randrange(400_000))
            return not {"pending", "claimed"} & place.writer.statuses().keys()

        until(tick)
    assert all(sum(at <= other < at + SECOND_US for other in sent_us) <= 7 for at in sent_us)
    assert len(sent_us) >= 80


def test_a_clock_that_jumps_ahead_makes_what_waits_due():
    with office(made(Scripted()), rows=[row(next_us=T + HOUR_US)]) as place:
        place.clock.jump(HOUR_US)
        place.wait(delivered=1)


def test_what_a_clock_has_put_off_for_too_long_is_due():
    with office(made(Scripted()), rows=[row(next_us=T + 300 * DAY_US)]) as place:
        place.wait(delivered=1)


def test_a_jump_of_the_wall_clock_changes_no_rate_and_no_pause():
    using = alone(messages=1, per_us=SECOND_US)
    chat = Scripted()
    with office(made(chat, settings=using), rows=rows(2)) as place:
        place.wait(delivered=1, pending=1)
        place.clock.jump(DAY_US)
        place.look()
        assert len(chat.sent) == 1
        place.clock.jump(-DAY_US)
        place.clock.advance(SECOND_US)
        place.wait(delivered=2)


def test_results_are_kept_while_the_state_file_cannot_be_written():
    hanging = Hanging(Delivered("p"))
    chat = Scripted(hanging, Delivered())
    with office(made(chat, settings=alone()), rows=rows(2)) as place:
        until(lambda: chat.at_once == 1)
        place.writer.ailing = StateError("the disk is full")
        hanging.let_go()
        until(lambda: "results could not be written: the disk is full" in place.seen.troubles)
        until(lambda: "messages could not be claimed: the disk is full" in place.seen.troubles)
        assert len(chat.sent) == 1
        place.writer.ailing = None
        place.clock.advance(SECOND_US)
        place.wait(delivered=2)
        assert place.writer.rows[message_id(0)].provider_id == "p"
        assert place.postman.status()[0].unwritten == 0


def test_a_result_that_cannot_be_written_keeps_no_other_back():
    hanging = [Hanging() for _ in range(4)]
    chat = Scripted(*hanging)
    with office(made(chat), rows=rows(4)) as place:
        place.writer.refuse = lambda row: row.user == "u2"
        until(lambda: chat.at_once == 4)
        with place.lane()._changed:  # so that they are concluded together
            for each in hanging:
                each.let_go()
            until(lambda: len(place.lane()._crew._over) == 4)
        until(lambda: place.seen.troubles == ["results could not be written: ValueError"])
        place.clock.advance(SECOND_US)
        place.wait(delivered=3, claimed=1)
        place.writer.refuse = lambda row: False
        place.clock.advance(HOUR_US)
        place.wait(delivered=4)


def test_one_result_that_cannot_be_read_keeps_no_other_back(monkeypatch):
    def broken(row, receipt, *others):
        assert receipt == Delivered(), "a fault of ours"
        return after(row, receipt, *others)

    monkeypatch.setattr("botopt.runtime.delivering.lane.after", broken)
    with office(made(Scripted(NEVER, Delivered()), settings=alone()), rows=rows(2)) as place:
        place.wait(claimed=1, delivered=1)
        assert place.seen.troubles == ["the result of an attempt could not be read: AssertionError"]


def test_results_that_come_together_are_written_together():
    hanging = [Hanging() for _ in range(4)]
    chat = Scripted(*hanging)
    with office(made(chat), rows=rows(4)) as place:
        until(lambda: chat.at_once == 4)
        with place.lane()._changed:
            for each in hanging:
                each.let_go()
            until(lambda: len(place.lane()._crew._over) == 4)
        place.wait(delivered=4)
        assert place.writer.batches == [4]


def test_who_looks_on_is_in_nobodys_way():
    with office(made(Scripted(*[LATER] * IN_A_ROW, Delivered()), settings=alone())) as place:

        def fall(*_: object) -> None:
            raise RuntimeError("no metrics today")

        for name in ("attempted", "concluded", "breaker", "trouble", "stuck"):
            setattr(place.seen, name, fall)
        place.put(*rows(IN_A_ROW + 1))
        until(lambda: place.lane().status().breaker is Breaker.OPEN)
        place.clock.advance(FIRST_OPEN_US)
        place.wait(delivered=IN_A_ROW + 1)


def test_a_writer_that_takes_its_time_gets_every_result():
    chat = Scripted()
    with office(made(chat, settings=DeliverySettings(concurrency=8))) as place, ThreadPoolExecutor(1) as thread:
        claim, conclude = place.writer.claim, place.writer.conclude

        def later(asked, *given):
            return thread.submit(lambda: asked(*given).result())

        place.writer.claim = lambda *given: later(claim, *given)  # type: ignore[method-assign]
        place.writer.conclude = lambda *given: later(conclude, *given)  # type: ignore[method-assign]
        place.put(*rows(1_000))
        place.wait(delivered=1_000)
        assert len(chat.sent) == 1_000
        assert len(place.writer.batches) < 1_000, "results are gathered while the writer is at work"
        assert place.postman.stop(10) == 0


def test_real_clocks_wake_a_channel_by_themselves():
    chat = Scripted(LATER, Delivered())
    with office(made(chat), rows=[]) as place:
        place.world.now_us = place.clock.now_us = now_us  # type: ignore[method-assign]
        place.world.monotonic_us = lambda: time.monotonic_ns() // 1_000
        place.world.chance = lambda: 0.0  # a fifth of a second
        place.put(row(next_us=now_us()))
        place.wait(delivered=1)
        assert len(chat.sent) == 2


def test_a_writer_that_gives_nothing_is_not_asked_without_end():
    with office(made(Scripted())) as place:
        place.writer.claim = lambda channel, limit, *_: _nothing(place, channel, limit)  # type: ignore[method-assign]
        place.put(row(next_us=T + 300 * DAY_US))
        place.look()
        asked = len(place.writer.claims)
        place.look()
        assert 0 < asked <= 3
        assert len(place.writer.claims) <= asked + 3


def _nothing(place, channel: str, limit: int):
    place.writer.claims.append((channel, limit))
    future: Future = Future()
    future.set_result(())
    return future


def test_a_system_without_threads_gives_the_message_back(monkeypatch):
    chat = Scripted()
    with office(made(chat)) as place:
        give, refusals = Crew.give, iter([True, True])

        def refusing(crew, attempt):
            if next(refusals, False):
                raise RuntimeError("can't start new thread")
            give(crew, attempt)

        monkeypatch.setattr(Crew, "give", refusing)
        place.put(row())
        until(lambda: place.settled(delivered=1) or place.clock.advance(SECOND_US))
        assert [each.attempt for each in chat.sent] == [1], "it never was an attempt"
        assert place.seen.troubles[0] == "messages could not be claimed: RuntimeError"


# -------------------------------------------------------------------- beginnings and ends


@pytest.mark.parametrize(("repeatable", "ends"), [(True, DELIVERED), (False, UNSURE)])
def test_attempts_of_an_earlier_life(repeatable: bool, ends: OutboxStatus):
    before = row(status=CLAIMED, attempts=2, first_us=T - HOUR_US)
    chat = Scripted()
    with office(made(chat, repeatable=repeatable), rows=[before]) as place:
        until(lambda: place.writer.rows[message_id(0)].status is ends)
        assert [each.attempt for each in chat.sent] == ([3] if repeatable else [])


def test_an_attempt_on_a_channel_that_is_gone_waits_for_a_person():
    with office(made(Scripted()), rows=[row(channel="gone", status=CLAIMED)]) as place:
        place.wait(unsure=1)


def test_messages_wait_for_a_channel_that_the_policy_lacks():
    sms = Scripted()
    with office(made(Scripted()), rows=rows(1, "sms")) as place:
        place.postman.wake("sms")
        assert place.writer.statuses() == {"pending": 1}
        place.postman.change(Policy(), {"chat": place.lane().made, "sms": made(sms, "sms")})
        place.wait(delivered=1)


def test_stopping_lets_attempts_finish_and_begins_none():
    hanging = [Hanging(), Hanging()]
    chat = Scripted(*hanging)
    with office(made(chat, settings=DeliverySettings(concurrency=2)), rows=rows(9)) as place:
        until(lambda: chat.at_once == 2)
        left: list[int] = []
        stopping = threading.Thread(target=lambda: left.append(place.postman.stop(10)))
        stopping.start()
        until(lambda: place.postman.status()[0].draining)
        for each in hanging:
            each.let_go()
        stopping.join(20)
        assert left == [0]
        assert place.writer.statuses() == {"delivered": 2, "pending": 7}
        assert chat.closed
        assert not [each for each in threading.enumerate() if each.name == "botopt channel chat"]


def test_what_runs_at_the_deadline_stays_claimed_and_a_late_end_changes_nothing():
    hanging = Hanging()
    chat = Scripted(hanging, Delivered())
    with office(made(chat, settings=DeliverySettings(concurrency=2)), rows=rows(2)) as place:
        place.wait(claimed=1, delivered=1)
        assert place.postman.stop(0) == 1
        hanging.let_go()
        until(lambda: chat.at_once == 0)
        assert place.writer.statuses() == {"claimed": 1, "delivered": 1}
        place.put(row(5))
        place.postman.change(Policy(), {"chat": made(Scripted())})
        assert place.writer.rows[message_id(5)].status is PENDING, "who has stopped does not begin again"


def test_a_claim_that_comes_after_the_stop_is_given_back():
    chat = Scripted()
    with office(made(chat)) as place:
        answer = place.writer.claim
        going, on = threading.Event(), threading.Event()

        def slow(channel: str, limit: int, to: str | None, due_us: int | None):
            future = answer(channel, limit, to, due_us)
            going.set()
            assert on.wait(20)
            return future

        place.writer.claim = slow  # type: ignore[method-assign]
        place.put(*rows(2))
        assert going.wait(20)
        place.lane().stop(60 * SECOND_US)
        on.set()
        assert place.lane().join(20)
        assert place.writer.statuses() == {"pending": 2}
        assert {each.attempts for each in place.writer.rows.values()} == {0}
        assert not chat.sent


def test_another_policy_changes_only_channels_that_are_different():
    chat, old, new = Scripted(), Scripted(), Scripted()
    hanging = Hanging()
    old_sms = made(Scripted(hanging), "sms")
    web = made(old, "web")
    with office(made(chat), old_sms, web) as place:
        kept = place.lane()
        place.put(row(1, "sms"))
        until(lambda: old_sms.channel.sent)  # type: ignore[attr-defined]
        place.postman.change(Policy(), {"chat": kept.made, "sms": made(new, "sms")})
        assert place.lane() is kept
        assert place.postman.made["chat"] is kept.made
        until(lambda: old.closed)
        assert [(each.name, each.draining) for each in place.postman.status()] == [
            ("chat", False),
            ("sms", False),
            ("sms", True),
        ]
        place.put(row(2, "sms"))
        place.wait(claimed=1, delivered=1)
        assert [each.user for each in new.sent] == ["u2"]
        hanging.let_go()
        place.wait(delivered=2)
        until(lambda: old_sms.channel.closed)  # type: ignore[attr-defined]
        until(lambda: len(place.postman.status()) == 2)
        assert not chat.closed


def test_results_of_a_channel_that_was_replaced_are_kept_until_they_can_be_written():
    hanging = Hanging(Delivered("p"))
    old = Scripted(hanging)
    with office(made(old), rows=rows(1)) as place:
        until(lambda: old.at_once == 1)
        place.writer.ailing = StateError("the disk is full")
        place.postman.change(Policy(), {"chat": made(Scripted())})
        hanging.let_go()
        until(lambda: "results could not be written: the disk is full" in place.seen.troubles)
        place.clock.advance(HOUR_US)
        (leaving,) = place.postman._leaving
        until(lambda: leaving.status().running == 0)
        assert not leaving.join(0.2)
        place.writer.ailing = None
        place.clock.advance(HOUR_US)
        leaving.wake()
        place.wait(delivered=1)
        assert leaving.join(20)


def test_while_channels_change_none_is_missing():
    class Looking(dict):
        def items(self):
            for name, each in super().items():
                assert {"chat", "sms"} == {known for known in ("chat", "sms") if place.postman.channel(known)}
                yield name, each

    with office(made(Scripted()), made(Scripted(), "sms")) as place:
        place.postman.change(Policy(), Looking(chat=made(Scripted()), sms=made(Scripted(), "sms")))


def test_a_claim_that_nobody_waits_for_any_more_is_taken_back():
    with office(made(Scripted())) as place:
        asked: list[Future] = []

        def never(channel: str, limit: int, to: str | None, due_us: int | None):
            asked.append(Future())
            return asked[-1]

        place.writer.claim = never  # type: ignore[method-assign]
        place.put(*rows(1))
        until(lambda: asked)
        place.postman.stop(0)
        assert asked[0].cancelled()


def test_a_channel_asks_for_addresses_of_its_own_kind():
    with office(made(Scripted(), settings=DeliverySettings(to="phone")), rows=rows(1)) as place:
        place.wait(delivered=1)
        assert set(place.writer.asked_for) == {"phone"}


def test_a_retry_of_a_channel_that_was_replaced_is_made_by_the_new_one():
    hanging, new = Hanging(LATER), Scripted()
    old = Scripted(hanging)
    with office(made(old), rows=rows(1)) as place:
        until(lambda: old.at_once == 1)
        place.postman.change(Policy(), {"chat": made(new)})
        hanging.let_go()
        place.wait(pending=1)
        place.clock.advance(2 * SECOND_US)
        place.wait(delivered=1)
        assert (len(old.sent), len(new.sent)) == (1, 1)


def test_a_new_channel_goes_on_with_the_old_ones_rate():
    old, new = Scripted(), Scripted()
    using = DeliverySettings(messages=3, per_us=SECOND_US)
    with office(made(old, settings=using), rows=rows(2)) as place:
        place.wait(delivered=2)
        place.postman.change(Policy(), {"chat": made(new, settings=using)})
        place.put(row(5), row(6))
        place.wait(delivered=3, pending=1)
        place.clock.advance(SECOND_US)
        place.wait(delivered=4)


def test_one_channel_does_not_wait_for_another():
    hanging = Hanging()
    slow, quick = Scripted(hanging), Scripted()
    with office(made(slow, settings=alone()), made(quick, "sms"), rows=[row(1), row(2, "sms"), row(3)]) as place:
        place.wait(claimed=1, pending=1, delivered=1)
        hanging.let_go()
        place.wait(delivered=3)


def test_random_channels_and_crashes_lose_nothing_and_deliver_nothing_twice():
    """Each life of the service ends in the middle; what the channel that absorbs no repeats got, it got once."""
    chance = random.Random(11)
    once, absorbing = Counter[str](), Counter[str]()

    def of(counter: Counter[str]):
        def send(message: Outgoing):
            fate = chance.random()
            if fate < 0.5:
                counter[message.key] += 1
                return Delivered()
            if fate < 0.6:
                counter[message.key] += 1
                return Failed("no answer: read timeout", retryable=True, unsure=True)
            return chance.choice([LATER, LATER, NEVER])

        return send

    kept = {each.key: each for each in [*rows(40), *(row(100 + number, "hook") for number in range(40))]}
    for _ in range(6):
        chat, hook = made(Scripted(of(once))), made(Scripted(of(absorbing)), "hook", repeatable=True)
        with office(chat, hook, rows=list(kept.values())) as place:
            for _ in range(40):
                place.clock.advance(SECOND_US)
                if chance.random() < 0.05:
                    break
            place.postman.stop(0)
            kept = {
                key: msgspec.structs.replace(each, next_us=min(each.next_us, T))
                for key, each in place.writer.rows.items()
            }
    with office(
        made(Scripted(of(once))), made(Scripted(of(absorbing)), "hook", repeatable=True), rows=list(kept.values())
    ) as place:

        def tick() -> bool:
            place.clock.advance(10 * SECOND_US)
            return not {"pending", "claimed"} & place.writer.statuses().keys()

        until(tick)
        ends = place.writer.rows
    assert len(ends) == 80
    assert all(each.status in {DELIVERED, DEAD, UNSURE} for each in ends.values())
    assert all(count == 1 for count in once.values()), "nobody gets a message twice that its platform does not absorb"
    for key, each in ends.items():
        if each.status is DELIVERED:
            assert once[key] + absorbing[key] >= 1
        if each.status is DEAD:
            assert once[key] + absorbing[key] == 0, "what has arrived is never given up"
