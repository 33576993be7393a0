"""Small policies for the tests of templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botopt.model.condition import Condition, ValueType
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import (
    ButtonText,
    Choose,
    EventType,
    FieldSpec,
    Policy,
    Rule,
    Settings,
    Template,
    Text,
    Value,
    Variant,
    When,
)
from botopt.rendering.lint import check_template, trial_render
from botopt.rendering.renderer import TemplateRenderer

FIELDS = (
    FieldSpec("amount", ValueType.NUMBER, minimum=0),
    FieldSpec("currency", ValueType.TEXT, one_of=("USD", "EUR", "INR"), default="USD"),
    FieldSpec("attempts", ValueType.INTEGER, minimum=1, default=1),
    FieldSpec("number", ValueType.INTEGER),
    FieldSpec("order_id", ValueType.TEXT),
    FieldSpec("reason", ValueType.TEXT, optional=True),
    FieldSpec("eta", ValueType.TIME),
    FieldSpec("express", ValueType.BOOLEAN),
    FieldSpec("items", ValueType.LIST),
    FieldSpec("address", ValueType.OBJECT),
    FieldSpec("note", ValueType.OBJECT, optional=True),
)
ATTRIBUTES = (
    FieldSpec("name", ValueType.TEXT, optional=True),
    FieldSpec("plan", ValueType.TEXT, one_of=("free", "pro"), default="free"),
)
SAMPLE: Mapping[str, Value] = {"items": ["tea", "cups"], "address": {"city": "Graz"}, "note": {"text": "hi"}}


def event(name: str, *fields: FieldSpec, message: str | None = "hello", rules: Sequence[Rule] = ()) -> EventType:
    return EventType(name, fields={field.name: field for field in fields}, message=message, rules=tuple(rules))


def texts(**by_locale: str) -> dict[str, Text]:
    return {tag.replace("_", "-"): Text(source) for tag, source in by_locale.items()}


def variant(name: str = "plain", when: Condition | None = None, **by_locale: str) -> Variant:
    return Variant(name, texts(**by_locale), when=None if when is None else When(when))


def button(label: str, link: str | None = None, *, locale: str = "en") -> ButtonText:
    return ButtonText({locale: Text(label)}, {} if link is None else {locale: Text(link)})


def template(*variants: Variant, samples: Sequence[Mapping[str, Value]] = (SAMPLE,)) -> Template:
    return Template("hello", variants, choose=Choose.FIRST, samples=tuple(samples))


def policy(*templates: Template, events: Sequence[EventType] = (), settings: Settings | None = None) -> Policy:
    return Policy(
        settings=settings or Settings(),
        attributes={field.name: field for field in ATTRIBUTES},
        events={found.name: found for found in events or (event("late", *FIELDS),)},
        templates={found.name: found for found in templates},
    )


def findings(source: str, **settings: object) -> list[Diagnostic]:
    """What is said about one English text."""
    made = template(variant(en=source))
    return list(check_template(policy(made), made))


def trials(source: str) -> list[Diagnostic]:
    """What goes wrong when one English text is tried."""
    made = template(variant(en=source))
    return list(trial_render(policy(made), made))


def rendered(source: str, /, *, locale: str = "en", timezone: str = "UTC", now_us: int = 0, **values: object) -> str:
    """One text for these values; every name is known, and `user_name` stands for `user.name`."""
    tag = locale
    made = template(Variant("plain", {tag: Text(source)}))
    bound = TemplateRenderer(policy(made, settings=Settings(locale=tag))).bind("hello", "plain", "late")
    given = [values.get(str(ref).replace(".", "_")) for ref in bound.inputs]
    return bound.render(given, locale=locale, timezone=timezone, now_us=now_us).text
