"""Pages of every valid policy that the project has: whole, linked, and without a mistake in their HTML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from botopt.authoring.handbook.book import pages
from botopt.authoring.handbook.contents import contents, example_user
from botopt.authoring.handbook.event_page import event_page
from botopt.authoring.handbook.folder import MARKER, write_handbook
from botopt.authoring.handbook.markup import Html, joined, tag, text
from botopt.authoring.handbook.page import Page, event_page_name
from botopt.engine.build import build
from botopt.model.codes import CODES
from botopt.model.errors import InputError
from botopt.verify.ruletest.reading import read_tests
from botopt.verify.ruletest.running import run_tests
from botopt.verify.validate import load
from tests.cli.running import ROOT, RULES, workspace
from tests.cli.test_preview import Page as Parsed
from tests.test_codes import OURS
from tests.test_codes import findings as written
from tests.test_cookbook import RECIPES

NOW = 1_772_442_000_000_000


def handbook(folder: Path) -> dict[str, str]:
    policy = load(folder)
    engine = build(policy, "reference")
    results = tuple(run_tests(engine, read_tests(policy, folder).tests))
    return {page.name: page.html for page in pages(contents(engine, "Book", results, NOW))}


def assert_whole(found: dict[str, str]) -> None:
    parsed = {name: Parsed(html) for name, html in found.items()}
    ids = {name: {value for key, value in page.attributes if key == "id"} for name, page in parsed.items()}
    for name, page in parsed.items():
        assert page.open == [], name
        for key, value in page.attributes:
            if key == "href":
                target, _, anchor = (value or "").partition("#")
                assert (target or name) in found
                assert not anchor or anchor in ids[target or name], (name, value)


@pytest.mark.parametrize("code", sorted(set(CODES) - OURS))
def test_every_good_fixture_has_a_handbook(code, tmp_path):
    written(code, "good", tmp_path)
    assert_whole(handbook(tmp_path))


@pytest.mark.parametrize("title", RECIPES)
def test_every_recipe_has_a_handbook_in_which_its_tests_pass(title, tmp_path):
    blocks = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", RECIPES[title], re.DOTALL))
    messages = sorted(set(re.findall(r"\bmessage: (\w+)", blocks["rules/recipe.yaml"])))
    texts = "".join(f"  {name}: Hello\n" for name in messages)
    channels = "channels:\n  chat: {type: console}\n"
    files = {**blocks, "rules/channels.yaml": channels, "templates/t.yaml": f"templates:\n{texts}"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    found = handbook(tmp_path)
    assert_whole(found)
    assert any("passed:" in html for name, html in found.items() if name.startswith("event-"))
    assert not any(">failed:<" in html for html in found.values())


def test_an_event_type_with_a_very_long_name_has_a_page(tmp_path):
    names = ["x" * 250, "x" * 249 + "y"]
    assert len({event_page_name(name) for name in names}) == 2
    assert all(len(event_page_name(name)) < 200 for name in names)


def test_text_is_escaped_and_html_is_not():
    assert text("<a href='x'>&") == "&lt;a href=&#x27;x&#x27;&gt;&amp;"
    assert tag("p", "<", tag("b", ">"), title='"') == '<p title="&quot;">&lt;<b>&gt;</b></p>'
    assert joined("a", None, Html("<br>"), between=" ") == "a <br>"


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"):
        write_handbook(tmp_path / "file" / "below", [Page("index.html", "")])


def test_a_run_that_was_interrupted_is_mended_by_the_next(tmp_path):
    write_handbook(tmp_path / "out", [Page("index.html", "1"), Page("event-a.html", "1")])
    # What an interrupted run leaves: both lists in the marker, some pages new, the old one still there.
    marker = (tmp_path / "out" / MARKER).read_text().replace('"event-a.html"', '"event-a.html", "event-b.html"')
    (tmp_path / "out" / MARKER).write_text(marker)
    assert write_handbook(tmp_path / "out", [Page("index.html", "2")]) == ("event-a.html", "event-b.html")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [MARKER, "index.html"]


def test_an_example_user_fits_the_attributes(tmp_path):
    rules = RULES + (
        "user:\n  name: {type: text, optional: true, max_length: 2}\n  age: {type: integer, optional: true, min: 18}\n"
        "  plan: {type: text, optional: true, one_of: [free, pro]}\n  vip: {type: boolean, optional: true}\n"
        "  since: {type: time, optional: true}\n  share: {type: number, optional: true, max: 0.5}\n  tags: {type: list}\n"
    )
    found = example_user(load(workspace(tmp_path, rules=rules)))
    assert found == {"age": 18, "plan": "free", "vip": True, "since": "2026-01-15T09:00:00Z"}


def test_neighbours_are_linked():
    engine = build(load(ROOT), "reference")
    book = contents(engine, "Book", (), NOW)
    first, second, *_ = book.deciding
    assert f'<a href="{event_page_name(second.name)}" rel="next">' in event_page(book, first, None, second).html
