"""Recorded events of one user -> a rule test that says what is decided about them today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from botopt.engine.engine import Engine
from botopt.model.decision import Decision
from botopt.model.errors import UsageError
from botopt.model.event import Event, Line
from botopt.model.instants import instant_text
from botopt.model.policy import Value
from botopt.model.position import NOWHERE
from botopt.sources.envelope import Decoder
from botopt.verify.ruletest.history import Moment, Story, writable
from botopt.verify.ruletest.model import RuleTest
from botopt.verify.ruletest.reading import wire
from botopt.verify.ruletest.running import played

_TOLERANCE = 0.005
"""By so much a score may differ when old events are left out."""


class Recording(msgspec.Struct, frozen=True):
    """A test and where it comes from.

    `rewritten` are lines of which some character is written as �, because no file may hold it.

    `moments` are its steps, `decisions` what the test decides at each. `dropped` is how many earlier events it does
    without, `left_out` what it cannot say: lines and why. `otherwise` are the places of steps where the replay decided
    something else. `held` messages still wait when it ends.
    """

    test: RuleTest
    attributes: Mapping[str, object]
    moments: tuple[Moment, ...]
    decisions: tuple[Decision | None, ...]
    dropped: int
    left_out: tuple[tuple[Line, str], ...]
    rewritten: tuple[Line, ...]
    otherwise: frozenset[int]
    held: int


def record(
    engine: Engine, lines: Iterable[Line], user: str, from_us: int | None = None, to_us: int | None = None
) -> Recording:
    """Replay the user's events and make a test of them. Bounds are half-open, by the user's clock.

    What came before `from_us` is played first, as little of it as the decisions need, with no expectations.

    Raises:
        UsageError: there are no events of this user, or none in that time.
    """
    told = Story(engine, user, from_us, to_us)
    told.tell(lines)
    if not told.moments:
        raise UsageError(told.nothing())
    if not any(moment.in_range for moment in told.moments):
        raise UsageError(f'no event of user "{user}" falls into that time')
    earlier = next(place for place, moment in enumerate(told.moments) if moment.in_range)
    leading = _leading(told.moments)
    least = min(leading, len(told.moments) - 1)
    first = max(_fewest(engine, told, earlier), least)
    attributes = _attributes(told.moments[:first])
    moments = _kept(told.moments, first)
    test = _test(engine, user, attributes, moments)
    decisions = tuple(decision for decision, _ in played(engine, test))
    otherwise = frozenset(
        place
        for place, (moment, decision) in enumerate(zip(moments, decisions, strict=True))
        if moment.in_range and not _same(decision, moment.decision)
    )
    dropped = sum(moment.step.kind not in ("advance", "update") for moment in told.moments[:first])
    return Recording(
        test,
        attributes,
        moments,
        decisions,
        dropped,
        tuple(told.left_out),
        tuple(told.rewritten),
        otherwise,
        len(told.state.held),
    )


def _leading(moments: Sequence[Moment]) -> int:
    """How many steps at the beginning only say who the user is: the test begins with such a user."""
    return next((place for place, moment in enumerate(moments) if moment.step.kind != "update"), len(moments))


def _fewest(engine: Engine, told: Story, earlier: int) -> int:
    """How many of the earlier steps can go while all decisions in range stay: most of them, found by halving."""
    low, high = 0, earlier  # the test without the first `low` is known to hold
    while low < high:
        middle = (low + high + 1) // 2
        if _holds(engine, told, middle):
            low = middle
        else:
            high = middle - 1
    return low


def _kept(moments: Sequence[Moment], first: int) -> tuple[Moment, ...]:
    """The steps from there on; earlier feedback goes where the message goes that it is about."""
    ids = {moment.step.id for moment in moments[first:] if moment.step.kind == "send"}
    return tuple(
        one for one in moments[first:] if one.in_range or one.step.about in ("", "last") or one.step.about in ids
    )


def _holds(engine: Engine, told: Story, first: int) -> bool:
    moments = _kept(told.moments, first)
    ids = {moment.step.id for moment in moments}
    if any(moment.step.about not in ("", "last") and moment.step.about not in ids for moment in moments):
        return False  # feedback in range is about a message that would be gone
    test = _test(engine, told.user, _attributes(told.moments[:first]), moments)
    for moment, (decision, failure) in zip(moments, played(engine, test), strict=True):
        if failure is not None or (moment.in_range and not _same(decision, moment.decision)):
            return False
    return True


def _same(one: Decision | None, other: Decision | None) -> bool:
    """Whether the same was decided. What happened long ago moves a score a little, and that alone does not count."""
    if one is None or other is None:
        return one is other
    return _meaning(one) == _meaning(other) and abs((one.score or 0.0) - (other.score or 0.0)) <= _TOLERANCE


def _meaning(decision: Decision) -> object:
    """What must be the same; not the ids, which hold the time to the microsecond."""
    words = None if decision.message is None else msgspec.structs.replace(decision.message, id="")
    return decision.event_type, decision.outcome, decision.reason, decision.by, decision.until_us, words


def _attributes(moments: Iterable[Moment]) -> dict[str, object]:
    """What is known of the user after these steps, as it was written."""
    known: dict[str, object] = {}
    for moment in moments:
        if moment.step.kind == "update":
            known |= moment.step.data
    return {name: value for name, value in known.items() if value is not None}


def _test(engine: Engine, user: str, attributes: Mapping[str, object], moments: Sequence[Moment]) -> RuleTest:
    """The steps with the time that passes between them; the first is at the very beginning."""
    at_us = now_us = moments[0].at_us
    steps = []
    for moment in moments:
        steps.append(msgspec.structs.replace(moment.step, after_us=moment.at_us - now_us))
        now_us = moment.at_us
    first, last = (_day(moments[place].at_us) for place in (0, -1))
    days = f"on {first}" if first == last else f"from {first} to {last}"
    name = str(writable(user))
    known = _checked(engine, name, attributes, at_us)
    return RuleTest(f"recorded events of {name} {days}", NOWHERE, at_us, name, known, tuple(steps))


def _day(us: int) -> str:
    return instant_text(us)[:10]


def _checked(engine: Engine, user: str, attributes: Mapping[str, object], at_us: int) -> Mapping[str, Value]:
    read = Decoder(engine.policy).decode(wire("user.updated", "check", user, at_us, attributes), 1)
    assert isinstance(read, Event)
    return {name: value for name, value in read.data.items() if value is not None}
