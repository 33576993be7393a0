"""`botopt preview`: what a copywriter sees, on a terminal and as a page."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.browser import assert_readable
from tests.cli.running import EVENTS, RULES, botopt, workspace

TEMPLATES = """\
templates:
  hello:
    description: After a <declined> card
    variants:
      note:
        when: note is defined
        title: {en: "About {{ note }}", de: "Wegen {{ note }}"}
        text: {en: "{{ note }}: {{ amount }} failed.", de: "{{ note }}: {{ amount }} fehlgeschlagen."}
        buttons:
          - {label: {en: Pay & go, de: Zahlen}, link: "https://pay.example.com/{{ note | urlencode }}"}
      plain:
        text: {en: "Your payment of {{ amount }} failed."}
    samples:
      - {amount: 42, note: "<script>alert(1)</script>"}
  other:
    variants:
      only:
        text: {en: Unused}
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    return workspace(tmp_path, templates=TEMPLATES)


class Page(HTMLParser):
    """The words of a page, the tags in it, and whether every tag is closed."""

    VOID = ("meta", "link", "br", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words += data


def page_of(folder: Path, *options: object) -> tuple[Page, str]:
    done = botopt("preview", *options, "--html", folder / "page.html", cwd=folder)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "page.html: " in done.stderr.replace("\n", "")
    text = (folder / "page.html").read_text("utf-8")
    return Page(text), text


def test_every_text_is_shown_with_its_length_and_what_has_no_translation(folder):
    done = botopt("preview", "hello", cwd=folder)
    assert done.returncode == 0
    assert "Your payment of 42 failed.  (26)" in done.stdout
    assert "plain has no de text" in done.stdout
    assert "note has no" not in done.stdout


def test_an_event_type_stands_for_its_templates(folder):
    assert botopt("preview", "payment_failed", cwd=folder).stdout == botopt("preview", "hello", cwd=folder).stdout


def test_recorded_events_come_with_their_id_and_the_users_own_data(folder):
    done = botopt("preview", "hello", "--from", "events.jsonl", "--samples", 2, "--format", "json", cwd=folder)
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    recorded = [one for one in shown if one["event"]]
    assert {one["event"] for one in recorded} == {"e1", "e3"}, "the first two, not the click, not the rejected line"
    texts = [one["rendered"]["text"] for one in recorded if one["variant"] == "plain"]
    assert texts == ["Your payment of 42 failed."] * 2
    assert [one["eligible"] for one in recorded if one["variant"] == "note"] == [False] * 4


def test_what_is_not_what_the_user_reads_is_marked(folder):
    shown = botopt("preview", "hello", cwd=folder).stdout
    assert "plain on payment_failed, sample 1  (an earlier variant is chosen)" in shown
    assert "note on payment_failed, sample 1\n" in shown
    page, _ = page_of(folder)
    assert "plain on payment_failed, sample 1; not chosen for these data" in page.words


def test_a_template_that_draws_may_send_every_variant_whose_condition_holds(tmp_path):
    drawing = TEMPLATES.replace("    variants:\n      note:", "    choose: weighted\n    variants:\n      note:")
    shown = botopt("preview", "hello", cwd=workspace(tmp_path, templates=drawing)).stdout
    assert "plain on payment_failed, sample 1\n" in shown


def test_a_text_that_needs_to_know_the_user_says_how_to_see_it(tmp_path):
    rules = "user:\n  name: {type: text, optional: true}\n" + RULES
    templates = """\
templates:
  hello:
    variants:
      named:
        when: user.name is defined
        text: {en: "Hello {{ user.name }}"}
      plain:
        text: {en: Hello}
"""
    folder = workspace(tmp_path, rules=rules, templates=templates)
    assert '"user.name" is absent; give it with --user to see the words' in botopt("preview", cwd=folder).stdout
    named = botopt("preview", "--user", '{"name": "Ada"}', cwd=folder)
    assert "Hello Ada" in named.stdout
    assert 'there is no "nmae"; did you mean "name"?' in botopt("preview", "--user", '{"nmae": 1}', cwd=folder).stderr


def test_a_template_without_samples_is_shown_on_invented_values(tmp_path):
    rules = """\
channels: {chat: {type: console}}
events:
  late:
    fields:
      order_id: {type: text}
      currency: {type: text}
      kind: {type: text, one_of: [bike, car]}
      price: {type: number, min: 50}
      days: {type: integer, max: 3}
      due_at: {type: time}
      insured: {type: boolean}
      items: {type: list}
      note: {type: text, optional: true}
    weight: 0.7
    message: late
"""
    text = (
        "{{ order_id }}, {{ kind }}, {{ price | money(currency) }}, {{ days }}, {{ due_at | date }}, "
        "{% if insured %}insured{% endif %}{% for item in items %}{{ item }}{% endfor %}"
        "{% if note is defined %}{{ note }}{% endif %}"
    )
    templates = f"templates:\n  late: {json.dumps(text)}\n"
    folder = workspace(tmp_path, rules=rules, templates=templates)
    done = botopt("preview", cwd=folder)
    assert done.returncode == 0
    assert "on late, invented values: the template has no samples" in done.stdout
    assert "order id, bike, €50.00, 3, Mar 2, 2026, insured" in done.stdout
    assert botopt("render", "late", "--data", '{"order_id": "A-1"}', cwd=folder).stdout.count("A-1, bike") == 1
    assert "invented values" in page_of(folder)[0].words
    botopt("docs", folder / "out", cwd=folder)
    assert "The values are invented" in (folder / "out" / "event-late.html").read_text("utf-8")


def test_only_one_language(folder):
    shown = botopt("preview", "hello", "--locale", "de", cwd=folder).stdout
    assert "fehlgeschlagen" in shown
    assert "Your payment" not in shown


def test_a_text_that_a_channel_does_not_take_is_marked(tmp_path):
    rules = RULES.replace("chat: {type: console}", "chat: {type: console, max_length: 20}")
    folder = workspace(tmp_path, rules=rules, templates=TEMPLATES)
    assert "Your payment of 42 failed.  (26 of 20: too long)" in botopt("preview", "hello", cwd=folder).stdout
    page, _ = page_of(folder)
    assert "26 of 20 characters: too long" in page.words
    assert "chat takes 20 characters." in page.words


def test_the_page_is_whole_and_what_authors_type_stays_text(folder):
    page, text = page_of(folder, "--from", "events.jsonl")
    assert page.open == []
    assert "script" not in page.tags
    assert "<script>alert(1)</script>: 42 failed." in page.words
    assert "After a <declined> card" in page.words
    assert "Pay & go" in page.words
    assert "plain has no de text." in page.words
    assert "No event type uses this template." in page.words
    assert ("lang", "de") in page.attributes
    assert page.words.count("no text yet") == 4, "plain in German, on the sample and on three events"
    assert not [value for name, value in page.attributes if name == "src" or (name == "href" and value[:1] != "#")]
    assert page_of(folder, "--from", "events.jsonl")[1] == text, "the same page every time"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("helo",), 'there is no template or event type "helo"; did you mean "hello"?'),
        (("paid",), 'the event type "paid" has no message'),
        (("--locale", "fr"), 'no text is in "fr"'),
        (("--html", "rules/r.yaml"), "the name of a page ends in .html"),
        (("--from", "nothing.jsonl"), "nothing.jsonl"),
    ],
)
def test_mistakes_are_answered_in_words(folder, options, said):
    done = botopt("preview", *options, cwd=folder)
    assert done.returncode != 0
    assert said in " ".join((done.stderr + done.stdout).split())
    assert (folder / "rules/r.yaml").read_text() == RULES
    assert (folder / "events.jsonl").read_text() == EVENTS


@pytest.mark.parametrize("width", [1200, 500])
def test_a_browser_shows_every_bubble(folder, tmp_path, width):
    page_of(folder, "--from", "events.jsonl")
    seen = assert_readable(folder / "page.html", tmp_path, width)
    assert "<script>alert(1)</script>: 42 failed." in seen
    assert "Your payment of 42 failed." in seen
    assert "plain has no de text." in seen
