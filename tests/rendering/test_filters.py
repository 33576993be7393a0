"""What filters print, in locales that differ in everything: separators, plural forms, order, direction."""

from __future__ import annotations

import pytest

from botopt.model.errors import RenderError
from botopt.model.instants import instant_us
from tests.rendering.making import rendered

ETA = instant_us("2026-03-01T21:05:00Z")
NNBSP, NBSP, RLM = "\u202f", "\xa0", "\u200f"

GOLDEN = {
    "{{ amount | money('EUR') }}": {
        "en": "€1,234,567.89",
        "de": f"1.234.567,89{NBSP}€",
        "hi": "€12,34,567.89",
        "fr": f"1{NNBSP}234{NNBSP}567,89{NBSP}€",
        "ar": f"{RLM}1,234,567.89{NBSP}€",
        "ja": "€1,234,567.89",
    },
    "{{ amount | money('JPY') }}": {"en": "¥1,234,568", "de": f"1.234.568{NBSP}¥", "ja": "￥1,234,568"},
    "{{ amount | money('inr') }}": {"en": "₹1,234,567.89", "hi": "₹12,34,567.89"},
    "{{ amount | number }}": {
        "en": "1,234,567.892",
        "de": "1.234.567,892",
        "hi": "12,34,567.892",
        "fr": f"1{NNBSP}234{NNBSP}567,892",
        "ar": "1,234,567.892",
        "ja": "1,234,567.892",
    },
    "{{ 0.256 | percent }}": {"en": "26%", "de": f"26{NBSP}%", "hi": "26%", "fr": f"26{NBSP}%", "ja": "26%"},
    "{{ eta | date }}": {
        "en": "Mar 1, 2026",
        "de": "01.03.2026",
        "hi": "1 मार्च 2026",
        "fr": "1 mars 2026",
        "ar": f"01{RLM}/03{RLM}/2026",
        "ja": "2026/03/01",
    },
    "{{ eta | time }}": {
        "en": f"10:05{NNBSP}PM",
        "de": "22:05",
        "hi": "10:05 pm",
        "fr": "22:05",
        "ar": "10:05 م",
        "ja": "22:05",
    },
    "{{ eta }}": {
        "en": f"Mar 1, 2026, 10:05{NNBSP}PM",
        "de": "01.03.2026, 22:05",
        "fr": "1 mars 2026, 22:05",
        "ja": "2026/03/01 22:05",
    },
    "{{ eta | ago }}": {
        "en": "3 hours ago",
        "de": "vor 3 Stunden",
        "hi": "3 घंटे पहले",
        "fr": "il y a 3 heures",
        "ar": "قبل 3 ساعات",
        "ja": "3 時間前",
    },
}


@pytest.mark.parametrize(
    ("source", "locale", "expected"),
    [(source, locale, text) for source, by_locale in GOLDEN.items() for locale, text in by_locale.items()],
)
def test_a_filter_formats_in_the_message_s_locale_and_the_user_s_zone(source: str, locale: str, expected: str) -> None:
    values = {"amount": 1234567.8915, "eta": ETA, "now_us": ETA + 3 * 3_600_000_000}
    assert rendered(source, locale=locale, timezone="Europe/Berlin", **values) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "1 second ago"),
        (-30, "30 seconds ago"),
        (30, "in 30 seconds"),
        (2 * 86_400, "in 2 days"),
        (-86_400, "1 day ago"),
    ],
)
def test_ago_also_says_how_long_until(seconds: int, expected: str) -> None:
    assert rendered("{{ eta | ago }}", eta=ETA + seconds * 1_000_000, now_us=ETA) == expected


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2026-03-29T00:59:00Z", "01:59"),  # Berlin goes from 01:59 to 03:00
        ("2026-03-29T01:00:00Z", "03:00"),
        ("2026-10-25T00:30:00Z", "02:30"),  # and has 02:30 twice in autumn
        ("2026-10-25T01:30:00Z", "02:30"),
        ("2026-10-25T02:00:00Z", "03:00"),
    ],
)
def test_the_clock_follows_summer_time(instant: str, expected: str) -> None:
    assert rendered("{{ eta | time }}", locale="de", timezone="Europe/Berlin", eta=instant_us(instant)) == expected


def test_the_date_is_the_one_on_the_user_s_calendar() -> None:
    late = instant_us("2026-12-31T23:30:00Z")
    by_zone = {zone: rendered("{{ eta | date }}", timezone=zone, eta=late) for zone in ("UTC", "Asia/Tokyo")}
    assert by_zone == {"UTC": "Dec 31, 2026", "Asia/Tokyo": "Jan 1, 2027"}


PLURALS = "{{ number | plural(one='# paczka', few='# paczki', many='# paczek', other='# paczki (part)') }}"


@pytest.mark.parametrize(
    ("source", "locale", "number", "expected"),
    [
        ("{{ number | plural('one item', '# items') }}", "en", 1, "one item"),
        ("{{ number | plural('one item', '# items') }}", "en", 0, "0 items"),
        ("{{ number | plural('one item', '# items') }}", "en", 1234, "1,234 items"),
        ("{{ number | plural('# article', '# articles') }}", "fr", 0, "0 article"),
        ("{{ number | plural(other='#個') }}", "ja", 1, "1個"),
        ("{{ number | plural(zero='none', two='a pair', other='#') }}", "ar", 0, "none"),
        ("{{ number | plural(zero='none', two='a pair', other='#') }}", "ar", 2, "a pair"),
        ("{{ number | plural(zero='none', two='a pair', other='#') }}", "en", 0, "0"),
        (PLURALS, "pl", 1, "1 paczka"),
        (PLURALS, "pl", 3, "3 paczki"),
        (PLURALS, "pl", 5, "5 paczek"),
        (PLURALS, "pl", 22, "22 paczki"),
        (PLURALS, "pl", -1, "-1 paczka"),
    ],
)
def test_plural_takes_the_form_of_the_language(source: str, locale: str, number: int, expected: str) -> None:
    assert rendered(source, locale=locale, number=number) == expected


def test_plural_of_a_fraction() -> None:
    assert rendered("{{ amount | plural('# hour', '# hours') }}", amount=1.5) == "1.5 hours"
    assert rendered("{{ amount | plural('# hour', '# hours') }}", amount=1.0) == "1 hour"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ANN LEE", "Ann Lee"),
        ("jean-luc o'neil", "Jean-Luc O'neil"),
        ("élodie (ältere)", "Élodie (Ältere)"),
        ("", "x"),
    ],
)
def test_title(value: str, expected: str) -> None:
    assert rendered("{{ order_id | title }}{{ 'x' if order_id == '' }}", order_id=value) == expected


@pytest.mark.parametrize(
    ("value", "length", "expected"),
    [
        ("The quick brown fox", 40, "The quick brown fox"),
        ("The quick brown fox", 19, "The quick brown fox"),
        ("The quick brown fox", 12, "The quick…"),
        ("The quick brown fox", 10, "The quick…"),
        ("Donaudampfschiff", 6, "Donau…"),
        ("abc", 1, "…"),
        ("Zoe\u0308 x", 4, "Zo…"),  # the accent goes with its letter
        ("👩\u200d👩\u200d👧 family", 5, "…"),
    ],
)
def test_truncate_never_cuts_within_a_character_and_rarely_within_a_word(
    value: str, length: int, expected: str
) -> None:
    text = rendered(f"{{{{ order_id | truncate({length}) }}}}", order_id=value)
    assert (text, len(text) <= length) == (expected, True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("A/1 ü&?=#", "A%2F1%20%C3%BC%26%3F%3D%23"),
        ("https://x.example", "https%3A%2F%2Fx.example"),
        ("a-b_c.d~e", "a-b_c.d~e"),
    ],
)
def test_urlencode_makes_one_part_of_a_link(value: str, expected: str) -> None:
    assert rendered("{{ order_id | urlencode }}", order_id=value) == expected


def test_urlencode_takes_numbers_in_their_shortest_form() -> None:
    assert rendered("{{ amount | urlencode }}", amount=5.0) == "5"


def test_length_and_default() -> None:
    source = "{{ items | length }} {{ order_id | length }} {{ reason | default('none') }} {{ note.text | default(7) }}"
    assert rendered(source, items=["a", "b"], order_id="abc", note={}) == "2 3 none 7"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5.0, "5"),
        (129.5, "129.5"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.3"),
        (0.00001, "0.00001"),
        (1e15, "1000000000000000"),
        (1e20, "100000000000000000000"),
        (1e30, "1e+30"),
        (12345678901234567890, "12345678901234567890"),
        (1 / 3, "0.333333333333333"),
    ],
)
def test_a_number_prints_in_its_shortest_form(value: float, expected: str) -> None:
    assert rendered("{{ amount }}", amount=value) == expected


@pytest.mark.parametrize(
    ("source", "values", "reason"),
    [
        ("{{ amount | money(order_id) }}", {"amount": 1, "order_id": "<b>"}, "wants a currency of three letters"),
        (
            "{{ address.x | money('EUR') }}",
            {"address": {"x": "5"}},
            'the filter "money" wants a number, and this is text',
        ),
        ("{{ address.x | money('EUR') }}", {"address": {"x": True}}, "this is true or false"),
        ("{{ address.x | date }}", {"address": {"x": 5}}, 'the filter "date" wants a time, and this is a number'),
        ("{{ address.x | title }}", {"address": {"x": [1]}}, 'the filter "title" wants text, and this is a list'),
        ("{{ address.x | length }}", {"address": {"x": 1}}, "wants a list or text"),
        ("{{ address.x | number }}", {"address": {}}, '"x" is absent'),
        ("{{ eta | date }}", {"eta": 10**18}, "this time is too far away"),
        ("{{ eta }}", {"eta": -(10**18)}, "this time is too far away"),
        ("{{ eta | ago }}", {"eta": 10**30}, "this time is too far away"),
        ("{{ amount }}", {"amount": 10**5000}, "too long to be printed"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_plain_words(
    source: str, values: dict[str, object], reason: str
) -> None:
    with pytest.raises(RenderError, match=reason):
        rendered(source, **values)
