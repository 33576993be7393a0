"""The example package is built and installed for real, and a policy uses it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.delivery.peers import Reply, answering, peer

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "channel-package"
RULES = """\
user:
  topic: {type: text, optional: true}

channels:
  push: {type: ntfy, url: "http://127.0.0.1:PORT/", token: "${NTFY_TOKEN}", to: user.topic}

events:
  payment_failed:
    weight: 0.70
    message: payment_failed
    channel: push
"""
SEND = """\
import os, sys
from pathlib import Path
from botopt.delivery.making import make_channel
from botopt.delivery.registry import CHANNEL_TYPES
from botopt.loading.policy import load_policy
from tests.delivery.messages import surroundings, with_buttons

channel = load_policy(Path(sys.argv[1]), channel_types=CHANNEL_TYPES).policy.channels["push"]
made = make_channel(channel, surroundings(timeout_s=10), os.environ)
print(made.send(with_buttons(address="u1-topic")))
made.close()
"""


def run(words: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "300", "BOTOPT_CACHE_DIR": str(folder / "cache"), **environment}
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, env=env, timeout=120, check=False)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example is installed, offline."""
    folder = tmp_path_factory.mktemp("package")
    source = shutil.copytree(EXAMPLE, folder / "source")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    words = [sys.executable, "-m", "pip", "install", *options, "--target", str(folder / "there"), str(source)]
    done = run(words, folder)
    assert done.returncode == 0, done.stderr
    return folder / "there"


def workspace(folder: Path, port: int = 9) -> Path:
    (folder / "rules").mkdir()
    (folder / "templates").mkdir()
    (folder / "rules" / "a.yaml").write_text(RULES.replace("PORT", str(port)))
    (folder / "templates" / "t.yaml").write_text("templates:\n  payment_failed: Your payment failed.\n")
    return folder


def paths(*folders: Path) -> Mapping[str, str]:
    return {"PYTHONPATH": os.pathsep.join(map(str, (*folders, ROOT)))}


def test_a_policy_that_uses_it_is_valid(installed: Path, tmp_path: Path):
    folder = workspace(tmp_path)
    validate = [sys.executable, "-m", "botopt", "validate"]
    before = run(validate, folder, **paths())
    assert before.returncode == 3
    assert 'B102 error: unknown channel type "ntfy"' in before.stdout + before.stderr
    assert "is the package that brings another one installed?" in before.stdout + before.stderr
    after = run(validate, folder, **paths(installed))
    assert after.returncode == 0, after.stdout + after.stderr
    again = run(validate, folder, **paths())
    assert again.returncode == 3, "what was found with the package must not be remembered without it"


def test_its_options_are_checked_like_those_of_ours(installed: Path, tmp_path: Path):
    folder = workspace(tmp_path)
    rules = folder / "rules" / "a.yaml"
    rules.write_text(rules.read_text().replace('"${NTFY_TOKEN}"', "tk_s3cr3t").replace("url:", "ulr:"))
    done = run([sys.executable, "-m", "botopt", "validate"], folder, **paths(installed))
    said = done.stdout + done.stderr
    assert "B124 error: the value of token is a secret" in said
    assert 'B101 error: unknown key "ulr"' in said
    assert "tk_s3cr3t" not in said


def test_it_sends(installed: Path, tmp_path: Path):
    with peer(answering(lambda _: Reply(200, b'{"id": "sPs71M8A2T"}'))) as there:
        folder = workspace(tmp_path, there.port)
        words = [sys.executable, "-c", SEND, str(folder)]
        done = run(words, folder, NTFY_TOKEN="tk_s3cr3t", **paths(installed))
    assert done.stdout == "Delivered(provider_id='sPs71M8A2T')\n", done.stderr
    [request] = there.requests
    assert request.headers["authorization"] == "Bearer tk_s3cr3t"
    assert request.json() == {
        "topic": "u1-topic",
        "message": "Your payment of 12.50 EUR failed.",
        "title": "Payment failed",
        "actions": [{"action": "view", "label": "Pay now", "url": "https://example.com/c/abc?x=1&y=2"}],
    }


def test_a_package_that_cannot_be_loaded_is_a_finding(installed: Path, tmp_path: Path):
    broken = tmp_path / "broken"
    shutil.copytree(installed, broken)
    (broken / "botopt_ntfy.py").write_text("import no_such_module_anywhere\n")
    (tmp_path / "ws").mkdir()
    folder = workspace(tmp_path / "ws")
    done = run([sys.executable, "-m", "botopt", "validate"], folder, **paths(broken))
    said = done.stdout + done.stderr
    assert done.returncode == 3
    assert 'the channel type "ntfy" cannot be loaded from botopt_ntfy:TYPE' in said
    assert "Traceback" not in said
