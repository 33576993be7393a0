"""A policy compiled: for each event type, what its events can meet and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botopt.engine import pipeline
from botopt.engine.choosing import TemplatePlan
from botopt.engine.conditions import BoundMatcher, bind_conditions
from botopt.engine.features import bind as bind_features
from botopt.engine.hashes import decision_id
from botopt.engine.history import Retention
from botopt.engine.scoring import Weighed
from botopt.engine.stages import paced
from botopt.engine.stages.scope import Bound, concerns
from botopt.engine.stages.send_time import offering
from botopt.engine.stages.stage import Glance
from botopt.engine.work import Work
from botopt.learning.learner import Learned
from botopt.learning.pacing import Budget
from botopt.learning.scorer import BoundScorer
from botopt.model.click_model import FEATURES
from botopt.model.condition import Condition, Scope, references
from botopt.model.decision import Reason
from botopt.model.learning_policy import Experiment
from botopt.model.policy import EventType, Mute, Policy, QuietHours, Rule, Suppression, When
from botopt.model.ports import Network, Renderer

_MOST_WEIGHED = 4_096


class Plan:
    """One event type that decides, bound to everything that concerns it."""

    __slots__ = (
        "_network",
        "_policy",
        "_renderer",
        "_suppression_conditions",
        "_templates",
        "_weighed",
        "after_worth",
        "after_worth_in_control",
        "all_stages",
        "attributes",
        "bounds",
        "budget",
        "category",
        "channel",
        "engagement",
        "event_type",
        "experiments",
        "explores",
        "learns",
        "looking",
        "mutes",
        "offering",
        "ordinary",
        "quiet",
        "rule_bits",
        "rules",
        "scorer",
        "send_fields",
        "settings",
        "stages",
        "template",
        "threshold",
        "unlearned",
        "withdrawing",
    )

    def __init__(
        self,
        policy: Policy,
        event_type: EventType,
        keep: Retention,
        network: Network,
        renderer: Renderer,
        unlearned: Learned,
        budgets: Mapping[str, Budget],
        scorer: BoundScorer | None,
    ) -> None:
        self._policy = policy
        self._network = network
        self._renderer = renderer
        self.event_type = event_type
        self.settings = policy.settings
        self.attributes = policy.attributes
        self.category = None if event_type.category is None else policy.categories[event_type.category]
        self.engagement = event_type.engagement
        self.threshold = policy.settings.threshold if event_type.threshold is None else event_type.threshold
        self.template = event_type.message or ""
        self.channel = event_type.channel or ""
        rules = [rule.when.condition for rule in event_type.rules]
        self.rules = bind_conditions(network, rules, policy.attributes)
        bits = tuple((1 << place, rule) for place, rule in enumerate(event_type.rules))
        self.rule_bits: Sequence[tuple[int, Rule]] = bits
        self.bounds, conditions = _bind_suppressions(policy, event_type)
        self._suppression_conditions: BoundMatcher | None = bind_conditions(network, conditions, policy.attributes)
        self.mutes = tuple(
            bound
            for bound in self.bounds
            if isinstance(bound.suppression.kind, Mute) and bound.suppression.kind.window_us is not None
        )
        self.unlearned = unlearned
        self.learns = policy.learns
        self.budget = budgets.get(event_type.category or "") or budgets.get("")
        # What always goes out is kept back by nothing.
        self.explores = self.engagement and not event_type.always and policy.settings.engagement.explore > 0
        self.scorer = scorer
        self.looking = None if scorer is None else bind_features(policy.settings, event_type.name)
        self.offering = offering(event_type)
        self.quiet = tuple(bound for bound in self.bounds if isinstance(bound.suppression.kind, QuietHours))
        self.experiments = experiments_of(policy, event_type)
        self.all_stages = pipeline.bind(policy, event_type, self.bounds)
        waived = pipeline.WAIVED_BY_ALWAYS if event_type.always else frozenset()
        self.stages = tuple(stage for stage in self.all_stages if stage[0] not in waived)
        # What is asked where no operator silences anything and no provider caps the user.
        rare = pipeline.rare(self.bounds)
        self.ordinary = tuple(stage for stage in self.stages if stage[0] not in rare)
        self.withdrawing = tuple(stage for stage in self.stages if stage[0] in pipeline.WITHDRAWING)
        places = [place for place, (reason, _) in enumerate(self.ordinary) if reason is Reason.BELOW_THRESHOLD]
        after = self.ordinary[places[0] + 1 :] if places else ()
        glances = tuple((reason, self._glance(reason), stage) for reason, stage in after)
        self.after_worth = tuple((glance, stage) for _, glance, stage in glances)
        self.after_worth_in_control = tuple(
            (glance, stage) for reason, glance, stage in glances if reason is not Reason.PACED
        )
        self.send_fields = tuple(name for name in keep.send_fields if name in event_type.fields)
        self._templates: dict[str, TemplatePlan] = {}
        self._weighed: dict[int, Weighed] = {}

    def _glance(self, reason: Reason) -> Glance | None:
        if reason is Reason.PACED and self.budget is not None:
            return paced.glance(self.budget)
        return pipeline.glance(reason, self.event_type, self.bounds)

    def weighed(self, mask: int) -> Weighed:
        """What follows from the rules that hold; remembered, because few combinations occur."""
        found = self._weighed.get(mask)
        if found is None:
            if len(self._weighed) >= _MOST_WEIGHED:
                self._weighed.clear()
            found = self._weighed[mask] = Weighed(self, mask)
        return found

    def condition_mask(self, work: Work) -> int:
        """Which conditions of suppressions hold; asked once a decision, and only when one is needed."""
        if work.conditions is None:
            matcher = self._suppression_conditions
            work.conditions = matcher.match(work) if matcher is not None else 0
        return work.conditions

    def template_plan(self, name: str) -> TemplatePlan:
        """A template bound to this event type."""
        plan = self._templates.get(name)
        if plan is None:
            plan = TemplatePlan(
                self._policy.templates[name],
                self.event_type.name,
                self._network,
                self._renderer,
                self._policy.attributes,
                self.settings.seed,
            )
            self._templates[name] = plan
        return plan

    def event_id(self, work: Work) -> bytes:
        """The id of the first decision about the event, by which it is remembered."""
        if not work.is_release:
            return work.id
        return decision_id(work.event.key, 0, work.seen_us)


def _bind_suppressions(policy: Policy, event_type: EventType) -> tuple[tuple[Bound, ...], list[Condition]]:
    categories = {name: other.category for name, other in policy.events.items()}
    conditions: list[Condition] = []

    def bit(when: When | None) -> int:
        if when is None:
            return 0
        conditions.append(when.condition)
        return 1 << (len(conditions) - 1)

    def bound(suppression: Suppression) -> Bound:
        return Bound(suppression, categories, bit(suppression.when), bit(suppression.unless))

    found = [s for s in policy.suppressions if concerns(s, event_type, policy)]
    return tuple(bound(suppression) for suppression in found), conditions


def experiments_of(policy: Policy, event_type: EventType) -> Mapping[str, Experiment]:
    """Those that have a say in what becomes of an event of this type: every record of it exposes its user to them.

    Every record, whatever is decided and in whatever arm: what the arm brings about must not say who is counted.
    """
    whens = [rule.when for rule in event_type.rules]
    for suppression in policy.suppressions:
        if concerns(suppression, event_type, policy):
            whens += suppression.conditions
    for name in policy.templates_of(event_type):
        whens += [variant.when for variant in policy.templates[name].variants if variant.when is not None]
    named = {ref.name for when in whens for ref in references(when.condition) if ref.scope is Scope.EXPERIMENT}
    return {name: policy.experiments[name] for name in sorted(named) if name in policy.experiments}


def budgets_of(policy: Policy) -> Mapping[str, Budget]:
    """The budgets of messages by the category that they are for; that of all other messages under an empty name."""
    paced = {name: category.pacing for name, category in policy.categories.items()}
    paced[""] = policy.settings.pacing
    threshold = policy.settings.threshold
    return {name: Budget(name, pacing, threshold) for name, pacing in paced.items() if pacing is not None}


def plans(
    policy: Policy,
    keep: Retention,
    network: Network,
    renderer: Renderer,
    unlearned: Learned,
    budgets: Mapping[str, Budget],
) -> Mapping[str, Plan]:
    """A plan for every event type that decides."""
    deciding = (event_type for event_type in policy.events.values() if event_type.decides)
    scorer = None if policy.scorer is None else BoundScorer(policy.scorer, tuple(FEATURES))
    return {
        event_type.name: Plan(policy, event_type, keep, network, renderer, unlearned, budgets, scorer)
        for event_type in deciding
    }
