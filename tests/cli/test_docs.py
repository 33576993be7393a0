"""`botopt docs`: the handbook of a policy, as a manager opens it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import unquote

import pytest

from botopt.authoring.handbook import contents
from botopt.engine import pipeline
from botopt.engine.pipeline import ORDER
from tests.browser import assert_readable, look_at
from tests.cli.running import ROOT, RULES, botopt, workspace
from tests.cli.test_preview import Page

HOSTILE = """\
channels:
  chat: {type: console, max_length: 20}
categories:
  orders: {consent: opt_in}
user:
  name: {type: text, optional: true}
events:
  paid:
    description: "<script>alert('remembered')</script>"
  payment_failed:
    description: "<script>alert('described')</script> & <b>bold</b>"
    category: orders
    accepts: ["com.acme.<i>Failed</i>"]
    fields:
      amount: {type: number, min: 0}
      note: {type: text, optional: true, one_of: ["<img src=x onerror=alert(1)>", "\\"><svg onload=alert(2)>"]}
    weight: 0.70
    message: hello
    rules:
      - {id: hostile, when: "note == '<img src=x onerror=alert(1)>' or note is not defined", score: +0.15}
      - id: deep
        when:
          all:
            - amount > 3
            - any: [note is defined, {all: [amount < 9, not: amount == 5]}, user.name is defined]
        score: -0.05
suppression:
  - {id: once, cooldown: 6h, unless: "note == '\\"><svg onload=alert(2)>'"}
  - {id: cap, limit: 2, within: day, reserved: {orders: 1}}
"""
TEMPLATES = """\
templates:
  hello:
    description: "<script>alert('template')</script>"
    variants:
      named:
        when: user.name is defined
        text: {en: "{{ user.name }}: <script>alert('text')</script>", de: "{{ user.name }}!"}
      only:
        title: {en: "<h1>Title</h1>"}
        text: {en: "<script>alert({{ amount }})</script>"}
        buttons:
          - {label: "<u>Go</u>", link: "javascript:alert(3)"}
    samples:
      - {amount: 42}
"""
TESTS = """\
tests:
  - name: "<script>alert('test')</script>"
    steps:
      - send: payment_failed
        with: {amount: 1}
        expect: {outcome: suppressed, reason: no_consent}
  - name: this one fails
    steps:
      - send: payment_failed
        with: {amount: 1}
        expect: {outcome: sent}
"""


@pytest.fixture(scope="module")
def starter(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("handbook") / "pages"
    done = botopt("docs", folder, "-w", ROOT)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def hostile(tmp_path) -> Path:
    folder = workspace(tmp_path / "ws", rules=HOSTILE, templates=TEMPLATES)
    (folder / "rules" / "r.test.yaml").write_text(TESTS, "utf-8")
    return folder


def read(page: Path) -> Page:
    return Page(page.read_text("utf-8"))


def test_every_event_type_with_messages_has_a_page(starter):
    names = {page.name for page in starter.glob("*.html")}
    assert {"index.html", "suppressions.html", "templates.html", "settings.html", "event-payment_failed.html"} <= names
    assert "event-payment_succeeded.html" not in names
    assert len(names) == 24


def test_a_page_says_what_a_manager_asks(starter):
    said = read(starter / "event-payment_failed.html").words
    for sentence in (
        "A card payment was declined",
        "The amount is at least 500: the score rises by 0.15.",
        (
            "The number of attempts is at least 3, and the user's plan is “pro” or “vip”: the score rises by 0.1 and the "
            "score that is needed falls by 0.05."
        ),
        "The reason contains “bank unavailable”: no message is sent, whatever the score.",
        "Not sent when the event is older than 12 hours.",
        "Not sent to users who refused these messages, or messages on this channel.",
        "5% of all users never get it",
        "After a message of event type “payment_failed”, the user gets no other one with the same order id for 6 hours.",
        "A user gets at most 3 messages of categories “transactional”, “service” or “marketing” within 24 hours.",
        "1 of the 3 is kept for “transactional”: others cannot use it.",
        "Not sent from 22:00 to 08:00 on the user's clock.",
        "It stops no message for which the amount is at least 1000.",
        "the event “payment_succeeded” came for this user with the same order id, less than 1 hour before",
        "Not sent for 7 days, from the moment that this holds",
        "passed: an order that fails twice is mentioned once",
        "rules/payments.yaml:33",
        "The payment of €1,299.50 for order O-20417 failed again.",
        "Die Zahlung über 1.299,50\xa0€ für die Bestellung O-20417 ist erneut fehlgeschlagen.",
        "ऑर्डर O-20417",
    ):
        assert " ".join(sentence.split()) in " ".join(said.split()), sentence


def test_suppressions_stand_in_the_order_of_the_pipeline(starter):
    said = read(starter / "event-payment_failed.html").words.partition("What stops it")[2]
    places = [said.index(f"{name} · ") for name in ("tired", "paid-since", "same-order", "three-a-day", "night")]
    assert places == sorted(places)


def test_that_order_is_the_one_of_the_engine():
    by_kind = {kind: ORDER.index(reason) for reason, kind, _ in (*pipeline._BY_SUPPRESSION, *pipeline._BY_CLOCK)}
    assert list(contents._ORDER) == sorted(by_kind, key=by_kind.__getitem__)


def test_an_event_type_that_is_always_sent_says_so(starter):
    said = read(starter / "event-login_unusual.html").words
    assert "always: true waives the threshold, the holdout and every suppression." in said
    assert "always sent" in said


def test_all_links_lead_somewhere_and_no_page_needs_anything_else(starter):
    pages = {page.name: read(page) for page in starter.glob("*.html")}
    ids = {name: {value for key, value in page.attributes if key == "id"} for name, page in pages.items()}
    for name, page in pages.items():
        assert page.open == [], name
        assert not {"script", "img", "link", "iframe"} & set(page.tags)
        assert not [value for key, value in page.attributes if key == "src"]
        own = [value for key, value in page.attributes if key == "id"]
        assert len(own) == len(set(own)), "an id stands on a page once"
        for key, value in page.attributes:
            if key == "href":
                target, _, anchor = unquote(value or "").partition("#")
                assert (target or name) in pages, value
                assert not anchor or anchor in ids[target or name], value


def test_pictures_are_whole_and_their_boxes_do_not_overlap(starter):
    for page in starter.glob("*.html"):
        for svg in re.findall(r"<svg.*?</svg>", page.read_text("utf-8"), re.DOTALL):
            drawing = ET.fromstring(svg)
            _, _, width, height = map(float, drawing.attrib["viewBox"].split())
            boxes = [
                tuple(float(rect.attrib[key]) for key in ("x", "y", "width", "height")) for rect in drawing.iter("rect")
            ]
            assert boxes
            for x, y, w, h in boxes:
                assert x >= 0
                assert y >= 0
                assert x + w <= width
                assert y + h <= height
            for place, (x, y, w, h) in enumerate(boxes):
                for x2, y2, w2, h2 in boxes[:place]:
                    assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y, page.name


def test_the_same_policy_is_the_same_bytes(starter, tmp_path):
    copy = tmp_path / "elsewhere"
    for name in ("rules", "templates"):
        for file in (ROOT / name).iterdir():
            (copy / name).mkdir(parents=True, exist_ok=True)
            (copy / name / file.name).write_bytes(file.read_bytes())
    assert botopt("docs", "again", cwd=copy).returncode == 0
    assert {page.name: page.read_bytes() for page in starter.iterdir()} == {
        page.name: page.read_bytes() for page in (copy / "again").iterdir()
    }


def test_what_authors_type_stays_text(hostile, tmp_path):
    done = botopt("docs", tmp_path / "out", "--title", "<script>alert('title')</script>", cwd=hostile)
    assert done.returncode == 0
    assert "1 of 2 rule tests failed" in done.stderr
    words = ""
    for path in (tmp_path / "out").glob("*.html"):
        page = read(path)
        assert page.open == []
        assert not {"script", "img", "i", "u"} & set(page.tags)
        assert not [value for key, value in page.attributes if key.startswith("on")]
        assert not [value for key, value in page.attributes if key == "href" and (value or "").startswith("java")]
        words += page.words
    for text in ("remembered", "described", "template", "text", "test", "title"):
        assert f"<script>alert('{text}')</script>" in words, text
    assert "javascript:alert(3)" in words, "links are shown, and lead nowhere"
    assert "failed: this one fails" in words
    assert "only has no de text." in words
    assert "of 20 characters: too long" in words
    assert "Ada: <script>alert('text')</script>" in words
    assert "Shown for a user of whom this is known: name is 'Ada'." in words


def test_a_nested_condition_is_a_list_in_which_nothing_is_lost(hostile, tmp_path):
    botopt("docs", tmp_path / "out", cwd=hostile)
    html = (tmp_path / "out" / "event-payment_failed.html").read_text("utf-8")
    assert (
        "<p>All of these hold:</p><ul><li>the amount is above 3</li><li>at least one of these holds:<ul>"
        "<li>the note is known</li><li>the amount is below 9, and the amount is not 5</li>"
        "<li>the user&#x27;s name is known</li></ul></li></ul><p>The score falls by 0.05.</p>"
    ) in html


def test_a_folder_with_other_files_is_left_alone(hostile, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "index.html").write_text("my own page")
    done = botopt("docs", tmp_path / "mine", cwd=hostile)
    assert done.returncode == 2
    assert "holds other files, and botopt docs did not write them" in " ".join(done.stderr.split())
    assert [page.name for page in (tmp_path / "mine").iterdir()] == ["index.html"]
    assert (tmp_path / "mine" / "index.html").read_text() == "my own page"
    assert botopt("docs", tmp_path / "mine" / "index.html", cwd=hostile).returncode == 2
    assert botopt("docs", "rules", cwd=hostile).returncode == 2, "no policy is in danger"


def test_pages_that_nothing_leads_to_any_more_are_removed_and_no_other_file(hostile, tmp_path):
    out = tmp_path / "out"
    botopt("docs", out, cwd=hostile)
    (out / "notes.txt").write_text("mine")
    (hostile / "rules" / "r.yaml").write_text(HOSTILE.replace("payment_failed", "card_declined"), "utf-8")
    (hostile / "rules" / "r.test.yaml").unlink()
    done = botopt("docs", out, cwd=hostile)
    assert "removed 1 that nothing leads to any more" in done.stderr
    names = {page.name for page in out.iterdir()}
    assert "event-card_declined.html" in names
    assert "event-payment_failed.html" not in names
    assert (out / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("marker", ['{"written_by": "x", "pages": ["../victim.html", "/etc/passwd"]}', "not json"])
def test_a_marker_that_somebody_wrote_leads_nowhere_else(hostile, tmp_path, marker):
    out = tmp_path / "out"
    botopt("docs", out, cwd=hostile)
    (tmp_path / "victim.html").write_text("mine")
    (out / ".botopt-docs.json").write_text(marker)
    done = botopt("docs", out, cwd=hostile)
    assert (done.returncode == 2) is (marker == "not json")
    assert (tmp_path / "victim.html").read_text() == "mine"


def test_a_policy_with_errors_is_answered_with_its_findings(tmp_path):
    folder = workspace(tmp_path, rules=RULES.replace("amount >= 500", "amont >= 500"))
    done = botopt("docs", tmp_path / "out", cwd=folder)
    assert done.returncode == 3
    assert "rules/r.yaml" in done.stderr + done.stdout
    assert 'there is no field "amont"' in done.stderr + done.stdout
    assert not (tmp_path / "out").exists()


def test_rule_tests_with_errors_are_answered_with_their_findings(hostile, tmp_path):
    (hostile / "rules" / "r.test.yaml").write_text("tests:\n  - name: x\n    steps:\n      - send: nothing_known\n")
    done = botopt("docs", tmp_path / "out", cwd=hostile)
    assert done.returncode == 3
    assert "nothing_known" in done.stderr + done.stdout


def test_an_almost_empty_policy_has_a_handbook_too(tmp_path):
    folder = workspace(tmp_path, rules="events:\n  paid: {}\n", templates="templates: {}\n")
    done = botopt("docs", tmp_path / "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "There are none." in read(tmp_path / "out" / "suppressions.html").words
    assert "paid" in read(tmp_path / "out" / "index.html").words


@pytest.mark.parametrize("width", [1200, 500])
@pytest.mark.parametrize("name", ["index", "event-payment_failed", "suppressions", "templates", "settings"])
def test_a_browser_shows_every_page(starter, tmp_path, name, width):
    copy = tmp_path / "pages"
    copy.mkdir()
    for page in starter.glob("*.html"):
        (copy / page.name).write_bytes(page.read_bytes())
    seen = assert_readable(copy / f"{name}.html", tmp_path, width)
    assert "Overview" in seen


def test_a_browser_runs_nothing_that_authors_typed(hostile, tmp_path):
    botopt("docs", tmp_path / "out", cwd=hostile)
    shown = look_at(tmp_path / "out" / "event-payment_failed.html", tmp_path)
    assert "<script>alert('described')</script> & <b>bold</b>" in shown["text"]
    assert shown["outside"] == []
