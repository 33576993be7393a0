"""Both networks must give the same answers on the boundary facts of this very policy."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator

from botopt.model.codes import finding
from botopt.model.condition import Condition
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Policy, When
from botopt.model.position import Position
from botopt.network.network import Disagreement, self_check

_SPARE = 1000
"""Groups of conditions that are remembered beyond twice those that there are."""

_Known = dict[tuple[Condition, ...], tuple[Disagreement, ...]]


def networks_agree(policy: Policy) -> Iterator[Diagnostic]:
    """One finding for each condition on which they differ."""
    yield from _agreeing(policy, {}, {}, sys.maxsize)


class NetworksAgain:
    """The same after every edit: conditions that were checked once are not checked again."""

    def __init__(self) -> None:
        self._known: _Known = {}
        self.left = 0

    def __call__(self, policy: Policy, most: int) -> Iterator[Diagnostic]:
        """One finding for each condition on which the networks differ."""
        asked: _Known = {}
        self.left = yield from _agreeing(policy, self._known, asked, most)
        if len(self._known) > 2 * len(asked) + _SPARE:
            self._known = {}
        self._known |= asked


def _agreeing(policy: Policy, known: _Known, asked: _Known, most: int) -> Generator[Diagnostic, None, int]:
    """The findings; `asked` gets the answers that were needed, from `known` or `most` new ones. How many more are."""
    left = 0
    for group in condition_groups(policy):
        places: dict[Condition, Position] = {when.condition: when.position for when in group}
        conditions = tuple(places)
        if conditions not in asked:
            if conditions not in known and most <= 0:
                left += 1
                continue
            most -= conditions not in known
            asked[conditions] = known[conditions] if conditions in known else self_check(conditions)
        for disagreement in asked[conditions]:
            yield finding(
                "B501",
                places[disagreement.condition],
                f"the two rules networks disagree about this condition: {disagreement}",
                "please report this as a bug; until then run with `--network reference`",
            )
    return left


def condition_groups(policy: Policy) -> Iterator[list[When]]:
    """The conditions of the policy as they are compiled together."""
    for event_type in policy.events.values():
        if event_type.rules:
            yield [rule.when for rule in event_type.rules]
    of_suppressions = [when for suppression in policy.suppressions for when in suppression.conditions]
    if of_suppressions:
        yield of_suppressions
    for template in policy.templates.values():
        whens = [variant.when for variant in template.variants if variant.when is not None]
        if whens:
            yield whens
