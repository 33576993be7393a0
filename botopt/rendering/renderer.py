"""From a policy's templates to the words of one message.

A variant is read and checked when it is bound (that is where its inputs come from); each locale is compiled when the
first message needs it. A text is stripped of white space around it. An empty title or button label is left out, so
`label: "{% if track_url is defined %}Track it{% endif %}"` makes a button that is sometimes there; an empty text or
link is an error, because a message without words, or a button that leads nowhere, is not what anybody meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from botopt.model.condition import Ref, ValueType
from botopt.model.decision import Button, Rendered
from botopt.model.errors import RenderError
from botopt.model.policy import EventType, Policy, Text, Variant
from botopt.rendering.compilation import CompiledText, TextFailure, compiled, readable
from botopt.rendering.locales import choose
from botopt.rendering.locales import locale as babel_locale
from botopt.rendering.naming import Reach, reach
from botopt.rendering.parts import Part, parts
from botopt.rendering.reading.faults import Fault
from botopt.rendering.reading.uses import Key, uses
from botopt.rendering.scene import Instant, Scene


class PreparedText(msgspec.Struct, frozen=True):
    """A compiled text and which of the variant's inputs it wants; the last, beyond them all, is always absent."""

    part: Part
    text: CompiledText
    places: tuple[int, ...]
    joined: Callable[[Sequence[object]], str | None] | None = None
    """The faster way, where there is one; it gives None for values that are not ordinary."""


class Variation:
    """A variant for one event type: `botopt.model.ports.BoundVariant`."""

    def __init__(self, where: str, variant: Variant, way: Reach, default_locale: str) -> None:
        self._where = where
        self._variant = variant
        self._default = default_locale if default_locale in variant.text else next(iter(variant.text), "")
        self.inputs, self._places = _inputs(where, variant, way)
        self._times = tuple(index for index, ref in enumerate(self.inputs) if ref.type is ValueType.TIME)
        self._texts: dict[str, tuple[PreparedText, ...]] = {}
        self._chosen: dict[str, str] = {}

    def render(self, values: Sequence[object], *, locale: str, timezone: str, now_us: int) -> Rendered:
        """The words for a user with this locale and time zone.

        Raises:
            RenderError: over the bounds, or a value that is absent or cannot be printed.
        """
        tag = self._chosen.get(locale) or self.locale_for(locale)
        texts = self._texts.get(tag) or self.texts(tag)
        given = self.given(values)
        if len(texts) == 1:
            return Rendered(tag, self._written(texts[0], given, tag, timezone, now_us))
        written: dict[tuple[str, int], str] = {}
        for text in texts:
            part = text.part
            if part.kind == "link" and not written["label", part.button]:
                continue
            written[part.kind, part.button] = self._written(text, given, tag, timezone, now_us)
        return _message(tag, written)

    def _written(self, text: PreparedText, given: Sequence[object], tag: str, timezone: str, now_us: int) -> str:
        if text.joined is not None:
            words = text.joined([given[place] for place in text.places])
            if words is not None:
                words = words.strip()
                if words or not text.part.needed:
                    return words
        try:
            return self.write(text, given, tag, timezone, now_us)
        except TextFailure as failure:
            raise RenderError(f"{self._where}, {text.part} ({tag}): {failure.reason}") from failure

    def locale_for(self, tag: str) -> str:
        """The locale of the variant that a user gets: `de-AT`, else `de`, else the workspace's."""
        chosen = self._chosen.get(tag)
        if chosen is None:
            chosen = choose(tag, self._variant.text, self._default)
            if len(self._chosen) < 1_000:  # a user's locale comes with events: the cache must not grow with them
                self._chosen[tag] = chosen
        return chosen

    def given(self, values: Sequence[object]) -> list[object]:
        """The inputs as templates see them."""
        given = list(values)
        for index in self._times:
            value = given[index]
            given[index] = Instant(value) if isinstance(value, int) else None
        given.append(None)
        return given

    def texts(self, tag: str) -> tuple[PreparedText, ...]:
        """The texts of one locale, compiled.

        Raises:
            RenderError: one of them is not allowed, or there is none.
        """
        found = self._texts.get(tag)
        if tag not in self._variant.text:
            raise RenderError(f"{self._where}: it has no text")
        if found is None:
            found = self._texts[tag] = tuple(self._compiled(part) for part in parts(self._variant, tag, self._default))
        return found

    def _compiled(self, part: Part) -> PreparedText:
        try:
            text = compiled(part.text.source)
        except TextFailure as failure:
            raise RenderError(f"{self._where}, {part}: {failure.reason}") from failure
        joined = None if text.concatenation is None else text.concatenation.joined
        return PreparedText(part, text, tuple(self._places[key] for key in text.keys), joined)

    def write(self, text: PreparedText, given: Sequence[object], tag: str, timezone: str, now_us: int) -> str:
        """One text, without the white space around it.

        Raises:
            TextFailure: over the bounds, a value that is absent or cannot be printed, or nothing at all to say.
        """
        values = [given[place] for place in text.places]
        words = text.text.write(values, Scene(babel_locale(tag), timezone, now_us)).strip()
        if not words and text.part.needed:
            raise TextFailure("it is empty", 0, is_empty=True)
        return words


def _message(tag: str, written: Mapping[tuple[str, int], str]) -> Rendered:
    buttons = tuple(
        Button(label, written.get(("link", number)))
        for (kind, number), label in written.items()
        if kind == "label" and label
    )
    return Rendered(tag, written["text", 0], written.get(("title", 0)) or None, buttons)


def _inputs(where: str, variant: Variant, way: Reach) -> tuple[tuple[Ref, ...], Mapping[Key, int]]:
    """The values that a variant wants in any of its locales, and where in their order each stands."""
    refs: dict[Key, Ref] = {}
    absent: list[Key] = []
    for source in sources(variant):
        parsed = readable(source.source)
        if isinstance(parsed, Fault):
            raise RenderError(f"{where}: {parsed.message}")
        for use in uses(parsed):
            ref = way.reference(use)
            if ref is not None:
                refs.setdefault(use.key, ref)
            elif way.knows(use):
                absent.append(use.key)
            else:
                said = source.source[use.start : use.end]
                raise RenderError(f'{where}: unknown name "{said}" for event type "{way.event_type}"')
    places = {key: index for index, key in enumerate(refs)}
    return tuple(refs.values()), {**dict.fromkeys(absent, len(refs)), **places}


def sources(variant: Variant) -> Iterator[Text]:
    """Every text of a variant, in all locales."""
    yield from variant.text.values()
    yield from variant.title.values()
    for button in variant.buttons:
        yield from button.label.values()
        yield from button.link.values()


class TemplateRenderer:
    """Binds the variants of a policy's templates: `botopt.model.ports.Renderer`."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._bound: dict[tuple[str, str, str], Variation] = {}

    def bind(self, template: str, variant: str, event_type: str) -> Variation:
        """The variant, with the event type's fields as its names.

        Raises:
            RenderError: a text of it was never validated: it is not allowed, or uses an unknown name.
            KeyError: there is no such template, variant or event type.
        """
        key = (template, variant, event_type)
        bound = self._bound.get(key)
        if bound is None:
            variants = {found.name: found for found in self._policy.templates[template].variants}
            event: EventType = self._policy.events[event_type]
            bound = self._bound[key] = Variation(
                f'template "{template}", variant "{variant}"',
                variants[variant],
                reach(self._policy, template, event),
                self._policy.settings.locale,
            )
        return bound
