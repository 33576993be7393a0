"""What `botopt status` says to people, from what a service says to machines."""

from __future__ import annotations

from botopt.cli.status_view import lines

TOLD = {
    "ready": True,
    "revision": "65c1deec05f25d51",
    "since": "2026-03-01T09:00:00Z",
    "notices": ["the state remembers 7d, and 9d are wanted"],
    "refused": {"at": "2026-03-01T10:00:00Z", "findings": ["a.yaml:1:1 B101 one", "two, and\n  three"]},
    "newest_commit": None,
    "queue": 3,
    "queue_limit": 20_000,
    "held": 1,
    "silences": 2,
    "outbox": {"chat/dead": 1, "chat/pending": 1200, "gone/pending": 2},
    "circuits": {"chat": "open", "log": "closed", "sms": "half_open"},
    "uptime_seconds": 4000,
    "counts": {
        'botopt_decisions_total{event_type="paid",outcome="sent"}': 1400.0,
        'botopt_decisions_total{event_type="paid",outcome="held"}': 2.0,
        'botopt_suppressed_total{event_type="paid",reason="cooldown"}': 5.0,
        'botopt_deliveries_total{channel="chat",result="delivered"}': 7.0,
    },
}
REFUSED = "a change of 2026-03-01T10:00:00Z has errors, and is not served; `botopt validate` shows them whole"


def test_a_service_is_told_in_lines_for_people():
    assert list(lines(TOLD)) == [
        "ready; it runs for 1h6m",
        "revision         65c1deec05f25d51",
        "since            2026-03-01T09:00:00Z",
        "queue            3 events of at most 20,000",
        "held             1 message",
        f"refused          {REFUSED}",
        "                 a.yaml:1:1 B101 one",
        "                 two, and",
        "                   three",
        "channel          chat: stopped after failures, tried again in 5 minutes at most; 1 dead, 1,200 pending",
        "channel          gone: not in the policy; 2 pending",
        "channel          log: works",
        "channel          sms: stopped after failures, one message tries whether it is back",
        "silences         2",
        "decided          paid: 1,400 sent, 2 held",
        "not sent         paid: 5 cooldown",
        "attempts         chat: 7 delivered",
        "notice           the state remembers 7d, and 9d are wanted",
    ]


def test_a_service_that_is_not_ready_says_why():
    assert next(lines({"ready": False, "detail": "it is ending"})) == "not ready: it is ending"
    assert next(lines({"ready": False})) == "not ready: it does not say why"


def test_a_key_that_is_refused_is_told():
    told = {"ready": True, "no_counts": "this needs the scope read, and the key has ingest"}
    assert list(lines(told)) == ["ready", "no numbers       this needs the scope read, and the key has ingest"]


def test_a_file_knows_no_breakers():
    silences = [{"id": "qomfyl", "until": "2026-03-01T09:00:00Z", "events": []}]
    assert list(lines({"held": 0, "keys": 2, "outbox": {"chat/dead": 1}, "silences": silences})) == [
        "held             0 messages",
        "keys             2",
        "channel          chat: 1 dead",
        "silence          qomfyl until 2026-03-01T09:00:00Z: everything",
    ]
