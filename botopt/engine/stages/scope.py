"""Which suppressions concern an event type, and which messages each may stop."""

from __future__ import annotations

from botopt.engine.work import Work
from botopt.model.policy import EventType, Policy, Suppression
from botopt.model.user_state import Send


def concerns(suppression: Suppression, event_type: EventType, policy: Policy) -> bool:
    """Whether any message of this event type can be in the suppression's scope."""
    return (
        (not suppression.events or event_type.name in suppression.events)
        and (not suppression.categories or event_type.category in suppression.categories)
        and (not suppression.channels or not set(suppression.channels).isdisjoint(policy.channels_of(event_type)))
    )


class Bound:
    """A suppression bound to one event type that it concerns.

    `when_bit` and `unless_bit` are the places of its conditions in the event type's condition mask, 0 where
    it has none.
    """

    __slots__ = ("categories", "suppression", "unless_bit", "when_bit")

    def __init__(self, suppression: Suppression, categories: dict[str, str | None], when: int, unless: int) -> None:
        self.suppression = suppression
        self.categories = categories
        self.when_bit = when
        self.unless_bit = unless

    @property
    def always_chosen(self) -> bool:
        """Whether `chosen` is true for every message of the event type."""
        return not (self.when_bit or self.unless_bit or self.suppression.channels)

    @property
    def counts_all(self) -> bool:
        """Whether `counts` is true for every send."""
        return not (self.suppression.events or self.suppression.categories or self.suppression.channels)

    def covers(self, work: Work) -> bool:
        """Whether the finally chosen channel is in scope."""
        channels = self.suppression.channels
        return not channels or work.channel in channels

    def chosen(self, work: Work) -> bool:
        """Whether the suppression's scope, `when` and `unless` let it stop this message."""
        if not self.covers(work):
            return False
        if not (self.when_bit or self.unless_bit):
            return True
        mask = work.plan.condition_mask(work)
        return (not self.when_bit or bool(mask & self.when_bit)) and not mask & self.unless_bit

    def exempt(self, work: Work) -> bool:
        """Whether the scope or `unless` keeps this message out of reach, whatever `when` says."""
        if not self.covers(work):
            return True
        return bool(self.unless_bit) and bool(work.plan.condition_mask(work) & self.unless_bit)

    def counts(self, send: Send) -> bool:
        """Whether a send is in scope (`when` and `unless` do not matter for what counts)."""
        suppression = self.suppression
        return (
            (not suppression.events or send.event_type in suppression.events)
            and (not suppression.categories or self.categories.get(send.event_type) in suppression.categories)
            and (not suppression.channels or send.channel in suppression.channels)
        )
