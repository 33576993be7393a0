"""What a file of rule tests says."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.engine.explain import Explanation
from botopt.model.decision import Decision
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Value
from botopt.model.position import Position


class Expectation(msgspec.Struct, frozen=True):
    """What is expected of one decision: only the keys that are named. `nothing`: no decision is made."""

    position: Position
    wanted: Mapping[str, object] = {}
    places: Mapping[str, Position] = {}
    nothing: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step. Before it the clock moves on by `after_us`; its event is `late_us` older than the clock.

    `event_type` is that of the event that comes, empty for `advance`. `about` is what feedback answers: `last`, the
    `id` of an earlier step, or an event type.
    """

    kind: str
    words: str
    position: Position
    event_type: str = ""
    id: str = ""
    data: Mapping[str, object] = {}
    after_us: int = 0
    late_us: int = 0
    about: str = ""
    expect: Expectation | None = None


class RuleTest(msgspec.Struct, frozen=True):
    """One conversation with one user, who is new. `at_us` is when it begins, microseconds since 1970 UTC."""

    name: str
    position: Position
    at_us: int
    user: str
    attributes: Mapping[str, Value]
    steps: tuple[Step, ...]


class Tests(msgspec.Struct, frozen=True):
    """All rule tests that were asked for, what is wrong with their files, and how many files there are."""

    tests: tuple[RuleTest, ...]
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]


class Difference(msgspec.Struct, frozen=True):
    """One key whose value is not the expected one, in words."""

    key: str
    expected: str
    found: str
    position: Position


class Failure(msgspec.Struct, frozen=True):
    """A step that went otherwise, the decision it was about, and why that decision was made."""

    step: Step
    differences: tuple[Difference, ...]
    decision: Decision | None = None
    explanation: Explanation | None = None


class Result(msgspec.Struct, frozen=True):
    """What became of one test. `expectations` is how many were looked at."""

    test: RuleTest
    expectations: int
    failures: tuple[Failure, ...]
