from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from botopt.loading.reader import Document, Map, Node, Scalar, Sequence, SourceText, read_file, read_text
from botopt.loading.reading import tree
from botopt.model.codes import CODES
from botopt.model.diagnostic import Diagnostic
from botopt.model.position import Position

ROOT = Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "tests" / "fixtures" / "codes"
PAGES = ROOT / "docs" / "codes"
OURS = [code for code in CODES if code.startswith("B0")]


def read(text: str) -> tuple[Document, tuple[Diagnostic, ...]]:
    return read_text("rules/a.yaml", text.encode())


def plain(node: Node | None) -> object:
    """The tree without positions."""
    if isinstance(node, Map):
        return {key.text: plain(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value if isinstance(node, Scalar) else None


def good(text: str) -> object:
    document, findings = read(text)
    assert findings == ()
    assert not document.partial
    return plain(document.root)


def found(text: str) -> list[str]:
    return [f"{finding.position.line}:{finding.position.column} {finding.code}" for finding in read(text)[1]]


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *[(word, True) for word in ("true", "True", "TRUE")],
        *[(word, False) for word in ("false", "False", "FALSE")],
        *[(word, None) for word in ("null", "Null", "NULL", "~")],
        ("0", 0),
        ("-3", -3),
        ("+15", 15),
        ("42", 42),
        ("9007199254740991", 2**53 - 1),
        ("+0.15", 0.15),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-2.5E-2", -0.025),
        ("0.0e9", 0.0),
        *[(word, word) for word in ("no", "No", "off", "yes", "on", "y", "tRUE", "nULL")],
        *[(word, word) for word in ("22:00", "08:00", "1_000", "1,000", "2026-01-01", "1:30", "0b11", "1h30m", "3%")],
        *[(word, word) for word in ("+", ".", "e3", "1e", "--1", "1.2.3", "٣")],
        ('"42"', "42"),
        ("'true'", "true"),
        ('""', ""),
    ],
)
def test_values_follow_the_core_rules_narrowed(written: str, value: object):
    document = good(f"key: {written}\n")
    assert document == {"key": value}
    assert repr(document) == repr({"key": value}), "true is not 1, and 5.0 is not 5"


def test_keys_are_text_whatever_they_look_like():
    assert good("no: 1\non: 2\n5: 3\ntrue: 4\n0x1F: 5\nnull: 6\n2026-01-01: 7\n") == {
        "no": 1,
        "on": 2,
        "5": 3,
        "true": 4,
        "0x1F": 5,
        "null": 6,
        "2026-01-01": 7,
    }


def test_a_number_keeps_the_text_it_was_written_with():
    document, _ = read("order_id: 4711\nprice: 1.50\n")
    assert isinstance(document.root, Map)
    assert [node.text for _, node in document.root.entries if isinstance(node, Scalar)] == ["4711", "1.50"]


def test_lists_and_maps_nest_in_every_style():
    assert good("a:\n- {b: [1, two, {c: d}]}\n-\n  - x\ne: {}\nf: []\n") == {
        "a": [{"b": [1, "two", {"c": "d"}]}, ["x"]],
        "e": {},
        "f": [],
    }


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "---\n# nothing\n...\n", "\ufeff"])
def test_an_empty_file_has_no_root_and_no_finding(text: str):
    assert good(text) is None


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings_of_all_systems_are_one(ending: str):
    text = ending.join(["a: 1", "b: |", "  x", "  y", "c: 'x' y", ""])
    document, findings = read(text)
    assert plain(document.root) == {"a": 1, "b": "x\ny\n"}
    assert [str(finding.position) for finding in findings] == ["rules/a.yaml:5:4"]
    assert document.source.line(5) == "c: 'x' y"


def test_a_byte_order_mark_moves_no_column():
    document, findings = read_text("a.yaml", b"\xef\xbb\xbfkey: 010\n")
    assert findings[0].position == Position("a.yaml", 1, 6, 1, 9)
    assert document.source.line(1) == "key: 010"


def test_a_label_and_its_copy_are_allowed_within_bounds():
    assert good("a: &x {p: 1}\nb: *x\nc: [*x, *x]\n") == {"a": {"p": 1}, "b": {"p": 1}, "c": [{"p": 1}, {"p": 1}]}


def test_a_map_answers_for_its_keys():
    document, _ = read("a: 1\nb: two\n")
    root = document.root
    assert isinstance(root, Map)
    assert plain(root.get("b")) == "two"
    assert root.get("c") is root.key("c") is None
    assert root.key("b").position == Position("rules/a.yaml", 2, 1, 2, 2)


def test_positions_surround_what_was_written():
    document, _ = read('a:\n  b: "x"   # c\n  d: [1,\n    2]\ne: |\n  t\n  u\n\nf:\n- g\n')
    root = document.root
    assert isinstance(root, Map)
    a, e, f = root.get("a"), root.get("e"), root.get("f")
    assert isinstance(a, Map)
    spans = [node.position for node in (root, a, a.get("b"), a.get("d"), e, f)]
    assert [(p.line, p.column, p.end_line, p.end_column) for p in spans] == [
        (1, 1, 10, 4),
        (2, 3, 4, 7),
        (2, 6, 2, 9),
        (3, 6, 4, 7),
        (5, 4, 7, 4),
        (10, 1, 10, 4),
    ]


def test_a_source_text_gives_its_lines_by_number():
    source = SourceText("a.yaml", "one\r\ntwo\n\nfour")
    assert [source.line(number) for number in range(6)] == ["", "one", "two", "", "four", ""]


# ---------------------------------------------------------------- codes, fixtures, pages


@pytest.mark.parametrize("code", OURS)
def test_the_bad_fixture_has_exactly_its_mistake(code: str):
    path = FIXTURES / f"{code}.bad.yaml"
    assert [finding.code for finding in read_file(path, path.name)[1]] == [code]


@pytest.mark.parametrize("code", OURS)
def test_the_good_fixture_has_none(code: str):
    path = FIXTURES / f"{code}.good.yaml"
    document, findings = read_file(path, path.name)
    assert findings == ()
    assert isinstance(document.root, Map)


@pytest.mark.parametrize("code", OURS)
def test_the_slow_loader_finds_the_same(code: str, monkeypatch: pytest.MonkeyPatch):
    path = FIXTURES / f"{code}.bad.yaml"
    expected = read_file(path, path.name)[1]
    monkeypatch.setattr(tree, "LOADER", yaml.SafeLoader)
    assert read_file(path, path.name)[1] == expected


@pytest.mark.parametrize("code", OURS)
def test_the_page_of_a_code_explains_it_with_examples_that_are_true(code: str):
    page = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {code}: {CODES[code].title}\n")
    assert page.count("\n") <= 40
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    for example in examples[-1:]:
        assert found(example) == []
    for example in examples[:-1]:
        assert [place.split()[1] for place in found(example)] == [code]


# ---------------------------------------------------------------- traps


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("when: 'refund' in reason\n", "1:7 B020", "when: \"'refund' in reason\""),
        ('when: "pro" == plan  # why\n', "1:7 B020", "when: '\"pro\" == plan'"),
        ("en: 'Don't worry'\n", "1:5 B020", 'en: "Don\'t worry"'),
        ('en: "He said "hi" to you"\n', "1:5 B020", "en: 'He said \"hi\" to you'"),
        ("one_of: 'a', 'b'\n", "1:9 B020", "one_of: ['a', 'b']"),
        ("all: ['refund' in reason, x]\n", "1:7 B020", "\"'refund' in reason\""),
        ('en: "Hello\nde: "Hallo"\n', "1:5 B021", 'en: "Hello"'),
        ('en: "Hello\nde: Hallo"\n', "1:5 B021", 'en: "Hello"'),
        ('en: "Hello”\n', "1:5 B021", 'en: "Hello"'),
        ('a: {en: "Hello}\nb: 1\n', "1:9 B021", 'en: "Hello"'),
        ('a: "x",\nb: 1\n', "1:7 B020", "delete the comma"),
        ('en: "He said\n  hello" to me\n', "1:5 B020", "en: '\"He said hello\" to me'"),
        ("a: {x: 1},\nb: 1\n", "1:10 B004", "delete the comma"),
        ("a: [x,, y]\n", "1:7 B004", "delete the comma"),
        ("%YAML 1.3\n---\na: 1\n", "1:1 B004", "check"),
        (": a\n", "1:1 B013", "type the key"),
        ("a: -\nb: 1\n", "1:4 B029", 'a: "-"'),
        ("{amount: 129,5, b: c}\n", "1:14 B025", "amount: 129.5"),
        ("a: 1\nb: 2\n- c\n", "3:1 B008", "indent the list"),
        ("en: {{ name }} hello\n", "1:5 B022", 'en: "{{ name }} hello"'),
        ("en: {{ name }}\n", "1:5 B022", 'en: "{{ name }}"'),
        ("en: {% if x %}a{% endif %}\n", "1:5 B022", 'en: "{% if x %}a{% endif %}"'),
        ("when: {{ amount > 5 }}\n", "1:7 B022", "when: amount > 5"),
        ("a: {label: {{ name }}, link: x}\n", "1:12 B022", 'label: "{{ name }}"'),
        ("a: {label: Hi {{ name }}}\n", "1:15 B022", 'label: "Hi {{ name }}"'),
        ("en: Hello: your order\n", "1:10 B023", 'en: "Hello: your order"'),
        ("en: Hello:\n", "1:10 B023", 'en: "Hello:"'),
        ("a: {en: Hello: you}\n", "1:14 B023", 'en: "Hello: you"'),
        ("a: {id: x when: y}\n", "1:15 B023", "id: x, when: …"),
        ("- id: x, when: y\n", "1:14 B023", '"when" on a line of its own'),
        ("en: Your order #12 is late\n", "1:16 B024", 'en: "Your order #12 is late"'),
        ("en: #sale today\n", "1:5 B024", 'en: "#sale today"'),
        ("a: [x #1, y]\nb: 1\n", "1:7 B024", '"x #1"'),
        ("{when: plan in ['a', 'b'], score: 1}\n", "1:16 B025", "when: \"plan in ['a', 'b']\""),
        ("{id: x, when: a > 5, c == 'EUR'}\n", "1:22 B025", "when: \"a > 5 and c == 'EUR'\""),
        ("{label: Hello, you, link: x}\n", "1:16 B025", 'label: "Hello, you"'),
        ("any: [count('a', '10m') > 3, b]\n", "1:16 B025", "\"count('a', '10m') > 3\""),
        ("any: [f(a, b), c]\n", "1:7 B025", '"f(a, b)"'),
        ("one_of: {free, pro}\n", "1:9 B025", "[free, pro]"),
        ("{id = x}\n", "1:1 B025", "{id: x}"),
        ("{url: ${URL}}\n", "1:7 B026", 'url: "${URL}"'),
        ("{url: https://x/${PATH}/y}\n", "1:17 B026", 'url: "https://x/${PATH}/y"'),
        ("en: “Hello you”\n", "1:5 B027", 'en: "Hello you"'),
        ("en: ‘Hello: you’\n", "1:5 B027", 'en: "Hello: you"'),
        ("a: {en: “Hello, you”, b: c}\n", "1:9 B027", 'en: "Hello, you"'),
        ("“en”: Hello\n", "1:1 B027", "type en without quotes"),
        ("weight:\u00a00.7\n", "1:8 B028", "ordinary space"),
        ("weight:\u00a00.7\nx: 1\n", "1:8 B028", "ordinary space"),
        ("a:\n\u00a0\u00a0weight: 1\n", "2:1 B028", "ordinary space"),
        ("weight: 0.7\u00a0\n", "1:12 B028", "ordinary space"),
        ("wei\u200bght: 0.7\n", "1:4 B028", "backspace"),
        ("en: @user hello\n", "1:5 B029", 'en: "@user hello"'),
        ("en: *Sale* now\n", "1:5 B029", 'en: "*Sale* now"'),
        ("en: &Sale now\n", "1:5 B029", "quotes"),
        ("en: [URGENT] pay\n", "1:5 B029", 'en: "[URGENT] pay"'),
        ("when: > 5\n", "1:7 B029", 'when: "> 5"'),
        ("list: - a\n", "1:7 B029", "on a line of its own"),
        ("weight:0.7\nb: 1\n", "1:7 B030", "weight: 0.7"),
        ("b: 1\nweight 0.7\n", "2:1 B030", "weight: 0.7"),
        ("b: 1\nweight :0.7\n", "2:1 B030", "weight: 0.7"),
        ("a: {id:x, when: y}\n", "1:7 B030", "id: x"),
        ("rules:\n  -id: x\n   when: y\n", "2:3 B030", "- id:"),
        ("rules:\n  -id: x\n", "2:3 B030", "- id:"),
        ("list:\n  -one\n  -two\n", "2:3 B030", "- one"),
        ("events\n", "1:1 B030", "events:"),
        ('pattern: "^\\d{3}$"\n', "1:12 B031", "pattern: '^\\d{3}$'"),
        ("a: [x, y\nb: 1\n", "1:4 B032", "]"),
        ("a: {x: [1, 2}\n", "1:13 B032", "]"),
        ("a: !user.vip\n", "1:4 B010", "not user.vip"),
        ("a: !!python/object:os.system x\n", "1:4 B010", "quotes"),
        ("a: *b\n", "1:4 B011", "quotes"),
        ("a: &b [*b]\n", "1:8 B011", "write out"),
        ("a:\n\tb: 1\n", "2:1 B007", "two spaces"),
        ("a:\n  b: 1\n \tc: 1\n", "3:2 B007", "two spaces"),
        ("a: 1\n  b: 2\n", "2:3 B008", 'line it up with "a"'),
        ("a:\n    b: 1\n  c: 2\n", "3:3 B008", "same number of spaces"),
        ("a:\n  - b: 1\n   c: 2\n", "3:4 B008", "same number of spaces"),
        ("a:\n  - b\n  c: 1\n", "3:3 B008", "a dash and a space"),
        ("a: |\n    x\n  y\n", "3:3 B008", "first line of the text"),
        ("a:\n", "1:3 B014", "type the value"),
        ("a: {b: , c: 1}\n", "1:8 B014", "type the value"),
        ("-\n- x\n", "1:2 B014", "after the dash"),
        ("a: 010\n", "1:4 B015", '"010" with the quotes, for the number type 10'),
        ("a: -007.50\n", "1:4 B015", "-7.50"),
        ("a: 0x1F\n", "1:4 B015", "31"),
        ("a: 0o7\n", "1:4 B015", "7"),
        ("a: -.INF\n", "1:4 B015", "plain number"),
        ("a: .nan\n", "1:4 B015", "plain number"),
        ("a: 9007199254740992\n", "1:4 B016", "quotes"),
        ("a: 1e999\n", "1:4 B016", "closer to 0"),
        (f"a: {'9' * 5000}\n", "1:4 B016", "quotes"),
        ("a: 1e-999\n", "1:4 B016", "quotes"),
        ('a: "x\\0y"\n', "1:6 B003", "delete it"),
    ],
)
def test_a_trap_is_named_where_it_is_with_what_to_type_instead(text: str, place: str, hint: str):
    _, findings = read(text)
    assert found(text)[:1] == [place]
    assert hint in findings[0].hint
    assert len({finding.code for finding in findings}) == 1
    assert findings[0].source == text.split("\n")[findings[0].position.line - 1]


@pytest.mark.parametrize(
    "text",
    [
        "en: Hello  # a comment\n",
        "weight: 0.7 #tuned\n",
        "en: Hello #---- here it ends\n",
        'en: "Hello" #greeting\n',
        "en: Hello {{ name }}, 50% off at https://x.y/#top\n",
        "en: It's “quoted” - isn't it?\n",
        "en: “Hello” and “bye”\n",
        "en: 10\u00a0000\u00a0€\n",
        "when: amount > 5 and plan in ['a', 'b']\n",
        "when: {all: [amount < 5, user.plan == 'free']}\n",
        "quiet_hours: {from: 22:00, to: 08:00}\n",
        'url: "${URL}"\nother: ${URL}\n',
        "a:\tb\n",
        "a: x\t# tab before a comment\n",
        "a: |\n  x: {{ y }}\t\n   'z' #1\n",
        'a: "x\n\n  y"\n',
        "a: b:c\nd: e#f\n",
        "- -5 items\n- +49 30 123\n",
        "---\na: 1\n",
        "%YAML 1.2\n---\na: 1\n...\n",
    ],
)
def test_what_is_no_trap_is_left_alone(text: str):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", '"a" is already there in line 1'),
        ("x: {a: 1, a: 2}\n", '"a" is already there at column 5'),
        ("events: {a: 1}\nsettings: {b: 2}\nevents: {c: 3}\n", '"events" is already there in line 1'),
    ],
)
def test_a_key_that_stands_twice_names_the_first(text: str, message: str):
    document, findings = read(text)
    assert [finding.code for finding in findings] == ["B005"]
    assert findings[0].message == message
    assert document.partial


def test_a_scalar_with_a_finding_says_so():
    document, _ = read("a:\nb: 010\nc: Order #12\nd: fine\n")
    assert isinstance(document.root, Map)
    assert [node.flawed for _, node in document.root.entries if isinstance(node, Scalar)] == [True, True, True, False]


def test_nothing_and_null_are_told_apart():
    document, findings = read("a:\nb: null\nc: ~\n")
    assert plain(document.root) == {"a": None, "b": None, "c": None}
    assert [finding.message for finding in findings] == ['"a" has no value']
    assert isinstance(document.root, Map)
    assert [node.text for _, node in document.root.entries if isinstance(node, Scalar)] == ["", "null", "~"]


def test_messages_name_no_parser():
    jargon = re.compile(r"\b(mapping|scalar|token|block|flow|node|simple key|NoneType|dict|str)\b")
    for code in OURS:
        path = FIXTURES / f"{code}.bad.yaml"
        for finding in read_file(path, path.name)[1]:
            assert not jargon.search(finding.message + finding.hint), finding


# ---------------------------------------------------------------- broken files


def test_one_broken_event_type_hides_neither_its_siblings_nor_other_blocks():
    types = [f"  type_{number}:\n    description: Number {number}\n" for number in range(30)]
    types[7] = "  type_7:\n    description: 'seven' is broken\n    category: transactional\n"
    document, findings = read("settings:\n  locale: en\nevents:\n" + "".join(types) + "categories:\n  news: {}\n")
    assert [finding.code for finding in findings] == ["B020"]
    assert document.partial
    assert document.broken == ("events",)
    root = plain(document.root)
    assert root["settings"] == {"locale": "en"}
    assert root["categories"] == {"news": {}}
    assert len(root["events"]) == 30
    assert root["events"]["type_7"] == {"category": "transactional"}


def test_every_broken_part_gives_one_finding():
    text = (
        "events:\n"
        "  a:\n"
        "    description: Billing: failed\n"
        "    rules:\n"
        "      - {id: x, when: plan in ['a'], score: 1}\n"
        "      - id: y\n"
        "        when: 'b' in reason\n"
        "suppression:\n"
        "  - {id: night, mute: always\n"
        "  - {id: day, mute: 7d}\n"
        "settings:\n"
        "\tlocale: en\n"
        "categories:\n"
        "  news: {consent: opt_in}\n"
    )
    document, findings = read(text)
    assert found(text) == ["3:25 B023", "5:31 B025", "7:15 B020", "9:5 B032", "12:1 B007"]
    assert all(finding.hint for finding in findings)
    assert document.broken == ("events", "suppression", "settings")
    assert plain(document.root) == {
        "events": {"a": {"rules": [{"id": "y"}]}},
        "suppression": [{"id": "day", "mute": "7d"}],
        "categories": {"news": {"consent": "opt_in"}},
    }


def test_positions_in_a_file_read_by_pieces_are_those_of_the_file():
    document, _ = read("a: 'x' y\nb:\n  - c: dd\n    e: 'f' g\n    h: |\n      text\n")
    assert isinstance(document.root, Map)
    items = document.root.get("b")
    assert isinstance(items, Sequence)
    entry = items.items[0]
    assert isinstance(entry, Map)
    assert [(key.text, str(key.position)) for key, _ in entry.entries] == [
        ("c", "rules/a.yaml:3:5"),
        ("h", "rules/a.yaml:5:5"),
    ]
    text = entry.get("h")
    assert isinstance(text, Scalar)
    assert text.span(1, 3) == Position("rules/a.yaml", 6, 8, 6, 10)


def test_a_label_in_another_piece_is_still_known():
    document, findings = read("a: &x {p: 1}\nb: 'x' y\nc: *x\n")
    assert [finding.code for finding in findings] == ["B020"]
    assert plain(document.root) == {"a": {"p": 1}, "c": {"p": 1}}


def test_keys_that_stand_twice_are_seen_across_pieces():
    assert found("a: {x: 1}\nb: 'x' y\na: {z: 1}\n") == ["2:4 B020", "3:1 B005"]


def test_pasted_json_without_indentation_is_one_piece():
    document, findings = read('a: {\n"x": 1,\n"y": [2]\n}\nb: \'x\' y\n')
    assert [finding.code for finding in findings] == ["B020"]
    assert plain(document.root) == {"a": {"x": 1, "y": [2]}}


def test_a_second_document_is_reported_and_not_read():
    document, findings = read("a: 1\n---\nb: 'x' y\n---\nc: 1\n")
    assert [str(finding.position) for finding in findings] == ["rules/a.yaml:2:1"]
    assert plain(document.root) == {"a": 1}
    assert document.partial


# ---------------------------------------------------------------- files and bytes


def test_a_file_that_is_not_there_says_so(tmp_path: Path):
    document, findings = read_file(tmp_path / "gone.yaml", "rules/gone.yaml")
    assert document.root is None
    assert document.partial
    assert [(finding.code, finding.position) for finding in findings] == [("B001", Position("rules/gone.yaml"))]
    assert "No such file" in findings[0].message


def test_a_folder_and_a_dangling_link_are_no_files(tmp_path: Path):
    link = tmp_path / "link.yaml"
    link.symlink_to("nowhere.yaml")
    assert "directory" in read_file(tmp_path, "rules")[1][0].message
    assert "it is a link to nowhere.yaml, which is not there" in read_file(link, "link.yaml")[1][0].message


@pytest.mark.parametrize(
    ("data", "line", "column", "message"),
    [
        ("a: 1\nb: für\n".encode("latin-1"), 2, 5, '"ü"'),
        ("a: 1\nb: ü und “x”\n".encode() + b"\x93", 3, 1, "not saved as UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, 1, "UTF-16"),
        ("a: 1\n".encode("utf-16-le"), 1, 1, "UTF-16"),
        ("a: 1\n".encode("utf-16-be"), 1, 1, "UTF-16"),
        ("a: 1\n".encode("utf-32"), 1, 1, "UTF-32"),
        (b"a: 1\nb: x\x00y\n", 2, 5, "NUL"),
    ],
)
def test_what_is_not_utf_8_is_named_at_its_first_character(data: bytes, line: int, column: int, message: str):
    document, findings = read_text("a.yaml", data)
    assert [(finding.code, finding.position.line, finding.position.column) for finding in findings] == [
        ("B002", line, column)
    ]
    assert message in findings[0].message
    assert document.root is None
    assert document.partial


@pytest.mark.parametrize("char", ["\x01", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ufffe"])
def test_a_control_character_is_named_and_the_rest_still_read(char: str):
    document, findings = read(f"a: x{char}y\nb: 'x' y\n")
    assert [(finding.code, finding.position.line) for finding in findings] == [("B003", 1), ("B020", 2)]
    assert f"U+{ord(char):04X}" in findings[0].message
    assert findings[0].position.column == 5
    assert char not in findings[0].source
    assert plain(document.root) == {"a": "x�y"}


# ---------------------------------------------------------------- spans


def scalar(text: str) -> Scalar | None:
    document, _ = read(text)
    node = document.root.get("key") if isinstance(document.root, Map) else None
    node = node.get("value") if isinstance(node, Map) else None
    return node if isinstance(node, Scalar) else None


def written(node: Scalar, start: int, end: int) -> str:
    span = node.span(start, end)
    source = node.source
    return source.text[
        source.offset(span.line - 1, span.column - 1) : source.offset(span.end_line - 1, span.end_column - 1)
    ]


@pytest.mark.parametrize(
    ("raw", "word", "line", "column"),
    [
        ("Hello {{ naem }}", "naem", 2, 19),
        ('"caf\\u00e9 \\"x\\" naem"', "naem", 2, 27),
        ("'it''s naem'", "naem", 2, 17),
        ("first\n    second naem", "naem", 3, 12),
        ('"first \\\n     second naem"', "naem", 3, 13),
        ('"first\n\n     second naem"', "naem", 4, 13),
        ("|\n    first\n\n      naem", "naem", 5, 7),
        (">-\n    first\n    second naem\n", "naem", 4, 12),
        (">\n    first\n\n\n      more\n    naem\n", "naem", 7, 5),
        ("|2+  # comment\n     first\n    naem\n", "naem", 4, 5),
    ],
)
def test_a_word_is_found_in_the_file_in_every_style(raw: str, word: str, line: int, column: int):
    node = scalar(f"key:\n  value: {raw}\n")
    assert node is not None
    start = node.text.index(word)
    assert node.span(start, start + len(word)) == Position("rules/a.yaml", line, column, line, column + len(word))


def test_a_span_outside_the_text_is_cut_to_it():
    node = scalar("key:\n  value: abc\n")
    assert node is not None
    assert node.span(-5, 99) == node.position
    assert node.span(3, 3) == Position("rules/a.yaml", 2, 13, 2, 13)
    assert node.span(9, 2) == Position("rules/a.yaml", 2, 13, 2, 13)


WORDS = ["a", "é", "😀", "{{ x }}", "word", "it-s", "0", "x:y", "a#b", "“", "%", "(", "]"]
BREAKS = ["\n    ", "\n\n    ", "\n \n\n      ", "\r\n    ", " \n    ", "\n    \t"]
ESCAPES = [
    "\\n",
    "\\t",
    "\\u00e9",
    "\\U0001F600",
    "\\x41",
    '\\"',
    "\\\\",
    "\\/",
    "\\ ",
    "\\\n    ",
    " \\\n\n    ",
    "\\_",
]
BLANKS = [" ", "  ", "\t"]


def pieces(*choices: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from([piece for choice in choices for piece in choice]), max_size=12).map("".join)


lines = st.lists(
    st.tuples(st.sampled_from(["", "    ", "     ", "      ", "    \t"]), pieces(WORDS, BLANKS)).map("".join),
    max_size=7,
)
headers = st.builds(
    "{}{}{}{}".format,
    st.sampled_from("|>"),
    st.sampled_from(["", "1", "2"]),
    st.sampled_from(["", "-", "+"]),
    st.sampled_from(["", " # x"]),
)
raw_scalars = st.one_of(
    pieces(WORDS, BLANKS, BREAKS),
    pieces(WORDS, BLANKS, BREAKS, ["''", '"', "\\", ": ", " #1", "{"]).map(lambda text: f"'{text}'"),
    pieces(WORDS, BLANKS, BREAKS, ESCAPES, ["'", ": ", " #1", "{"]).map(lambda text: f'"{text}"'),
    st.builds(lambda header, body, end: "\n".join([header, *body]) + end, headers, lines, st.sampled_from(["", "\n"])),
)


def yields(raw: str, char: str) -> bool:
    """Whether this piece of a file stands for that character."""
    if raw == char or (char == "'" and raw == "''") or (char in " \n" and raw in {"\n", "\r\n", "\r"}):
        return True
    return raw.startswith("\\") and yaml.safe_load(f'"{raw}"') == char


@settings(max_examples=600, deadline=None)
@given(raw_scalars, st.sampled_from(["", "\n", "\nother: 1\n", "\n\n# end\n"]))
def test_every_character_is_found_where_it_was_written(raw: str, end: str):
    node = scalar(f"key:\n  value: {raw}{end}")
    assume(node is not None)
    assert node is not None
    at = 0
    for index, char in enumerate(node.text):
        piece = written(node, index, index + 1)
        span = node.span(index, index + 1)
        start = node.source.offset(span.line - 1, span.column - 1)
        # A text block at the end of a file has a line break that its author did not type.
        assert yields(piece, char) or (char == "\n" and start == len(node.source.text)), (raw, index, char, piece)
        assert start >= at
        at = start + len(piece)


# ---------------------------------------------------------------- bounds


PARTS = [
    *"abc:-#{}[]'\"|>&*!%@`,?~ \n\t\r",
    *["  ", "\n  ", "\n    - ", ": ", " #", "- ", "key: ", "'x' y", "{{", "}}", "${A}", "\\", "---\n", "...\n"],
    *["<<: ", "&a ", "*a", "!x ", "010", "“", "’", "\u00a0", "\u2028", "\ufeff", "\x00", "\x07", "é", "😀", "\t- "],
]


def check(data: bytes) -> None:
    document, findings = read_text("a.yaml", data)
    assert all(finding.code in CODES and finding.message and finding.hint for finding in findings)
    assert findings or not document.partial
    assert (
        findings or document.root is not None or not re.sub(rb"#.*|[\s.]|---", b"", data.replace(b"\xef\xbb\xbf", b""))
    )
    for finding in findings:
        span = finding.position
        assert 1 <= span.line <= span.end_line
        assert span.column >= 1
        assert (span.line, span.column) <= (span.end_line, span.end_column)
        if document.source.text:
            assert span.end_line <= len(document.source.lines)
            assert span.column <= len(document.source.line(span.line)) + 1
            assert finding.source == document.source.line(span.line)
    walk(document.root)


def walk(node: Node | None) -> None:
    """Every node stands inside its parent and gives its text's places."""
    if isinstance(node, Scalar):
        node.span(0, len(node.text))
    elif isinstance(node, Sequence):
        for item in node.items:
            walk(item)
    elif isinstance(node, Map):
        assert len({key.text for key, _ in node.entries}) == len(node.entries)
        for key, value in node.entries:
            walk(key)
            walk(value)


@settings(max_examples=500, deadline=2000)
@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes):
    check(data)


@settings(max_examples=1500, deadline=2000)
@given(st.lists(st.sampled_from(PARTS), max_size=40).map("".join))
def test_no_mixture_of_yaml_raises(text: str):
    check(text.encode())


LETTERS = "abcdefghijklm"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: " + "[" * 100_000, id="brackets"),
        pytest.param("a: " + "{" * 100_000, id="braces"),
        pytest.param("a: " + "{x: " * 30_000, id="maps"),
        pytest.param("- " * 50_000, id="dashes"),
        pytest.param("".join(" " * depth + "a:\n" for depth in range(1000)), id="steps"),
        pytest.param("a: " + " " * 200_000 + "x y: z", id="blanks"),
        pytest.param("a: " + "b: " * 100_000, id="colons"),
        pytest.param("a: 'x" + "'y" * 100_000, id="quotes"),
        pytest.param("a: [" + "'x', " * 20_000 + "'y' z]", id="quoted entries"),
        pytest.param("a: {" + "b, " * 20_000 + "}", id="words without values"),
        pytest.param("".join(f"k{number}: {{a: b\n" for number in range(3000)), id="open brackets"),
        pytest.param("".join(f"k{number}: 'a' b\n" for number in range(5000)), id="open quotes"),
        pytest.param("a:\n" + "\tb: 1\n" * 20_000, id="tabs"),
        pytest.param("a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
            for before, after in pairwise(LETTERS)
        ), id="alias bomb"),
    ],
)  # fmt: skip
def test_hostile_files_end_in_findings(text: str):
    _, findings = read(text)
    assert findings


@pytest.mark.parametrize("depth", [39, 41])
def test_forty_levels_are_the_bound(depth: int):
    text = "".join("  " * level + "a:\n" for level in range(depth)) + "  " * depth + "a: 1\n"
    assert [place.split()[1] for place in found(text)] == ([] if depth < 40 else ["B009"])


def test_five_hundred_event_types_are_read():
    one = (
        "  type_{0}:\n    description: Number {0}\n    fields:\n      amount: {{type: number, min: 0}}\n"
        "      order_id: {{type: text}}\n    weight: 0.70\n    rules:\n"
        "      - {{id: large-{0}, when: amount >= 500, score: +0.15}}\n      - id: again-{0}\n        score: 0.1\n"
    )
    text = "events:\n" + "".join(one.format(number) for number in range(500))
    assert text.count("\n") > 5000
    assert good(text)
