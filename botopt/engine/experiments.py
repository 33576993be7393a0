"""Who is in which group: hashes of the seed and the user, so nobody ever changes sides."""

from __future__ import annotations

from botopt.engine.hashes import draw
from botopt.model.decision import Choice
from botopt.model.learning_policy import Experiment
from botopt.model.policy import Settings

PURPOSE = "experiment "
"""How the purpose of a choice begins that says which arm a user is in; the experiment's name follows."""


def arm_of(experiment: Experiment, seed: int, user: str) -> Choice:
    """The arm that the user is in, as it stands in a record."""
    purpose = f"{PURPOSE}{experiment.name}"
    names = tuple(name for name, _ in experiment.arms)
    drawn, reached = draw(seed, purpose, user), 0.0
    for name, share in experiment.arms:
        reached += share
        if drawn < reached:
            return Choice(purpose, names, name, drawn, share)
    name, share = experiment.arms[-1]
    return Choice(purpose, names, name, drawn, share)


def is_in_control(settings: Settings, user: str) -> bool:
    """Whether nothing learned has a say in what this user gets."""
    return settings.control > 0 and draw(settings.seed, "control", user) < settings.control
