"""A template in every wording: variants and locales, on samples or on data that somebody typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from botopt.engine.choosing import TemplatePlan
from botopt.engine.engine import Engine
from botopt.engine.work import Work
from botopt.model.decision import Rendered
from botopt.model.errors import RenderError, UsageError
from botopt.model.event import Event
from botopt.model.names import BUILT_IN_ATTRIBUTES, did_you_mean
from botopt.model.policy import FieldSpec, Policy, Template, Value
from botopt.model.user_state import UserState
from botopt.model.values import Problem, check


class Preview(msgspec.Struct, frozen=True):
    """One variant in one locale on one set of data. `problem` says why there are no words."""

    event_type: str
    variant: str
    locale: str
    sample: int
    eligible: bool
    rendered: Rendered | None
    problem: str = ""


def previews(
    engine: Engine,
    template: Template,
    *,
    data: Mapping[str, object] | None,
    attributes: Mapping[str, object],
    now_us: int,
) -> Iterator[Preview]:
    """Every variant in every locale, for every event type that reaches the template.

    `data` replace fields of the first sample; without them every sample is shown.

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
        for number, sample in enumerate(samples, 1):
            known = {name: value for name, value in sample.items() if name in fields}
            values = _complete({**known, **typed}, fields)
            event = Event(f"sample-{number}", "", plan.event_type.name, "sample-user", now_us, values)
            work = Work(plan, state, event, now_us, now_us, 0)
            yield from _variants(plan.template_plan(template.name), work, template, number)


def _variants(plan: TemplatePlan, work: Work, template: Template, sample: int) -> Iterator[Preview]:
    eligible = {variant.name for variant in plan.eligible(work)}
    for variant in template.variants:
        bound, getters = plan.bound(variant.name)
        values = [get(work) for get in getters]
        for locale in variant.text:
            words, problem = None, ""
            try:
                words = bound.render(values, locale=locale, timezone=work.timezone, now_us=work.now_us)
            except RenderError as fault:
                problem = str(fault)
            yield Preview(work.event.type, variant.name, locale, sample, variant.name in eligible, words, problem)


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
