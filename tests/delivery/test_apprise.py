"""`apprise`: what the package is told, and what is made of its yes or no."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from botopt.delivery.apprise import TYPE, Apprise
from botopt.model.delivery import Delivered, Failed
from botopt.model.options import filled
from tests.delivery.messages import outgoing, surroundings, with_buttons
from tests.delivery.peers import Connection, Reply, answering, peer, with_status


def made(*urls: str, timeout_s: float = 5) -> Apprise:
    return Apprise(filled(TYPE, {"urls": list(urls)}, {}), surroundings(timeout_s=timeout_s))


def test_a_message_goes_to_every_address_with_its_links_below():
    with peer(answering(lambda _: Reply())) as there:
        urls = (f"json://127.0.0.1:{there.port}/a", f"json://127.0.0.1:{there.port}/b")
        assert made(*urls).send(with_buttons()) == Delivered()
    assert sorted(request.path for request in there.requests) == ["/a", "/b"]
    said = there.requests[0].json()
    assert said["title"] == "Payment failed"  # type: ignore[index]
    assert said["message"] == (  # type: ignore[index]
        "Your payment of 12.50 EUR failed.\n\nPay now: https://example.com/c/abc?x=1&y=2"
    )


def test_an_address_may_name_the_user():
    with peer(answering(lambda _: Reply())) as there:
        channel = made(f"json://127.0.0.1:{there.port}/to/{{address}}")
        assert channel.send(outgoing(address="a/../b?c=d&e#f %0d")) == Delivered()
        assert channel.send(outgoing(address="u2")) == Delivered()
    first, second = there.requests
    assert first.query == {}
    assert "/../" not in first.target
    assert second.path == "/to/u2"


def test_a_no_may_have_been_a_yes_in_part():
    with peer(with_status(500)) as there:
        receipt = made(f"json://127.0.0.1:{there.port}/t0ken").send(outgoing())
    assert receipt == Failed("apprise could not send it, and does not tell why", retryable=True, unsure=True)


def test_what_takes_too_long_is_not_waited_for():
    let_go = threading.Event()

    def way(connection: Connection) -> None:
        connection.read()
        let_go.wait(20)

    with peer(way) as there:
        receipt = made(f"json://127.0.0.1:{there.port}/t0ken", timeout_s=0.1).send(outgoing())
        let_go.set()
    assert receipt == Failed("no answer: it took too long", retryable=True, unsure=True)


def test_an_address_that_apprise_cannot_read_is_named_by_its_number():
    with pytest.raises(ValueError, match="address 2 of 2") as raised:
        made("json://127.0.0.1/x", "tgram://s3cret")
    assert "s3cret" not in str(raised.value)


def test_a_user_whose_address_spoils_it_is_told_so(monkeypatch: pytest.MonkeyPatch):
    channel = made("json://127.0.0.1:9/{address}")
    monkeypatch.setattr(channel, "_made", lambda address, number: None)
    assert channel.send(outgoing()) == Failed("the address is not one that apprise can use")


def test_the_package_that_is_missing_is_named():
    code = (
        "import sys; sys.modules['apprise'] = None\n"
        "from botopt.delivery.apprise import Apprise\n"
        "from botopt.model.channels import Surroundings\n"
        "from botopt.model.errors import UsageError\n"
        "try:\n    Apprise({'urls': []}, Surroundings('chat', 1.0, lambda: 0))\n"
        "except UsageError as fault:\n    print(fault)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "the channel \"chat\" needs more packages: pip install 'botopt[apprise]'\n"
