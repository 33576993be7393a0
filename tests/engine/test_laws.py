"""Laws that hold for every timeline: what no example can show."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.record import decode_line, encode_line
from botopt.model.user_state import pack, unpack
from tests.engine.timeline import Story, ev, policy, us

HOUR = 3_600_000_000
LONG_AGO = "2026-01-01T00:00:00Z"  # nothing that is held is due by then
RULES = policy(
    """
    {id: cool, cooldown: 6h, per: [user, event, order], events: [a, b]}
    {id: cap, limit: 3, within: 24h, categories: [service, alarm], reserved: {alarm: 1}}
    {id: daily, limit: 4, within: day}
    {id: closed, resolved_by: paid, within: 2h, same: [order], events: [a, b]}
    {id: big, inhibited_by: d, within: 1h, events: [a]}
    {id: night, quiet_hours: {from: "22:00", to: "08:00"}, unless: n > 8}
    {id: tired, mute: 12h, when: engagement.ignored_in_a_row >= 2}
    """,
    "timezone: Europe/Berlin, dedupe_window: 2d, ignored_after: 5h, holdout: 10%",
)

ordinary = st.sampled_from(["a", "b", "c", "d", "paid"])
reserved = st.sampled_from(
    (
        *("user.updated", "user.subscribed", "user.unsubscribed", "user.deleted"),
        *("message.clicked", "message.converted", "message.dismissed", "message.failed"),
    )
)


@st.composite
def timelines(draw: st.DrawFn, users: int = 3) -> list[dict[str, object]]:
    """Events on a coarse grid, so that windows are often met exactly; some late, some twice.

    Words of the user are never late, and have an instant of their own: a subscription cannot know what was refused
    after or at its own time.
    """
    events: list[dict[str, object]] = []
    at = us("2026-03-01T00:00:00Z")
    for number in range(draw(st.integers(1, 25))):
        at += draw(st.sampled_from([0, 1, HOUR // 2, HOUR, 2 * HOUR, 6 * HOUR, 24 * HOUR]))
        kind = draw(ordinary | ordinary | reserved)
        at += kind.startswith("user.")
        late = 0 if kind.startswith("user.") else draw(st.sampled_from([0, 0, 0, 0, HOUR, 3 * HOUR, 48 * HOUR]))
        data: dict[str, object] = {}
        if kind in ("a", "b", "c", "d"):
            data["n"] = draw(st.sampled_from([1, 9]))
        if kind in ("a", "b", "paid") and draw(st.booleans()):
            data["order"] = draw(st.sampled_from(["1", "2"]))
        if kind == "user.updated":
            data = draw(
                st.sampled_from([{"plan": "pro"}, {"plan": None}, {"timezone": "Asia/Kolkata"}, {"plan": "gold"}])
            )
        if "subscribed" in kind:
            data = draw(st.sampled_from([{}, {"category": "ads"}, {"channel": "sms"}, {"category": "service"}]))
        events.append(ev(kind, at - late, user=f"u{draw(st.integers(1, users))}", id=f"e{number}", **data))
        at += kind.startswith("user.")
        if draw(st.integers(0, 9)) == 0:
            events.append(dict(events[draw(st.integers(0, len(events) - 1))]))
    return events


examples = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def packed(story: Story) -> dict[str, bytes]:
    return {row.user: row.state for row in story.store.users()}


@examples
@given(timelines())
def test_batches_do_not_matter(events):
    results = []
    for batch in (1, 3, 1_000):
        story = Story(RULES, batch=batch)
        results.append(([encode_line(d) for d in story.run(events)], packed(story)))
    assert results[0] == results[1] == results[2]


@examples
@given(timelines())
def test_both_networks_decide_the_same(events):
    assert Story(RULES, "reference").run(events) == Story(RULES, "auto").run(events)


@examples
@given(timelines())
def test_a_second_replay_decides_nothing(events):
    """Refused events of the very instant of a `user.subscribed` are the exception: of that instant the order of lines
    decides (ADR 4), and the second time the subscription is known before them.
    """
    story = Story(RULES)
    first = story.run(events)
    refused = any(decision.reason is Reason.REJECTED for decision in first)
    reborn = {(event["user"], event["time"]) for event in events if event["type"] == "user.subscribed"}
    times = {(event["user"], event["id"]): event["time"] for event in events}
    anew = {
        (one.user, one.event_id)
        for one in first
        if one.reason is Reason.REJECTED and (one.user, times.get((one.user, one.event_id))) in reborn
    }
    before = {user: unpack(state) for user, state in packed(story).items()}
    for decision in story.run(events):
        again = (decision.user, decision.event_id) in anew
        assert again or decision.reason in (Reason.REJECTED, Reason.DUPLICATE), decision
    after = {user: unpack(state) for user, state in packed(story).items()}
    for states in (before, after):
        for state in states.values():
            state.repeats = {}
    if not refused:  # feedback that came before its message was refused, and finds it the second time
        assert after == before


@examples
@given(timelines())
def test_two_runs_over_one_state_are_one_run(events):
    whole, halves = Story(RULES), Story(RULES)
    middle = len(events) // 2
    first = whole.run(events, until=LONG_AGO)
    parts = halves.run(events[:middle], until=LONG_AGO)
    parts += halves.run(events[middle:], until=LONG_AGO)
    assert [d for d in parts if d.line is None] == [d for d in first if d.line is None]
    assert packed(whole) == packed(halves)


@examples
@given(timelines(), st.randoms(use_true_random=False))
def test_users_are_independent(events, chance):
    def of(user: str, found: list[Decision]) -> list[Decision]:
        return [d for d in found if d.user == user and d.line is None]

    together = Story(RULES).run(events, until=LONG_AGO)
    for user in ("u1", "u2", "u3"):
        alone = Story(RULES).run([e for e in events if e["user"] == user], until=LONG_AGO)
        assert of(user, alone) == of(user, together)


@examples
@given(timelines())
def test_no_two_records_share_an_id_and_records_read_back(events):
    found = Story(RULES).run(events, until="2026-04-01T00:00:00Z")
    assert len({d.id for d in found}) == len(found)
    for decision in found:
        assert decode_line(encode_line(decision)) == decision


@examples
@given(timelines())
def test_caps_and_cooldowns_are_never_exceeded(events):
    calm = [event for event in events if event["type"] != "message.failed" and event["type"] != "user.deleted"]
    found = Story(RULES).run(calm, until="2026-04-01T00:00:00Z")
    orders = {event["id"]: event["data"] for event in calm}
    for user in ("u1", "u2", "u3"):
        sends = [d for d in found if d.user == user and d.outcome is Outcome.SENT]
        capped = [d.time_us or 0 for d in sends if d.event_type in ("a", "b", "d")]
        for time_us in capped:
            assert sum(1 for other in capped if time_us - 24 * HOUR < other <= time_us) <= 3
        _no_cooldown_broken(sends, orders)


def _no_cooldown_broken(sends: list[Decision], data: Mapping[object, object]) -> None:
    last: dict[tuple[object, object], int] = {}
    for decision in sends:
        if decision.event_type in ("a", "b"):
            fields = data[decision.event_id]
            assert isinstance(fields, dict)
            key = (decision.event_type, fields.get("order"))
            now_us = decision.time_us or 0
            assert key not in last or now_us >= last[key] + 6 * HOUR
            last[key] = now_us


@examples
@given(timelines(users=1))
def test_packing_between_events_changes_nothing(events):
    story = Story(RULES, batch=1)
    story.run(events)
    for blob in packed(story).values():
        assert pack(unpack(blob)) == blob
