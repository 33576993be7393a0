"""Kore.ai's own web SDK runs against our fake of Kore.ai; what holds for it is what botopt is tested against."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jwt
import pytest

from botopt.delivery.koreai import TYPE
from botopt.model.delivery import NeedsTransport
from tests.delivery.fakes.kore import BOT, CLIENT_ID, SECRET, Kore
from tests.delivery.platforms import channel, message
from tests.node import node, package

HARNESS = Path(__file__).parent / "official_client.cjs"


def sdk(kore: Kore, *, user: str = "user-42", identity: str = "user-42", **wanted: str) -> dict:
    """What the SDK would show its user, after saying something (or after connecting)."""
    claims = {"appId": CLIENT_ID, "sub": "123", "userIdentity": identity, "iat": 1_700_000_000}
    argument = {"url": kore.url, "bot": BOT, "user": user, "token": jwt.encode(claims, SECRET, "HS256"), **wanted}
    file = package("kore-web-sdk") / "dist" / "kore-web-sdk.esm.browser.js"
    done = subprocess.run(
        [node(), str(HARNESS), str(file), json.dumps(argument)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return json.loads(done.stdout)


def test_the_sdk_starts_a_dialog_and_polls_for_the_rest():
    with Kore([["one", "two"], ["three"]]) as kore:
        kore.waits = 1
        shown = sdk(kore, say="payment failed")
    assert shown == {"texts": [["one", "two"], ["three"]], "failed": False}
    first, *polls = kore.asked
    assert [poll.method for poll in polls] == ["GET", "GET"]
    assert first.json["message"] == {"type": "text", "val": "payment failed"}


def test_the_sdk_connects():
    with Kore([["hello"]]) as kore:
        shown = sdk(kore)
    assert shown["texts"] == [["hello"]]
    assert kore.asked[0].json["message"] == {"type": "event", "val": "ON_CONNECT"}
    assert kore.asked[0].json["session"] == {"new": True}


def test_the_sdk_is_refused_for_another_identity():
    with Kore() as kore:
        assert sdk(kore, identity="somebody-else", say="hi") == {"texts": [], "failed": True}


@pytest.mark.parametrize("instance", ["", "hook-2"])
@pytest.mark.parametrize("on_connect", [False, True])
def test_botopt_asks_as_the_sdk_does(instance: str, on_connect: bool):
    """The same addresses, the same header, and every field that the SDK sends with the same shape."""
    spoken = {} if on_connect else {"say": "payment failed"}
    ours = {"on_connect": True} if on_connect else {"utterance": "payment failed"}
    with Kore([["one"], ["two"]]) as theirs_at:
        shown = sdk(theirs_at, instance=instance, **spoken)
    with Kore([["one"], ["two"]]) as ours_at:
        bot = channel(
            TYPE,
            host=ours_at.url,
            bot=BOT,
            client_id=CLIENT_ID,
            client_secret=SECRET,
            instance=instance or None,
            poll_every=10_000,
            **ours,
        )
        receipt = bot.send(message())
        bot.close()
    assert receipt == NeedsTransport(("one", "two"), "ms-0-0")
    assert [text for batch in shown["texts"] for text in batch] == ["one", "two"]
    assert [(a.method, a.path) for a in ours_at.asked] == [(a.method, a.path) for a in theirs_at.asked]
    for mine, theirs in zip(ours_at.asked, theirs_at.asked, strict=True):
        assert mine.headers["authorization"].partition(" ")[0] == theirs.headers["authorization"].partition(" ")[0]
    mine, theirs = ours_at.asked[0].json, theirs_at.asked[0].json
    for name in ("session", "message", "from"):
        assert mine[name] == theirs[name], name
    # The SDK has "Kore.ai" there, the documentation the stream's id.
    assert mine["to"] == theirs["to"] | {"id": BOT}
    assert set(theirs) - set(mine) == {"token"}  # an empty object that its helper leaves behind
