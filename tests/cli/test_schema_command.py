"""`botopt schema` for a workspace."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from botopt.model.data_files import data_dir
from botopt.verify.validate import validate
from tests.cli.running import botopt


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for kind in ("rules", "templates"):
        shutil.copytree(data_dir(kind), tmp_path / "shop" / kind)
    return tmp_path / "shop"


@pytest.mark.parametrize(
    "arguments", [["--workspace"], ["-w"], ["--workspace", "."], ["-w", "../shop"], ["--add-modelines"]]
)
def test_schemas_are_written_into_the_workspace(workspace: Path, arguments: list[str]):
    assert botopt("schema", *arguments, cwd=workspace).returncode == 0
    found = sorted(path.name for path in (workspace / ".botopt" / "schemas").iterdir())
    assert found == ["rules.schema.json", "templates.schema.json", "tests.schema.json"]


def test_they_may_go_elsewhere_and_modelines_name_them_there(workspace: Path):
    assert botopt("schema", "-w", ".", "--out", "../schemas", "--add-modelines", cwd=workspace).returncode == 0
    assert json.loads((workspace.parent / "schemas" / "rules.schema.json").read_text("utf-8"))["$id"]
    first = (workspace / "rules" / "payments.yaml").read_text("utf-8").split("\n")[:2]
    assert first == [
        "# yaml-language-server: $schema=../../schemas/rules.schema.json",
        "# $schema: ../../schemas/rules.schema.json",
    ]


def test_modelines_change_no_meaning_and_come_once(workspace: Path):
    before = validate(workspace).policy
    files = len([*workspace.rglob("*.yaml")])
    assert f"{files} of them new" in botopt("schema", "--workspace", "--add-modelines", cwd=workspace).stderr
    after = validate(workspace).policy
    assert before is not None
    assert after is not None
    assert before.revision == after.revision
    assert "0 of them new" in botopt("schema", "-w", "--add-modelines", cwd=workspace).stderr


@pytest.mark.parametrize("arguments", [["rules", "--workspace"], ["-w", "nowhere"], ["--out", "x"], ["ruls"]])
def test_what_does_not_go_together_is_said(workspace: Path, arguments: list[str]):
    result = botopt("schema", *arguments, cwd=workspace)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
