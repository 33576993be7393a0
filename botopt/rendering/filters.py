"""The filters of the policy language: what each takes, what it gives, and what it does.

They format in the locale of the message (not of the user, whose locale may have no wording of its own) and show times
in the user's time zone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import quote

import msgspec
from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from botopt.model.condition import NUMERIC, ValueType
from botopt.rendering import formats
from botopt.rendering.scene import Instant, Refusal, Scene, kind, need, number_text, scene_of

Types = frozenset[ValueType]
"""The types that a value can have; all of them where nothing is known."""

ANY: Types = frozenset(ValueType)
TEXT: Types = frozenset({ValueType.TEXT})
WHOLE: Types = frozenset({ValueType.INTEGER})
TIME: Types = frozenset({ValueType.TIME})
PLAIN: Types = TEXT | NUMERIC

_FORMATTED = 10  # steps: Babel's work weighs as much as ten printed pieces
_CHARACTERS_A_STEP = 100


class Parameter(msgspec.Struct, frozen=True):
    """What may stand in the brackets of a filter. `constant`: it must be written out, not looked up."""

    name: str
    types: Types
    required: bool = True
    constant: bool = False


class Filter(msgspec.Struct, frozen=True):
    """A filter: the types it `takes` and `gives`. `default` and `plural` have rules of their own besides."""

    name: str
    function: Callable[..., object]
    takes: Types
    gives: Types
    parameters: tuple[Parameter, ...] = ()
    example: str = ""


def _number(value: object, name: str) -> float:
    need(value)
    if type(value) is int or type(value) is float:
        return value
    raise Refusal(f'the filter "{name}" wants a number, and this is {kind(value)}')


def _text(scene: Scene, value: object, name: str) -> str:
    need(value)
    if type(value) is str:
        scene.spend(1 + len(value) // _CHARACTERS_A_STEP)
        return value
    raise Refusal(f'the filter "{name}" wants text, and this is {kind(value)}')


def _instant(value: object, name: str) -> Instant:
    need(value)
    if isinstance(value, Instant):
        return value
    raise Refusal(f'the filter "{name}" wants a time, and this is {kind(value)}')


def _formatting(context: Context) -> Scene:
    scene = scene_of(context)
    scene.spend(_FORMATTED)
    return scene


_CURRENCY = re.compile(r"[A-Z]{3}")


@pass_context
def money(context: Context, value: object, currency: object) -> str:
    """An amount with its currency.

    `{{ 129.5 | money('EUR') }}` is `€129.50`.
    """
    scene = _formatting(context)
    code = _text(scene, currency, "money").upper()
    if not _CURRENCY.fullmatch(code):
        raise Refusal('the filter "money" wants a currency of three letters, such as EUR')
    return formats.money(_number(value, "money"), code, scene.locale)


@pass_context
def number(context: Context, value: object) -> str:
    """Up to three decimals: `{{ 1234.5678 | number }}` is `1,234.568`."""
    return formats.number(_number(value, "number"), _formatting(context).locale)


@pass_context
def percent(context: Context, value: object) -> str:
    """A share: `{{ 0.25 | percent }}` is `25%`."""
    return formats.percent(_number(value, "percent"), _formatting(context).locale)


@pass_context
def date(context: Context, value: object) -> str:
    """The day on the user's calendar: `{{ eta | date }}` is `Mar 1, 2026`."""
    scene = _formatting(context)
    return formats.date(scene.local(_instant(value, "date")), scene.locale)


@pass_context
def time(context: Context, value: object) -> str:
    """The time on the user's clock: `{{ eta | time }}` is `9:30 AM`."""
    scene = _formatting(context)
    return formats.clock(scene.local(_instant(value, "time")), scene.locale)


@pass_context
def ago(context: Context, value: object) -> str:
    """The distance from now: `{{ placed | ago }}` is `3 hours ago`, or `in 3 hours` for a time to come."""
    scene = _formatting(context)
    try:
        return formats.ago(timedelta(microseconds=_instant(value, "ago") - scene.now_us), scene.locale)
    except OverflowError as error:
        raise Refusal("this time is too far away to be printed") from error


@pass_context
def plural(context: Context, value: object, one: object = None, other: object = None, **named: object) -> str:
    """The form that fits the number, which takes the place of `#`.

    `{{ 3 | plural('one item', '# items') }}` is `3 items`. Languages with more than two forms name them as CLDR
    does: `plural(one='…', few='…', many='…', other='…')`. A form that is not given is `other`.
    """
    scene = _formatting(context)
    count = _number(value, "plural")
    forms = {"one": one, "other": other, **named}
    form = forms.get(formats.plural_form(count, scene.locale))
    return _text(scene, other if form is None else form, "plural").replace("#", formats.number(count, scene.locale))


_WORD = re.compile(r"(?:^|(?<=[\s(\[{<\-–—/]))\w")


@pass_context
def title(context: Context, value: object) -> str:
    """Every word begins with a capital letter and goes on with small ones: `{{ 'ANN LEE' | title }}` is `Ann Lee`."""
    text = _text(scene_of(context), value, "title").lower()
    return _WORD.sub(lambda found: found.group().title(), text)


@pass_context
def truncate(context: Context, value: object, length: object) -> str:
    """At most so many characters, cut after a word.

    `{{ 'a long text' | truncate(8) }}` is `a long…`.
    """
    text, most = _text(scene_of(context), value, "truncate"), _number(length, "truncate")
    if type(most) is not int or most < 1:
        raise Refusal('the filter "truncate" wants a whole number from 1 on')
    if len(text) <= most:
        return text
    end = most - 1
    while end > 0 and _belongs_before(text, end):
        end -= 1
    kept = text[:end]
    if not text[end].isspace() and " " in kept.strip():
        kept = kept.rsplit(maxsplit=1)[0]
    return kept.rstrip() + "…"


def _belongs_before(text: str, index: int) -> bool:
    """Whether a character is one with that before it: an accent, a skin tone, a joined emoji."""
    char = text[index]
    joins = "\u200d" in (char, text[index - 1]) or "\ufe00" <= char <= "\ufe0f" or "\U0001f3fb" <= char <= "\U0001f3ff"
    return joins or unicodedata.combining(char) != 0


@pass_context
def urlencode(context: Context, value: object) -> str:
    """A value as one part of a link, special characters encoded: `{{ 'A/1' | urlencode }}` is `A%2F1`."""
    need(value)
    if isinstance(value, (int, float)) and not isinstance(value, (bool, Instant)):
        return quote(number_text(value), safe="")
    return quote(_text(scene_of(context), value, "urlencode"), safe="")


@pass_context
def length(context: Context, value: object) -> int:
    """How many items a list has, or characters a text."""
    scene_of(context).spend(1)
    need(value)
    if isinstance(value, (str, list, tuple)):
        return len(value)
    raise Refusal(f'the filter "length" wants a list or text, and this is {kind(value)}')


@pass_context
def default(context: Context, value: object, instead: object) -> object:
    """Another value where this one is absent."""
    scene_of(context).spend(1)
    return instead if isinstance(value, Undefined) else value


_FORMS = tuple(
    Parameter(form, TEXT, required=form == "other") for form in ("one", "other", "zero", "two", "few", "many")
)

_ALL = (
    Filter("ago", ago, TIME, TEXT, example="{{ placed | ago }}"),
    Filter("date", date, TIME, TEXT, example="{{ eta | date }}"),
    Filter("default", default, ANY, ANY, (Parameter("instead", ANY),), "{{ name | default('there') }}"),
    Filter("length", length, TEXT | {ValueType.LIST}, WHOLE, example="{{ items | length }}"),
    Filter("money", money, NUMERIC, TEXT, (Parameter("currency", TEXT),), "{{ amount | money('EUR') }}"),
    Filter("number", number, NUMERIC, TEXT, example="{{ amount | number }}"),
    Filter("percent", percent, NUMERIC, TEXT, example="{{ share | percent }}"),
    Filter("plural", plural, NUMERIC, TEXT, _FORMS, "{{ n | plural('one item', '# items') }}"),
    Filter("time", time, TIME, TEXT, example="{{ eta | time }}"),
    Filter("title", title, TEXT, TEXT, example="{{ name | title }}"),
    Filter(
        "truncate", truncate, TEXT, TEXT, (Parameter("length", WHOLE, constant=True),), "{{ subject | truncate(20) }}"
    ),
    Filter("urlencode", urlencode, PLAIN, TEXT, example="{{ order_id | urlencode }}"),
)

FILTERS: Mapping[str, Filter] = {filter_.name: filter_ for filter_ in _ALL}
"""Every filter by its name."""
