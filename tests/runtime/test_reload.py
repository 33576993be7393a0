"""The policy changes while the service runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.loading.policy import load_policy
from botopt.model.decision import Outcome, Reason
from botopt.model.errors import InputError, StateError
from botopt.model.live import DecisionQuery
from botopt.model.policy import Policy
from botopt.runtime import reload
from botopt.runtime.items import Stopping
from botopt.runtime.reload import Loaded, RefusedPolicy, Reloading
from botopt.runtime.tasks import Swap
from tests.engine.support import TEMPLATES, base
from tests.runtime.making import HOUR, NOON, Bench, Clock, event, serving_of, write_policy

BETTER = TEMPLATES.replace("Hello", "Good day")


def swap(bench: Bench, serving) -> tuple[str, ...]:
    bench.serving = serving
    return bench.do(Swap(serving))


def test_another_policy_decides_from_the_next_event_on() -> None:
    bench = Bench()
    assert bench.receive(event("e1"))[0].decisions[0].message.text == "Hello"
    assert swap(bench, serving_of(base(), BETTER)) == ()
    (received,) = bench.receive(event("e2"))
    assert received.decisions[0].message.text == "Good day"
    assert received.decisions[0].revision == bench.serving.revision


def test_a_swap_goes_before_the_events_that_wait_and_loses_none() -> None:
    bench = Bench()
    futures = [bench.put(event(f"e{number}", user=f"u{number}")) for number in range(5)]
    swap(bench, serving_of(base(), BETTER))
    assert [future.result(0)[0].decisions[0].message.text for future in futures] == ["Good day"] * 5


def test_windows_that_grew_are_told() -> None:
    bench = Bench("{id: often, cooldown: 45d}")
    bench.receive(event("e1"))
    notices = swap(bench, serving_of(base("{id: often, cooldown: 60d}")))
    assert [notice.partition(";")[0] for notice in notices] == [
        "messages sent: the policy looks back 60d, the state holds 45d"
    ]
    bench.receive(event("e2", "b"))
    assert '"messages sent":[5184000000000' in bench.store.meta()["windows"]
    (again,) = swap(bench, serving_of(base("{id: often, cooldown: 60d}", events="x: {}")))
    assert again.partition(";")[2] == notices[0].partition(";")[2] == " complete from 2026-03-17T12:00:00Z"


def test_an_event_whose_type_is_gone_is_rejected_with_a_sentence() -> None:
    bench = Bench()
    old = bench.serving.revision
    rules = "\n".join(line for line in base().splitlines() if not line.strip().startswith("loose:"))
    swap(bench, serving_of(rules))
    gone, there = bench.receive(event("e1", "loose"), event("e2", "b", n=3.0), read_by=old)
    assert (gone.accepted, there.accepted) == (False, True)
    assert gone.decisions[0].reason is Reason.REJECTED
    assert gone.decisions[0].by == "type"
    assert (
        gone.decisions[0].detail == "the event type is not declared any more: the policy changed while the event waited"
    )
    assert there.decisions[0].outcome is Outcome.SENT


@pytest.mark.parametrize("read_by", ["the policy before", None])
def test_an_event_that_another_policy_read_is_taken_as_the_present_one_declares_it(read_by) -> None:
    bench = Bench(serving=serving_of(base(rules="[{id: r, when: n > 5, skip: true}]")))
    (received,) = bench.receive(event("e1", n="a text", order="7"), read_by=read_by)
    assert received.decisions[0].outcome is Outcome.SENT  # n is 0, its default


def test_what_users_say_of_themselves_is_of_no_type_that_could_be_gone() -> None:
    bench = Bench()
    (received,) = bench.receive(event("e1", "user.updated", plan="pro"), read_by="the policy before")
    assert received.accepted
    assert bench.state().attributes == {"plan": "pro"}


def test_a_swap_that_finds_the_state_unreadable_leaves_the_policy() -> None:
    bench = Bench()
    before = bench.serving.revision

    def unreadable() -> dict[str, str]:
        raise StateError("state.db: the disk does not read")

    meta, bench.store.meta = bench.store.meta, unreadable
    with pytest.raises(StateError):
        bench.do(Swap(serving_of(base(), BETTER)))
    bench.store.meta = meta
    assert bench.writer.desk.serving.revision == before


# ---------------------------------------------------------------- files


class Watched:
    """A workspace that is watched, with a writer that is a list."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_policy(folder, base())
        self.revision = self.load().policy.revision
        self.told: list[Policy | RefusedPolicy] = []
        self.news = threading.Semaphore(0)
        self.reloading = Reloading(self.load, self.swap, lambda: self.revision, Clock(NOON), self.changed)

    def load(self) -> Loaded:
        found = load_policy(self.folder, channel_types=CHANNEL_TYPES)
        return Loaded(found.policy, found.diagnostics)

    def swap(self, serving) -> tuple[str, ...]:
        self.revision = serving.revision
        return ()

    def changed(self, what, notices) -> None:
        self.told.append(what if isinstance(what, RefusedPolicy) else what.policy)
        self.news.release()

    def next(self) -> Policy | RefusedPolicy:
        assert self.news.acquire(timeout=30), "nothing was told"
        return self.told[-1]


@pytest.fixture
def watched(tmp_path):
    watched = Watched(tmp_path)
    watched.reloading.start(tmp_path)
    yield watched
    watched.reloading.stop()


def replace(folder: Path, old: str, new: str, name: str = "rules/all.yaml") -> None:
    text = (folder / name).read_text()
    assert old in text
    write(folder, name, text.replace(old, new))


def write(folder: Path, name: str, text: str) -> None:
    """At once, so that nobody reads a half of it."""
    (folder / "new").write_text(text)
    (folder / "new").replace(folder / name)


def test_a_valid_change_of_a_file_is_taken_over(watched) -> None:
    replace(watched.folder, "Hello", "Good day", "templates/all.yaml")
    told = watched.next()
    assert isinstance(told, Policy)
    assert told.revision == watched.revision
    assert watched.reloading.refused is None


def test_a_change_with_errors_is_refused_and_a_good_one_after_it_taken(watched) -> None:
    replace(watched.folder, "channel: sms", "channel: smss")
    refused = watched.next()
    assert isinstance(refused, RefusedPolicy)
    assert refused == watched.reloading.refused
    assert (refused.at_us, refused.errors) == (NOON, 1)
    assert refused.findings[0].startswith("rules/all.yaml:20:")
    assert "smss" in refused.findings[0]
    replace(watched.folder, "channel: smss", "channel: chat")
    assert isinstance(watched.next(), Policy)
    assert watched.reloading.refused is None


def test_a_folder_that_vanishes_while_it_is_looked_at_ends_no_watching(tmp_path, monkeypatch) -> None:
    watched = Watched(tmp_path)
    looked = threading.Event()

    def vanishing(workspace: Path):
        looked.set()
        raise FileNotFoundError("rules/more")

    watched.reloading.start(tmp_path)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(reload, "stamp", vanishing)
            assert looked.wait(30)
        replace(watched.folder, "Hello", "Good day", "templates/all.yaml")
        assert isinstance(watched.next(), Policy)
    finally:
        watched.reloading.stop()


def test_stopping_waits_only_so_long_for_a_workspace_that_cannot_be_read_to_its_end(tmp_path, monkeypatch) -> None:
    watched = Watched(tmp_path)
    monkeypatch.setattr(reload, "_LONGEST_END_S", 0.05)
    going, on = threading.Event(), threading.Event()

    def hanging() -> Loaded:
        going.set()
        assert on.wait(30)
        return Loaded(None)

    watched.reloading._loader = hanging
    watched.reloading.start(tmp_path)
    assert going.wait(30)
    watched.reloading.stop()
    on.set()


def test_new_files_in_new_folders_are_seen(watched) -> None:
    more = watched.folder / "rules" / "more"
    more.mkdir()
    write(watched.folder, "rules/more/tips.yaml", "events:\n  tip: {channel: chat, weight: 0.8, message: hello}\n")
    told = watched.next()
    assert isinstance(told, Policy)
    assert "tip" in told.events


def test_a_folder_that_is_swapped_by_a_link_is_seen(tmp_path) -> None:
    """As Kubernetes replaces the files of a ConfigMap."""
    write_policy(tmp_path / "v1", base())
    write_policy(tmp_path / "v2", base(), BETTER)
    (tmp_path / "data").symlink_to("v1")
    folder = tmp_path / "mounted"
    folder.mkdir()
    for kind in ("rules", "templates"):
        (folder / kind).symlink_to(tmp_path / "data" / kind)
    watched = Watched.__new__(Watched)
    watched.folder, watched.told, watched.news = folder, [], threading.Semaphore(0)
    watched.revision = watched.load().policy.revision
    watched.reloading = Reloading(watched.load, watched.swap, lambda: watched.revision, Clock(NOON), watched.changed)
    watched.reloading.start(folder)
    try:
        (tmp_path / "new").symlink_to("v2")
        (tmp_path / "new").replace(tmp_path / "data")
        assert isinstance(watched.next(), Policy)
    finally:
        watched.reloading.stop()


def test_a_change_that_means_the_same_is_no_change(tmp_path) -> None:
    watched = Watched(tmp_path)
    replace(tmp_path, "settings:", "# a comment\nsettings:")
    assert watched.reloading.reload_now() is None
    assert watched.told == []


def test_taking_a_bad_change_back_ends_the_refusal(tmp_path) -> None:
    watched = Watched(tmp_path)
    replace(tmp_path, "channel: sms", "channel: smss")
    assert watched.reloading.reload_now() is watched.reloading.refused is not None
    replace(tmp_path, "channel: smss", "channel: sms")
    assert watched.reloading.reload_now() is None
    assert watched.reloading.refused is None


def raising(fault: Exception) -> Callable[..., object]:
    def fail(*_: object) -> object:
        raise fault

    return fail


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (InputError("there is no folder rules"), "there is no folder rules"),
        (ZeroDivisionError("oops"), "botopt failed on this workspace: ZeroDivisionError: oops"),
    ],
)
def test_a_workspace_that_cannot_be_read_is_refused(tmp_path, fault, sentence) -> None:
    watched = Watched(tmp_path)
    watched.reloading._loader = raising(fault)
    refused = watched.reloading.reload_now()
    assert refused is not None
    assert refused.findings == (sentence,)


def test_a_writer_that_has_ended_takes_no_policy(tmp_path) -> None:
    watched = Watched(tmp_path)
    before = watched.revision
    replace(tmp_path, "Hello", "Good day", "templates/all.yaml")
    watched.reloading._swap = raising(Stopping("the service has ended"))
    assert watched.reloading.reload_now().findings == ("the service has ended",)
    assert watched.revision == before


def test_what_was_held_is_decided_by_the_policy_of_its_time() -> None:
    bench = Bench('{id: night, quiet_hours: {from: "11:00", to: "13:00"}}')
    bench.receive(event("e1"))
    swap(bench, serving_of(base(), BETTER))
    bench.clock.now_us += HOUR
    bench.run()
    assert b"Good day" in bench.store.decisions(DecisionQuery(limit=1))[0].record
