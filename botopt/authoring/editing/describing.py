"""What something is, in a few words: for hovers and for descriptions in schemas. Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from botopt.model.condition import ValueType, duration_text
from botopt.model.learning_policy import Experiment, Pacing, SendTime
from botopt.model.names import WEEKDAYS
from botopt.model.policy import (
    Calendar,
    Category,
    Channel,
    Conversation,
    Cooldown,
    EventType,
    FieldSpec,
    Inhibition,
    Limit,
    Mute,
    Policy,
    QuietHours,
    Resolution,
    Rule,
    Suppression,
    Template,
)

_LONG = 80


def number(value: float) -> str:
    """A number in its shortest form."""
    return str(int(value)) if value == int(value) else str(value)


def signed(value: float) -> str:
    """A number that is added."""
    return f"+{number(value)}" if value >= 0 else f"−{number(-value)}"


def listed(names: Iterable[str], word: str = "and") -> str:
    """`a`, `b` and `c`."""
    *before, last = [f"`{name}`" for name in names] or [""]
    return f"{', '.join(before)} {word} {last}" if before else last


def field_words(spec: FieldSpec) -> str:
    """Its type, its bounds, and whether it may be absent."""
    parts = [str(spec.type)]
    if spec.one_of:
        parts.append("one of " + ", ".join(f"`{value}`" for value in spec.one_of))
    if spec.minimum is not None and spec.maximum is not None:
        parts.append(f"{number(spec.minimum)} to {number(spec.maximum)}")
    elif spec.minimum is not None:
        parts.append(f"at least {number(spec.minimum)}")
    elif spec.maximum is not None:
        parts.append(f"at most {number(spec.maximum)}")
    if spec.max_length is not None:
        parts.append(f"at most {spec.max_length} characters")
    if spec.pattern is not None:
        parts.append(f"matches `{spec.pattern.text}`")
    if spec.default is not None:
        plain = f"`{str(spec.default).lower() if spec.type is ValueType.BOOLEAN else spec.default}`"
        parts.append(f"{plain} if it is left out")
    elif spec.optional:
        parts.append("may be absent")
    return ", ".join(parts)


def rule_words(rule: Rule) -> str:
    """What it does, and when."""
    effects = []
    if rule.skip:
        effects.append("sends nothing")
    if rule.score is not None:
        effects.append(f"score {signed(rule.score)}")
    if rule.threshold is not None:
        effects.append(f"threshold {signed(rule.threshold)}")
    if rule.message is not None:
        effects.append(f"message `{rule.message}`")
    if rule.channel is not None:
        effects.append(f"channel `{rule.channel}`")
    return f"{', '.join(effects) or 'changes nothing'} when `{rule.when.text}`"


def event_words(event: EventType) -> str:
    """One line: what it says, or that it is only remembered."""
    about = f"{event.description}. " if event.description else ""
    if event.message is None:
        return f"{about}Only remembered: it has no message."
    return f"{about}Weight {number(event.weight)}, message `{event.message}`."


def event_details(policy: Policy, event: EventType) -> str:
    """Weight, threshold, fields, rules, and what may stop its messages."""
    if event.message is None:
        lines = [event_words(event)]
    else:
        threshold = policy.settings.threshold if event.threshold is None else event.threshold
        highest = min(1.0, event.weight + sum(max(0.0, rule.score or 0.0) for rule in event.rules))
        reach = f"weight {number(event.weight)}, with its rules up to {number(round(highest, 6))}"
        lines = [
            event.description,
            f"Sends `{event.message}` on `{event.channel}`: {reach}; needs more than {number(threshold)}.",
            "" if event.enabled else "**Not enabled**: only remembered.",
            "**Always**: threshold, holdout and suppressions are waived." if event.always else "",
            f"Category `{event.category}`." if event.category else "",
            f"Not sent later than {duration_text(event.expires_after_us)} after the event."
            if event.expires_after_us
            else "",
            f"Its messages {send_time_words(event.send_time)}." if event.send_time is not None else "",
        ]
        stopping = [one for one in policy.suppressions if concerns(policy, one, event)]
        if stopping and not event.always:
            lines.append("May be stopped by:\n\n" + "\n".join(f"- `{one.id}`: {kind_words(one)}" for one in stopping))
    if event.fields:
        lines.append(
            "Fields:\n\n" + "\n".join(f"- `{name}`: {field_words(spec)}" for name, spec in event.fields.items())
        )
    return "\n\n".join(line for line in lines if line)


def concerns(policy: Policy, suppression: Suppression, event: EventType) -> bool:
    """Whether messages of an event type can be in a suppression's scope."""
    inhibits_itself = isinstance(suppression.kind, Inhibition) and suppression.kind.by == (event.name,)
    return (
        event.decides
        and not inhibits_itself
        and (not suppression.events or event.name in suppression.events)
        and (not suppression.categories or event.category in suppression.categories)
        and (not suppression.channels or bool(set(policy.channels_of(event)) & set(suppression.channels)))
    )


def kind_words(suppression: Suppression) -> str:
    """What it does, in one clause."""
    match suppression.kind:
        case Cooldown(window_us, per):
            return f"cooldown of {duration_text(window_us)} for the same {listed(('user', *per))}"
        case Limit() as limit:
            window = (
                f"a {limit.calendar}" if isinstance(limit.calendar, Calendar) else f"{duration_text(limit.window_us)}"
            )
            return f"at most {limit.count} in {window}"
        case Inhibition(by, window_us):
            return f"nothing for {duration_text(window_us)} after a message about {listed(by, 'or')}"
        case Resolution() as resolution:
            same = f" with the same {listed(resolution.same)}" if resolution.same else ""
            return f"nothing once {listed(resolution.by, 'or')} has come{same}"
        case Conversation(window_us):
            return f"nothing for {duration_text(window_us)} after the user said or did something"
        case Mute(length_us):
            return "mute without end" if length_us is None else f"mute of {duration_text(length_us)}"
        case QuietHours() as quiet:
            days = f" on {', '.join(WEEKDAYS[day] for day in quiet.days)}" if quiet.days else ""
            what = "held until they end" if quiet.hold else "dropped"
            return f"quiet hours {_clock(quiet.start)} to {_clock(quiet.end)}{days}: {what}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def suppression_words(one: Suppression) -> str:
    """What it does, about what, and when."""
    scope = [listed(names) for names in (one.events, one.categories, one.channels) if names]
    lines = [f"{kind_words(one)[0].upper()}{kind_words(one)[1:]}."]
    lines.append(f"About {'; '.join(scope)}." if scope else "About all messages.")
    lines += [f"Only when `{one.when.text}`."] if one.when is not None else []
    lines += [f"Not when `{one.unless.text}`."] if one.unless is not None else []
    return "\n\n".join(lines)


def template_words(template: Template, locale: str) -> str:
    """What it is for, and the first words of each variant."""
    lines = [template.description] if template.description else []
    for variant in template.variants:
        text = variant.text.get(locale) or next(iter(variant.text.values()), None)
        when = f" when `{variant.when.text}`" if variant.when is not None else ""
        name = f"`{variant.name}`{when}: " if len(template.variants) > 1 else ""
        lines.append(f"{name}{short(text.source) if text is not None else ''}")
    return "\n\n".join(lines)


def send_time_words(send_time: SendTime) -> str:
    """How long messages may wait."""
    return f"may wait {duration_text(send_time.within_us)} for the user's better hour"


def pacing_words(pacing: Pacing) -> str:
    """How many messages there are."""
    return f"{number(pacing.messages)} messages in {duration_text(pacing.per_us)} for each user, on average"


def experiment_words(experiment: Experiment) -> str:
    """What it is for, and its arms."""
    arms = ", ".join(f"`{name}` {number(round(share * 100, 9))}%" for name, share in experiment.arms)
    return f"{experiment.description}\n\n{arms}" if experiment.description else arms


def category_words(category: Category) -> str:
    """The consent that it needs."""
    asked = {
        "not_needed": "consent is never asked for",
        "opt_out": "sent until the user says stop",
        "opt_in": "sent only once the user says yes",
    }[category.consent.value]
    told = [asked] if category.engagement else [asked, "clicks and silence do not move the score"]
    told += [] if category.send_time is None else [f"its messages {send_time_words(category.send_time)}"]
    told += [] if category.pacing is None else [pacing_words(category.pacing)]
    return "; ".join(told)


def channel_words(channel: Channel) -> str:
    """Its type, its limit, and where its messages go."""
    delivery = channel.delivery
    words = [f"a channel of type {channel.type}"]
    if channel.max_length is not None:
        words.append(f"at most {channel.max_length} characters")
    if delivery.to is not None:
        words.append(f"to `user.{delivery.to}`")
    if delivery.messages:
        words.append(f"at most {delivery.messages} messages in {duration_text(delivery.per_us)}")
    if delivery.reply is not None:
        words.append(f"texts that come back go to `{delivery.reply}`")
    if delivery.fallback is not None:
        words.append(f"what it cannot deliver goes to `{delivery.fallback}`")
    return ", ".join(words)


def short(text: str) -> str:
    """The beginning of a text, in one line."""
    line = re.sub(r"\s+", " ", text).strip()
    return line if len(line) <= _LONG else f"{line[: _LONG - 1]}…"
