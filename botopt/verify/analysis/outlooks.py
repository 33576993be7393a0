"""The outlooks of a policy's event types: several checks ask for the same."""

from __future__ import annotations

from collections.abc import Mapping

from botopt.model.policy import Policy
from botopt.verify.analysis.outlook import Outlook
from botopt.verify.analysis.space import Patience


class _Latest:
    """Those of the last policy: each check asks in turn."""

    known: tuple[Policy, Mapping[str, Outlook]] | None = None


def outlooks(policy: Policy) -> Mapping[str, Outlook]:
    """One for each event type that has a message, by name; those that are not enabled, too."""
    known = _Latest.known
    if known is None or known[0] is not policy:
        patience = Patience()
        found = {name: Outlook(policy, one, patience) for name, one in policy.events.items() if one.message is not None}
        known = _Latest.known = (policy, found)
    return known[1]
