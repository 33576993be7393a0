"""The command line as its users meet it: every exit code, every command, no traceback ever."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import zstandard

from tests.cli.running import EVENTS, ROOT, RULES, botopt, workspace


def records(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_version_and_help_name_the_exit_codes():
    assert botopt("--version").stdout == "botopt 0.1.0\n"
    shown = botopt("--help").stdout
    for code in ("130", "the policy has errors", "init", "validate", "replay", "explain", "render", "state", "doctor"):
        assert code in shown


@pytest.mark.parametrize(
    "command", ["init", "validate", "replay", "explain", "render", "doctor", "schema", "state show"]
)
def test_every_command_explains_itself(command):
    done = botopt(*command.split(), "--help")
    assert done.returncode == 0
    assert "Usage: botopt" in done.stdout


def test_replay_tells_the_story(tmp_path):
    done = botopt("replay", "events.jsonl", cwd=workspace(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        "[2026-03-01 09:00:00] payment_failed for ada scored 0.70 (needs 0.60)\n"
        '  → chat: "Your payment of 42 failed."\n'
        "  clicked ✓\n"
        "[2026-03-01 10:00:00] payment_failed for ada scored 0.83 (needs 0.60)\n"
        "  not sent: cooldown (once) until 2026-03-01 15:00:00\n"
        "[2026-03-01 11:00:00] payment_failed for bob scored 0.50 (needs 0.60)\n"
        "  not worth a message\n"
        "[line 5] rejected: not valid JSON: expected a value at character 1\n"
        "[2026-03-01 23:00:00] payment_failed for bob scored 0.70 (needs 0.60)\n"
        "  held by night until 2026-03-02 08:00:00\n"
    )
    assert "6 lines, 5 records; 1 message still held" in done.stdout
    assert '1 payment_failed carried "amont", which is not declared (did you mean "amount"?)' in done.stdout


def test_until_releases_what_is_held(tmp_path):
    done = botopt("replay", "events.jsonl", "--until", "2026-03-02T08:00:00Z", cwd=workspace(tmp_path))
    assert "[2026-03-02 08:00:00] payment_failed for bob scored 0.70 (needs 0.60) held until now" in done.stdout
    assert "no messages still held" in done.stdout


def test_json_goes_to_standard_output_and_the_summary_does_not(tmp_path):
    done = botopt("replay", "events.jsonl", "--format", "json", cwd=workspace(tmp_path))
    found = records(done.stdout)
    assert [record["outcome"] for record in found] == ["sent", "suppressed", "below_threshold", "rejected", "held"]
    assert "records" in done.stderr


def test_out_takes_the_records_and_is_never_overwritten(tmp_path):
    folder = workspace(tmp_path)
    done = botopt("replay", "events.jsonl", "--out", "d.jsonl", "--rejects", "r.jsonl", cwd=folder)
    assert done.returncode == 0
    assert "payment_failed for ada" not in done.stdout
    assert len(records((folder / "d.jsonl").read_text())) == 5
    [rejected] = records((folder / "r.jsonl").read_text())
    assert (rejected["file"], rejected["line"], rejected["raw"]) == ("events.jsonl", 5, "not json")
    before = (folder / "d.jsonl").read_bytes()
    again = botopt("replay", "events.jsonl", "--out", "d.jsonl", cwd=folder)
    assert again.returncode == 9
    assert "d.jsonl exists already" in again.stderr
    assert (folder / "d.jsonl").read_bytes() == before
    plain = botopt("replay", "events.jsonl", "--out", "e.jsonl", "--format", "json", cwd=folder)
    assert json.loads(plain.stdout)["outcomes"]["sent"] == 1


def test_filters_choose_what_is_shown_not_what_is_decided(tmp_path):
    folder = workspace(tmp_path)
    only = records(botopt("replay", "events.jsonl", "--format", "json", "--user", "ada", cwd=folder).stdout)
    assert {record["user"] for record in only} == {"ada"}
    late = botopt("replay", "events.jsonl", "--format", "json", "--since", "2026-03-01T10:30:00Z", cwd=folder)
    assert [record["event_id"] for record in records(late.stdout)] == ["e4", "e5"]
    few = botopt("replay", "events.jsonl", "--format", "json", "--limit", "1", cwd=folder)
    assert len(records(few.stdout)) == 1
    assert "shown: 1 of 5 records" in few.stderr
    assert records(botopt("replay", "events.jsonl", "--format", "json", "--type", "paid", cwd=folder).stdout) == []
    wrong = botopt("replay", "events.jsonl", "--type", "payment_faild", cwd=folder)
    assert wrong.returncode == 2
    assert 'did you mean "payment_failed"?' in wrong.stderr


def test_strict_ends_with_7_where_a_line_was_rejected(tmp_path):
    folder = workspace(tmp_path)
    assert botopt("replay", "events.jsonl", "--strict", cwd=folder).returncode == 7
    clean = EVENTS.replace("not json\n", "")
    (folder / "clean.jsonl").write_text(clean)
    assert botopt("replay", "clean.jsonl", "--strict", cwd=folder).returncode == 0


def test_compressed_input_and_standard_input_decide_the_same(tmp_path):
    folder = workspace(tmp_path)
    raw = EVENTS.encode()
    (folder / "e.jsonl.gz").write_bytes(gzip.compress(raw))
    (folder / "e.jsonl.zst").write_bytes(zstandard.compress(raw))
    expected = botopt("replay", "events.jsonl", "--format", "json", cwd=folder).stdout
    for name in ("e.jsonl.gz", "e.jsonl.zst"):
        assert botopt("replay", name, "--format", "json", cwd=folder).stdout == expected
    assert botopt("replay", "-", "--format", "json", cwd=folder, stdin=raw).stdout == expected


def test_damaged_and_missing_inputs_end_with_9(tmp_path):
    folder = workspace(tmp_path)
    (folder / "cut.jsonl.gz").write_bytes(gzip.compress(EVENTS.encode() * 50)[:60])
    for name in ("missing.jsonl", "cut.jsonl.gz", "rules"):
        done = botopt("replay", name, cwd=folder)
        assert done.returncode == 9, (name, done.stderr)
        assert name in done.stderr


def test_a_policy_with_errors_ends_with_3_everywhere(tmp_path):
    folder = workspace(tmp_path, rules=RULES.replace("amount >= 500", "amuont >= 500"))
    done = botopt("validate", cwd=folder)
    assert done.returncode == 3
    assert 'rules/r.yaml:12:27 B203 error: there is no field "amuont"' in done.stdout
    assert "12 |       - {id: large, when: amuont >= 500, score: +0.15}" in done.stdout
    assert f"     | {' ' * 26}^^^^^^\n" in done.stdout
    assert 'fix: did you mean "amount"?' in done.stdout
    [finding] = json.loads(botopt("validate", "--format", "json", cwd=folder).stdout)
    assert list(finding) == "code severity file line column end_line end_column message hint witness".split()
    for command in (("replay", "events.jsonl"), ("render", "hello"), ("explain", "events.jsonl", "--event", "e1")):
        assert botopt(*command, cwd=folder).returncode == 3


def test_usage_errors_end_with_2(tmp_path):
    folder = workspace(tmp_path)
    for args in (
        ("replay",),
        ("nonsense",),
        ("replay", "events.jsonl", "--until", "tomorrow"),
        ("replay", "-", "-"),
        ("render", "helo"),
        ("render", "hello", "--data", "{"),
        ("render", "hello", "--data", '{"amunt": 1}'),
        ("schema", "rulez"),
        ("explain", "events.jsonl"),
        ("explain", "events.jsonl", "--event", "e99"),
    ):
        done = botopt(*args, cwd=folder, stdin=b"")
        assert done.returncode == 2, (args, done.stdout, done.stderr)


def test_state_is_kept_between_runs_and_a_second_replay_decides_nothing(tmp_path):
    folder = workspace(tmp_path)
    first = botopt("replay", "events.jsonl", "--state", "s.db", "--format", "json", cwd=folder)
    assert first.returncode == 0, first.stderr
    second = records(botopt("replay", "events.jsonl", "--state", "s.db", "--format", "json", cwd=folder).stdout)
    assert {record["reason"] for record in second} == {"duplicate", "rejected"}
    shown = botopt("state", "show", "ada", "--state", "s.db", cwd=folder)
    assert "2026-03-01T10:00:00Z" in shown.stdout
    assert "clicked" in shown.stdout
    plain = json.loads(botopt("state", "show", "bob", "--state", "s.db", "--format", "json", cwd=folder).stdout)
    assert plain["held"][0]["event_id"] == "e5"
    assert "bob" in botopt("state", "list", "--held", "--state", "s.db", cwd=folder).stdout
    exported = records(botopt("state", "export", "--state", "s.db", cwd=folder).stdout)
    assert [row["user"] for row in exported] == ["ada", "bob"]
    later = botopt(
        "replay", os.devnull, "--state", "s.db", "--until", "2026-03-03T00:00:00Z", "--format", "json", cwd=folder
    )
    assert [(r["event_id"], r["outcome"], r["time"]) for r in records(later.stdout)] == [
        ("e5", "sent", "2026-03-02T08:00:00Z")
    ]


def test_a_forgotten_user_is_refused_until_they_subscribe(tmp_path):
    folder = workspace(tmp_path)
    botopt("replay", "events.jsonl", "--state", "s.db", cwd=folder)
    assert botopt("state", "forget", "ada", "--yes", "--state", "s.db", cwd=folder).returncode == 0
    (folder / "more.jsonl").write_text(
        '{"id": "n1", "type": "payment_failed", "user": "ada", "time": "2026-03-02T09:00:00Z", "data": {"amount": 9}}\n'
        '{"id": "n2", "type": "user.subscribed", "user": "ada", "time": "2026-03-02T10:00:00Z"}\n'
        '{"id": "n3", "type": "payment_failed", "user": "ada", "time": "2026-03-02T11:00:00Z", "data": {"amount": 9}}\n'
    )
    found = records(botopt("replay", "more.jsonl", "--state", "s.db", "--format", "json", cwd=folder).stdout)
    assert [(r["outcome"], r["by"]) for r in found if r["user"] == "ada"] == [
        ("rejected", "user.deleted"),
        ("sent", None),
    ]


def test_a_longer_window_than_the_state_holds_is_said(tmp_path):
    folder = workspace(tmp_path)
    botopt("replay", "events.jsonl", "--state", "s.db", cwd=folder)
    asks = RULES.replace("when: amount >= 500", "when: \"count('payment_failed', '2h') > 1\"")
    (folder / "rules/r.yaml").write_text(asks)
    done = botopt("replay", "events.jsonl", "--state", "s.db", cwd=folder)
    assert done.returncode == 0
    assert (
        "events of type payment_failed: the policy looks back 2h, the state holds nothing; complete from" in done.stderr
    )


def test_a_state_that_is_refused_ends_with_8_and_a_missing_one_with_9(tmp_path):
    folder = workspace(tmp_path)
    (folder / "text.db").write_text("no database")
    refused = botopt("replay", "events.jsonl", "--state", "text.db", cwd=folder)
    assert refused.returncode == 8
    assert "text.db is not a botopt state" in refused.stderr
    assert (folder / "text.db").read_text() == "no database"
    missing = botopt("state", "list", "--state", "none.db", cwd=folder)
    assert (missing.returncode, missing.stderr) == (9, "botopt: there is no state file none.db\n")


def test_explain_shows_rules_suppressions_and_the_smallest_change(tmp_path):
    folder = workspace(tmp_path)
    stopped = botopt("explain", "events.jsonl", "--event", "e3", cwd=folder).stdout
    assert "suppressed (cooldown) by once" in stopped
    assert "last sent at 2026-03-01T09:00:00Z, for 6h, until 2026-03-01T15:00:00Z" in stopped
    assert "once stops it until 2026-03-01T15:00:00Z: at that time or later" in stopped
    low = botopt("explain", "events.jsonl", "--event", "e4", cwd=folder).stdout
    assert "rule tiny would have to not match: amount < 5 (amount is 2)" in low
    plain = json.loads(botopt("explain", "events.jsonl", "--event", "e4", "--format", "json", cwd=folder).stdout)
    assert plain["decision"]["outcome"] == "below_threshold"
    assert [rule["matched"] for rule in plain["rules"]] == [False, True]


def test_explain_reads_a_record_back(tmp_path):
    folder = workspace(tmp_path)
    botopt("replay", "events.jsonl", "--out", "d.jsonl", cwd=folder)
    from_file = botopt("explain", "d.jsonl", "--event", "e4", cwd=folder)
    assert from_file.returncode == 0
    assert "a score more than 0.1 higher" in from_file.stdout
    line = (folder / "d.jsonl").read_bytes().splitlines(keepends=True)[1]
    piped = botopt("explain", "-", cwd=folder, stdin=line)
    assert "suppressed (cooldown) by once" in piped.stdout
    assert "the same event at 2026-03-01T15:00:00Z" in piped.stdout


def test_explain_of_a_record_says_what_was_learned_and_what_it_cannot_know(tmp_path):
    log = ("--events", tmp_path / "e.jsonl", "--decisions", tmp_path / "d.jsonl")
    few = ("--seeds", 1, "--users", 3, "--days", 8, "--against", "none")
    assert botopt("simulate", "-w", "examples/learning", *few, *log).returncode == 0
    lines = (tmp_path / "d.jsonl").read_text("utf-8").splitlines()
    record = next(one for one in map(json.loads, reversed(lines)) if one["outcome"] == "sent" and one["choices"])
    told = botopt("explain", tmp_path / "d.jsonl", "--event", record["event_id"]).stdout
    assert f"  all users: what was known of them is snapshot {record['snapshot']}\n" in told.partition("Learned\n")[2]
    drawn = record["choices"][-1]
    assert f"of {', '.join(drawn['eligible'])}; drew {drawn['draw']:.6f}".rstrip("0") in told
    assert "  not in the record: what all users did, how many messages this user clicked" in told
    assert f"botopt explain EVENTS --event {record['event_id']}" in told


def test_explain_leaves_the_state_as_it_was(tmp_path):
    folder = workspace(tmp_path)
    botopt("replay", "events.jsonl", "--state", "s.db", cwd=folder)
    before = botopt("state", "export", "--state", "s.db", cwd=folder).stdout
    (folder / "next.jsonl").write_text(
        '{"id": "n1", "type": "payment_failed", "user": "ada", "time": "2026-03-01T12:00:00Z", "data": {"amount": 9}}\n'
    )
    done = botopt("explain", "next.jsonl", "--event", "n1", "--state", "s.db", cwd=folder)
    assert "suppressed (cooldown) by once" in done.stdout
    assert botopt("state", "export", "--state", "s.db", cwd=folder).stdout == before


def test_render_shows_every_wording(tmp_path):
    folder = workspace(tmp_path)
    done = botopt("render", "hello", cwd=folder)
    assert "Your payment of 42 failed." in done.stdout
    assert "Ihre Zahlung von 42 ist fehlgeschlagen." in done.stdout
    other = botopt("render", "hello", "--data", '{"amount": 7.5}', "--locale", "de", cwd=folder).stdout
    assert "Ihre Zahlung von 7.5 ist fehlgeschlagen." in other
    assert "Your payment" not in other


def test_init_writes_a_workspace_that_is_valid_and_never_overwrites(tmp_path):
    for args in ((), ("--minimal",)):
        folder = tmp_path / f"new{len(args)}"
        assert botopt("init", folder, *args).returncode == 0
        assert botopt("validate", "-w", folder).returncode == 0
        assert botopt("replay", "-w", folder, folder / "events.jsonl").returncode == 0
        again = botopt("init", folder, *args)
        assert again.returncode == 9
        assert "nothing was written" in again.stderr


def test_schemas_are_listed_and_printed():
    listed = botopt("schema").stdout.split()
    assert {"rules", "templates", "event", "decision", "finding", "rejected"} <= set(listed)
    for name in listed:
        assert json.loads(botopt("schema", name).stdout)["$schema"].startswith("https://json-schema.org/")


def test_doctor_says_which_network_runs(tmp_path):
    folder = workspace(tmp_path)
    botopt("replay", "events.jsonl", "--state", "s.db", cwd=folder)
    done = botopt("doctor", "--state", "s.db", cwd=folder)
    assert done.returncode == 0, done.stdout
    assert "rules network" in done.stdout
    assert "2 users, 1 held message" in done.stdout
    names = {found["name"] for found in json.loads(botopt("doctor", "--format", "json", cwd=folder).stdout)}
    assert {"botopt", "packages", "rules network", "time zones", "workspace", "networks agree"} <= names


def test_a_closed_pipe_is_no_fault(tmp_path):
    folder = workspace(tmp_path, events=EVENTS * 400)
    command = f"{sys.executable} -m botopt replay events.jsonl --format json | head -1"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, env=env, timeout=60, check=False)
    assert json.loads(done.stdout)["event_id"] == "e1"
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


@pytest.mark.parametrize("command", [["replay", "events.jsonl"], ["validate"], ["--help"], ["why-not", "x", "--help"]])
def test_a_reader_who_leaves_is_no_fault_of_any_command(tmp_path, command):
    folder = workspace(tmp_path, RULES.replace("paid: {}", "paid: {fields: {x: {type: odd}}}"))
    reading, writing = os.pipe()
    os.close(reading)
    args = [sys.executable, "-m", "botopt", *command]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(args, cwd=folder, stdout=writing, stderr=subprocess.PIPE, env=env, timeout=60, check=False)
    os.close(writing)
    assert done.returncode in (0, 3)
    assert b"Exception" not in done.stderr


def _many(folder: Path, lines: int) -> Path:
    path = folder / "many.jsonl"
    with path.open("w") as file:
        for number in range(lines):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_772_000_000 + number))
            file.write(
                f'{{"id": "e{number}", "type": "payment_failed", "user": "u{number % 997}", '
                f'"time": "{at}", "data": {{"amount": {number % 900}}}}}\n'
            )
    return path


def test_ctrl_c_leaves_a_consistent_state(tmp_path):
    folder = workspace(tmp_path)
    _many(folder, 60_000)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    args = [sys.executable, "-m", "botopt", "replay", "many.jsonl", "--state", "s.db", "--out", "d.jsonl"]
    process = subprocess.Popen(args, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not (folder / "d.jsonl").exists() or (folder / "d.jsonl").stat().st_size == 0:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    written = records((folder / "d.jsonl").read_text())
    exported = records(botopt("state", "export", "--state", "s.db", cwd=folder).stdout)
    assert 0 < len(written) < 60_000
    remembered = sum(row["remembered"]["identities"] for row in exported)
    assert remembered == len(written)
    rest = botopt("replay", "many.jsonl", "--state", "s.db", "--format", "json", cwd=folder).stdout.splitlines()
    repeated = sum('"reason":"duplicate"' in line for line in rest)
    assert repeated == len(written)
