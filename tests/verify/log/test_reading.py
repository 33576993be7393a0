"""Reading logs: records and events from files of all kinds and state files, each message paired with its answer."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botopt.engine.hashes import decision_id
from botopt.model.decision import Decision, Outcome
from botopt.model.errors import InputError
from botopt.model.live import Changes, DecisionRow
from botopt.model.record import encode_line
from botopt.model.user_state import Response
from botopt.state.opening import open_live
from botopt.verify.log import Log, read_log
from tests.engine.support import DAY, HOUR, MINUTE, MONDAY, Wire, Workspace, at, base, cloud, ev

NINE = at("09:00")


def write(path: Path, lines: Iterable[Decision | Wire | bytes]) -> Path:
    texts = (
        encode_line(one) if isinstance(one, Decision) else one + b"\n" if isinstance(one, bytes) else dumped(one)
        for one in lines
    )
    path.write_bytes(b"".join(texts))
    return path


def dumped(event: Wire) -> bytes:
    return json.dumps(event).encode() + b"\n"


def sent(user: str = "ada", time: str | int = "09:00") -> Decision:
    (decision,) = Workspace(base()).run(ev("a", user, time))
    assert decision.outcome is Outcome.SENT
    return decision


def read(folder: Path, *lines: Decision | Wire | bytes, **options: int) -> Log:
    return read_log([write(folder / "log.jsonl", lines)], **options)


def answers(log: Log) -> list[tuple[str, str | None]]:
    """`clicked 5`: how many minutes after the message."""
    found: list[tuple[str, str | None]] = []
    for one in log.decisions:
        text = None if one.response is None else one.response.name.lower()
        if one.response_us is not None and one.decision.time_us is not None:
            text = f"{text} {(one.response_us - one.decision.time_us) // MINUTE}"
        found.append((one.decision.user or "", text))
    return found


def feedback(kind: str, decision: Decision, minutes: float, **data: object) -> Wire:
    assert decision.time_us is not None
    named = {"message_id": decision.id} | data
    return ev(f"message.{kind}", decision.user or "", decision.time_us + int(minutes * MINUTE), **named)


def test_a_click_is_paired_by_the_id_of_the_message(tmp_path):
    one, other = sent(time="09:00"), sent(time="09:10")
    log = read(tmp_path, one, other, feedback("clicked", one, 30))
    assert answers(log) == [("ada", "clicked 30"), ("ada", "pending")]


def test_feedback_without_an_id_is_about_the_latest_message_that_did_not_fail(tmp_path):
    one, other = sent(time="09:00"), sent(time="09:10")
    log = read(tmp_path, one, other, feedback("failed", other, 1), ev("message.clicked", "ada", "09:20"))
    assert answers(log) == [("ada", "clicked 20"), ("ada", "failed 1")]


@pytest.mark.parametrize(
    ("minutes", "answer"),
    [(30 * 24 * 60 - 1, f"clicked {30 * 24 * 60 - 1}"), (30 * 24 * 60, f"ignored {24 * 60}")],
)
def test_a_click_counts_within_30_days(tmp_path, minutes, answer):
    message = sent()
    log = read(tmp_path, message, feedback("clicked", message, minutes))
    assert answers(log) == [("ada", answer)]


def test_a_late_click_is_worded_as_a_problem(tmp_path):
    message = sent()
    log = read(tmp_path, message, feedback("clicked", message, 31 * 24 * 60, id="late"))
    (problem,) = log.problems
    assert (problem.words, problem.count) == ("feedback that came 30 days after its message, or later", 1)


def test_a_conversion_is_a_click_that_converted(tmp_path):
    message = sent()
    (logged,) = read(tmp_path, message, feedback("converted", message, 5), feedback("clicked", message, 9)).decisions
    assert (logged.response, logged.converted) == (Response.CLICKED, True)
    assert logged.response_us == NINE + 5 * MINUTE


def test_a_failed_message_never_happened_even_if_it_was_clicked(tmp_path):
    message = sent()
    log = read(tmp_path, message, feedback("clicked", message, 2), feedback("failed", message, 3))
    assert answers(log) == [("ada", "failed 3")]


def test_a_failure_that_another_channel_made_good_changes_nothing(tmp_path):
    message = sent()
    log = read(tmp_path, message, feedback("failed", message, 3, handed_over=True), feedback("clicked", message, 9))
    assert answers(log) == [("ada", "clicked 9")]


def test_a_dismissal_counts_only_before_the_message_is_ignored(tmp_path):
    one, other = sent(time="09:00"), sent(time="09:10")
    dismissed = [feedback("dismissed", one, 24 * 60 - 1), feedback("dismissed", other, 24 * 60)]
    assert answers(read(tmp_path, one, other, *dismissed)) == [("ada", "dismissed 1439"), ("ada", "ignored 1440")]


def test_a_message_is_ignored_when_the_newest_time_of_the_log_says_so(tmp_path):
    message = sent()
    for later, answer in (("+1 08:59", "pending"), ("+1 09:00", "ignored 1440")):
        log = read(tmp_path, message, ev("paid", "bob", later))
        assert (answers(log), log.until_us) == ([("ada", answer)], at(later))
    assert answers(read(tmp_path, message, ev("paid", "bob", "11:00"), ignored_after_us=2 * HOUR)) == [
        ("ada", "ignored 120")
    ]


def test_what_was_not_sent_has_no_answer(tmp_path):
    (below,) = Workspace(base(rules="[{id: low, when: n == 0, score: -0.5}]")).run(ev("a", "ada", "09:00"))
    assert answers(read(tmp_path, below, ev("message.clicked", "ada", "09:01"))) == [("ada", None)]


def test_feedback_of_somebody_else_is_not_believed(tmp_path):
    message = sent()
    log = read(tmp_path, message, ev("message.clicked", "eve", "09:05", id="c9", message_id=message.id))
    assert answers(log) == [("ada", "pending")]
    assert log.problems[0].first == "event c9 of eve"


def test_a_log_that_is_read_twice_counts_once(tmp_path):
    message, click = sent(), feedback("clicked", sent(), 5)
    path = write(tmp_path / "a.jsonl", [message, click, click])
    log = read_log([path, path, write(tmp_path / "b.jsonl", [click, message])])
    assert (len(log.decisions), len(log.events)) == (1, 1)
    assert log == read_log([path])


def test_order_of_lines_and_files_does_not_matter(tmp_path):
    messages = [sent(user, time) for user, time in (("eve", "09:10"), ("ada", "09:00"), ("bob", "09:00"))]
    events = [feedback("clicked", messages[0], 3), ev("user.active", "ada", "08:00")]
    log = read_log([write(tmp_path / "a", [events[0], *messages]), write(tmp_path / "b", [events[1]])])
    assert log == read_log([write(tmp_path / "c", [*reversed(messages), events[1], events[0]])])
    assert [one.decision.time_us for one in log.decisions] == [NINE, NINE, NINE + 10 * MINUTE]
    assert [event.type for event in log.events] == ["user.active", "message.clicked"]


def test_compressed_files_and_cloudevents_are_read(tmp_path):
    message = sent()
    click = cloud("message.clicked", "ada", "09:07", id="c1", source="/chat", message_id=message.id)
    (tmp_path / "d.jsonl.gz").write_bytes(gzip.compress(encode_line(message)))
    (tmp_path / "e.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(dumped(click)))
    log = read_log([tmp_path / "d.jsonl.gz", tmp_path / "e.jsonl.zst"])
    assert answers(log) == [("ada", "clicked 7")]
    assert log.events[0].source == "/chat"


def test_bad_lines_are_counted_and_worded(tmp_path):
    bad = (b"not json", b"[1]", b"\xff\xfe", b'{"id": "x"}', b'{"id": "x", "type": "a", "user": "u"}', b"[" * 5_000)
    wrong = (b'{"id": "x", "outcome": "posted"}', b'{"id": 7, "outcome": "sent"}', b"x" * (1 << 20) + b"yz", b"", b"  ")
    log = read(tmp_path, *bad, sent(), *wrong)
    assert {problem.words: problem.count for problem in log.problems} == {
        "no JSON": 2,
        "no JSON object": 2,
        "neither a decision record nor an event": 1,
        "an event without a readable id, user (a CloudEvent: subject) or time": 1,
        "a decision record that is not complete, or that another version of botopt wrote": 2,
        "longer than 1 MiB": 1,
    }
    assert log.problems[0].first == f"{tmp_path}/log.jsonl, line 8"
    assert len(log.decisions) == 1


@given(st.lists(st.one_of(st.binary(max_size=30), st.text(max_size=30).map(str.encode)), max_size=8))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_break_it(tmp_path, lines):
    read(tmp_path, *lines)


def test_an_empty_log_is_a_log(tmp_path):
    assert read(tmp_path) == Log((), (), (), None) == read_log([])


def test_a_file_that_is_missing_is_an_error(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_log([tmp_path / "none.jsonl"])


def test_words_are_kept_only_on_demand(tmp_path):
    message = sent()
    path = write(tmp_path / "d", [message])
    assert [one.decision.message.text for one in read_log([path]).decisions if one.decision.message] == [""]
    assert [one.decision for one in read_log([path], texts=True).decisions] == [message]


def test_data_is_kept_of_reserved_types_and_on_demand_of_all(tmp_path):
    path = write(
        tmp_path / "d", [ev("a", "ada", "09:00", n=7), ev("user.unsubscribed", "ada", "09:01", category="ads")]
    )
    assert [event.data for event in read_log([path]).events] == [{}, {"category": "ads"}]
    assert [event.data for event in read_log([path], data=True).events] == [{"n": 7}, {"category": "ads"}]


def state_of(workspace: Workspace, decisions: Sequence[Decision], path: Path) -> Path:
    """A state file as the live service leaves it."""
    rows = [
        DecisionRow(
            one.id,
            one.user,
            one.event_id,
            one.event_type,
            one.time_us,
            one.outcome.value,
            None if one.reason is None else one.reason.value,
            encode_line(one),
            one.time_us or 0,
        )
        for one in decisions
    ]
    with open_live(path) as store:
        store.commit_changes(Changes(users=list(workspace.store.users()), decisions=rows))
    return path


def test_a_state_file_has_decisions_and_their_answers(tmp_path):
    workspace = Workspace(base())
    first = workspace.run(ev("a", "ada", "09:00"), ev("a", "bob", "09:00"))
    later = workspace.run(ev("message.clicked", "ada", "09:04"), ev("a", "bob", "+2 09:00"))
    log = read_log([state_of(workspace, [*first, *later], tmp_path / "state.db")])
    assert sorted(answers(log)) == [("ada", "clicked 4"), ("bob", "ignored 1440"), ("bob", "pending")]


def test_a_state_file_and_its_own_events_agree(tmp_path):
    workspace = Workspace(base())
    click = ev("message.failed", "ada", "09:04")
    decisions = workspace.run(ev("a", "ada", "09:00"), click)
    log = read_log([state_of(workspace, decisions, tmp_path / "state.db"), write(tmp_path / "e", [click])])
    assert (answers(log), log.problems) == ([("ada", "failed 4")], ())


def test_an_answer_that_the_state_has_forgotten_is_not_taken_for_silence(tmp_path):
    workspace, message = Workspace(base()), sent(time=MONDAY - 90 * DAY)
    workspace.run(ev("a", "bob", "09:00"))
    log = read_log([state_of(workspace, [message], tmp_path / "state.db")])
    assert answers(log) == [("ada", None)]


KINDS = ("a", "b", "clicked", "converted", "dismissed", "failed")
STEPS = st.tuples(
    st.sampled_from(KINDS),
    st.sampled_from(["ada", "bob"]),
    st.integers(0, 20 * 60),
    st.sampled_from(["id", "type", ""]),
)


@given(st.lists(STEPS, max_size=25), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_log_pairs_as_the_engine_did(tmp_path, steps, random):
    now_us, wires = MONDAY, list[Wire]()
    ids: dict[str, list[str]] = {"ada": [], "bob": []}
    for number, (kind, user, minutes, named) in enumerate(steps):
        now_us += (minutes + 1) * MINUTE
        id = f"e{number}"
        if kind in ("a", "b"):
            wires.append(ev(kind, user, now_us, id=id))
            ids[user].append(decision_id(f"{user}\0\0{id}", 0, now_us).hex())
            continue
        data: dict[str, object] = {"event_type": random.choice("ab")} if named == "type" else {}
        if named == "id" and ids[user]:
            data = {"message_id": random.choice(ids[user])}
        wires.append(ev(f"message.{kind}", user, now_us, id=id, **data))
    workspace = Workspace(base())
    decisions = workspace.run(*wires)
    log = read_log([write(tmp_path / "d", decisions), write(tmp_path / "e", wires)])
    silent = (Response.PENDING, Response.IGNORED)
    found = {
        one.decision.id: (one.response, one.response_us) if one.response not in silent else None
        for one in log.decisions
        if one.response is not None
    }
    kept = {
        send.id.hex(): (send.response, send.response_us) if send.response not in silent else None
        for user in workspace.packed()
        for send in workspace.state(user).sends
    }
    assert found == kept
