"""Several seeds: in each, every policy meets the same people, to whom the same things happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

import msgspec

from botopt.model.errors import InputError, UsageError
from botopt.model.event import Event
from botopt.model.instants import instant_us
from botopt.model.policy import Policy
from botopt.verify.simulation.closed_loop import Log, simulate
from botopt.verify.simulation.figures import Figures
from botopt.verify.simulation.happening import happenings
from botopt.verify.simulation.rivals import hindsight, liked
from botopt.verify.simulation.truth import Truth
from botopt.verify.simulation.worlds import World

START_US = instant_us("2026-03-02T00:00:00Z")
"""A Monday. Clocks go forward in the Americas and in Europe during the first weeks."""

POLICY, STATIC, HINDSIGHT = "policy", "static", "hindsight"
"""What is tried: the policy; the same with its learners off; the static rule of somebody who knows the people."""

ENOUGH = 0.9
"""The hindsight rule sends at least so many times as many messages as the policy, if it can."""


class Setup(msgspec.Struct, frozen=True):
    """What is tried, on whom, for how long. `rivals` are other policies by name; `hindsight`: the best static rule, too
    (see `rivals.hindsight`).
    """

    policy: Policy
    world: World
    users: int = 120
    days: int = 60
    rivals: Mapping[str, Policy] = {}
    hindsight: bool = True
    start_us: int = START_US


class Trial(msgspec.Struct, frozen=True):
    """One seed: figures by the name of the policy, the policy itself first."""

    seed: int
    figures: Mapping[str, Figures]


def trial(setup: Setup, seed: int, log: Log | None = None) -> Trial:
    """Try everything under one seed; `log` is of the policy itself.

    Raises:
        UsageError: the policy has no event type that leads to a message, or one with fields that cannot be made up.
    """
    if not any(event_type.decides for event_type in setup.policy.events.values()):
        raise UsageError("no event type of this policy leads to a message: there is nothing to simulate")
    truth = Truth(setup.world, seed, setup.users, setup.start_us)
    happening = happenings(setup.policy, truth, setup.days)
    figures = {POLICY: simulate(setup.policy, truth, setup.days, happening, log)}
    for name, rival in setup.rivals.items():
        figures[name] = simulate(rival, truth, setup.days, happening)
    if setup.hindsight:
        figures[HINDSIGHT] = _hindsight(setup, truth, happening, figures[POLICY].messages)
    return Trial(seed, figures)


def _hindsight(setup: Setup, truth: Truth, happening: Sequence[Event], messages: int) -> Figures:
    """As few of the most liked event types as give about as many messages."""
    number, best = len(liked(setup.policy, truth)), 1
    while True:
        figures = simulate(hindsight(setup.policy, truth, best), truth, setup.days, happening)
        if figures.messages >= ENOUGH * messages or best >= number:
            return figures
        best += 1


def trials(
    setup: Setup,
    seeds: Sequence[int],
    workers: int = 1,
    tick: Callable[[], None] = lambda: None,
    log: Log | None = None,
) -> list[Trial]:
    """Try everything under each seed, in the order of `seeds`, in so many processes.

    `tick` is called after each seed. `log` is of the policy itself under the first seed.

    Raises:
        UsageError: see `trial`.
        InputError: a process died.
    """
    rest, found = seeds, []
    if log is not None:
        found, rest = [trial(setup, seeds[0], log)], seeds[1:]
        tick()
    workers = min(workers, len(rest))
    for each in _by_many(setup, rest, workers) if workers > 1 else (trial(setup, seed) for seed in rest):
        found.append(each)
        tick()
    return sorted(found, key=lambda each: seeds.index(each.seed))


def _by_many(setup: Setup, seeds: Sequence[int], workers: int) -> Iterator[Trial]:
    context = get_context("fork")  # compiled patterns do not travel, but are there in a fork
    hands: list[tuple[Any, Connection]] = []
    try:
        for number in range(workers):
            mine, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=_work, args=(theirs, setup, seeds[number::workers]), name=f"botopt {number + 1}", daemon=True
            )
            process.start()
            theirs.close()
            hands.append((process, mine))
        open_pipes = [pipe for _, pipe in hands]
        while open_pipes:
            for pipe in wait(open_pipes):
                assert isinstance(pipe, Connection)
                try:
                    answer = pipe.recv()
                except EOFError as fault:
                    raise InputError("a process that simulated has died; try --workers 1") from fault
                if answer is None:
                    open_pipes.remove(pipe)
                elif isinstance(answer, Exception):
                    raise answer
                else:
                    yield answer
    finally:
        for process, pipe in hands:
            pipe.close()
            process.terminate()
            process.join()


def _work(pipe: Connection, setup: Setup, seeds: Sequence[int]) -> None:
    try:
        for seed in seeds:
            pipe.send(trial(setup, seed))
        pipe.send(None)
    except (BrokenPipeError, KeyboardInterrupt):
        return
    except UsageError as fault:
        pipe.send(fault)
