"""Numbers of things, in words."""

from __future__ import annotations

from botopt.model.counting import number_of


def test_one_thing_is_singular_and_any_other_number_is_plural() -> None:
    assert [number_of(n, "event type") for n in (0, 1, 2, 12_431)] == [
        "0 event types",
        "1 event type",
        "2 event types",
        "12,431 event types",
    ]


def test_nought_can_be_a_word() -> None:
    assert number_of(0, "message", none="no") == "no messages"
    assert number_of(1, "message", none="no") == "1 message"
