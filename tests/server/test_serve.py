"""`botopt serve` and `botopt status`, from outside."""

from __future__ import annotations

import base64
import json
import signal
import socket
import subprocess
import time
from contextlib import suppress

import pytest
from typer.testing import CliRunner

from botopt.cli.app import app
from botopt.cli.exits import Exit
from botopt.cli.faults import exit_code_of
from botopt.cli.serving import ready_text
from botopt.model.errors import UsageError
from botopt.model.instants import instant_text
from botopt.runtime.clock import now_us
from botopt.server.serving import listen
from tests.server.house import KEYS, add_keys
from tests.server.process import DEADLINE_S, RULES, Process, botopt, workspace
from tests.server.test_clicks import BROWSER

NO_AUTH = ("--no-auth", "--public-url", "http://127.0.0.1:1")


def shipped(id: str = "e1", user: str = "ada") -> dict:
    return {"id": id, "type": "order_shipped", "user": user, "time": instant_text(now_us()), "data": {"order": "A-1"}}


def test_from_an_event_to_a_click(tmp_path):
    with Process(workspace(tmp_path), *NO_AUTH) as live:
        assert "chat (console, tested: local)" in live.ready
        assert "unsafe: anybody on this machine may call" in live.ready
        answer = live.client.post("/v1/events", json=shipped(), params={"wait": "true"})
        assert answer.status_code == 202
        shown = live.wait_for(lambda: next((line for line in live.out if "/c/" in line), ""))
        assert any("Order A-1 is on its way." in line for line in live.out)
        path = shown[shown.index("/c/") :]
        clicked = live.client.get(path, headers=BROWSER)
        assert (clicked.status_code, clicked.headers["location"]) == (302, "https://shop.example/orders/A-1")
        known = live.client.get("/v1/users/ada").json()
        assert known["state"]["messages"][0]["response"] == "clicked"
        live.wait_for(lambda: live.client.get("/v1/users/ada").json()["outbox"][0]["status"] == "delivered")
        assert live.end() == 0
    assert "Traceback" not in "\n".join(live.err)
    told = [json.loads(line) for line in live.err if line.startswith("{")]
    told_of_life = [line["event"] for line in told if line["event"] in {"ready", "ending", "ended"}]
    assert told_of_life == ["ready", "ending", "ended"]
    assert {"decision", "delivery", "request"} <= {line["event"] for line in told}
    with Process(tmp_path, *NO_AUTH) as again:
        assert again.client.get(path, headers=BROWSER).status_code == 302, "links work after a restart"
        assert again.client.post("/v1/events", json=shipped()).json()["events"][0]["status"] == "duplicate"


def test_sigint_ends_it_too_and_an_answer_that_has_begun_is_given(tmp_path):
    with Process(workspace(tmp_path), *NO_AUTH) as live:
        body = json.dumps(shipped()).encode()
        port = int(live.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as slow:
            slow.sendall(b"POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n")
            slow.sendall(b"content-length: %d\r\n\r\n" % len(body) + body[:10])
            live.client.get("/healthz")
            live.process.send_signal(signal.SIGINT)
            deadline = time.monotonic() + DEADLINE_S
            while time.monotonic() < deadline:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                except OSError:
                    break
                time.sleep(0.02)
            slow.sendall(body[10:])
            assert slow.recv(4_096).startswith(b"HTTP/1.1 202")
        assert live.process.wait(DEADLINE_S) == 0


def test_a_second_signal_ends_it_at_once(tmp_path):
    with Process(workspace(tmp_path), *NO_AUTH, "--drain", "1h") as live:
        port = int(live.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as stuck:
            stuck.sendall(
                b"POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
            )
            live.client.get("/healthz")
            deadline = time.monotonic() + DEADLINE_S
            while live.process.poll() is None and time.monotonic() < deadline:  # two at once may count as one
                live.process.send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    live.process.wait(0.1)
            assert live.process.wait(DEADLINE_S) == 130


def test_a_change_is_served_and_one_with_errors_is_refused(tmp_path):
    rules = workspace(tmp_path) / "rules" / "shop.yaml"
    with Process(tmp_path, *NO_AUTH) as live:
        first = live.client.get("/readyz").json()["revision"]
        rules.write_text(RULES.replace("0.9", "0.95"), "utf-8")
        second = live.wait_for(
            lambda: revision if (revision := live.client.get("/readyz").json()["revision"]) != first else ""
        )
        rules.write_text(RULES.replace("shipped", "shiped", 1).replace("weight", "wieght"), "utf-8")
        live.wait_for(lambda: "yes" if live.client.get("/readyz").json()["refused"] else "")
        ready = live.client.get("/readyz")
        assert (ready.status_code, ready.json()["revision"]) == (200, second)
        assert "shop.yaml" in ready.json()["refused"]["findings"][0]
        assert live.client.post("/v1/events", json=shipped()).status_code == 202
        told = botopt("status", "--url", live.url, cwd=tmp_path)
        assert (told.returncode, "refused" in told.stdout, second in told.stdout) == (0, True, True)
        rules.write_text(RULES, "utf-8")
        live.wait_for(lambda: "yes" if live.client.get("/readyz").json()["refused"] is None else "")
        assert live.end() == 0
    events = [json.loads(line)["event"] for line in live.err if line.startswith("{")]
    assert events.count("policy_taken") >= 1
    assert "policy_refused" in events


def test_keys_open_the_door_also_while_it_runs(tmp_path):
    add_keys(workspace(tmp_path) / "state.db", ("ingest",))
    with Process(tmp_path) as live:
        assert "unsafe" not in live.ready
        assert live.client.post("/v1/events", json=shipped()).status_code == 401
        answer = live.client.post("/v1/events", json=shipped(), headers={"x-api-key": KEYS["ingest"]})
        assert answer.status_code == 202
        add_keys(tmp_path / "state.db", ("read",))
        headers = {"x-api-key": KEYS["read"]}
        live.wait_for(lambda: "yes" if live.client.get("/metrics", headers=headers).status_code == 200 else "")
        told = botopt("status", "--url", live.url, "--format", "json", cwd=tmp_path, BOTOPT_API_KEY=KEYS["read"])
        assert json.loads(told.stdout)["counts"]
        told = botopt("status", "--url", live.url, "--format", "json", cwd=tmp_path, BOTOPT_API_KEY=KEYS["ingest"])
        assert json.loads(told.stdout)["no_counts"] == "this needs the scope read, and the key has ingest"
        assert live.end() == 0
    log = "\n".join((*live.out, *live.err))
    assert not any(key.rpartition("_")[2] in log for key in KEYS.values())


def test_two_servers_on_one_state_are_one_too_many(tmp_path):
    with Process(workspace(tmp_path), *NO_AUTH):
        second = botopt("serve", "-w", str(tmp_path), "--port", "0", "--no-auth", cwd=tmp_path)
        assert (second.returncode, "state.db" in second.stderr) == (Exit.STATE, True)


def test_status_looks_into_a_file(tmp_path):
    with Process(workspace(tmp_path), *NO_AUTH) as live:
        live.client.post("/v1/events", json=shipped())
        running = botopt("status", "--state", "state.db", "--format", "json", cwd=tmp_path)
        assert json.loads(running.stdout)["newest_decision"]
        live.end()
    ended = botopt("status", "--state", "state.db", cwd=tmp_path)
    assert (ended.returncode, "newest decision" in ended.stdout) == (0, True)


@pytest.mark.parametrize(
    ("words", "env", "code", "said"),
    [
        ((), {}, Exit.USAGE, "botopt keys add NAME --scope ingest --state state.db"),
        (
            ("--no-auth", "--webhook-origin", "https://a.example"),
            {},
            Exit.USAGE,
            "--webhook-origin is the name of a host",
        ),
        (("--no-auth", "--host", "0.0.0.0"), {}, Exit.USAGE, "--no-auth"),
        (("--no-auth", "--public-url", "bot.example"), {}, Exit.USAGE, "--public-url"),
        (("--no-auth", "--public-url", "https://a:b@bot.example"), {}, Exit.USAGE, "--public-url"),
        (("--no-auth", "--drain", "soon"), {}, Exit.USAGE, "--drain"),
        (("--no-auth", "--keep", "0s"), {}, Exit.USAGE, "--keep"),
        (("--no-auth", "--sns-topic", "events"), {}, Exit.USAGE, "--sns-topic"),
        (("--no-auth", "--host", "nowhere.invalid"), {}, Exit.USAGE, "--no-auth"),
        (("--host", "192.0.2.1"), {}, Exit.USAGE, "192.0.2.1"),
        (("--no-auth", "--log-format", "xml"), {}, Exit.USAGE, "log-format"),
        (("--no-auth", "--state", "rules/shop.yaml"), {}, Exit.STATE, "shop.yaml"),
        ((), {"BOTOPT_WEBHOOK_SECRETS": "whsec_short"}, Exit.USAGE, "secret 1"),
        (("-w", "nowhere", "--no-auth"), {}, Exit.POLICY, ""),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(tmp_path, words, env, code, said, monkeypatch, capsys):
    workspace(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BOTOPT_WEBHOOK_SECRETS", raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["serve", "--port", "0", *words])
    fault = done.exception
    assert fault is not None
    ended = exit_code_of(fault)
    told = done.output + "".join(capsys.readouterr())
    assert (ended, said in told) == (code, True), told
    assert "whsec_short" not in told


def test_a_terminal_is_told_in_lines_and_a_log_in_one():
    said = ("botopt serves", ("chat (console)", "sms (twilio)"), ("anybody may call",))
    assert ready_text(*said, many_lines=False) == (
        "botopt serves; channels: chat (console), sms (twilio); unsafe: anybody may call"
    )
    assert ready_text(*said, many_lines=True).splitlines() == [
        "botopt serves",
        "  channel  chat (console)",
        "  channel  sms (twilio)",
        "  unsafe   anybody may call",
        "  Ctrl-C ends it",
    ]
    assert ready_text("botopt serves", (), (), many_lines=False) == "botopt serves; channels: none"


def test_a_port_that_is_taken_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)):
            listen("127.0.0.1", port)


def test_a_policy_with_errors_is_not_served(tmp_path):
    (workspace(tmp_path) / "rules" / "shop.yaml").write_text(RULES.replace("weight", "wieght"), "utf-8")
    done = botopt("serve", "-w", str(tmp_path), "--no-auth", "--port", "0", cwd=tmp_path)
    assert (done.returncode, "shop.yaml" in done.stdout + done.stderr) == (Exit.POLICY, True)


def test_a_webhook_secret_is_enough_to_start(tmp_path):
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    with Process(workspace(tmp_path), env={"BOTOPT_WEBHOOK_SECRETS": secret}) as live:
        assert live.client.post("/v1/events", json=shipped()).status_code == 401
        assert live.end() == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), Exit.USAGE, "--url"),
        (("--url", "http://127.0.0.1:1"), Exit.FILES, "no connection; does botopt serve run there?"),
        (("--url", "127.0.0.1:8080"), Exit.FILES, "write it as http://127.0.0.1:8080"),
        (("--state", "nowhere.db"), Exit.FILES, "nowhere.db"),
    ],
)
def test_status_of_nothing_is_said(words, code, said, capsys):
    fault = CliRunner().invoke(app, ["status", *words]).exception
    assert fault is not None
    assert exit_code_of(fault) == code
    assert said in capsys.readouterr().err
