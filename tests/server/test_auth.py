"""Who may call: keys with scopes, Standard Webhooks signatures, and the limits on each caller."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from botopt.model.api_keys import RANDOM_BYTES, KeyScope, new_key
from botopt.model.errors import StateError, UsageError
from botopt.model.live import ApiKey
from botopt.server import webhook_signatures
from botopt.server.auth import Door
from botopt.server.limits import Buckets, Limits
from botopt.server.problems import Problem
from botopt.server.site import Settings
from botopt.state.opening import open_control
from tests.server.house import KEYS, MADE, NOW_US, SECRETS, event, house
from tests.server.house import NOW as NOW_TEXT

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"o" * 24).decode()
WRONG = KEYS["ingest"][:-43] + "w" * 43
NOW = datetime.fromtimestamp(NOW_US / 1e6, UTC)


@pytest.fixture(scope="module")
def signed(tmp_path_factory, policy):
    secrets = webhook_signatures.read_secrets(f"{SECRET}, {OLD_SECRET}")
    with house(tmp_path_factory.mktemp("signed"), policy, secrets=secrets, keys=("read",)) as live:
        yield live


def by_official_package(body: bytes, secret: str = SECRET, id: str = "msg_1", at: datetime = NOW) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, at, body.decode()),
    }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Basic YTpi"},
        {"authorization": "Bearer"},
        {"authorization": f"Bearer {WRONG}"},
        {"x-api-key": WRONG},
        {"x-api-key": ""},
        {b"x-api-key": "é".encode()},
        {"x-api-key": "bk_aaaaaaaa_" + "x" * 43},
        {"authorization": "Bearer " + "a" * 10_000},
    ],
)
def test_who_brings_no_good_key_is_401(shared, headers):
    for answer in (
        shared.client.get("/v1/decisions", headers=headers),
        shared.client.post("/v1/events", headers=headers),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "form",
    [
        {"authorization": f"Bearer {KEYS['read']}"},
        {"authorization": f"bearer {KEYS['read']}"},
        {"x-api-key": KEYS["read"]},
    ],
)
def test_a_key_comes_in_either_header(shared, form):
    assert shared.client.get("/v1/decisions", headers=form).status_code == 200


SCOPES = [
    ("POST", "/v1/events", {"ingest", "admin"}),
    ("POST", "/v1/feedback", {"ingest", "admin"}),
    ("GET", "/v1/decisions", {"read", "admin"}),
    ("GET", "/v1/users/ada", {"read", "admin"}),
    ("POST", "/v1/explain", {"read", "admin"}),
    ("DELETE", "/v1/users/ada", {"admin"}),
    ("GET", "/metrics", {"read", "admin"}),
]


@pytest.mark.parametrize(("method", "path", "scopes"), SCOPES)
def test_each_address_asks_for_its_scope(shared, method, path, scopes):
    for name, key in KEYS.items():
        status = shared.client.request(method, path, headers={"x-api-key": key}).status_code
        assert (status == 403) == (name not in scopes), (name, status)
        assert status != 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/c/none"])
def test_some_addresses_are_open(shared, path):
    assert shared.client.get(path).status_code in {200, 404}


def test_metrics_may_be_opened(tmp_path, policy):
    with house(tmp_path, policy, settings=Settings(open_metrics=True)) as live:
        assert live.client.get("/metrics").status_code == 200


def test_revoked_and_expired_keys_are_refused_and_new_ones_taken_while_it_runs(live):
    new, new_text = new_key(b"n" * RANDOM_BYTES, "new", [KeyScope.READ], NOW_US)
    old, old_text = new_key(b"o" * RANDOM_BYTES, "old", [KeyScope.READ], NOW_US, NOW_US)
    control = open_control(live.state)
    assert control.revoke_key(MADE["read"][0].id, NOW_US, "tests")
    control.add_key(new, "tests")
    control.add_key(old, "tests")
    control.close()
    live.site.door.refresh()
    assert live.get("/v1/decisions").status_code == 401
    assert live.client.get("/v1/decisions", headers={"x-api-key": new_text}).status_code == 200
    assert live.client.get("/v1/decisions", headers={"x-api-key": old_text}).status_code == 401


def test_a_key_that_was_just_made_is_taken_at_once(live):
    assert live.client.get("/v1/decisions", headers={"x-api-key": "bk_aaaaaaaa_" + "x" * 43}).status_code == 401
    new, text = new_key(b"n" * RANDOM_BYTES, "new", [KeyScope.READ], NOW_US)
    control = open_control(live.state)
    control.add_key(new, "tests")
    control.close()
    assert live.client.get("/v1/decisions", headers={"x-api-key": text}).status_code == 200


def test_an_unknown_key_is_refused_while_the_state_cannot_be_read():
    class Reader:
        failing = False

        def control_version(self) -> int:
            if self.failing:
                raise StateError("the disk is gone")
            return 1

        def api_keys(self) -> list[ApiKey]:
            return [MADE["read"][0]]

    reader = Reader()
    door = Door(reader, (), lambda: NOW_US, open_to_all=False)
    reader.failing = True
    assert door.by_key({"x-api-key": KEYS["read"]}).id == f"key:{MADE['read'][0].id}"
    with pytest.raises(Problem, match="not one of ours"):
        door.by_key({"x-api-key": KEYS["admin"]})


def test_a_signature_of_the_official_package_will_do(signed):
    body = json.dumps(event()).encode()
    assert signed.client.post("/v1/events", content=body, headers=by_official_package(body)).status_code == 202


def test_the_log_says_that_a_signature_let_somebody_in(tmp_path, policy):
    body = json.dumps(event("signed-log")).encode()
    headers = by_official_package(body, id="msg_log") | {"x-request-id": "signed-log"}
    secrets = webhook_signatures.read_secrets(SECRET)
    # A service of its own: the log of the process goes to the one that was set up last.
    with house(tmp_path, policy, secrets=secrets, keys=()) as signed:
        signed.client.post("/v1/events", content=body, headers=headers)
        deadline = time.monotonic() + 10
        while '"request_id":"signed-log"' not in signed.log.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
        [line] = [line for line in signed.log.getvalue().splitlines() if '"request_id":"signed-log"' in line]
    assert json.loads(line)["caller"] == "webhook"


def test_an_older_secret_works_beside_the_new_one(signed):
    body = json.dumps(event()).encode()
    headers = by_official_package(body, OLD_SECRET, "msg_old")
    assert signed.client.post("/v1/events", content=body, headers=headers).status_code == 202


def test_several_signatures_may_stand_in_the_header(signed):
    body = json.dumps(event()).encode()
    headers = by_official_package(body)
    headers["webhook-signature"] = f"v1a,AAAA v1,AAAA {headers['webhook-signature']}"
    assert signed.client.post("/v1/events", content=body, headers=headers).status_code == 202


def test_webhook_id_is_the_idempotency_key(signed):
    body = json.dumps(event()).encode()
    first = signed.client.post("/v1/events", content=body, headers=by_official_package(body))
    later = by_official_package(body, at=NOW + timedelta(minutes=1))
    again = signed.client.post("/v1/events", content=body, headers=later)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")


@pytest.mark.parametrize("minutes", [-5.02, 5.02])
def test_a_signature_holds_for_five_minutes(signed, minutes):
    body = json.dumps(event()).encode()
    headers = by_official_package(body, at=NOW + timedelta(minutes=minutes))
    assert signed.client.post("/v1/events", content=body, headers=headers).status_code == 401
    headers = by_official_package(body, at=NOW + timedelta(minutes=5 if minutes > 0 else -5))
    assert signed.client.post("/v1/events", content=body, headers=headers).status_code == 202


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-signature": "nonsense"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,%%%"},
        {"webhook-signature": "v1,v1,v1"},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1," + "A" * 4_000},
        {"webhook-signature": " ".join(["v1,AAAA"] * 500)},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": "1e400"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "9" * 300},
        {"webhook-timestamp": ""},
        {"webhook-id": ""},
        {"webhook-id": "other"},
    ],
)
def test_a_malformed_signature_is_401_and_never_500(signed, change):
    body = json.dumps(event()).encode()
    headers = {**by_official_package(body), **change}
    assert signed.client.post("/v1/events", content=body, headers=headers).status_code == 401


def test_what_no_signature_covers_says_nothing_about_an_event(signed):
    """Attributes in `ce-*` headers are not signed: whoever saw one request could make it say something else."""
    body = json.dumps(event("signed-binary")["data"]).encode()
    named = {
        "specversion": "1.0",
        "id": "x",
        "source": "/s",
        "type": "payment_failed",
        "subject": "eve",
        "time": NOW_TEXT,
    }
    headers = by_official_package(body, id="msg_binary") | {f"ce-{name}": text for name, text in named.items()}
    answer = signed.client.post("/v1/events", content=body, headers=headers)
    assert (answer.status_code, "structured" in answer.json()["fix"]) == (415, True)
    assert signed.get("/v1/users/eve").status_code == 404


def test_another_idempotency_key_makes_no_second_request_of_a_signed_one(signed):
    body = json.dumps(event("signed-twice")).encode()
    headers = by_official_package(body, id="msg_twice")
    first = signed.client.post("/v1/events", content=body, headers=headers)
    again = signed.client.post("/v1/events", content=body, headers={**headers, "idempotency-key": "another"})
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")


def test_a_signature_is_for_one_body_and_for_events_only(signed):
    body = json.dumps(event()).encode()
    headers = by_official_package(body)
    assert signed.client.post("/v1/events", content=body + b" ", headers=headers).status_code == 401
    assert signed.client.get("/v1/decisions", headers=headers).status_code == 401


def test_the_vector_of_the_specification():
    keys = webhook_signatures.read_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at_us = 1_614_265_330_000_000
    assert webhook_signatures.verify(keys, headers, b'{"test": 2432232314}', at_us) is None
    assert webhook_signatures.verify(keys, headers, b'{"test": 2432232315}', at_us) is not None


@pytest.mark.parametrize("text", ["hunter2hunter2", "whsec_", "whsec_AAAA", "whsec_???", f"{SECRET} whsk_AAAA"])
def test_a_secret_that_is_none_is_named_by_its_place_and_not_quoted(text):
    with pytest.raises(UsageError) as fault:
        webhook_signatures.read_secrets(text)
    assert "secret 2" in str(fault.value) if " " in text else "secret 1" in str(fault.value)
    wrong = text.split()[-1].removeprefix("whsec_")
    assert not wrong or wrong not in str(fault.value)


def test_without_auth_anybody_may_call(tmp_path, policy):
    with house(tmp_path, policy, open_to_all=True, keys=()) as live:
        assert live.post(event(), None).status_code == 202
        assert live.client.delete("/v1/users/ada").status_code == 204


def test_a_callers_rate_counts_events_and_says_when_to_come_again():
    now = 1_000.0
    buckets = Buckets(2.0, lambda: now)
    for _ in range(20):
        buckets.take("a")
    with pytest.raises(Problem) as fault:
        buckets.take("a")
    assert (fault.value.status, fault.value.headers["retry-after"]) == (429, "1")
    buckets.take("b")
    now += 0.5
    buckets.take("a")
    buckets.owe("a", 99)
    now += 10
    with pytest.raises(Problem) as fault:
        buckets.take("a")
    assert fault.value.headers["retry-after"] == "40"


def test_over_the_rate_is_429(tmp_path, policy):
    with house(tmp_path, policy, settings=Settings(limits=Limits(rate=0.01))) as live:
        assert live.post(event("e1")).status_code == 202
        answer = live.post(event("e2"))
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)
        assert live.get("/v1/decisions").status_code == 200


def test_secrets_of_keys_are_not_in_the_state_file(live):
    live.running.service.status()
    data = b"".join(path.read_bytes() for path in live.state.parent.glob("state.db*"))
    assert not any(secret.encode() in data for secret in SECRETS.values())


def test_without_auth_only_names_of_this_machine_are_answered(tmp_path, policy):
    settings = Settings(public_url="https://bot.example/botopt")
    with house(tmp_path, policy, open_to_all=True, keys=(), settings=settings) as live:
        for host, status in {
            "127.0.0.1:8080": 200,
            "localhost": 200,
            "[::1]:8080": 200,
            "BOT.example": 200,
            "evil.example": 403,
            "127.0.0.1.evil.example": 403,
            "": 403,
        }.items():
            assert live.client.get("/v1/decisions", headers={"host": host}).status_code == status, host
