"""What is alive while a template runs: its values, for whom it runs, and the steps it has taken.

All bounds are counted, never timed, so that the same event gives the same answer on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from babel import Locale
from jinja2 import StrictUndefined, Undefined
from jinja2.exceptions import TemplateRuntimeError
from jinja2.runtime import Context

from botopt.model.zones import local

MAX_CHARACTERS = 10_000
"""The longest text, title, label or link that a template may make, and the longest text it may join."""

MAX_STEPS = 10_000
"""How many steps one text may take: a turn of a loop, a printed piece, a calculation; ten for a formatted value."""

EXACT = 2**53
"""Whole numbers below this are kept exactly by every number type."""


class Refusal(TemplateRuntimeError):
    """The template goes over a bound, or does with a value what cannot be done. The message is for its author."""


class Absent(StrictUndefined):
    """A value that is not there. It can be asked whether it `is defined`, and `default` takes its place."""

    __slots__ = ()


class Instant(int):
    """A moment in microseconds since 1970 UTC: a value of a field of type `time`."""

    __slots__ = ()


class Scene:
    """For whom one text is rendered, and the steps it has taken so far."""

    __slots__ = ("locale", "now_us", "steps", "timezone")

    def __init__(self, locale: Locale, timezone: str, now_us: int) -> None:
        self.locale = locale
        self.timezone = timezone
        self.now_us = now_us
        self.steps = 0

    def spend(self, steps: int) -> None:
        """Count steps.

        Raises:
            Refusal: too many.
        """
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise Refusal(f"it takes more than {MAX_STEPS:,} steps to write this text")

    def local(self, instant: Instant) -> datetime:
        """The moment on the user's wall clock, without its zone, which nothing prints."""
        try:
            return local(instant, self.timezone).replace(tzinfo=None)
        except OverflowError as error:
            raise Refusal("this time is too far away to be printed") from error


SCENE = "_scene"
"""The name of the scene among a template's variables; authors' names never begin with `_`."""


def scene_of(context: Context) -> Scene:
    """The scene of the text that is being rendered."""
    scene: Scene = context.parent[SCENE]
    return scene


def kind(value: object) -> str:
    """What a value is, in the author's words."""
    match value:
        case bool():
            return "true or false"
        case Instant():
            return "a time"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "an object"
        case _:
            return "nothing that a template can use"


def need(value: object) -> None:
    """Refuse an absent value with the words that it carries."""
    if isinstance(value, Undefined):
        str(value)


def number_text(value: float) -> str:
    """A number in its shortest form, without an exponent at ordinary sizes: 5.0 is `5`, 0.1 + 0.2 is `0.3`."""
    if isinstance(value, int):
        try:
            return str(value)
        except ValueError as error:  # Python refuses to write out thousands of digits
            raise Refusal("this number is too long to be printed") from error
    if not math.isfinite(value):
        raise Refusal("this number is too large to be printed")
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    short = f"{value:.15g}"
    return f"{Decimal(short):f}" if "e" in short and 1e-9 <= abs(value) < 1e21 else short
