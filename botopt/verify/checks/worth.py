"""Event types whose score and threshold leave no choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from botopt.engine.numbers import number
from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Policy
from botopt.verify.analysis.outlook import Found, Outlook, Standing, Worth
from botopt.verify.analysis.outlooks import outlooks
from botopt.verify.analysis.space import UndecidedError
from botopt.verify.analysis.witness import as_test, scene_of


def worth_leaves_a_choice(policy: Policy) -> Iterator[Diagnostic]:
    """Event types that are never worth sending (B402), to nobody at first (B403), or always (B404)."""
    for outlook in outlooks(policy).values():
        if not outlook.event_type.enabled:
            continue
        try:
            yield from _findings(outlook)
        except UndecidedError:
            continue


def _findings(outlook: Outlook) -> Iterator[Diagnostic]:
    if outlook.sendable(plain=True) is None:
        yield _never(outlook) if outlook.sendable() is None else _not_at_first(outlook)
    elif (low := _never_below(outlook)) is not None:
        yield _always(outlook, low)


def says_all(outlook: Outlook) -> bool:
    """Whether the event type is never or always worth sending, whatever its rules do."""
    if outlook.sendable(plain=True) is None:
        return outlook.sendable() is None
    return _never_below(outlook) is not None


def rules_as_in(outlook: Outlook, found: Found, *, name: str, expect: Mapping[str, object], sent: bool = False) -> str:
    """A rule test with an event for which exactly these rules hold; empty where none is found.

    `sent`: nothing else stops it.
    """
    answers = {rule.when.condition: bool(found.mask >> bit & 1) for bit, rule in enumerate(outlook.rules)}
    return as_test(outlook, scene_of(outlook, found.box, answers, sent=sent), name, expect)


def _best(outlook: Outlook) -> tuple[Found | None, Found | None]:
    """What comes nearest to being worth it, among what no rule skips and among all."""
    open_: Found | None = None
    any_: Found | None = None
    for found in outlook.all(lambda *_: True, first=outlook.helpful):
        any_ = found if any_ is None or _margin(found.standing) > _margin(any_.standing) else any_
        if found.standing.skipped_by is None:
            open_ = found if open_ is None or _margin(found.standing) > _margin(open_.standing) else open_
    return open_, any_


def _margin(standing: Standing) -> float:
    return standing.highest - standing.least_needed


def _never(outlook: Outlook) -> Diagnostic:
    name, place = outlook.event_type.name, outlook.event_type.position
    open_, any_ = _best(outlook)
    best = open_ or any_
    assert best is not None  # some combination of rules always holds
    standing = best.standing
    if any_ is not None and any_.standing.worth is not Worth.NEVER:
        skipper = any_.standing.skipped_by
        reason = (
            f"rule {skipper} skips it whenever it would be worth it" if open_ else f"rule {skipper} always skips it"
        )
        message = f'"{name}" can never be sent: {reason}'
        hint = f"narrow the condition of {skipper}, or type enabled: false if nothing shall be sent"
        witness = rules_as_in(outlook, any_, name=f"B402 {name}", expect={"outcome": "skipped", "by": skipper})
        return finding("B402", place, message, hint, witness=witness)
    message = (
        f'"{name}" can never be sent: its score reaches {number(standing.highest)} at most'
        f"{_by_clicks(standing)}, and it must be above {number(standing.least_needed)}{_by_pacing(standing)}"
    )
    hint = "raise the weight or a rule's score, or lower the threshold"
    expect: dict[str, object] = {"outcome": "below_threshold"}
    if standing.skipped_by is not None:
        expect = {"outcome": "skipped"}
    expect |= {"score": round(standing.score, 6), "threshold": round(standing.needed, 6)}
    return finding("B402", place, message, hint, witness=rules_as_in(outlook, best, name=f"B402 {name}", expect=expect))


def _by_clicks(standing: Standing) -> str:
    if standing.highest == standing.score:
        return ""
    return f", for users who click on everything ({number(standing.score)} for others)"


def _by_pacing(standing: Standing) -> str:
    return "" if standing.least_needed == standing.needed else ", however far pacing lowers the bar"


def _not_at_first(outlook: Outlook) -> Diagnostic:
    name, place = outlook.event_type.name, outlook.event_type.position
    best: Found | None = None
    for found in outlook.all(lambda standing, _: standing.skipped_by is None, first=outlook.helpful):
        margin = found.standing.score - found.standing.needed
        if best is None or margin > best.standing.score - best.standing.needed:
            best = found
    assert best is not None  # with clicks, some combination is worth it
    standing = best.standing
    message = (
        f'"{name}" reaches nobody at first: without clicks its score is {number(standing.score)} at most, '
        f"and it must be above {number(standing.needed)}; {_only_later(outlook)}"
    )
    hint = "raise the weight or lower the threshold if new users shall get it, too"
    expect = {
        "outcome": "below_threshold",
        "score": round(standing.score, 6),
        "threshold": round(standing.needed, 6),
    }
    return finding("B403", place, message, hint, witness=rules_as_in(outlook, best, name=f"B403 {name}", expect=expect))


def _only_later(outlook: Outlook) -> str:
    """What can change that later."""
    everybody = outlook.policy.settings.engagement.learn and outlook.event_type.engagement
    raising = "other users' clicks, or its own on other messages," if everybody else "clicks on other messages"
    if outlook.paced:
        return f"only {raising} can raise it, or pacing lower the bar after another message"
    return f"only {raising} can raise it"


def _never_below(outlook: Outlook) -> Found | None:
    """The least score of an event type whose rules shall keep some messages back, and never do; None: they may."""
    if outlook.event_type.always:
        return None
    lowering = [
        place
        for place, rule in enumerate(outlook.rules)
        if not rule.skip and ((rule.score or 0.0) < 0 or (rule.threshold or 0.0) > 0)
    ]
    if not lowering:
        return None
    against = ~outlook.helpful

    def below(standing: Standing, _: int) -> bool:
        return standing.skipped_by is None and standing.worth is not Worth.ALWAYS

    if outlook.find(below, first=against) is not None:
        return None
    least: Found | None = None
    for found in outlook.all(lambda standing, _: standing.skipped_by is None, first=against):
        lowered = any(found.mask >> place & 1 for place in lowering)
        if lowered and (least is None or found.standing.lowest < least.standing.lowest):
            least = found
    return least


def _always(outlook: Outlook, low: Found) -> Diagnostic:
    name, place, standing = outlook.event_type.name, outlook.event_type.position, low.standing
    held = [rule.id for bit, rule in enumerate(outlook.rules) if low.mask >> bit & 1]
    hold = f"{' and '.join(held)} {'holds' if len(held) == 1 else 'hold'}"
    message = (
        f'"{name}" is always worth sending: its score is {number(standing.lowest)} at least, even when {hold}, '
        f"and {number(standing.most_needed)} is the most that it must be above"
    )
    hint = "lower the weight or the scores, raise the threshold, or type always: true if that is meant"
    expect = {"score": round(standing.score, 6), "threshold": round(standing.needed, 6)}
    return finding("B404", place, message, hint, witness=rules_as_in(outlook, low, name=f"B404 {name}", expect=expect))
