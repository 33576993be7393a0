"""Users from tables: what is read, and what is said about what cannot be."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import pytest

from botopt.model.errors import InputError
from botopt.model.event import Event
from botopt.model.policy import Policy
from botopt.sources.jsonl import InputFile
from botopt.sources.people import PeopleReader
from botopt.sources.table import TableRow, Wrong, read_csv, read_objects
from botopt.verify.validate import load

T = 1_772_355_600_000_000

RULES = """\
user:
  plan: {type: text, one_of: [free, pro], optional: true}
  age: {type: integer, min: 0, optional: true}
  spent: {type: number, optional: true}
  vip: {type: boolean, default: false}
  since: {type: time, optional: true}
  tags: {type: list, optional: true}
  more: {type: object, optional: true}
categories:
  marketing: {consent: opt_in}
  both: {}
channels:
  sms: {type: console}
  both: {type: console}
settings: {}
events:
  paid: {}
"""


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "rules").mkdir()
    (folder / "templates").mkdir()
    (folder / "rules" / "r.yaml").write_text(RULES)
    return load(folder)


def table(
    folder: Path, content: str | bytes, known: object = lambda names: None, name: str = "u.csv"
) -> list[TableRow]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with InputFile(str(path), 0) as file:
        return list(read_csv(file, known))  # type: ignore[arg-type]


def said(events: tuple[Event, ...] | Wrong) -> list[tuple[str, Mapping[str, object]]]:
    assert not isinstance(events, Wrong), events
    return [(event.type, dict(event.data)) for event in events]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("id,plan\nada,pro\n", [(2, {"id": "ada", "plan": "pro"})]),
        ("id;plan\r\nada;pro\r\n", [(2, {"id": "ada", "plan": "pro"})]),
        ("id\tplan\nada\tpro", [(2, {"id": "ada", "plan": "pro"})]),
        ("\ufeffid,plan\nada,pro\n", [(2, {"id": "ada", "plan": "pro"})]),
        ("id\nada\n", [(2, {"id": "ada"})]),
        ('id,"a;b;c"\nada,x\n', [(2, {"id": "ada", "a;b;c": "x"})]),
        (" id , plan \n ada , pro \n", [(2, {"id": "ada", "plan": "pro"})]),
        ("\nid,plan\n\n,\nada,\n", [(5, {"id": "ada"})]),
        (
            'id,plan\nada,"say ""hi"", then\ngo"\nbob,x\n',
            [(2, {"id": "ada", "plan": 'say "hi", then\ngo'}), (4, {"id": "bob", "plan": "x"})],
        ),
        ("id,plan\nada,\\N\n", [(2, {"id": "ada", "plan": None})]),
        ("id,plan,,\nada,pro,,\n", [(2, {"id": "ada", "plan": "pro"})]),
        ("id,plan\nGrüße,日本\n", [(2, {"id": "Grüße", "plan": "日本"})]),
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(
    tmp_path: Path, content: str, rows: list[tuple[int, dict[str, object]]]
) -> None:
    assert [(row.line, row.values) for row in table(tmp_path, content)] == rows


def test_a_packed_table_is_read(tmp_path: Path) -> None:
    assert [row.values for row in table(tmp_path, gzip.compress(b"id\nada\n"), name="u.csv.gz")] == [{"id": "ada"}]


@pytest.mark.parametrize(
    ("content", "line", "column", "words"),
    [
        ("id,plan\nada\nbob,pro\n", 2, None, "fewer cells than the header: 1, not 2"),
        ("id,plan\nada,pro,x\nbob,pro\n", 2, None, "more cells than the header: 3, not 2"),
        ('id,plan\nada,"pro"x\nbob,pro\n', 2, None, "something follows a closing quote"),
        ('id,plan\nbob,pro\nada,"pro\n', 3, None, "is never closed"),
        ("id,plan,\nada,pro,x\nbob,pro,\n", 2, None, "a column that has no name"),
        ("id,plan\nada,M\xfcller\nbob,pro\n".encode("latin-1"), 2, "plan", "not UTF-8 text"),
    ],
)
def test_a_broken_row_is_told_and_the_others_are_read(
    tmp_path: Path, content: str | bytes, line: int, column: str | None, words: str
) -> None:
    rows = table(tmp_path, content)
    [wrong] = [row for row in rows if row.wrong is not None]
    assert wrong.wrong is not None
    assert (wrong.line, wrong.wrong.column) == (line, column)
    assert words in wrong.wrong.detail
    assert {"id": "bob", "plan": "pro"} in [row.values for row in rows]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", r"u\.csv is empty: the first line names the columns"),
        ("\n\n", r"u\.csv is empty"),
        ("id,plan,plan\nada,x,y\n", r'u\.csv:1: two columns are called "plan"'),
        ("id,plam\nada,x\n", r'u\.csv:1: no attribute is called "plam"; did you mean "plan"\?'),
        ("id,shoe_size\nada,x\n", r"declare it, or leave it out with --ignore shoe_size"),
        ("user,plan\nada,pro\n", r'u\.csv:1: there is no column "id"; its values are the users\' ids'),
        ("plan\npro\n", r'u\.csv:1: there is no column "id"; its values are the users\' ids'),
        ('"id\nada\n', r"u\.csv:1: the header cannot be read"),
        ("id,plan\n".encode("utf-16"), r"u\.csv is UTF-16 text: save it as CSV UTF-8"),
        ("id,gr\xf6\n".encode("latin-1"), r"u\.csv:1: this is not UTF-8 text"),
    ],
)
def test_a_header_that_is_not_understood_is_refused(
    tmp_path: Path, policy: Policy, content: str | bytes, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        table(tmp_path, content, PeopleReader(policy).check)


def test_an_ignored_column_is_passed_over(tmp_path: Path, policy: Policy) -> None:
    reader = PeopleReader(policy, ignored=["shoe_size"])
    [row] = table(tmp_path, "id,shoe_size,plan\nada,43,pro\n", reader.check)
    assert said(reader.events(row, T, T)) == [("user.updated", {"plan": "pro"})]


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("plan", "pro", "pro"),
        ("age", "42", 42),
        ("age", "42.0", 42),
        ("spent", "-12.5", -12.5),
        ("spent", "1e3", 1000.0),
        ("vip", "TRUE", True),
        ("vip", "no", False),
        ("vip", "1", True),
        ("since", "2026-03-01T09:00:00Z", T),
        ("since", "2026-03-01T10:00:00+01:00", T),
        ("tags", '["a", 1]', ["a", 1]),
        ("more", '{"a": [1]}', {"a": [1]}),
        ("timezone", "Europe/Berlin", "Europe/Berlin"),
        ("locale", "de_at", "de-AT"),
        ("plan", None, None),
        ("vip", None, None),
    ],
)
def test_a_cell_becomes_what_its_attribute_declares(
    policy: Policy, column: str, cell: str | None, value: object
) -> None:
    row = TableRow(2, {"id": "ada", column: cell})
    assert said(PeopleReader(policy).events(row, T, T)) == [("user.updated", {column: value})]


@pytest.mark.parametrize(
    ("values", "column", "words"),
    [
        ({"plan": "pro"}, "id", "a row needs the user's id"),
        ({"id": "a\tb", "plan": "pro"}, "id", "control character"),
        ({"id": "x" * 257, "plan": "pro"}, "id", "too long"),
        ({"id": "ada", "plan": "gold"}, "plan", 'must be free or pro, not "gold"'),
        ({"id": "ada", "age": "12,5"}, "age", '"12,5" is no number; write it as 1234.5'),
        ({"id": "ada", "age": "12.5"}, "age", "must be a whole number"),
        ({"id": "ada", "age": "-1"}, "age", "must be at least 0"),
        ({"id": "ada", "spent": "1.000,00"}, "spent", "is no number"),
        ({"id": "ada", "spent": "nan"}, "spent", "is no number"),
        ({"id": "ada", "vip": "maybe"}, "vip", '"maybe" is neither true nor false'),
        ({"id": "ada", "since": "2026-03-01"}, "since", 'must be a time such as "2026-03-01T09:00:00Z"'),
        ({"id": "ada", "tags": "a, b"}, "tags", "is not JSON; write a list"),
        ({"id": "ada", "more": "[1]"}, "more", "must be an object"),
        ({"id": "ada", "timezone": "Berlin"}, "timezone", "unknown time zone"),
        ({"id": "ada", "locale": "deutsch"}, "locale", "unknown locale"),
        ({"id": "ada", "subscribed": "marketting"}, "subscribed", 'did you mean "marketing"?'),
        ({"id": "ada", "subscribed": "both"}, "subscribed", "write category:both or channel:both"),
        ({"id": "ada", "subscribed": "category:sms"}, "category", "a category that is not declared"),
        ({"id": "ada", "subscribed": "sms", "unsubscribed": "channel:sms"}, "unsubscribed", "stands in both columns"),
        ({"id": "ada", "subscribed": 5}, "subscribed", "names of categories and channels are wanted"),
        ({"id": "ada", "plam": "x"}, "plam", 'did you mean "plan"?'),
        ({"id": 5, "plan": "pro"}, "id", "is not text"),
    ],
)
def test_a_mistake_is_said_with_its_column(policy: Policy, values: dict[str, object], column: str, words: str) -> None:
    wrong = PeopleReader(policy).events(TableRow(2, values), T, T)
    assert isinstance(wrong, Wrong)
    assert wrong.column == column
    assert words in wrong.detail


def test_consent_comes_after_attributes_in_the_order_of_the_columns(policy: Policy) -> None:
    row = TableRow(
        2,
        {"id": "ada", "unsubscribed": "sms | category:both", "subscribed": "everything; marketing", "plan": "pro"},
    )
    assert said(PeopleReader(policy).events(row, T, T)) == [
        ("user.updated", {"plan": "pro"}),
        ("user.subscribed", {}),
        ("user.subscribed", {"category": "marketing"}),
        ("user.unsubscribed", {"channel": "sms"}),
        ("user.unsubscribed", {"category": "both"}),
    ]


def test_an_id_says_what_the_row_says_and_nothing_else(policy: Policy) -> None:
    def ids(again: str = "", **values: object) -> list[str]:
        events = PeopleReader(policy, again=again).events(TableRow(2, {"id": "ada", **values}), T, T)
        assert not isinstance(events, Wrong)
        return [event.id for event in events]

    first = ids(plan="pro", vip="yes", subscribed="sms")
    assert ids(subscribed="channel:sms", vip="true", plan="pro") == first
    assert not set(ids(plan="free", vip="yes")) & set(first)
    assert not set(ids(plan="pro", vip="yes", subscribed="sms", again="1")) & set(first)


def test_objects_a_line_are_read_too(tmp_path: Path, policy: Policy) -> None:
    path = tmp_path / "u.jsonl"
    path.write_text(
        '\ufeff{"id": "ada", "age": 5, "subscribed": ["sms"]}\n\n{"id": "bob", "plan": null}\n[1]\n{"id"\n', "utf-8"
    )
    with InputFile(str(path), 0) as file:
        rows = list(read_objects(file))
    assert [row.line for row in rows] == [1, 3, 4, 5]
    reader = PeopleReader(policy)
    assert said(reader.events(rows[0], T, T)) == [("user.updated", {"age": 5}), ("user.subscribed", {"channel": "sms"})]
    assert said(reader.events(rows[1], T, T)) == [("user.updated", {"plan": None})]
    details = [wrong.detail for wrong in (reader.events(row, T, T) for row in rows[2:]) if isinstance(wrong, Wrong)]
    assert "not a JSON object" in details[0]
    assert len(details) == 2
