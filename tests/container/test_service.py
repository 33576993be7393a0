"""`botopt serve` in the image, as an engine would run it: made ready, asked, stopped, and started again. Slow.

The image is the one of `test_image.py`: `make image-test`.
"""

from __future__ import annotations

import base64
import json
import re
import signal
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from botopt.cli.app import app
from tests.cli.running import botopt
from tests.container.asked import skip_unless_asked
from tests.container.reading import mounted
from tests.container.running import Answer, Container, Image, volumes

skip_unless_asked()
pytestmark = pytest.mark.skipif(
    "serve" not in typer.main.get_command(app).commands,  # type: ignore[attr-defined]
    reason="this checkout has no botopt serve yet",
)

STATE = "/var/lib/botopt/state.db"
TAKEN = 202
"""What is said to an event that is on the disk."""
POLICY = {
    "rules/rules.yaml": """\
channels:
  chat: {type: console}
events:
  payment_failed:
    fields:
      amount: {type: number, min: 0}
    weight: 0.70
    message: payment_failed
suppression:
  - {id: not-twice, cooldown: 6h}
""",
    "templates/templates.yaml": """\
templates:
  payment_failed:
    variants:
      only:
        text: {en: "Your payment of {{ amount }} failed."}
    samples:
      - {amount: 42}
""",
}


@pytest.fixture
def config_map(tmp_path) -> Path:
    """A policy, mounted as Kubernetes mounts a ConfigMap."""
    folder = mounted(tmp_path / "config", "2026_01", POLICY)
    folder.chmod(0o755)
    return folder


@pytest.fixture
def start(image: Image, config_map: Path, volume: Path, tmp_path: Path) -> Callable[..., Container]:
    """Starts the image, on one and the same volume; without arguments its own command."""
    started: list[None] = []

    def one_more(*args: str, **environment: str) -> Container:
        started.append(None)
        log = tmp_path / f"log-{len(started)}"
        return Container(image, volumes(config_map, volume), *args, environment=environment, log=log)

    return one_more


ADD_KEY = ("keys", "add", "--state", STATE, "--scope", "ingest", "--scope", "read", "shop")


def headers_of(said: str) -> Mapping[str, str]:
    """What to send with a key that was printed."""
    [key] = re.findall(r"\bbk_[a-z0-9]+_[\w-]+", said)
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


@pytest.fixture
def headers(start) -> Mapping[str, str]:
    """With a key that was made before the first start, on an empty volume."""
    with start(*ADD_KEY) as container:
        assert container.wait() == 0, container.said()
        return headers_of(container.said())


def event(id: str, user: str) -> bytes:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"id": id, "type": "payment_failed", "user": user, "time": now, "data": {"amount": 42}}).encode()


def send(container: Container, headers: Mapping[str, str], id: str, user: str, body: bytes = b"") -> Answer:
    answer = container.ask("POST", "/v1/events?wait=true", body or event(id, user), headers)
    assert answer is not None, container.said()
    return answer


def stop(container: Container) -> None:
    container.signal(signal.SIGTERM)
    assert container.wait(timeout=40) == 0, container.said()


def test_an_event_is_decided_and_known_after_a_restart(start, headers):
    with start() as container:
        container.wait_for("/readyz")
        answer = send(container, headers, "e1", "ada")
        assert (answer.status, '"sent"' in answer.text) == (TAKEN, True), answer
        stop(container)
    with start() as container:
        container.wait_for("/readyz")
        answer = send(container, headers, "e2", "ada")
        assert (answer.status, "cooldown" in answer.text) == (TAKEN, True), answer
        known = container.ask("GET", "/v1/users/ada", headers=headers)
        assert known is not None
        assert known.status == 200, known
        stop(container)


def test_the_health_check_of_the_image_passes_while_it_serves(start, headers, image):
    with start() as container:
        container.wait_for("/healthz")
        [_, *command] = image.settings["Healthcheck"]["Test"]  # type: ignore[index]
        assert container.run(*command).returncode == 0
        stop(container)


def test_a_key_that_is_made_while_it_serves_opens_the_door(start):
    """The way in on Kubernetes: signed events to begin with, and keys by `kubectl exec`."""
    secret = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    with start(BOTOPT_WEBHOOK_SECRETS=secret) as container:
        container.wait_for("/readyz")
        wrong = {"Authorization": "Bearer bk_nobody_" + "x" * 40, "Content-Type": "application/json"}
        assert send(container, wrong, "e1", "ada").status == 401
        made = container.run("botopt", *ADD_KEY)
        assert made.returncode == 0, made.stderr
        headers = headers_of(made.stdout)
        deadline = time.monotonic() + 30
        while send(container, headers, "e1", "ada").status != TAKEN:
            assert time.monotonic() < deadline, container.said()
            time.sleep(0.1)
        assert secret not in container.said()
        stop(container)


def test_a_second_container_on_the_same_volume_refuses_and_leaves_the_first_alone(start, headers):
    with start() as first:
        first.wait_for("/readyz")
        with start() as second:
            assert second.wait(timeout=60) == 8, second.said()
            assert "Traceback" not in second.said()
        assert send(first, headers, "e1", "ada").status == TAKEN
        stop(first)


def test_a_state_is_backed_up_while_it_serves_restored_and_brought_up_to_date_without_sending(start, headers, volume):
    since = event("e2", "bob")
    with start() as container:
        container.wait_for("/readyz")
        assert send(container, headers, "e1", "ada").status == TAKEN
        copied = container.run("botopt", "state", "backup", "--state", STATE, "/var/lib/botopt/copy.db")
        assert copied.returncode == 0, copied.stderr
        assert send(container, headers, "e2", "bob", since).status == TAKEN
        stop(container)
    assert {path.name for path in volume.iterdir()} - {"cache"} == {"copy.db", "state.db"}, "one file at rest"
    (volume / "copy.db").rename(volume / "state.db")
    with start() as container:
        container.wait_for("/readyz")
        known = container.run("botopt", "state", "list", "--state", STATE, "--format", "json").stdout
        assert [json.loads(line)["user"] for line in known.splitlines()] == ["ada"], "bob came after the backup"
        stop(container)
    (volume / "since.jsonl").write_bytes(since + b"\n")
    out = "/var/lib/botopt/replayed.jsonl"
    with start("replay", "/var/lib/botopt/since.jsonl", "--state", STATE, "--out", out) as container:
        assert container.wait() == 0, container.said()
    with start() as container:
        container.wait_for("/readyz")
        answer = send(container, headers, "e2", "bob", since)
        assert "duplicate" in answer.text, answer
        assert "Your payment of" not in container.said(), "nothing was sent"
        stop(container)


def test_a_changed_config_map_is_taken_up_without_a_restart(start, headers, config_map):
    with start() as container:
        container.wait_for("/readyz")
        first = container.first()
        mounted(config_map, "2026_02", {name: text.replace("0.70", "0.75") for name, text in POLICY.items()})
        revision = botopt("validate", "-w", config_map).stdout.split()[-1]
        container.wait_for("/readyz", saying=f'"{revision}"')
        assert container.first() == first
        stop(container)


def test_a_broken_config_map_is_refused_and_the_last_good_one_serves(start, headers, config_map):
    with start() as container:
        container.wait_for("/readyz")
        mounted(config_map, "2026_02", {**POLICY, "rules/rules.yaml": "events: {payment_failed: {weight: heavy}}\n"})
        container.wait_for("/readyz", saying='"refused":{')
        assert send(container, headers, "e1", "ada").status == TAKEN
        stop(container)


def test_no_key_and_no_text_of_a_message_is_in_what_it_prints_about_itself(start, headers):
    with start() as container:
        container.wait_for("/readyz")
        assert send(container, headers, "e1", "ada").status == TAKEN
        stop(container)
        logged = [line for line in container.said().splitlines() if line.startswith("{")]
        assert logged, container.said()
        for line in logged:
            json.loads(line)
            assert headers["Authorization"].rpartition(" ")[2] not in line
            assert "Your payment of" not in line


def test_it_says_how_much_memory_it_takes_and_how_long_it_needs(start, headers, capsys):
    begun = time.monotonic()
    with start() as container:
        container.wait_for("/readyz")
        ready = time.monotonic() - begun
        status = Path(f"/proc/{container.first()}/status").read_text()
        resident = int(re.findall(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)[0]) / 1024
        with capsys.disabled():
            print(f"\nready {ready:.1f} s after its start; idle it takes {resident:.0f} MB of memory")
        assert resident < 120
        stop(container)
