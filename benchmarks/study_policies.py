"""Policies for the laws of learning: small, and such that every learner has something to do."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from botopt.model.durations import DAY_US, HOUR_US
from botopt.model.learning_policy import Pacing, SendTime
from botopt.model.policy import Choose, Policy
from botopt.verify.validate import load

TYPES = ("offer", "news", "reminder", "tip", "invitation")
BUDGET = 1.35
"""Messages for each user and day: of 8 events of 5 types a day, about what one type alone makes."""

_RULES = """\
settings:
  threshold: 0.15
  engagement: {{prior: 0.10, strength: 30, effect: 4, limits: [0.01, 5]}}
  fatigue: {{per_message: 0}}
channels: {{chat: {{type: console}}}}
categories: {{nudges: {{consent: not_needed}}}}
events:
{events}
suppression:
  - {{id: cap, limit: 3, within: 24h}}
  - {{id: night, quiet_hours: {{from: "22:00", to: "08:00"}}}}
"""


def written(files: dict[str, str]) -> Policy:
    """The policy of a workspace with these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return load(folder)


@cache
def nudges() -> Policy:
    """Five event types with four wordings each and a cap of 3 in 24 hours. Without learning the first wording is sent.

    All weights are alike and small: what people do decides, and has room to. A budget moves the bar by a factor of two
    within a day, so `effect` makes what people like count for more than that.
    """
    events, templates = "", "templates:\n"
    for name in TYPES:
        events += f"  {name}: {{category: nudges, weight: 0.2, message: {name}, fields: {{}}}}\n"
        variants = "".join(f"      {each}: {{text: {each.title()} {name}}}\n" for each in ("a", "b", "c", "d"))
        templates += f"  {name}:\n    choose: learn\n    variants:\n{variants}"
    return written({"rules/all.yaml": _RULES.format(events=events), "templates/all.yaml": templates})


def learning(
    policy: Policy, *, engagement: bool = True, pacing: bool = True, send_time: bool = True, variants: bool = True
) -> Policy:
    """The policy with learners on."""
    settings = policy.settings
    if engagement:
        settings = replace(settings, engagement=replace(settings.engagement, learn=True, explore=0.01))
    if pacing:
        settings = replace(settings, pacing=Pacing(BUDGET, DAY_US))
    events = policy.events
    if send_time:
        events = {name: replace(each, send_time=SendTime(12 * HOUR_US)) for name, each in events.items()}
    templates = policy.templates
    choose = Choose.LEARN if variants else Choose.FIRST
    templates = {name: replace(each, choose=choose) for name, each in templates.items()}
    return replace(policy, settings=settings, events=events, templates=templates)


_CONFOUNDED = """\
settings:
  threshold: 0
  engagement: {prior: 0.10, strength: 10}
  fatigue: {per_message: 0}
channels: {chat: {type: console}}
categories: {nudges: {consent: not_needed}}
user: {warm: {type: boolean, default: false}}
events:
  nudge: {category: nudges, weight: 0.5, message: nudge, fields: {}}
"""

_SLEEPING = """\
templates:
  nudge:
    choose: weighted
    variants:
      streak: {when: user.warm, text: Go on like this}
      a: {text: Have a look}
      b: {text: Do not forget}
      c: {text: Something for you}
"""


@cache
def confounded() -> Policy:
    """One event type that is always worth it, and four wordings, one of them for warm users only; chosen at random."""
    return written({"rules/all.yaml": _CONFOUNDED, "templates/all.yaml": _SLEEPING})


def choosing(policy: Policy) -> Policy:
    """The policy with variants that are learned."""
    engagement = replace(policy.settings.engagement, learn=True)
    templates = {name: replace(each, choose=Choose.LEARN) for name, each in policy.templates.items()}
    return replace(policy, settings=replace(policy.settings, engagement=engagement), templates=templates)


_WORTH = """\
settings:
  threshold: 0.5
  engagement: {effect: 0}
  fatigue: {per_message: 0}
channels: {chat: {type: console}}
categories: {nudges: {consent: not_needed}}
events:
  nudge:
    category: nudges
    weight: 0
    message: nudge
    fields: {worth: {type: number, min: 0, max: 1}}
    rules:
"""

PACED = 1.5
"""The budget of `paced`: messages for each user and day."""


@cache
def paced() -> Policy:
    """Scores that are spread evenly from 0 to 1 in steps of a fiftieth, and a budget."""
    rules = "".join(f"      - {{id: w{step}, when: worth >= {step / 50}, score: +0.02}}\n" for step in range(1, 51))
    policy = written({"rules/all.yaml": _WORTH + rules, "templates/all.yaml": "templates: {nudge: Hello}\n"})
    return replace(policy, settings=replace(policy.settings, pacing=Pacing(PACED, DAY_US)))
