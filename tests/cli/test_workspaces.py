"""Every command names the workspace alike, and takes what some of them called it before."""

from __future__ import annotations

from pathlib import Path

import pytest
from click import Context
from typer.main import get_command

from botopt.cli.app import app
from tests.cli.running import botopt, workspace

WITH_WORKSPACE = (
    "validate test replay diff evaluate tune explain why-not simulate render preview docs dashboard infer fmt fix train "
    "serve doctor schema"
).split()
GROUPS = {"experiment": ("report", "list", "who"), "model": ("compare",), "new": ("event", "template", "suppression")}
FEW = ("--seeds", "1", "--users", "2", "--days", "3", "--against", "none")
CALLS = [(name,) for name in WITH_WORKSPACE] + [(group, name) for group, names in GROUPS.items() for name in names]


def shown(*path: str) -> tuple[list[tuple[str, ...]], str]:
    """The options that help shows, each with all its spellings, and the usage line."""
    command = get_command(app)
    context = Context(command, info_name="botopt")
    for name in path:
        command = command.commands[name]  # type: ignore[attr-defined]
        context = Context(command, parent=context, info_name=name)
    params = [each for each in command.get_params(context) if not getattr(each, "hidden", False)]
    return [tuple(each.opts) for each in params], command.get_usage(context)


@pytest.mark.parametrize("path", CALLS)
def test_the_workspace_is_named_with_w_everywhere(path: tuple[str, ...]) -> None:
    options, usage = shown(*path)
    assert ("--workspace", "-w") in options
    assert "--policy" not in {word for words in options for word in words}
    assert path == ("diff",) or "OLD" not in usage


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace in it, and its records."""
    folder = tmp_path_factory.mktemp("place")
    workspace(folder / "shop")
    assert botopt("replay", "shop/events.jsonl", "-w", "shop", "--out", "d.jsonl", cwd=folder).returncode == 0
    return folder


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (("validate", "-w", "shop"), ("validate", "shop")),
        (("experiment", "list", "-w", "shop"), ("experiment", "list", "shop")),
        (("experiment", "report", "d.jsonl", "-w", "shop"), ("experiment", "report", "d.jsonl", "--policy", "shop")),
        (("evaluate", "d.jsonl", "-w", "shop"), ("evaluate", "d.jsonl", "--policy", "shop")),
        (("simulate", "-w", "shop", *FEW), ("simulate", "shop", *FEW)),
    ],
)
def test_older_spellings_do_the_same(place: Path, now: tuple[str, ...], before: tuple[str, ...]) -> None:
    first, second = botopt(*now, cwd=place), botopt(*before, cwd=place)
    assert (first.returncode, first.stdout, first.stderr) == (second.returncode, second.stdout, second.stderr)
    assert "Usage" not in first.stderr


def test_two_workspaces_are_one_too_many(place: Path) -> None:
    done = botopt("experiment", "report", "d.jsonl", "-w", "shop", "--policy", "other", cwd=place)
    assert (done.returncode, done.stdout) == (2, "")
    assert "two workspaces are named, shop and other: name one, with -w" in done.stderr
