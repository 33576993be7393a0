"""A folder -> a policy: which files are read, how they are merged, what the revision depends on; nothing raises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.loading.policy import Loaded, load_policy
from botopt.model.data_files import data_dir
from botopt.model.diagnostic import has_errors
from tests.loading.making import (
    CHANNEL_TYPES,
    GOOD_RULES,
    GOOD_TEMPLATES,
    errors,
    load,
    load_data,
    load_files,
    said,
    split,
    write,
)

ROOT = Path(__file__).resolve().parent.parent.parent


def codes(loaded: Loaded) -> list[str]:
    return [found.code for found in loaded.diagnostics]


def revision(rules: str = GOOD_RULES, templates: str = GOOD_TEMPLATES) -> str:
    loaded = load(rules, templates)
    assert loaded.policy is not None, said(loaded)
    return loaded.policy.revision


# ---------------------------------------------------------------- files


def test_every_yaml_file_below_rules_and_templates_is_read_in_order_of_its_path(tmp_path: Path):
    write(
        tmp_path,
        {
            "rules/b.yml": "categories: {b: {}}\n",
            "rules/a.yaml": "categories: {a: {}}\n",
            "rules/deep/er/c.yaml": "categories: {c: {}}\n",
            "rules/x.test.yaml": "not: read\n",
            "rules/x.test.yml": "not: read\n",
            "rules/.hidden.yaml": "not: read\n",
            "rules/.git/d.yaml": "not: read\n",
            "rules/README.md": "not read\n",
            "rules/old.yaml.bak": "not read\n",
            "rules/draft.yaml~": "not read\n",
            "templates/t.yaml": "templates: {}\n",
            "other/e.yaml": "not: read\n",
        },
    )
    loaded = load_policy(tmp_path, channel_types=CHANNEL_TYPES)
    assert loaded.diagnostics == (), said(loaded)
    assert loaded.files == ("rules/a.yaml", "rules/b.yml", "rules/deep/er/c.yaml", "templates/t.yaml")
    assert loaded.policy is not None
    assert list(loaded.policy.categories) == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["a.yaml.txt", "a.yml.txt", "A.YAML", "a.ymal", "a.yam"])
def test_a_file_that_looks_like_policy_and_is_not_read_is_a_warning(name: str, tmp_path: Path):
    write(tmp_path, {"rules/a.yaml": "seed: 1\n".replace("seed: 1", "settings: {seed: 1}"), f"rules/{name}": "x: y\n"})
    loaded = load_policy(tmp_path, channel_types=CHANNEL_TYPES)
    assert [(found.code, found.position.file) for found in loaded.diagnostics] == [("B120", f"rules/{name}")]
    assert loaded.policy is not None


def test_links_are_followed_and_loops_do_no_harm(tmp_path: Path):
    write(tmp_path, {"ws/rules/a.yaml": "categories: {a: {}}\n", "shared/b.yaml": "categories: {b: {}}\n"})
    rules = tmp_path / "ws" / "rules"
    (rules / "shared").symlink_to(tmp_path / "shared")
    (rules / "again").symlink_to(rules)
    (tmp_path / "shared" / "up").symlink_to(rules)
    loaded = load_policy(tmp_path / "ws", channel_types=CHANNEL_TYPES)
    assert loaded.diagnostics == (), said(loaded)
    assert loaded.files == ("rules/a.yaml", "rules/shared/b.yaml")


def test_a_mounted_config_map_is_read_once(tmp_path: Path):
    """Kubernetes links each file to one in a hidden folder, which is a link itself."""
    write(tmp_path, {"rules/..2026/a.yaml": "categories: {a: {}}\n"})
    (tmp_path / "rules" / "..data").symlink_to("..2026")
    (tmp_path / "rules" / "a.yaml").symlink_to("..data/a.yaml")
    loaded = load_policy(tmp_path, channel_types=CHANNEL_TYPES)
    assert loaded.diagnostics == ()
    assert loaded.files == ("rules/a.yaml",)


def test_a_link_to_nowhere_is_said_and_hides_nothing(tmp_path: Path):
    write(tmp_path, {"rules/a.yaml": "categories: {a: {consent: x}}\n"})
    (tmp_path / "rules" / "b.yaml").symlink_to("gone.yaml")
    loaded = load_policy(tmp_path, channel_types=CHANNEL_TYPES)
    assert codes(loaded) == ["B105", "B001"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_said(tmp_path: Path):
    write(tmp_path, {"rules/a.yaml": "settings: {}\n", "rules/locked/b.yaml": "settings: {}\n"})
    (tmp_path / "rules" / "locked").chmod(0)
    try:
        loaded = load_policy(tmp_path, channel_types=CHANNEL_TYPES)
    finally:
        (tmp_path / "rules" / "locked").chmod(0o755)
    assert codes(loaded) == ["B001"]
    assert loaded.diagnostics[0].position.file == "rules/locked"


@pytest.mark.parametrize(
    ("files", "folder", "message", "hint"),
    [
        ({}, "gone", "does not exist", "the folder that holds rules/"),
        ({"ws": "x"}, "ws", "is a file, not a folder", ""),
        ({"ws/README": ""}, "ws", "there is no folder rules/", "botopt init"),
        ({"ws/rule/a.yaml": ""}, "ws", "there is no folder rules/", "rename rule/ to rules/"),
        ({"ws/Rules/a.yaml": ""}, "ws", "there is no folder rules/", "rename Rules/ to rules/"),
        ({"ws/policy/rules/a.yaml": ""}, "ws", "there is no folder rules/", "name the folder policy"),
        ({"ws/rules/a.yaml": ""}, "ws/rules", "there is no folder rules/", "the folder above"),
        ({"ws/a.yaml": ""}, "ws", "there is no folder rules/", "move the files"),
        ({"ws/templates/a.yaml": "templates: {}"}, "ws", "there is no folder rules/", ""),
        ({"ws/rules": ""}, "ws", "rules is a file", "rules/rules.yaml"),
        ({"ws/rules/README": ""}, "ws", "there is no .yaml file in rules/", "botopt init"),
    ],
)
def test_a_workspace_without_rules_is_an_error_that_says_what_to_do(
    files: dict[str, str], folder: str, message: str, hint: str, tmp_path: Path
):
    write(tmp_path, files)
    loaded = load_policy(tmp_path / folder, channel_types=CHANNEL_TYPES)
    assert codes(loaded) == ["B118"], said(loaded)
    assert message in loaded.diagnostics[0].message
    assert hint in loaded.diagnostics[0].hint
    assert loaded.policy is None


def test_empty_files_say_nothing():
    loaded = load_files({"rules/a.yaml": "", "rules/b.yaml": "# only words\n", "templates/c.yaml": "\n"})
    assert loaded.diagnostics == ()
    assert loaded.policy is not None


# ---------------------------------------------------------------- merging


def test_sections_of_all_files_are_one_policy():
    files = split(GOOD_RULES)
    parts = re.split(r"(?m)^(?=[a-z]+:$)", files["rules/x.yaml"])
    many = {f"rules/{9 - number}.yaml": part for number, part in enumerate(parts) if part}
    loaded = load_files({**many, "templates/t.yaml": GOOD_TEMPLATES})
    assert loaded.policy is not None, said(loaded)
    assert loaded.policy.revision == revision()


def test_events_may_stand_in_several_files():
    loaded = load_files({"rules/a.yaml": "events: {a: {}}\n", "rules/b.yaml": "events: {b: {}}\n"})
    assert loaded.policy is not None
    assert list(loaded.policy.events) == ["a", "b"]


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        ("settings: {seed: 1}", "settings: {locale: de}", "settings"),
        ("categories: {a: {}}", "categories: {a: {}}", "a"),
        ("user: {a: {type: text}}", "user: {a: {type: text}}", "a"),
        ("channels: {a: {type: console}}", "channels: {a: {type: console}}", "a"),
        ("events: {a: {}}", "events: {a: {}}", "a"),
        ("suppression: [{id: a, cooldown: 1h}]", "suppression: [{id: a, cooldown: 1h}]", "a"),
    ],
)
def test_what_is_defined_twice_is_one_finding_that_shows_both_places(first: str, second: str, word: str):
    loaded = load_files({"rules/a.yaml": first + "\n", "rules/b.yaml": "\n" + second + "\n"})
    (found,) = loaded.diagnostics
    column = second.index(word if word == "settings" else "a" if "id:" not in second else "a,") + 1
    column = second.index("{a:") + 2 if "{a:" in second else column
    assert (found.code, str(found.position)) == ("B108", f"rules/b.yaml:2:{column}")
    assert f"rules/a.yaml:1:{column}" in found.message
    assert loaded.policy is None


def test_a_template_that_is_defined_twice_shows_both_places():
    loaded = load_files(
        {"rules/a.yaml": "", "templates/a.yaml": "templates: {a: x}\n", "templates/b.yaml": "templates: {a: x}\n"}
    )
    assert [str(found.position) for found in errors(loaded)] == ["templates/b.yaml:1:13"]
    assert "templates/a.yaml:1:13" in errors(loaded)[0].message


@pytest.mark.parametrize(
    ("files", "position", "message"),
    [
        ({"rules/a.yaml": "templates: {a: x}\n"}, "rules/a.yaml:1:1", "templates stands in rules/"),
        ({"rules/a.yaml": "", "templates/t.yaml": "events: {a: {}}\n"}, "templates/t.yaml:1:1", "events stands in"),
    ],
)
def test_a_section_in_the_wrong_folder_is_said_and_read_all_the_same(
    files: dict[str, str], position: str, message: str
):
    loaded = load_files(files)
    assert [(found.code, str(found.position)) for found in errors(loaded)] == [("B117", position)]
    assert message in errors(loaded)[0].message


@pytest.mark.parametrize("text", ["- a\n- b\n", "[]\n"])
def test_a_file_that_is_a_list_says_what_it_should_begin_with(text: str):
    loaded = load_files({"rules/a.yaml": text})
    assert codes(loaded) == ["B104"]
    assert "settings:, categories:" in loaded.diagnostics[0].hint


def test_every_finding_has_its_line_and_the_others_are_still_made():
    loaded = load_files(
        {
            "rules/a.yaml": "categories:\n  a: {consent: x}\n",
            "rules/b.yaml": "events:\n  a:\n    description: 'x' y\n  b: {weight: 5}\n",
            "templates/c.yaml": "templates: {T: x}\n",
        }
    )
    assert [(found.code, found.source.strip()) for found in errors(loaded)] == [
        ("B105", "a: {consent: x}"),
        ("B020", "description: 'x' y"),
        ("B113", "b: {weight: 5}"),
        ("B106", "b: {weight: 5}"),
        ("B107", "templates: {T: x}"),
    ]
    assert loaded.line(loaded.diagnostics[0].position) == "  a: {consent: x}"


# ---------------------------------------------------------------- what is sound of an unsound workspace


def test_the_partial_policy_is_the_policy_where_there_is_one():
    loaded = load(GOOD_RULES, GOOD_TEMPLATES)
    assert loaded.diagnostics == (), said(loaded)
    assert loaded.partial is loaded.policy


def test_the_partial_policy_holds_what_is_sound():
    rules = GOOD_RULES.replace("weight: 0.5", "weight: 5").replace("cooldown: 6h", "cooldown: 6")
    loaded = load(rules, GOOD_TEMPLATES)
    assert loaded.policy is None
    assert {"payment_failed", "payment_succeeded"} <= set(loaded.partial.events)
    assert set(loaded.partial.templates) == {"human_help", "payment_failed"}
    assert "same-order" not in {suppression.id for suppression in loaded.partial.suppressions}


def test_a_template_whose_fields_are_not_known_is_no_part_of_the_partial_policy():
    loaded = load(GOOD_RULES.replace("amount: {type: number", "amount: {type: numbr"), GOOD_TEMPLATES)
    assert codes(loaded) == ["B105"], said(loaded)
    assert "payment_failed" not in loaded.partial.events
    assert set(loaded.partial.templates) == set()


# ---------------------------------------------------------------- revision


SAME: list[tuple[str, Callable[[str], str]]] = [
    ("comments", lambda text: "# Words.\n" + text.replace("seed: 7", "seed: 7   # lucky")),
    ("line breaks of Windows", lambda text: text.replace("\n", "\r\n")),
    ("blank lines", lambda text: text.replace("\n  payment_failed:", "\n\n\n  payment_failed:")),
    ("description", lambda text: text.replace("A card payment was declined", "Other words")),
    ("no description", lambda text: text.replace("    description: A card payment was declined\n", "")),
    (
        "order of keys",
        lambda text: text.replace("{type: number, min: 0, max: 1000000}", "{max: 1e6, min: 0, type: number}"),
    ),
    ("order of sections", lambda text: text[text.index("events:") :] + "\n" + text[: text.index("events:")]),
    ("notation of numbers", lambda text: text.replace("0.70", ".7").replace("+0.15", "15e-2")),
    ("quotes", lambda text: text.replace("locale: en", 'locale: "en"')),
    ("notation of durations", lambda text: text.replace("24h", "1d").replace("6h", "5h60m")),
    ("spacing of conditions", lambda text: text.replace("amount >= 500", "amount>=  500")),
    ("quotes in conditions", lambda text: text.replace("['pro', 'vip']", '["pro", "vip"]')),
    ("order of a list without order", lambda text: text.replace("[USD, EUR, INR]", "[EUR, USD, INR]")),
    ("order of a scope", lambda text: text.replace("[marketing, transactional]", "[transactional, marketing]")),
    (
        "a default written out",
        lambda text: text.replace("{type: boolean, default", "{type: boolean, optional: false, default"),
    ),
    ("a default left out", lambda text: text.replace("    enabled: true\n", "").replace("    action: hold\n", "")),
    ("the only list", lambda text: text.replace("when: amount >= 500", "when: [amount >= 500]")),
]


@pytest.mark.parametrize(("name", "change"), SAME, ids=[name for name, _ in SAME])
def test_what_means_the_same_has_the_same_revision(name: str, change: Callable[[str], str]):
    assert change(GOOD_RULES) != GOOD_RULES
    assert revision(change(GOOD_RULES)) == revision()


RULE_LINE = "      - {id: large-amount, when: amount >= 500, score: +0.15}\n"
OTHER: list[tuple[str, Callable[[str], str]]] = [
    ("a weight", lambda text: text.replace("0.70", "0.71")),
    ("a seed", lambda text: text.replace("seed: 7", "seed: 8")),
    ("a zone", lambda text: text.replace("Europe/Berlin", "Europe/Paris")),
    ("a condition", lambda text: text.replace("amount >= 500", "amount > 500")),
    ("a window", lambda text: text.replace("'7d'", "'8d'")),
    ("a pattern", lambda text: text.replace(r"'[A-Z]-\d+'", r"'[A-Z]-\d*'")),
    ("a choice", lambda text: text.replace("[USD, EUR, INR]", "[USD, EUR, INR, GBP]")),
    ("a scope", lambda text: text.replace("within: 2h, categories: [marketing]", "within: 2h")),
    ("an option of a channel", lambda text: text.replace("example.com/hook", "example.com/other")),
    ("an id", lambda text: text.replace("large-amount", "larger-amount")),
    (
        "the order of rules",
        lambda text: text.replace(RULE_LINE, "").replace("      - id: small-and", RULE_LINE + "      - id: small-and"),
    ),
    ("a literal", lambda text: text.replace("when: user.plan == 'vip'", "when: user.plan == 'pro'")),
]


@pytest.mark.parametrize(("name", "change"), OTHER, ids=[name for name, _ in OTHER])
def test_what_means_something_else_has_another_revision(name: str, change: Callable[[str], str]):
    assert change(GOOD_RULES) != GOOD_RULES
    assert revision(change(GOOD_RULES)) != revision()


def test_the_revision_of_templates():
    assert revision(templates=GOOD_TEMPLATES.replace("129.5", "17")) == revision(), "samples"
    assert revision(templates=GOOD_TEMPLATES.replace("Nudge", "Hint")) == revision(), "description"
    assert revision(templates=GOOD_TEMPLATES.replace("Another card?", "Other card?")) == revision()
    assert revision(templates=GOOD_TEMPLATES.replace("Andere Karte?", "Karte?")) != revision(), "words"
    locales = GOOD_TEMPLATES.replace("{en: Help, de: Hilfe}", "{de: Hilfe, en: Help}")
    assert revision(templates=locales) == revision(), "order of locales"
    weighted = GOOD_TEMPLATES.replace("choose: first", "choose: weighted")
    one, two = weighted.index("      with-amount:"), weighted.index("      plain:")
    end = weighted.index("    samples:")
    turned = weighted[:one] + weighted[two:end] + weighted[one:two] + weighted[end:]
    assert revision(templates=turned) != revision(templates=weighted), "order of variants"


def test_the_revision_does_not_depend_on_the_process():
    program = "from tests.loading.making import *\nprint(load(GOOD_RULES, GOOD_TEMPLATES).policy.revision)"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {revision()}
    assert re.fullmatch("[0-9a-f]{16}", revision())


def test_the_starter_policy_has_no_finding():
    loaded = load_policy(data_dir("rules").parent, channel_types=CHANNEL_TYPES)
    assert loaded.diagnostics == (), said(loaded)
    assert loaded.policy is not None


# ---------------------------------------------------------------- nothing raises


def consistent(loaded: Loaded) -> None:
    assert (loaded.policy is None) == has_errors(loaded.diagnostics), said(loaded)
    for found in loaded.diagnostics:
        assert found.message
        assert "\n" not in found.message + found.hint or found.code.startswith("B0")
        if found.position.file in loaded.sources:
            lines = loaded.sources[found.position.file].lines
            assert 1 <= found.position.line <= len(lines)
            assert 1 <= found.position.column <= len(lines[found.position.line - 1]) + 1
            assert (found.position.line, found.position.column) <= (found.position.end_line, found.position.end_column)


WORDS = st.sampled_from(
    "settings categories user channels events suppression templates fields rules id when all any not type text weight"
    " message chat console cooldown limit within per mute always quiet_hours from to variants samples a b en 1h 5% true"
    " 22:00 amount > 1".split()
)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | WORDS | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=6), inner, max_size=5),
    max_leaves=30,
)


@settings(max_examples=100, deadline=None)
@given(DATA, DATA)
def test_no_data_raises(rules: object, templates: object):
    consistent(load_data(rules, templates))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(WORDS, st.dictionaries(WORDS, DATA, max_size=4) | DATA, max_size=6))
def test_no_sections_raise(rules: object):
    consistent(load_data(rules, {"templates": rules}))


def lines_of(text: str) -> list[str]:
    return text.splitlines(keepends=True)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_workspace_in_which_lines_are_lost_doubled_or_turned_gives_a_policy_or_errors(data: st.DataObject):
    text = GOOD_RULES + GOOD_TEMPLATES
    lines = lines_of(text)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "double", "swap", "indent", "dedent"])):
            case "drop":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "swap":
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "indent":
                lines[at] = "  " + lines[at]
            case _:
                lines[at] = lines[at].removeprefix("  ")
    consistent(load_files(split("".join(lines))))


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, len(GOOD_RULES) - 1),
    st.sampled_from(["", "'", '"', "{", "]", ":", "#", "\t", "\n", "-", "&", "ä", "0"]),
)
def test_a_workspace_in_which_one_character_is_wrong_gives_a_policy_or_errors(at: int, character: str):
    consistent(load(GOOD_RULES[:at] + character + GOOD_RULES[at + 1 :], GOOD_TEMPLATES))
