"""Regular expressions that somebody made to run for ever, or to fill the memory."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.loading.policy import Loaded
from botopt.model.event import Event, Rejected
from botopt.sources.envelope import Decoder
from tests.hostile.support import FUZZ, check_finding, corpus, lengths, limited, mutants
from tests.hostile.test_yaml import load_bytes
from tests.sources.helpers import AT

FILES = {name: content.decode() for name, content in corpus("patterns").items()}
REFUSED = [name for name in FILES if name.startswith("refused-")]
COMPILED = [name for name in FILES if name not in REFUSED]


def policy_text(pattern: str) -> bytes:
    return f"events: {{ping: {{fields: {{a: {{type: text, pattern: {json.dumps(pattern)}}}}}}}}}\n".encode()


def loaded(pattern: str) -> Loaded:
    content = policy_text(pattern)
    found = load_bytes(content)
    for one in found.diagnostics:
        check_finding(one, lengths({"rules/a.yaml": content.decode()}))
    return found


SUBJECTS = (
    "a" * 200_000 + "!",
    "aA" * 100_000 + "\n",
    "ab" * 100_000,
    "<a>" * 60_000,
    "1" * 200_000 + ".",
    "\u00e4" * 100_000,
)
"""Long enough that a matcher which tries every way would never come to the end."""


@pytest.mark.parametrize("name", COMPILED)
def test_matching_takes_a_time_in_proportion_to_the_text(name: str) -> None:
    def task() -> str:
        policy = loaded(FILES[name]).policy
        assert policy is not None
        decoder = Decoder(policy)
        for number, subject in enumerate(SUBJECTS, 1):
            event = {"id": "e", "type": "ping", "user": "ada", "time": AT, "data": {"a": subject}}
            assert isinstance(decoder.decode(json.dumps(event).encode(), number), (Event, Rejected))
        return "matched"

    # 1,200,000 letters: RE2 needs a fraction of a second, backtracking on 40 letters would need longer than this.
    assert limited(task, seconds=8) == "matched"


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_linear_matcher_can_do_is_a_finding_at_the_pattern(name: str) -> None:
    found = loaded(FILES[name])
    assert [one.code for one in found.diagnostics] == ["B116"]
    assert found.policy is None
    place = found.diagnostics[0].position
    assert policy_text(FILES[name]).decode()[place.column - 1 : place.end_column - 1] == json.dumps(FILES[name])


OVERSIZED: dict[str, Callable[[], str]] = {
    "a text of 3,000,000 letters": lambda: "a" * 3_000_000,
    "1,000,000 alternatives": lambda: "a|" * 1_000_000,
    "10,000 counted letters": lambda: "a{1000}" * 10_000,
    "10,000 counted classes": lambda: "\\pL{1,500}" * 10_000,
    "100,000 groups": lambda: "(" * 100_000 + ")" * 100_000,
    "100,000 open groups": lambda: "(" * 100_000,
    "counted a thousand times a thousand": lambda: "((a{100}){100}){100}",
    "counted optional": lambda: "(((a?){100}){100}){100}",
    "classes of everything": lambda: "[\\pL\\pN\\pS]{1000}" * 1_000,
    "dots a thousand times": lambda: "(.{1000}){1000}",
}


@pytest.mark.parametrize("name", OVERSIZED)
def test_an_oversized_pattern_is_a_finding(name: str) -> None:
    def task() -> str:
        return str({one.code for one in loaded(OVERSIZED[name]()).diagnostics})

    assert limited(task) == "{'B116'}"


TOKENS = [
    token.encode()
    for token in (
        "( ) (?: (?i) (?P<a> (?= (?<! | * + ? *? +? {2} {0,5} {1,1000} {,3} { } [ ] [^ [a-z] [[:alpha:]] \\d \\w \\pL "
        "\\p{Greek} \\b \\B \\A \\z \\1 \\Q \\E \\x41 \\x{1F600} \\ . ^ $ a b aa A \u00e4 \U0001f600 \u202e - & && ~"
    ).split(" ")
]


def test_changed_patterns_are_read_or_refused() -> None:
    def task() -> str:
        for seed, content in mutants("patterns", TOKENS, 4 * FUZZ):
            try:
                tried(content.decode(errors="replace"), seed)
            except Exception as fault:
                raise AssertionError(f"{seed}: {content!r}: {fault}") from fault
        return "read"

    assert limited(task, seconds=60 * FUZZ) == "read"


@settings(max_examples=80 * FUZZ, deadline=None)
@given(st.lists(st.sampled_from(TOKENS).map(bytes.decode), max_size=15).map("".join), st.integers(0, 9))
def test_any_pattern_is_read_or_refused(pattern: str, seed: int) -> None:
    tried(pattern, str(seed))


def tried(pattern: str, seed: str) -> None:
    policy = loaded(pattern).policy
    if policy is not None:
        spec = policy.events["ping"].fields["a"]
        chance = random.Random(seed)
        for size in (0, 1, 30, 2_000):
            text = "".join(chance.choice("aabA\u00e4\n\U0001f600") for _ in range(size))
            if spec.pattern is not None:
                spec.pattern.fullmatch(text)
