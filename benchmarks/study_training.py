"""The fifth learner in the study: a scorer that `botopt train` makes of other people, and only if its gate says so.

The static rule, which is what there was before anything was learned, first meets the people of other seeds. What it
decided and what they did is a log. A logistic model is trained on that log with the policy that shall use it, judged on
its last days, and put to use only if it passes. No scorer has seen anybody whom it is tried on. Some seeds share one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec
from msgspec.structs import replace

from botopt.loading.models import decode, encode
from botopt.model.click_model import ModelKind
from botopt.model.learning_policy import Scorer
from botopt.verify.log import read_log
from botopt.verify.simulation.closed_loop import simulate
from botopt.verify.simulation.happening import happenings
from botopt.verify.simulation.rivals import static
from botopt.verify.simulation.trials import POLICY, Setup, Trial, trial
from botopt.verify.simulation.truth import Truth
from botopt.verify.simulation.writing import log_into
from botopt.verify.training.reading import digests
from botopt.verify.training.rows import rows_of
from botopt.verify.training.training import train

FOUR = "four learners"
"""The rival of all five: the same policy without a scorer."""

OTHERS = 1_000_000
"""Seeds of the people whom scorers learn from begin here."""

SHARED = 4
"""So many seeds in a row use the same scorer: to train one takes as long as to try several."""

Trained = tuple[Scorer | None, tuple[str, ...]]
"""A scorer, or None and why its gate, or too little data, refused one."""


class Scored(msgspec.Struct, frozen=True):
    """A trial, and why its policy went without a scorer; no reasons where it had one."""

    trial: Trial
    refused: tuple[str, ...]


def scored_trials(setup: Setup, seeds: Sequence[int], people: int, workers: int) -> list[Scored]:
    """Try the policy of `setup`, with a scorer wherever one passed its gate, and as `FOUR` without one.

    Args:
        setup: whose policy has no scorer yet.
        seeds: of the people it is tried on.
        people: how many each scorer learns from; 0: there are no scorers.
        workers: how many processes do it.
    """
    groups = list(dict.fromkeys(seed // SHARED for seed in seeds))
    if workers < 2:
        scorers = [trained(setup, group, people) for group in groups]
        found = dict(zip(groups, scorers, strict=True))
        return [_scored(setup, seed, *found[seed // SHARED]) for seed in seeds]
    with ProcessPoolExecutor(workers, get_context("fork"), _keep, (setup,)) as pool:
        scorers = list(pool.map(_kept_trained, groups, [people] * len(groups)))
        found = dict(zip(groups, scorers, strict=True))
        return list(pool.map(_kept_scored, seeds, [found[seed // SHARED] for seed in seeds]))


def trained(setup: Setup, group: int, people: int) -> Trained:
    """What `botopt train` comes to with the log of so many people of seed `OTHERS + group`."""
    if not people:
        return None, ("there is nobody to learn from",)
    policy, before = setup.policy, static(setup.policy)
    truth = Truth(setup.world, OTHERS + group, people, setup.start_us)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("events.jsonl", "decisions.jsonl")]
        with paths[0].open("w", encoding="utf-8") as events, paths[1].open("w", encoding="utf-8") as records:
            log = log_into(before, events, records)
            simulate(before, truth, setup.days, happenings(before, truth, setup.days), log)
        rows = rows_of(read_log(paths, ignored_after_us=policy.settings.ignored_after_us), policy)
        read = digests([str(path) for path in paths])
    found = train(rows, policy, read, name="clicks", kinds=(ModelKind.LOGISTIC,))
    if found.reasons or found.model is None or found.gate is None:
        return None, found.reasons
    return Scorer(decode(encode(found.model, found.training, found.gate)).model), ()


def _scored(setup: Setup, seed: int, scorer: Scorer | None, refused: tuple[str, ...]) -> Scored:
    if scorer is None:
        found = trial(setup, seed)
        return Scored(replace(found, figures={**found.figures, FOUR: found.figures[POLICY]}), refused)
    four = setup.policy
    rivals = {**setup.rivals, FOUR: four}
    return Scored(trial(replace(setup, policy=replace(four, scorer=scorer), rivals=rivals), seed), refused)


_kept: list[Setup] = []
"""In a forked process, what is tried: compiled patterns of policies do not travel."""


def _keep(setup: Setup) -> None:
    _kept.append(setup)


def _kept_trained(group: int, people: int) -> Trained:
    return trained(_kept[0], group, people)


def _kept_scored(seed: int, found: Trained) -> Scored:
    return _scored(_kept[0], seed, *found)
