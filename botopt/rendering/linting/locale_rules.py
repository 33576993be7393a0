"""What can be wrong with the locales of a variant: tags, what is missing where, and values that only some use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Settings, Template, Text, Variant
from botopt.model.position import Position
from botopt.rendering.locales import canonical, is_locale
from botopt.rendering.reading.faults import Fault
from botopt.rendering.reading.syntax import parse
from botopt.rendering.reading.uses import Key, uses


def place(text: Text) -> Position:
    """Where a whole text stands."""
    return text.where.span(0, len(text.source))


def locale_findings(settings: Settings, template: Template, variant: Variant) -> Iterator[Diagnostic]:
    """Everything wrong with the locales of one variant."""
    yield from _tags(settings, variant)
    if settings.locale not in variant.text:
        first = next(iter(variant.text.values()), None)
        position = place(first) if first else variant.position
        message = f'the variant "{variant.name}" of "{template.name}" has no text in "{settings.locale}"'
        yield finding("B311", position, message, "add it: every other locale falls back to settings.locale")
    missing = list(_missing(variant))
    yield from missing
    yield from _different(variant, whole=not missing)


def _texts(variant: Variant) -> Iterator[tuple[str, Mapping[str, Text]]]:
    """The maps from locale to text, each with its name."""
    yield "text", variant.text
    if variant.title:
        yield "title", variant.title
    for number, button in enumerate(variant.buttons, 1):
        yield f"label of button {number}", button.label
        if button.link:
            yield f"link of button {number}", button.link


def _tags(settings: Settings, variant: Variant) -> Iterator[Diagnostic]:
    for tag in dict.fromkeys(tag for _, texts in _texts(variant) for tag in texts):
        if tag == settings.locale:
            continue  # a bad tag there is said once, at the settings
        text = next(texts[tag] for _, texts in _texts(variant) if tag in texts)
        if not is_locale(tag):
            hint = "use a language such as de, or a language and a country such as de-AT"
            yield finding("B312", place(text), f'unknown locale "{tag}"', hint)
        elif tag != canonical(tag):
            yield finding(
                "B312", place(text), f'the locale "{tag}" is written "{canonical(tag)}"', f'type "{canonical(tag)}"'
            )


def _missing(variant: Variant) -> Iterator[Diagnostic]:
    for name, texts in _texts(variant):
        lacking = [tag for tag in variant.text if tag not in texts]
        extra = [tag for tag in texts if tag not in variant.text]
        if lacking:
            some = place(next(iter(texts.values()))) if texts else variant.position
            tags = _quoted(lacking)
            yield finding("B310", some, f"the {name} has no {tags}, which the text has", f"add the {name} in {tags}")
        for tag in extra:
            hint = f'add a text in "{tag}", or leave this out'
            yield finding("B310", place(texts[tag]), f'the {name} has "{tag}", and the text does not', hint)


def _different(variant: Variant, *, whole: bool) -> Iterator[Diagnostic]:
    """Values that one locale uses and another does not; over the text alone if other parts lack locales anyway."""
    used: dict[str, dict[Key, str]] = {}
    for name, texts in _texts(variant):
        for tag, text in texts.items():
            if tag not in variant.text or not (whole or name == "text"):
                continue
            parsed = parse(text.source)
            if isinstance(parsed, Fault):
                return  # what cannot be read has a finding of its own
            said = {use.key: " ".join(text.source[use.start : use.end].split()) for use in uses(parsed)}
            used.setdefault(tag, {}).update(said)
    everywhere = {key: words for names in used.values() for key, words in names.items()}
    for tag, names in used.items():
        lacking = [key for key in everywhere if key not in names]
        if lacking:
            having = [other for other, others in used.items() if lacking[0] in others]
            what = _quoted([everywhere[key] for key in lacking])
            message = f'"{tag}" does not use {what}, which {_quoted(having)} {"use" if having[1:] else "uses"}'
            hint = "if it should, add it; if not, take it out of the others"
            yield finding("B309", place(variant.text[tag]), message, hint)


def _quoted(names: list[str]) -> str:
    *first, last = (f'"{name}"' for name in names)
    return f"{', '.join(first)} and {last}" if first else last
