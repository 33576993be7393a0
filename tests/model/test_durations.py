from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botopt.model.condition import duration_text
from botopt.model.durations import LONGEST_US, parse_duration

SECOND = 1_000_000
DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("15m", 900),
        ("6h", 21_600),
        ("1d", DAY),
        ("2w", 14 * DAY),
        ("1h30m", 5_400),
        ("90m", 5_400),
        ("1w1d1h1m1s", 8 * DAY + 3_661),
        ("1d12h", 36 * 3_600),
        ("007s", 7),
        ("0h5m", 300),
        ("3660d", 3_660 * DAY),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds * SECOND


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "0s", "0d", "5", "h", "1.5h", "1,5h", "-1h", "+1h", "1 h", " 1h", "1h ", "1H", "30m1h", "1h1h"),
        *("1y", "1mo", "10 minutes", "10min", "1h30", "PT1H", "3661d", "9" * 41 + "s", "9" * 30 + "s", "٣h", "³h"),
        "1h\n",
    ],
)
def test_no_durations(text):
    assert parse_duration(text) is None


@given(st.text() | st.text(alphabet="0123456789wdhms .-+", max_size=50))
def test_any_text_is_a_duration_in_bounds_or_none(text):
    found = parse_duration(text)
    assert found is None or 0 < found <= LONGEST_US


@given(st.integers(1, LONGEST_US // SECOND))
def test_what_is_printed_is_read_again(seconds):
    assert parse_duration(duration_text(seconds * SECOND)) == seconds * SECOND
