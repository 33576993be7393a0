"""`botopt why-not`: what people read, what programs read, and where the records come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from botopt.model.decision import Choice, Decision, Outcome, Reason
from botopt.model.instants import instant_us
from botopt.model.record import encode_line
from tests.cli.running import RULES, botopt, workspace
from tests.cli.test_formats import own

TEXT = """\
Of 2 payment_failed events of ada 1 was sent (50.0%).
Decided from 2026-03-01 09:00:00 to 2026-03-01 10:00:00 UTC.

Why the others were not:

      1  50.0%  cooldown: too soon after another
               1 once  rules/r.yaml:15:10 cooldown 6h
                 nearest miss: e3 of ada at 2026-03-01 10:00:00
                   once would have let it pass 5h later, at 2026-03-01 15:00:00
                   caused by payment_failed e1 at 2026-03-01 09:00:00
"""
TEXT_OF_LEARNERS = """\
Of 7 sale events 2 were sent (28.6%).
1 of them only because exploring drew it.
Decided from 2026-03-01 01:00:00 to 2026-03-01 08:00:00 UTC.

Why the others were not:

      2  28.6%  below_threshold: not worth a message
                 from 2026-03-01 06:00:00 to 2026-03-01 07:00:00
                 1 kept back only by the user's own history; exploring did not draw it
                 nearest miss: e6 of ada at 2026-03-01 06:00:00
                   score 0.5, needed more than 0.6: 0.1 too low
                   no single part of the score would have closed the gap

      1  14.3%  paced: the budget of messages was used up
                 nearest miss: e8 of ada at 2026-03-01 08:00:00
                   the budget would have let it pass 1h30m later, at 2026-03-01 09:30:00

      1  14.3%  quiet_hours: at a time when the user wants quiet
               1 night
                 nearest miss: e3 of ada at 2026-03-01 03:00:00
                   night would have let it pass 17h later, at 2026-03-01 20:00:00

      1  14.3%  send_time: waiting for a better hour
                 nearest miss: e2 of ada at 2026-03-01 02:00:00
                   the better hour would have let it pass 18h later, at 2026-03-01 20:00:00

3 were held at first, the shortest for 17h
               2 send_time: waiting for a better hour
               1 night
                 later: 1 sent
                 still waiting when the log ends: 2
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    here = workspace(tmp_path)
    assert botopt("replay", "events.jsonl", "--out", "d.jsonl", cwd=here).returncode == 0
    return here


def test_people_read_sentences(folder):
    done = botopt("why-not", "payment_failed", "d.jsonl", "--user", "ada", "-w", ".", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == TEXT


def test_no_workspace_is_needed(folder):
    done = botopt("why-not", "payment_failed", "d.jsonl", "--user", "ada", cwd=folder)
    assert done.stdout == TEXT.replace("once  rules/r.yaml:15:10 cooldown 6h", "once")


def test_a_low_score_says_what_would_have_closed_the_gap(folder):
    done = botopt("why-not", "payment_failed", "d.jsonl", "--user", "bob", cwd=folder)
    assert "score 0.5, needed more than 0.6: 0.1 too low" in done.stdout
    assert "had rule tiny (score -0.2) not matched, it would have been worth a message" in done.stdout
    assert "1 was held at first, the shortest for 9h" in done.stdout
    assert "still waiting when the log ends: 1" in done.stdout


def test_nothing_of_a_user_is_nothing_at_any_time(folder):
    args = ("why-not", "payment_failed", "d.jsonl", "--user", "eve")
    assert botopt(*args, cwd=folder).stdout == "The log has no payment_failed event of eve.\n"
    assert "of eve in that time." in botopt(*args, "--since", "1d", cwd=folder).stdout


def test_a_log_that_a_windows_program_saved_is_read(folder):
    plain = (folder / "d.jsonl").read_bytes()
    saved = b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n")
    for args in ((), ("--since", "1d")):
        asked = ("why-not", "payment_failed", *args)
        assert botopt(*asked, cwd=folder, stdin=saved).stdout == botopt(*asked, cwd=folder, stdin=plain).stdout != ""


def test_records_may_come_from_a_pipe(folder):
    records = (folder / "d.jsonl").read_bytes()
    piped = botopt("why-not", "payment_failed", "--since", "1d", cwd=folder, stdin=records)
    named = botopt("why-not", "payment_failed", "d.jsonl", "--since", "1d", cwd=folder)
    assert piped.stdout == named.stdout
    assert "caused by payment_failed e1" in piped.stdout
    assert botopt("why-not", "payment_failed", "-", "d.jsonl", cwd=folder, stdin=records).returncode == 0


def test_a_duration_counts_back_from_the_newest_record(folder):
    def events(*words: str) -> int:
        done = botopt("why-not", "payment_failed", "d.jsonl", "--format", "json", *words, cwd=folder)
        return int(json.loads(done.stdout)["events"])

    assert [events("--since", since) for since in ("12h", "12h30m", "1d")] == [2, 2, 4]
    assert events("--since", "2026-03-01T10:00:00Z", "--until", "2026-03-01T11:00:00Z") == 1
    assert events("--until", "12h") == 2


def test_json_obeys_its_schema(folder):
    for words in ((), ("--user", "ada", "-w", "."), ("--since", "2h"), ("--user", "nobody")):
        done = botopt("why-not", "payment_failed", "d.jsonl", "--format", "json", *words, cwd=folder)
        plain = json.loads(done.stdout)
        own("why-not").validate(plain)
        assert plain["events"] == plain["sent"] + sum(one["count"] for one in plain["reasons"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("payment_faild", "d.jsonl"), 'did you mean "payment_failed"?'),
        (("payment_failed", "events.jsonl"), "botopt replay events.jsonl --out events.decisions.jsonl"),
        (("payment_failed", "d.jsonl", "--since", "yesterday"), "neither a time nor a duration"),
        (("paid", "d.jsonl", "-w", "."), "paid has no message (rules/r.yaml:4:3)"),
    ],
)
def test_mistakes_are_answered_in_words(folder, words, said):
    done = botopt("why-not", *words, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


def test_a_workspace_that_has_changed_is_not_mistaken_for_the_one_that_decided(folder):
    rules = folder / "rules" / "r.yaml"
    rules.write_text(rules.read_text("utf-8").replace("6h", "7h"), "utf-8")
    done = botopt("why-not", "payment_failed", "d.jsonl", "-w", ".", cwd=folder)
    assert done.returncode == 0
    assert "rules/r.yaml" not in done.stdout
    assert "its rules are not shown" in done.stderr


def test_what_users_wrote_steers_no_terminal(folder):
    line = (folder / "d.jsonl").read_text("utf-8").splitlines()[0]
    evil = json.dumps(json.loads(line) | {"user": "[red]\x1b[31m", "outcome": "suppressed", "reason": "holdout"})
    done = botopt("why-not", "payment_failed", cwd=folder, stdin=evil.encode())
    assert "of [red]\\x1b[31m at" in done.stdout


def test_a_log_that_is_named_twice_is_not_counted_twice(tmp_path):
    (tmp_path / "log.jsonl").write_text("", "utf-8")
    done = botopt("why-not", "payment_failed", "log.jsonl", "log.jsonl", cwd=tmp_path)
    assert done.returncode == 2
    assert "log.jsonl is named twice" in done.stderr


def logged(number: int, **changes: object) -> bytes:
    """A decision of one hour after another, sent but for the changes."""
    usual = Decision(
        id=f"d{number}",
        event_id=f"e{number}",
        event_type="sale",
        user="ada",
        time_us=instant_us(f"2026-03-01T{number:02}:00:00Z"),
        outcome=Outcome.SENT,
        score=0.7,
        threshold=0.6,
        snapshot="s1",
        revision="r1",
    )
    return encode_line(replace(usual, **changes))


def explored(chosen: str) -> tuple[Choice, ...]:
    return (Choice("explore", ("no", "yes"), chosen, 0.1, 0.03),)


def test_what_waits_for_a_better_hour_is_told_beside_quiet_hours(tmp_path):
    hold = {"outcome": Outcome.HELD, "until_us": instant_us("2026-03-01T20:00:00Z")}
    low = {"outcome": Outcome.BELOW_THRESHOLD, "reason": Reason.BELOW_THRESHOLD}
    paced = {"outcome": Outcome.SUPPRESSED, "reason": Reason.PACED, "until_us": instant_us("2026-03-01T09:30:00Z")}
    records = [
        logged(1, **hold, reason=Reason.SEND_TIME),
        logged(2, **hold, reason=Reason.SEND_TIME),
        logged(3, **hold, reason=Reason.QUIET_HOURS, by="night"),
        logged(4, event_id="e1"),
        logged(5, choices=explored("yes")),
        logged(6, **low, score=0.5, choices=explored("no")),
        logged(7, **low, score=0.4),
        logged(8, **paced),
    ]
    done = botopt("why-not", "sale", cwd=tmp_path, stdin=b"".join(records))
    assert done.stdout == TEXT_OF_LEARNERS
    plain = json.loads(botopt("why-not", "sale", "--format", "json", cwd=tmp_path, stdin=b"".join(records)).stdout)
    own("why-not").validate(plain)
    assert plain["explored"] == 1
    assert {one["reason"]: one["unexplored"] for one in plain["reasons"]}["below_threshold"] == 1
    assert [(one["reason"], one["by"], one["count"]) for one in plain["held"]["by"]] == [
        ("send_time", None, 2),
        ("quiet_hours", "night", 1),
    ]


def test_a_budget_of_a_category_says_where_it_stands(tmp_path):
    budget = "categories:\n  money: {pacing: {messages: 1, per: week}}\nevents:"
    rules = RULES.replace("events:", budget, 1).replace("weight: 0.70", "category: money\n    weight: 0.70")
    here = workspace(tmp_path, "settings: {threshold: 0}\n" + rules.replace("cooldown: 6h", "cooldown: 1m"))
    assert botopt("replay", "events.jsonl", "--out", "d.jsonl", cwd=here).returncode == 0
    told = botopt("why-not", "payment_failed", "d.jsonl", "--user", "ada", "-w", ".", cwd=here).stdout
    assert "paced: the budget of messages was used up" in told
    assert "1 money  rules/r.yaml:5:3 pacing 1 in 7d" in told
