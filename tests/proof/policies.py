"""The policy of the proof: a channel for each kind of receiver, and an event type for each way a message takes."""

from __future__ import annotations

import base64
from collections.abc import Mapping

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
TOKEN = "a-token-that-nobody-sees"

CHANNELS = ("hook", "sms", "first", "second")
"""`hook`, `first` and `second` know a repeat by its key, `sms` does not. `second` takes over from `first`."""

RULES = """\
settings: {fatigue: {per_message: 0}, engagement: {effect: 0}}
channels:
  hook:
    type: webhook
    url: ${HOOK}/hook
    secret: ${PROOF_SECRET}
    timeout: 2s
    concurrency: 8
  sms:
    type: twilio
    account_sid: AC11111111111111111111111111111111
    auth_token: ${PROOF_TOKEN}
    from: "+15005550006"
    url: ${SMS}
    timeout: 2s
    rate: {messages: 1000, per: 1s}
    concurrency: 8
  first: {type: webhook, url: "${FIRST}/first", secret: "${PROOF_SECRET}", timeout: 2s, retry_for: 2s, fallback: second}
  second: {type: webhook, url: "${SECOND}/second", secret: "${PROOF_SECRET}", timeout: 2s}
  brief: {type: webhook, url: "${HOOK}/brief", secret: "${PROOF_SECRET}", timeout: 2s, retry_for: 1s}
events:
  hooked: {weight: 0.9, threshold: 0.1, message: hooked, channel: hook, fields: {n: {type: integer}}}
  texted: {weight: 0.9, threshold: 0.1, message: texted, channel: sms, fields: {n: {type: integer}}}
  passed_on: {weight: 0.9, threshold: 0.1, message: hooked, channel: first, fields: {n: {type: integer}}}
  brief: {weight: 0.9, threshold: 0.1, message: hooked, channel: brief, fields: {n: {type: integer}}}
  cooled: {weight: 0.9, threshold: 0.1, message: hooked, channel: hook, fields: {n: {type: integer}}}
  limited: {weight: 0.9, threshold: 0.1, message: texted, channel: sms, fields: {n: {type: integer}}}
  weak: {weight: 0.1, threshold: 0.5, message: hooked, channel: hook, fields: {n: {type: integer}}}
  seen: {fields: {n: {type: integer}}}
  nightly: {weight: 0.9, threshold: 0.1, message: hooked, channel: hook, fields: {n: {type: integer}}}
suppression:
  - {id: night, quiet_hours: {from: "22:00", to: "08:00"}, events: [nightly]}
  - {id: rest, cooldown: 1s, events: [cooled]}
  - {id: most, limit: 2, within: 5s, events: [limited]}
"""

TEMPLATES = """\
templates:
  hooked: "hooked {{ n }} of {{ user.id }}"
  texted: "texted {{ n }} of {{ user.id }}"
"""


def variables(urls: Mapping[str, str]) -> dict[str, str]:
    """The environment that the policy is read with."""
    return {"PROOF_SECRET": SECRET, "PROOF_TOKEN": TOKEN, **{name.upper(): url for name, url in urls.items()}}
