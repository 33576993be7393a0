"""The engine's own explanation of a recorded event, as titles and sentences."""

from __future__ import annotations

from botopt.dashboard.views.session import Given
from botopt.engine.explain import Explanation

Told = list[tuple[str, list[str]]]


def explain(given: Given, event_id: str, user: str, revision: str) -> Told:
    """Replay the events up to one, and say what the engine looked at.

    Raises:
        InputError: a file of events cannot be read.
    """
    from botopt.engine.build import build
    from botopt.sources.envelope import Decoder
    from botopt.state.memory import MemoryStore
    from botopt.verify.explaining import explain_event
    from botopt.verify.inputs import Inputs

    assert given.policy is not None
    with Inputs([str(path) for path in given.events]) as inputs:
        found = explain_event(build(given.policy), Decoder(given.policy), MemoryStore(), inputs, event_id, user)
    told: Told = []
    if given.policy.revision != revision:
        told.append(
            (
                "Another policy decided then",
                [f"Revision {revision} decided; the workspace, {given.policy.revision}, would say this."],
            )
        )
    for explanation in found.explanations:
        told.extend(_sections(explanation))
    if not found.explanations:
        told.append(("Nothing to weigh", ["The event never reached the rules: the record above says all there is."]))
    return told


def _sections(explanation: Explanation) -> Told:
    decision = explanation.decision
    result = decision.outcome.value if decision.reason is None else f"{decision.outcome.value}: {decision.reason.value}"
    sections = [
        (
            "Rules",
            [
                f"{rule.id} {'matched' if rule.matched else 'did not match'}: {', '.join(rule.effects)}, "
                f"when {rule.when} ({rule.position})"
                for rule in explanation.rules
            ],
        ),
        ("Score", list(explanation.arithmetic)),
        ("Learned", list(explanation.learned)),
        (
            "Suppressions",
            [
                f"{item.id} {'stops it' if item.stops and not item.waived else 'lets it pass'}: {item.numbers} "
                f"({item.position})"
                for item in explanation.suppressions
                if item.in_scope
            ],
        ),
        ("Result", [result]),
        ("What would have sent it", list(explanation.change) if decision.reason is not None else []),
    ]
    return [(title, sentences) for title, sentences in sections if sentences]
