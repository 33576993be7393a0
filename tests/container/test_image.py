"""The image is built, over a Debian made here, and tried out as an engine would run it. Slow: `make image-test`.

Nothing is pulled and no engine is needed; root, buildah and debootstrap are. Where one lacks, the tests say so.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.container.asked import skip_unless_asked
from tests.container.reading import PROJECT, ROOT, UID
from tests.container.running import Container, Image, Volume, owned, volumes

skip_unless_asked()


def run(image: Image, volumes: tuple[Volume, ...], *args: str, log: Path, **settings) -> tuple[int, str]:
    with Container(image, volumes, *args, log=log, **settings) as container:
        return container.wait(), container.said()


# ---------------------------------------------------------------- what is in it


def every_file(image: Image) -> Iterator[tuple[Path, os.stat_result]]:
    for folder, folders, files in os.walk(image.root):
        for name in (*folders, *files):
            path = Path(folder) / name
            yield path, path.lstat()


def test_it_says_how_large_it_is(image, capsys):
    size = sum(status.st_size for _, status in every_file(image) if stat.S_ISREG(status.st_mode))
    ours = sum(path.lstat().st_size for path in (image.root / "opt/botopt").rglob("*") if path.is_file())
    with capsys.disabled():
        print(f"\nthe image holds {size / 1e6:.0f} MB, of which botopt and its libraries are {ours / 1e6:.0f} MB")
    assert ours < 200e6


def test_it_has_no_compiler_no_headers_no_pip_and_nothing_of_the_build(image):
    # Whole programs, not documentation about them.
    unwanted = {"gcc", "g++", "cc", "cpp", "clang", "as", "ld", "make", "pip", "pip3", "Python.h", "stdio.h", "wheels"}
    found = [path for path, status in every_file(image) if path.name in unwanted and "share" not in path.parts]
    assert [path for path in found if not path.is_symlink()] == []
    assert not (image.root / "build").exists()
    assert not (image.root / "run/secrets").exists()
    assert not list((image.root / "opt").rglob("direct_url.json"))
    assert not list((image.root / "root").rglob(".cache"))


def test_nothing_changes_its_user_by_being_run(image):
    assert [
        path for path, status in every_file(image) if stat.S_ISREG(status.st_mode) and status.st_mode & 0o6000
    ] == []


def test_its_user_may_write_only_the_volume_and_the_folders_for_everybody(image):
    writable = []
    for path, status in every_file(image):
        if stat.S_ISLNK(status.st_mode) or stat.S_ISCHR(status.st_mode):
            continue
        mode = status.st_mode
        owns = status.st_uid == UID
        if owns or (status.st_gid == UID and mode & stat.S_IWGRP) or mode & stat.S_IWOTH:
            writable.append((str(path.relative_to(image.root)), owns, bool(mode & stat.S_ISVTX), stat.S_ISDIR(mode)))
    ours = [path for path, owns, _, _ in writable if owns]
    assert ours == ["var/lib/botopt"]
    others = [(path, sticky, folder) for path, owns, sticky, folder in writable if not owns]
    assert [path for path, sticky, folder in others if not (sticky and folder)] == []
    assert {path for path, _, _ in others} <= {"tmp", "var/tmp", "run/lock"}


def test_its_settings_are_those_of_the_dockerfile(image):
    settings = image.settings
    assert settings["User"] == f"{UID}:{UID}"
    assert settings["Entrypoint"] == ["botopt"]
    assert settings["Cmd"][0] == "serve"  # type: ignore[index]
    assert settings["StopSignal"] == "SIGTERM"
    assert settings["WorkingDir"] == "/policy"
    assert settings["Volumes"] == {"/var/lib/botopt": {}}
    assert settings["Healthcheck"]["Test"][0] == "CMD"  # type: ignore[index]
    labels = settings["Labels"]
    assert labels["org.opencontainers.image.version"] == PROJECT["version"]  # type: ignore[index]
    assert labels["org.opencontainers.image.licenses"] == PROJECT["license"]  # type: ignore[index]
    assert labels["org.opencontainers.image.revision"] != ""  # type: ignore[index]
    assert not any("PIP" in name or "CERT" in name for name in image.environment)


def test_it_holds_botopt_as_it_stands_here(image):
    [packages] = (image.root / "opt/botopt/lib").glob("python3*/site-packages")
    for path in (ROOT / "botopt").rglob("*.py"):
        assert (packages / path.relative_to(ROOT)).read_bytes() == path.read_bytes(), path


# ---------------------------------------------------------------- what it does


def test_the_program_starts_and_says_its_version(image, policy, volume, tmp_path):
    code, said = run(image, volumes(policy, volume), "--version", log=tmp_path / "log")
    assert (code, PROJECT["version"] in said) == (0, True), said


def test_a_mounted_policy_is_validated_without_naming_its_folder(image, policy, volume, tmp_path):
    code, said = run(image, volumes(policy, volume), "validate", log=tmp_path / "log")
    assert code == 0, said
    assert "ok 14 files" in said
    assert (volume / "cache").is_dir(), "what was found is remembered in the volume"


def test_doctor_finds_everything_in_order_and_the_rules_network_compiled(image, policy, volume, tmp_path):
    code, said = run(
        image, volumes(policy, volume), "doctor", "-w", "/policy", "--format", "json", log=tmp_path / "log"
    )
    assert code == 0, said
    assert "bad" not in {result["health"] for result in json.loads(said)}
    details = {result["name"]: result["detail"] for result in json.loads(said)}
    [python] = (image.root / "opt/botopt/lib").glob("python3*")
    if python.name in ("python3.11", "python3.12"):  # it does not load on later ones
        assert details["rules network"].startswith("durable_rules ")


@pytest.mark.parametrize("uid", [UID, 54321], ids=["its user", "any other user"])
def test_events_are_decided_and_the_state_is_kept(image, policy, tmp_path, uid):
    state = owned(tmp_path / "volume", uid)
    args = ("replay", "events.jsonl", "--state", "/var/lib/botopt/state.db", "--workers", "2")
    code, said = run(image, volumes(policy, state), *args, user=(uid, uid), log=tmp_path / "log")
    assert code == 0, said
    assert {path.stat().st_uid for path in state.rglob("*")} == {uid}
    code, said = run(
        image, volumes(policy, state), "state", "list", "--state", "/var/lib/botopt/state.db", "--format", "json",
        user=(uid, uid), log=tmp_path / "log",
    )  # fmt: skip
    assert code == 0, said
    assert len(said.splitlines()) > 3


def test_nothing_but_the_volume_and_tmp_can_be_written_and_no_right_can_be_got(image, policy, volume, tmp_path):
    script = """
import os, pathlib
for folder in ("/", "/policy", "/opt/botopt", "/etc", "/var/tmp", "/home", "/tmp", "/var/lib/botopt"):
    try:
        (pathlib.Path(folder) / "written").write_text("x")
        print("may write", folder)
    except OSError:
        pass
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(os.getpid(), status["Uid"].split(), status["Groups"].split(), status["CapEff"], status["CapBnd"], status["NoNewPrivs"])
"""
    entry = Image(image.root, {**image.settings, "Entrypoint": ["python"]})
    code, said = run(entry, volumes(policy, volume), "-c", script, log=tmp_path / "log")
    assert code == 0, said
    none = "0" * 16
    assert said.splitlines() == [
        "may write /tmp",
        "may write /var/lib/botopt",
        f"1 {[str(UID)] * 4} [] {none} {none} 1",
    ]


def test_without_a_policy_it_says_what_is_missing(image, volume, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    code, said = run(image, volumes(empty, volume), "validate", log=tmp_path / "log")
    assert code == 3
    assert "there is no folder rules/ in this workspace" in said


def test_without_a_folder_for_temporary_files_policies_are_still_validated(image, policy, volume, tmp_path):
    code, said = run(image, volumes(policy, volume, tmp=False), "validate", log=tmp_path / "log")
    assert code == 0, said


def test_the_backup_of_the_manifests_copies_a_state_and_removes_old_copies(image, policy, volume, tmp_path):
    args = ("replay", "events.jsonl", "--state", "/var/lib/botopt/state.db")
    code, said = run(image, volumes(policy, volume), *args, log=tmp_path / "log")
    assert code == 0, said
    old = volume / "state-20200101T000000Z.db"
    old.touch()
    os.utime(old, (0, 0))
    [container] = yaml.safe_load((ROOT / "deploy/kubernetes/backup/cronjob.yaml").read_text("utf-8"))["spec"][
        "jobTemplate"
    ]["spec"]["template"]["spec"]["containers"]
    [shell, *words] = [word.replace("/backup", "/var/lib/botopt") for word in container["command"]]
    code, said = run(
        Image(image.root, {**image.settings, "Entrypoint": [shell]}),
        volumes(policy, volume),
        *words,
        log=tmp_path / "log",
    )
    assert code == 0, said
    assert said.startswith("copied /var/lib/botopt/state.db to /var/lib/botopt/state-2"), said
    assert len(list(volume.glob("state-*.db"))) == 1


_STAND_IN = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
http.server.HTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


def test_its_health_check_runs_in_it(image, policy, volume, tmp_path):
    """Asked about a stand-in for the server: what it says about ours is in test_service.py."""
    entry = Image(image.root, {**image.settings, "Entrypoint": ["python"]})
    [_, *command] = image.settings["Healthcheck"]["Test"]  # type: ignore[index]
    with Container(entry, volumes(policy, volume), "-c", _STAND_IN, log=tmp_path / "log") as container:
        container.wait_for("/healthz")
        assert container.run(*command).returncode == 0
        assert container.run("id", "-u").stdout == f"{UID}\n"
    with Container(
        entry, volumes(policy, volume), "-c", "import time; time.sleep(60)", log=tmp_path / "log"
    ) as container:
        assert container.run(*command).returncode == 1
