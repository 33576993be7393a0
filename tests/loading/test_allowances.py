"""Comments that allow a finding, told from texts that only look like one."""

from __future__ import annotations

import pytest

from botopt.loading.allowances import allowances, heads
from botopt.loading.reading.source import SourceText

COMMENT = "# botopt: allow B402 because we wait"


def found(text: str) -> list[tuple[int, str, str]]:
    return [(one.line, one.code, one.reason) for one in allowances(SourceText("x.yaml", text))]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"a: 1  {COMMENT}\nb: 2\n", 1),
        (f"a: 1\n{COMMENT}\nb: 2\n", 3),
        (f"{COMMENT}\n\n# another comment\nb: 2\n", 4),
        (f"a:\n  - 1\n  {COMMENT}\n  - 2\n", 4),
        (f"a: 'text'  {COMMENT}\n", 1),
        (f"a: [1,  {COMMENT}\n  2]\n", 1),
        (f"a: |\n  text\n{COMMENT}\nb: 2\n", 4),
        (f"a: x\r\n{COMMENT}\r\nb: 2\r\n", 3),
    ],
)
def test_a_comment_is_about_its_own_line_or_the_next_one_that_holds_something(text, line):
    assert found(text) == [(line, "B402", "we wait")]


@pytest.mark.parametrize(
    "text",
    [
        f"a: 'text {COMMENT}'\n",
        f'a: "text {COMMENT}"\n',
        f"a: |\n  text\n  {COMMENT}\n",
        f"a: >\n  {COMMENT}\nb: 2\n",
        "a: text# botopt: allow B402 because it is none\n",
        f"'{COMMENT}': 1\n",
        f'a: "two lines\n  {COMMENT}"\n',
        "a: 1  # botopt is a tool\n",
    ],
)
def test_what_stands_in_a_text_is_no_comment(text):
    assert found(text) == []


def test_a_file_that_is_no_yaml_has_none():
    assert found(f"a: [1\n{COMMENT}\n") == []


@pytest.mark.parametrize(
    ("comment", "code", "reason", "well_formed"),
    [
        ("# botopt: allow B402 because …", "B402", "…", True),
        ("#botopt:allow b402 because: of that", "B402", "of that", True),
        ("# botopt: allow B402", "B402", "", True),
        ("# botopt: allow B402 because", "B402", "", True),
        ("# botopt: allow", "", "", True),
        ("# botopt: ignore B402 because of that", "B402", "of that", False),
        ("# botopt: allow B402 we wait", "B402", "", False),
        ("# botopt: allow B402, B405 because of that", "B402", "", False),
    ],
)
def test_what_a_comment_says(comment, code, reason, well_formed):
    [one] = allowances(SourceText("x.yaml", f"a: 1  {comment}\n"))
    assert (one.code, one.reason, one.well_formed) == (code, reason, well_formed)
    assert (one.position.line, one.position.column, one.position.end_column) == (1, 7, 7 + len(comment))


RULES = """\
events:
  a:
    weight: 0.5
    rules:
      - id: x
        when:
          - n > 1
      - {id: y, when: n > 1}
templates:
  t:
    variants:
      v:
        text:
          en: Hello
"""


@pytest.mark.parametrize(
    ("line", "inside"),
    [(1, [1]), (2, [2]), (3, [3, 2]), (5, [5]), (7, [7, 6, 5]), (8, [8]), (6, [6, 5]), (14, [14, 13, 12, 11, 10])],
)
def test_a_line_belongs_to_its_entry_and_no_rule_to_the_head_of_its_event_type(line, inside):
    assert list(heads(SourceText("x.yaml", RULES), line)) == inside
