"""What was decided, what is known, what would be decided; and erasing."""

from __future__ import annotations

import json

import pytest

from botopt.model.silence import Silence
from botopt.runtime.items import Stopping
from botopt.state.opening import open_control
from tests.server.house import KEYS, NOW_US, event


@pytest.fixture(scope="module")
def full(shared):
    """Some decisions about two users."""
    shared.post(
        [event(f"e{number}", user="ada" if number % 2 else "bob", order_id=f"o{number}") for number in range(6)]
    )
    shared.post(event("bad", type="nope", user="eve"))
    return shared


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [decision["event_id"] for decision in answer.json()["decisions"]]


def test_decisions_come_newest_first(full):
    assert ids(full.get("/v1/decisions")) == ["bad", "e5", "e4", "e3", "e2", "e1", "e0"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"user": "ada"}, ["e5", "e3", "e1"]),
        ({"event": "e2"}, ["e2"]),
        ({"event_type": "nope"}, ["bad"]),
        ({"outcome": "rejected"}, ["bad"]),
        ({"reason": "rejected"}, ["bad"]),
        ({"user": "nobody"}, []),
        ({"user": "ada", "outcome": "rejected"}, []),
        ({"since": "2026-03-02T08:00:00Z", "limit": "1"}, ["bad"]),
        ({"until": "2026-03-02T08:00:00Z"}, []),
    ],
)
def test_decisions_are_filtered(full, query, found):
    assert ids(full.get("/v1/decisions", params=query)) == found


def test_pages_follow_each_other_without_a_gap(full):
    found, before = [], None
    for _ in range(10):
        answer = full.get("/v1/decisions", params={"limit": 3, **({"before": before} if before is not None else {})})
        found += ids(answer)
        before = answer.json()["before"]
        if before is None:
            break
    assert found == ["bad", "e5", "e4", "e3", "e2", "e1", "e0"]


def test_lines_are_given_to_who_asks_for_lines(full):
    answer = full.get("/v1/decisions", params={"limit": 2}, headers={"accept": "application/x-ndjson"})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert [json.loads(line)["event_id"] for line in answer.text.splitlines()] == ["bad", "e5"]
    link = answer.headers["link"]
    assert link.startswith("</v1/decisions?")
    following = full.get(link[1 : link.index(">")], headers={"accept": "application/x-ndjson"})
    assert [json.loads(line)["event_id"] for line in following.text.splitlines()] == ["e4", "e3"]


@pytest.mark.parametrize(
    "query",
    [
        {"usr": "ada"},
        {"user": ""},
        {"user": "x" * 257},
        {"user": "a\x00b"},
        {"outcome": "sentt"},
        {"reason": "cold"},
        {"since": "yesterday"},
        {"until": "2026-03-02"},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "ten"},
        {"limit": "-1"},
        {"limit": "\u0661"},
        {"before": "1e3"},
        {"before": str(2**63)},
        [("user", "ada"), ("user", "bob")],
    ],
)
def test_a_filter_that_is_none_is_refused_and_not_left_out(full, query):
    answer = full.get("/v1/decisions", params=query)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:botopt:problem:bad-parameter")


def test_a_misspelt_filter_gets_a_hint(full):
    assert "outcome" in full.get("/v1/decisions", params={"outcom": "sent"}).json()["fix"]


def test_a_user_is_shown_with_decisions_and_messages(full):
    known = full.get("/v1/users/ada").json()
    assert known["state"]["user"] == "ada"
    assert [decision["event_id"] for decision in known["decisions"]] == ["e5", "e3", "e1"]
    assert {message["status"] for message in known["outbox"]} == {"pending"}
    assert "parcel" not in known["outbox"][0]


@pytest.mark.parametrize(
    "path", ["/v1/users/nobody", "/v1/users/ADA", "/v1/users/..%2Fada", "/v1/users/%27%20OR%201%3D1--"]
)
def test_an_unknown_user_is_404(full, path):
    assert full.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/v1/users/", "/v1/users/a%00b", f"/v1/users/{'x' * 257}"])
def test_what_can_be_no_id_is_400(full, path):
    assert full.get(path).status_code == 400


def test_ids_with_slashes_and_other_letters_are_found(live):
    live.post(event("e1", user="team/ada lovelace?#ü"))
    answer = live.get("/v1/users/team%2Fada%20lovelace%3F%23%C3%BC")
    assert (answer.status_code, answer.json()["state"]["user"]) == (200, "team/ada lovelace?#ü")


def test_an_erased_user_is_gone_and_refused_until_subscribed(live):
    live.post([event("e1"), event("e2", user="bob")])
    erase = {"headers": {"x-api-key": KEYS["admin"]}}
    assert live.client.delete("/v1/users/ada", **erase).status_code == 204
    assert ids(live.get("/v1/decisions")) == ["e2"]
    known = live.get("/v1/users/ada").json()
    assert (known["state"]["deleted"], known["outbox"], known["decisions"]) == (True, [], [])
    live.clock.us += 60_000_000
    refused = live.post(event("e3", time="2026-03-02T09:00:30Z"))
    assert (refused.status_code, refused.json()["events"][0]["by"]) == (422, "user.deleted")
    back = event("s1", type="user.subscribed", time="2026-03-02T09:00:40Z")
    assert live.post(back).status_code == 202
    assert live.post(event("e4", time="2026-03-02T09:00:50Z")).status_code == 202


def test_erasing_nobody_is_404_and_a_service_that_cannot_write_503(live):
    assert live.client.delete("/v1/users/nobody", headers={"x-api-key": KEYS["admin"]}).status_code == 404
    live.running.refusal = Stopping()
    assert live.client.delete("/v1/users/nobody", headers={"x-api-key": KEYS["admin"]}).status_code == 503


def test_explain_says_why_and_writes_nothing(live):
    live.post(event("e1"))
    answer = live.post(event("e2"), "read", path="/v1/explain")
    assert answer.status_code == 200
    [explanation] = answer.json()["explanations"]
    assert explanation["decision"]["reason"] == "cooldown"
    assert any(item["stops"] for item in explanation["suppressions"])
    assert ids(live.get("/v1/decisions")) == ["e1"]
    assert live.get("/v1/users/ada").json()["state"]["remembered"]["identities"] == 1


def test_explain_knows_silences(live):
    control = open_control(live.state)
    control.add_silence(
        Silence(id="s1", created_us=NOW_US, until_us=NOW_US + 10**10, events=("payment_failed",), why="x", who="ops")
    )
    control.close()
    [explanation] = live.post(event("e1"), "read", path="/v1/explain").json()["explanations"]
    assert (explanation["decision"]["reason"], explanation["decision"]["by"]) == ("silenced", "s1")


def test_explain_tells_of_duplicates_and_refuses_what_is_no_event(live):
    live.post(event("e1"))
    again = live.post(event("e1"), "read", path="/v1/explain").json()
    assert again["decisions"][0]["reason"] == "duplicate"
    assert live.post(event("e2", type="nope"), "read", path="/v1/explain").status_code == 422
    assert live.post([], "read", path="/v1/explain").status_code == 400
    assert live.post([event("e2"), event("e3")], "read", path="/v1/explain").status_code == 413
