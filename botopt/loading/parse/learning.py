"""What is learned, wherever an author allows it: pacing, better hours, recency, a scorer, groups of users."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.wording import shown
from botopt.loading.reader import Map, Node, Scalar
from botopt.loading.snapshot import MODELS
from botopt.model.click_model import ClickModel
from botopt.model.condition import duration_text
from botopt.model.durations import DAY_US, HOUR_US, MINUTE_US, parse_duration
from botopt.model.instants import instant_us
from botopt.model.learning_policy import EngagementSettings, Pacing, Recency, Scorer, ScorerUse, SendTime
from botopt.model.names import did_you_mean
from botopt.model.policy import MOST_PERIODS, Policy
from botopt.model.position import Position
from botopt.model.values import LARGEST

Models = Callable[[str], ClickModel]
"""The model in a file of the workspace.

Raises:
    ValueError: it cannot be used; the sentence says why.
    OSError: it cannot be read.
"""

PACING_KEYS = ("messages", "per")
SEND_TIME_KEYS = ("within", "explore")
RECENCY_KEYS = ("penalty", "half_life")
SCORER_KEYS = ("model", "use")
_PERIODS: Mapping[str, int] = {"hour": HOUR_US, "day": DAY_US, "week": 7 * DAY_US}
_OTHER_PERIODS = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "fortnight": "2w",
    "month": "30d",
    "monthly": "30d",
    "minute": "1m",
}
MOST_EXPLORED = 0.20
"""A larger share of exploring gets a warning."""

_SHORTEST_PERIOD_US = HOUR_US
_SHORTEST_REFRESH_US, _LONGEST_REFRESH_US = MINUTE_US, 7 * DAY_US
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_SEPARATORS = re.compile(r"[/:\\]")
_RATE = re.compile(r"(\d+(?:\.\d+)?)(?: ?(?:messages? )?(?:/|per|an?|each|every) ?(hour|day|week))?", re.ASCII)
_WITHOUT_BUDGET = "to do without a budget, delete pacing"
_WITHIN = "type send_time: {within: 12h}; or send_time: off"


def bounded(block: Block, key: str, low_us: int, high_us: int, why: str) -> int | None:
    """A duration of at least `low_us` and at most `high_us`; `why` says what is wrong with others."""
    found = block.duration(key)
    if found is None or low_us <= found <= high_us:
        return found
    wanted = f"at least {duration_text(low_us)}" if found < low_us else f"at most {duration_text(high_us)}"
    block.findings.report("B106", block.place_of(key), f"{key} must be {wanted}, not {duration_text(found)}", why)
    return None


def read_pacing(parent: Block) -> Pacing | None:
    """`pacing: {messages: 1.5, per: day}`."""
    node = parent.get("pacing")
    hint = "type pacing: {messages: 1.5, per: day}"
    if isinstance(node, Scalar) and means_none(node):
        hint = f"{_WITHOUT_BUDGET}; a budget is written pacing: {{messages: 1.5, per: day}}"
    elif isinstance(node, Scalar) and (rate := _RATE.fullmatch(node.text.strip().lower())) and float(rate[1]):
        hint = f"type pacing: {{messages: {rate[1]}, per: {rate[2] or 'day'}}}"
    block = parent.block("pacing", PACING_KEYS, hint)
    if block is None:
        return None
    if not block.needs("messages", hint="add messages: 1.5 (how many a user gets on average)"):
        return None
    messages = _messages(block)
    per_us = DAY_US if "per" not in block else _period(block)
    return None if messages is None or per_us is None else Pacing(messages, per_us)


def _messages(block: Block) -> float | None:
    node = block.get("messages")
    if isinstance(node, Scalar) and node.value == 0 and not isinstance(node.value, bool):
        hint = f"to send nothing, type enabled: false in the event types; {_WITHOUT_BUDGET}"
        block.findings.report("B106", node.position, "messages must be a number above 0, not 0", hint)
        return None
    return block.number("messages", 0, LARGEST, above=True)


def _period(block: Block) -> int | None:
    node = block.get("per")
    if isinstance(node, Scalar) and isinstance(node.value, str):
        if node.value in _PERIODS:
            return _PERIODS[node.value]
        if parse_duration(node.value) is None and not re.search(r"\d", node.value):
            lower = node.value.strip().lower()
            other = _OTHER_PERIODS.get(lower) or (lower[:-1] if lower[:-1] in _PERIODS else "")
            hint = f"type per: {other}" if other else did_you_mean(lower, _PERIODS)
            message = f"per must be hour, day, week or a duration, not {shown(node)}"
            block.findings.report("B105", node.position, message, hint)
            return None
    why = "a budget over less than an hour cannot be held: give that of an hour"
    return bounded(block, "per", _SHORTEST_PERIOD_US, LARGEST, why)


def read_send_time(parent: Block) -> SendTime | None:
    """`send_time: {within: 12h}`; `off` is none, as is a mistake."""
    node = parent.get("send_time")
    if node is None or is_off(node):
        return None
    hint = _WITHIN
    if isinstance(node, Scalar) and node.value in (True, "on"):
        parent.findings.report("B104", node.position, f"send_time must say how long, not {shown(node)}", _WITHIN)
        return None
    if isinstance(node, Scalar) and parse_duration(node.text):
        hint = f"type send_time: {{within: {node.text}}}"
    block = parent.block("send_time", SEND_TIME_KEYS, hint)
    if block is None or not block.needs("within", hint="add within: 12h (how long a message may wait)"):
        return None
    why = "hours are told apart, nothing shorter: a message that cannot wait an hour has no better one"
    if (block.duration_of("within") or 0) > DAY_US:
        why = "within a day every hour comes once: type within: 24h"
    within_us = bounded(block, "within", HOUR_US, DAY_US, why)
    explore = block.share("explore")
    note_much_exploring(block, "messages go at an hour that is drawn, good or bad", "5%")
    return None if within_us is None else SendTime(within_us, SendTime(0).explore if explore is None else explore)


def means_none(node: Scalar) -> bool:
    """Whether somebody wrote that there is none of it."""
    return not node.value or (isinstance(node.value, str) and node.value.strip().lower() in {"off", "no", "none"})


def is_off(node: Node | None) -> bool:
    """Whether it says `off`, or `false`."""
    return isinstance(node, Scalar) and (node.value is False or node.value == "off")


def read_refresh(settings: Block) -> int | None:
    """How often learned values of all users change."""
    why = "between two changes hundreds of messages should be answered: 1h is usual"
    return bounded(settings, "refresh", _SHORTEST_REFRESH_US, _LONGEST_REFRESH_US, why)


def read_tuned_until(settings: Block) -> int | None:
    """An instant in UTC, as `botopt tune` writes it."""
    node = settings.get("tuned_until")
    if node is None or settings.findings.is_flawed(node):
        return None
    wanted = "tuned_until must be an instant such as 2026-03-01T00:00:00Z"
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        settings.findings.report("B104", node.position, f"{wanted}, not {shown(node)}")
        return None
    text = node.value.strip()
    try:
        if _INSTANT.fullmatch(node.value):
            return instant_us(text)
    except ValueError:  # the 30th of February
        settings.findings.report("B109", node.position, f"{wanted}, not {shown(node)}")
        return None
    else:
        hint = ""
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            hint = f"type tuned_until: {text}T00:00:00Z"
        elif re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z|)", text):
            hint = f"type tuned_until: {text.replace(' ', 'T').removesuffix('Z')}Z, in UTC"
        settings.findings.report("B109", node.position, f"{wanted}, not {shown(node)}", hint)
        return None


def read_recency(template: Block) -> Recency:
    """`recency: {penalty: 0.15, half_life: 3d}`, what is absent as usual."""
    usual = Recency()
    node = template.get("recency")
    off = isinstance(node, Scalar) and means_none(node)
    hint = "type recency: {penalty: 0}" if off else "type recency: {penalty: 0.15, half_life: 3d}"
    block = template.block("recency", RECENCY_KEYS, hint)
    if block is None:
        return usual
    penalty = block.number("penalty", 0, 1)
    return Recency(usual.penalty if penalty is None else penalty, block.duration("half_life") or usual.half_life_us)


def read_scorer(findings: Findings, settings: Map, models: Models) -> Scorer | None:
    """The scorer that the settings name; None where they name none, or one that cannot be used."""
    node = settings.get("scorer")
    if node is None:
        return None
    hint = f"type scorer: {{model: {node.text}}}" if isinstance(node, Scalar) and node.text.endswith(".json") else ""
    if isinstance(node, Scalar) and means_none(node):
        hint = "to do without a scorer, delete this line"
    inner = scalars.entries(findings, node, "scorer", hint or "type scorer: {model: models/clicks.json}")
    if inner is None:
        return None
    place = next(key.position for key, _ in settings.entries if key.text == "scorer")
    block = Block(findings, inner, SCORER_KEYS, "scorer", place)
    word = block.choice("use", [use.value for use in ScorerUse])
    if not block.needs("model", hint="add model: models/clicks.json (botopt train writes it)"):
        return None
    name, named = block.text("model"), block.get("model")
    if name is None or named is None:
        return None
    model = _model(findings, name, named.position, models)
    if model is None:
        return None
    return Scorer(model, ScorerUse.REPLACE if word is None else ScorerUse(word), place)


def _model(findings: Findings, name: str, place: Position, models: Models) -> ClickModel | None:
    path = PurePosixPath(name)
    inside = len(path.parts) > 1 and path.parts[0] == MODELS and not {".", ".."} & set(name.split("/"))
    if not inside or path.suffix != ".json" or "\\" in name:
        own_name = _SEPARATORS.split(name)[-1].removesuffix(".json")
        hint = f"move it there, and type model: {MODELS}/{own_name}.json"
        findings.report("B130", place, f'a model is a .json file in {MODELS}/, and "{name}" is none', hint)
        return None
    try:
        return models(name)
    except FileNotFoundError:
        hint = "botopt train writes one; models/ lies beside rules/"
        findings.report("B130", place, f"there is no model file {name}", hint)
    except OSError as fault:
        message = f"the model {name} cannot be read: {fault.strerror or fault}"
        findings.report("B130", place, message, "check that it is a file and that you may read it")
    except ValueError as fault:
        hint = "put back the file as botopt train wrote it, train another, or delete scorer"
        findings.report("B130", place, f"the model {name} cannot be used: {fault}", hint)
    return None


def refuse_crowded_groups(settings: Block) -> None:
    """Nobody is in two of holdout and control, so together they are at most everybody."""
    groups = {name: settings.share_of(name) or 0.0 for name in ("holdout", "control")}
    if sum(groups.values()) > 1:
        later = max(groups, key=lambda name: settings.key(name).line)
        message = (
            f"holdout and control are {sum(groups.values()):.12g} of all users together, and cannot be more than 1"
        )
        settings.findings.report("B131", settings.place_of(later), message, "5% of each are usual")


def note_idle_engagement(settings: Block, found: EngagementSettings) -> None:
    """What is learned of engagement moves nothing where its effect is 0."""
    node = settings.node.get("engagement")
    if found.effect or not isinstance(node, Map):
        return
    for key, value in node.entries:
        if (key.text == "learn" and found.learn) or (key.text == "explore" and found.explore):
            message = f"{key.text} does nothing here: with effect: 0 no score ever changes by engagement"
            hint = f"delete effect: 0, or {key.text}: {value.text if isinstance(value, Scalar) else '…'}"
            settings.findings.report("B132", key.position, message, hint)


def note_much_exploring(block: Block, what: str, usual: str) -> None:
    """Exploring costs what it explores; a few of a hundred are enough to learn from."""
    share = block.share_of("explore")
    if share is None or share <= MOST_EXPLORED:
        return
    message = f"with explore: {share:.0%}, {share * 100:.3g} of a hundred {what}"
    hint = f"a few are enough to learn from: type explore: {usual}"
    block.findings.report("B135", block.place_of("explore"), message, hint)


def note_outlasting_wait(block: Block, send_time: SendTime) -> None:
    """An event type whose messages expire before `within` is over; the shorter of the two holds."""
    expires_us, own = block.duration_of("expires_after"), block.get("send_time")
    within = own.get("within") if isinstance(own, Map) else None
    if expires_us is None or within is None or send_time.within_us <= expires_us:
        return
    lives, waits = duration_text(expires_us), duration_text(send_time.within_us)
    message = f"{block.what} has expires_after: {lives}, so its messages never wait {waits}"
    block.findings.report("B134", within.position, message, f"type within: {lives}")


def note_replaced_fatigue(settings: Block) -> None:
    """A budget moves the bar in place of fatigue."""
    if "pacing" in settings and "fatigue" in settings:
        message = "fatigue does nothing here: pacing moves the threshold in its place"
        settings.findings.report("B133", settings.key("fatigue"), message, "delete fatigue; the control group keeps it")


def refuse_much_remembered(findings: Findings, settings: Map, policy: Policy) -> None:
    """What was known is remembered, period by period, while a message of that time may wait for its answer."""
    refresh_us, ignored_after_us = policy.settings.refresh_us, policy.settings.ignored_after_us
    if not policy.learns or ignored_after_us <= MOST_PERIODS * refresh_us:
        return
    places = {key.text: value.position for key, value in settings.entries}
    unit_us = HOUR_US if ignored_after_us > MOST_PERIODS * HOUR_US else MINUTE_US
    least_us = -(-ignored_after_us // (MOST_PERIODS * unit_us)) * unit_us
    often, long = duration_text(refresh_us), duration_text(ignored_after_us)
    message = (
        f"refresh: {often} is too often for ignored_after: {long}: what is known would be remembered "
        f"{-(-ignored_after_us // refresh_us)} times, and {MOST_PERIODS} is the most"
    )
    hint = f"type refresh: {duration_text(least_us)} or more, or a shorter ignored_after"
    findings.report("B113", places.get("refresh") or places["ignored_after"], message, hint)
