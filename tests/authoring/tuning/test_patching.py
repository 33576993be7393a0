"""Turned numbers in the author's files: nothing else changes, and git takes the patch."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from botopt.authoring.tuning.knobs import Knob, Sort, values
from botopt.authoring.tuning.patching import patch
from botopt.delivery.registry import CHANNEL_TYPES
from botopt.loading.policy import read_policy
from botopt.loading.snapshot import take
from botopt.model.errors import UsageError
from botopt.model.instants import instant_us

UNTIL = instant_us("2026-03-21T23:56:56.985Z")
HOUR = 3_600_000_000
RULES = """\
# What the shop says.
settings:
  threshold: 0.60   # not lower!
channels:
  chat: {type: console}
events:
  news:
    weight: 0.7  # see ticket 12
    threshold: 0.55
    message: hello
    rules:
      - {id: large, when: size >= 5, score: +0.15}  # large ones
      - id: small
        when: size < 1
        threshold: +0.10
    fields: {size: {type: number, default: 0}}
suppression:
  - {id: once, cooldown: 6h}   # six hours
  - id: many
    limit: 4
    within: day
"""
TURNED = {
    Knob(Sort.BAR): 0.65,
    Knob(Sort.WEIGHT, "news"): 0.75,
    Knob(Sort.THRESHOLD, "news"): 0.50,
    Knob(Sort.RULE_SCORE, "news", "large"): 0.10,
    Knob(Sort.RULE_THRESHOLD, "news", "small"): 0.15,
    Knob(Sort.COOLDOWN, "once"): 12 * HOUR,
    Knob(Sort.LIMIT, "many"): 3,
}


def made(folder, rules: str = RULES):
    for name, text in (("rules/r.yaml", rules), ("templates/t.yaml", "templates: {hello: Hello}\n")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return take(folder)


def loaded(snapshot):
    found = read_policy(snapshot, channel_types=CHANNEL_TYPES)
    assert found.policy is not None, found.diagnostics
    return found.policy


def test_every_number_is_turned_where_it_stands_and_every_comment_stays(tmp_path):
    done = patch(made(tmp_path), TURNED, UNTIL)
    text = done.after.files[0].data.decode()
    assert text == (
        RULES.replace("  threshold: 0.60 ", "  tuned_until: 2026-03-21T23:56:57Z\n  threshold: 0.65 ")
        .replace("weight: 0.7 ", "weight: 0.75 ")
        .replace("threshold: 0.55", "threshold: 0.50")
        .replace("score: +0.15", "score: +0.10")
        .replace("threshold: +0.10", "threshold: +0.15")
        .replace("cooldown: 6h", "cooldown: 12h")
        .replace("limit: 4", "limit: 3")
    )
    policy = loaded(done.after)
    assert {knob: values(policy)[knob] for knob in TURNED} == pytest.approx(TURNED)
    assert policy.settings.tuned_until_us >= UNTIL


def test_the_files_are_left_alone(tmp_path):
    patch(made(tmp_path), TURNED, UNTIL)
    assert (tmp_path / "rules" / "r.yaml").read_text() == RULES


STAMP = "tuned_until: 2026-03-21T23:56:57Z"


@pytest.mark.parametrize(
    ("settings", "after"),
    [
        ("settings: {locale: en}", f"settings: {{{STAMP}, threshold: 0.65, locale: en}}"),
        ("settings:\n    locale: en", f"settings:\n    {STAMP}\n    threshold: 0.65\n    locale: en"),
        ("settings: {tuned_until: 2026-01-01T00:00:00Z}", f"settings: {{threshold: 0.65, {STAMP}}}"),
    ],
    ids=["in braces", "in lines", "tuned before"],
)
def test_a_threshold_that_nobody_wrote_is_written_where_the_settings_are(tmp_path, settings, after):
    rules = RULES.replace("settings:\n  threshold: 0.60   # not lower!", settings)
    done = patch(made(tmp_path, rules), {Knob(Sort.BAR): 0.65}, UNTIL)
    assert done.after.files[0].data.decode() == rules.replace(settings, after)
    assert loaded(done.after).settings.threshold == 0.65


def test_settings_that_nobody_wrote_stand_at_the_beginning(tmp_path):
    rules = RULES.replace("settings:\n  threshold: 0.60   # not lower!\n", "")
    done = patch(made(tmp_path, rules), {Knob(Sort.WEIGHT, "news"): 0.65}, UNTIL)
    assert done.after.files[0].data.decode().startswith("settings:\n  tuned_until: 2026-03-21T23:56:57Z\n# What")
    assert loaded(done.after).settings.tuned_until_us is not None


def test_a_number_that_stands_nowhere_as_it_is_is_named(tmp_path):
    with pytest.raises(UsageError, match="offer: weight stands in no file"):
        patch(made(tmp_path), {Knob(Sort.WEIGHT, "offer"): 0.5}, UNTIL)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")
@pytest.mark.parametrize("ending", ["\n", "\r\n", ""], ids=["lf", "crlf", "no line break at the end"])
def test_git_takes_the_patch_in_the_workspace(tmp_path, ending):
    text = RULES.rstrip("\n") if not ending else RULES.replace("\n", ending)
    shop = tmp_path / "repository" / "shop"
    done = patch(made(shop, text), TURNED, UNTIL)
    (tmp_path / "p.diff").write_bytes(done.text.encode())

    def git(*words: str) -> None:
        names = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "core.autocrlf=false"]
        subprocess.run(["git", *names, *words], cwd=shop, check=True, capture_output=True)

    git("init", "-q", "..")
    git("add", "-A")
    git("commit", "-q", "-m", "before")
    git("apply", str(tmp_path / "p.diff"))
    assert (shop / "rules" / "r.yaml").read_bytes() == done.after.files[0].data
    assert loaded(take(shop)).revision == loaded(done.after).revision
