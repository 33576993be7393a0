"""Reading sources: packed, broken, growing, remembered; a state file and a service."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import duckdb
import pytest
import zstandard

from botopt.dashboard.asked import Asked
from botopt.dashboard.queries import overview
from botopt.dashboard.queries.asking import Filter
from botopt.dashboard.store import opening, reading
from botopt.dashboard.store.opening import open_source, problems
from botopt.model.decision import Outcome
from botopt.model.errors import InputError, StateError
from tests.dashboard.logs import decided, event, write

RECORDS = [decided(f"d{number}", f"2026-03-02T08:{number:02}:00Z") for number in range(30)]


def counted(asked: Asked) -> int:
    opened = open_source(asked)
    try:
        return overview.totals(opened.cursor(), Filter()).dicts()[0]["decisions"]
    finally:
        opened.close()


def told(asked: Asked) -> list[tuple[str, int, str]]:
    opened = open_source(asked)
    try:
        return list(problems(opened.cursor()))
    finally:
        opened.close()


@pytest.fixture
def log(tmp_path):
    return write(tmp_path / "log.jsonl", *RECORDS)


@pytest.fixture
def reads(monkeypatch):
    """The files that were really read, each with its size."""
    seen = []
    real = reading._read

    def noted(con, path, shown, number):
        seen.append((shown.name, path.stat().st_size))
        real(con, path, shown, number)

    monkeypatch.setattr(reading, "_read", noted)
    return seen


def test_gzip_and_zstandard_are_known_by_their_first_bytes_whatever_the_name(log, tmp_path):
    for name, packed in (("a.log", gzip.compress(log.read_bytes())), ("b.log", zstandard.compress(log.read_bytes()))):
        (tmp_path / name).write_bytes(packed)
        assert counted(Asked(files=(tmp_path / name,))) == 30


def test_a_file_that_is_cut_off_is_refused_in_words(log, tmp_path):
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(log.read_bytes())[:-20])
    with pytest.raises(InputError, match=r"cut\.gz is damaged or cut off"):
        open_source(Asked(files=(cut,)))


def test_a_decision_that_stands_in_two_files_counts_once(log, tmp_path):
    other = write(tmp_path / "other.jsonl", *RECORDS[:10], decided("new", "2026-03-02T09:00:00Z"))
    assert counted(Asked(files=(log, other))) == 31


def test_lines_that_are_neither_are_counted_and_left_out(tmp_path):
    broken = write(
        tmp_path / "broken.jsonl",
        RECORDS[0],
        "{no json",
        "[1, 2]",
        '{"id": "x", "outcome": "exploded"}',
        '{"id": "x", "type": "parcel", "user": "ada", "time": "yesterday"}',
        RECORDS[1],
    )
    assert counted(Asked(files=(broken,))) == 2
    ((words, count, first),) = told(Asked(files=(broken,)))
    assert (words, count) == ("lines that are neither a decision record nor an event", 4)
    assert first.endswith("broken.jsonl, line 2 or later")


def test_an_empty_file_is_a_log_without_decisions(tmp_path):
    assert counted(Asked(files=(write(tmp_path / "empty.jsonl"),))) == 0


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.jsonl cannot be read: no such file"):
        open_source(Asked(files=(tmp_path / "gone.jsonl",)))


def test_a_state_file_among_logs_is_told_from_one(tmp_path):
    (tmp_path / "state.db").write_bytes(b"SQLite format 3\0" + bytes(100))
    with pytest.raises(InputError, match="is a state file, not a log: name it with --state"):
        open_source(Asked(files=(tmp_path / "state.db",)))


def test_a_name_with_a_star_is_one_file(tmp_path):
    write(tmp_path / "a1.jsonl", *RECORDS[:3])
    star = write(tmp_path / "a*.jsonl", *RECORDS[:2])
    assert counted(Asked(files=(star,))) == 2


def test_a_file_that_did_not_change_is_not_read_again(log, reads):
    assert counted(Asked(files=(log,))) == 30
    os.utime(log)  # touched, and the same all the same
    assert counted(Asked(files=(log,))) == 30
    assert len(reads) == 1


def test_of_a_file_that_grew_only_what_is_new_is_read(log, reads):
    asked = Asked(files=(log,))
    counted(asked)
    with log.open("a", encoding="utf-8") as file:
        file.write(write(log.with_name("more"), decided("new", "2026-03-03T08:00:00Z")).read_text())
    assert counted(asked) == 31
    (_, whole), (_, part) = reads
    assert part < whole / 10


def test_a_line_that_was_half_written_is_read_when_it_is_whole(log):
    line = write(log.with_name("more"), decided("new", "2026-03-03T08:00:00Z")).read_text()
    before = log.read_text()
    log.write_text(before + line[:40])
    asked = Asked(files=(log,))
    assert counted(asked) == 30
    log.write_text(before + line)
    assert counted(asked) == 31


def test_a_file_that_was_written_anew_is_read_anew(log, reads):
    asked = Asked(files=(log,))
    counted(asked)
    write(log, *RECORDS[5:])
    assert counted(asked) == 25
    assert len(reads) == 2


def test_feedback_that_comes_later_changes_the_answer_of_what_was_read_before(tmp_path):
    log = write(tmp_path / "log.jsonl", RECORDS[0])
    events = write(tmp_path / "events.jsonl", event("l", "user.active", "2026-03-09T00:00:00Z"))
    asked = Asked(files=(log,), events=(events,))
    opened = open_source(asked)
    assert overview.totals(opened.cursor(), Filter()).dicts()[0]["clicks"] == 0
    opened.close()
    with events.open("a", encoding="utf-8") as file:
        file.write('{"id":"c","type":"message.clicked","user":"ada","time":"2026-03-02T09:00:00Z","data":{}}\n')
    opened = open_source(asked)
    assert overview.totals(opened.cursor(), Filter()).dicts()[0]["clicks"] == 1
    opened.close()


def test_without_a_cache_nothing_is_kept(log, monkeypatch, cache):
    monkeypatch.setenv("BOTOPT_CACHE_DIR", "off")
    assert counted(Asked(files=(log,))) == 30
    assert list(cache.iterdir()) == []


def test_what_is_kept_is_for_its_owner_alone(log, cache):
    counted(Asked(files=(log,)))
    assert (cache / "dashboard").stat().st_mode & 0o077 == 0


def test_a_cache_that_is_damaged_is_as_good_as_none(log, cache):
    counted(Asked(files=(log,)))
    (kept,) = (cache / "dashboard").glob("*.duckdb")
    kept.write_bytes(b"nonsense" * 1000)
    assert counted(Asked(files=(log,))) == 30


def test_nothing_is_kept_of_a_run_that_failed(log, tmp_path, monkeypatch):
    asked = Asked(files=(log,))
    with monkeypatch.context() as patched:

        def broken(*_: object, **__: object) -> None:
            raise duckdb.OutOfMemoryException("no more")

        patched.setattr(opening, "derive", broken)
        with pytest.raises(duckdb.Error):
            open_source(asked)
    assert counted(asked) == 30


def test_another_time_zone_needs_no_reading(log, reads):
    counted(Asked(files=(log,)))
    opened = open_source(Asked(files=(log,), zone="Asia/Tokyo"))
    assert {row[0] for row in opened.cursor().execute("SELECT hour FROM decisions").fetchall()} == {17}
    opened.close()
    assert len(reads) == 1


def test_a_zone_that_nobody_knows_is_as_good_as_none(tmp_path, log):
    events = write(tmp_path / "e.jsonl", event("z", "user.updated", "2026-03-01T00:00:00Z", timezone="Moon/Crater"))
    opened = open_source(Asked(files=(log,), events=(events,)))
    assert {row[0] for row in opened.cursor().execute("SELECT hour FROM decisions").fetchall()} == {8}
    opened.close()


def test_a_state_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "state.db").write_text("no database")
    with pytest.raises(StateError):
        open_source(Asked(state=tmp_path / "state.db"))


def test_a_service_that_does_not_answer_is_said_in_words():
    with pytest.raises(InputError, match=r"no botopt answers at http://127\.0\.0\.1:9"):
        open_source(Asked(url="http://127.0.0.1:9"))


def test_held_and_other_outcomes_have_no_answer(tmp_path):
    log = write(tmp_path / "l.jsonl", decided("h", "2026-03-02T08:00:00Z", Outcome.SKIPPED))
    opened = open_source(Asked(files=(Path(log),)))
    assert opened.cursor().execute("SELECT response, known FROM decisions").fetchall() == [(None, False)]
    opened.close()
