"""How numbers, amounts and times look in a locale, by Babel. Its no-break spaces stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date as date_type
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta, get_datetime_format, get_time_format
from babel.numbers import format_currency, format_decimal, format_percent, list_currencies

PLURAL_FORMS = ("zero", "one", "two", "few", "many", "other")
"""The plural forms of CLDR; every language has `other`, most have one or two more."""

_DIGITS = Context(prec=400, rounding=ROUND_HALF_EVEN)
"""Enough for every double, and the same whatever a program around botopt does to the thread's own context."""

_EXACT_DIGITS = 15
"""A double keeps so many digits of any number."""

_LONG = 10**_EXACT_DIGITS

_TRIED = 200
"""Whole numbers up to here show every form that a language needs for counting."""


class _Layout:
    """How numbers of one kind look, learnt from Babel: those with as many digits differ in these alone.

    A shape is a text with a hole for each digit but the leading zeros: `€%s,%s%s%s.%s0` for 1234.5. Without one a
    number is left to Babel: below zero, long, or with more decimals than are shown.
    """

    __slots__ = ("_shapes", "_write")

    def __init__(self, write: Callable[[float], str]) -> None:
        self._write = write
        self._shapes: dict[tuple[int, int, int], str] = {}

    def text(self, value: float) -> str:
        """The number, exactly as Babel writes it."""
        if type(value) is int and not -_LONG < value < _LONG:
            return self._babel(value)
        whole, _, part = repr(value).partition(".")
        if part == "0":
            part = ""
        digits = (whole + part).lstrip("0")
        key = (len(whole), len(part), len(digits))
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = self._shape(*key)
        if shape and (digits.isdecimal() or not digits):
            return shape % tuple(digits)
        return self._babel(value)

    def _babel(self, value: float) -> str:
        with localcontext(_DIGITS):
            return self._write(value)

    def _shape(self, before: int, after: int, size: int) -> str:
        """The shape of numbers with so many digits before and after the point; empty if there is none."""
        if before + after > _EXACT_DIGITS:
            return ""

        def written(digits: str) -> str:
            filled = digits.zfill(before + after)
            return self._babel(float(f"{filled[:before]}.{filled[before:]}") if after else int(filled))

        ones, twos = written("1" * size), written("2" * size)
        pairs = list(zip(ones, twos, strict=len(ones) == len(twos)))
        shape = "".join(one.replace("%", "%%") if one == two else "%s" for one, two in pairs)
        holes = [one + two for one, two in pairs if one != two]
        if len(ones) != len(twos) or holes != ["12"] * size:
            return ""
        others = ("987654321987654"[:size], ("1" + "0" * size)[: size - 1] + "5" if size else "")
        return shape if all(written(digits) == shape % tuple(digits) for digits in others) else ""


@lru_cache(maxsize=256)
def _numbers(locale: Locale) -> _Layout:
    return _Layout(lambda value: str(format_decimal(value, locale=locale)))


@lru_cache(maxsize=256)
def _shares(locale: Locale) -> _Layout:
    return _Layout(lambda value: format_percent(value, locale=locale))


@lru_cache(maxsize=1024)
def _amounts(currency: str, locale: Locale) -> _Layout:
    return _Layout(lambda value: format_currency(value, currency, locale=locale))


def number(value: float, locale: Locale) -> str:
    """Up to three decimals: `1,234.5`."""
    return _numbers(locale).text(value)


def percent(value: float, locale: Locale) -> str:
    """A share as whole percent: 0.25 is `25%`."""
    return _shares(locale).text(value)


def money(value: float, currency: str, locale: Locale) -> str:
    """An amount with its currency: `€129.50`."""
    return _amounts(currency, locale).text(value)


@lru_cache(maxsize=1)
def currencies() -> frozenset[str]:
    """Every currency code that Babel knows."""
    return frozenset(list_currencies())


@lru_cache(maxsize=4096)
def _date(day: date_type, locale: Locale) -> str:
    return format_date(day, "medium", locale=locale)


def date(at: datetime, locale: Locale) -> str:
    """The date alone, in medium length: `Mar 1, 2026`."""
    return _date(at.date(), locale)


@lru_cache(maxsize=4096)
def _clock(at: time, locale: Locale) -> str:
    return format_time(at, "short", locale=locale)


@lru_cache(maxsize=256)
def _shows_minutes_only(locale: Locale) -> bool:
    return not set("sSA") & set(str(get_time_format("short", locale=locale)))


def clock(at: datetime, locale: Locale) -> str:
    """The time of day alone, in short form: `9:30 AM`."""
    return _clock(time(at.hour, at.minute) if _shows_minutes_only(locale) else at.time(), locale)


@lru_cache(maxsize=256)
def _joint(locale: Locale) -> str:
    return str(get_datetime_format("medium", locale=locale)).replace("'", "")


def moment(at: datetime, locale: Locale) -> str:
    """Date and time of day, as the locale joins the two."""
    return _joint(locale).replace("{0}", clock(at, locale)).replace("{1}", date(at, locale))


def ago(distance: timedelta, locale: Locale) -> str:
    """How far a moment is from now: `3 hours ago`, `in 2 days`."""
    past = distance or -timedelta.resolution  # this very moment is past: not "in 0 seconds"
    return format_timedelta(past, add_direction=True, locale=locale)


@lru_cache(maxsize=4096)
def plural_form(count: float, locale: Locale) -> str:
    """The CLDR plural form of a number: one of `PLURAL_FORMS`."""
    whole = int(count) == count
    return str(locale.plural_form(abs(int(count)) if whole else Decimal(str(abs(count)))))


@lru_cache(maxsize=256)
def counting_forms(locale: Locale) -> tuple[str, ...]:
    """The plural forms that a language needs to count whole things, in CLDR's order."""
    found = {plural_form(count, locale) for count in range(_TRIED)} | {"other"}
    return tuple(form for form in PLURAL_FORMS if form in found)
