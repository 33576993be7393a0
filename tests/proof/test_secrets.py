"""Secrets are planted by name and looked for everywhere: logs at their loudest, answers, metrics, errors, the state."""

from __future__ import annotations

import base64
import json
import re

import pytest

from botopt.model.live import OutboxStatus
from tests.delivery.peers import echoing, hanging, peer, with_status
from tests.delivery.test_email import PASSWORD, Mailbox, authenticator, server
from tests.proof.reporting import report
from tests.proof.world import SOAK, World, event, until

HOOK_SECRET = base64.b64encode(b"the-secret-of-the-webhook-32byte").decode()
INGEST_SECRET = base64.b64encode(b"the-secret-of-who-signs-events!!").decode()
TWILIO = "tw1l10-t0ken-of-the-proof"
SECRETS = {
    "the webhook's secret": HOOK_SECRET,
    "the secret of who signs events": INGEST_SECRET,
    "Twilio's token": TWILIO,
    "the mail server's password": PASSWORD,
    "Slack's token": "xoxb-1111111111-2222222222-abcdefabcdef",
    "Slack's signing secret": "51gn1ngs3cret0ftheproof000000000",
    "a token in an address": "tok3n-in-an-address",
}

RULES = """\
user: {email: {type: text, optional: true}}
channels:
  hook: {type: webhook, url: "${HOOK_URL}", secret: "${HOOK_SECRET}", retry_for: 1s}
  sms:
    {type: twilio, account_sid: AC11111111111111111111111111111111, auth_token: "${TWILIO_TOKEN}", from: "+15005550006",
     url: "${ECHO}", retry_for: 1s}
  mail:
    {type: email, host: 127.0.0.1, port: PORT, security: starttls, username: me, password: "${MAIL_PASSWORD}",
     from: Proof <proof@example.com>, to: user.email, retry_for: 1s}
  slack: {type: slack, token: "${SLACK_TOKEN}", signing_secret: "${SLACK_SIGNING}", url: "${ECHO}", retry_for: 1s}
events:
  hooked: {weight: 0.9, threshold: 0.1, message: said, channel: hook, fields: {n: {type: integer}}}
  texted: {weight: 0.9, threshold: 0.1, message: said, channel: sms, fields: {n: {type: integer}}}
  mailed: {weight: 0.9, threshold: 0.1, message: said, channel: mail, fields: {n: {type: integer}}}
  slacked: {weight: 0.9, threshold: 0.1, message: said, channel: slack, fields: {n: {type: integer}}}
"""
TEMPLATES = 'templates: {said: "said {{ n }} only-the-user-reads-this"}\n'


def spelt(secret: str) -> set[str]:
    """A secret, and the ways in which it may hide."""
    return {secret, base64.b64encode(secret.encode()).decode().rstrip("="), secret.encode().hex()}


@pytest.mark.parametrize("format", ["json", "pretty"] if SOAK else ["json"])
def test_no_secret_is_told_anywhere(make_world, format: str):
    """Receivers that hang, refuse and repeat all that they are told; callers with good keys, wrong ones and none."""
    with peer(echoing) as echo, server(Mailbox(), authenticator=authenticator, auth_require_tls=False) as mail:
        world: World = make_world(
            rules=RULES.replace("PORT", str(mail.port)),
            templates=TEMPLATES,
            options=("--log-level", "debug", "--log-format", format),
            environment={
                "HOOK_URL": f"{echo.url}/in?token={SECRETS['a token in an address']}",
                "HOOK_SECRET": f"whsec_{HOOK_SECRET}",
                "TWILIO_TOKEN": TWILIO,
                "SLACK_TOKEN": SECRETS["Slack's token"],
                "SLACK_SIGNING": SECRETS["Slack's signing secret"],
                "MAIL_PASSWORD": PASSWORD,
                "BOTOPT_WEBHOOK_SECRETS": f"whsec_{INGEST_SECRET}",
                "ECHO": echo.url,
            },
        )
        scopes = [word for scope in ("ingest", "read", "admin") for word in ("--scope", scope)]
        made = json.loads(world.botopt("keys", "add", "proof", *scopes, "--format", "json"))
        world.key = made["key"]
        said = [ask_everything(world, echo)]
        until(world.quiet, "messages are still on their way", 120, world.log)
        said += [world.get("/readyz")[1].decode(), world.get("/metrics")[1].decode()]
        for words in (("outbox", "list", "--texts", "--limit", "100"), ("keys", "list"), ("silence", "list")):
            said.append(world.botopt(*words))
        bytes_before = state_bytes(world)
        world.kill()
        world.start()
        world.close()
    key = made["key"].rpartition("_")[2]
    heard, log = "\n".join(said), world.whole_log()
    assert len(log.splitlines()) > 60
    for name, secret in {**SECRETS, "the API key": key}.items():
        for spelling in spelt(secret):
            assert spelling not in heard, f"{name} stands in an answer"
            assert spelling not in log, f"{name} stands in the log"
            assert spelling.encode() not in bytes_before, f"{name} stands in the state"
            assert spelling.encode() not in world.state.read_bytes(), f"{name} stands in the state"
    assert "only-the-user-reads-this" not in log, "the log tells what users read"
    assert not re.search(r"(?i)authorization['\": ]+(basic|bearer) \S", log)
    report(f"secrets by name, log as {format}", planted=len(SECRETS) + 1, log_lines=len(log.splitlines()))


def state_bytes(world: World) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(world.folder.glob("state.db*")) if path.suffix != ".db-shm")


def ask_everything(world: World, echo) -> str:
    """Use every door, rightly and wrongly, while receivers are ill in one way after another."""
    world.start()
    said = []
    n = 0
    for way in (echoing, with_status(401), with_status(500), hanging, echoing):
        echo.way = way
        for kind in ("hooked", "texted", "mailed", "slacked"):
            n += 1
            said.append(repr(world.post({**event(n, kind), "user": "+15005550009"}, wait=True)))
        until(lambda: len(world.rows(OutboxStatus.PENDING, OutboxStatus.CLAIMED)) < 12, "nothing moves", 60, world.log)
    wrong = world.key[:-4] + "aaaa"
    basic = "Basic " + base64.b64encode(b"a:" + PASSWORD.encode()).decode()
    for headers in (
        {"x_api_key": wrong},
        {"authorization": f"Bearer {world.key}"},
        {"x_api_key": "", "authorization": f"Bearer {wrong}"},
        {"x_api_key": "", "authorization": basic, "cookie": f"session={TWILIO}"},
        {"x_api_key": "", "webhook_signature": f"v1,{INGEST_SECRET}", "webhook_id": "m", "webhook_timestamp": "1"},
    ):
        for method, path in (
            ("POST", "/v1/events"),
            ("POST", "/v1/feedback"),
            ("POST", "/v1/explain"),
            ("GET", f"/v1/decisions?token={SECRETS['a token in an address']}"),
            ("DELETE", "/v1/users/nobody"),
            ("GET", f"/{SECRETS['a token in an address']}"),
            ("GET", f"/c/{SECRETS['a token in an address']}"),
            ("POST", f"/v1/channels/hook/callback?secret={HOOK_SECRET}"),
            ("POST", "/v1/channels/slack/callback"),
            ("POST", "/v1/channels/sms/callback"),
        ):
            body = f'{{"id": "x", "type": "{INGEST_SECRET}'.encode() if method == "POST" else b""
            said.append(repr(world.ask_all(method, path, body, **headers)[:2]))
    return "\n".join(said)
