"""The life of a circuit breaker, and of the gate that it is a part of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.delivery import Delivered, Failed, NeedsTransport, Receipt
from botopt.model.durations import HOUR_US, SECOND_US
from botopt.runtime.delivering.breaker import (
    FIRST_OPEN_US,
    IN_A_ROW,
    LONGEST_OPEN_US,
    SAMPLE,
    Breaker,
    CircuitBreaker,
)
from botopt.runtime.delivering.gate import LONGEST_PAUSE_US, Gate
from botopt.runtime.delivering.limiter import Limiter

LATER = Failed("HTTP 503", retryable=True)
CLOSED, OPEN, HALF_OPEN = Breaker.CLOSED, Breaker.OPEN, Breaker.HALF_OPEN


def broken(now_us: int = 0) -> CircuitBreaker:
    breaker = CircuitBreaker()
    for _ in range(IN_A_ROW):
        breaker.failed(breaker.begin(), now_us)
    return breaker


def test_it_opens_after_failures_in_a_row():
    breaker = CircuitBreaker()
    for _ in range(IN_A_ROW - 1):
        breaker.failed(breaker.begin(), 0)
    breaker.answered(breaker.begin())
    for _ in range(IN_A_ROW - 1):
        breaker.failed(breaker.begin(), 0)
    assert breaker.free(0) == (None, 0)
    breaker.failed(breaker.begin(), 0)
    assert breaker.state is OPEN
    assert breaker.free(1) == (0, FIRST_OPEN_US - 1)


def test_it_opens_when_every_second_message_fails():
    breaker = CircuitBreaker()
    for number in range(SAMPLE):
        assert breaker.state is CLOSED
        if number % 2:
            breaker.failed(breaker.begin(), 0)
        else:
            breaker.answered(breaker.begin())
    assert breaker.state is OPEN


def test_fewer_failures_do_not_open_it():
    breaker = CircuitBreaker()
    for number in range(20 * SAMPLE):
        if number % 3:
            breaker.answered(breaker.begin())
        else:
            breaker.failed(breaker.begin(), 0)
    assert breaker.state is CLOSED


def test_one_message_tries_whether_the_platform_is_back():
    breaker = broken()
    assert breaker.free(FIRST_OPEN_US) == (1, 0)
    assert breaker.state is HALF_OPEN
    probe = breaker.begin()
    assert breaker.free(FIRST_OPEN_US) == (0, 0), "not before the result"
    breaker.answered(probe)
    assert breaker.free(FIRST_OPEN_US) == (None, 0)


def test_it_stays_open_twice_as_long_each_time_up_to_a_bound():
    breaker, now_us, waits = broken(), 0, []
    for _ in range(9):
        waits.append(breaker.free(now_us)[1])
        now_us += waits[-1]
        assert breaker.free(now_us) == (1, 0)
        breaker.failed(breaker.begin(), now_us)
    assert [wait // SECOND_US for wait in waits] == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert waits[-1] == LONGEST_OPEN_US


def test_it_forgets_the_past_only_when_the_platform_has_proved_itself():
    breaker = broken()
    breaker.free(FIRST_OPEN_US)
    breaker.answered(breaker.begin())
    for _ in range(IN_A_ROW):
        breaker.failed(breaker.begin(), 0)
    assert breaker.free(0) == (0, 2 * FIRST_OPEN_US)
    breaker.free(2 * FIRST_OPEN_US)
    for _ in range(SAMPLE + 1):
        breaker.answered(breaker.begin())
    for _ in range(IN_A_ROW):
        breaker.failed(breaker.begin(), 0)
    assert breaker.free(0) == (0, FIRST_OPEN_US)


def test_what_began_before_it_opened_says_nothing_about_now():
    breaker = CircuitBreaker()
    early = [breaker.begin() for _ in range(IN_A_ROW + 2)]
    for begun in early[:IN_A_ROW]:
        breaker.failed(begun, 0)
    breaker.failed(early[-2], SECOND_US)
    breaker.answered(early[-1])
    assert breaker.free(SECOND_US) == (0, FIRST_OPEN_US - SECOND_US)


def test_a_probe_that_asked_nobody_is_taken_by_the_next():
    breaker = broken()
    breaker.free(FIRST_OPEN_US)
    breaker.unused(breaker.begin())
    assert breaker.free(FIRST_OPEN_US) == (1, 0)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2 * LONGEST_OPEN_US), st.booleans()), max_size=60))
def test_while_it_is_open_nothing_flows_and_it_never_stays_open_for_ever(steps: list[tuple[int, bool]]):
    breaker, now_us = CircuitBreaker(), 0
    for later_us, works in steps:
        now_us += later_us
        free, wait_us = breaker.free(now_us)
        if free == 0:
            assert breaker.state is OPEN
            assert 0 < wait_us <= LONGEST_OPEN_US
            continue
        assert free == (1 if breaker.state is HALF_OPEN else None)
        begun = breaker.begin()
        if works:
            breaker.answered(begun)
            assert breaker.state is CLOSED
        else:
            breaker.failed(begun, now_us)
    assert breaker.free(now_us + LONGEST_OPEN_US)[0] != 0


# -------------------------------------------------------------------- the gate


@pytest.mark.parametrize(
    ("receipt", "opens"),
    [
        (LATER, True),
        (Failed("no answer", unsure=True), True),
        (Failed("HTTP 400"), False),
        (Delivered(), False),
        (NeedsTransport(("Hi",)), False),
    ],
)
def test_only_what_speaks_of_the_platform_opens_it(receipt: Receipt, opens: bool):
    gate = Gate(Limiter(0, 1))
    for _ in range(3 * IN_A_ROW):
        gate.over(gate.begin(), receipt, 0, asked=True)
    assert gate.state is (OPEN if opens else CLOSED)


def test_a_message_that_asked_nobody_says_nothing():
    gate = Gate(Limiter(0, 1))
    for _ in range(3 * IN_A_ROW):
        gate.over(gate.begin(), LATER, 0, asked=False)
    assert gate.free(0, 4) == (4, 0)


def test_retry_after_pauses_everything():
    gate = Gate(Limiter(0, 1))
    gate.over(gate.begin(), Failed("HTTP 429", retryable=True, retry_after_us=SECOND_US), 0, asked=True)
    gate.over(gate.begin(), Delivered(), 1, asked=True)
    assert gate.free(1, 4) == (0, SECOND_US - 1)
    assert gate.paused_us(1) == SECOND_US - 1
    assert gate.free(SECOND_US, 4) == (4, 0)


def test_a_longer_pause_is_not_shortened_and_none_is_endless():
    gate = Gate(Limiter(0, 1))
    gate.over(gate.begin(), Failed("HTTP 429", retryable=True, retry_after_us=9 * HOUR_US), 0, asked=True)
    gate.over(gate.begin(), Failed("HTTP 429", retryable=True, retry_after_us=1), 1, asked=True)
    assert gate.free(1, 4) == (0, LONGEST_PAUSE_US - 1)


def test_the_breaker_stays_open_as_long_as_the_platform_asks():
    gate = Gate(Limiter(0, 1))
    storm = Failed("HTTP 429", retryable=True, retry_after_us=60 * SECOND_US)
    for _ in range(IN_A_ROW):
        gate.over(gate.begin(), storm, 0, asked=True)
    assert gate.free(59 * SECOND_US, 4) == (0, SECOND_US)
    assert gate.free(60 * SECOND_US, 4) == (1, 0)


def test_the_rate_bounds_what_is_free():
    gate = Gate(Limiter(2, 1_000))
    assert gate.free(0, 4) == (2, 0)
    gate.limiter.reserve(2)
    assert gate.free(0, 4) == (0, 1_000)
