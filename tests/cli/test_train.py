"""`botopt train` and `botopt model`, as people call them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from botopt.loading.models import encode
from botopt.model.click_model import ClickModel, ModelKind
from botopt.model.trained_model import Bin, Day, Effect, Gate, Training, TrainingLog
from tests.cli.running import botopt
from tests.verify.training.world import live, policy, workspace

GOLDEN = Path(__file__).parent / "golden"
TRAINING = Training(
    (TrainingLog("decisions.jsonl", "5e" * 32),),
    "2026-03-01",
    "2026-04-19",
    "2026-04-10",
    3_000,
    568,
    511,
    104,
    52,
    0.9987,
    "2459bf4894cb2f26",
    "0.1.0",
    (("user_rate", "+"),),
    (("hour", "-"),),
)
GATE = Gate(
    True,
    "engagement",
    0.4058,
    0.4237,
    0.0179,
    0.0082,
    1.05,
    bins=(Bin(0.05, 0.04, 256), Bin(0.31, 0.36, 255)),
    days=(Day("2026-04-10", 0.39, 0.41, 250), Day("2026-04-11", 0.42, 0.44, 261)),
    effects=(
        Effect("user_rate", (-3.0, -1.0, 0.5), (0.04, 0.17, 0.52), 0.1143),
        Effect("sent_24h", (0.0, 2.0, 5.0), (0.26, 0.15, 0.06), 0.0255),
    ),
)
MODEL = ClickModel("clicks", ModelKind.LOGISTIC, ("user_rate", "sent_24h"), -0.4, (0.9, -0.4))


def golden(name: str, text: str) -> None:
    """What people read is as it was; BOTOPT_UPDATE_GOLDEN=1 writes it anew."""
    path = GOLDEN / name
    if os.environ.get("BOTOPT_UPDATE_GOLDEN"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a log of 30 users in 30 days."""
    folder = workspace(tmp_path_factory.mktemp("shop"))
    live(policy(), seed=6, users=30, days=30).write(folder / "log.jsonl")
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A model file that says the same on every machine."""
    path = tmp_path / "clicks.json"
    path.write_bytes(encode(MODEL, TRAINING, GATE))
    return path


def test_a_model_that_passes_is_written_with_its_card_and_its_history(place: Path) -> None:
    done = botopt("train", "log.jsonl", "--kind", "logistic", "--monotone", "user_rate=+", cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed        wrote models/clicks.json, and its card: clicks.md and clicks.html" in done.stdout
    assert "use it        settings: {scorer: {model: models/clicks.json}}" in done.stdout
    names = sorted(path.relative_to(place / "models").as_posix() for path in (place / "models").rglob("*.*"))
    assert names == ["clicks.history", "clicks.history/0001.json", "clicks.html", "clicks.json", "clicks.md"]
    first = (place / "models" / "clicks.json").read_bytes()
    again = botopt("train", "log.jsonl", "--kind", "logistic", "--monotone", "user_rate=+", cwd=place)
    assert again.returncode == 0
    assert (place / "models" / "clicks.json").read_bytes() == first
    assert not (place / "models" / "clicks.history" / "0002.json").exists()


def test_a_refusal_says_why_writes_nothing_and_ends_with_10(place: Path) -> None:
    done = botopt("train", "log.jsonl", "--kind", "trees", "--out", "other/trees.json", cwd=place)
    assert done.returncode == 10
    assert "refused       no model was written" in done.stdout
    assert re.search(r"why           trees need at least 2,000 messages .* the log has [\d,]+ messages", done.stdout)
    assert not (place / "other").exists()
    plain = botopt("train", "log.jsonl", "--kind", "trees", "--out", "x.json", "--format", "json", cwd=place)
    assert plain.returncode == 10
    told = json.loads(plain.stdout)
    assert (told["passed"], told["written"], told["gate"]) == (False, None, None)
    assert told["reasons"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["-"], 2, "give files, not standard input"),
        (["log.jsonl", "log.jsonl"], 2, "log.jsonl is named twice"),
        (["nothing.jsonl"], 9, "nothing.jsonl: No such file"),
        (["log.jsonl", "--out", "model.txt"], 2, "a model file ends with .json"),
        (["log.jsonl", "--monotone", "user_rat=+"], 2, 'did you mean "user_rate"'),
        (["log.jsonl", "--monotone", "user_rate"], 2, "write user_rate=+ or user_rate=-"),
        (["log.jsonl", "--monotone", "hour=+", "--monotone", "hour=-"], 2, "hour cannot go both ways"),
    ],
)
def test_a_call_that_makes_no_sense_is_told_how_it_would(
    place: Path, arguments: list[str], code: int, words: str
) -> None:
    done = botopt("train", *arguments, cwd=place)
    assert done.returncode == code
    assert words in done.stderr


def test_a_model_is_shown_in_words(made: Path) -> None:
    golden("model.show", botopt("model", "show", "clicks.json", cwd=made.parent).stdout)
    told = json.loads(botopt("model", "show", "clicks.json", "--format", "json", cwd=made.parent).stdout)
    assert told["gate"]["passed"] is True


def test_going_back_is_exact_and_so_is_going_forward_again(tmp_path: Path) -> None:
    from botopt.authoring.model_card import cards
    from botopt.cli.rewriting import rewrite
    from botopt.verify.training.shelf import Shelf

    path = tmp_path / "models" / "clicks.json"
    shelf = Shelf(path, cards, rewrite)
    contents = []
    for shift in range(3):
        contents.append(encode(ClickModel("clicks", MODEL.kind, MODEL.features, shift, MODEL.weights), TRAINING, GATE))
        assert shelf.put(contents[-1])
    assert not shelf.put(contents[-1])
    card = path.with_suffix(".md").read_text("utf-8")
    back = botopt("model", "rollback", "models/clicks.json", cwd=tmp_path)
    assert back.returncode == 0
    assert path.read_bytes() == contents[1]
    assert path.with_suffix(".md").read_text("utf-8") != card
    assert "botopt model rollback models/clicks.json --to 3" in back.stdout
    botopt("model", "rollback", "models/clicks.json", cwd=tmp_path)
    assert path.read_bytes() == contents[0]
    none = botopt("model", "rollback", "models/clicks.json", cwd=tmp_path)
    assert (none.returncode, "there is no model before this one" in none.stderr) == (2, True)
    missing = botopt("model", "rollback", "models/clicks.json", "--to", "7", cwd=tmp_path)
    assert (missing.returncode, "there are: 1, 2, 3" in missing.stderr) == (2, True)
    botopt("model", "rollback", "models/clicks.json", "--to", "3", cwd=tmp_path)
    assert path.read_bytes() == contents[2]
    assert path.with_suffix(".md").read_text("utf-8") == card
    assert len(list((tmp_path / "models" / "clicks.history").iterdir())) == 3


def test_a_model_that_came_by_hand_is_kept_before_another_takes_its_place(made: Path) -> None:
    from botopt.authoring.model_card import cards
    from botopt.cli.rewriting import rewrite
    from botopt.verify.training.shelf import Shelf

    by_hand = made.read_bytes()
    other = encode(ClickModel("clicks", MODEL.kind, MODEL.features, 1, MODEL.weights), TRAINING, GATE)
    Shelf(made, cards, rewrite).put(other)
    assert botopt("model", "rollback", "clicks.json", cwd=made.parent).returncode == 0
    assert made.read_bytes() == by_hand


def test_two_models_are_compared_on_days_from_which_neither_learned(place: Path, tmp_path: Path) -> None:
    training = Training(TRAINING.logs, "2026-03-01", "2026-03-31", "2026-03-22", 300, 60, 60, 12)
    for name, weights in (("good", (0.9, -0.4)), ("bad", (-0.9, 0.9))):
        model = ClickModel(name, MODEL.kind, MODEL.features, -0.4, weights)
        (tmp_path / f"{name}.json").write_bytes(encode(model, training, GATE))
    done = botopt("model", "compare", tmp_path / "good.json", tmp_path / "bad.json", "log.jsonl", cwd=place)
    assert done.returncode == 0, done.stderr
    assert re.search(r"on +[\d,]+ messages from 2026-03-22 on, [\d,]+ clicked", done.stdout)
    assert f"{tmp_path / 'good.json'} is better" in done.stdout
    late = Training(TRAINING.logs, "2026-03-01", "2027-03-31", "2027-03-22", 300, 60, 60, 12)
    (tmp_path / "late.json").write_bytes(encode(MODEL, late, GATE))
    none = botopt("model", "compare", tmp_path / "late.json", tmp_path / "bad.json", "log.jsonl", cwd=place)
    assert (none.returncode, "the log has no clicked message of those" in none.stderr) == (10, True)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("{}", "utf-8")
    done = botopt("model", "show", "m.json", cwd=tmp_path)
    assert (done.returncode, "m.json: this is no model file" in done.stderr) == (9, True)
