"""Random logs, counted by SQL and by plain Python over `read_log`."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.dashboard.asked import Asked
from botopt.dashboard.queries import overview, reasons, volume
from botopt.dashboard.queries.asking import Filter
from botopt.dashboard.store.opening import open_source
from botopt.model.decision import Outcome, Reason
from botopt.model.durations import DAY_US
from botopt.model.user_state import Response
from botopt.verify.log import Logged, read_log
from tests.dashboard.logs import decided, event, write

USERS = ("ada", "bo", "cy")
ZONES = {"ada": "Europe/Berlin", "bo": "America/St_Johns"}
HELD_BACK = (
    (Outcome.SUPPRESSED, Reason.COOLDOWN),
    (Outcome.SUPPRESSED, Reason.CAPPED),
    (Outcome.BELOW_THRESHOLD, Reason.BELOW_THRESHOLD),
)
# Around the day on which clocks change in Berlin; feedback may come a month later, too late to count.
hours = st.integers(min_value=0, max_value=24 * 5)
late_hours = hours | st.integers(min_value=24 * 28, max_value=24 * 36)


def at(hour: int) -> str:
    return datetime.fromtimestamp(1_774_569_600 + hour * 3_600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # 27 March 2026


records = st.tuples(
    hours, st.sampled_from(USERS), st.sampled_from(["parcel", "invoice"]), st.sampled_from([None, *HELD_BACK])
)
answers = st.tuples(
    late_hours,
    st.sampled_from(USERS),
    st.sampled_from(["clicked", "converted", "dismissed", "failed"]),
    st.none() | st.integers(min_value=0, max_value=12),
    st.sampled_from([None, "parcel"]),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(records, max_size=12), st.lists(answers, max_size=12))
def test_sql_counts_what_plain_python_counts(decisions, said):
    with TemporaryDirectory() as folder:
        lines = [
            decided(f"{place:024x}", at(hour), user=user, event_type=kind, **({} if back is None else _back(back)))
            for place, (hour, user, kind, back) in enumerate(decisions)
        ]
        feedback = [
            event(
                f"f{place}",
                f"message.{what}",
                at(hour),
                user,
                **_data(named, kind, handed if what == "failed" else False),
            )
            for place, (hour, user, what, named, kind, handed) in enumerate(said)
        ]
        zones = [event(f"z{user}", "user.updated", at(-1), user, timezone=zone) for user, zone in ZONES.items()]
        files = (write(Path(folder) / "log.jsonl", *lines), write(Path(folder) / "events.jsonl", *zones, *feedback))
        log = read_log(files)
        opened = open_source(Asked(files=files))
        try:
            con = opened.cursor()
            found = dict(con.execute("SELECT id, response FROM decisions WHERE response IS NOT NULL").fetchall())
            assert found == {
                one.decision.id: one.response.name.lower() for one in log.decisions if one.response is not None
            }
            when = con.execute(
                "SELECT id, response_us FROM decisions WHERE response IN ('clicked', 'dismissed', 'failed')"
            )
            told = (Response.CLICKED, Response.DISMISSED, Response.FAILED)
            assert dict(when.fetchall()) == {
                one.decision.id: one.response_us for one in log.decisions if one.response in told
            }
            total = overview.totals(con, Filter()).dicts()[0]
            known = [one for one in log.decisions if _is_known(one, log.until_us)]
            assert total["answered"] == len(known)
            assert total["clicks"] == sum(one.response is Response.CLICKED for one in known)
            by_hour = {row["hour"]: row["decisions"] for row in volume.by(con, Filter(), volume.Dimension.HOUR).dicts()}
            assert by_hour == Counter(_local(one).hour for one in log.decisions)
            by_day = {(row["day"], row["reason"]): row["count"] for row in reasons.over_time(con, Filter()).dicts()}
            back = [one for one in log.decisions if one.decision.reason is not None]
            assert by_day == Counter((_local(one).date(), one.decision.reason.value) for one in back)
        finally:
            opened.close()


def _back(back: tuple[Outcome, Reason]) -> dict:
    return {"outcome": back[0], "reason": back[1]}


def _data(named: int | None, kind: str | None, handed: bool) -> dict:
    return {
        **({} if named is None else {"message_id": f"{named:024x}"}),
        **({} if kind is None else {"event_type": kind}),
        **({"handed_over": True} if handed else {}),
    }


def _is_known(one: Logged, until_us: int) -> bool:
    answered = one.response in (Response.CLICKED, Response.DISMISSED, Response.IGNORED)
    return answered and one.decision.time_us + DAY_US <= until_us


def _local(one: Logged) -> datetime:
    zone = ZoneInfo(ZONES.get(one.decision.user, "UTC"))
    return datetime.fromtimestamp(one.decision.time_us / 1_000_000, zone)
