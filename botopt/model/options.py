"""The options of channels: values of their types, and `${NAME}`, which stands for a value of the environment.

Options are read twice: when a policy is loaded, where a `${NAME}` is left as it is, and when a channel is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import assert_never
from urllib.parse import urlsplit

from botopt.model.channels import ChannelType, Option, OptionType
from botopt.model.durations import parse_duration
from botopt.model.policy import Value

OF_EVERY_CHANNEL = (
    "type",
    "max_length",
    "to",
    "fallback",
    "reply",
    "rate",
    "concurrency",
    "timeout",
    "retry_for",
    "when_unsure",
)
"""Keys of a channel that mean the same whatever its type; no option may be called so."""

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)
_BROKEN = re.compile(r"\$\{(?![A-Za-z_][A-Za-z0-9_]*\})", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f]")


def is_reference(text: str) -> bool:
    """Whether a text is one `${NAME}` and nothing else."""
    return _REFERENCE.fullmatch(text) is not None


def has_reference(value: object) -> bool:
    """Whether there is a `${NAME}` somewhere in a value."""
    return any(_REFERENCE.search(text) for text in texts_in(value))


def broken_reference(text: str) -> bool:
    """Whether a `${` begins something that is no `${NAME}`."""
    return _BROKEN.search(text) is not None


def names_in(options: Mapping[str, Value]) -> tuple[str, ...]:
    """The names that options want from the environment, in their order."""
    found = (name for value in options.values() for text in texts_in(value) for name in _REFERENCE.findall(text))
    return tuple(dict.fromkeys(found))


def texts_in(value: object) -> Iterator[str]:
    """Every text in a value."""
    match value:
        case str():
            yield value
        case list() | tuple():
            for item in value:
                yield from texts_in(item)
        case dict():
            for item in value.values():
                yield from texts_in(item)
        case _:
            pass


def filled(type_: ChannelType, options: Mapping[str, Value], environment: Mapping[str, str]) -> dict[str, Value]:
    """The options with which a channel of this type is made: `${NAME}` replaced, defaults filled in.

    Raises:
        ValueError: a sentence about an option that is missing, unknown or wrong. It never holds a value.
    """
    known = {option.name: option for option in type_.options}
    for name in options:
        if name not in known:
            raise ValueError(f"{type_.name} has no option {name}")
    absent = [name for name in names_in(options) if not environment.get(name, "").strip()]
    if absent:
        raise ValueError(f"the environment has no {' and no '.join(absent)}")
    found: dict[str, Value] = {}
    for option in type_.options:
        given = options.get(option.name)
        if given is None:
            if option.required:
                raise ValueError(f"{option.name} is missing")
            found[option.name] = option.default
            continue
        value = _replaced(given, environment)
        sentence = fault(option, value)
        if sentence:
            raise ValueError(f"{option.name} {sentence}")
        found[option.name] = converted(option, value)
    return found


def fault(option: Option, value: object) -> str:
    """What is wrong with a value whose `${NAME}` are replaced, after the option's name; empty for nothing.

    Numbers, truths and durations may be texts, as the environment has nothing else. The value is never quoted.
    """
    match option.type:
        case OptionType.TEXT:
            fits = isinstance(value, str) and bool(value.strip())
            if fits and option.one_of and value not in option.one_of:
                return f"must be {_either(option.one_of)}"
            return "" if fits else "must be a text with something in it"
        case OptionType.INTEGER | OptionType.NUMBER:
            return _number_fault(option, value)
        case OptionType.BOOLEAN:
            return "" if isinstance(value, bool) or value in {"true", "false"} else "must be true or false"
        case OptionType.DURATION:
            us = parse_duration(value) if isinstance(value, str) else value
            fits = isinstance(us, int) and not isinstance(us, bool) and us > 0
            return "" if fits else "must be a duration such as 30s, 15m or 6h"
        case OptionType.URL:
            return url_fault(value)
        case OptionType.TEXTS:
            items = [value] if isinstance(value, str) else value
            fits = isinstance(items, list) and bool(items) and all(isinstance(x, str) and x.strip() for x in items)
            return "" if fits else "must be a list of texts"
        case OptionType.NAME_MAP:
            fits = isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
            return "" if fits else "must be a map from names to texts"
        case OptionType.PLAIN:
            return ""
        case _:
            assert_never(option.type)


def converted(option: Option, value: Value) -> Value:
    """A value without a fault, as channels take it: durations in microseconds, lists where lists are wanted."""
    match option.type:
        case OptionType.TEXTS if isinstance(value, str):
            return [value]
        case OptionType.NUMBER if isinstance(value, (str, int)):
            return float(value)
        case OptionType.INTEGER if isinstance(value, (str, float)):
            return int(value)
        case OptionType.BOOLEAN if isinstance(value, str):
            return value == "true"
        case OptionType.DURATION if isinstance(value, str):
            return parse_duration(value)
    return value


def url_fault(value: object) -> str:
    """What is wrong with the address of a request, after its option's name; empty for nothing."""
    wanted = "must be an address such as https://example.com/hook"
    if not isinstance(value, str) or _CONTROL.search(value):
        return wanted
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return wanted
    if parts.scheme not in {"http", "https"} or not host:
        return wanted
    return "must not hold a user or a password" if "@" in parts.netloc else ""


def _number_fault(option: Option, value: object) -> str:
    whole = option.type is OptionType.INTEGER
    wanted = f"must be a {'whole ' if whole else ''}number{_bounds(option)}"
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return wanted
    try:
        number = float(value)
    except ValueError:
        return wanted
    if number != number or abs(number) > 2**53 or (whole and number != int(number)):  # noqa: PLR0124  # not a number
        return wanted
    if whole and isinstance(value, str) and not value.strip().lstrip("-").isdecimal():
        return wanted
    fits = (option.minimum is None or number >= option.minimum) and (option.maximum is None or number <= option.maximum)
    return "" if fits else wanted


def _bounds(option: Option) -> str:
    if option.minimum is not None and option.maximum is not None:
        return f" from {option.minimum:.15g} to {option.maximum:.15g}"
    if option.minimum is not None:
        return f" of at least {option.minimum:.15g}"
    return f" of at most {option.maximum:.15g}" if option.maximum is not None else ""


def _either(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _replaced(value: Value, environment: Mapping[str, str]) -> Value:
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: environment[found[1]], value)
    if isinstance(value, list):
        return [_replaced(item, environment) for item in value]  # type: ignore[arg-type]
    if isinstance(value, dict):
        return {name: _replaced(item, environment) for name, item in value.items()}  # type: ignore[arg-type]
    return value
