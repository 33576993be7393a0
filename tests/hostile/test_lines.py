"""Lines that somebody made to break the decoder: each is an event, a blank, or a rejected line that says why."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.loading.policy import load_policy
from botopt.model.errors import InputError
from botopt.model.event import Event, Rejected
from botopt.model.policy import Policy
from botopt.sources.compression import pieces
from botopt.sources.envelope import Decoder
from botopt.sources.jsonl import MAX_LINE_BYTES
from tests.hostile.support import FUZZ, corpus, limited, mutant, mutants
from tests.loading.making import CHANNEL_TYPES
from tests.sources.helpers import AT, POLICY, read_lines

ROOT = Path(__file__).parents[2]
FILES = corpus("lines")

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAKS = re.compile("[\n\r\ud800-\udfff]")
"""What no detail may hold: a line break would make two lines of a report, half a character none at all."""


class Both:
    """The fast reader of a policy, and the strict one."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.fast, self.strict = policy, Decoder(policy), Decoder(policy, typed=False)


BOTH = Both(POLICY)


def decoded(raw: bytes, both: Both = BOTH) -> Event | Rejected | None:
    """What both readers say of a line, after a look at it."""
    found = both.fast.decode(raw, 7, 1)
    assert found == both.strict.decode(raw, 7, 1)
    if isinstance(found, Rejected):
        assert found.detail
        assert not _BREAKS.search(found.detail), found
        assert len(found.detail) < 1_000
        assert (found.line, len(found.digest)) == (7, 16)
        for name in (found.event_id, found.event_type, found.user):
            assert name is None or not _CONTROL.search(name)
    elif isinstance(found, Event):
        assert not _CONTROL.search(found.id + found.source + found.type + found.user)
        assert found.type in both.policy.events or found.type.startswith(("user.", "message."))
        json.dumps(found.data, allow_nan=False, ensure_ascii=False).encode()
    else:
        assert not raw.strip(b" \t\r\n")
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_line_is_an_event_or_says_why_it_is_none(name: str) -> None:
    assert isinstance(decoded(FILES[name]), Event if name in SOUND else Rejected)


SOUND = {
    f"{name}.json"
    for name in (
        "sound-native sound-all-kinds sound-cloud sound-updated sound-clicked minus-zero subnormal largest-float "
        "exponent-minus surrogate-pair bidi-in-user zalgo blank-names dunder-keys key-empty key-long proto template-values format-values sql-values "
        "path-values time-minus-zero time-fraction time-small-letters brackets-in-texts return-inside "
        "cloud-and-native cloud-type-escaped whole-float whole-exponent updated-id"
    ).split()
}
"""Strange, and sound."""


def line(data: str) -> str:
    return f'{{"id": "e1", "type": "payment_failed", "user": "ada", "time": "{AT}", "data": {data}}}'


HUGE: dict[str, Callable[[], str]] = {
    "100,000 digits": lambda: line('{"amount": ' + "9" * 100_000 + "}"),
    "100,000 digits behind the point": lambda: line('{"amount": 0.' + "9" * 100_000 + "}"),
    "100,000 digits of an exponent": lambda: line('{"amount": 1e' + "9" * 100_000 + "}"),
    "1,000,000 digits": lambda: "9" * 1_000_000,
    "500,000 lists in one another": lambda: line("[" * 500_000 + "]" * 499_000),
    "500,000 open lists": lambda: "[" * 1_000_000,
    "200,000 objects in one another": lambda: '{"a":' * 200_000,
    "500,000 lists side by side": lambda: line('{"amount": 5, "x": [' + "[]," * 300_000 + "[]]}"),
    "100,000 keys": lambda: line("{" + ", ".join(f'"k{number}": 1' for number in range(60_000)) + "}"),
    "100,000 times one key": lambda: line("{" + '"k": 1, ' * 100_000 + '"amount": 5}'),
    "100,000 keys at the top": lambda: "{" + ", ".join(f'"k{number}": "a"' for number in range(60_000)) + "}",
    "100,000 keys at the top, cut off": lambda: "{" + ", ".join(f'"k{number}": "a"' for number in range(60_000)),
    "a key of 1,000,000 letters": lambda: line('{"' + "k" * 1_000_000 + '": 1}'),
    "an id of 1,000,000 letters": lambda: line("{}").replace("e1", "e" * 1_000_000),
    "a type of 256 letters that is nearly one": lambda: line("{}").replace("payment_failed", "payment_failed" * 18),
    "a text of 100,000 escapes": lambda: line('{"reason": "' + "\\u0061" * 100_000 + '"}'),
    "a text of 100,000 halves": lambda: line('{"reason": "' + "\\ud800" * 100_000 + '"}'),
    "500,000 backslashes": lambda: line('{"reason": "' + "\\" * 500_001 + '"}'),
    "1,000,000 quotes": lambda: '"' * 1_000_000,
    "1,000,000 commas": lambda: "{" + "," * 1_000_000,
    "1,000,000 blanks": lambda: "{" + " " * 1_000_000,
    "1,000,000 colons": lambda: '{"a"' + ":" * 1_000_000,
    "500,000 unclosed texts": lambda: '{"a": "b' * 120_000,
    "texts that open and close": lambda: '{"a":"b","' * 100_000,
    "brackets in texts": lambda: line('{"reason": "' + "[{" * 400_000 + '"}'),
    "brackets and backslashes": lambda: '{"a":' + '["\\' * 300_000,
    "a zone of 1,000,000 letters": lambda: line('{"timezone": "' + "A/" * 500_000 + '"}').replace(
        "payment_failed", "user.updated"
    ),
    "a locale of 1,000,000 letters": lambda: line('{"locale": "' + "a-" * 500_000 + '"}').replace(
        "payment_failed", "user.updated"
    ),
    "a time of 1,000,000 digits": lambda: line("{}").replace("09:00:00Z", "09:00:00." + "9" * 1_000_000 + "Z"),
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_line_is_read_or_rejected_soon(name: str) -> None:
    raw = HUGE[name]().encode()

    def task() -> str:
        return type(decoded(raw)).__name__

    assert limited(task, seconds=5, memory=256 << 20) in {"Event", "Rejected"}


TOKENS = [
    token.encode()
    for token in (
        '{ } [ ] , : " \' \\ \\" \\u0000 \\ud800 \\u0061 \\n // null true false NaN Infinity -Infinity 1e999 -0 0.1 007 1_0 "id" '
        '"type" "user" "time" "data" "source" "subject" "specversion" "1.0" "payment_failed" "user.updated" "user.deleted" '
        '"message.clicked" "message_id" "event_type" "locale" "timezone" "amount" "currency" "items" 9007199254740993 1e308 '
        "\u2028 \u202e \u00a0 \ufeff \x00 \x7f \x85 {} [] [[[[ 2026-03-01T09:00:00Z 9999-12-31T23:59:59Z"
    ).split(" ")
] + [b" ", b"\t", b"\r", b"\xff", b"\xed\xa0\x80", b"\x1f\x8b", b"[" * 70, b"9" * 400]


def test_changed_lines_are_read_or_rejected() -> None:
    for seed, raw in mutants("lines", TOKENS, 4 * FUZZ):
        try:
            decoded(raw)
        except BaseException as fault:
            raise AssertionError(f"{seed}: {raw!r}") from fault


@pytest.fixture(scope="module")
def own() -> Both:
    loaded = load_policy(ROOT, channel_types=CHANNEL_TYPES)
    assert loaded.policy is not None, loaded.diagnostics
    return Both(loaded.policy)


def test_changed_events_of_the_example_are_read_or_rejected(own: Both) -> None:
    lines = (ROOT / "examples/events.jsonl").read_bytes().splitlines()
    for number in range(600 * FUZZ):
        seed = f"example:{number}"
        raw = mutant(lines[number % len(lines)], TOKENS, lines[:20], seed)
        try:
            decoded(raw, own)
        except BaseException as fault:
            raise AssertionError(f"{seed}: {raw!r}") from fault


NAMES = st.sampled_from(
    "id type user time data source subject specversion amount currency reason items shop locale timezone".split()
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([AT, "EUR", "pro", "UTC"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | NAMES, inner, max_size=4),
    max_leaves=8,
)
TYPES = st.sampled_from(
    [*POLICY.events, "user.updated", "user.unsubscribed", "user.deleted", "message.clicked", "message.failed"]
)


@settings(max_examples=150 * FUZZ, deadline=None)
@given(TYPES, JSON, st.dictionaries(NAMES, JSON, max_size=2))
def test_any_data_is_read_or_rejected(event_type: str, data: object, changes: dict[str, object]) -> None:
    envelope = {"id": "e1", "type": event_type, "user": "ada", "time": AT, "data": data, **changes}
    decoded(json.dumps(envelope).encode())


# ---------------------------------------------------------------- packed files


def unpacked(name: str, chunks: Iterator[bytes]) -> str:
    """How many bytes come out of a packed file, and whether to its end; no piece is large."""
    size = 0
    try:
        for piece in pieces(name, chunks):
            assert len(piece) <= 1 << 18
            size += len(piece)
    except InputError:
        return f"{size} bytes, refused"
    return f"{size} bytes"


def gzip_bomb() -> Iterator[bytes]:
    """512 MB of zeros in members of 32 MB."""
    return repeat(gzip.compress(bytes(32 << 20)), 16)


def zstd_bomb() -> Iterator[bytes]:
    return repeat(zstandard.ZstdCompressor().compress(bytes(32 << 20)), 16)


def zstd_window(log: int) -> Iterator[bytes]:
    """A frame of five letters that asks for a window of `2 ** log` bytes."""
    block = (5 << 3 | 1).to_bytes(3, "little")
    return iter((b"\x28\xb5\x2f\xfd\x00" + bytes(((log - 10) << 3,)) + block + b"hello",))


def gzip_name() -> Iterator[bytes]:
    """A member whose name never ends."""
    return chain((b"\x1f\x8b\x08\x08\0\0\0\0\0\xff",), repeat(b"a" * (1 << 18), 400))


BOMBS: dict[str, tuple[str, Callable[[], Iterator[bytes]]]] = {
    "gzip of zeros": (f"{512 << 20} bytes", gzip_bomb),
    "zstd of zeros": (f"{512 << 20} bytes", zstd_bomb),
    "zstd with a window of 2 GB": ("0 bytes, refused", lambda: zstd_window(31)),
    "zstd with a window of 2,000,000 GB": ("0 bytes, refused", lambda: zstd_window(41)),
    "zstd with a window of 128 MB": ("5 bytes", lambda: zstd_window(27)),
    "gzip with a name that never ends": ("0 bytes, refused", gzip_name),
    "100,000 empty gzip members": ("0 bytes", lambda: repeat(gzip.compress(b"") * 100, 1_000)),
    "20,000 empty zstd frames": ("0 bytes", lambda: repeat(zstandard.compress(b"") * 100, 200)),
    "100 MB of zeros behind gzip": ("1 bytes", lambda: chain((gzip.compress(b"a"),), repeat(bytes(1 << 18), 400))),
    "a skippable frame of 4 GB": (
        "0 bytes, refused",
        lambda: chain((b"\x50\x2a\x4d\x18\xff\xff\xff\xff",), repeat(b"a" * (1 << 18), 400)),
    ),
    "gzip in gzip": ("1000 bytes", lambda: iter((gzip.compress(b"\x1f\x8b" * 500),))),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_packed_bomb_is_unpacked_in_little_memory(name: str) -> None:
    said, chunks = BOMBS[name]
    assert limited(lambda: unpacked("a", chunks()), memory=192 << 20) == said


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_bomb_of_one_line_is_one_rejected_line(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(pack(bytes(100 << 20)) + pack(b"\n{}\n"))

    def task() -> str:
        decoder = Decoder(POLICY)
        found = [decoder.decode(raw, number) for number, raw in read_lines(str(path))]
        assert all(isinstance(one, Rejected) for one in found)
        return f"{len(found)} {found[0]}"

    said = limited(task, memory=64 << 20)
    assert said.startswith("2 Rejected(line=1, detail='the line is too long: 104,857,600 bytes, at most 1,048,576'"), (
        said
    )


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_packed_file_with_any_damage_is_read_or_refused(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    content = b"".join(raw + b"\n" for raw in FILES.values())
    packed = pack(content[:2_000]) + pack(content[2_000:4_000])
    path = tmp_path / "events"
    for number in range(150 * FUZZ):
        chance = random.Random(number)
        bad = bytearray(packed)
        for _ in range(chance.choice((0, 1, 1, 2, 10))):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        if number % 2:
            del bad[chance.randrange(2, len(bad)) :]
        path.write_bytes(bad)
        said = str(path)
        try:
            assert all(len(raw) <= MAX_LINE_BYTES + 2 for _, raw in read_lines(str(path)))
        except InputError as why:
            said = str(why)
        assert str(path) in said
