"""Policy files that somebody made to break the reader: every one ends in findings with places, and soon."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.loading.policy import Loaded, load_policy
from botopt.model.diagnostic import Severity
from tests.hostile.support import FUZZ, check_finding, corpus, lengths, limited, mutants
from tests.loading.making import CHANNEL_TYPES, GOOD_RULES, GOOD_TEMPLATES

FILES = corpus("yaml")
HARMLESS = {f"{name}.yaml" for name in "bom bom-twice comment-only invisible-only json-pasted tab-only".split()}
"""Without content, or sound."""


def load_bytes(rules: bytes, templates: bytes = b"") -> Loaded:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for part, content in (("rules", rules), ("templates", templates)):
            (folder / part).mkdir()
            (folder / part / "a.yaml").write_bytes(content)
        return load_policy(folder, channel_types=CHANNEL_TYPES)


def checked(rules: bytes, templates: bytes = b"") -> Loaded:
    """What is loaded, after a look at every finding."""
    loaded = load_bytes(rules, templates)
    lines = lengths({"rules/a.yaml": as_text(rules), "templates/a.yaml": as_text(templates)})
    for found in loaded.diagnostics:
        check_finding(found, lines)
        assert len(found.message) + len(found.hint) < 5_000 + 2 * (len(rules) + len(templates))
    assert (loaded.policy is None) == any(found.severity is Severity.ERROR for found in loaded.diagnostics)
    return loaded


def as_text(content: bytes) -> str:
    """The text that positions count in: without its mark, and with a character for each byte that is no UTF-8."""
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_ends_in_findings_inside_it(name: str) -> None:
    for loaded in (checked(FILES[name]), checked(SMALL, FILES[name])):
        assert name in HARMLESS or any(found.severity is Severity.ERROR for found in loaded.diagnostics)


SMALL = b"events: {ping: {message: t}}\n"


def test_no_hostile_file_runs_anything() -> None:
    def task() -> str:
        return f"{len([checked(content, content) for content in FILES.values()])} read"

    assert limited(task) == f"{len(FILES)} read"


HUGE: dict[str, Callable[[], str]] = {
    "10,000 lists in one another": lambda: "events: " + "[" * 10_000 + "]" * 10_000,
    "10,000 maps in one another": lambda: "events: " + "{a: " * 10_000 + "1" + "}" * 10_000,
    "10,000 maps in one another, unclosed": lambda: "events: " + "{a: " * 10_000,
    "10,000 questions in one another": lambda: "? " * 10_000 + "a",
    "10,000 dashes in a row": lambda: "- " * 10_000 + "a",
    "1,000 steps of indentation": lambda: "".join(" " * depth + "a:\n" for depth in range(1_000)),
    "1,000 steps with a broken end": lambda: "".join(" " * depth + "a:\n" for depth in range(1_000)) + "]",
    "100,000 keys": lambda: (
        "user: {a: {type: object, default: {" + ", ".join(f"k{number}: 1" for number in range(100_000)) + "}}}"
    ),
    "5,000 event types": lambda: "events:\n" + "".join(f"  event_{number}: {{}}\n" for number in range(5_000)),
    "5,000 unknown keys of an event type": lambda: (
        "events:\n  ping:\n" + "".join(f"    wieght{number}: 1\n" for number in range(5_000))
    ),
    "5,000 sections that do not exist": lambda: "".join(f"event{number}: 1\n" for number in range(5_000)),
    "6,000 times the same key": lambda: "events:\n" + "  ping: {}\n" * 6_000,
    "5,000 keys in brackets": lambda: "events: {" + ", ".join(f"e{number}: {{}}" for number in range(5_000)) + "}",
    "6,000 words in brackets": lambda: "events: {" + ", ".join(f"e{number}" for number in range(6_000)) + "}",
    "6,000 tags": lambda: "events:\n" + "  - !!python/name:os.system\n" * 6_000,
    "6,000 labels": lambda: "events:\n" + "".join(f"  - &a{number} x\n" for number in range(6_000)),
    "6,000 copies": lambda: "events:\n  - &a x\n" + "  - *a\n" * 6_000,
    "6,000 copies of nothing": lambda: "events:\n" + "  - *a\n" * 6_000,
    "6,000 documents": lambda: "---\na: 1\n" * 6_000,
    "6,000 directives": lambda: "%NOPE\n" * 6_000 + "---\n",
    "a key of 1,000,000 letters": lambda: "a" * 1_000_000 + ": 1",
    "a quoted key of 100,000 letters": lambda: "events: {'" + "a" * 100_000 + "': {}}",
    "two long keys that are alike": lambda: (
        "events:\n  ping:\n    " + "weight" * 5_000 + ": 1\n    " + "weigth" * 5_000 + ": 1"
    ),
    "a text of 2,000,000 letters": lambda: "events: {ping: {description: " + "a" * 2_000_000 + "}}",
    "a block text of 200,000 lines": lambda: "events:\n  ping:\n    description: |\n" + "      a\n" * 200_000,
    "a block text indented by 6,000": lambda: (
        "events:\n  ping:\n    nope: |2\n" + " " * 6_000 + "a\n" + "      b\n" * 200
    ),
    "a folded condition of 6,000 lines": lambda: (
        "events:\n  ping:\n    rules:\n      - id: a\n        when: >\n" + "          amount > 1 and\n" * 6_000
    ),
    "a quoted text of 6,000 lines": lambda: "events: {ping: {rules: [{id: a, when: '" + "x\n\n" * 6_000 + "'}]}}",
    "escapes": lambda: 'events: {ping: {rules: [{id: a, when: "' + "\\u0061" * 6_000 + '"}]}}',
    "300,000 line breaks": lambda: "\n" * 300_000 + "events: 1",
    "1,000,000 blanks": lambda: "events:" + " " * 1_000_000 + "1",
    "1,000,000 blanks and a comment": lambda: "events:" + " " * 1_000_000 + "#a",
    "200,000 tabs": lambda: "events:\n" + "\t" * 200_000 + "a: 1",
    "200,000 invisible characters": lambda: "events: " + "\u200b" * 200_000 + "x",
    "200,000 no-break spaces": lambda: "events:\n" + "\u00a0" * 200_000 + "x: 1",
    "200,000 accents": lambda: "events: {p" + "\u0301" * 200_000 + ": {}}",
    "50,000 control characters": lambda: "events: '" + "\x01\n" * 50_000 + "'",
    "100,000 quotes": lambda: "events: " + "'" * 100_001,
    "100,000 double quotes": lambda: "events: " + '"' * 100_001,
    "100,000 backslashes": lambda: 'events: "' + "\\" * 100_001,
    "100,000 colons": lambda: "events" + ": " * 100_000,
    "100,000 commas": lambda: "events: [" + "," * 100_000,
    "100,000 hashes": lambda: "events: a" + " #" * 100_000,
    "100,000 braces": lambda: "events: " + "{{" * 50_000,
    "100,000 digits": lambda: "settings: {seed: " + "9" * 100_000 + "}",
    "100,000 digits behind the point": lambda: "settings: {threshold: 0." + "9" * 100_000 + "}",
    "100,000 digits of a duration": lambda: "suppression: [{id: a, cooldown: " + "9" * 100_000 + "h}]",
    "100,000 exclamation marks": lambda: "events: " + "!" * 100_000 + " a",
    "100,000 ampersands": lambda: "events: " + "&" * 100_000 + " a",
    "2,000 broken lines": lambda: "events:\n" + "  'a' b\n" * 2_000,
    "2,000 broken entries": lambda: "suppression:\n" + "  - {id: a, cooldown: [}\n" * 2_000,
    "2,000 lines that step to and fro": lambda: "events:\n" + "   a: 'x' y\n  b: 1\n" * 1_000,
    "300 broken lines at every depth": lambda: "".join(" " * depth + "a: 'x' y\n" for depth in range(300)),
    "1,000 brackets over lines": lambda: "".join(f"k{number}: {{\n]\n" for number in range(1_000)),
    "1,000 event types that clash": lambda: (
        "events:\n" + "".join(f"  e{n}: {{accepts: [x, y], message: m{n}, category: c{n}}}\n" for n in range(1_000))
    ),
    "1,000 suppressions of one id": lambda: "suppression:\n" + "  - {id: a, cooldown: 1h, events: [nope]}\n" * 1_000,
    "one_of with 6,000 options": lambda: (
        "user: {a: {type: text, one_of: [" + ", ".join(f"o{number}" for number in range(6_000)) + "]}}"
    ),
    "300 conditions with unknown names": lambda: (
        "events:\n  ping:\n    fields:\n"
        + "".join(f"      field_{number}: {{type: text}}\n" for number in range(100))
        + "    rules:\n"
        + "".join(f"      - {{id: r{n}, when: feild_{n} == 'x', skip: true}}\n" for n in range(300))
    ),
    "event types with long names that are alike": lambda: (
        "events:\n  "
        + "weight" * 10_000
        + ": {}\nsuppression: [{id: a, cooldown: 1h, events: ["
        + "weigth" * 10_000
        + "]}]"
    ),
    "templates with long names that are alike": lambda: (
        "events: {ping: {message: " + "weight" * 10_000 + "}}\ntemplates: {" + "weigth" * 10_000 + ": a}"
    ),
    "categories with long names that are alike": lambda: (
        "events: {ping: {category: " + "weight" * 10_000 + "}}\ncategories: {" + "weigth" * 10_000 + ": {}}"
    ),
    "fields with long names that are alike": lambda: (
        "events: {ping: {fields: {"
        + "weight" * 10_000
        + ": {type: text}}, rules: [{id: a, skip: true, when: "
        + "weigth" * 300
        + "}]}}\nsuppression: [{id: a, cooldown: 1h, per: ["
        + "weigth" * 10_000
        + "]}]"
    ),
    "options with long texts that are alike": lambda: (
        "user: {a: {type: text, one_of: [" + "weight" * 500 + "], default: " + "weigth" * 500 + "}}"
    ),
    "samples with long names that are alike": lambda: (
        "events: {ping: {message: t, fields: {" + "weight" * 10_000 + ": {type: text}}}}\n"
        "templates: {t: {text: a, samples: [{" + "weigth" * 10_000 + ": 1}]}}"
    ),
}


SOUND_THOUGH_HUGE = {
    "100,000 keys",
    "5,000 event types",
    "5,000 keys in brackets",
    "a text of 2,000,000 letters",
    "a block text of 200,000 lines",
    "100,000 digits behind the point",
    "one_of with 6,000 options",
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_file_ends_in_findings_soon(name: str) -> None:
    text = HUGE[name]()

    def task() -> str:
        assert checked(text.encode()).diagnostics or name in SOUND_THOUGH_HUGE
        return "read"

    assert limited(task) == "read"


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "a.yaml")


def endless(folder: Path) -> None:
    (folder / "a.yaml").symlink_to("/dev/zero")


def terminal(folder: Path) -> None:
    (folder / "a.yaml").symlink_to("/dev/tty")


def sparse(folder: Path) -> None:
    with (folder / "a.yaml").open("wb") as file:
        file.truncate(1 << 40)


def folder_named_like_a_file(folder: Path) -> None:
    (folder / "a.yaml").mkdir()


def link_to_itself(folder: Path) -> None:
    (folder / "a.yaml").symlink_to(folder / "a.yaml")


def link_to_nothing(folder: Path) -> None:
    (folder / "a.yaml").symlink_to("nowhere")


def links_in_a_ring(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "outer").symlink_to(folder)
    (folder / "inner" / "self").symlink_to("self")


def socket_file(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "a.yaml"))


def name_that_is_no_text(folder: Path) -> None:
    Path(os.fsdecode(bytes(folder) + b"/a\xff\x1b[31m.yaml")).write_bytes(b"events: 1\n")


def name_with_a_line_break(folder: Path) -> None:
    (folder / "a\nb.yaml").write_bytes(b"events: 1\n")


def deep_folders(folder: Path) -> None:
    for _ in range(300):
        folder /= "a"
        folder.mkdir()
    (folder / "a.yaml").write_bytes(b"events: 1\n")


NO_FILES = {
    one.__name__: one
    for one in (
        pipe, endless, terminal, sparse, folder_named_like_a_file, link_to_itself, link_to_nothing, links_in_a_ring,
        socket_file, name_that_is_no_text, name_with_a_line_break, deep_folders,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_ordinary_file_is_a_finding(tmp_path: Path, name: str) -> None:
    for part in ("rules", "templates"):
        (tmp_path / part).mkdir()
        NO_FILES[name](tmp_path / part)

    def task() -> str:
        loaded = load_policy(tmp_path, channel_types=CHANNEL_TYPES)
        assert loaded.policy is None
        assert all("\n" not in found.message for found in loaded.diagnostics)
        return "read"

    assert limited(task, patience=10) == "read"


TOKENS = [
    token.encode()
    for token in (
        "\n|  |\t|: |- |? |[|]|{|}|,|#| #|&a |*a|!!x |!|%YAML 1.1\n|---\n|...\n|'|\"|\\|>\n|~|null|<<: |@|`|\x00|\x85|\u2028"
        "|\u200b|\u00a0|\ufeff|\u202e|\xe9|{{|}}|{%|${X}|when: |rules: |events:\n|templates:\n|text: |1e999|.inf|0x1|-1|\r"
        "|\r\n|  ping: {}\n|not |amount > 1|(|)|= |\n    |\n\n"
    ).split("|")
] + [b"|", b"\xff", b"\xe2\x82", b"\xed\xa0\x80"]


def test_changed_files_end_in_findings_inside_them() -> None:
    for seed, content in mutants("yaml", TOKENS, 3 * FUZZ):
        try:
            checked(content, content)
        except BaseException as fault:
            raise AssertionError(f"{seed}: {content!r}") from fault


SOUND = (GOOD_RULES.encode(), GOOD_TEMPLATES.encode())


@settings(max_examples=60 * FUZZ, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6_000), st.integers(0, 40), st.sampled_from(TOKENS)), min_size=1, max_size=5))
def test_a_sound_workspace_with_some_damage_is_read_or_refused(edits: list[tuple[int, int, bytes]]) -> None:
    checked(damaged(SOUND[0], edits), SOUND[1])
    checked(SOUND[0], damaged(SOUND[1], edits))


def damaged(content: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, removed, added in edits:
        place = at % len(content) if content else 0
        content = content[:place] + added + content[place + removed :]
    return content
