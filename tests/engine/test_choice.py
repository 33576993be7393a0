"""Section 8: which template, variant and language; draws that are the same today and next year."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.support import CALM, Workspace, base, cloud, ev

LANGUAGES = """
templates:
  hello: Hello
  words:
    variants:
      big:
        when: n > 5
        title: {en: Big, de: Gross}
        text: {en: "Big {{ n }}", de: "Gross {{ n }}"}
        buttons: [{label: {en: Go, de: Los}, link: {en: "https://x.example/en", de: "https://x.example/de"}}]
      small: {text: {en: Small, pt-BR: Pequeno, pt: Pouco}}
"""
EVENTS = "c: {category: service, channel: chat, weight: 0.8, message: words, fields: {n: {type: number, default: 0}}}"


def workspace(templates: str, more: str = "", suppression: str = "") -> Workspace:
    return Workspace(base(suppression, f"{CALM}{more}", EVENTS), templates)


def said(n: float = 0, **user: object) -> tuple[str, str, str, str | None]:
    events = [ev("user.updated", "u", "08:00", **user)] if user else []
    [decision] = workspace(LANGUAGES).run(*events, ev("c", "u", "09:00", n=n))
    assert decision.message is not None
    return decision.message.variant, decision.message.locale, decision.message.text, decision.message.title


def test_the_first_variant_that_fits_is_taken():
    assert said(6) == ("big", "en", "Big 6", "Big")
    assert said(5) == ("small", "en", "Small", None)


@pytest.mark.parametrize(
    ("locale", "n", "told"),
    [
        ("de", 6, ("big", "de", "Gross 6", "Gross")),
        ("de-AT", 6, ("big", "de", "Gross 6", "Gross")),
        ("de", 0, ("small", "en", "Small", None)),  # within the chosen variant
        ("pt-BR", 0, ("small", "pt-BR", "Pequeno", None)),
        ("pt-PT", 0, ("small", "pt", "Pouco", None)),
        ("pt-BR", 6, ("big", "en", "Big 6", "Big")),
        ("fr", 0, ("small", "en", "Small", None)),
    ],
)
def test_the_language_falls_back_inside_the_chosen_variant(locale, n, told):
    assert said(n, locale=locale) == told


def test_title_text_and_buttons_speak_one_language():
    [decision] = workspace(LANGUAGES).run(ev("user.updated", "u", "08:00", locale="de-CH"), ev("c", "u", "09:00", n=6))
    assert decision.message is not None
    [button] = decision.message.buttons
    assert (decision.message.locale, button.label, button.link) == ("de", "Los", "https://x.example/de")


def test_choose_first_draws_nothing():
    [decision] = workspace(LANGUAGES).run(ev("c", "u", "09:00"))
    assert decision.choices == ()


WEIGHTED = """
templates:
  hello: Hello
  words:
    choose: weighted
    variants:
      one: {text: {en: One}}
      three: {weight: 3, text: {en: Three}}
      half: {weight: 0.5, when: n > 0, text: {en: Half}}
"""
WEIGHTS = {"one": Fraction(1), "three": Fraction(3), "half": Fraction(1, 2)}


@pytest.mark.parametrize("n", [0, 1])
def test_draws_follow_the_weights_of_those_that_are_eligible(n):
    found = workspace(WEIGHTED).run(*(ev("c", f"u{number}", "09:00", n=n) for number in range(3_000)))
    eligible = ("one", "three", "half") if n else ("one", "three")
    total = sum(WEIGHTS[name] for name in eligible)
    taken = [d.message.variant for d in found if d.message is not None]
    assert len(taken) == 3_000
    for name in eligible:
        assert abs(taken.count(name) / 3_000 - WEIGHTS[name] / total) < 0.04
    for decision in found:
        [choice] = decision.choices
        assert decision.message is not None
        assert (choice.purpose, choice.eligible) == ("variant", eligible)
        assert choice.draw is not None
        assert 0 <= choice.draw < 1
        assert choice.propensity == round(float(WEIGHTS[decision.message.variant] / total), 9)
        assert decision.message.variant == _at(choice.draw, eligible, total)
        assert round(choice.draw, 9) == choice.draw


def _at(draw: float, eligible: tuple[str, ...], total: Fraction) -> str:
    """The variants share [0, 1) in their order, each by its weight."""
    reached = Fraction(0)
    for name in eligible:
        reached += WEIGHTS[name] / total
        if Fraction(draw) < reached:
            return name
    return eligible[-1]


def test_draws_are_those_of_the_event_and_the_seed():
    events = [ev("c", f"u{number}", "09:00") for number in range(200)]

    def variants(more: str = "", batch: int = 2_000) -> list[str]:
        ws = workspace(WEIGHTED, more)
        ws.batch = batch
        return [d.message.variant for d in ws.run(*events) if d.message is not None]

    assert variants() == variants(batch=3) == variants(", seed: 0")
    assert variants(", seed: 1") != variants()


def test_each_event_has_a_draw_of_its_own():
    draws = [d.choices[0].draw for d in workspace(WEIGHTED).run(*(ev("c", "u", f"+{day} 09:00") for day in range(50)))]
    assert len(set(draws)) == 50


def test_a_release_keeps_its_wording():
    events = [ev("c", f"u{number}", "23:00") for number in range(100)]

    def variants(suppression: str) -> dict[str | None, str]:
        found = workspace(WEIGHTED, suppression=suppression).run(*events, until="tue 12:00")
        return {d.user: d.message.variant for d in found if d.message is not None}

    night = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}}'
    twice = '{id: morning, quiet_hours: {from: "07:00", to: "10:00"}}'
    assert len(variants(night)) == 100
    assert variants(night) == variants("") == variants(f"{night}\n{twice}")


def test_what_is_not_sent_has_no_message():
    found = workspace(WEIGHTED, suppression="{id: x, cooldown: 1h}").run(ev("c", "u", "09:00"), ev("c", "u", "09:01"))
    assert [d.message is None for d in found] == [False, True]


def test_a_rule_may_replace_the_template():
    rules = "[{id: swap, when: n > 1, message: other}]"
    ws = Workspace(base(rules=rules))
    found = ws.run(ev("a", "u", "09:00"), ev("a", "u", "09:01", n=2))
    assert [d.message.template for d in found if d.message is not None] == ["hello", "other"]


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=20).filter(str.isprintable).filter(str.strip))
def test_any_user_and_id_can_be_drawn_for(name):
    ws = workspace(WEIGHTED)
    found = ws.run(cloud("c", name, "09:00", id=name, source=name))
    if found[0].outcome != "rejected":  # some texts are no names
        assert found[0].choices[0].draw is not None
