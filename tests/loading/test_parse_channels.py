"""Channels: the options of their types, secrets, and how they deliver."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from botopt.delivery.registry import CHANNEL_TYPES as REGISTERED
from botopt.model.channels import Channel, ChannelType, Option, OptionType, Surroundings
from botopt.model.durations import DAY_US, HOUR_US, SECOND_US
from botopt.model.errors import UsageError
from botopt.model.policy import DeliverySettings, Value, WhenUnsure
from tests.loading.making import check_marked, load_files, said


def _never(options: Mapping[str, Value], surroundings: Surroundings) -> Channel:
    raise AssertionError("a policy is read without making its channels")


TYPES: Mapping[str, ChannelType] = {
    "console": ChannelType(name="console", summary="", make=_never),
    "every": ChannelType(
        name="every",
        summary="",
        make=_never,
        options=(
            Option("text", OptionType.TEXT, "A text."),
            Option("word", OptionType.TEXT, "A word.", one_of=("big", "small"), default="big"),
            Option("whole", OptionType.INTEGER, "A number.", minimum=1, maximum=9),
            Option("number", OptionType.NUMBER, "A number.", minimum=0),
            Option("truth", OptionType.BOOLEAN, "A truth."),
            Option("wait", OptionType.DURATION, "A duration."),
            Option("url", OptionType.URL, "An address."),
            Option("texts", OptionType.TEXTS, "Texts."),
            Option("map", OptionType.NAME_MAP, "A map."),
            Option("plain", OptionType.PLAIN, "Anything."),
            Option("token", OptionType.TEXT, "A secret.", secret=True),
            Option("tokens", OptionType.TEXTS, "Secrets.", secret=True),
            Option("keys", OptionType.NAME_MAP, "Secrets by name.", secret=True),
        ),
        settings=DeliverySettings(timeout_us=20 * SECOND_US, when_unsure=WhenUnsure.RETRY),
        check=lambda options: (
            ("text and word big exclude each other",) if options["text"] == "no" and options["word"] == "big" else ()
        ),
    ),
    "strict": ChannelType(
        name="strict",
        summary="",
        make=_never,
        max_length=160,
        options=(
            Option("url", OptionType.URL, "Where to post. More words.", required=True),
            Option("key", OptionType.TEXT, "What `signs` it.", required=True, secret=True),
        ),
    ),
    "phone": ChannelType(name="phone", summary="", make=_never, addressed="a phone number such as +4915…"),
    "bot": ChannelType(name="bot", summary="", make=_never, needs_transport=True),
}
USER = "user: {phone: {type: text, optional: true}, age: {type: integer, optional: true}}\n"

MISTAKES = [
    # Options, by their types.
    ("c: {type: every, text: ⟦5⟧}", "B104", "text must be a text, not 5", 'text: "5"'),
    ("c: {type: every, word: ⟦bgi⟧}", "B105", "word must be big or small", '"big"'),
    ("c: {type: every, whole: ⟦10⟧}", "B106", "whole must be a whole number from 1 to 9, not 10", ""),
    ("c: {type: every, whole: ⟦1.5⟧}", "B104", "whole must be a whole number", ""),
    ("c: {type: every, number: ⟦-1⟧}", "B106", "number must be a number of at least 0", ""),
    ("c: {type: every, truth: ⟦maybe⟧}", "B104", "truth must be true or false", ""),
    ("c: {type: every, wait: ⟦15⟧}", "B109", "wait must be a duration", "15s"),
    ("c: {type: every, url: ⟦example.com/x⟧}", "B104", "url must be an address such as https://", "https://example.com/x"),
    ("c: {type: every, url: ⟦ftp://example.com⟧}", "B104", "url must be an address", ""),
    ("c: {type: every, texts: ⟦[]⟧}", "B111", "texts is an empty list", ""),
    ("c: {type: every, texts: [a, ⟦5⟧]}", "B104", "each entry of texts must be a text", ""),
    ("c: {type: every, map: ⟦x⟧}", "B104", "map must be a map", "map: {NAME: …}"),
    ("c: {type: every, map: {a: ⟦1⟧}}", "B104", "a of map must be a text", ""),
    ("c: {type: every, ⟦txt⟧: x}", "B101", 'unknown key "txt" in the channel "c"', '"text"'),
    ("⟦c⟧: {type: strict, key: '${K}'}", "B103", 'the channel "c" has no url', "add url: … (where to post)"),
    ("⟦my-c⟧: {type: strict, url: https://x.y}", "B103", "has no key", "add key: ${MY_C_KEY} (what signs it)"),
    ("c: {type: strict, url: https://x.y, key: '${K}', max_length: ⟦161⟧}", "B106", "from 1 to 160", ""),
    # Types.
    ("c: {type: ⟦sms⟧}", "B102", 'unknown channel type "sms"', "is the package that brings another one installed?"),
    ("c: {type: ⟦evry⟧}", "B102", 'unknown channel type "evry"', '"every"'),
    ("c: ⟦console⟧", "B104", "c must be a map", "c: {type: console}"),
    ("c: {type: ⟦[every]⟧}", "B104", "type must be a text", ""),
    # What stands for a value of the environment.
    ("c: {type: every, text: ⟦'${a-b}'⟧}", "B125", "text holds a ${ that begins no ${NAME}", "letters, digits and _"),
    ("c: {type: every, texts: [a, ⟦'x${'⟧]}", "B125", "texts holds a ${", ""),
    ("c: {type: every, map: {a: ⟦'${1A}'⟧}}", "B125", "map holds a ${", ""),
    ("c: {type: every, whole: ⟦'${}'⟧}", "B125", "whole holds a ${", ""),
    # What does not go together.
    ("c: {type: every, text: ⟦'no'⟧}", "B126", "text and word big exclude each other", ""),
    # How it delivers.
    ("c: {type: phone, to: ⟦user.phon⟧}", "B102", 'unknown attribute "user.phon"', '"phone"'),
    ("c: {type: phone, to: ⟦user.mobile_number⟧}", "B102", "unknown attribute", "there are age and phone"),
    ("c: {type: phone, to: ⟦phone⟧}", "B104", "to must be an attribute of the user", "to: user.phone"),
    ("c: {type: phone, to: ⟦'+49 1'⟧}", "B104", "to must be an attribute of the user", "user.phone"),
    ("c: {type: phone, to: ⟦user.age⟧}", "B104", "user.age is of type integer", "type: text"),
    ("c: {type: phone, to: ⟦user.id⟧}", "B113", "user.id is what is done anyway", "delete to"),
    ("c: {type: phone, to: ⟦user.locale⟧}", "B102", "user.timezone and user.locale are no addresses", ""),
    ("⟦c⟧: {type: phone}", "B127", "does not say where users are reached", "that holds a phone number such as +4915…"),
    ("⟦c⟧: {type: bot}", "B128", "may only give texts back", "add reply: CHANNEL"),
    ("c: {type: console, ⟦reply⟧: d}\n  d: {type: console}", "B113", "console brings messages to users itself", ""),
    ("c: {type: bot, reply: ⟦d⟧}\n  d: {type: bot, reply: e}\n  e: {type: console}", "B113", '"d" may only give', ""),
    ("c: {type: console, fallback: ⟦dd⟧}\n  d: {type: console}", "B102", 'unknown channel "dd"', '"d"'),
    ("c: {type: console, fallback: ⟦c⟧}", "B129", 'the channel "c" leads back to itself', "must end somewhere"),
    ("c: {type: bot, reply: ⟦d⟧}\n  d: {type: console, fallback: c}", "B129", "c → d → c", ""),
    ("c: {type: console, rate: ⟦10⟧}", "B104", "rate must be a map", "rate: {messages: 10, per: 1s}"),
    ("c: {type: console, rate: ⟦{per: 1s}⟧}", "B103", "has no messages", "rate: {messages: 10, per: 1s}"),
    ("c: {type: console, rate: {messages: ⟦0⟧}}", "B106", "messages must be", ""),
    ("c: {type: console, rate: {messages: 1, ⟦pre⟧: 1s}}", "B101", "rate of the channel", '"per"'),
    ("c: {type: console, concurrency: ⟦65⟧}", "B106", "from 1 to 64", ""),
    ("c: {type: console, timeout: ⟦11m⟧}", "B106", "timeout must be from 1s to 10m", ""),
    ("c: {type: console, retry_for: ⟦31d⟧}", "B106", "retry_for must be from 1s to 30d", ""),
    ("c: {type: console, when_unsure: ⟦ask⟧}", "B105", "when_unsure must be retry or stop", ""),
    ("c: {type: console, ⟦retries⟧: 5}", "B101", 'unknown key "retries"', "retry_for: 6h"),
    ("c: {type: console, ⟦rate_limit⟧: 5}", "B101", "", "rate: {messages: 10, per: 1s}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "message", "hint"), MISTAKES)
def test_a_mistake_in_a_channel(text: str, code: str, message: str, hint: str):
    check_marked(f"{USER}channels:\n  {text}\n", code, message, hint, channel_types=TYPES)


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        ("$MY_TOKEN", "token must be a ${NAME}, with its braces", "put braces around the name: token: ${NAME}"),
        ("$(MY_TOKEN)", "token must be a ${NAME}, with its braces", "put braces around the name: token: ${NAME}"),
        ("'${my-token}'", "token must be a ${NAME}, and its name is none", "type token: ${C_TOKEN}"),
    ],
)
def test_a_secret_that_is_nearly_a_reference(value: str, message: str, hint: str):
    [found] = load_files({"rules/a.yaml": f"channels:\n  c: {{type: every, token: {value}}}\n"}, TYPES).diagnostics
    assert (found.code, found.message) == ("B125", message)
    assert hint in found.hint
    assert value.strip("'") not in repr(found)


def test_a_circle_that_others_lead_into_is_said_once():
    text = (
        "channels:\n  c: {type: console, fallback: d}\n  d: {type: console, fallback: e}\n"
        "  e: {type: console, fallback: d}\n"
    )
    [found] = load_files({"rules/a.yaml": text}, TYPES).diagnostics
    assert (found.code, found.position.line) == ("B129", 3)
    assert found.message == 'the channel "d" leads back to itself: d → e → d'


def channel(text: str) -> object:
    loaded = load_files({"rules/a.yaml": f"{USER}channels:\n  other: {{type: console}}\n  c: {text}\n"}, TYPES)
    assert loaded.policy is not None, said(loaded)
    return loaded.policy.channels["c"]


def test_options_are_kept_with_the_values_of_their_types():
    found = channel(
        "{type: every, text: x, word: small, whole: 5, number: 5, truth: true, wait: 1m30s, url: 'https://x.y/z?a=b',"
        " texts: [a, b], map: {A: b}, plain: {a: [1, {b: null}]}, token: '${T}', tokens: '${T}', keys: {A: '${T}'}}"
    )
    assert dict(found.options) == {  # type: ignore[attr-defined]
        "text": "x",
        "word": "small",
        "whole": 5,
        "number": 5.0,
        "truth": True,
        "wait": 90 * SECOND_US,
        "url": "https://x.y/z?a=b",
        "texts": ["a", "b"],
        "map": {"A": "b"},
        "plain": {"a": [1, {"b": None}]},
        "token": "${T}",
        "tokens": ["${T}"],
        "keys": {"A": "${T}"},
    }


def test_any_option_may_come_from_the_environment():
    found = channel(
        "{type: every, text: 'a ${A}', word: '${A}', whole: '${A}', number: '${A}', truth: '${A}', wait: '${A}',"
        " url: 'https://${A}/x', texts: ['${A}', b], map: {A: '${A}'}}"
    )
    options = dict(found.options)  # type: ignore[attr-defined]
    assert {name: options[name] for name in ("text", "word", "whole", "wait", "url")} == {
        "text": "a ${A}",
        "word": "${A}",
        "whole": "${A}",
        "wait": "${A}",
        "url": "https://${A}/x",
    }


def test_how_a_channel_delivers():
    assert channel("{type: every}").delivery == DeliverySettings(  # type: ignore[attr-defined]
        timeout_us=20 * SECOND_US, when_unsure=WhenUnsure.RETRY
    )
    assert channel(
        "{type: every, to: user.phone, fallback: other, rate: {messages: 5, per: 1m}, concurrency: 2, timeout: 5s,"
        " retry_for: 6h, when_unsure: stop}"
    ).delivery == DeliverySettings(  # type: ignore[attr-defined]
        to="phone",
        fallback="other",
        messages=5,
        per_us=60 * SECOND_US,
        concurrency=2,
        timeout_us=5 * SECOND_US,
        retry_for_us=6 * HOUR_US,
        when_unsure=WhenUnsure.STOP,
    )
    assert channel("{type: bot, reply: other, rate: {messages: 5}}").delivery == DeliverySettings(  # type: ignore[attr-defined]
        reply="other", messages=5, per_us=SECOND_US, retry_for_us=DAY_US
    )


def test_the_shorter_of_two_limits_of_length_holds():
    strict = "{type: strict, url: 'https://x.y', key: '${K}'%s}"
    assert channel(strict % "").max_length == 160  # type: ignore[attr-defined]
    assert channel(strict % ", max_length: 70").max_length == 70  # type: ignore[attr-defined]


def test_an_address_that_cannot_be_read_calls_no_attribute_unknown():
    rules = "user: {⟦: }\nchannels:\n  c: {type: phone, to: user.phone}\n"
    assert "B102" not in {one.code for one in load_files({"rules/a.yaml": rules}, TYPES).diagnostics}


SECRET = "s3cr3t-t0ken-of-mine"


@pytest.mark.parametrize(
    "text",
    [
        f"c: {{type: every, token: {SECRET}}}",
        f"c: {{type: every, token: 'Bearer {SECRET}'}}",
        f"c: {{type: every, token: '${{A}}{SECRET}'}}",
        f"c: {{type: every, token: '{SECRET}${{A}}'}}",
        f"c: {{type: every, token: [{SECRET}]}}",
        f"c: {{type: every, token: {{a: {SECRET}}}}}",
        f"c: {{type: every, tokens: ['${{A}}', {SECRET}, {SECRET}]}}",
        f"c: {{type: every, keys: {{A: {SECRET}}}}}",
        f"c: {{type: every, token: {SECRET}, txet: x, whole: x}}",
        f"c:\n    type: every\n    token: |\n      {SECRET}\n      {SECRET}\n",
        f"c:\n    type: every\n    token: >-\n      some words and\n      {SECRET}\n",
        f'c:\n    type: every\n    token: "some words\n      {SECRET}"\n',
        f"c: {{type: every, url: 'https://me:{SECRET}@x.y/'}}",
        f"c: {{type: strict, key: {SECRET}}}",
    ],
)
def test_a_secret_in_a_file_is_found_and_never_repeated(text: str):
    loaded = load_files({"rules/a.yaml": f"channels:\n  {text}\n"}, TYPES)
    assert "B124" in {one.code for one in loaded.diagnostics}, said(loaded)
    assert loaded.policy is None
    assert SECRET not in repr(loaded.diagnostics)


@pytest.mark.parametrize("value", ["12345678", "1.5", "true", "2026-07-01"])
def test_a_secret_that_yaml_takes_for_something_else_is_not_repeated_either(value: str):
    loaded = load_files({"rules/a.yaml": f"channels:\n  c: {{type: every, token: {value}}}\n"}, TYPES)
    assert [one.code for one in loaded.diagnostics] == ["B124"]
    assert value not in repr(loaded.diagnostics)


def test_the_line_of_a_finding_shows_dots_for_a_secret():
    loaded = load_files({"rules/a.yaml": f"channels:\n  c: {{type: every, token: {SECRET}, whole: x}}\n"}, TYPES)
    assert {one.source for one in loaded.diagnostics} == {
        f"  c: {{type: every, token: {'•' * len(SECRET)}, whole: x}}"
    }  # fmt: skip


class Broken(dict[str, ChannelType]):
    """A package that cannot be loaded."""

    def __missing__(self, name: str) -> ChannelType:
        raise UsageError(f'the channel type "{name}" cannot be loaded from a.b:TYPE: no module named a')


def test_a_type_that_cannot_be_loaded_is_a_finding():
    rules = "channels:\n  c: {type: pigeon}\n"
    [found] = load_files({"rules/a.yaml": rules}, Broken(TYPES)).diagnostics
    assert found.code == "B102"
    assert "cannot be loaded from a.b:TYPE" in found.message


def test_a_policy_imports_only_the_types_that_it_uses(tmp_path: Path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text("channels:\n  c: {type: console}\n")
    code = (
        "import sys, importlib.metadata\n"
        "importlib.metadata.entry_points = None  # nobody may ask\n"
        "from pathlib import Path\n"
        "from botopt.delivery.registry import CHANNEL_TYPES\n"
        "from botopt.loading.policy import load_policy\n"
        "assert load_policy(Path(sys.argv[1]), channel_types=CHANNEL_TYPES).policy is not None\n"
        "print([name for name in sys.modules if name.startswith('botopt.delivery.')])\n"
        "print([name for name in ('httpcore', 'httpx', 'smtplib', 'apprise', 'cryptography') if name in sys.modules])\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, cwd=root, timeout=60
    )
    assert done.stdout == "['botopt.delivery.registry', 'botopt.delivery.console']\n[]\n"


def test_the_names_of_types_are_known_without_importing_them():
    assert set(REGISTERED) >= {"console", "file", "webhook", "email", "apprise"}
