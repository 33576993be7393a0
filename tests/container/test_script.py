"""scripts/image.sh asks the tool that is there for the same image, and says what lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.container.reading import PROJECT, ROOT

SCRIPT = ROOT / "scripts" / "image.sh"


def tools(folder: Path, *engines: str) -> Path:
    """A folder for PATH with what the script needs, and engines that write down what they are told."""
    folder.mkdir()
    for name in ("sh", "sed", "git", "dirname", "uname", "id"):
        found = shutil.which(name)
        assert found is not None, name
        (folder / name).symlink_to(found)
    for name in engines:
        (folder / name).write_text(f'#!/bin/sh\nprintf "%s\\n" {name} "$@" > "$TOLD"\n')
        (folder / name).chmod(0o755)
    return folder


def call(path: Path, command: str, **variables: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    told = path / "told"
    kept = {name: os.environ[name] for name in ("HOME",) if name in os.environ}
    done = subprocess.run(
        ["/bin/sh", SCRIPT, command],
        env={**kept, "PATH": str(path), "TOLD": str(told), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, told.read_text().splitlines() if told.exists() else []


@pytest.mark.parametrize(
    ("engines", "beginning"),
    [
        (("docker", "podman", "buildah"), ["docker", "build"]),
        (("podman", "buildah"), ["podman", "build", "--format", "docker"]),
        (("buildah",), ["buildah", "build", "--format", "docker"]),
    ],
)
def test_whichever_engine_is_here_builds_the_same_image(tmp_path, engines, beginning):
    done, told = call(tools(tmp_path / "bin", *engines), "build")
    assert done.returncode == 0, done.stderr
    assert told[: len(beginning)] == beginning
    assert told[-1] == "."
    assert told[told.index("--tag") + 1] == f"botopt:{PROJECT['version']}"
    assert f"VERSION={PROJECT['version']}" in told
    assert any(word.startswith("REVISION=") for word in told)
    assert "--secret" not in told


def test_certificates_and_a_configuration_of_pip_are_passed_as_secrets_only(tmp_path):
    for name in ("ca.pem", "pip.conf"):
        (tmp_path / name).write_text("x")
    given = {"PIP_CERT": str(tmp_path / "ca.pem"), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    _, told = call(tools(tmp_path / "bin", "docker"), "build", **given, BASE="example.com/python:3.12-slim")
    secrets = [told[at + 1] for at, word in enumerate(told) if word == "--secret"]
    assert secrets == [f"id=ca,src={tmp_path / 'ca.pem'}", f"id=pip,src={tmp_path / 'pip.conf'}"]
    arguments = [told[at + 1] for at, word in enumerate(told) if word == "--build-arg"]
    assert "BASE=example.com/python:3.12-slim" in arguments
    assert not any(str(tmp_path) in argument for argument in arguments)


def test_without_an_engine_it_says_what_to_install(tmp_path):
    done, _ = call(tools(tmp_path / "bin"), "build")
    assert done.returncode == 1
    assert "apt-get install -y buildah" in done.stderr


def test_what_a_trial_lacks_is_one_line(tmp_path):
    done, _ = call(tools(tmp_path / "bin"), "lacks")
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    assert line.startswith(("only Linux", "only root", "buildah is not here: apt-get install"))


def test_it_explains_itself(tmp_path):
    done, _ = call(tools(tmp_path / "bin"), "help")
    assert done.returncode == 2
    for command in ("build", "lacks", "trial", "clean"):
        assert f"sh scripts/image.sh {command} " in done.stdout
