"""A model card says what a model saw, beat and must not be used for, and needs nothing but a browser."""

from __future__ import annotations

import re

import msgspec

from botopt.authoring.model_card import NOT_FOR, cards, markdown, page
from botopt.loading.models import decode, encode
from tests.cli.test_train import GATE, MODEL, TRAINING, golden

TRAINED = decode(encode(MODEL, TRAINING, GATE))


def test_the_card_in_markdown_reads_as_it_did() -> None:
    golden("model-card.md", markdown(TRAINED))


def test_both_forms_say_the_same_facts() -> None:
    html = re.sub(r"<[^>]+>", "", page(TRAINED))
    for words in (*NOT_FOR, TRAINED.digest, "lower by 0.0179", "95% interval 0.0018 to 0.0340", "hour=-"):
        assert words in html.replace("&#x27;", "'")
        assert words in markdown(TRAINED)


def test_the_page_needs_nothing_but_a_browser() -> None:
    html = page(TRAINED)
    assert not re.search(r"https?://|<script|<link|@import|url\(", html)
    assert html.count("<svg") == 2 + len(GATE.effects)
    assert html.count('role="img"') == html.count("<svg")


def test_equal_models_give_equal_cards() -> None:
    assert cards(TRAINED) == cards(decode(encode(MODEL, TRAINING, GATE)))


def test_names_from_a_file_cannot_be_markup() -> None:
    gate = msgspec.structs.replace(GATE, incumbent="<b>x</b>", reasons=("<i>",), passed=False)
    html = page(msgspec.structs.replace(TRAINED, gate=gate))
    assert "<b>x" not in html
    assert "<i>" not in html


def test_a_card_can_be_drawn_of_one_day_and_one_value() -> None:
    effects = (msgspec.structs.replace(GATE.effects[0], values=(1.0,), chances=(0.5,)),)
    gate = msgspec.structs.replace(GATE, days=GATE.days[:1], effects=effects, bins=GATE.bins[:1])
    assert "<svg" in page(msgspec.structs.replace(TRAINED, gate=gate))
