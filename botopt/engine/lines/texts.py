"""Pieces of record lines, letter by letter what `botopt.model.record.encode_line` writes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from json.encoder import encode_basestring

from botopt.engine.rounding import exact, rounded
from botopt.engine.scoring import Weighed, fatigue_of, needed
from botopt.model.decision import Choice, Outcome, Part, Reason, Rendered
from botopt.model.instants import instant_text
from botopt.model.policy import Settings
from botopt.model.record import encode_number, encode_plain, plain_parts

Key = tuple[str, Outcome, Reason | None]
"""What decisions are counted by: event type, outcome, reason."""

quoted = encode_basestring
"""A text in double quotes."""


def decimal(value: float) -> str:
    """A number from 0 up, rounded as records report it, in its shortest form."""
    number = int(value * 1e6 + 0.5)  # `rounded`
    if 100 <= number < _MOST:
        rest = number % 1_000
        return _HEADS[number // 1_000] + _TAILS[rest] if rest else _SHORT[number // 1_000]
    return encode_number(rounded(value)) if number else "0"  # an exponent, perhaps


def signed(value: float) -> str:
    """A number of any sign in the same form."""
    if value >= 0.0:
        return decimal(value)
    text = decimal(-value)
    return text if text == "0" else f"-{text}"


# Texts of numbers below 2, in thousandths, and of what follows those: half the time of formatting them.
_MOST = 2_000_000
_HEADS = tuple(f"{number // 1_000}.{number % 1_000:03}" for number in range(_MOST // 1_000))
_SHORT = tuple(head.rstrip("0").rstrip(".") for head in _HEADS)
_FULL = tuple(f"{number:03}" for number in range(1_000))
_TAILS = tuple(text.rstrip("0") for text in _FULL)


def optional(text: str | None) -> str:
    """A text in double quotes, or null."""
    return "null" if text is None else quoted(text)


def instant(us: int | None) -> str:
    """An instant in double quotes, or null."""
    return "null" if us is None else f'"{instant_text(us)}"'


def _terms(parts: Sequence[Part]) -> str:
    return encode_plain(plain_parts([Part(part.part, part.id, rounded(part.value)) for part in parts]))[1:-1]


class Ending:
    """How decisions of one event type end that end alike, and how many there were.

    `text` goes from `line` up to the value of `until`.
    """

    __slots__ = ("count", "key", "text")

    def __init__(self, event_type: str, outcome: Outcome, reason: Reason | None, by: str | None) -> None:
        self.key: Key = (event_type, outcome, reason)
        self.count = 0
        ended = f'"outcome":"{outcome}","reason":{optional(reason)},"by":{optional(by)}'
        self.text = f'","line":null,{ended},"detail":null,"until":'


class Bar:
    """How high the score must be: the number, its text, and the end of `parts`."""

    __slots__ = ("end", "needed", "text")

    def __init__(self, needed: float, lowered: str, tired: str) -> None:
        self.needed = needed
        self.text = decimal(needed)
        self.end = f"}},{lowered}{tired}]"


class Scored:
    """What follows from which rules hold, as texts.

    The bars are by the number of unanswered messages; `paced` begins the end of one that a budget moves.
    """

    __slots__ = ("_lowered", "_settings", "bars", "begin", "paced", "score", "score_text", "weighed")

    def __init__(self, weighed: Weighed, score: float, settings: Settings) -> None:
        self.weighed = weighed
        self.score = score
        self.score_text = decimal(score)
        self.begin = f',"parts":[{_terms(weighed.parts)},{{"part":"engagement","id":null,"value":'
        self.bars: dict[int, Bar] = {}
        self._lowered = f"{_terms(weighed.lowered)}," if weighed.lowered else ""
        self._settings = settings
        self.paced = f'}},{self._lowered}{{"part":"pacing","id":null,"value":'

    def bar(self, unanswered: int) -> Bar:
        """The bar after so many unanswered messages."""
        fatigue = fatigue_of(unanswered, self._settings) if unanswered else 0.0
        bar = self.bars[unanswered] = Bar(needed(self.weighed, fatigue), self._lowered, _tired(fatigue))
        return bar


@cache
def _tired(fatigue: float) -> str:
    return _terms([Part("fatigue", None, fatigue)])


def choices(drawn: Sequence[Choice]) -> str:
    """The draws."""
    return f"[{','.join(map(_choice, drawn))}]" if drawn else "[]"


def _choice(choice: Choice) -> str:
    drawn = "null" if choice.draw is None else _share(choice.draw)
    return (
        f'{_chosen(choice.purpose, choice.eligible, choice.chosen)}{drawn},"propensity":{_share(choice.propensity)}}}'
    )


def _share(value: float) -> str:
    """A draw or a chance, rounded as records report it, in its shortest form."""
    number = int(value * 1e9 + 0.5)  # `exact`
    if number < 100_000:
        return encode_number(exact(value))  # an exponent, perhaps
    head, rest = divmod(number, 1_000_000)
    if not rest:
        return _SHORT[head]
    middle, rest = divmod(rest, 1_000)
    return f"{_HEADS[head]}{_FULL[middle]}{_TAILS[rest]}" if rest else _HEADS[head] + _TAILS[middle]


@lru_cache(maxsize=4_096)
def _chosen(purpose: str, eligible: tuple[str, ...], chosen: str) -> str:
    """A draw up to the number that was drawn."""
    return f'{{"purpose":"{purpose}","eligible":{encode_plain(eligible)},"chosen":"{chosen}","draw":'


def message(message_id: str, template: str, variant: str, channel: str, words: Rendered) -> str:
    """The message that was sent."""
    buttons = ""
    if words.buttons:
        buttons = ",".join(
            f'{{"label":{quoted(button.label)},"link":{optional(button.link)}}}' for button in words.buttons
        )
    return (
        f'{{"id":"{message_id}","template":"{template}","variant":"{variant}","locale":{quoted(words.locale)},'
        f'"channel":"{channel}","text":{quoted(words.text)},"title":{optional(words.title)},"buttons":[{buttons}]}}'
    )
