"""Small workspaces for the tests of loading."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from botopt.delivery.registry import CHANNEL_TYPES as REGISTERED
from botopt.loading.policy import Loaded, load_policy
from botopt.loading.reader import Map, Node, Scalar
from botopt.model.channels import ChannelType
from botopt.model.diagnostic import Diagnostic, Severity


def _never(options, surroundings):
    raise AssertionError("a policy is read without making its channels")


CHANNEL_TYPES: Mapping[str, ChannelType] = {
    name: msgspec.structs.replace(REGISTERED[name], make=_never) for name in ("console", "webhook")
}


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def load_files(files: Mapping[str, str], channel_types: Mapping[str, ChannelType] = CHANNEL_TYPES) -> Loaded:
    """Load a workspace of these files."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "rules").mkdir()
        write(Path(folder), files)
        return load_policy(Path(folder), channel_types=channel_types)


def load(rules: str, templates: str = "") -> Loaded:
    files = {"rules/a.yaml": rules}
    if templates:
        files["templates/t.yaml"] = templates
    return load_files(files)


def load_data(rules: object, templates: object) -> Loaded:
    """Load a workspace that is given as plain data; JSON is YAML, too."""
    return load(json.dumps(rules, ensure_ascii=False), json.dumps(templates, ensure_ascii=False))


def split(text: str) -> dict[str, str]:
    """One YAML text -> the files of a workspace.

    Each `---` document is a file, `templates` stand apart from the rest, and `# file: NAME` names a file.
    """
    files: dict[str, str] = {}
    for number, document in enumerate(re.split(r"(?m)^---\n", text)):
        if named := re.match(r"# file: (\S+)\n", document):
            files[named[1]] = document
            continue
        found = re.search(r"(?ms)^templates:.*?(?=^[^\s#]|\Z)", document)
        rest = document if found is None else document[: found.start()] + document[found.end() :]
        if found:
            files[f"templates/x{number or ''}.yaml"] = found[0]
        if any(line.strip() and not line.startswith("#") for line in rest.splitlines()):
            files[f"rules/x{number or ''}.yaml"] = rest
    return files


def plain(node: Node | None) -> object:
    """A tree without positions."""
    if isinstance(node, Map):
        return {key.text: plain(value) for key, value in node.entries}
    if isinstance(node, Scalar) or node is None:
        return None if node is None else node.value
    return [plain(item) for item in node.items]


def errors(loaded: Loaded) -> list[Diagnostic]:
    return [found for found in loaded.diagnostics if found.severity is Severity.ERROR]


def said(loaded: Loaded) -> str:
    return "\n".join(f"{found.position} {found.code} {found.message} -- {found.hint}" for found in loaded.diagnostics)


def marked(found: Diagnostic) -> str:
    """The words that a finding points at."""
    position = found.position
    return found.source[position.column - 1 : position.end_column - 1 if position.end_line == position.line else None]


GOOD_RULES = """\
settings:
  timezone: Europe/Berlin
  locale: en
  threshold: 0.60
  ignored_after: 24h
  dedupe_window: 7d
  engagement: {prior: 0.30, strength: 10, half_life: 30d, effect: 0.5, limits: [0.5, 1.5], learn: true, explore: 3%}
  fatigue: {per_message: 0.05, within: 24h, limit: 0.20}
  holdout: 5%
  control: 5%
  seed: 7
  refresh: 2h
  tuned_until: 2026-03-01T00:00:00Z

categories:
  transactional: {consent: opt_out}
  marketing:
    consent: opt_in
    engagement: on
    send_time: {within: 12h, explore: 5%}
    pacing: {messages: 3, per: week}
  security: {consent: not_needed, engagement: off}

user:
  name: {type: text, optional: true, max_length: 80}
  plan: {type: text, one_of: [free, pro, vip], default: free}
  autopay: {type: boolean, default: false}

channels:
  chat: {type: console}
  hook:
    type: webhook
    url: https://example.com/hook
    secret: ["${HOOK_SECRET}", "${OLD_HOOK_SECRET}"]
    headers: {X-Key: "${HOOK_KEY}"}
    to: user.name
    fallback: chat
    rate: {messages: 10, per: 1s}
    concurrency: 8
    timeout: 20s
    retry_for: 6h
    when_unsure: stop

experiment:
  early-nudge:
    description: Does a lower bar bring more clicks?
    arms: {as-now: 50%, early: 50%}

events:
  payment_succeeded:
    fields: {order_id: {type: text}}
  payment_failed:
    description: A card payment was declined
    category: transactional
    fields:
      amount: {type: number, min: 0, max: 1000000}
      currency: {type: text, one_of: [USD, EUR, INR], default: USD}
      attempts: {type: integer, min: 1, default: 1}
      order_id: {type: text, pattern: '[A-Z]-\\d+', max_length: 20}
      reason: {type: text, optional: true}
      due: {type: time, optional: true}
      items: {type: list, default: []}
      shop: {type: object, optional: true}
    weight: 0.70
    threshold: 0.60
    message: payment_failed
    channel: chat
    expires_after: 2h
    send_time: off
    accepts: [com.acme.billing.PaymentFailed]
    enabled: true
    engagement: on
    always: false
    rules:
      - {id: large-amount, when: amount >= 500, score: +0.15}
      - id: repeated
        when:
          - attempts >= 3
          - user.plan in ['pro', 'vip']
        score: +0.10
        threshold: -0.05
      - id: small-and-free
        when: {all: [amount < 5, {not: user.plan == 'vip'}, {any: [user.autopay, user.plan == 'free']}]}
        skip: true
      - {id: sooner, when: experiment('early-nudge') == 'early', threshold: -0.05}
      - {id: by-hook, when: "count('payment_failed', '7d') >= 4", message: human_help, channel: hook}
  tip:
    category: marketing
    weight: 0.5
    message: human_help
    channel: hook

suppression:
  - {id: same-order, cooldown: 6h, per: [user, order_id], events: [payment_failed]}
  - {id: daily-cap, limit: 3, within: 24h, categories: [marketing, transactional], reserved: {transactional: 1}}
  - {id: two-a-week, limit: 2, within: week, channels: [hook]}
  - {id: paid-since, resolved_by: payment_succeeded, within: 1h, same: [order_id], events: [payment_failed]}
  - {id: failed-first, inhibited_by: [payment_failed], within: 2h, categories: [marketing]}
  - id: night
    quiet_hours: {from: "22:00", to: "08:00", days: [mon, tue]}
    action: hold
    unless: amount >= 1000
  - {id: tired, mute: 7d, when: engagement.ignored_in_a_row >= 5}
  - {id: no-tips, mute: always, events: [tip], when: user.plan == 'vip'}
"""

GOOD_TEMPLATES = """\
templates:
  human_help: "Shall a colleague call you?"
  payment_failed:
    description: Nudge after a declined card
    choose: learn
    recency: {penalty: 0.15, half_life: 3d}
    variants:
      with-amount:
        when: amount >= 1
        title: Payment failed
        text:
          en: "Your payment of {{ amount | money(currency) }} failed. Try another card?"
          de: "Ihre Zahlung über {{ amount | money(currency) }} ist fehlgeschlagen. Andere Karte?"
        buttons:
          - {label: Use another card, link: "https://pay.example.com/{{ order_id | urlencode }}"}
          - label: {en: Help, de: Hilfe}
      plain:
        text:
          en: Your recent payment failed. Want to try another card?
          de: Ihre Zahlung ist fehlgeschlagen. Andere Karte versuchen?
    samples:
      - {amount: 129.5, currency: EUR, order_id: A-1, due: "2026-03-01T09:00:00Z"}
"""

MARK = re.compile("⟦(.*?)⟧", re.DOTALL)


def check_marked(
    rules: str,
    code: str,
    message: str = "",
    hint: str = "",
    templates: str = "",
    channel_types: Mapping[str, ChannelType] = CHANNEL_TYPES,
) -> None:
    """The workspace has exactly one finding, and it points at exactly what stands in ⟦⟧."""
    both = {"rules/a.yaml": rules, "templates/t.yaml": templates}
    file, text = next((name, text) for name, text in both.items() if "⟦" in text)
    found = MARK.search(text)
    assert found is not None
    before = text[: found.start()]
    place = (file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    loaded = load_files({name: MARK.sub(r"\1", text) for name, text in both.items() if text}, channel_types)
    assert len(loaded.diagnostics) == 1, said(loaded)
    (one,) = loaded.diagnostics
    assert (one.code, (one.position.file, one.position.line, one.position.column)) == (code, place), said(loaded)
    if "\n" not in found[1]:
        assert marked(one) == found[1]
    assert message in one.message
    assert hint in one.hint
    assert (loaded.policy is None) == (one.severity is Severity.ERROR)
