"""The whole service over a state file, with its threads."""

from __future__ import annotations

import threading
import time
from concurrent.futures import wait
from pathlib import Path

import msgspec
import pytest

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.loading.policy import load_policy
from botopt.model.decision import Outcome
from botopt.model.delivery import Feedback
from botopt.model.diagnostic import Diagnostic, Severity
from botopt.model.errors import StateLocked
from botopt.model.live import DecisionQuery, OutboxStatus
from botopt.model.position import Position
from botopt.model.silence import Silence
from botopt.runtime.items import Overloaded, Stopping
from botopt.runtime.reload import Loaded
from botopt.runtime.service import Listeners, Service
from botopt.state.opening import open_control, open_live, open_reader
from tests.engine.support import TEMPLATES, base
from tests.runtime.making import HOUR, NOON, Clock, event, policy_of, write_policy

WAIT_S = 30.0


class Running:
    def __init__(self, folder: Path, rules: str = "", **more: object) -> None:
        self.path = folder / "state.db"
        self.clock = Clock()
        self.decided: list[object] = []
        self.faults: list[tuple[str, BaseException]] = []
        self.outbox: list[frozenset[str] | None] = []
        self.policies: list[object] = []
        self.news = threading.Event()
        listeners = Listeners(
            decided=self.decided.extend,
            outbox=self.woken,
            policy=lambda what, notices: self.policies.append((what, notices)),
            failed=lambda words, fault: self.faults.append((words, fault)),
        )
        self.service = Service(
            lambda: open_live(self.path, patience_s=0.0),
            lambda: open_reader(self.path),
            policy_of(base(rules)),
            clock=self.clock,
            listeners=listeners,
            **more,
        )

    def woken(self, channels: frozenset[str] | None) -> None:
        self.outbox.append(channels)
        self.news.set()

    def __enter__(self):
        self.service.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.service.stop(WAIT_S)
        assert not self.faults

    def receive(self, *events, **more):
        return self.service.receive(events, received_us=self.clock(), **more).result(WAIT_S)

    def until(self, true) -> None:
        end = time.monotonic() + WAIT_S
        while not true():
            assert time.monotonic() < end, "it never came to be"
            self.news.wait(0.05)


def test_events_in_messages_out_and_all_of_it_is_there_after_a_restart(tmp_path) -> None:
    with Running(tmp_path) as running:
        (received,) = running.receive(event("e1"))
        (claimed,) = running.service.claim("chat", 10).result(WAIT_S)
        assert claimed.row.key == received.decisions[0].id
        running.service.conclude([msgspec.structs.replace(claimed.row, status=OutboxStatus.DELIVERED)]).result(WAIT_S)
        running.receive(event("e2", "b"))
        running.service.claim("chat", 10).result(WAIT_S)
        assert running.outbox == [frozenset({"chat"})] * 2
    with Running(tmp_path) as running:
        assert [row.parcel for row in running.service.unfinished()]
        assert running.service.claim("chat", 10).result(WAIT_S) == []
        assert [row.event_id for row in running.service.decisions(DecisionQuery())] == ["e2", "e1"]
        assert running.receive(event("e1"))[0].decisions[0].reason == "duplicate"
        assert running.service.decision(received.decisions[0].id).outcome == "sent"


def test_an_event_in_the_night_of_a_jumping_clock_is_decided_at_the_user_s_time(tmp_path) -> None:
    with Running(tmp_path) as running:
        assert running.receive(event("e1"))[0].decisions[0].time_us == NOON
        running.clock.now_us = NOON - HOUR
        assert running.receive(event("e2", "b", time_us=NOON - HOUR))[0].decisions[0].time_us == NOON
        running.clock.now_us = NOON + HOUR
        assert running.receive(event("e3", "b", time_us=NOON + HOUR))[0].decisions[0].time_us == NOON + HOUR


def test_two_services_do_not_share_a_state(tmp_path) -> None:
    with Running(tmp_path) as first:
        with pytest.raises(StateLocked, match=r"state.db is in use: process \d+ on .* writes to it since"):
            Running(tmp_path).service.start()
        assert first.receive(event("e1"))[0].accepted
    with Running(tmp_path) as second:
        assert second.receive(event("e2"))[0].accepted


def test_a_held_message_is_released_by_an_idle_service(tmp_path) -> None:
    with Running(tmp_path, '{id: night, quiet_hours: {from: "11:00", to: "13:00"}}') as running:
        running.receive(event("e1"))
        assert running.service.status().held == 1
        running.clock.now_us = NOON + HOUR
        running.until(lambda: running.outbox)
        assert running.service.status().held == 0


def test_an_administrator_s_silence_counts_while_the_service_runs(tmp_path) -> None:
    with Running(tmp_path) as running:
        running.receive(event("e1"))
        control = open_control(running.path)
        control.add_silence(Silence("s1", ("b",), NOON, NOON + HOUR, "an outage", "me"))
        assert running.receive(event("e2", "b"))[0].decisions[0].reason == "silenced"
        assert [one.id for one in running.service.status().silences] == ["s1"]
        control.end_silence("s1", NOON, "me")
        control.close()
        assert running.receive(event("e3", "b"))[0].decisions[0].outcome is Outcome.SENT


def test_what_an_administrator_wants_tried_again_wakes_delivery(tmp_path) -> None:
    with Running(tmp_path) as running:
        (received,) = running.receive(event("e1"))
        (claimed,) = running.service.claim("chat", 10).result(WAIT_S)
        running.service.conclude([msgspec.structs.replace(claimed.row, status=OutboxStatus.DEAD)]).result(WAIT_S)
        assert running.service.status().outbox == {("chat", "dead"): 1}
        running.outbox.clear()
        control = open_control(running.path)
        assert control.retry_outbox([received.decisions[0].id], NOON, "me") == 1
        control.close()
        running.until(lambda: None in running.outbox)
        assert len(running.service.claim("chat", 10).result(WAIT_S)) == 1


def test_many_threads_are_served_and_each_user_s_events_stay_in_order(tmp_path) -> None:
    with Running(tmp_path, "{id: often, cooldown: 1h}") as running:
        futures: dict[int, list[object]] = {number: [] for number in range(4)}

        def client(number: int) -> None:
            for place in range(50):
                one = event(f"e{place}", user=f"u{number}")
                futures[number].append(running.service.receive([one], received_us=NOON))

        threads = [threading.Thread(target=client, args=(number,)) for number in futures]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_S)
        everything = [future for some in futures.values() for future in some]
        assert not wait(everything, WAIT_S).not_done
        for number, some in futures.items():
            outcomes = [future.result(0)[0].decisions[0].outcome.value for future in some]
            assert outcomes == ["sent"] + ["suppressed"] * 49
            rows = running.service.decisions(DecisionQuery(user=f"u{number}"))
            assert [row.event_id for row in reversed(rows)] == [f"e{place}" for place in range(50)]
        running.until(lambda: len(running.decided) == 200)


def test_the_policy_is_swapped_under_load_and_no_event_is_lost(tmp_path) -> None:
    texts = [TEMPLATES.replace("Hello", f"Hello {number}") for number in range(6)]
    wanted = 0
    with Running(tmp_path, loader=lambda: Loaded(policy_of(base(), texts[wanted]))) as running:
        service, futures, over = running.service, [], threading.Event()

        def load() -> None:
            number = 0
            while not over.is_set():
                policy = service.policy
                one = event(f"e{number}", user=f"u{number}")
                try:
                    futures.append(service.receive([one], received_us=NOON, read_by=policy.revision))
                except Overloaded:
                    time.sleep(0)
                    continue
                number += 1

        thread = threading.Thread(target=load)
        thread.start()
        for wanted in range(1, 6):
            before = len(futures)
            assert service.reload_now() is None
            assert service.policy.revision == policy_of(base(), texts[wanted]).revision
            running.until(lambda before=before: len(futures) > before)
        over.set()
        thread.join(WAIT_S)
        received = [future.result(WAIT_S)[0] for future in futures]
        said = [one.decisions[0].message.text for one in received]
        assert said == sorted(said)  # one policy after the other
        assert set(said) == {"Hello", *(f"Hello {number}" for number in range(1, 6))}
        assert len(running.policies) == 5
        decided = service.decisions(DecisionQuery(limit=len(futures) + 1))
        assert len(decided) == len(futures)


def test_a_file_that_changes_is_decided_by_soon(tmp_path) -> None:
    folder = tmp_path / "workspace"
    write_policy(folder, base())

    def loader() -> Loaded:
        found = load_policy(folder, channel_types=CHANNEL_TYPES)
        return Loaded(found.policy, found.diagnostics)

    with Running(tmp_path, loader=loader, workspace=folder) as running:
        (folder / "templates" / "all.yaml").write_text(TEMPLATES.replace("Hello", "Good day"))
        running.until(lambda: running.policies)
        assert running.receive(event("e1"))[0].decisions[0].message.text == "Good day"
        (folder / "templates" / "all.yaml").write_text(TEMPLATES)
        running.service.ask_reload()
        running.until(lambda: len(running.policies) > 1)
        assert running.receive(event("e2", "b"))[0].decisions[0].message.text == "Hello"


def test_a_listener_of_the_policy_that_raises_changes_nothing(tmp_path) -> None:
    with Running(tmp_path, loader=lambda: Loaded(policy_of(base("{id: often, cooldown: 1h}")))) as running:
        listeners = Listeners(policy=lambda *_: 1 / 0, failed=lambda words, _: running.policies.append(words))
        running.service._listeners = listeners
        assert running.service.reload_now() is None
        assert running.policies == ["a listener of the policy failed"]
        assert running.receive(event("e1"))[0].decisions[0].revision == running.service.policy.revision


def test_feedback_and_the_next_time_of_a_channel_go_through_the_service(tmp_path) -> None:
    with Running(tmp_path) as running:
        (received,) = running.receive(event("e1"))
        assert running.service.next_us("chat") == NOON
        assert running.service.next_us("sms") is None
        told = Feedback(type="message.clicked", event_id="c1", message_id=received.decisions[0].id)
        assert running.service.feedback("chat", [told], NOON).result(WAIT_S)[0].accepted
        with running.service.reader() as reader:
            assert reader.decision(received.decisions[0].id).user == "ada"


def test_a_state_that_cannot_be_opened_is_let_go_of(tmp_path) -> None:
    running = Running(tmp_path)
    store = open_live(running.path)
    store.meta = lambda: {"newest_event_us": "no number"}
    running.service._open_live = lambda: store
    with pytest.raises(ValueError, match="no number"):
        running.service.start()
    with Running(tmp_path):
        pass


def test_a_refused_policy_is_told_and_the_last_good_one_serves(tmp_path) -> None:
    found = Diagnostic("B102", Severity.ERROR, Position("rules/all.yaml", 14, 12), 'unknown event type "x"')
    with Running(tmp_path, loader=lambda: Loaded(None, (found,))) as running:
        refused = running.service.reload_now()
        assert refused.findings == ('rules/all.yaml:14:12 B102 unknown event type "x"',)
        status = running.service.status()
        assert status.refused == refused
        assert status.revision == policy_of(base()).revision
        assert running.policies == [(refused, ())]
        assert running.receive(event("e1"))[0].accepted


def test_what_is_known_and_what_would_be_decided_is_told_and_nothing_changes(tmp_path) -> None:
    with Running(tmp_path, "{id: often, cooldown: 6h}") as running:
        assert running.service.known_user("ada") is None
        assert running.service.explain(event("e1"), NOON).decisions[0].outcome is Outcome.SENT
        assert running.service.known_user("ada") is None
        running.receive(event("e1"))
        assert running.service.known_user("ada")["clock"] == "2026-03-02T12:00:00Z"
        dry = running.service.explain(event("e2"), NOON + HOUR)
        assert [decision.reason for decision in dry.decisions] == ["cooldown"]
        assert [one.id for one in dry.explanations[0].suppressions if one.stops] == ["often"]
        assert len(running.service.decisions(DecisionQuery())) == 1


def test_the_status_tells_how_it_is(tmp_path) -> None:
    running = Running(tmp_path)
    assert running.service.not_ready() == ("the writer does not run",)
    with running:
        running.receive(event("e1"))
        running.clock.now_us += HOUR
        status = running.service.status()
        assert status.revision == running.service.policy.revision
        assert (status.waiting, status.held, status.outbox) == (0, 0, {("chat", "pending"): 1})
        assert (status.newest_commit_us, status.started_us, status.uptime_us) == (NOON, NOON, HOUR)
        assert (status.failing, status.not_ready, status.refused) == (None, (), None)
        assert running.service.not_ready() == ()
        running.service.refuse_events()
        assert running.service.not_ready()[0].startswith("the service is ending")
        with pytest.raises(Stopping):
            running.receive(event("e2"))
        assert len(running.service.claim("chat", 1).result(WAIT_S)) == 1  # delivery goes on
    assert running.service.not_ready() == ("the writer does not run",)


def test_an_erased_user_is_gone_from_the_file(tmp_path) -> None:
    with Running(tmp_path) as running:
        running.receive(event("e1"), event("e1", user="bob"))
        assert running.service.erase("ada", NOON).result(WAIT_S)
        assert not running.service.erase("nobody", NOON).result(WAIT_S)
        assert running.service.known_user("ada")["deleted"]
        assert [row.user for row in running.service.decisions(DecisionQuery())] == ["bob"]
        assert not running.receive(event("e2"))[0].accepted


def test_a_service_can_end_before_it_began_and_twice(tmp_path) -> None:
    running = Running(tmp_path)
    running.service.stop()
    with running:
        pass
    running.service.stop()
    with Running(tmp_path):
        pass
