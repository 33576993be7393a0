"""What is remembered about a workspace is what would be found anew, and nothing else is ever believed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from botopt.cli.findings import findings_json
from botopt.loading import snapshot
from botopt.loading.revision import revision_of
from botopt.model.data_files import data_dir
from botopt.model.errors import PolicyError
from botopt.verify import validate as module
from botopt.verify.cache import key as keys
from botopt.verify.cache import store
from botopt.verify.cache.packing import pack, unpack
from botopt.verify.validate import Validation, load, validate
from tests.cli.running import RULES, TEMPLATES, workspace
from tests.loading.making import split, write

ROOT = Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "tests" / "fixtures" / "codes"
UNREADABLE = frozenset({"B001.bad", "B118.bad"})
"""Their findings are about a moment or a place, so they are found anew each time."""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv(store.VARIABLE, str(folder))
    return folder / "policies"


@pytest.fixture
def no_checking(monkeypatch):
    """Call it, and whatever is not remembered fails."""

    def refuse(*_):
        raise AssertionError("this is not remembered")

    return lambda: monkeypatch.setattr(module, "_found", refuse)


@pytest.fixture
def folder(tmp_path):
    return workspace(tmp_path / "shop")


def same(one: Validation, other: Validation) -> bool:
    """Patterns are compiled anew each time, so policies with patterns are compared by their bytes."""
    return pack(one) == pack(other) and one.diagnostics == other.diagnostics


def entries(cache: Path) -> list[Path]:
    return sorted(cache.iterdir()) if cache.exists() else []


def fixture_workspace(path: Path, folder: Path) -> Path:
    """A fixture as a workspace, as in tests/test_codes.py."""
    (folder / "rules").mkdir(parents=True)
    if path.name.startswith("B0"):
        is_template = path.exists() and path.read_bytes().startswith(b"templates:")
        place = folder / ("templates" if is_template else "rules") / "x.yaml"
        place.parent.mkdir(exist_ok=True)
        shutil.copy(path, place, follow_symlinks=False)
    else:
        write(folder, split(path.read_text("utf-8")))
    return folder


@pytest.mark.parametrize("path", sorted(FIXTURES.iterdir()), ids=lambda path: path.stem)
def test_what_is_remembered_is_what_was_found(path, tmp_path, cache, no_checking):
    folder = fixture_workspace(path, tmp_path / "shop")
    cold = validate(folder)
    if path.stem in UNREADABLE:
        assert entries(cache) == []
        return
    no_checking()
    again = validate(folder)
    assert same(again, cold)
    assert findings_json(again.diagnostics) == findings_json(cold.diagnostics)
    assert [found.source for found in again.diagnostics] == [found.source for found in cold.diagnostics]


def test_the_starter_policy_means_the_same_when_it_is_remembered(cache, no_checking):
    cold = validate(data_dir("rules").parent)
    no_checking()
    warm = validate(data_dir("rules").parent)
    assert same(warm, cold)
    assert warm.policy is not None
    assert warm.policy.revision == revision_of(warm.policy)
    patterns = [
        field.pattern for event in warm.policy.events.values() for field in event.fields.values() if field.pattern
    ]
    card = next(one for one in patterns if one.text == "[0-9]{4}")
    assert (bool(card.fullmatch("4242")), bool(card.fullmatch("42x2"))) == (True, False)


def test_lists_objects_and_numbers_of_samples_stay_what_they_are(tmp_path, cache, no_checking):
    sample = "{amount: 42, things: [{name: Tea, size: 1.5, parts: [1, true, null]}, 2.0, x]}"
    folder = workspace(
        tmp_path / "shop",
        rules=RULES.replace("      note:", "      things: {type: list, optional: true}\n      note:"),
        templates=TEMPLATES.replace("{amount: 42}", sample),
    )
    cold = validate(folder)
    no_checking()
    warm = validate(folder)
    assert warm == cold
    assert warm.policy is not None
    assert str(warm.policy.templates["hello"].samples) == str(cold.policy.templates["hello"].samples)


@pytest.mark.parametrize("format", ["text", "json"])
def test_the_command_prints_the_same_when_nothing_changed(format, tmp_path, cache):
    folder = workspace(tmp_path / "shop", templates=TEMPLATES.replace("  hello:\n", "  hello:\n    choose: learn\n"))
    command = [sys.executable, "-m", "botopt", "validate", "-w", str(folder), "--format", format]
    cold, warm = (subprocess.run(command, capture_output=True, check=True) for _ in range(2))
    assert (warm.stdout, warm.stderr) == (cold.stdout, cold.stderr)
    assert b"B132" in warm.stdout
    assert len(entries(cache)) == 1


def test_one_changed_byte_is_found(folder, cache):
    before = validate(folder)
    file = next((folder / "rules").iterdir())
    file.write_text(file.read_text().replace("score: +0.15", "score: +0.16"))
    after = validate(folder)
    assert before.policy is not None
    assert after.policy is not None
    assert before.policy.revision != after.policy.revision


def test_a_new_name_and_a_file_that_is_not_read_are_found(folder, cache):
    assert validate(folder).files
    (folder / "rules" / "r.yaml").rename(folder / "rules" / "other.yaml")
    assert "rules/other.yaml" in validate(folder).files
    (folder / "rules" / "left.yaml.txt").write_text("events: {}\n")
    assert [found.code for found in validate(folder).diagnostics] == ["B120"]


def test_the_same_words_in_another_folder_are_known(tmp_path, folder, cache, no_checking):
    shutil.copytree(folder, tmp_path / "copy")
    cold = validate(folder)
    no_checking()
    assert validate(tmp_path / "copy") == cold


def test_loading_after_validating_is_known_too(folder, cache, no_checking):
    cold = validate(folder)
    no_checking()
    assert load(folder) == cold.policy


def test_an_error_that_stops_no_policy_does_not_stop_a_known_one(tmp_path, cache, no_checking):
    # The amount can be 0, and only rendering finds that out.
    folder = workspace(tmp_path / "shop", templates=TEMPLATES.replace("{{ amount }}", "{{ 1 / amount }}"))
    assert {found.code for found in validate(folder).diagnostics} == {"B313"}
    first = load(folder)
    no_checking()
    assert validate(folder).policy is None
    assert load(folder) == first


def test_a_policy_with_errors_raises_the_same_when_it_is_known(tmp_path, cache, no_checking):
    folder = workspace(tmp_path / "shop", rules=RULES.replace("cooldown: 6h", "cooldown: 6 hours"))
    with pytest.raises(PolicyError) as cold:
        load(folder)
    no_checking()
    with pytest.raises(PolicyError) as warm:
        load(folder)
    assert warm.value.diagnostics == cold.value.diagnostics


def test_nothing_that_reads_or_checks_is_imported_for_a_known_policy(folder, cache):
    validate(folder)
    words = f"""
import sys
from botopt.verify.validate import load
load({str(folder)!r})
print(sorted({{"yaml", "jinja2", "babel", "jsonschema", "re2"}} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", words], capture_output=True, check=True).stdout == b"[]\n"


# ---------------------------------------------------------------- what is not believed


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data + b"\0",
        lambda data: data.replace(b"policy 1\n", b"policy 0\n", 1),
        lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
    ],
    ids=["empty", "one byte less", "half", "one byte more", "older", "one bit"],
)
def test_a_damaged_file_is_ignored_and_written_anew(damage, folder, cache):
    cold = validate(folder)
    [entry] = entries(cache)
    sound = entry.read_bytes()
    entry.write_bytes(damage(sound))
    assert validate(folder) == cold
    assert entry.read_bytes() == sound


def test_what_belongs_to_another_key_is_ignored(tmp_path, folder, cache):
    validate(folder)
    [first] = entries(cache)
    other = workspace(tmp_path / "other", rules=RULES.replace("cooldown: 6h", "cooldown: 7h"))
    cold = validate(other)
    [second] = set(entries(cache)) - {first}
    second.write_bytes(first.read_bytes())
    assert validate(other) == cold


def test_bytes_that_are_no_findings_are_ignored(folder, cache):
    cold = validate(folder)
    key = keys.key_of(snapshot.take(folder), "all")
    assert key is not None
    store.keep(key, b"\x93\x01\x02\x03")
    assert unpack(b"\x93\x01\x02\x03", Validation) is None
    assert validate(folder) == cold


@pytest.mark.parametrize("what", ["version", "python", "libraries", "code"])
def test_another_version_of_anything_asks_anew(what, folder, cache, monkeypatch):
    validate(folder)
    keys._installation.cache_clear()
    match what:
        case "version":
            monkeypatch.setattr(keys, "VERSION", "9.9.9")
        case "python":
            monkeypatch.setattr(keys.sys, "version", "4.0")
        case "libraries":
            known = keys._versions(sys.path)
            monkeypatch.setattr(keys, "_versions", lambda _: {**known, "babel": "99"})
        case _:
            monkeypatch.setattr(keys, "_sources", lambda: iter([b"engine.py", b"pass"]))
    try:
        validate(folder)
    finally:
        monkeypatch.undo()
        keys._installation.cache_clear()
    assert len(entries(cache)) == 2


def test_an_unknown_library_version_remembers_nothing(folder, cache, monkeypatch):
    monkeypatch.setattr(keys, "_versions", lambda _: {})
    keys._installation.cache_clear()
    try:
        assert validate(folder).policy is not None
    finally:
        keys._installation.cache_clear()
    assert entries(cache) == []


def test_every_library_that_decides_has_a_version_here():
    assert keys._versions(sys.path).keys() >= keys._LIBRARIES


# ---------------------------------------------------------------- where it lies


@pytest.mark.parametrize("word", ["", "off"])
def test_it_can_be_switched_off(word, folder, tmp_path, monkeypatch):
    monkeypatch.setenv(store.VARIABLE, word)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.chdir(tmp_path)
    assert store.cache_folder() is None
    assert validate(folder).policy is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop"]


def test_it_lies_in_the_users_own_cache(tmp_path, monkeypatch):
    monkeypatch.delenv(store.VARIABLE)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert store.cache_folder() == tmp_path / "xdg" / "botopt" / "policies"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert store.cache_folder() == tmp_path / ".cache" / "botopt" / "policies"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert store.cache_folder() == tmp_path / "Library" / "Caches" / "botopt" / "policies"


def test_only_the_user_can_read_or_write_it(folder, cache):
    validate(folder)
    assert cache.stat().st_mode & 0o777 == 0o700
    assert [entry.stat().st_mode & 0o777 for entry in entries(cache)] == [0o600]


def test_a_folder_in_which_others_can_write_is_not_used(folder, cache, monkeypatch):
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    validate(folder)
    assert entries(cache) == []


def test_a_link_in_the_place_of_the_folder_or_of_a_file_is_not_followed(folder, cache, tmp_path):
    cold = validate(folder)
    [entry] = entries(cache)
    elsewhere = tmp_path / "elsewhere"
    entry.rename(elsewhere)
    entry.symlink_to(elsewhere)
    assert store.find(bytes.fromhex(entry.name)) is None
    assert validate(folder) == cold
    assert not entry.is_symlink()
    cache.rename(tmp_path / "moved")
    cache.symlink_to(tmp_path / "moved")
    assert store.find(bytes.fromhex(entry.name)) is None


@pytest.mark.parametrize("obstacle", ["a file", "no space"])
def test_a_cache_that_cannot_be_written_is_as_good_as_none(obstacle, folder, cache, monkeypatch):
    if obstacle == "a file":
        cache.parent.write_text("in the way")
    else:

        def full(*_, **__):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(store.tempfile, "mkstemp", full)
    assert validate(folder) == validate(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_as_good_as_none(folder, cache):
    cache.parent.mkdir(parents=True)
    cache.parent.chmod(0o500)
    assert validate(folder) == validate(folder)


def test_it_may_vanish_at_any_moment(folder, cache):
    cold = validate(folder)
    shutil.rmtree(cache)
    assert validate(folder) == cold
    assert len(entries(cache)) == 1


def test_a_write_that_fails_leaves_nothing_behind(folder, cache, monkeypatch):
    def refuse(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(store.Path, "replace", refuse)
    assert validate(folder).policy is not None
    assert entries(cache) == []


def test_only_so_many_are_kept_and_the_one_not_used_for_longest_goes_first(cache):
    for number in range(store.MOST_ENTRIES):
        store.keep(bytes([number]) * keys.SIZE, b"x")
        os.utime(cache / (bytes([number]) * keys.SIZE).hex(), (number, number))
    assert store.find(bytes(keys.SIZE)) == b"x"
    store.keep(b"n" * keys.SIZE, b"new")
    assert len(entries(cache)) == store.MOST_ENTRIES
    assert store.find(bytes(keys.SIZE)) == b"x"
    assert store.find(bytes([1]) * keys.SIZE) is None


def test_only_so_many_bytes_are_kept(cache, monkeypatch):
    monkeypatch.setattr(store, "MOST_BYTES", 1_000)
    for number in range(5):
        store.keep(bytes([number]) * keys.SIZE, b"x" * 300)
        os.utime(cache / (bytes([number]) * keys.SIZE).hex(), (number, number))
    assert sum(entry.stat().st_size for entry in entries(cache)) <= 1_000
    assert store.find(bytes([4]) * keys.SIZE) is not None
    store.keep(b"n" * keys.SIZE, b"x" * 600)
    assert store.find(b"n" * keys.SIZE) is None


def test_two_processes_at_once_do_not_disturb_each_other(folder, cache):
    words = f"""
from botopt.verify.cache import store
from botopt.verify.validate import validate
for number in range(30):
    found = validate({str(folder)!r})
    assert found.policy is not None and not found.diagnostics
    for path in store.cache_folder().iterdir() if number % 3 == 0 else ():
        path.unlink(missing_ok=True)
"""
    running = [subprocess.Popen([sys.executable, "-c", words], stderr=subprocess.PIPE) for _ in range(2)]
    assert [(process.communicate()[1], process.returncode) for process in running] == [(b"", 0), (b"", 0)]


def test_neither_a_path_nor_the_environment_is_inside(tmp_path, cache, monkeypatch):
    monkeypatch.setenv("CHAT_TOKEN", "hunter2-secret")
    rules = RULES.replace("{type: console}", '{type: console, token: "${CHAT_TOKEN}"}')
    templates = TEMPLATES.replace("{{ amount }}", "${CHAT_TOKEN} {{ amount }}")
    folders = (
        workspace(tmp_path / "whole", templates=templates),
        workspace(tmp_path / "broken", rules=rules, templates=templates),
    )
    for folder in folders:
        validate(folder)
    assert len(entries(cache)) == 2
    for entry in entries(cache):
        data = entry.read_bytes()
        assert str(tmp_path).encode() not in data
        assert b"hunter2-secret" not in data
