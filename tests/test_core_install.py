"""Learning at work needs nothing but the core install: extras are for training, serving and looking."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from botopt.loading.models import encode
from botopt.model.click_model import ClickModel, ModelKind, Tree
from tests.cli.test_train import GATE, TRAINING
from tests.verify.test_learning_kills import write_events

ROOT = Path(__file__).parents[1]
RUN = """\
import atexit, runpy, sys
before = set(sys.modules)
def tell():
    with open("loaded.txt", "w") as file:
        file.write("\\n".join({name.partition(".")[0] for name in set(sys.modules) - before}))
atexit.register(tell)
runpy.run_module("botopt", run_name="__main__", alter_sys=True)
"""
LOGISTIC = ClickModel("clicks", ModelKind.LOGISTIC, ("user_rate", "sent_24h", "hour"), -0.4, (0.9, -0.4, 0.2))
TREES = ClickModel(
    "clicks",
    ModelKind.TREES,
    ("user_rate", "sent_24h"),
    -1.0,
    trees=(Tree((0, -1, -1), (-1.0, 0.0, 0.0), (1, 0, 0), (2, 0, 0), (0.0, -0.3, 0.4)),),
)


def core() -> set[str]:
    """The distributions that `pip install botopt` brings."""
    found, left = {"botopt"}, ["botopt"]
    while left:
        try:
            needs = [Requirement(each) for each in requires(left.pop()) or ()]
        except PackageNotFoundError:
            continue  # not for this Python
        for need in needs:
            name = need.name.lower().replace("_", "-")
            if name not in found and (need.marker is None or need.marker.evaluate({"extra": ""})):
                found.add(name)
                left.append(name)
    return found


@pytest.mark.parametrize("model", [LOGISTIC, TREES], ids=["logistic", "trees"])
def test_a_replay_with_all_five_learners_imports_nothing_but_the_core_install(model: ClickModel, tmp_path: Path):
    shop = shutil.copytree(ROOT / "examples" / "learning", tmp_path / "shop")
    (shop / "models").mkdir()
    (shop / "models" / "clicks.json").write_bytes(encode(model, TRAINING, GATE))
    rules = shop / "rules" / "shop.yaml"
    text = rules.read_text("utf-8")
    assert text.count("\nsettings:\n") == 1
    rules.write_text(text.replace("\nsettings:\n", "\nsettings:\n  scorer: {model: models/clicks.json}\n"), "utf-8")
    write_events(tmp_path / "events.jsonl")
    command = [sys.executable, "-c", RUN, "replay", "-w", "shop", "events.jsonl", "--out", "out.jsonl"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    records = (tmp_path / "out.jsonl").read_text("utf-8")
    for part in ('"part":"scorer"', '"part":"pacing"', '"purpose":"variant"', '"purpose":"send_time"', '"explore"'):
        assert part in records
    loaded = (tmp_path / "loaded.txt").read_text("utf-8").split("\n")
    assert "botopt" in loaded
    known, wanted = packages_distributions(), core()
    others = {
        name: known[name]
        for name in loaded
        if name in known and not {each.lower().replace("_", "-") for each in known[name]} & wanted
    }
    assert not others
