"""What Jinja cannot read is said in plain words, at the exact word."""

from __future__ import annotations

import pytest

from botopt.model.diagnostic import Diagnostic
from tests.rendering.making import findings

CASES = [
    ("Hi {{ amount", "{{", '"{{" is never closed', 'close it with "}}"'),
    ("Hi {{ amount }", "{{", '"{{" is not closed as it should be', 'close it with "}}"'),
    ("Hi {{ amount %}", "{{", '"{{" is not closed as it should be', 'close it with "}}"'),
    ("{% if express }}a{% endif %}", "{%", '"{%" is not closed as it should be', 'close it with "%}"'),
    ("{# note", "{#", '"{#" is never closed', 'close it with "#}"'),
    ("{% raw %}a", "{% raw %}", '"{% raw %}" is never closed', "close it with {% endraw %}"),
    ("{{ }}", "{{", "there is nothing between the braces", "type a name: {{ name }}"),
    ("{% if express %}a", "if", '"{% if %}" is never closed', "close it with {% endif %}"),
    (
        "{% if express %}{% for i in items %}{% endif %}",
        "endif",
        '"{% endif %}" stands where "{% for %}" must be closed',
        "type: {% endfor %}",
    ),
    ("a{% endif %}", "endif", '"{% endif %}" closes nothing', "leave it out"),
    ("{% elseif express %}", "elseif", 'unknown tag "elseif"', 'did you mean "elif"?'),
    ("{% fro i in items %}", "fro", 'unknown tag "fro"', 'did you mean "for"?'),
    (
        "{% amount %}",
        "amount",
        'unknown tag "amount"',
        "to print a value type {{ amount }}; the tags are if, for and set",
    ),
    ("{% else %}", "else", '"else" belongs to no "if"', "one {% if %} has at most one else, and it comes last"),
    ("{% %}", "{%", "a tag wants a name", "the tags are if, for and set"),
    ("{% if amount = 5 %}", "=", '"=" does not fit here', 'to compare type "=="'),
    ("{{ express && express }}", "&", '"&" means nothing inside braces', 'for both type "and"'),
    ("{{ express || express }}", "|", '"||" means nothing here', 'for either of two type "or"'),
    ("{{ amount | money(“EUR”) }}", "“", '"“" means nothing inside braces', "use straight quotes: '"),
    ("{{ amount ≥ 5 }}", "≥", '"≥" means nothing inside braces', 'type ">="'),
    ("{{ order_id | default('x }}", "'", "this quote is never closed", "close it with '"),
    ("{{ amount | }}", "}}", 'the name of a filter is missing after "|"', "for example"),
    ("{{ user. }}", "}}", 'a name is missing after "."', ""),
    ("{{ reason is }}", "}}", 'a name is missing after "is"', 'type "is defined"'),
    ("{{ amount | money(currency }}", "(", '"(" is never closed', 'close it with ")"'),
    ("{{ amount) }}", ")", '")" closes nothing', 'leave it out, or open it with "("'),
    ("{{ order id }}", "id", '"id" does not fit here', 'leave it out, or say what it has to do with "order"'),
    ("{{ order_id | default 'x' }}", "'x'", "does not fit here", "what a filter needs goes in brackets: default('x')"),
    ("{{ amount == }}", "}}", 'something is missing after "=="', 'finish it before "}}"'),
    ("{% for item %}", "%}", 'the list is missing after "for"', "type: {% for item in items %}"),
    ("{% set x %}", "set", '"set" wants a value', "type: {% set name = value %}"),
    ("{{ {{ amount }} }}", "{", "braces do not go inside braces", "type a name once in double braces: {{ name }}"),
    ("{{ amount <> 5 }}", ">", '">" does not fit here', 'did you mean "!="?'),
    ("{{ .5 }}", ".", '"." does not fit here', "a number begins with a digit: 0.5"),
    ("{{ '\\x' }}", "'\\x'", "a backslash in a quoted text", "type \\\\ for it"),
    ("{{ amount | money('EUR' 2) }}", "2", '"," is missing before "2"', ""),
]


def _one(source: str) -> Diagnostic:
    (found,) = findings(source)
    return found


@pytest.mark.parametrize(("source", "word", "message", "hint"), CASES, ids=[case[0] for case in CASES])
def test_a_complaint_names_the_word_and_the_remedy(source: str, word: str, message: str, hint: str) -> None:
    found = _one(source)
    said = source[found.position.column - 1 : found.position.end_column - 1]
    assert (found.code, said) == ("B301", word)
    assert message in found.message
    assert hint in found.hint


def test_a_place_is_right_after_many_lines_and_odd_line_breaks() -> None:
    for line_break in ("\n", "\r\n", "\r"):
        source = line_break.join(
            ("Hello", "", "{# two", "lines #}", "{%- if express -%}", "  x  ", "{%- endif %}", "{{ naem }}")
        )
        found = _one(source)
        assert source[found.position.column - 1 : found.position.end_column - 1] == "naem"


def test_a_text_that_is_far_too_long_is_refused() -> None:
    assert "longer than 20,000 characters" in _one("x" * 20_001).message
