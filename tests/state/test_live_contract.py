"""What every store of the live service promises, to its writer, its readers and its administrators."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from botopt.model.errors import UsageError
from botopt.model.live import (
    ApiKey,
    Changes,
    Control,
    DecisionQuery,
    DecisionRow,
    LiveReader,
    LiveStore,
    OutboxQuery,
    OutboxRow,
    OutboxStatus,
    StoredAnswer,
    unpack_parcel,
)
from botopt.model.silence import Silence
from botopt.state.memory_control import MemoryControl
from botopt.state.memory_live import MemoryLive
from botopt.state.opening import open_control, open_live, open_reader
from tests.state.helpers import T, decision, parcel, row, sending

HOUR = 3_600_000_000


class Live:
    """A store with what looks at it and changes it from outside."""

    def __init__(self, store: LiveStore, reader: LiveReader, control: Control) -> None:
        self.store, self.reader, self.control = store, reader, control

    def commit(self, **changes: object) -> frozenset[str]:
        return self.store.commit_changes(Changes(**changes))  # type: ignore[arg-type]

    def ids(self, **query: object) -> list[str]:
        found = [one.id for one in self.store.decisions(DecisionQuery(**query))]  # type: ignore[arg-type]
        assert [one.id for one in self.reader.decisions(DecisionQuery(**query))] == found  # type: ignore[arg-type]
        return found

    def keys(self, **query: object) -> list[str]:
        found = [one.key for one in self.store.outbox(OutboxQuery(**query))]  # type: ignore[arg-type]
        assert [one.key for one in self.reader.outbox(OutboxQuery(**query))] == found  # type: ignore[arg-type]
        return found


@pytest.fixture(params=["memory", "sqlite"])
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    if request.param == "memory":
        memory = MemoryLive()
        yield Live(memory, memory, MemoryControl(memory))
        return
    path = tmp_path / "state.db"
    with open_live(path) as store:
        reader, control = open_reader(path), open_control(path)
        yield Live(store, reader, control)
        control.close()
        reader.close()


def test_a_new_store_knows_nothing(live: Live) -> None:
    for reader in (live.store, live.reader):
        assert list(reader.decisions(DecisionQuery())) == []
        assert list(reader.outbox(OutboxQuery())) == []
        assert reader.decision("d1") is None
        assert reader.answer("k") is None
        assert reader.outbox_row("m1") is None
        assert list(reader.outbox_of("m1")) == []
        assert list(reader.outbox_due(T, "chat", 9)) == []
        assert list(reader.outbox_claimed()) == []
        assert reader.outbox_next_us("chat") is None
        assert reader.by_provider_id("chat", "p") is None
        assert reader.by_address("chat", "a") is None
        assert reader.outbox_counts() == {}
        assert list(reader.silences(0)) == []
        assert list(reader.api_keys()) == []
    assert live.control.audit(9) == []
    assert live.store.tidy(2**62, 9) == 0


def test_everything_is_committed_together(live: Live) -> None:
    answer = StoredAnswer("k1", "hash", 202, b'{"decisions":["d1"]}', T, ("ada", "bob"))
    refused = live.commit(
        users=[row("ada", state=b"1")],
        meta={"newest": "5"},
        decisions=[decision("d1")],
        outbox=[sending("m1", provider_id="p", address="a", detail="late", expires_us=T + 5, first_us=T)],
        answers=[answer],
    )
    assert refused == frozenset()
    for reader in (live.store, live.reader):
        assert reader.load(["ada"]) == {"ada": b"1"}
        assert reader.meta() == {"newest": "5"}
        assert reader.decision("d1") == decision("d1", sequence=T)
        assert reader.outbox_row("m1") == sending(
            "m1", provider_id="p", address="a", detail="late", expires_us=T + 5, first_us=T
        )
        assert reader.answer("k1") == answer


def test_a_batch_that_breaks_changes_nothing(live: Live) -> None:
    live.commit(users=[row("ada", state=b"1")], decisions=[decision("d1")])

    def breaking() -> Iterator[object]:
        yield row("ada", state=b"2")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        live.commit(users=breaking(), decisions=[decision("d2")], outbox=[sending("m1")], meta={"newest": "6"})
    assert live.store.load(["ada"]) == {"ada": b"1"}
    assert (live.ids(), live.keys(), live.store.meta()) == (["d1"], [], {})
    live.commit(decisions=[decision("d2")])
    assert live.ids() == ["d2", "d1"]


def test_a_parcel_comes_back(live: Live) -> None:
    live.commit(outbox=[sending("m1", parcel=parcel("Grüße \U0001f600"))])
    found = live.reader.outbox_row("m1")
    assert found is not None
    assert unpack_parcel(found.parcel).message.text == "Grüße \U0001f600"


def test_the_sequence_is_the_time_and_always_rises(live: Live) -> None:
    live.commit(decisions=[decision("a", at_us=T), decision("b", at_us=T), decision("c", at_us=T + 9)])
    live.commit(decisions=[decision("d", at_us=T - HOUR), decision("e", at_us=T + 100)])  # the clock was put back
    found = live.store.decisions(DecisionQuery())
    assert [(one.id, one.sequence - T) for one in found] == [("e", 100), ("d", 10), ("c", 9), ("b", 1), ("a", 0)]
    assert found[1].decided_us == T - HOUR


def test_decisions_are_found_by_what_people_know(live: Live) -> None:
    live.commit(
        decisions=[
            decision("a", "ada"),
            decision("b", "bob", outcome="suppressed", reason="cooldown"),
            decision("c", "ada", event_type="parcel_late", outcome="suppressed", reason="capped"),
            decision("d", None, event_id=None, event_type=None, time_us=None, outcome="rejected", reason="rejected"),
            decision("e", "ada", outcome="suppressed", reason="cooldown"),
        ]
    )
    assert live.ids() == ["e", "d", "c", "b", "a"]
    assert live.ids(user="ada") == ["e", "c", "a"]
    assert live.ids(user="eve") == []
    assert live.ids(user="\udce4") == []
    assert live.ids(event_id="event-b") == ["b"]
    assert live.ids(event_type="payment_failed") == ["e", "b", "a"]
    assert live.ids(outcome="suppressed") == ["e", "c", "b"]
    assert live.ids(reason="cooldown") == ["e", "b"]
    assert live.ids(user="ada", outcome="suppressed", reason="cooldown", event_type="payment_failed") == ["e"]
    assert live.ids(user="bob", outcome="sent") == []
    assert live.ids(limit=2) == ["e", "d"]
    assert live.ids(limit=2, before=T + 3) == ["c", "b"]
    assert live.ids(limit=0) == []
    assert live.ids(since_us=T + 1, until_us=T + 3) == ["c", "b"]
    assert live.ids(user="ada", since_us=T + 1) == ["e", "c"]
    assert live.ids(outcome="suppressed", before=T + 4, until_us=T + 99) == ["c", "b"]


def test_a_decision_that_comes_again_is_kept_once(live: Live) -> None:
    live.commit(decisions=[decision("a"), decision("b")])
    live.commit(decisions=[decision("a", at_us=T + 50, outcome="rejected")])
    assert live.ids() == ["a", "b"]
    again = live.store.decision("a")
    assert again is not None
    assert (again.outcome, again.sequence) == ("rejected", T + 50)


def test_a_message_goes_its_way(live: Live) -> None:
    live.commit(outbox=[sending("m1"), sending("m2", at_us=T + 1), sending("m3", channel="mail")])
    assert [one.key for one in live.reader.outbox_due(T, "chat", 9)] == ["m1"]
    assert [one.key for one in live.reader.outbox_due(T + 1, "chat", 9)] == ["m1", "m2"]
    assert live.reader.outbox_next_us("chat") == T
    live.commit(outbox=[sending("m1", status=OutboxStatus.CLAIMED, attempts=1, first_us=T)])
    assert [one.key for one in live.reader.outbox_claimed()] == ["m1"]
    assert [one.key for one in live.reader.outbox_due(T + 1, "chat", 9)] == ["m2"]
    assert live.reader.outbox_next_us("chat") == T + 1
    live.commit(outbox=[sending("m1", attempts=1, next_us=T + HOUR), sending("m2", status=OutboxStatus.DELIVERED)])
    assert live.reader.outbox_next_us("chat") == T + HOUR
    assert list(live.reader.outbox_claimed()) == []
    assert live.reader.outbox_counts() == {("chat", "pending"): 1, ("mail", "pending"): 1}
    assert live.keys() == ["m3", "m2", "m1"]


def test_what_is_due_comes_by_time_then_key(live: Live) -> None:
    order = [("b", T + 1), ("a", T + 1), ("c", T), ("d", T + 2)]
    live.commit(outbox=[sending(key, next_us=us) for key, us in order])
    assert [one.key for one in live.store.outbox_due(T + 1, "chat", 9)] == ["c", "a", "b"]
    assert [one.key for one in live.store.outbox_due(T + 9, "chat", 2)] == ["c", "a"]
    assert list(live.store.outbox_due(T + 9, "mail", 2)) == []


def test_the_last_row_of_a_key_counts(live: Live) -> None:
    live.commit(outbox=[sending("m1", detail="first"), sending("m1", detail="second", created_us=T + 9)])
    found = live.store.outbox_row("m1")
    assert found is not None
    assert (found.detail, found.created_us) == ("second", T)


def test_messages_are_found_by_what_people_know(live: Live) -> None:
    live.commit(
        outbox=[
            sending("a", status=OutboxStatus.DEAD),
            sending("b", "bob", status=OutboxStatus.UNSURE),
            sending("c", channel="mail", status=OutboxStatus.DEAD),
            sending("d", status=OutboxStatus.DELIVERED),
            sending("e", "bob", channel="mail", status=OutboxStatus.WITHDRAWN),
        ]
    )
    dead, unsure = OutboxStatus.DEAD, OutboxStatus.UNSURE
    assert live.keys() == ["e", "d", "c", "b", "a"]
    assert live.keys(statuses=(dead,)) == ["c", "a"]
    assert live.keys(statuses=(unsure, dead, unsure)) == ["c", "b", "a"]
    assert live.keys(statuses=(unsure, dead), limit=2) == ["c", "b"]
    assert live.keys(statuses=(OutboxStatus.DELIVERED,)) == ["d"]
    assert live.keys(channel="mail") == ["e", "c"]
    assert live.keys(channel="mail", statuses=(dead,)) == ["c"]
    assert live.keys(user="bob") == ["e", "b"]
    assert live.keys(user="bob", statuses=(unsure,), channel="chat") == ["b"]
    assert live.keys(user="bob", statuses=(OutboxStatus.DELIVERED,)) == []
    assert live.keys(limit=0) == []
    assert live.store.outbox_counts() == {("chat", "dead"): 1, ("chat", "unsure"): 1, ("mail", "dead"): 1}


def test_all_rows_of_a_message_oldest_first(live: Live) -> None:
    live.commit(outbox=[sending("m1"), sending("m10"), sending("m1:sms", channel="sms"), sending("m1:mail")])
    assert [one.key for one in live.reader.outbox_of("m1")] == ["m1", "m1:sms", "m1:mail"]
    assert [one.key for one in live.reader.outbox_of("m10")] == ["m10"]
    assert list(live.reader.outbox_of("m")) == []


def test_platforms_names_lead_to_messages(live: Live) -> None:
    live.commit(
        outbox=[
            sending("a", provider_id="p1", address="+49"),
            sending("b", provider_id="p2", address="+49"),
            sending("c", provider_id="p1", address="+49", channel="mail"),
        ]
    )
    for channel, provider_id, key in (("chat", "p1", "a"), ("chat", "p2", "b"), ("mail", "p1", "c")):
        found = live.reader.by_provider_id(channel, provider_id)
        assert found is not None
        assert found.key == key
    newest = live.reader.by_address("chat", "+49")
    assert newest is not None
    assert newest.key == "b"
    assert live.reader.by_provider_id("sms", "p1") is None
    assert live.reader.by_address("mail", "+50") is None


def test_an_answer_that_comes_again_replaces(live: Live) -> None:
    live.commit(answers=[StoredAnswer("k", "h", 202, b"1", T)])
    live.commit(answers=[StoredAnswer("k", "h", 200, b"2", T + 1)])
    assert live.reader.answer("k") == StoredAnswer("k", "h", 200, b"2", T + 1)


def test_an_erased_user_is_gone_and_the_others_are_not(live: Live) -> None:
    live.commit(
        users=[row("ada"), row("bob")],
        decisions=[decision("a", "ada"), decision("b", "bob")],
        outbox=[
            sending("m1", "ada", provider_id="p1", address="+49", detail="no answer from +49"),
            sending("m2", "bob"),
            sending("m3", "ada", status=OutboxStatus.CLAIMED),
        ],
        answers=[
            StoredAnswer("k1", "h", 200, b"ada and bob", T, ("ada", "bob")),
            StoredAnswer("k2", "h", 200, b"bob", T, ("bob",)),
            StoredAnswer("k3", "h", 202, b"ids", T),
        ],
    )
    live.commit(users=[row("ada", state=b"deleted")], erased=["ada"])
    assert live.store.load(["ada", "bob"]) == {"ada": b"deleted", "bob": b"state"}
    assert (live.ids(), live.keys()) == (["b"], ["m2"])
    for reader in (live.store, live.reader):
        assert reader.decision("a") is None
        assert reader.outbox_row("m1") is None
        assert list(reader.outbox_of("m1")) == []
        assert list(reader.outbox_claimed()) == []
        assert [one.key for one in reader.outbox_due(T, "chat", 9)] == ["m2"]
        assert reader.outbox_counts() == {("chat", "pending"): 1}
        assert reader.by_provider_id("chat", "p1") is None
        assert reader.by_address("chat", "+49") is None
        assert [key for key in ("k1", "k2", "k3") if reader.answer(key)] == ["k2", "k3"]
    assert live.keys(user="ada") == []
    assert live.keys(user="") == []


def test_a_late_receipt_does_not_bring_an_erased_message_back(live: Live) -> None:
    live.commit(outbox=[sending("m1", status=OutboxStatus.CLAIMED), sending("m2", "bob")])
    live.commit(erased=["ada"])
    refused = live.commit(
        outbox=[
            sending("m1", status=OutboxStatus.DELIVERED),
            sending("m1:sms", channel="sms"),
            sending("m2", "bob", status=OutboxStatus.CLAIMED),
        ]
    )
    assert refused == {"m1", "m1:sms"}
    assert live.keys() == ["m2"]
    assert live.control.retry_outbox(["m1"], T, "eve") == 0


def test_what_comes_after_the_erasure_in_one_batch_stays(live: Live) -> None:
    live.commit(decisions=[decision("a")], outbox=[sending("m1")])
    live.commit(erased=["ada"], decisions=[decision("b", at_us=T + 1)], outbox=[sending("m2")])
    assert (live.ids(), live.keys()) == (["b"], ["m2"])


def test_tidying_takes_what_is_old_and_over_in_small_bites(live: Live) -> None:
    live.commit(
        decisions=[decision(f"d{number}", at_us=T + number) for number in range(5)],
        outbox=[
            *(sending(f"m{n}", at_us=T + n, status=status) for n, status in enumerate(OutboxStatus)),
            sending("new", at_us=T + HOUR, status=OutboxStatus.DELIVERED),
        ],
        answers=[StoredAnswer(f"k{number}", "h", 200, b"", T + number, ("ada",)) for number in range(3)],
    )
    assert live.store.tidy(T, 9) == 0
    assert live.store.tidy(T + 100, 2) == 6
    assert live.ids() == ["d4", "d3", "d2"]
    assert live.store.tidy(T + 100, 2) == 5
    assert live.store.tidy(T + 100, 9) == 2
    assert live.store.tidy(T + 100, 9) == 0
    assert live.ids() == []
    assert live.keys() == ["new", "m1", "m0"]  # pending and claimed
    assert [live.store.answer(f"k{number}") for number in range(3)] == [None] * 3
    live.commit(decisions=[decision("d9", at_us=T)])
    found = live.store.decision("d9")
    assert found is not None
    assert found.sequence > T + 4  # no number is given twice


def test_tidying_takes_erased_messages_too(live: Live) -> None:
    live.commit(outbox=[sending("m1")])
    live.commit(erased=["ada"])
    assert live.store.tidy(T + 1, 9) == 1
    assert live.commit(outbox=[sending("m1")]) == frozenset()


KEY = ApiKey("abcd1234", "shop", ("ingest", "read"), bytes(32), T, T + HOUR)


def test_keys_are_added_and_revoked(live: Live) -> None:
    live.control.add_key(KEY, "eve")
    live.control.add_key(replace(KEY, id="aaaa0000", expires_us=None), "eve")
    with pytest.raises(UsageError, match="there is already a key abcd1234"):
        live.control.add_key(KEY, "eve")
    assert [key.id for key in live.reader.api_keys()] == ["aaaa0000", "abcd1234"]
    assert live.reader.api_keys()[1] == KEY
    assert live.control.revoke_key("abcd1234", T + 5, "mallory")
    assert not live.control.revoke_key("abcd1234", T + 6, "mallory")
    assert not live.control.revoke_key("nobody", T + 6, "mallory")
    assert live.reader.api_keys()[1] == replace(KEY, revoked_us=T + 5)
    assert live.control.audit(9) == [
        (T + 5, "mallory", "keys revoke", "abcd1234"),
        (T, "eve", "keys add", "aaaa0000"),
        (T, "eve", "keys add", "abcd1234"),
    ]
    assert len(live.control.audit(1)) == 1


def test_silences_begin_and_end(live: Live) -> None:
    silence = Silence("s1", ("payment_failed", "parcel_late"), T, T + HOUR, "the bank is down", "eve")
    live.control.add_silence(silence)
    live.control.add_silence(Silence("a2", (), T, T + 2 * HOUR))
    with pytest.raises(UsageError, match="there is already a silence s1"):
        live.control.add_silence(silence)
    assert live.reader.silences(T) == [Silence("a2", (), T, T + 2 * HOUR), silence]
    assert [one.id for one in live.reader.silences(T + HOUR)] == ["a2"]
    assert live.control.end_silence("a2", T + 9, "mallory")
    assert not live.control.end_silence("a2", T + 9, "mallory")
    assert not live.control.end_silence("nobody", T, "mallory")
    assert live.reader.silences(T + 9) == [silence]
    assert [one.until_us for one in live.reader.silences(0)] == [T + 9, T + HOUR]
    assert [entry[2:] for entry in live.control.audit(9)] == [
        ("silence end", "a2"),
        ("silence add", "a2"),
        ("silence add", "s1"),
    ]


def test_messages_are_tried_again_or_given_up(live: Live) -> None:
    every = {status: f"m{number}" for number, status in enumerate(OutboxStatus)}
    live.commit(outbox=[sending(key, status=status, attempts=8, first_us=T) for status, key in every.items()])
    assert live.control.retry_outbox([*every.values(), "nobody", "\udce4"], T + 5, "eve") == 3
    waiting = [every[status] for status in (OutboxStatus.PENDING, OutboxStatus.DEAD, OutboxStatus.UNSURE)]
    assert live.keys(statuses=(OutboxStatus.PENDING,)) == waiting[::-1]
    found = {one.key: (one.attempts, one.first_us, one.next_us) for one in live.reader.outbox_due(T + 5, "chat", 9)}
    assert found == {waiting[0]: (8, T, T + 5), waiting[1]: (0, None, T + 5), waiting[2]: (0, None, T + 5)}
    assert live.control.drop_outbox([waiting[1], every[OutboxStatus.CLAIMED]], T + 6, "eve") == 1
    assert live.keys(statuses=(OutboxStatus.DROPPED,)) == [every[OutboxStatus.DROPPED], waiting[1]]
    assert [entry[2:] for entry in live.control.audit(2)] == [("outbox drop", waiting[1]), ("outbox retry", waiting[2])]


def test_what_was_dropped_is_found_by_the_audit_trail(live: Live) -> None:
    live.commit(outbox=[sending("m1"), sending("m2"), sending("m3")])
    live.control.drop_outbox(["m2"], T, "eve")
    live.control.retry_outbox(["m1"], T, "eve")
    live.control.drop_outbox(["m3", "m1"], T, "eve")
    for reader in (live.store, live.reader):
        assert list(reader.drops_after(0, 9)) == [(1, "m2"), (3, "m3"), (4, "m1")]
        assert list(reader.drops_after(1, 1)) == [(3, "m3")]
        assert list(reader.drops_after(4, 9)) == []


def test_a_claim_of_a_message_that_was_dropped_meanwhile_is_refused(live: Live) -> None:
    live.commit(outbox=[sending("m1"), sending("m2")])
    due = live.store.outbox_due(T, "chat", 9)
    live.control.drop_outbox(["m1"], T + 1, "eve")
    claims = [replace(one, status=OutboxStatus.CLAIMED, attempts=1) for one in due]
    assert live.commit(outbox=claims) == {"m1"}
    assert live.keys(statuses=(OutboxStatus.CLAIMED,)) == ["m2"]
    assert live.keys(statuses=(OutboxStatus.DROPPED,)) == ["m1"]


def test_the_writer_notices_an_administrator(live: Live) -> None:
    before = live.store.control_version()
    live.commit(decisions=[decision("d1")])
    live.store.decisions(DecisionQuery())
    assert live.store.control_version() == before
    live.control.add_silence(Silence("s1", (), T, T + HOUR))
    assert live.store.control_version() != before


def test_an_action_that_changes_nothing_is_not_noted(live: Live) -> None:
    assert live.control.drop_outbox(["nobody"], T, "eve") == 0
    assert live.control.audit(9) == []


NAMES = st.sampled_from(["ada", "bob", "eve"])
KEYS = st.sampled_from(["m1", "m1:sms", "m2", "m3"])
TIMES = st.integers(T, T + 20)
ANY_TEXT = st.none() | st.sampled_from(["p1", "p2"])
SENDINGS = st.builds(
    lambda key, user, at_us, **changes: sending(key, user, at_us=at_us, **changes),
    KEYS,
    NAMES,
    TIMES,
    status=st.sampled_from(OutboxStatus),
    attempts=st.integers(0, 3),
    next_us=TIMES,
    provider_id=ANY_TEXT,
    address=ANY_TEXT,
)
DECISIONS = st.builds(
    lambda id, user, at_us, outcome, reason: decision(id, user, at_us=at_us, outcome=outcome, reason=reason),
    st.sampled_from(["d1", "d2", "d3", "d4"]),
    st.none() | NAMES,
    TIMES,
    st.sampled_from(["sent", "suppressed"]),
    st.none() | st.sampled_from(["cooldown", "capped"]),
)
ANSWERS = st.builds(
    lambda key, at_us, users: StoredAnswer(key, "h", 200, key.encode(), at_us, tuple(sorted(users))),
    st.sampled_from(["k1", "k2"]),
    TIMES,
    st.sets(NAMES),
)
# A message keeps its user and channel; who is told of in an answer does not change either.
COMMITS = st.builds(
    lambda sent, decided, answered, erased: Changes(outbox=sent, decisions=decided, answers=answered, erased=erased),
    st.lists(SENDINGS, max_size=4),
    st.lists(DECISIONS, max_size=4),
    st.lists(ANSWERS, max_size=2),
    st.lists(NAMES, max_size=1),
)
STEPS = st.lists(
    COMMITS | st.tuples(st.just("tidy"), TIMES) | st.tuples(st.sampled_from(["retry", "drop"]), KEYS, TIMES),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_stores_agree(steps: list[object]) -> None:
    memory = MemoryLive()
    with tempfile.TemporaryDirectory() as folder, open_live(Path(folder, "state.db")) as sqlite:
        control = open_control(Path(folder, "state.db"))
        pairs: tuple[tuple[LiveStore, Control], ...] = ((memory, MemoryControl(memory)), (sqlite, control))
        owners: dict[str, str] = {}
        for step in steps:
            told = [_step(store, by, _owned(step, owners)) for store, by in pairs]
            assert told[0] == told[1]
            assert _seen(memory) == _seen(sqlite)
        control.close()


def _owned(step: object, owners: dict[str, str]) -> object:
    if not isinstance(step, Changes):
        return step
    rows: list[OutboxRow] = [replace(one, user=owners.setdefault(one.message_id, one.user)) for one in step.outbox]
    return replace(step, outbox=rows, answers=[replace(one, users=("ada",)) for one in step.answers])


def _step(store: LiveStore, control: Control, step: object) -> object:
    match step:
        case Changes():
            return store.commit_changes(step)
        case ("tidy", int(before_us)):
            return store.tidy(before_us, 99)  # fewer: which of equally old ones go is not promised
        case ("retry", str(key), int(now_us)):
            return control.retry_outbox([key], now_us, "eve")
        case ("drop", str(key), int(now_us)):
            return control.drop_outbox([key], now_us, "eve")
    raise AssertionError(step)


def _seen(store: LiveStore) -> object:
    decisions: list[DecisionRow] = list(store.decisions(DecisionQuery()))
    return (
        decisions,
        [list(store.decisions(DecisionQuery(user=user, outcome="sent"))) for user in ("ada", "bob")],
        sorted(store.outbox(OutboxQuery()), key=lambda one: one.key),
        [list(store.outbox_due(T + 10, "chat", 2)), store.outbox_next_us("chat"), store.outbox_counts()],
        sorted(one.key for one in store.outbox_claimed()),
        [store.answer(key) for key in ("k1", "k2")],
        sorted(one.key for one in store.outbox_of("m1")),
        msgspec.json.encode(store.silences(0)),
    )
