"""What can become of the events of one type: which rules can hold together, and what the score is then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum

import msgspec

from botopt.engine.rounding import exact
from botopt.engine.scoring import Weighed, clamp
from botopt.engine.stages.scope import concerns
from botopt.learning.engagement import factor_range
from botopt.learning.pacing import Budget
from botopt.model.condition import Condition
from botopt.model.learning_policy import ScorerUse
from botopt.model.policy import EventType, Limit, Mute, Policy, QuietHours, Rule, Suppression
from botopt.verify.analysis.nodes import Box, Node, joined
from botopt.verify.analysis.space import Patience, Space, UndecidedError

Mask = int
"""Which rules hold: bit i is rule i."""

MOST_MASKS = 2_000
"""So many combinations of rules are looked at for one question; then it is not decided."""

_SLACK = 1e-8
"""Sums in another order differ by less."""


class Worth(IntEnum):
    """Whether a message is worth sending, whatever the user's clicks and fatigue are."""

    NEVER = 0
    DEPENDS = 1
    ALWAYS = 2


class Standing(msgspec.Struct, frozen=True):
    """What follows when certain rules hold.

    `score` and `needed` are those of a user about whom nothing is known; `threshold` is the plain sum of thresholds,
    which pacing multiplies.
    """

    worth: Worth
    plain: bool
    raw: float
    score: float
    needed: float
    highest: float
    lowest: float
    least_needed: float
    most_needed: float
    threshold: float
    skipped_by: str | None
    template: str
    channel: str
    paced: bool = False

    def outcome(self) -> tuple[object, ...]:
        """What two standings have in common if no event is decided differently."""
        if self.skipped_by is not None:
            return (self.skipped_by, self.channel)
        if self.worth is Worth.NEVER:
            return (Worth.NEVER, self.channel)
        depends = (self.raw, self.needed, self.threshold if self.paced else None) if self.worth is Worth.DEPENDS else ()
        return (self.worth, self.channel, self.template, *depends)


class Found(msgspec.Struct, frozen=True):
    """A combination of rules that can occur, a box of events with it, and what follows."""

    mask: Mask
    box: Box
    standing: Standing


class Outlook:
    """One event type. Its space is cut by everything that can concern its messages."""

    def __init__(self, policy: Policy, event_type: EventType, patience: Patience | None = None) -> None:
        self.policy = policy
        self.event_type = event_type
        self.rules = event_type.rules
        self.suppressions = tuple(one for one in policy.suppressions if concerns(one, event_type, policy))
        self.threshold = policy.settings.threshold if event_type.threshold is None else event_type.threshold
        self.template, self.channel = event_type.message or "", event_type.channel or ""
        self.rule_bits: Sequence[tuple[int, Rule]] = tuple((1 << place, rule) for place, rule in enumerate(self.rules))
        settings = policy.settings
        self.factors = factors(policy, event_type)
        self.fatigue = settings.fatigue.limit if settings.fatigue.per_message else 0.0
        budget = budget_of(policy, event_type)
        self.paced = budget is not None
        self.lifts = (1.0, 1.0) if budget is None else budget.lifts()
        if budget is not None and not settings.control:
            self.fatigue = 0.0
        self._standings: dict[Mask, Standing] = {}
        self._space: Space | None = None
        self._nodes: tuple[tuple[Node, Node], ...] = ()
        self._patience = patience
        self._seen: dict[Mask, Found] = {}

    # -- the space

    @property
    def space(self) -> Space:
        """Built when it is first needed: many questions are decided by sums alone."""
        if self._space is None:
            quiet = [one.kind for one in self.suppressions if isinstance(one.kind, QuietHours)]
            released = any(hours.hold for hours in quiet) or self.event_type.send_time is not None
            self._space = Space(
                self.policy, self.event_type, self._conditions(), quiet, released=released, patience=self._patience
            )
            self._nodes = tuple(
                (self._space.node(rule.when.condition, wanted=False), self._space.node(rule.when.condition))
                for rule in self.rules
            )
        return self._space

    def _conditions(self) -> Iterator[Condition]:
        for rule in self.rules:
            yield rule.when.condition
        for suppression in self.suppressions:
            for when in suppression.conditions:
                yield when.condition
        for name in self.policy.templates_of(self.event_type):
            template = self.policy.templates.get(name)
            for variant in template.variants if template is not None else ():
                if variant.when is not None:
                    yield variant.when.condition

    def rule(self, place: int, *, holds: bool = True) -> Node:
        """That a rule holds, or that it does not."""
        _ = self.space
        return self._nodes[place][holds]

    def chosen(self, suppression: Suppression, *, wanted: bool = True) -> Node:
        """That `when` and `unless` of a suppression let it stop a message, or that they do not."""
        parts = []
        if suppression.when is not None and not (
            isinstance(suppression.kind, Mute) and suppression.kind.window_us is not None
        ):
            parts.append(self.space.node(suppression.when.condition, wanted=wanted))
        if suppression.unless is not None:
            parts.append(self.space.node(suppression.unless.condition, wanted=not wanted))
        return joined(parts, every=wanted)

    def undisturbed(self) -> list[Node]:
        """That no suppression stops a first message; cooldowns and their like need an earlier one."""
        nodes = []
        for one in self.suppressions:
            match one.kind:
                case Mute(window_us=None):
                    nodes.append(self.chosen(one, wanted=False))
                case Limit() as limit if takes_all(limit, self.event_type):
                    nodes.append(self.chosen(one, wanted=False))
                case Mute():
                    assert one.when is not None  # a mute with a length has a condition
                    nodes.append(self.space.node(one.when.condition, wanted=False))
                case QuietHours() as hours if self.space.moments:
                    nodes.append(self.space.quiet_node(hours, wanted=False))
                case _:
                    pass
        return nodes

    # -- arithmetic

    def standing(self, mask: Mask) -> Standing:
        """What follows when exactly these rules hold."""
        found = self._standings.get(mask)
        if found is None:
            found = self._standings[mask] = self._standing(Weighed(self, mask))
        return found

    def _standing(self, weighed: Weighed) -> Standing:
        low, high = self.factors
        score, highest, lowest = (exact(clamp(weighed.raw * factor)) for factor in (1.0, high, low))
        needed, tired = (exact(clamp(weighed.threshold + tired)) for tired in (0.0, self.fatigue))
        least, most = needed, tired
        if self.paced:
            low_bar, high_bar = (exact(clamp(weighed.threshold * lift)) for lift in self.lifts)
            least, most = min(low_bar, needed), max(high_bar, tired)
        if self.event_type.always:
            worth, plain = Worth.ALWAYS, True
        else:
            worth = Worth.ALWAYS if lowest > most else Worth.DEPENDS if highest > least else Worth.NEVER
            plain = score > needed
        return Standing(
            worth,
            plain,
            weighed.raw,
            score,
            needed,
            highest,
            lowest,
            least,
            most,
            weighed.threshold,
            weighed.skipped_by,
            weighed.template,
            weighed.channel,
            self.paced,
        )

    def may_be_worth(self, mask: Mask, decided: int, factor: float, lift: float) -> bool:
        """Whether the rules from number `decided` on could still lift a message over what it needs, by sums alone.

        `factor` is that of the score, `lift` that of the threshold.
        """
        if self.event_type.always:
            return True
        raw, needed = self.event_type.weight, self.threshold
        for place, rule in enumerate(self.rules):
            score, change = rule.score or 0.0, rule.threshold or 0.0
            if place >= decided:
                score, change = max(score, 0.0), min(change, 0.0)
            elif not mask >> place & 1:
                continue
            raw, needed = raw + score, needed + change
        return clamp(raw) * factor + _SLACK > clamp(min(needed, needed * lift))

    # -- which rules hold together

    def find(
        self,
        goal: Callable[[Standing, Mask], bool],
        *,
        hope: Callable[[Mask, int], bool] | None = None,
        first: Mask = 0,
        fixed: Mapping[int, bool] | None = None,
        also: Sequence[Node] = (),
        within: Callable[[Standing], Sequence[Node]] | None = None,
    ) -> Found | None:
        """A combination of rules that can occur and for which `goal` is true; None: there is none.

        `hope` says of the first rules alone whether it is worth going on; `first` is the combination that is tried
        first; `fixed` rules hold or do not; `also` must hold, too, and `within` what follows from the combination.

        Raises:
            UndecidedError: it would take too long to say.
        """
        whole = within is None and not also
        if whole:
            known = self._among_seen(goal, first, fixed or {})
            if known is not None:
                return known
        found = next(self.all(goal, hope=hope, first=first, fixed=fixed, also=also, within=within), None)
        if found is not None and whole:
            self._seen[found.mask] = found
        return found

    def _among_seen(
        self, goal: Callable[[Standing, Mask], bool], first: Mask, fixed: Mapping[int, bool]
    ) -> Found | None:
        """One of the combinations that are known to occur, or the one to try first: most questions end here."""
        wanted = sum(1 << place for place, holds in fixed.items() if holds)
        about = sum(1 << place for place in fixed)
        for found in self._seen.values():
            if found.mask & about == wanted and goal(found.standing, found.mask):
                return found
        space = self.space
        mask = first & ((1 << len(self.rules)) - 1) & ~about | wanted
        if mask in self._seen or not goal(self.standing(mask), mask):
            return None
        box = space.possible(*(nodes[mask >> place & 1] for place, nodes in enumerate(self._nodes)))
        if box is None:
            return None
        found = self._seen[mask] = Found(mask, box, self.standing(mask))
        return found

    def all(
        self,
        goal: Callable[[Standing, Mask], bool],
        *,
        hope: Callable[[Mask, int], bool] | None = None,
        first: Mask = 0,
        fixed: Mapping[int, bool] | None = None,
        also: Sequence[Node] = (),
        within: Callable[[Standing], Sequence[Node]] | None = None,
    ) -> Iterator[Found]:
        """Every such combination, each once.

        Raises:
            UndecidedError: there are too many.
        """
        fixed = fixed or {}
        count, space = len(self.rules), self.space
        left = MOST_MASKS

        def go(place: int, mask: Mask, nodes: list[Node], box: Box | None) -> Iterator[Found]:
            nonlocal left
            left -= 1
            if left < 0:
                raise UndecidedError
            if hope is not None and not hope(mask, place):
                return
            if place == count:
                standing = self.standing(mask)
                if goal(standing, mask):
                    if within is not None and (more := within(standing)):
                        box = space.possible(*nodes, *more)
                    if box is not None:
                        yield Found(mask, box, standing)
                return
            likely = bool(first >> place & 1)
            for holds in (likely, not likely):
                if fixed.get(place, holds) is not holds:
                    continue
                further = [*nodes, self._nodes[place][holds]]
                inside = space.possible(*further)
                if inside is not None:
                    yield from go(place + 1, mask | (holds << place), further, inside)

        start = space.possible(*also)
        if start is not None:
            yield from go(0, 0, list(also), start)

    def can_match(self, place: int) -> bool:
        """Whether a rule can match.

        Raises:
            UndecidedError: it would take too long to say.
        """
        return any(mask >> place & 1 for mask in self._seen) or self.space.possible(self.rule(place)) is not None

    @property
    def helpful(self) -> Mask:
        """The rules that make it likelier that a message is sent."""
        return sum(
            1 << place
            for place, rule in enumerate(self.rules)
            if not rule.skip and (rule.score or 0.0) - (rule.threshold or 0.0) > 0
        )

    def sendable(self, *, plain: bool = False, **more: object) -> Found | None:
        """An event that is worth sending to some user; with `plain`, to one about whom nothing is known."""
        factor = 1.0 if plain else self.factors[1]
        lift = 1.0 if plain else self.lifts[0]
        if not self.may_be_worth(0, 0, factor, lift):
            return None

        def goal(standing: Standing, _: Mask) -> bool:
            worth = standing.plain if plain else standing.worth is not Worth.NEVER
            return worth and standing.skipped_by is None

        def hope(mask: Mask, decided: int) -> bool:
            return self.may_be_worth(mask, decided, factor, lift)

        return self.find(goal, hope=hope, first=self.helpful, **more)  # type: ignore[arg-type]  # handed on as it came


def factors(policy: Policy, event_type: EventType) -> tuple[float, float]:
    """Between what the factor of the score lies, whatever users do and a scorer says."""
    if not event_type.engagement:
        return 1.0, 1.0
    settings = policy.settings.engagement
    low, high = factor_range(settings)
    if policy.scorer is None:
        return low, high
    by_scorer = (min(settings.low, 1.0), max(settings.high, 1.0)) if settings.effect else (1.0, 1.0)
    if policy.scorer.use is ScorerUse.MULTIPLY:
        return low * by_scorer[0], high * by_scorer[1]
    return min(low, by_scorer[0]), max(high, by_scorer[1])


def budget_of(policy: Policy, event_type: EventType) -> Budget | None:
    """The budget that its messages come out of, if there is one."""
    category = policy.categories.get(event_type.category or "")
    pacing = policy.settings.pacing if category is None or category.pacing is None else category.pacing
    return None if pacing is None else Budget("", pacing, policy.settings.threshold)


def takes_all(limit: Limit, event_type: EventType) -> bool:
    """Whether all slots of a limit are reserved for other categories: sends and slots kept are never fewer."""
    return sum(slots for name, slots in limit.reserved if name != event_type.category) >= limit.count
