"""What is found after an edit is what a fresh look at the same files finds."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from botopt.model.data_files import data_dir
from botopt.model.diagnostic import Diagnostic, in_order
from botopt.verify.live import Live, View, kind_of, rest
from botopt.verify.validate import validate

PAYMENTS = "rules/payments.yaml"
TEXTS = "templates/payments.yaml"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for kind in ("rules", "templates"):
        shutil.copytree(data_dir(kind), tmp_path / kind)
    return tmp_path


def all_of(view: View) -> tuple[Diagnostic, ...]:
    found = in_order((*view.diagnostics, *rest(view)))
    return tuple(one for one in found if view.kinds.get(one.position.file) != "tests")


def edited(live: Live, name: str, old: str, new: str) -> View:
    text = (live.folder / name).read_text("utf-8")
    assert old in text
    live.write(name, text.replace(old, new, 1).encode())
    return live.look()


def test_the_starter_workspace_has_no_findings(workspace: Path):
    view = Live(workspace).look()
    assert ([one.code for one in all_of(view)], view.sound) == ([], True)
    assert {view.kinds[name] for name in view.documents} == {"rules", "templates", "tests"}


def test_a_text_that_is_not_saved_counts_and_the_disk_counts_again_without_it(workspace: Path):
    live = Live(workspace)
    view = edited(live, PAYMENTS, "message: payment_failed", "message: payment_faild")
    assert "B102" in {one.code for one in view.diagnostics}
    live.write(PAYMENTS, None)
    assert live.look().diagnostics == ()


def test_a_finding_in_another_file_comes_and_goes(workspace: Path):
    live = Live(workspace)
    live.look()
    view = edited(live, PAYMENTS, "      currency:", "      currencies:")
    assert {one.position.file for one in view.diagnostics} == {TEXTS}
    live.write(PAYMENTS, None)
    assert live.look().diagnostics == ()


def test_a_comment_allows_a_finding_and_one_that_allows_nothing_is_told(workspace: Path):
    live, name = Live(workspace), "rules/settings.yaml"
    text = (workspace / name).read_text("utf-8")
    last = "  customer_since: {type: time, optional: true}\n"
    assert last in text

    def codes_with(comment: str) -> set[str]:
        more = f"  nobody_asks: {{type: text, optional: true}}{comment}\n"
        live.write(name, text.replace(last, last + more).encode())
        return {one.code for one in all_of(live.look())}

    assert codes_with("") == {"B412"}
    assert codes_with("  # botopt: allow B412 because it is for later") == set()
    assert codes_with("  # botopt: allow B405 because it is for later") == {"B412", "B416"}


def test_what_changes_on_the_disk_is_seen_at_a_refresh(workspace: Path):
    live = Live(workspace)
    assert not live.refresh()
    (workspace / "rules" / "more.yaml").write_text("evnts: {}\n", "utf-8")
    assert live.refresh()
    assert [one.code for one in live.look().diagnostics] == ["B101"]


def test_a_file_that_only_an_editor_holds_is_part_of_the_workspace(workspace: Path):
    live = Live(workspace)
    live.write("rules/new.yaml", b"events:\n  just_seen: {}\n")
    assert "just_seen" in live.look().policy.events
    live.write("rules/.hidden.yaml", b"nonsense")
    assert live.look().diagnostics == ()


def test_mistakes_in_rule_tests_are_found_at_once_where_open_and_with_the_rest_elsewhere(workspace: Path):
    name = "rules/payments.test.yaml"
    text = (workspace / name).read_text("utf-8").replace("send: payment_failed", "send: payment_faild", 1)
    live = Live(workspace)
    live.write(name, text.encode())
    assert [one.code for one in live.look().diagnostics] == ["B102"]
    (workspace / name).write_text(text, "utf-8")
    live.write(name, None)
    live.refresh()
    view = live.look()
    assert view.diagnostics == ()
    assert "B102" in {one.code for one in rest(view)}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rules/a.yaml", "rules"),
        ("rules/deep/a.yml", "rules"),
        ("templates/a.test.yaml", "tests"),
        ("tests/a.test.yaml", "tests"),
        ("tests/a.yaml", None),
        ("a.yaml", None),
        ("rules/.a.yaml", None),
        ("rules/a.txt", None),
    ],
)
def test_what_a_file_is_follows_from_its_name(name: str, kind: str | None):
    assert kind_of(name) == kind


WORDS = (
    "payment_failed amount currency user.plan user.name transactional chat sms cooldown weight: when: events: "
    "marketing service_outage message: threshold: fields: variants: { } [ ] ' \" : , {{ }} # 0.5 7d true order_id"
).split()


def mutated(text: str, random_: random.Random) -> str:
    """A text as somebody may leave it: a word or line gone, doubled, changed or moved."""
    lines = text.split("\n")
    at = random_.randrange(len(lines))
    match random_.randrange(6):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[random_.randrange(len(lines))])
        case 2:
            lines[at] = lines[at][: random_.randrange(len(lines[at]) + 1)]
        case 3:
            lines.insert(at, "")
        case 4:
            lines[at] = lines[at].replace(random_.choice("aeio_:'"), random_.choice("aeio_:'"), 1)
        case _:
            words = lines[at].split(" ")
            words[random_.randrange(len(words))] = random_.choice(WORDS)
            lines[at] = " ".join(words)
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(6))
def test_after_any_edits_the_findings_are_those_of_a_fresh_look(workspace: Path, seed: int, monkeypatch):
    monkeypatch.setenv("BOTOPT_CACHE_DIR", "off")
    random_ = random.Random(seed)
    live = Live(workspace)
    live.look()
    originals = {name: (workspace / name).read_text("utf-8") for name in live.look().documents if "test" not in name}
    texts = dict(originals)
    for _ in range(12):
        name = random_.choice(sorted(texts))
        texts[name] = originals[name] if random_.random() < 0.4 else mutated(texts[name], random_)
        live.write(name, texts[name].encode())
        view = live.look()
        (workspace / name).write_text(texts[name], "utf-8", newline="")
        fresh = validate(workspace)
        assert all_of(view) == fresh.diagnostics, f"after editing {name}"
        if fresh.policy is not None:
            assert view.sound
            assert set(view.policy.events) == set(fresh.policy.events)


def test_glances_find_in_the_end_what_one_look_finds(workspace: Path, monkeypatch):
    monkeypatch.setattr("botopt.verify.live._PARTS", 3)
    live = Live(workspace)
    glances = [live.glance()]
    while not glances[-1].whole:
        glances.append(live.glance())
    assert len(glances) > 3
    assert glances[-1].diagnostics == Live(workspace).look().diagnostics
    text = (workspace / "rules/settings.yaml").read_text("utf-8").replace("locale: en", "locale: fr", 1)
    live.write("rules/settings.yaml", text.encode())
    view = live.glance()
    assert not view.whole
    while not view.whole:
        view = live.glance()
    fresh = Live(workspace)
    fresh.write("rules/settings.yaml", text.encode())
    assert view.diagnostics == fresh.look().diagnostics
    assert "B311" in {one.code for one in view.diagnostics}
