"""The command: what it refuses, and how it starts Streamlit."""

from __future__ import annotations

import socket

import pytest

from botopt.dashboard.launching import free_port, options
from botopt.model.errors import UsageError
from tests.cli.running import botopt
from tests.dashboard.logs import decided, write


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        ([], "say what to look at: --log decisions.jsonl, --state state.db, or --url", 2),
        (["--state", "a.db", "--url", "http://x"], "say what to look at", 2),
        (["--log", "gone.jsonl"], "gone.jsonl is no file", None),
        (["--log", "{log}", "--zone", "Moon/Crater"], '"Moon/Crater" is no IANA name', 2),
        (["--log", "{log}", "--workspace", "nowhere"], "nowhere", None),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(tmp_path, words, told, code):
    log = write(tmp_path / "log.jsonl", decided("a", "2026-03-02T08:00:00Z"))
    done = botopt("dashboard", *(word.format(log=log) for word in words), cwd=tmp_path)
    assert told in done.stderr + done.stdout
    assert done.returncode == code if code is not None else done.returncode not in (0, 1)


def test_a_port_that_is_taken_is_said_with_the_way_out():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UsageError, match="address already in use; name another with --port"),
    ):
        free_port("127.0.0.1", taken.getsockname()[1])


def test_port_0_is_one_that_is_free():
    assert free_port("127.0.0.1", 0) > 0


def test_streamlit_is_told_to_stay_at_home():
    found = options("127.0.0.1", 8501)
    assert found["server_headless"] is True
    assert found["server_showEmailPrompt"] is False
    assert found["browser_gatherUsageStats"] is False
    assert found["client_showErrorDetails"] == "none"
    assert found["server_address"] == "127.0.0.1"
    assert "127.0.0.1" in found["server_allowedHosts"]


def test_streamlit_knows_every_setting_that_it_is_given():
    config = pytest.importorskip("streamlit.config")
    assert {name.replace("_", ".", 1) for name in options("127.0.0.1", 1)} <= set(config._config_options_template)
