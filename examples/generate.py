"""Writes examples/events.jsonl: a week of an internet provider, with good days, bad days and bad lines.

`python examples/generate.py > examples/events.jsonl` recreates the file byte for byte. Times are those of the user's
own clock; `then="clicked 2"` adds what the user does with the message two minutes later. Add a story and try it.
"""  # noqa: INP001

import json
import random
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = "thu fri sat sun mon tue wed".split()  # 2025-06-05 to 2025-06-11
USERS = [line.split(", ") for line in """\
Emma Clarke, pro, Europe/London, en; Jonas Weber, pro, Europe/Berlin, de; Priya Sharma, vip, Asia/Kolkata, hi
Lukas Gruber, free, Europe/Vienna, de-AT; Camille Laurent, free, Europe/Paris, fr; Tom Ray, free, America/New_York, en
Aarav Patel, pro, Asia/Kolkata, hi; Chidi Okafor, pro, Africa/Lagos, en; Sabine Krüger, free, Europe/Berlin, de
Mehmet Kaya, pro, Europe/Berlin, de; Karin Vogel, free, Europe/Berlin, de; Florian Huber, free, Europe/Vienna, de-AT
Peter Lang, free, Europe/Zurich, de; Beatriz Souza, pro, America/Sao_Paulo, en; Rahul Verma, free, Asia/Kolkata, hi
Olivia Martin, vip, Australia/Sydney, en; Nora Fischer, free, Europe/Berlin, de; Tom Becker, free, Europe/Berlin, de
Grace Tan, pro, Asia/Singapore, en; Julien Moreau, pro, Europe/Paris, fr; Anjali Gupta, pro, Asia/Kolkata, hi
Dan Kim, free, America/Los_Angeles, en; Hannah Wolf, pro, Europe/Berlin, de; Vikram Singh, free, Asia/Kolkata, hi
Amélie Petit, free, Europe/Paris, fr; Ben Carter, free, Europe/London, en; Lea Bauer, free, Europe/Vienna, de-AT
Sarah Lee, pro, America/New_York, en; Ngozi Eze, free, Africa/Lagos, en; Max Richter, vip, Europe/Berlin, de
""".strip().replace("\n", "; ").split("; ")]  # fmt: skip
DICE = random.Random(15)  # noqa: S311 - only random() is used: it is the same in every Python

lines: list[tuple[datetime, int, str]] = []  # when a line arrives, a number to keep their order, the line


def moment(user: int, when: str) -> datetime:
    """`fri 22:30` or `fri 22:30:15` on the user's clock."""
    day, clock = when.split()
    local = datetime.fromisoformat(f"2025-06-{5 + DAYS.index(day):02} {clock}")
    return local.replace(tzinfo=ZoneInfo(USERS[user - 1][2])).astimezone(UTC)


def utc(at: datetime) -> str:
    """As events write times."""
    return at.isoformat().replace("+00:00", "Z")


def event(user: int, kind: str, at: datetime, data: object) -> dict[str, object]:
    """An event as botopt takes it, or as CloudEvents write it where the name is one of theirs."""
    number, name = f"{len(lines) + 1:04}", f"user{user}"
    if kind.startswith("com."):
        envelope = {"specversion": "1.0", "id": number, "source": "/billing", "type": kind, "subject": name}
        return {**envelope, "time": utc(at), "data": data}
    return {"id": f"evt-{number}", "type": kind, "user": name, "time": utc(at), "data": data}


def put(arrives: datetime, line: object) -> None:
    """An event, or a text that is none, comes in at that time."""
    lines.append((arrives, len(lines), line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)))


def say(user: int, when: str, kind: str, then: str = "", /, arrives: str = "", **data: object) -> None:
    """An event of the user, and perhaps what the user does with the message."""
    at = moment(user, when) + timedelta(seconds=between(0, 59) if len(when) < 10 else 0)
    put(moment(user, arrives) if arrives else at, event(user, kind, at, data))
    if then:
        action, minutes = then.split()
        later = at + timedelta(minutes=int(minutes))
        put(later, event(user, f"message.{action}", later, {"event_type": kind}))


def between(low: int, high: int) -> int:
    """A whole number, both ends included."""
    return low + int(DICE.random() * (high - low + 1))


def payments() -> None:
    """Money: a first failure, the same again, paid in between, nothing to gain, other currencies, other systems."""
    say(1, "thu 10:12:42", "payment_failed", "clicked 2", amount=649, order_id="O-20417")
    say(1, "thu 10:31:10", "payment_failed", amount=649, order_id="O-20417", attempts=2)
    say(1, "thu 10:33:51", "payment_succeeded", order_id="O-20417", amuont=649)  # `amuont`: nobody declared that
    say(2, "thu 11:34:30", "payment_succeeded", order_id="O-20418", amuont=89.5)
    say(2, "thu 11:33:02", "payment_failed", arrives="thu 11:35", amount=89.5, order_id="O-20418")
    say(20, "thu 11:36:10", "payment_failed", amount=45, order_id="O-20419", reason="bank unavailable, try again")
    say(3, "thu 15:10", "payment_failed", "converted 4", amount=4999, currency="INR", order_id="O-20421", attempts=3)
    say(23, "thu 12:40", "com.acme.billing.PaymentFailed", amount=259.9, order_id="O-20440", attempts=3)
    say(23, "thu 12:52", "com.acme.billing.PaymentSucceeded", order_id="O-20440", amuont=259.9)
    say(1, "thu 15:20", "payment_failed", "clicked 3", amount=24.9, order_id="O-20455")
    say(8, "thu 16:30", "card_expiring", "clicked 40", card="4242", days_left=6)
    say(4, "thu 23:30", "payment_failed", "clicked 530", amount=119, order_id="O-20430")  # held until eight
    say(3, "sat 23:40", "payment_failed", amount=12500, currency="INR", order_id="O-20488")  # too large to wait
    say(4, "wed 23:10:07", "payment_failed", amount=89, order_id="O-20699")  # still held when the file ends
    for number, day in enumerate(("thu", "fri", "sat", "mon", "tue")):  # too often: time for a person
        say(5, f"{day} 17:0{number}", "payment_failed", "clicked 6", amount=79 + number, order_id=f"O-205{number}0")


def habits() -> None:
    """An outage silences small news; Peter ignores everything, Beatriz clicks; Rahul gets too much on one day."""
    for user, then in ((2, "dismissed 9"), (9, ""), (10, "clicked 3"), (11, "")):  # 11 hears of it when it is over
        data = {"area": "Leipzig-Süd", "services": ["Internet", "TV"], "households": 3400}
        say(user, f"fri 19:2{user % 10}", "service_outage", then, arrives="fri 21:52" if user == 11 else "", **data)
        say(user, f"fri 19:5{user % 10}", "router_offline", minutes=34)
        say(user, f"fri 20:3{user % 10}", "slow_connection", mbps=4, promised=100)
        say(user, "fri 21:40", "outage_resolved", area="Leipzig-Süd")
    for hour, day in enumerate(DAYS, start=14):
        late = {"eta": "2025-06-16T10:00:00Z", "days_late": 4}
        say(13, f"{day} 12:15", "parcel_delayed", tracking=f"AC-1060{hour}", **late)
        say(13, f"{day} {hour}:05", "payment_failed", amount=560, order_id=f"O-206{hour}")
        say(14, f"{day} {hour}:20", "parcel_delayed", "clicked 5", tracking=f"AC-1070{hour}", **late)
        say(14, f"{day} {hour}:40", "slow_connection", "clicked 4", mbps=41, promised=100)
    say(15, "thu 15:01", "user.subscribed", category="marketing")
    say(15, "fri 09:30", "feature_tip", "clicked 3", feature="Acme Guard")
    say(15, "fri 10:15", "router_offline", minutes=140)
    say(15, "fri 12:00", "appointment_booked", appointment_id="T-3310", starts_at=utc(moment(15, "tue 10:00")))
    say(15, "fri 13:00", "parcel_waiting", tracking="AC-108001", shop={}, pickup_by="2025-06-14T12:00:00Z")
    say(15, "fri 17:00", "payment_failed", amount=799, currency="INR", order_id="O-20470")
    for day in ("fri", "sun", "mon", "tue", "wed"):
        say(15, f"{day} 11:00", "plan_upgrade", discount=0.25)


def rights() -> None:
    """Alarms at night; yes and no to offers; leaving and coming back; messages that fail; lines twice and late."""
    say(21, "wed 13:20", "technician_late", appointment_id="T-3402", minutes_late=25, technician="Meera Iyer")
    say(12, "fri 01:30", "appointment_reminder", appointment_id="T-3301", starts_at=utc(moment(12, "fri 07:30")))
    for minute in ("05", "21", "40"):
        say(16, f"sat 02:{minute}", "login_unusual", at=utc(moment(16, f"sat 02:{minute}")), city="KYIV")
    say(16, "sat 03:00", "password_changed", device="unknown browser")
    say(30, "sat 10:00", "password_reset_requested")
    say(30, "sat 10:04", "password_changed", device="Pixel 8")
    say(22, "fri 13:40", "security_checkup", days_since=400)
    say(17, "thu 14:00", "feature_tip", feature="Acme Guard")
    say(17, "thu 14:05", "user.subscribed", category="marketing")
    say(17, "fri 10:00", "feature_tip", "converted 2", feature="Acme Map")
    say(17, "fri 11:00", "user.unsubscribed", channel="sms")
    say(17, "sat 09:00", "user.unsubscribed", category="marketing")
    say(17, "mon 09:30", "plan_upgrade", discount=0.3)
    say(18, "thu 13:30", "invoice_due", invoice_id="R-0518", amount=59, due_at="2025-06-12T20:00:00Z")
    say(18, "fri 09:00", "user.deleted")
    say(18, "fri 09:10", "invoice_paid", invoice_id="R-0518")
    say(18, "mon 08:30", "user.subscribed")
    say(18, "mon 08:31", "account_created")
    for minute, then in (("10", "failed 1"), ("15", "clicked 6")):  # a message that failed counts nowhere
        pickup = {"shop": {"name": "Orchard Kiosk"}, "pickup_by": "2025-06-12T10:00:00Z", "reminder": 2}
        say(19, f"fri 13:{minute}", "parcel_waiting", then, tracking="AC-109200", **pickup)
    say(22, "fri 11:59", "router_offline", arrives="mon 09:30", minutes=55)  # three days late ...
    put(*lines[-1][::2])  # ... and twice


def everyday() -> None:
    """What happens to everybody else: parcels, invoices, visits, and now and then the line."""
    for user in (user for user in range(1, 31) if user not in (13, 14, 15, 18)):
        hour, minute, days = between(10, 18), between(10, 45), DAYS[between(1, 2) :]
        likes = "clicked 11" if between(1, 100) <= 60 else ""
        visit = {"appointment_id": f"T-34{user:02}", "starts_at": utc(moment(user, f"wed {hour}:00"))}
        parcel, eta = {"tracking": f"AC-20{user:04}"}, utc(moment(user, f"{days[2]} 12:00"))
        currency, factor = ("INR", 30) if "Kolkata" in USERS[user - 1][2] else ("EUR", 1)
        bill = {"invoice_id": f"R-06{user:02}", "amount": between(19, 89) * factor, "currency": currency}
        say(user, f"{days[0]} {hour}:{minute}", "parcel_shipped", likes, **parcel, items=["Router", "Cube"], eta=eta)
        if user % 3 == 0:
            say(user, f"{days[1]} {hour}:20", "parcel_delayed", likes, **parcel, eta=eta, days_late=between(1, 4))
            say(user, f"tue {hour}:{minute}", "appointment_cancelled", appointment_id=visit["appointment_id"])
        say(user, f"{days[2]} {hour}:25", "courier_near", **parcel, minutes=between(5, 25))
        say(user, f"{days[2]} {hour}:50", "parcel_delivered", **parcel)
        say(user, f"{days[1]} {between(10, 23)}:05", "invoice_due", **bill, due_at="2025-06-10T18:00:00Z")
        if user % 4:
            say(user, f"mon {between(10, 23)}:15", "invoice_paid", invoice_id=bill["invoice_id"])
        say(user, f"wed {hour}:30", "invoice_due", **bill, due_at="2025-06-10T18:00:00Z", overdue=True)
        say(user, f"mon {hour}:{minute}", "appointment_booked", likes, **visit)
        say(user, f"wed {hour - 2:02}:40", "appointment_reminder", "" if user % 3 == 0 else likes, **visit)
        say(user, f"tue {between(7, 21):02}:30", "router_offline", minutes=between(5, 180))
        say(user, f"sun {between(8, 22):02}:{minute}", "slow_connection", mbps=between(15, 80), promised=100)
        if user % 4 == 0:
            say(user, f"{days[0]} 08:30", "user.subscribed", category="marketing")
            say(user, f"tue {hour}:10", "feature_tip", feature="Acme Kids")
        if user >= 24:
            say(user, "thu 17:30", "account_created")
            for day in ("fri", "sat", "mon"):
                say(user, f"{day} 12:{minute}", "setup_incomplete", steps_left=2, steps=["App", "PIN"])
            say(user, f"{days[2]} 19:00", "setup_completed")


def mistakes() -> None:
    """Lines that are no event, or not one that anybody declared: each has one thing wrong with it."""
    at = moment(7, "fri 15:00")
    good = json.dumps(event(7, "payment_failed", at, {"amount": 42, "order_id": "O-1"}) | {"id": "bad"})
    wrong = [('-1"}}', ""), ('"id": "bad", ', ""), ("42", '"42"'), ("42", "NaN"), ("failed", "faild"), ("2025", "1970")]
    wrong += [("00Z", "00"), (good, "[1, 2, 3]"), ('"amount": 42', '"amount": 42, "amount": 24'), ("O-1", "\\ud83d")]
    wrong += [("42", '42, "currency": "GBP"'), ('"user": "user7", ', ""), ("42", "-42")]
    for number, (old, new) in enumerate(wrong):
        put(at + timedelta(minutes=number), good.replace(old, new).replace("bad", f"bad-{number}"))
    say(7, "fri 15:40", "user.updated", timezone="Europe/Berlim")
    say(7, "fri 15:41", "message.clicked", message_id="5f1d0c7a9b3e2468ace01357")


if __name__ == "__main__":
    for number, (name, plan, timezone, locale) in enumerate(USERS, start=1):
        known = {"name": name, "plan": plan, "timezone": timezone, "locale": locale, "autopay": number % 7 == 0}
        at_six = datetime(2025, 6, 5, 6, number, tzinfo=UTC)
        put(at_six, event(number, "user.updated", at_six, known))
    for tell in (payments, habits, rights, everyday, mistakes):
        tell()
    sys.stdout.buffer.write("".join(f"{line}\n" for *_, line in sorted(lines)).encode())
