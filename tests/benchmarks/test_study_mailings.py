"""The check on Hillstrom's data, on a small file of the same columns that somebody made up."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks import study, study_mailings
from benchmarks.study_mailings import COLUMNS, MAILS, NONE, measured, read, told
from botopt.model.errors import InputError

VISITS = {MAILS[0]: 0.36, MAILS[1]: 0.24, NONE: 0.15}


def made(path, customers: int = 12_000, visits=VISITS, columns=COLUMNS):
    """A file of so many customers, each of whom was sent something at random."""
    random = Random("mailings")
    lines = [",".join(columns)]
    for _ in range(customers):
        segment = random.choice(list(visits))
        row = dict.fromkeys(COLUMNS, "0") | {
            "history_segment": "2) $100 - $200",
            "zip_code": "Urban",
            "channel": "Web",
            "segment": segment,
            "visit": str(int(random.random() < visits[segment])),
        }
        lines.append(",".join(row[name] for name in columns))
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_the_better_of_two_emails_is_learned_and_nearly_all_get_it(tmp_path):
    found = measured(read(made(tmp_path / "h.csv")), halves=6)

    assert found.holds
    assert found.customers == 12_000
    assert found.visits == pytest.approx(VISITS, abs=0.02)
    assert 0.85 < found.chance.mean <= 0.95
    assert found.even.mean < found.learned.mean < found.fixed.mean


def test_where_both_emails_are_alike_the_law_does_not_hold_by_itself(tmp_path):
    alike = dict.fromkeys(VISITS, 0.2)

    assert not measured(read(made(tmp_path / "h.csv", visits=alike)), halves=10).holds


def test_the_page_says_what_came_of_it_or_that_there_is_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(study_mailings, "HALVES", 4)

    assert "**Holds.**" in told(made(tmp_path / "h.csv"))
    assert told(None).startswith("Skipped: BOTOPT_HILLSTROM")


@pytest.mark.parametrize("by", ["option", "variable"])
def test_the_file_is_named_by_an_option_or_a_variable(tmp_path, monkeypatch, by, capsys):
    monkeypatch.delenv("BOTOPT_HILLSTROM", raising=False)
    path, page = made(tmp_path / "h.csv", customers=600), tmp_path / "page.md"
    words = ["study", "--only", "mailings", "--out", str(page)]
    if by == "option":
        words += ["--hillstrom", str(path)]
    else:
        monkeypatch.setenv("BOTOPT_HILLSTROM", str(path))
    monkeypatch.setattr("sys.argv", words)
    study.main()

    assert "600 customers" in page.read_text("utf-8")
    assert "## Two e-mails to real customers" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "it has no column recency"),
        (",".join(COLUMNS) + "\n" + ",".join(["0"] * len(COLUMNS)) + "\n", "line 2: segment is '0'"),
    ],
)
def test_another_file_is_refused_with_what_is_wrong(tmp_path, text, words):
    (tmp_path / "h.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        read(tmp_path / "h.csv")
    with pytest.raises(InputError, match="No such file"):
        read(tmp_path / "none.csv")
