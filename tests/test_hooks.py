"""The hooks for pre-commit, judged by pre-commit: in a repository of their own, with this botopt on the path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.running import ROOT, RULES, workspace

MANIFEST = ROOT / ".pre-commit-hooks.yaml"
HOOKS = yaml.safe_load(MANIFEST.read_text("utf-8"))
TIDY = RULES.replace("\nevents:", "\n\nevents:").replace("\nsuppression:", "\n\nsuppression:")
TEST = """\
tests:
  - name: sent
    steps:
      - send: payment_failed
        with: {amount: 42}
        expect: {outcome: sent}
"""


def run(repository: Path, *words: str) -> subprocess.CompletedProcess[str]:
    here = repository.parent
    path = os.pathsep.join((str(here / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]))
    env = {
        **os.environ,
        "PATH": path,
        "HOME": str(here),
        "XDG_CACHE_HOME": str(here / "cache"),
        "PYTHONPATH": str(ROOT),
    }
    env = {name: value for name, value in env.items() if not name.startswith("GIT_")}
    return subprocess.run(words, cwd=repository, env=env, capture_output=True, text=True, timeout=120, check=False)


def hook(repository: Path, name: str) -> tuple[int, str]:
    done = run(repository, sys.executable, "-m", "pre_commit", "run", name, "--all-files", "--color", "never")
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def repository(tmp_path) -> Path:
    """A repository whose workspace is a folder in it; the hooks as they stand, but without a download."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "botopt"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m botopt "$@"\n', "utf-8")
    program.chmod(0o755)
    here = workspace(tmp_path / "repository" / "shop", TIDY).parent
    (here / "shop" / "rules" / "r.test.yaml").write_text(TEST, "utf-8")
    local = [{**one, "language": "system"} for one in HOOKS]
    for one in local:
        if one["id"] != "botopt-fmt":
            one["args"] = ["--workspace", "shop"]
    config = {"repos": [{"repo": "local", "hooks": local}]}
    (here / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    for words in (("init", "-q"), ("add", "-A")):
        assert run(here, "git", *words).returncode == 0
    return here


def test_pre_commit_accepts_the_manifest():
    done = run(ROOT, sys.executable, "-m", "pre_commit", "validate-manifest", str(MANIFEST))
    assert (done.returncode, done.stdout) == (0, "")
    assert [one["id"] for one in HOOKS] == ["botopt-validate", "botopt-fmt", "botopt-test"]


@pytest.mark.parametrize("name", [one["id"] for one in HOOKS])
def test_a_hook_passes_what_is_well(repository, name):
    code, said = hook(repository, name)
    assert (code, "Passed" in said) == (0, True), said


def test_a_wrong_policy_is_not_committed(repository):
    rules = repository / "shop" / "rules" / "r.yaml"
    rules.write_text(TIDY.replace("weight: 0.70", "wieght: 0.70"), "utf-8")
    code, said = hook(repository, "botopt-validate")
    assert code == 1
    assert "exit code: 3" in said
    assert 'did you mean "weight"?' in said


def test_a_failing_rule_test_is_not_committed(repository):
    rules = repository / "shop" / "rules" / "r.yaml"
    rules.write_text(TIDY.replace("weight: 0.70", "weight: 0.20"), "utf-8")
    code, said = hook(repository, "botopt-test")
    assert code == 1
    assert "exit code: 4" in said


def test_fmt_tidies_what_is_committed(repository):
    rules = repository / "shop" / "rules" / "r.yaml"
    rules.write_text(TIDY.replace("{type: console}", "{ type: console }"), "utf-8")
    code, said = hook(repository, "botopt-fmt")
    assert (code, "files were modified by this hook" in said) == (1, True), said
    assert rules.read_text("utf-8") == TIDY


def test_other_files_concern_no_hook(repository):
    for path in (repository / "shop" / "rules").iterdir():
        path.unlink()
    for path in (repository / "shop" / "templates").iterdir():
        path.unlink()
    run(repository, "git", "add", "-A")
    code, said = hook(repository, "botopt-validate")
    assert (code, "no files to check" in said) == (0, True), said
