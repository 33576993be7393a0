"""A template in every wording: variants and locales, on samples, on data that somebody typed, or on recorded events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from botopt.engine.choosing import TemplatePlan
from botopt.engine.engine import Engine
from botopt.engine.work import Work
from botopt.model.decision import Decision, Rendered
from botopt.model.errors import RenderError, UsageError
from botopt.model.event import Event, Line
from botopt.model.names import BUILT_IN_ATTRIBUTES, did_you_mean
from botopt.model.policy import Choose, FieldSpec, Policy, Template, Value
from botopt.model.user_state import Send, UserState
from botopt.model.values import Problem, check
from botopt.state.memory import MemoryStore
from botopt.verify.inventing import invented
from botopt.verify.replay import LineDecoder, Replay


class Preview(msgspec.Struct, frozen=True):
    """One variant in one locale on one set of data. `problem` says why there are no words.

    `eligible`: its `when` holds. `chosen`: it may be what the user reads, so with `choose: first` no variant before it
    is eligible. `sample` counts the data of one event type, from 1; 0 are invented data. `event` is the id of the
    recorded event that they come from, empty for a sample of the template.
    """

    event_type: str
    variant: str
    locale: str
    sample: int
    eligible: bool
    rendered: Rendered | None
    problem: str = ""
    event: str = ""
    chosen: bool = True


def data_words(preview: Preview) -> str:
    """On which data a preview is shown."""
    if preview.event:
        return f"event {preview.event}"
    return f"sample {preview.sample}" if preview.sample else "invented values: the template has no samples"


class Sheet(msgspec.Struct, frozen=True):
    """A template with all its previews.

    `locales` are those of the whole workspace; `missing` says for each variant which of them it lacks. `limits` are the
    characters that the channels of its event types take, by channel, where they have a `max_length`.
    """

    template: Template
    event_types: tuple[str, ...]
    previews: tuple[Preview, ...]
    missing: Mapping[str, tuple[str, ...]]
    limits: Mapping[str, int]

    @property
    def limit(self) -> int | None:
        """The shortest of the limits."""
        return min(self.limits.values(), default=None)

    def too_long(self, preview: Preview) -> bool:
        """Whether a text has more characters than some channel takes."""
        return preview.rendered is not None and self.limit is not None and len(preview.rendered.text) > self.limit


def sheet(policy: Policy, template: Template, shown: Iterable[Preview]) -> Sheet:
    """What a copywriter wants to know of a template, around its previews."""
    using = [event_type for event_type in policy.events.values() if template.name in policy.templates_of(event_type)]
    locales = dict.fromkeys(
        tag for some in policy.templates.values() for variant in some.variants for tag in variant.text
    )
    missing = {
        variant.name: lacking
        for variant in template.variants
        if (lacking := tuple(tag for tag in locales if tag not in variant.text))
    }
    names = {name for event_type in using for name in policy.channels_of(event_type)}
    limits = {name: limit for name in sorted(names) if (limit := policy.channels[name].max_length) is not None}
    return Sheet(template, tuple(event_type.name for event_type in using), tuple(shown), missing, limits)


def templates_named(policy: Policy, name: str | None) -> Sequence[Template]:
    """The template of that name, or those of the event type of that name; all, by name, without one.

    Raises:
        UsageError: there is neither.
    """
    if name is None:
        return sorted(policy.templates.values(), key=lambda template: template.name)
    if name in policy.templates:
        return (policy.templates[name],)
    if name not in policy.events:
        there = f"there are: {', '.join(sorted(policy.templates))}"
        hint = did_you_mean(name, {**policy.templates, **policy.events}) or there
        raise UsageError(f'there is no template or event type "{name}"; {hint}')
    found = [policy.templates[used] for used in policy.templates_of(policy.events[name])]
    if not found:
        raise UsageError(f'the event type "{name}" has no message: it is only remembered')
    return found


def previews(
    engine: Engine,
    template: Template,
    *,
    data: Mapping[str, object] | None,
    attributes: Mapping[str, object],
    now_us: int,
) -> Iterator[Preview]:
    """Every variant in every locale, for every event type that reaches the template.

    `data` replace fields of the first sample; without them every sample is shown. Required fields that nobody gives
    are invented: no event comes without them.

    Raises:
        UsageError: the data do not fit the event type's fields.
    """
    policy = engine.policy
    state = UserState(clock_us=now_us, attributes=_checked(attributes, _user_specs(policy), "--user"))
    for plan in engine.plans():
        if template.name not in policy.templates_of(plan.event_type):
            continue
        fields = plan.event_type.fields
        typed = {} if data is None else _checked(data, fields, "--data")
        samples = template.samples[: None if data is None else 1] or ({},)
        for place, sample in enumerate(samples, 1):
            known = {name: value for name, value in sample.items() if name in fields}
            given = _complete({**known, **typed}, fields)
            lacking = [spec for name, spec in fields.items() if name not in given and not spec.optional]
            values = {**{spec.name: invented(spec, now_us) for spec in lacking}, **given}
            values = {name: value for name, value in values.items() if value is not None}
            number = 0 if lacking and not (template.samples or data) else place
            event = Event(f"sample-{number}", "", plan.event_type.name, "sample-user", now_us, values)
            work = Work(plan, state, event, now_us, now_us, 0)
            yield from _variants(plan.template_plan(template.name), work, template, number)


def recorded_previews(
    engine: Engine, decoder: LineDecoder, lines: Iterable[Line], templates: Collection[str], each: int
) -> Mapping[str, list[Preview]]:
    """Every variant in every locale of these templates, on events that were recorded.

    The events are replayed, so users have the attributes that they had then. Of each event type, at most `each` events
    are taken for each variant that would be written: the first ones.
    """
    found = _Recorded(engine.policy, templates, each)
    for _ in Replay(engine, decoder, MemoryStore(), observer=found).run(lines):
        pass
    return found.previews


class _Recorded:
    """An observer that keeps previews of what is decided."""

    def __init__(self, policy: Policy, templates: Collection[str], each: int) -> None:
        self._policy = policy
        self._templates = templates
        self._each = each
        self._number: Counter[tuple[str, str]] = Counter()
        self._taken: Counter[tuple[str, str, str]] = Counter()
        self.previews: dict[str, list[Preview]] = {}

    def decided(self, work: Work, decision: Decision) -> None:
        """Keep it, if it shows something."""
        if work.is_release:
            return
        event_type = work.plan.event_type
        for name in self._policy.templates_of(event_type):
            if name not in self._templates:
                continue
            plan = work.plan.template_plan(name)
            first = next(iter(plan.eligible(work))).name
            if self._taken[name, event_type.name, first] >= self._each:
                continue
            self._taken[name, event_type.name, first] += 1
            self._number[name, event_type.name] += 1
            number = self._number[name, event_type.name]
            shown = _variants(plan, work, self._policy.templates[name], number, work.event.id)
            self.previews.setdefault(name, []).extend(shown)

    def responded(self, event: Event, send: Send) -> None:
        """A response shows no words."""


def _variants(plan: TemplatePlan, work: Work, template: Template, sample: int, event: str = "") -> Iterator[Preview]:
    names = [variant.name for variant in plan.eligible(work)]
    chosen = names[:1] if template.choose is Choose.FIRST else names
    for variant in template.variants:
        bound, getters = plan.bound(variant.name)
        values = [get(work) for get in getters]
        for locale in variant.text:
            words, problem = None, ""
            try:
                words = bound.render(values, locale=locale, timezone=work.timezone, now_us=work.now_us)
            except RenderError as fault:
                problem = str(fault)
            yield Preview(
                work.event.type,
                variant.name,
                locale,
                sample,
                variant.name in names,
                words,
                problem,
                event,
                variant.name in chosen,
            )


def _complete(values: Mapping[str, Value], fields: Mapping[str, FieldSpec]) -> dict[str, Value]:
    filled: dict[str, Value] = {name: spec.default for name, spec in fields.items()}
    filled.update({name: value for name, value in values.items() if value is not None})
    return {name: value for name, value in filled.items() if value is not None}


def _user_specs(policy: Policy) -> Mapping[str, FieldSpec]:
    return {**BUILT_IN_ATTRIBUTES, **policy.attributes}


def _checked(data: Mapping[str, object], specs: Mapping[str, FieldSpec], option: str) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, raw in data.items():
        if name not in specs:
            hint = did_you_mean(name, specs)
            raise UsageError(f'{option}: there is no "{name}"{"; " if hint else ""}{hint}')
        values[name] = _fitting(specs[name], raw, f"{option}: {name}")
    return values


def _fitting(spec: FieldSpec, raw: object, what: str) -> Value:
    value = check(spec, raw)
    if isinstance(value, Problem):
        raise UsageError(f"{what} {value.sentence}")
    return value
