"""The compose file: valid by the official schema, as tight as the image allows, and true to what botopt does."""

from __future__ import annotations

import importlib.resources
import json
import re
import subprocess

import jsonschema
import pytest
import yaml

from tests.container.reading import PROJECT, ROOT, UID, answering, check_health, seconds

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICE = COMPOSE["services"]["botopt"]


def test_the_official_schema_takes_it():
    schemas = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((schemas / "compose-spec.json").read_text("utf-8"))
    judge = jsonschema.validators.validator_for(schema)(schema)
    assert list(judge.iter_errors(COMPOSE)) == []
    assert list(judge.iter_errors({**COMPOSE, "servces": {}})) != [], "the judge is awake"


def test_one_process_with_the_rights_of_the_image_and_no_more():
    assert SERVICE["deploy"]["replicas"] == 1
    assert SERVICE["user"] == f"{UID}:{UID}"
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & set(SERVICE)


def test_only_the_volume_and_tmp_can_be_written():
    mounts = [mount.rsplit(":", 2) if mount.endswith(":ro") else mount.split(":") for mount in SERVICE["volumes"]]
    assert [mount for mount in mounts if mount[-1] != "ro"] == [["state", "/var/lib/botopt"]]
    assert set(COMPOSE["volumes"]) == {"state"}
    assert [mount.partition(":")[0] for mount in SERVICE["tmpfs"]] == ["/tmp"]


def test_without_settings_it_serves_the_policy_that_lies_beside_it():
    for mount in SERVICE["volumes"]:
        if mount.endswith(":ro"):
            source, target = re.fullmatch(r"\$\{BOTOPT_POLICY:-\.\}/(\w+):/policy/(\w+):ro", mount).groups()
            assert source == target
            assert (ROOT / source).is_dir()


def test_nobody_but_this_machine_reaches_it_unless_somebody_says_so():
    assert SERVICE["ports"] == ["127.0.0.1:${BOTOPT_PORT:-8080}:8080"]


def test_it_is_given_time_to_drain():
    assert seconds(SERVICE["stop_grace_period"]) > 20


def test_it_is_healthy_when_it_is_ready():
    [kind, *command] = SERVICE["healthcheck"]["test"]
    assert kind == "CMD"
    with answering({"/readyz": 200}) as port:
        assert check_health(command, port) == 0
    with answering({"/readyz": 503, "/healthz": 200}) as port:
        assert check_health(command, port) == 1
    assert check_health(command, port) == 1


def test_the_image_has_the_version_of_the_project():
    assert SERVICE["image"] == f"botopt:{PROJECT['version']}"


@pytest.mark.parametrize("name", ["botopt.env", "deploy/botopt.env"])
def test_secrets_cannot_be_committed_by_accident(name):
    done = subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 128:
        pytest.skip("this folder is no git repository")
    assert done.returncode == 0


def test_the_example_of_secrets_is_one_that_compose_reads_and_holds_none():
    lines = (ROOT / "deploy" / "botopt.env.example").read_text("utf-8").splitlines()
    settings = [line for line in lines if line and not line.startswith("#")]
    assert settings
    for line in settings:
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*=[\w-]*replace-me", line), line
