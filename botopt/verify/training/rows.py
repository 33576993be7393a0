"""Rows to learn from: sent messages with a known answer, and what the engine looked at when each was decided."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from botopt.engine.engine import Engine
from botopt.engine.features import Looking, bind
from botopt.engine.history import retention
from botopt.model.click_model import FEATURES, ClickModel, ModelKind
from botopt.model.condition import duration_text
from botopt.model.counting import number_of
from botopt.model.decision import Decision, Outcome
from botopt.model.instants import instant_text
from botopt.model.learning_policy import Scorer
from botopt.model.policy import Policy
from botopt.network.network import make_network
from botopt.rendering.renderer import TemplateRenderer
from botopt.verify.log.model import Log
from botopt.verify.training.moments import Moment, fold

NAMES: tuple[str, ...] = tuple(FEATURES)
"""Every feature, in the order in which rows have them."""

ENGAGEMENT = ClickModel("engagement", ModelKind.LOGISTIC, ("user_rate",), 0.0, (1.0,))
"""The engagement rate as a model: what is in use where no other is."""

MOST_COUNT = 10.0
"""How much a row counts at most: a few that rarely get out would outweigh all others."""

_CLICKS = frozenset({"message.clicked", "message.converted"})


class Row(msgspec.Struct, frozen=True, gc=False):
    """One message: the values of `NAMES`, whether it was clicked, and how much it counts (1 / its chance to be sent).

    `day` is `YYYY-MM-DD` in UTC.
    """

    time_us: int
    day: str
    user: str
    values: tuple[float, ...]
    clicked: float
    count: float


class Rows(msgspec.Struct, frozen=True):
    """All rows in the order of time. `rebuilt`: how many decisions named exactly the learned values that the log leads
    to, of those that name any; None where the policy of the log had no scorer, so that it remembered less. `missing`
    says what the log lacks altogether, so that there is nothing to learn from, and what to do.
    """

    rows: tuple[Row, ...]
    decisions: int
    rebuilt: float | None
    missing: str = ""


def rows_of(log: Log, policy: Policy, network: str = "auto") -> Rows:
    """The rows of a log.

    The log is folded as if the policy had a scorer: it then remembers at which hours users are active. Messages of the
    last `ignored_after` are left out, answered or not: of those only quick clicks are known.
    """
    known_us = (log.until_us or 0) - policy.settings.ignored_after_us
    scored = policy
    if policy.scorer is None:
        scored = msgspec.structs.replace(policy, scorer=Scorer(ENGAGEMENT))
    renderer = TemplateRenderer(scored)
    engine = Engine(scored, make_network(network), renderer, retention(scored, renderer))
    looks: dict[str, Looking] = {}
    found: list[tuple[str, Row]] = []
    same, named, number = 0, 0, 0

    def look(moment: Moment) -> None:
        nonlocal same, named, number
        number += 1
        named += moment.same is not None
        same += moment.same is True
        row = _row(moment, looks) if moment.now_us <= known_us else None
        if row is not None:
            found.append((moment.decision.id, row))

    fold(log, engine, look)
    found.sort(key=lambda one: (one[1].time_us, one[0]))  # what was held came up with its user's next event
    rebuilt = None if policy.scorer is None or not named else same / named
    rows = tuple(row for _, row in found)
    return Rows(rows, number, rebuilt, missing_of(log, rows, policy, known_us))


def _row(moment: Moment, looks: dict[str, Looking]) -> Row | None:
    logged, work = moment.logged, moment.work
    if work is None or not work.plan.engagement or logged.clicked is None:
        return None
    if logged.decision.outcome is not Outcome.SENT:
        return None
    look = looks.get(work.event.type)
    if look is None:
        look = looks[work.event.type] = bind(work.plan.settings, work.event.type)
    values = tuple(look(work.state, moment.now_us, moment.snapshot, moment.raw))
    clicked = 1.0 if logged.clicked else 0.0
    day = instant_text(moment.now_us)[:10]
    count = min(1.0 / chance_to_be_sent(logged.decision), MOST_COUNT)
    return Row(moment.now_us, day, work.event.user, values, clicked, count)


def missing_of(log: Log, rows: Sequence[Row], policy: Policy, known_us: int) -> str:
    """The first thing that a log lacks before anything can be learned from it, and what to do; nothing where it has
    messages and clicks.

    `known_us`: what became of messages sent later is not known yet.
    """
    sent = [one.decision for one in log.decisions if one.decision.outcome is Outcome.SENT]
    if not log.decisions:
        lacks = "has events, but no decision records" if log.events else "is empty"
        writes = "botopt replay EVENTS --out decisions.jsonl writes them"
        return f"the log {lacks}: give decision records ({writes}) and the events, in any mix"
    if not sent:
        none = f"none of the {number_of(len(log.decisions), 'decision')} sent a message, and only messages are clicked"
        return f"{none}: give the log of days with messages; botopt why-not EVENT_TYPE LOG says why there was none"
    if not rows:
        young = sum(1 for each in sent if (each.time_us or 0) > known_us)
        none = f"of {number_of(len(sent), 'message')} none has an answer to learn from"
        if young:
            waits = duration_text(policy.settings.ignored_after_us)
            return f"{none}: {young:,} are younger than {waits} (ignored_after); train when the log is longer"
        why = "they failed, or the workspace does not have their event types, or their engagement is off"
        return f"{none}: {why}; name the workspace that decided with -w"
    if any(row.clicked for row in rows):
        return ""
    if any(event.type in _CLICKS for event in log.events):
        return "the log has clicks, but not on its messages: give the decision records that they name by message_id"
    if not log.events:
        return "the log has no events, and so no clicks: give the files of events with message.clicked, too"
    clicks = "check that clicks come in, as events message.clicked with a message_id"
    return f"nobody clicked any of {number_of(len(rows), 'message')}: {clicks}"


def chance_to_be_sent(decision: Decision) -> float:
    """1 but for messages that only exploring let out."""
    for choice in decision.choices:
        if choice.purpose == "explore" and choice.chosen == "yes":
            return choice.propensity
    return 1.0


def split(rows: Sequence[Row], held_out: float = 0.2) -> tuple[Sequence[Row], Sequence[Row]]:
    """Rows to learn from, and those of the last days, which are only judged."""
    days = sorted({row.day for row in rows})
    place = len(days) - max(round(len(days) * held_out), 1)
    if place < 1:
        return rows, ()
    first = days[place]
    return [row for row in rows if row.day < first], [row for row in rows if row.day >= first]
