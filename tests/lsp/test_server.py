"""The language server as an editor sees it: a process, spoken to over the protocol."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from botopt.model.data_files import data_dir
from botopt.verify.validate import validate
from tests.lsp.client import Client

PAYMENTS = "rules/payments.yaml"
TEXTS = "templates/payments.yaml"
TESTS = "rules/payments.test.yaml"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    for kind in ("rules", "templates"):
        shutil.copytree(data_dir(kind), tmp_path / kind)
    found = Client(tmp_path, textDocument={"hover": {"contentFormat": ["markdown", "plaintext"]}})
    yield found
    found.kill()


def text_of(client: Client, name: str) -> str:
    return (client.folder / name).read_text("utf-8")


def place(text: str, words: str, into: int = 0) -> tuple[int, int]:
    """Line and character of some words, both counted from 0."""
    before = text[: text.index(words) + into]
    return before.count("\n"), len(before.rpartition("\n")[2])


def codes(found: list[dict]) -> list[str]:
    return [one["code"] for one in found]


def test_a_whole_sitting(client: Client):
    """Open, err, complete, point, follow, rename, mend, end."""
    text = text_of(client, PAYMENTS)
    wrong = text.replace("message: payment_failed", "message: payment_faild", 1)
    client.open(PAYMENTS, wrong)
    found = client.findings(PAYMENTS, bool)
    assert "B102" in codes(found)
    line, character = place(wrong, "payment_faild")
    unknown = next(one for one in found if one["code"] == "B102")
    assert unknown["range"]["start"] == {"line": line, "character": character}
    assert unknown["severity"] == 1
    assert 'fix: did you mean "payment_failed"?' in unknown["message"]

    actions = client.ask(
        "textDocument/codeAction",
        textDocument={"uri": client.uri(PAYMENTS)},
        range=unknown["range"],
        context={"diagnostics": [unknown]},
    )
    assert [action["title"] for action in actions] == ["B102: type payment_failed"]
    (edit,) = actions[0]["edit"]["changes"][client.uri(PAYMENTS)]
    assert edit["newText"] == text.split("\n")[line]

    client.change(PAYMENTS, text)
    assert client.findings(PAYMENTS, lambda found: not found) == []

    labels = [one["label"] for one in client.at("completion", PAYMENTS, *place(text, "message: payment_failed", 9))]
    assert "payment_failed" in labels
    hover = client.at("hover", PAYMENTS, *place(text, "amount >= ", 2))
    assert "number, at least 0" in hover["contents"]["value"]
    (definition,) = client.at("definition", PAYMENTS, *place(text, "message: payment_failed", 11))
    assert definition["uri"] == client.uri(TEXTS)
    line, character = place(text_of(client, TEXTS), "payment_failed:")
    assert definition["range"]["start"] == {"line": line, "character": character}

    assert client.close() == 0
    assert client.noise == b""
    assert "Traceback" not in client.complaints


def test_a_rename_leaves_a_workspace_that_means_the_same(client: Client):
    client.open(TEXTS)
    text = text_of(client, TEXTS)
    line, character = place(text, "payment_failed:", 3)
    ready = client.at("prepareRename", TEXTS, line, character)
    assert ready["placeholder"] == "payment_failed"
    edit = client.at("rename", TEXTS, line, character, newName="card_declined")
    changes = edit["changes"]
    assert set(changes) == {client.uri(PAYMENTS), client.uri(TEXTS)}
    for uri, edits in changes.items():
        apply(client.folder / uri.removeprefix(client.folder.as_uri() + "/"), edits)
    assert validate(client.folder).diagnostics == ()
    assert "message: card_declined" in text_of(client, PAYMENTS)


def apply(path: Path, edits: list[dict]) -> None:
    lines = path.read_text("utf-8").split("\n")
    for edit in sorted(edits, key=lambda one: (one["range"]["start"]["line"], one["range"]["start"]["character"]))[
        ::-1
    ]:
        start, end = edit["range"]["start"], edit["range"]["end"]
        assert start["line"] == end["line"]
        units = lines[start["line"]].encode("utf-16-le")
        new = units[: 2 * start["character"]] + edit["newText"].encode("utf-16-le") + units[2 * end["character"] :]
        lines[start["line"]] = new.decode("utf-16-le")
    path.write_text("\n".join(lines), "utf-8")


def test_a_field_is_renamed_in_every_event_type_that_shares_it_and_the_editor_is_told(client: Client):
    client.open(PAYMENTS)
    text = text_of(client, PAYMENTS)
    edit = client.at("rename", PAYMENTS, *place(text, "amount >= 500", 2), newName="sum")
    for uri, edits in edit["changes"].items():
        apply(client.folder / uri.removeprefix(client.folder.as_uri() + "/"), edits)
    assert validate(client.folder).diagnostics == ()
    assert "unless: sum >= 1000" in text_of(client, "rules/suppression.yaml")
    assert "{{ sum | money(currency) }}" in text_of(client, TEXTS)
    assert "with: {sum: 42" in text_of(client, TESTS)
    assert "amount is now sum in " in client.notes("window/showMessage")[0]["message"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("currency", 'has a field "currency" already'),
        ("time", "is a word of conditions"),
        ("2nd", "beginning with a letter"),
    ],
)
def test_a_rename_that_cannot_be_is_refused_in_a_sentence(client: Client, name: str, sentence: str):
    client.open(PAYMENTS)
    answer = client.at("rename", PAYMENTS, *place(text_of(client, PAYMENTS), "amount >= 500", 2), newName=name)
    assert sentence in answer["error"]["message"]
    assert client.close() == 0
    assert "Traceback" not in client.complaints


def test_a_finding_in_a_file_that_is_not_open_comes_and_goes(client: Client):
    client.open(PAYMENTS)
    text = text_of(client, PAYMENTS)
    client.change(PAYMENTS, text.replace("      currency:", "      coin:", 1))
    assert "B102" in codes(client.findings(TEXTS, bool))
    client.change(PAYMENTS, text, 3)
    assert client.findings(TEXTS, lambda found: not found) == []


def test_half_a_line_stops_nothing_and_completion_goes_on(client: Client):
    text = text_of(client, PAYMENTS)
    client.open(PAYMENTS)
    rule = "      - {id: large-amount, when: amount >= 500, score: +0.15}"
    assert rule in text
    for number, half in enumerate(
        ['      - {id: x, when: "am', "      - {", "      - {id: [", "\t- x: 'y", ": : {{ %"]
    ):
        broken = text.replace(rule, half)
        client.change(PAYMENTS, broken, number + 2)
        assert client.findings(PAYMENTS, bool)
    client.change(PAYMENTS, text.replace(rule, '      - {id: x, when: "am'), 9)
    line, character = place(text, rule, len('      - {id: x, when: "am'))
    labels = [one["label"] for one in client.at("completion", PAYMENTS, line, character)]
    assert {"amount", "currency", "user.", "count"} <= set(labels)
    assert client.close() == 0
    assert "Traceback" not in client.complaints


def test_characters_count_as_the_protocol_counts_them(client: Client):
    """An emoji is one character to people, and two units of UTF-16."""
    name, text = "templates/smile.yaml", 'templates:\n  smile: "😀😀 {{ nam }}"\n'
    rules = (
        "events:\n  smiled:\n    fields: {name: {type: text}}\n    weight: 0.7\n    message: smile\n    channel: chat\n"
    )
    (client.folder / "rules" / "smile.yaml").write_text(rules, "utf-8")
    client.open(name, text)
    (found,) = client.findings(name, bool)
    start = text.split("\n")[1].index("nam")
    assert found["range"] == {
        "start": {"line": 1, "character": start + 2},
        "end": {"line": 1, "character": start + 2 + len("nam")},
    }
    (one,) = [one for one in client.at("completion", name, 1, start + 2 + 3) if one["label"] == "name"]
    assert one["textEdit"]["range"]["start"] == {"line": 1, "character": start + 2}


def test_an_editor_may_ask_for_other_units(tmp_path: Path):
    (tmp_path / "rules").mkdir()
    client = Client(tmp_path, general={"positionEncodings": ["utf-32", "utf-16"]})
    try:
        assert client.told["capabilities"]["positionEncoding"] == "utf-32"
        client.open("rules/a.yaml", "events: {}\n# 😀\n'😀': {}\n")
        found = client.findings("rules/a.yaml", bool)
        assert found[0]["range"]["end"]["character"] == 3
        assert client.at("hover", "rules/a.yaml", 0, 2)["contents"] == "events\n\nEvent types, by name."
    finally:
        client.kill()


def test_files_outside_of_a_workspace_have_no_findings_and_ask_for_nothing(client: Client):
    (client.folder / "notes").mkdir()
    client.open("notes/a.yaml", "x: [")
    assert client.at("completion", "notes/a.yaml", 0, 1) == []
    assert client.at("hover", "notes/a.yaml", 0, 1) is None


def test_what_others_change_on_the_disk_is_seen(client: Client):
    client.open(PAYMENTS)
    (client.folder / "rules" / "more.yaml").write_text("evnts: {}\n", "utf-8")
    client.tell("workspace/didChangeWatchedFiles", changes=[{"uri": client.uri("rules/more.yaml"), "type": 1}])
    assert codes(client.findings("rules/more.yaml", bool)) == ["B101"]


def test_a_finding_brings_the_page_of_its_code(client: Client):
    text = text_of(client, PAYMENTS).replace("message: payment_failed", "message: payment_faild", 1)
    client.open(PAYMENTS, text)
    hover = client.at("hover", PAYMENTS, *place(text, "payment_faild", 2))
    assert "B102: An unknown name" in hover["contents"]["value"]


def test_the_outline_and_the_uses_of_a_name(client: Client):
    client.open(PAYMENTS)
    (section,) = client.ask("textDocument/documentSymbol", textDocument={"uri": client.uri(PAYMENTS)})
    assert section["name"] == "events"
    assert "payment_failed" in [one["name"] for one in section["children"]]
    uses = client.at(
        "references", TEXTS, *place(text_of(client, TEXTS), "payment_failed:", 2), context={"includeDeclaration": False}
    )
    assert [use["uri"] for use in uses] == [client.uri(PAYMENTS)]
