"""How numbers, amounts and times look in a locale, by Babel. Its no-break spaces stay as they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta, get_datetime_format
from babel.numbers import format_currency, format_decimal, format_percent, list_currencies

PLURAL_FORMS = ("zero", "one", "two", "few", "many", "other")
"""The plural forms of CLDR; every language has `other`, most have one or two more."""

_DIGITS = Context(prec=400, rounding=ROUND_HALF_EVEN)
"""Enough for every double, and the same whatever a program around botopt does to the thread's own context."""

_TRIED = 200
"""Whole numbers up to here show every form that a language needs for counting."""


def number(value: float, locale: Locale) -> str:
    """Up to three decimals: `1,234.5`."""
    with localcontext(_DIGITS):
        return str(format_decimal(value, locale=locale))


def percent(value: float, locale: Locale) -> str:
    """A share as whole percent: 0.25 is `25%`."""
    with localcontext(_DIGITS):
        return format_percent(value, locale=locale)


def money(value: float, currency: str, locale: Locale) -> str:
    """An amount with its currency: `€129.50`."""
    with localcontext(_DIGITS):
        return format_currency(value, currency, locale=locale)


@lru_cache(maxsize=1)
def currencies() -> frozenset[str]:
    """Every currency code that Babel knows."""
    return frozenset(list_currencies())


def date(at: datetime, locale: Locale) -> str:
    """The date alone, in medium length: `Mar 1, 2026`."""
    return format_date(at.date(), "medium", locale=locale)


def clock(at: datetime, locale: Locale) -> str:
    """The time of day alone, in short form: `9:30 AM`."""
    return format_time(at.time(), "short", locale=locale)


def moment(at: datetime, locale: Locale) -> str:
    """Date and time of day, as the locale joins the two."""
    joint = str(get_datetime_format("medium", locale=locale)).replace("'", "")
    return joint.replace("{0}", clock(at, locale)).replace("{1}", date(at, locale))


def ago(distance: timedelta, locale: Locale) -> str:
    """How far a moment is from now: `3 hours ago`, `in 2 days`."""
    past = distance or -timedelta.resolution  # this very moment is past: not "in 0 seconds"
    return format_timedelta(past, add_direction=True, locale=locale)


def plural_form(count: float, locale: Locale) -> str:
    """The CLDR plural form of a number: one of `PLURAL_FORMS`."""
    whole = int(count) == count
    return str(locale.plural_form(abs(int(count)) if whole else Decimal(str(abs(count)))))


@lru_cache(maxsize=256)
def counting_forms(locale: Locale) -> tuple[str, ...]:
    """The plural forms that a language needs to count whole things, in CLDR's order."""
    found = {plural_form(count, locale) for count in range(_TRIED)} | {"other"}
    return tuple(form for form in PLURAL_FORMS if form in found)
