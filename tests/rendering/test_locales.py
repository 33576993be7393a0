"""Locale tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botopt.rendering.locales import canonical, chain, choose, is_locale, locale


@pytest.mark.parametrize("tag", ["en", "de-AT", "de_at", "zh-Hant-TW", "sr-Latn", "es-419", "hi-IN", "pt-BR", "yue"])
def test_real_tags(tag: str) -> None:
    assert is_locale(tag)


@pytest.mark.parametrize(
    "tag", ["", "e", "xx", "german", "de-XX", "en.UTF-8", "../de", "de-", "d e", "en-" + "a" * 100]
)
def test_unreal_tags(tag: str) -> None:
    assert not is_locale(tag)


def test_the_way_back() -> None:
    assert chain("de_at") == ("de-AT", "de")
    assert chain("zh-Hant-TW") == ("zh-Hant-TW", "zh-Hant", "zh")
    assert choose("zh-Hans-CN", {"zh", "en"}, "en") == "zh"
    assert choose("fr-FR", {"zh", "en"}, "en") == "en"
    assert choose("de" + "-x" * 1_000_000, {"de", "en"}, "en") == "en"


def test_formatting_of_an_unknown_country_falls_back_to_the_language() -> None:
    assert str(locale("de-US")) == "de"
    assert str(locale("nonsense")) == "en"


@given(st.text(max_size=20))
def test_any_text_is_answered(tag: str) -> None:
    assert is_locale(tag) in {True, False}
    assert canonical(canonical(tag)) == canonical(tag)
    assert locale(tag)
    if is_locale(tag):
        assert is_locale(canonical(tag))
