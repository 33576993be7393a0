"""The rules that the Dockerfile keeps, read from its text. `make image-test` builds it and looks at what came out."""

from __future__ import annotations

import fnmatch
import re
import shlex
import subprocess
import sys
import tomllib

import pytest
import typer

from botopt.cli.app import app
from tests.container.reading import PROJECT, ROOT, UID, answering, check_health, dockerfile, only, seconds

EXTRAS = ("server", "otel", "apprise")


def test_both_stages_stand_on_the_same_base_and_its_default_names_a_version():
    file = dockerfile()
    assert [stage[0].rest for stage in file.stages] == ["${BASE} AS build", "${BASE}"]
    [base] = file.before
    assert re.fullmatch(r"BASE=\S+/python:3\.1[123]-slim\S*", base.rest)
    assert "latest" not in (ROOT / "Dockerfile").read_text("utf-8")


def test_the_image_runs_as_a_user_with_a_number_and_nothing_later_changes_that():
    image = dockerfile().image
    assert only(image, "USER").rest == f"{UID}:{UID}"
    after = image[image.index(only(image, "USER")) + 1 :]
    assert {instruction.word for instruction in after} <= {
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
        "ARG",
        "LABEL",
    }


def test_the_image_gets_only_the_environment_and_installs_nothing():
    image = dockerfile().image
    assert [i.rest for i in image if i.word == "COPY"] == ["--from=build /opt/botopt /opt/botopt"]
    ran = " ".join(i.rest for i in image if i.word == "RUN")
    for word in ("apt-get", "pip install", "gcc", "curl", "wget"):
        assert word not in ran
    assert "rm -rf /usr/local/include" in ran


def test_nothing_is_fetched_by_address():
    file = dockerfile()
    everything = [*file.build, *file.image]
    assert [i for i in everything if i.word == "ADD"] == []
    assert "://" not in " ".join(i.rest for i in everything)


def test_certificates_and_configurations_of_pip_come_as_secrets_and_stay_out():
    file = dockerfile()
    fetching = [i.rest for i in file.build if i.word == "RUN" and "pip wheel" in i.rest]
    assert len(fetching) == 2
    for rest in fetching:
        assert rest.startswith("--mount=type=secret,id=ca --mount=type=secret,id=pip ")
    assert "PIP_CERT" in [i.rest for i in file.build if i.word == "ARG"], "a path, and no default"
    assert [i for i in file.image if "PIP" in i.rest or "secret" in i.rest] == []


def test_the_libraries_are_those_of_the_project_pinned(tmp_path):
    [rest] = [i.rest for i in dockerfile().build if i.word == "RUN" and "requirements.txt" in i.rest]
    words = shlex.split(rest)
    code = words[words.index("-c") + 1]
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    wanted = [*PROJECT["dependencies"], *(one for extra in EXTRAS for one in PROJECT["optional-dependencies"][extra])]
    assert done.stdout.splitlines() == wanted
    [installed] = [i.rest for i in dockerfile().build if "--no-index" in i.rest]
    assert f"'botopt[{','.join(EXTRAS)}]'" in installed
    [env] = [i.rest for i in dockerfile().build if i.word == "ENV"]
    assert "PIP_CONSTRAINT=/build/constraints.txt" in env
    assert "PIP_BUILD_CONSTRAINT=/build/constraints.txt" in env


def test_it_says_the_version_of_the_project():
    assert f"VERSION={PROJECT['version']}" in [i.rest for i in dockerfile().image if i.word == "ARG"]
    labels = only(dockerfile().image, "LABEL").rest
    assert PROJECT["description"] in labels
    assert f'licenses="{PROJECT["license"]}"' in labels


def test_signals_reach_the_program_itself():
    image = dockerfile().image
    assert only(image, "ENTRYPOINT").words == ["botopt"]
    assert only(image, "STOPSIGNAL").rest == "SIGTERM"
    command = only(image, "CMD").words
    assert command[0] == "serve"
    assert command[command.index("--state") + 1].startswith("/var/lib/botopt/")
    assert f"--port {only(image, 'EXPOSE').rest}" in " ".join(command)


@pytest.mark.skipif(
    "serve" not in typer.main.get_command(app).commands,  # type: ignore[attr-defined]
    reason="this checkout has no botopt serve yet",
)
def test_its_command_is_one_that_botopt_takes():
    [_, *args] = only(dockerfile().image, "CMD").words
    serve = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
    parsed = serve.make_context("serve", args, resilient_parsing=False)
    assert parsed.params["host"] == "0.0.0.0"


def test_its_health_check_asks_whether_the_process_lives_and_no_proxy():
    rest = only(dockerfile().image, "HEALTHCHECK").rest
    options, _, command = rest.partition(" CMD ")
    chosen = dict(option.removeprefix("--").split("=") for option in options.split())
    assert seconds(chosen["timeout"]) > 4, "longer than the request itself may take"
    words = only([type(only(dockerfile().image, "CMD"))("CMD", command)], "CMD").words
    with answering({"/healthz": 200, "/readyz": 503}) as port:
        assert check_health(words, port) == 0
    with answering({"/healthz": 500, "/readyz": 200}) as port:
        assert check_health(words, port) == 1
    assert check_health(words, port) == 1, "nobody listens any more"


def test_what_goes_into_the_build_is_what_the_wheel_is_made_of():
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert lines[0] == "*", "nothing, to begin with"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    wanted = {*hatch["packages"], *hatch["force-include"], *PROJECT["license-files"], PROJECT["readme"]}
    assert let_in == wanted | {"pyproject.toml", "constraints.txt"}
    for path in (".git", ".venv", "state.db", "botopt.env", "tests", "users.sqlite"):
        assert not any(fnmatch.fnmatch(path, pattern) for pattern in let_in)
