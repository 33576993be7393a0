"""`console`: what stands on the screen."""

from __future__ import annotations

import io
import sys

import pytest

from botopt.delivery.console import TYPE, Console
from botopt.model.delivery import Delivered, Failed
from tests.delivery.messages import HOSTILE, outgoing, surroundings, with_buttons


class Screen(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


def shown(message: object, monkeypatch: pytest.MonkeyPatch, screen: io.StringIO) -> str:
    monkeypatch.setattr(sys, "stdout", screen)
    assert Console({}, surroundings()).send(message) == Delivered()  # type: ignore[arg-type]
    return screen.getvalue()


def test_a_message_is_a_few_lines(monkeypatch: pytest.MonkeyPatch):
    assert shown(with_buttons(text="One.\nTwo."), monkeypatch, io.StringIO()) == (
        "→ chat: u1: Payment failed\n  One.\n  Two.\n  [Pay now] https://example.com/c/abc?x=1&y=2\n  [Later]\n"
    )
    assert shown(outgoing(text=""), monkeypatch, io.StringIO()) == "→ chat: u1\n  \n"


def test_a_terminal_gets_colours_unless_it_wants_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1mPayment failed\x1b[0m" in shown(with_buttons(), monkeypatch, Screen())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown(with_buttons(), monkeypatch, Screen())


def test_no_text_steers_the_terminal_or_looks_like_another_message(monkeypatch: pytest.MonkeyPatch):
    text = shown(outgoing(text=HOSTILE + "\n→ chat: u2: Fake", address="u1\n→ x"), monkeypatch, io.StringIO())
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert sum(line.startswith("→") for line in text.splitlines()) == 1


def test_a_screen_that_knows_few_letters_shows_marks(monkeypatch: pytest.MonkeyPatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert Console({}, surroundings()).send(outgoing(text="ü ☃")) == Delivered()
    assert raw.getvalue() == b"? chat: u1\n  ? ?\n"


def test_a_closed_screen_is_no_fault_of_ours(monkeypatch: pytest.MonkeyPatch):
    screen = io.StringIO()
    screen.close()
    monkeypatch.setattr(sys, "stdout", screen)
    receipt = Console({}, surroundings()).send(outgoing())
    assert receipt == Failed("standard output takes nothing more", retryable=True)


def test_it_does_not_claim_to_know_a_message_again():
    assert TYPE.repeatable is False
    assert TYPE.settings.when_unsure == "retry"
