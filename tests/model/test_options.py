"""Options of channels: what the environment puts in, and what is wrong with a value."""

from __future__ import annotations

import re

import pytest

from botopt.delivery.making import make_channel
from botopt.model import policy
from botopt.model.channels import Channel, ChannelType, Option, OptionType
from botopt.model.errors import UsageError
from botopt.model.options import broken_reference, converted, fault, filled, is_reference, names_in
from tests.delivery.messages import surroundings

SECRET = "s3cr3t-t0ken-of-mine"
TYPE = ChannelType(
    name="some",
    summary="",
    make=lambda options, around: _made(options),
    options=(
        Option("url", OptionType.URL, "X.", required=True),
        Option("count", OptionType.INTEGER, "X.", default=3, minimum=1, maximum=9),
        Option("share", OptionType.NUMBER, "X."),
        Option("truth", OptionType.BOOLEAN, "X.", default=False),
        Option("wait", OptionType.DURATION, "X.", default=5_000_000),
        Option("texts", OptionType.TEXTS, "X."),
        Option("map", OptionType.NAME_MAP, "X."),
        Option("plain", OptionType.PLAIN, "X."),
        Option("token", OptionType.TEXT, "X.", secret=True),
    ),
)


class _Made(Channel):
    def __init__(self, options: object) -> None:
        self.options = options


def _made(options: object) -> Channel:
    if options["share"] == 0.5:  # type: ignore[index]
        raise ValueError("share must not be a half")
    return _Made(options)


def test_defaults_are_filled_in_and_names_replaced():
    given: dict[str, policy.Value] = {
        "url": "https://${HOST}:${PORT}/x",
        "count": "${COUNT}",
        "share": "${SHARE}",
        "truth": "${TRUTH}",
        "wait": "${WAIT}",
        "texts": ["a", "${TOKEN}"],
        "map": {"A": "${HOST}"},
        "plain": {"a": ["${HOST}", 1, None]},
        "token": "${TOKEN}",
    }
    environment = {
        "HOST": "example.com",
        "PORT": "8443",
        "COUNT": "7",
        "SHARE": "0.25",
        "TRUTH": "true",
        "WAIT": "1m30s",
        "TOKEN": "${HOST}",  # a value is a value: nothing in it is replaced again
    }
    assert filled(TYPE, given, environment) == {
        "url": "https://example.com:8443/x",
        "count": 7,
        "share": 0.25,
        "truth": True,
        "wait": 90_000_000,
        "texts": ["a", "${HOST}"],
        "map": {"A": "example.com"},
        "plain": {"a": ["example.com", 1, None]},
        "token": "${HOST}",
    }
    assert filled(TYPE, {"url": "https://x"}, {}) == {
        "url": "https://x",
        "count": 3,
        "share": None,
        "truth": False,
        "wait": 5_000_000,
        "texts": None,
        "map": None,
        "plain": None,
        "token": None,
    }


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"url": None}, "url is missing"),
        ({"uri": "x"}, "some has no option uri"),
        ({"token": "${TOKEN}", "texts": "${OTHER}"}, "the environment has no TOKEN and no OTHER"),
        ({"token": "${BLANK}"}, "the environment has no BLANK"),
        ({"url": "${SECRET}"}, "url must be an address such as https://example.com/hook"),
        ({"url": "https://me:${SECRET}@x.y"}, "url must not hold a user or a password"),
        ({"count": "${SECRET}"}, "count must be a whole number from 1 to 9"),
        ({"count": 10}, "count must be a whole number from 1 to 9"),
        ({"count": "1e0"}, "count must be a whole number from 1 to 9"),
        ({"count": True}, "count must be a whole number from 1 to 9"),
        ({"share": "nan"}, "share must be a number"),
        ({"share": []}, "share must be a number"),
        ({"truth": "yes"}, "truth must be true or false"),
        ({"wait": "${SECRET}"}, "wait must be a duration such as 30s, 15m or 6h"),
        ({"wait": 0}, "wait must be a duration such as 30s, 15m or 6h"),
        ({"texts": []}, "texts must be a list of texts"),
        ({"texts": [1]}, "texts must be a list of texts"),
        ({"map": {"a": 1}}, "map must be a map from names to texts"),
        ({"token": 5}, "token must be a text with something in it"),
    ],
)
def test_what_is_wrong_is_said_without_the_value(changes: dict[str, policy.Value], sentence: str):
    given = {"url": "https://x", **changes}
    with pytest.raises(ValueError, match=re.escape(sentence)) as raised:
        filled(TYPE, given, {"SECRET": SECRET, "BLANK": "  "})
    assert str(raised.value) == sentence


def test_a_channel_is_made_from_the_policy():
    types = {"some": TYPE}
    channel = policy.Channel("chat", "some", (("token", "${TOKEN}"), ("url", "https://x")))
    made = make_channel(channel, surroundings(), {"TOKEN": SECRET}, types)
    assert made.options["token"] == SECRET  # type: ignore[attr-defined]
    for wrong, environment, sentence in (
        (channel, {}, 'the channel "chat": the environment has no TOKEN'),
        (
            policy.Channel("chat", "some", (("share", 0.5), ("url", "https://x"))),
            {},
            'the channel "chat": share must not be a half',
        ),
        (policy.Channel("chat", "other"), {}, 'the channel "chat" is of the type other, which is not installed'),
    ):
        with pytest.raises(UsageError) as raised:
            make_channel(wrong, surroundings(), environment, types)
        assert str(raised.value) == sentence
        assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "whole", "broken"),
    [
        ("${A}", True, False),
        ("${a_1}", True, False),
        ("x${A}", False, False),
        ("${A}${B}", False, False),
        ("$A", False, False),
        ("${", False, True),
        ("${}", False, True),
        ("${1}", False, True),
        ("${A B}", False, True),
        ("${A:-x}", False, True),
        ("${A}${", False, True),
        ("plain", False, False),
    ],
)
def test_what_stands_for_a_value_of_the_environment(text: str, whole: bool, broken: bool):
    assert (is_reference(text), broken_reference(text)) == (whole, broken)


def test_the_names_that_options_want():
    assert names_in({"a": "${X} ${Y}", "b": ["${X}", {"c": "${Z}"}], "d": 5}) == ("X", "Y", "Z")


def test_one_text_is_a_list_of_texts():
    option = Option("a", OptionType.TEXTS, "X.")
    assert fault(option, "x") == ""
    assert converted(option, "x") == ["x"]
