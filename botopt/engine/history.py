"""How long the past is kept: as long as the longest window of the policy needs it, and no longer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from botopt.model.condition import Ref, Scope, references
from botopt.model.durations import DAY_US
from botopt.model.policy import Choose, Conversation, Cooldown, Inhibition, Limit, Policy, Resolution, Template
from botopt.model.ports import Renderer
from botopt.model.user_state import Response, UserState

FEEDBACK_WINDOW_US = 30 * DAY_US
"""How long after a message was sent feedback about it is still taken."""

RECENT = 10
"""Half-lives for which it matters that a user had a variant: then a thousandth of the penalty is left."""

_WEEK_US = 8 * DAY_US  # a calendar week with a daylight-saving change is longer than seven days
_WINDOW_CALL = re.compile(r"\b(count|seen|sent)\s*\(")


class Retention(msgspec.Struct, frozen=True):
    """The longest windows of a policy, in microseconds.

    `times`: by event type, for count and seen. `past`: by event type, for `resolved_by`. `past_fields`:
    by event type, the `same` fields. `send_fields`: the fields that cooldowns compare.
    `active_us`: how long it matters that the user said or did something; `hours`: at which hours matters, too.
    """

    times: Mapping[str, int]
    past: Mapping[str, int]
    past_fields: Mapping[str, tuple[str, ...]]
    send_fields: tuple[str, ...]
    sends_us: int
    dedupe_us: int
    active_us: int = 0
    hours: bool = False

    def windows(self) -> dict[str, int]:
        """Every window by a name that people understand, to tell what a state file is complete for."""
        named = {f"events of type {name}": window for name, window in self.times.items()}
        for name, window in self.past.items():
            named[f"{name} as a resolving event"] = window
        named["messages sent"] = self.sends_us
        if self.active_us:
            named["what users say and do"] = self.active_us
        return dict(sorted(named.items()))


def together(one: Retention, other: Retention) -> Retention:
    """What both of two policies need to remember: with more than it needs, a policy decides as ever."""
    names = (*one.past, *other.past)
    fields = {name: one.past_fields.get(name, ()) + other.past_fields.get(name, ()) for name in names}
    return Retention(
        _longest(one.times, other.times),
        _longest(one.past, other.past),
        {name: tuple(dict.fromkeys(both)) for name, both in fields.items()},
        tuple(dict.fromkeys(one.send_fields + other.send_fields)),
        max(one.sends_us, other.sends_us),
        max(one.dedupe_us, other.dedupe_us),
        max(one.active_us, other.active_us),
        one.hours or other.hours,
    )


def _longest(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in (*one, *other)}


def retention(policy: Policy, renderer: Renderer) -> Retention:
    """What the policy needs to remember."""
    times: dict[str, int] = {}
    past: dict[str, int] = {}
    past_fields: dict[str, tuple[str, ...]] = {}
    send_fields: list[str] = []
    settings = policy.settings
    active_us = 0
    sends_us = max(FEEDBACK_WINDOW_US, settings.ignored_after_us, settings.fatigue.within_us)
    learnt = (template for template in policy.templates.values() if template.choose is Choose.LEARN)
    sends_us = max(sends_us, *(RECENT * template.recency.half_life_us for template in learnt), 0)
    for ref in _references(policy, renderer):
        if ref.scope in (Scope.COUNT, Scope.SEEN):
            times[ref.name] = max(times.get(ref.name, 0), ref.window_us)
        elif ref.scope is Scope.SENT:
            sends_us = max(sends_us, ref.window_us)
    for suppression in policy.suppressions:
        match suppression.kind:
            case Cooldown(window_us, per):
                sends_us = max(sends_us, window_us)
                send_fields.extend(name for name in per if name != "event")
            case Limit(_, window_us, calendar):
                sends_us = max(sends_us, window_us if calendar is None else _WEEK_US)
            case Inhibition(_, window_us):
                sends_us = max(sends_us, window_us)
            case Resolution(by, window_us, same):
                for name in by:
                    past[name] = max(past.get(name, 0), window_us)
                    past_fields[name] = tuple(dict.fromkeys((*past_fields.get(name, ()), *same)))
            case Conversation(window_us):
                active_us = max(active_us, window_us)
            case _:
                pass
    fields = tuple(dict.fromkeys(send_fields))
    hours = policy.scorer is not None or any(one.send_time is not None for one in policy.events.values())
    return Retention(times, past, past_fields, fields, sends_us, settings.dedupe_window_us, active_us, hours)


def _references(policy: Policy, renderer: Renderer) -> Iterator[Ref]:
    for event_type in policy.events.values():
        for rule in event_type.rules:
            yield from references(rule.when.condition)
    for suppression in policy.suppressions:
        for when in suppression.conditions:
            yield from references(when.condition)
    reached = {name: event_type for event_type in policy.events.values() for name in policy.templates_of(event_type)}
    for name, event_type in reached.items():
        yield from _in_template(policy.templates[name], event_type.name, renderer)


def _in_template(template: Template, event_type: str, renderer: Renderer) -> Iterator[Ref]:
    looks_back = any(_WINDOW_CALL.search(text) for text in _texts(template))
    for variant in template.variants:
        if variant.when is not None:
            yield from references(variant.when.condition)
        if looks_back:
            yield from renderer.bind(template.name, variant.name, event_type).inputs


def _texts(template: Template) -> Iterable[str]:
    for variant in template.variants:
        texts = [*variant.text.values(), *variant.title.values()]
        for button in variant.buttons:
            texts.extend((*button.label.values(), *button.link.values()))
        yield from (text.source for text in texts)


def prune(state: UserState, keep: Retention) -> None:
    """Forget what no window can reach any more. Every window is half-open: at exactly T + w it is over.

    What is left does not depend on how often this was done: a name that was forgotten and came again stands where it
    would have stood, in order of names.
    """
    now_us = state.clock_us
    _prune_identities(state, now_us - keep.dedupe_us)
    for name in list(state.times):
        _drop_front_times(state.times, name, now_us - keep.times.get(name, 0))
    if state.past:
        oldest_us = min((held.event.time_us for held in state.held), default=now_us)
        reach_us = min(oldest_us, now_us - keep.dedupe_us)
        for name in list(state.past):
            since = reach_us - keep.past.get(name, 0)
            left = [past for past in state.past[name] if past.time_us > since]
            if left:
                state.past[name] = left
            else:
                del state.past[name]
    if len(state.times) > 1:
        state.times = dict(sorted(state.times.items()))
    if len(state.past) > 1:
        state.past = dict(sorted(state.past.items()))
    if state.active:
        since_us = now_us - keep.active_us
        state.active = {name: done for name, done in state.active.items() if done.time_us > since_us}
    if state.capped:
        state.capped = {name: cap for name, cap in state.capped.items() if cap.until_us > now_us}
    _prune_sends(state, now_us - keep.sends_us)


def _prune_identities(state: UserState, since_us: int) -> None:
    gone = []
    for identity, time_us in state.identities.items():
        if time_us > since_us:
            break
        gone.append(identity)
    for identity in gone:
        del state.identities[identity]
        state.repeats.pop(identity, None)


def _drop_front_times(times: dict[str, list[int]], name: str, since_us: int) -> None:
    entries = times[name]
    if entries and entries[0] > since_us:
        return
    left = [time_us for time_us in entries if time_us > since_us]
    if left:
        times[name] = left
    else:
        del times[name]


def _prune_sends(state: UserState, since_us: int) -> None:
    gone = 0
    for send in state.sends:
        if send.time_us > since_us or send.response is Response.PENDING:
            break
        if send.response is Response.IGNORED:
            state.ignored_run += 1
        elif send.response is not Response.FAILED:
            state.ignored_run = 0
        gone += 1
    if gone:
        del state.sends[:gone]
        state.settled = max(state.settled - gone, 0)
