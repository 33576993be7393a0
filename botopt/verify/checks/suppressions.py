"""Suppressions that nothing can reach, and those that let nothing through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Inhibition, Limit, Mute, Policy, QuietHours, Suppression
from botopt.verify.analysis.nodes import Node, joined
from botopt.verify.analysis.outlook import Outlook, Standing, takes_all
from botopt.verify.analysis.outlooks import outlooks
from botopt.verify.analysis.space import UndecidedError
from botopt.verify.analysis.witness import as_test, scene_of
from botopt.verify.analysis.wording import why_never


def suppressions_can_stop(policy: Policy) -> Iterator[Diagnostic]:
    """Suppressions that can stop no message of all that are in their scope (B408)."""
    known = outlooks(policy)
    for suppression in policy.suppressions:
        concerned = [one for one in known.values() if suppression in one.suppressions]
        if not concerned:
            continue  # B122
        try:
            reason = _unreachable(suppression, concerned, known)
        except UndecidedError:
            continue
        if reason is not None:
            message = f"{suppression.id} can never stop a message: {reason[0]}"
            yield finding("B408", suppression.position, message, reason[1])


def _unreachable(
    suppression: Suppression, concerned: Sequence[Outlook], known: Mapping[str, Outlook]
) -> tuple[str, str] | None:
    """Why nothing reaches it, and what to do about it."""
    scoped = suppression.events or suppression.categories or suppression.channels
    asked = [one for one in concerned if not one.event_type.always]
    if not asked:
        names = " and ".join(one.event_type.name for one in concerned)
        waived = f"always: true of {names} waives it", "take always: true away there, or delete the suppression"
        return waived if scoped else None
    if isinstance(suppression.kind, Inhibition):
        kind = suppression.kind
        others = [one for one in asked if set(kind.by) - {one.event_type.name}]
        if not others:
            hint = "name another event type, or type cooldown: to keep a message from coming twice"
            return f"it is about {kind.by[0]} alone, and that never inhibits itself", hint
        silent = [name for name in kind.by if name in known and _never_sent(known[name])]
        if len(silent) == len(kind.by):
            return f"{' and '.join(silent)} can never be sent", "see what is said there, or delete the suppression"
    asks = suppression.conditions or isinstance(suppression.kind, QuietHours)
    if not asks or not _never_chosen(suppression, concerned):
        return None
    return _why_never_chosen(suppression, concerned)


def _why_never_chosen(suppression: Suppression, concerned: Sequence[Outlook]) -> tuple[str, str]:
    if not suppression.conditions:
        return (
            "while it is quiet, no message in its scope is worth sending",
            "mend the hours, or delete the suppression",
        )
    hint = "mend the condition, or delete the suppression"
    if suppression.when is not None:
        alone = [one for one in concerned if one.space.possible(one.space.node(suppression.when.condition)) is None]
        if len(alone) == len(concerned):
            return why_never(concerned[0].space, suppression.when), hint
    if suppression.unless is not None and suppression.when is None:
        exempt = [
            one
            for one in concerned
            if one.space.possible(one.space.node(suppression.unless.condition, wanted=False)) is None
        ]
        if len(exempt) == len(concerned):
            return f"its unless always holds: {suppression.unless.text}", hint
    if all(one.space.possible(one.chosen(suppression)) is None for one in concerned):
        return "its unless holds whenever its when does", hint
    if all(one.space.possible(*_reached(suppression, one)) is None for one in concerned):
        return "while it is quiet, its conditions never let it stop anything", hint
    return "where its conditions hold, no message in its scope is worth sending", hint


def _never_sent(outlook: Outlook) -> bool:
    return outlook.event_type.enabled and outlook.sendable() is None


def _never_chosen(suppression: Suppression, concerned: Sequence[Outlook]) -> bool:
    """Whether no message that is worth sending is one that the suppression may stop."""
    if isinstance(suppression.kind, Mute) and suppression.kind.window_us is not None:
        assert suppression.when is not None  # a mute with a length has a condition
        condition = suppression.when.condition
        if all(one.space.possible(one.space.node(condition)) is None for one in concerned):
            return True  # what begins for one event type goes on for all in scope
    return all(_never_worth(suppression, one) for one in concerned)


def _never_worth(suppression: Suppression, outlook: Outlook) -> bool:
    if outlook.event_type.always:
        return True

    return (
        outlook.find(
            lambda standing, _: (
                standing.worth > 0
                and standing.skipped_by is None
                and (not suppression.channels or standing.channel in suppression.channels)
            ),
            hope=lambda mask, decided: outlook.may_be_worth(mask, decided, outlook.factors[1], outlook.lifts[0]),
            first=outlook.helpful,
            also=_reached(suppression, outlook),
        )
        is None
    )


def _reached(suppression: Suppression, outlook: Outlook) -> Sequence[Node]:
    """That its conditions let it stop a message, and that it is quiet, where it has hours."""
    chosen = outlook.chosen(suppression)
    if isinstance(suppression.kind, QuietHours) and outlook.space.moments:
        return [chosen, outlook.space.quiet_node(suppression.kind, wanted=True)]
    return [chosen]


def suppressions_let_through(policy: Policy) -> Iterator[Diagnostic]:
    """Suppressions that stop every message of some event type that would be worth sending (B409)."""
    for outlook in outlooks(policy).values():
        if not outlook.event_type.enabled:
            continue
        try:
            if is_blocked(outlook):
                yield _always_blocks(outlook, _blockers(outlook))
        except UndecidedError:
            continue


def is_blocked(outlook: Outlook) -> bool:
    """Whether some message of the type is worth sending, and none gets past its suppressions.

    Raises:
        UndecidedError: it would take too long to say.
    """
    blockers = [] if outlook.event_type.always else _blockers(outlook)
    return bool(blockers) and outlook.sendable() is not None and _blocked(outlook, blockers)


def _blockers(outlook: Outlook) -> list[Suppression]:
    return [one for one in outlook.suppressions if _may_block(one, outlook)]


def _may_block(suppression: Suppression, outlook: Outlook) -> bool:
    """Whether it stops whatever it chooses, however long nothing was sent. One that says so outright is meant."""
    match suppression.kind:
        case Mute(window_us=None):
            return bool(suppression.conditions)
        case QuietHours():
            return bool(outlook.space.moments)  # where nothing asks for the time, B115 says all there is
        case Limit() as limit:
            return takes_all(limit, outlook.event_type)
        case _:
            return False


def _stops(outlook: Outlook, suppression: Suppression) -> Node:
    """That a blocker does not stop a message in its scope."""
    chosen = outlook.chosen(suppression, wanted=False)
    if isinstance(suppression.kind, QuietHours):
        awake = outlook.space.quiet_node(suppression.kind, wanted=False)
        return joined([chosen, awake], every=False)
    return chosen


def _blocked(outlook: Outlook, blockers: Sequence[Suppression]) -> bool:
    def let_through(standing: Standing) -> Sequence[Node]:
        return [_stops(outlook, one) for one in blockers if not one.channels or standing.channel in one.channels]

    return outlook.sendable(within=let_through) is None


def _always_blocks(outlook: Outlook, blockers: Sequence[Suppression]) -> Diagnostic:
    alone = [one for one in blockers if _blocked(outlook, [one])]
    if not alone:
        for one in list(blockers):
            fewer = [other for other in blockers if other is not one]
            blockers = fewer if _blocked(outlook, fewer) else blockers
    named = alone[:1] or sorted(blockers, key=lambda one: one.position)
    name, last = outlook.event_type.name, named[-1]
    ids = " and ".join(one.id for one in named)
    if isinstance(last.kind, Limit):
        why = f"all {last.kind.count} slots are reserved for other categories"
        hint = "raise the limit, reserve fewer slots, or take the event type out of the scope"
    elif isinstance(last.kind, QuietHours):
        why = "it is worth sending at no other time"
        hint = "shorten the hours, or mend the rules that ask for the time"
    else:
        why = f"what {'it stops' if len(named) == 1 else 'they stop'} is all that is worth sending"
        hint = f"narrow {last.id}; type enabled: false at {name} if nothing of it shall be sent"
    stop = "stops" if len(named) == 1 else "together stop"
    message = f'{ids} {stop} every message of "{name}": {why}'
    found = outlook.sendable(plain=True)
    witness = ""
    if found is not None and not outlook.policy.settings.holdout:
        answers = {rule.when.condition: bool(found.mask >> bit & 1) for bit, rule in enumerate(outlook.rules)}
        expect: dict[str, object] = {"outcome": "held"} if isinstance(last.kind, QuietHours) and last.kind.hold else {}
        if len(named) == 1 and not expect:
            expect = {"outcome": "suppressed"}
        witness = as_test(outlook, scene_of(outlook, found.box, answers, awake=False), f"B409 {name}", expect)
    return finding("B409", last.position, message, hint, witness=witness if "expect" in witness else "")
