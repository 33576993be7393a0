"""A service that runs: the same is seen over HTTP and in its state file."""

from __future__ import annotations

import pytest

from botopt.dashboard.asked import Asked
from botopt.dashboard.queries import people
from botopt.dashboard.queries.asking import Filter
from botopt.dashboard.store import service_source
from botopt.dashboard.store.opening import open_source, problems
from botopt.model.errors import InputError
from botopt.model.instants import instant_text
from botopt.runtime.clock import now_us
from tests.server.process import Process, botopt, workspace


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    with Process(workspace(folder), "--no-auth") as running:
        now = instant_text(now_us())
        sent = [
            {"id": f"e{place}", "type": "order_shipped", "user": user, "time": now, "data": {"order": f"A-{place}"}}
            for place, user in enumerate(("ada", "bo", "ada"))
        ]
        zone = {"id": "z", "type": "user.updated", "user": "ada", "time": now, "data": {"timezone": "Asia/Tokyo"}}
        assert running.client.post("/v1/events", json=[zone, *sent], params={"wait": "true"}).status_code == 202
        first = running.client.get("/v1/decisions", params={"event": "e0"}).json()["decisions"][0]["id"]
        said = {"id": "c", "type": "message.clicked", "user": "ada", "time": now, "data": {"message_id": first}}
        assert running.client.post("/v1/events", json=said, params={"wait": "true"}).status_code == 202
        yield running, folder, first


def _seen(asked: Asked) -> tuple[dict, list]:
    opened = open_source(asked)
    try:
        con = opened.cursor()
        rows = con.execute("SELECT id, event_type, response, hour FROM decisions ORDER BY id").fetchall()
        assert people.timeline(con, "ada", Filter()).rows
        return {row[0]: row[1:] for row in rows}, list(problems(con))
    finally:
        opened.close()


def test_a_service_and_its_state_file_show_the_same(live):
    running, folder, clicked = live
    over_http, faults = _seen(Asked(url=running.url))
    assert faults == []
    assert len(over_http) == 3
    assert over_http[clicked][1] == "clicked"
    assert sorted(row[1] for row in over_http.values()) == ["clicked", "pending", "pending"]
    assert _seen(Asked(state=folder / "state.db")) == (over_http, [])


def test_all_pages_of_a_service_are_fetched(live, monkeypatch):
    monkeypatch.setattr(service_source, "_PAGE", 2)
    assert len(_seen(Asked(url=live[0].url))[0]) == 3


def test_what_was_not_fetched_is_said(live, monkeypatch):
    monkeypatch.setattr(service_source, "_PAGE", 1)
    monkeypatch.setattr(service_source, "MOST_DECISIONS", 2)
    monkeypatch.setattr(service_source, "MOST_USERS", 1)
    found, faults = _seen(Asked(url=live[0].url))
    assert len(found) == 2
    assert any("older decisions" in words for words, _, _ in faults)


def test_a_key_that_is_not_taken_is_said_with_the_way_out(tmp_path):
    botopt("keys", "add", "shop", "--scope", "ingest", "--state", "state.db", cwd=workspace(tmp_path))
    with (
        Process(tmp_path) as running,
        pytest.raises(InputError, match="does not take the key: it needs the scope read"),
    ):
        open_source(Asked(url=running.url, key="bk_nobody"))
