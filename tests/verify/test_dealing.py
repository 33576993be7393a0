"""How lines are dealt out to processes."""

from __future__ import annotations

from collections import Counter

import pytest

from botopt.verify.buckets import BUCKETS, dealt_out
from botopt.verify.many_lanes import _DEALING, own_share

LINES = bytes(number * number % BUCKETS for number in range(20_000))


@pytest.mark.parametrize("workers", range(2, 12))
def test_all_are_ready_together_or_the_one_that_deals_has_no_time_to_decide(workers):
    share = own_share(workers)
    lines = share + workers - 1
    if share:
        assert share + _DEALING * lines == pytest.approx(1)
    else:
        assert _DEALING * lines >= 1


@pytest.mark.parametrize("first", [0.0, 0.25, 0.67, 1.0])
def test_the_first_takes_its_share_and_the_others_equal_ones(first):
    worker_of = dealt_out(LINES, 4, first)
    taken = Counter(LINES.translate(worker_of))
    equal = len(LINES) / (3 + first)
    assert [taken[worker] / equal for worker in range(4)] == pytest.approx([first, 1, 1, 1], abs=0.1)


def test_a_user_with_most_of_the_events_has_a_worker_for_itself():
    worker_of = dealt_out(bytes([7]) * 900 + bytes(range(100)), 3)
    assert sum(owner == worker_of[7] for owner in worker_of) == 1
