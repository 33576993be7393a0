"""`botopt train` and `botopt model`, as people call them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
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
    ("kept", "words"),
    [
        (lambda line, _: False, "the log is empty: give decision records (botopt replay EVENTS --out decisions.jsonl"),
        (lambda line, _: "outcome" not in line, "the log has events, but no decision records: give decision records"),
        (lambda line, _: line.get("outcome") != "sent", "sent a message, and only messages are clicked: give the log"),
        (lambda line, _: "outcome" in line, "the log has no events, and so no clicks: give the files of events with"),
        (lambda line, _: line.get("type") != "message.clicked", "as events message.clicked with a message_id"),
        (
            lambda line, clicked: line["id"] not in clicked,
            "the log has clicks, but not on its messages: give the decision records that they name by message_id",
        ),
    ],
)
def test_what_the_log_lacks_is_said_and_what_to_do(
    kept: Callable[[dict[str, object], frozenset[object]], bool], words: str, place: Path, tmp_path: Path
) -> None:
    lines = [json.loads(line) for line in (place / "log.jsonl").read_text("utf-8").splitlines()]
    clicked = frozenset(line["data"]["message_id"] for line in lines if line.get("type") == "message.clicked")
    lines = [line for line in lines if kept(line, clicked)]
    (tmp_path / "some.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    done = botopt("train", tmp_path / "some.jsonl", cwd=place)
    assert done.returncode == 10
    (why,) = [line for line in done.stdout.splitlines() if line.startswith("why")]
    assert words in why
    assert "tried" not in done.stdout


def test_messages_that_are_too_young_are_counted(place: Path, tmp_path: Path) -> None:
    lines = (place / "log.jsonl").read_text("utf-8").splitlines()
    last = max(str(line["time"]) for line in map(json.loads, lines))
    young = [line for line in lines if "outcome" not in line or json.loads(line)["time"][:10] == last[:10]]
    (tmp_path / "some.jsonl").write_text("\n".join(young), "utf-8")
    told = botopt("train", tmp_path / "some.jsonl", cwd=place).stdout
    assert re.search(r"none has an answer to learn from: [1-9]\d* are younger than 1d \(ignored_after\)", told)


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


@pytest.mark.parametrize("command", ["show", "compare", "rollback"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shop", "shop is a folder, and a model is one file; name the file: shop/models/clicks.json"),
        ("empty", "empty is a folder, and a model is one file; name the file that botopt train wrote, such as models/"),
        ("shop/models/click.json", 'there is no model file shop/models/click.json; did you mean "clicks.json"?'),
        ("nowhere.json", "there is no model file nowhere.json; name the file that botopt train wrote, such as models/"),
        ("plain.json", "plain.json: this is no model file: botopt train writes them"),
        ("text.json", "text.json: this is no JSON: JSON is malformed: invalid character (byte 0); name the file that"),
        ("text.md", "text.md: this is no JSON: JSON is malformed: invalid character (byte 0); text.md is a card"),
    ],
)
def test_what_is_no_model_is_refused_with_what_to_name(name: str, words: str, command: str, tmp_path: Path) -> None:
    (tmp_path / "shop" / "models").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "shop" / "models" / "clicks.json").write_bytes(encode(MODEL, TRAINING, GATE))
    for file, text in (("plain.json", "{}"), ("text.json", "hello"), ("text.md", "# hello")):
        (tmp_path / file).write_text(text, "utf-8")
    more = ("shop/models/clicks.json", "log.jsonl") if command == "compare" else ()
    done = botopt("model", command, name, *more, cwd=tmp_path)
    assert done.stdout == ""
    if command == "rollback" and (tmp_path / name).is_file():
        known = "text.md: a model file ends with .json" if name == "text.md" else f"{name} has no history to go back to"
        assert (done.returncode, known in done.stderr) == (2, True)
    else:
        assert (done.returncode, words in done.stderr) == (9, True)


def test_a_model_that_is_lost_or_damaged_is_put_back(tmp_path: Path) -> None:
    from botopt.authoring.model_card import cards
    from botopt.cli.rewriting import rewrite
    from botopt.verify.training.shelf import Shelf

    path, good = tmp_path / "clicks.json", encode(MODEL, TRAINING, GATE)
    Shelf(path, cards, rewrite).put(good)
    for spoilt in (None, b"{"):
        path.unlink()
        if spoilt is not None:
            path.write_bytes(spoilt)
        asked = botopt("model", "rollback", "clicks.json", cwd=tmp_path)
        assert (asked.returncode, "say which model to go back to: --to 1" in asked.stderr) == (2, True)
        assert botopt("model", "rollback", "clicks.json", "--to", "1", cwd=tmp_path).returncode == 0
        assert path.read_bytes() == good
