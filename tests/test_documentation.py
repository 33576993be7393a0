"""The documentation is run: pages with outputs from their first line to their last, links, options, and YAML.

`BOTOPT_UPDATE_DOCS=1 pytest tests/test_documentation.py` writes the outputs of the pages anew.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from botopt.cli.app import app
from botopt.loading.reader import read_text
from scripts.mkdocs_hooks import cli
from tests.cli.running import ROOT

UPDATE = bool(os.environ.get("BOTOPT_UPDATE_DOCS"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_PART = re.compile(
    r'```yaml\n# (?P<file>(?:rules|templates)/\S+)\n(?P<yaml>.*?)```|```json title="(?P<name>\S+)"\n(?P<json>.*?)```'
    r"|<!-- run: (?P<unseen>.*?) -->|<!-- copy: (?P<from>\S+) to (?P<to>\S+) -->"
    r"|<!-- edit: (?P<edited>\S+) \| (?P<old>.*?) \| (?P<new>.*?) -->"
    r"|<!-- output: (?P<command>.*?) -->\n```text\n(?P<output>.*?)```",
    re.DOTALL,
)


def run(command: str, folder: Path) -> str:
    words = shlex.split(command)
    assert words[0] == "botopt"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    args = [sys.executable, "-m", "botopt", *words[1:]]
    done = subprocess.run(args, cwd=folder, capture_output=True, text=True, env=env, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return "\n".join(line.rstrip() for line in (done.stdout + done.stderr).strip("\n").splitlines()) + "\n"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "<!-- output: " in page.read_text("utf-8")], ids=lambda page: page.stem
)
def test_a_page_shows_what_the_program_prints(page, tmp_path):
    text = page.read_text("utf-8")
    written, at = [], 0
    for part in _PART.finditer(text):
        if part["yaml"] is not None:
            (tmp_path / part["file"]).parent.mkdir(exist_ok=True)
            (tmp_path / part["file"]).write_text(part["yaml"], "utf-8")
        elif part["json"] is not None:
            (tmp_path / part["name"]).write_text(part["json"], "utf-8")
        elif part["unseen"] is not None:
            run(part["unseen"], tmp_path)
        elif part["from"] is not None:
            shutil.copytree(tmp_path / part["from"], tmp_path / part["to"])
        elif part["edited"] is not None:
            before = (tmp_path / part["edited"]).read_text("utf-8")
            assert before.count(f"{part['old']}\n") == 1
            (tmp_path / part["edited"]).write_text(before.replace(f"{part['old']}\n", f"{part['new']}\n"), "utf-8")
        else:
            shown = run(part["command"], tmp_path)
            if not UPDATE:
                assert shown == part["output"], part["command"]
            written += [text[at : part.start("output")], shown]
            at = part.end("output")
    assert at, "the page shows no output"
    if UPDATE:
        page.write_text("".join(written) + text[at:], "utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_documented_options_exist(page):
    helps: dict[str, str] = {}
    for line in re.findall(r"^(?:\.venv/bin/)?botopt ([a-z].*)$", page.read_text("utf-8"), re.MULTILINE):
        words = shlex.split(line.partition(" #")[0])
        command = words[:2] if words[0] in {"state", "new", "keys", "silence", "outbox", "experiment"} else words[:1]
        name = " ".join(command)
        if name not in helps:
            helps[name] = run(f"botopt {name} --help", ROOT)
        assert "Usage: botopt" in helps[name], name
        for option in (word for word in words if word.startswith("--")):
            assert option in helps[name], line


def _blocks(page: Path) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent.name != "codes" and _blocks(page)], ids=lambda page: page.name
)
def test_documented_yaml_can_be_read(page):
    for block in _blocks(page):
        _, found = read_text(page.name, block.encode())
        assert found == (), block


def test_what_newcomers_read_first_is_run():
    run_pages = {page.name for page in PAGES if "<!-- output: " in page.read_text("utf-8")}
    assert {"tutorial.md", "first-message.md", "change-a-threshold.md", "see-what-a-change-does.md"} <= run_pages


def test_the_commands_of_the_workflow_pass_on_the_starter_policy(tmp_path):
    [workflow] = [block for block in _blocks(ROOT / "docs" / "howto" / "ci.md") if "actions/checkout" in block]
    [job] = yaml.safe_load(workflow)["jobs"].values()
    commands = [step["run"] for step in job["steps"] if step.get("run", "").startswith("botopt ")]
    assert len(commands) == 4
    run("botopt init shop", tmp_path)
    for command in commands:
        words = shlex.split(command.partition(" >")[0])
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        args = [sys.executable, "-m", "botopt", *words[1:]]
        done = subprocess.run(args, cwd=tmp_path / "shop", capture_output=True, env=env, timeout=60, check=False)
        assert done.returncode == 0, command


def test_the_reference_has_every_command_by_the_name_that_is_typed():
    listed = set(re.findall(r"^## `botopt ([^ `]+)`$", cli(), re.MULTILINE))
    assert listed == set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
