"""Rules that never match, that change nothing, or that another rule overrides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Policy, Rule
from botopt.verify.analysis.outlook import Outlook, Standing
from botopt.verify.analysis.outlooks import outlooks
from botopt.verify.analysis.space import UndecidedError
from botopt.verify.analysis.wording import why_never
from botopt.verify.checks.worth import rules_as_in, says_all


def rules_take_effect(policy: Policy) -> Iterator[Diagnostic]:
    """Rules that can never match (B405), that never change an outcome (B406), or are always overridden (B407)."""
    for outlook in outlooks(policy).values():
        if not outlook.event_type.enabled:
            continue
        for place in range(len(outlook.rules)):
            try:
                yield from _findings(outlook, place)
            except UndecidedError:
                continue


def _findings(outlook: Outlook, place: int) -> Iterator[Diagnostic]:
    rule = outlook.rules[place]
    if not outlook.can_match(place):
        message = f"rule {rule.id} can never match: {why_never(outlook.space, rule.when)}"
        yield finding("B405", rule.position, message, "mend the condition, or delete the rule")
        return
    overridden = list(_overridden(outlook, place))
    yield from overridden
    if not overridden and _has_effect(rule) and _changes_nothing(outlook, place):
        only_worth = rule.message is None and rule.channel is None and not rule.skip
        if not (only_worth and says_all(outlook)):  # then a finding about the event type speaks of all its rules
            yield _no_effect(outlook, place)


def _has_effect(rule: Rule) -> bool:
    """B121 speaks of those without."""
    return rule.skip or any(one is not None for one in (rule.score, rule.threshold, rule.message, rule.channel))


def _changes_nothing(outlook: Outlook, place: int) -> bool:
    """Whether no event is decided differently because of the rule."""
    bit = 1 << place

    def differs(standing: Standing, mask: int) -> bool:
        return standing.outcome() != outlook.standing(mask ^ bit).outcome()

    return outlook.find(differs, first=bit, fixed={place: True}) is None


def _no_effect(outlook: Outlook, place: int) -> Diagnostic:
    rule = outlook.rules[place]
    found = outlook.find(lambda *_: True, first=1 << place, fixed={place: True})
    if found is None:  # only together with the other rules it shows that it cannot
        message = f"rule {rule.id} can never match: nothing fulfils {rule.when.text}"
        return finding("B405", rule.position, message, "mend the condition, or delete the rule")
    standing = found.standing
    if outlook.event_type.always and not (rule.message or rule.channel or rule.skip):
        why, hint = "always: true waives the threshold", "delete the rule, or always: true"
    elif standing.skipped_by not in (None, rule.id):
        why, hint = f"whenever it matches, {_skipper(outlook, place)} skips the message", "delete the rule"
    elif standing.outcome()[0] == 0:
        why = "whenever it matches, the score stays below what is needed, with or without it"
        hint = "raise its score, or delete it"
    elif rule.score is None and rule.threshold is None:
        why, hint = "the message is sent as it is without the rule", "delete the rule, or name another message"
    else:
        why = "whenever it matches, the message is worth sending with or without it"
        hint = "delete it, or change the weight or the threshold so that it matters"
    expect = {"score": round(standing.score, 6), "threshold": round(standing.needed, 6)}
    witness = rules_as_in(outlook, found, name=f"B406 {outlook.event_type.name} {rule.id}", expect=expect)
    return finding("B406", rule.position, f"rule {rule.id} changes nothing: {why}", hint, witness=witness)


def _skipper(outlook: Outlook, place: int) -> str:
    """The rule that skips whatever a rule matches, or all those that may."""
    skips = [other for other, rule in enumerate(outlook.rules) if rule.skip and other != place]
    mine = outlook.rule(place)
    alone = [one for one in skips if outlook.space.possible(mine, outlook.rule(one, holds=False)) is None]
    return " or ".join(outlook.rules[one].id for one in (alone[:1] or skips))


def _overridden(outlook: Outlook, place: int) -> Iterator[Diagnostic]:
    rule, rules = outlook.rules[place], outlook.rules
    later, earlier = range(place + 1, len(rules)), range(place)
    if rule.message is not None:
        others = [other for other in later if rules[other].message is not None]
        if any(rules[other].message != rule.message for other in others):
            yield from _by(outlook, place, others, "message")
    if rule.channel is not None:
        others = [other for other in later if rules[other].channel is not None]
        if any(rules[other].channel != rule.channel for other in others):
            yield from _by(outlook, place, others, "channel")
    if rule.skip:
        yield from _by(outlook, place, [other for other in earlier if rules[other].skip], "skip")


def _by(outlook: Outlook, place: int, others: Sequence[int], what: str) -> Iterator[Diagnostic]:
    """A finding if the rule never matches without one of the others."""
    mine = outlook.rule(place)
    if not others or outlook.space.possible(mine, *(outlook.rule(one, holds=False) for one in others)) is not None:
        return
    alone = [one for one in others if outlook.space.possible(mine, outlook.rule(one, holds=False)) is None]
    names = [outlook.rules[one].id for one in (alone[-1:] or others)]
    rule, named = outlook.rules[place], " or ".join(names)
    if what == "skip":
        says = f"rule {rule.id} never decides: {named}, above it, matches whenever it does, and skips the message first"
        hint = f"delete it, or narrow the condition of {named}"
    else:
        value = rule.message if what == "message" else rule.channel
        says = f"the {what} {value} of rule {rule.id} is never used: {named}, below it, matches whenever it does"
        hint = f"move {rule.id} below {named}, or narrow the condition of {named}"
    yield finding("B407", rule.position, says, hint, witness=_both(outlook, place, what))


def _both(outlook: Outlook, place: int, what: str) -> str:
    """An event for which the rule matches, and what another makes of it."""
    name = f"B407 {outlook.event_type.name} {outlook.rules[place].id}"
    fixed = {place: True}
    sent = outlook.find(
        lambda standing, _: standing.plain and standing.skipped_by is None,
        first=outlook.helpful | 1 << place,
        fixed=fixed,
        also=outlook.undisturbed(),
    )
    if sent is not None and what != "skip":
        standing = sent.standing
        value = {"template": standing.template} if what == "message" else {"channel": standing.channel}
        return rules_as_in(outlook, sent, name=name, expect=value, sent=True)
    found = outlook.find(lambda *_: True, first=1 << place, fixed=fixed)
    if found is None:
        return ""
    expect: dict[str, object] = {
        "score": round(found.standing.score, 6),
        "threshold": round(found.standing.needed, 6),
    }
    if what == "skip":
        expect = {"outcome": "skipped", "by": found.standing.skipped_by}
    return rules_as_in(outlook, found, name=name, expect=expect)
