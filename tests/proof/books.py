"""The account of everything in the end: what was taken, decided, sent, attempted, and what came."""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from botopt.engine.engine import Engine
from botopt.engine.hashes import identity
from botopt.model.decision import Decision, Reason
from botopt.model.errors import PolicyError
from botopt.model.event import Event, Line
from botopt.model.instants import instant_us
from botopt.model.live import DecisionRow, OutboxRow, OutboxStatus
from botopt.model.record import encode_line
from botopt.model.silence import Silence
from botopt.model.user_state import UserState, unpack
from botopt.runtime.serving import serve
from botopt.sources.envelope import Decoder
from botopt.state.opening import open_reader
from botopt.verify.validate import load
from tests.proof.policies import TEMPLATES
from tests.proof.world import World

DECIDING = frozenset("hooked texted passed_on brief cooled limited weak nightly".split())
"""Event types that lead to a decision."""

HANDED_OVER = "; handed over to"
"""In the detail of a row whose message has another row, on another channel, which must have been attempted."""


class Account(msgspec.Struct):
    """What the books say in the end, in numbers for the report.

    `repeated` came more than once to a receiver that knows the key again; `unsure` are left for a person.
    """

    taken: int
    decided: int
    sent: int
    delivered: int
    dead: int
    unsure: int
    repeated: int
    duplicates: int
    starts: int


def account(
    world: World,
    taken: Mapping[str, Mapping[str, object]],
    *,
    erased: Collection[str] = (),
    compare: bool = True,
) -> Account:
    """Every 2xx event has exactly one decision, every `sent` message was attempted, none came twice beyond what the
    receiver's own idempotency key absorbs; and the decisions are those of the plain engine, byte for byte.

    Args:
        world: the service, ended or running, with nothing on its way.
        taken: every event that was answered with 2xx, by id.
        erased: users of whom nothing is asked here.
        compare: whether the plain engine is asked, too.
    """
    decisions = [one for one in world.decisions() if one.user not in erased]
    rows = [row for row in world.rows() if row.user not in erased]
    duplicates = [one for one in decisions if one.reason == Reason.DUPLICATE]
    final = [one for one in decisions if one.reason != Reason.DUPLICATE and one.outcome != "held"]
    assert not [one for one in decisions if one.outcome == "rejected"]
    per_event = Counter(one.event_id for one in final)
    twice = {name: count for name, count in per_event.items() if count > 1}
    assert not twice, f"decided twice: {twice}"
    wanted = {name for name, one in taken.items() if one["type"] in DECIDING and one["user"] not in erased}
    lost = sorted(wanted - per_event.keys())
    assert not lost, f"taken, and never decided: {lost[:10]} and {len(lost)} in all"

    sent = {one.id: one for one in final if one.outcome == "sent"}
    assert sent.keys() == {row.message_id for row in rows}, "the outbox does not hold what was sent"
    delivered, unsure, dead = _delivered(world, rows, sent)
    repeated = sum(1 for (channel, _), came in world.receiver.taken.items() if channel != "sms" and came > 1)
    nothing_is_forgotten(world, [one for one in taken.values() if one["user"] not in erased])
    if compare:
        decided_as_the_plain_engine_does(world, decisions, taken)
    return Account(
        len(taken), len(per_event), len(sent), delivered, dead, unsure, repeated, len(duplicates), world.starts
    )


def _delivered(world: World, rows: Sequence[OutboxRow], sent: Mapping[str, DecisionRow]) -> tuple[int, int, int]:
    """Each row of the outbox beside what its receiver saw."""
    received = world.receiver.taken
    counts: Counter[OutboxStatus] = Counter()
    reached: Counter[str] = Counter()
    known = set()
    for row in rows:
        where = (row.channel, row.key)
        if row.channel == "sms":
            where = ("sms", json.loads(sent[row.message_id].record)["message"]["text"])
        known.add(where)
        came = received[where]
        reached[row.message_id] += came > 0
        counts[row.status] += 1
        match row.status:
            case OutboxStatus.PENDING | OutboxStatus.CLAIMED:
                raise AssertionError(f"{row.key} is still on its way")
            case OutboxStatus.DELIVERED:
                assert came >= 1, f"{row.key} counts as delivered, and never came"
            case OutboxStatus.DEAD:
                assert came == 0, f"{row.key} counts as dead, and came"
            case OutboxStatus.UNSURE:
                assert row.channel in {"sms", "first", "brief"}, (
                    f"{row.key}: there is time to ask again, so why unsure?"
                )
            case OutboxStatus.WITHDRAWN | OutboxStatus.DROPPED:
                pass
        if row.status not in {OutboxStatus.WITHDRAWN, OutboxStatus.DROPPED} and HANDED_OVER not in (row.detail or ""):
            assert row.attempts >= 1, f"{row.key}: sent, and never attempted"
        if row.channel == "sms":
            assert came <= 1, f"{row.key} came {came} times to a receiver that cannot tell"
        elif came:
            assert len(world.receiver.bodies[where]) == 1, f"{row.key}: its repeats differ"
    twice = [key for key, channels in reached.items() if channels > 1]
    assert not twice, f"came on two channels: {twice[:10]}"
    strange = received.keys() - known
    assert not strange, f"came, and was never decided: {sorted(strange)[:10]}"
    return counts[OutboxStatus.DELIVERED], counts[OutboxStatus.UNSURE], counts[OutboxStatus.DEAD]


def nothing_is_forgotten(world: World, taken: Sequence[Mapping[str, object]]) -> None:
    """Every event is among those that its user's state knows again, also where it led to no decision."""
    decoder = next(iter(_engines(world).values()))[1]
    by_user: dict[str, list[Mapping[str, object]]] = defaultdict(list)
    for one in taken:
        by_user[str(one["user"])].append(one)
    with closing(open_reader(world.state)) as reader:
        blobs = reader.load(by_user)
    for user, events in by_user.items():
        known = unpack(blobs[user]).identities
        for one in events:
            found = decoder.decode_live(json.dumps(one).encode(), received_us=2**62)
            assert isinstance(found, Event), found
            assert identity(found.key) in known, f"{one['id']} was taken, and is forgotten"


def decided_as_the_plain_engine_does(
    world: World, decisions: Sequence[DecisionRow], taken: Mapping[str, Mapping[str, object]]
) -> None:
    """Feed the plain engine with each user's events in the order of the commits, at the times of their receipts, and
    find the same records. It matches with the reference network, so both networks stand trial.
    """
    engines = _engines(world)
    states: dict[str, UserState] = defaultdict(UserState)
    due: dict[str, list[Decision]] = defaultdict(list)
    for row in decisions:
        record = json.loads(row.record)
        engine, decoder = engines[record["revision"]]
        assert row.user is not None
        assert row.event_id is not None
        expected, state = due[row.user], states[row.user]
        silences = _silences(row, record)
        if not expected:
            expected += engine.release(state, row.decided_us, silences=silences)
        if not expected:
            given = json.dumps(taken[row.event_id]).encode()
            found = decoder.decode_live(given, received_us=row.decided_us)
            assert isinstance(found, Event), found
            line = Line(0, b"", received_us=row.decided_us)
            expected += engine.decide(state, found, line, at_us=row.decided_us, silences=silences)
        assert expected, f"{row.event_id} was decided, and the plain engine has nothing to say"
        said = encode_line(expected.pop(0))
        assert said == row.record, f"the plain engine says\n{said!r}\nand the service said\n{row.record!r}"


def _silences(row: DecisionRow, record: Mapping[str, object]) -> tuple[Silence, ...]:
    """The silence that the record names. When the service heard of it is its own affair."""
    if row.reason != Reason.SILENCED:
        return ()
    return (Silence(str(record["by"]), until_us=instant_us(str(record["until"]))),)


def _engines(world: World) -> Mapping[str, tuple[Engine, Decoder]]:
    """The plain engine for each policy that could be served, by revision."""
    found = {}
    for rules in dict.fromkeys(world.written):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("rules", rules), ("templates", TEMPLATES)):
                (Path(folder) / name).mkdir()
                (Path(folder) / name / f"{name}.yaml").write_text(text, encoding="utf-8")
            with suppress(PolicyError):  # one of those that were to be refused
                serving = serve(load(Path(folder)), 0, "reference")
                found[serving.revision] = (serving.engine, serving.decoder)
    return found
