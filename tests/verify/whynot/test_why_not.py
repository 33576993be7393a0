"""Why not: counts against a plain count, the nearest miss against all misses, and the log in all its forms."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import zstandard

from botopt.model.decision import Outcome, Part, Reason
from botopt.model.errors import UsageError
from botopt.model.policy import Policy
from botopt.model.record import encode_line
from botopt.verify.api import replay
from botopt.verify.validate import load
from botopt.verify.whynot.asking import why_not
from botopt.verify.whynot.closing import closing
from botopt.verify.whynot.log import Log
from botopt.verify.whynot.model import Answer, Cause, Closing, Miss
from tests.cli.running import ROOT

MINUTE, HOUR = 60_000_000, 3_600_000_000


def record(**changes: object) -> dict[str, object]:
    """A record of a sent message at nine, with some keys changed."""
    usual: dict[str, object] = {
        "id": "d1",
        "event_id": "e1",
        "event_type": "sale",
        "user": "ada",
        "time": "2026-03-01T09:00:00Z",
        "line": None,
        "outcome": "sent",
        "reason": None,
        "by": None,
        "detail": None,
        "until": None,
        "score": 0.7,
        "threshold": 0.6,
        "parts": [],
        "cause": None,
        "choices": [],
        "message": None,
        "revision": "r1",
    }
    assert changes.keys() <= usual.keys()
    return usual | changes


def test_a_message_that_is_held_twice_is_counted_once(tmp_path):
    held = {"outcome": "held", "reason": "quiet_hours", "by": "night", "until": "2026-03-01T12:00:00Z"}
    again = held | {"time": "2026-03-01T12:00:00Z", "until": "2026-03-01T13:00:00Z"}
    answer = ask(tmp_path, [record(**held), record(**again), record(time="2026-03-01T13:00:00Z")])
    assert answer.held is not None
    assert (answer.held.count, answer.held.later, answer.events) == (1, {"sent": 1}, 1)


def suppressed(reason: str, **changes: object) -> dict[str, object]:
    return record(outcome="suppressed", reason=reason, **changes)


def ask(folder: Path, records: list[dict[str, object]], event_type: str = "sale", **options: object) -> Answer:
    path = folder / "log.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in records), "utf-8")
    with Log([str(path)]) as log:
        return why_not(log, event_type, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def starter() -> Policy:
    return load(ROOT)


@pytest.fixture(scope="module")
def decisions(starter):
    lines = (ROOT / "examples" / "events.jsonl").read_bytes().splitlines()
    return list(replay(starter, lines))


@pytest.fixture(scope="module")
def log_file(decisions, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("log") / "decisions.jsonl"
    path.write_bytes(b"".join(map(encode_line, decisions)))
    return path


def last_words(decisions, event_type: str) -> Counter[Reason | None]:
    """The reason of the last decision about each event, counted the slow way."""
    last: dict[object, Reason | None] = {}
    for number, one in enumerate(decisions):
        if one.event_type == event_type:
            alone = one.reason in (Reason.DUPLICATE, Reason.REJECTED)
            last[number if alone else (one.user, one.event_id)] = one.reason
    return Counter(last.values())


def test_every_event_is_counted_once_with_its_last_decision(decisions, log_file):
    types = {one.event_type for one in decisions if one.event_type is not None}
    assert len(types) > 15
    for event_type in types:
        with Log([str(log_file)]) as log:
            answer = why_not(log, event_type)
        expected = last_words(decisions, event_type)
        assert answer.sent == expected.pop(None, 0)
        assert {one.reason: one.count for one in answer.reasons} == dict(expected)
        assert answer.events == answer.sent + sum(one.count for one in answer.reasons)
        assert answer.records == len(decisions)
        for one in answer.reasons:
            assert sum(by.count for by in one.by) == one.count


def test_the_nearest_miss_is_nearer_than_all_others(decisions, log_file):
    for event_type in {one.event_type for one in decisions if one.event_type is not None}:
        with Log([str(log_file)]) as log:
            answer = why_not(log, event_type)
        ours = [one for one in decisions if one.event_type == event_type]
        for one in answer.reasons:
            same = [other for other in ours if other.reason is one.reason and other.outcome is not Outcome.HELD]
            if one.nearest.gap is not None:
                assert one.nearest.gap == min(round(o.threshold - o.score, 6) for o in same)
            elif one.nearest.left_us is not None and one.reason is not Reason.QUIET_HOURS:
                assert one.nearest.left_us == min(o.until_us - o.time_us for o in same if o.until_us is not None)


def test_a_cause_is_named_by_its_event(decisions, log_file):
    with Log([str(log_file)]) as log:
        answer = why_not(log, "payment_failed")
    by_id = {one.id: one for one in decisions}
    causes = [one.nearest.cause for one in answer.reasons if one.nearest.cause is not None]
    known = [cause for cause in causes if cause.event_type is not None]
    assert known
    for cause in known:
        sent = by_id[cause.id]
        assert (cause.event_type, cause.event_id, cause.time_us) == (sent.event_type, sent.event_id, sent.time_us)


def test_a_held_message_counts_with_what_became_of_it(tmp_path):
    def held(number: int, **changes: object) -> dict[str, object]:
        at = {"time": "2026-03-01T22:00:00Z", "until": "2026-03-02T08:00:00Z"} | changes
        return record(event_id=f"e{number}", outcome="held", reason="quiet_hours", by="night", **at)

    answer = ask(
        tmp_path,
        [
            held(1),
            held(2),
            held(3, time="2026-03-01T23:30:00Z"),
            suppressed("duplicate", event_id="e1", time="2026-03-01T22:05:00Z"),
            record(event_id="e1", time="2026-03-02T08:00:00Z"),
            suppressed("expired", event_id="e2", time="2026-03-02T08:00:00Z"),
        ],
    )
    assert (answer.events, answer.sent) == (4, 1)
    assert {one.reason.value: one.count for one in answer.reasons} == {"duplicate": 1, "expired": 1, "quiet_hours": 1}
    held_count = answer.held
    assert held_count is not None
    assert (held_count.count, held_count.waiting, dict(held_count.later)) == (3, 1, {"expired": 1, "sent": 1})
    assert (held_count.shortest.event_id, held_count.shortest.left_us) == ("e3", 8 * HOUR + 30 * MINUTE)
    [expired] = [one for one in answer.reasons if one.reason is Reason.EXPIRED]
    assert expired.nearest.waited_us == 10 * HOUR


def test_bounds_are_half_open_and_only_for_this_user(tmp_path):
    hours = [record(event_id=f"e{hour}", time=f"2026-03-01T{hour:02}:00:00Z") for hour in range(5)]
    others = [record(user="bob", time="2026-03-01T02:00:00Z")]
    at = 1_772_323_200_000_000  # 2026-03-01
    answer = ask(tmp_path, hours + others, user="ada", since_us=at + HOUR, until_us=at + 3 * HOUR)
    assert (answer.events, answer.first_us, answer.last_us) == (2, at + HOUR, at + 2 * HOUR)
    assert ask(tmp_path, hours, user="eve").events == 0


def test_the_soonest_end_is_nearest_and_no_end_is_farthest(tmp_path):
    answer = ask(
        tmp_path,
        [
            suppressed("muted", event_id="e1", by="always"),
            suppressed("muted", event_id="e2", by="tired", until="2026-03-01T11:00:00Z", cause="c1"),
            suppressed("muted", event_id="e3", by="tired", until="2026-03-01T10:00:00Z", cause="c2"),
            suppressed("muted", event_id="e4", by="always"),
        ],
    )
    [muted] = answer.reasons
    assert [(one.by, one.count) for one in muted.by] == [("always", 2), ("tired", 2)]
    assert (muted.nearest.event_id, muted.nearest.left_us, muted.nearest.cause) == ("e3", HOUR, Cause("c2"))


def test_where_nothing_measures_it_the_newest_is_shown(tmp_path):
    times = ("09", "11", "10")
    records = [suppressed("holdout", event_id=at, time=f"2026-03-01T{at}:00:00Z") for at in times]
    [holdout] = ask(tmp_path, records).reasons
    assert (holdout.nearest.event_id, holdout.nearest.measured) == ("11", False)


def test_rejected_lines_are_told_apart_without_their_particulars(tmp_path):
    def rejected(detail: str, by: str | None) -> dict[str, object]:
        return record(outcome="rejected", reason="rejected", by=by, detail=detail, line=3, score=None, threshold=None)

    lines = [rejected(f"a field has a wrong value: amount must be at least 0, not -{n}", "amount") for n in range(3)]
    [one] = ask(tmp_path, [*lines, rejected("a text is broken: x", "note")]).reasons
    assert [(by.by, by.detail, by.count) for by in one.by] == [
        ("amount", "a field has a wrong value", 3),
        ("note", "a text is broken", 1),
    ]


PARTS = (Part("base", None, 0.5), Part("rule", "tiny", -0.2), Part("engagement", None, 0.9))


@pytest.mark.parametrize(
    ("parts", "threshold", "expected"),
    [
        ((*PARTS, Part("fatigue", None, 0.0)), 0.44, Closing("rule", "tiny", True, -0.2)),
        ((*PARTS, Part("fatigue", None, 0.05)), 0.31, Closing("fatigue", threshold=0.05)),
        ((*PARTS, Part("fatigue", None, 0.0)), 0.29, Closing("engagement", score=0.9)),
        ((*PARTS, Part("pacing", None, 0.05)), 0.31, Closing("pacing", threshold=0.05)),
        ((*PARTS, Part("pacing", None, -0.05)), 0.29, Closing("engagement", score=0.9)),
        ((*PARTS, Part("fatigue", None, 0.0)), 0.9, None),
        ((*PARTS[:2], Part("threshold", "tiny", 0.1)), 0.4, Closing("rule", "tiny", True, -0.2, 0.1)),
        ((*PARTS, Part("fatigue", None, 0.1)), 0.37, Closing("rule", "tiny", True, -0.2)),  # 0.27 is not more than 0.27
    ],
)
def test_the_smallest_part_that_closes_the_gap_is_named(parts, threshold, expected):
    score = 0.3 if len(parts) == 3 else 0.27
    miss = Miss("d", "e", "u", 0, score=score, threshold=threshold, gap=threshold - score, parts=parts)
    assert closing(miss, None) == expected


def test_a_rule_that_did_not_match_is_named_where_the_policy_is_known(starter, decisions, log_file):
    with Log([str(log_file)]) as log:
        answer = why_not(log, "payment_failed", policy=starter)
    [below] = [one for one in answer.reasons if one.reason is Reason.BELOW_THRESHOLD]
    near = below.nearest.closing
    assert near is not None
    assert not near.matched
    rule = next(one for one in starter.events["payment_failed"].rules if one.id == near.id)
    raw = sum(part.value for part in below.nearest.parts if part.part in ("base", "rule")) + (rule.score or 0)
    factor = next(part.value for part in below.nearest.parts if part.part == "engagement")
    assert raw * factor > below.nearest.threshold + (rule.threshold or 0)
    other = msgspec.structs.replace(starter, revision="another")
    with Log([str(log_file)]) as log:
        [below] = [one for one in why_not(log, "payment_failed", policy=other).reasons if one.nearest.gap is not None]
    assert below.nearest.closing is None or below.nearest.closing.matched


def test_packed_files_and_several_are_one_log(log_file, tmp_path):
    lines = log_file.read_bytes().splitlines(keepends=True)
    first, second = b"".join(lines[:100]), b"".join(lines[100:])
    (tmp_path / "a.gz").write_bytes(gzip.compress(first))
    (tmp_path / "b.zst").write_bytes(zstandard.compress(second))
    with Log([str(log_file)]) as whole, Log([str(tmp_path / "a.gz"), str(tmp_path / "b.zst")]) as parts:
        assert why_not(parts, "payment_failed") == why_not(whole, "payment_failed")
        assert parts.newest_us() == whole.newest_us()


def test_the_newest_time_is_the_newest(tmp_path, decisions, log_file):
    with Log([str(log_file)]) as log:
        assert log.newest_us() == max(one.time_us for one in decisions if one.time_us is not None)
    path = tmp_path / "log"
    path.write_text(
        "".join(json.dumps(record(time=f"2026-03-01T09:00:00{end}")) + "\n" for end in ("Z", ".5Z", ".25Z"))
    )
    with Log([str(path)]) as log:
        assert log.newest_us() == 1_772_355_600_500_000


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '{"id": "e1", "type": "sale", "user": "ada", "time": "2026-03-01T09:00:00Z"}',
            "line 1: an event, and a decis",
        ),
        ("nonsense", "line 1: no decision record"),
        ('{"id": "d1"}', "line 1: no decision record"),
        (json.dumps(record(reason="moonlight")), "line 1: no decision record"),
        (json.dumps(record(time="noon")), "line 1: no decision record"),
        (json.dumps(record(outcome="suppressed", reason="muted", until="2026")), "line 1: no decision record"),
        ('{"id": "\udcff"', "line 1: no decision record"),
        ("[" * 100_000, "line 1: no decision record"),
        ("", "the log holds no records"),
        (json.dumps(record(event_type="sales")), 'did you mean "sales"?'),
        (json.dumps(record(event_type="parcel")), "there are parcel"),
    ],
)
def test_mistakes_are_answered_in_words(tmp_path, line, said):
    path = tmp_path / "log.jsonl"
    path.write_bytes(line.encode("utf-8", "surrogateescape") + b"\n")
    with Log([str(path)]) as log, pytest.raises(UsageError) as fault:
        why_not(log, "sale")
    assert said in str(fault.value)


def test_a_type_without_a_message_is_explained(starter, log_file):
    with Log([str(log_file)]) as log, pytest.raises(UsageError) as fault:
        why_not(log, "parcel_delivered", policy=starter)
    assert "has no message (rules/delivery.yaml:4:3)" in str(fault.value)
