"""The experiments of a policy, and the groups that a user is in."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.engine.experiments import arm_of, is_in_control
from botopt.engine.plan import experiments_of
from botopt.engine.stages.holdout import is_held_out
from botopt.model.learning_policy import Experiment
from botopt.model.policy import Policy


class Listed(msgspec.Struct, frozen=True):
    """One experiment and the event types whose records expose users to it; none: nothing asks for it."""

    experiment: Experiment
    events: tuple[str, ...]


class Belonging(msgspec.Struct, frozen=True):
    """The groups of one user: the arm of each experiment, and whether the user is held out, or a control."""

    user: str
    holdout: bool
    control: bool
    arms: Mapping[str, str]


def listed(policy: Policy) -> tuple[Listed, ...]:
    """Every experiment, as written."""
    exposed = {name: experiments_of(policy, each) for name, each in policy.events.items() if each.decides}
    return tuple(
        Listed(experiment, tuple(event for event, names in exposed.items() if experiment.name in names))
        for experiment in policy.experiments.values()
    )


def belonging(policy: Policy, user: str) -> Belonging:
    """What the hash of the seed and the user says."""
    settings = policy.settings
    return Belonging(
        user,
        settings.holdout > 0 and is_held_out(settings, user),
        is_in_control(settings, user),
        {name: arm_of(each, settings.seed, user).chosen for name, each in policy.experiments.items()},
    )
