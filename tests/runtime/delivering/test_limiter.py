"""A rate holds in every window, wherever it begins."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.runtime.delivering.limiter import Limiter

steps = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 6), st.booleans()), max_size=80)


@settings(max_examples=400, deadline=None)
@given(st.integers(1, 7), st.integers(1, 1_000), steps)
def test_no_window_holds_more_than_the_rate(messages: int, per_us: int, steps: list[tuple[int, int, bool]]):
    limiter, now_us, sent = Limiter(messages, per_us), 0, []
    for later_us, wanted, used in steps:
        now_us += later_us
        free, wait_us = limiter.free(now_us)
        assert free is not None
        assert (free == 0) == (wait_us > 0)
        count = min(free, wanted)
        limiter.reserve(count)
        for _ in range(count):
            now_us += 1  # what is kept is used later
            if used:
                limiter.use(now_us)
                sent.append(now_us)
            else:
                limiter.give_back()
    for at_us in sent:
        assert sum(at_us <= other < at_us + per_us for other in sent) <= messages


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5), st.integers(1, 1_000), st.integers(1, 30))
def test_the_rate_can_be_used_up(messages: int, per_us: int, rounds: int):
    limiter, now_us, sent = Limiter(messages, per_us), 0, 0
    for _ in range(rounds):
        while limiter.free(now_us)[0]:
            limiter.reserve(1)
            limiter.use(now_us)
            sent += 1
        now_us += limiter.free(now_us)[1]
    assert (sent, now_us) == (rounds * messages, rounds * per_us)


def test_without_a_rate_there_is_no_limit():
    limiter = Limiter(0, 1_000)
    for _ in range(100):
        limiter.reserve(1)
        limiter.use(0)
    assert limiter.free(0) == (None, 0)


def test_what_is_kept_is_not_given_twice():
    limiter = Limiter(2, 1_000)
    limiter.reserve(2)
    assert limiter.free(0) == (0, 1_000)
    limiter.give_back()
    assert limiter.free(0) == (1, 0)


def test_a_million_a_day_is_a_fraction_in_a_fraction_of_it():
    limiter = Limiter(1_000_000, 86_400_000_000)
    assert limiter.free(0) == (10_000, 0)
    limiter.reserve(10_000)
    for _ in range(10_000):
        limiter.use(0)
    assert limiter.free(1) == (0, 864_000_000 - 1)


def test_another_limit_counts_what_went_out_before():
    limiter = Limiter(3, 1_000)
    limiter.reserve(3)
    for at_us in (0, 10, 20):
        limiter.use(at_us)
    limiter.change(2, 1_000)
    assert limiter.free(1_009) == (0, 1)
    assert limiter.free(1_010) == (1, 0)
    limiter.change(5, 1_000)
    assert limiter.free(1_011) == (4, 0)
