"""From a policy's templates to the words of one message.

A variant is read and checked when it is bound (that is where its inputs come from); each locale is compiled when the
first message needs it. A text is stripped of white space around it. An empty title or button label is left out, so
`label: "{% if track_url is defined %}Track it{% endif %}"` makes a button that is sometimes there; an empty text or
link is an error, because a message without words, or a button that leads nowhere, is not what anybody meant.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

import msgspec
from babel import Locale

from botopt.model.condition import Ref, ValueType
from botopt.model.decision import Button, Rendered
from botopt.model.errors import RenderError
from botopt.model.policy import EventType, Policy, Text, Variant
from botopt.rendering.compilation import CompiledText, PlainText, TextFailure, compiled, readable
from botopt.rendering.concatenation import ConcatenatedText, Joined
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


def write(text: PreparedText, given: Sequence[object], scene: Scene) -> str:
    """One text, without the white space around it.

    Raises:
        TextFailure: over the bounds, a value that is absent or cannot be printed, or nothing at all to say.
    """
    words = text.text.write([given[place] for place in text.places], scene).strip()
    if not words and text.part.needed:
        raise TextFailure("it is empty", 0, is_empty=True)
    return words


class _Line:
    """One text of a message, made ready: `fixed` words that no value changes, or else a way to join them, if any."""

    __slots__ = ("_joined", "_locale", "_needed", "_text", "_where", "fixed", "is_staged")

    def __init__(self, text: PreparedText, where: str, locale: Locale, times: Container[int]) -> None:
        self._text = text
        self._where = where
        self._locale = locale
        self._needed = text.part.needed
        self._joined: Joined | None = None
        self.fixed: str | None = None
        self.is_staged = False
        if isinstance(text.text, PlainText):
            words = text.text.text.strip()
            self.fixed = words if words or not self._needed else None
        elif isinstance(text.text, ConcatenatedText):
            self.is_staged = text.text.is_staged or any(place in times for place in text.places)
            self._joined = text.text.joined(text.places, staged=self.is_staged)

    def words(self, given: Sequence[object], scene: Scene | None, timezone: str, now_us: int) -> str:
        """The words without white space around them.

        Raises:
            RenderError: there are none.
        """
        if self.fixed is not None:
            return self.fixed
        if self._joined is not None:
            words = self._joined(given, scene)
            if words is not None:
                words = words.strip()
                if words or not self._needed:
                    return words
        try:
            return write(self._text, given, Scene(self._locale, timezone, now_us))
        except TextFailure as failure:
            raise RenderError(f"{self._where}: {failure.reason}") from failure


class _Message:
    """The texts of a message in one locale, made ready. `whole`: all of it, if no value changes it."""

    __slots__ = ("_buttons", "_is_staged", "_locale", "_tag", "_text", "_title", "is_converted", "whole")

    def __init__(self, where: str, tag: str, texts: Sequence[PreparedText], times: Container[int], absent: int) -> None:
        self._locale = babel_locale(tag)
        lines = {
            (text.part.kind, text.part.button): _Line(text, f"{where}, {text.part} ({tag})", self._locale, times)
            for text in texts
        }
        self._tag = tag
        self._text = lines["text", 0]
        self._title = lines.get(("title", 0))
        self._buttons = tuple(
            _button(line, lines.get(("link", number))) for (kind, number), line in lines.items() if kind == "label"
        )
        self._is_staged = any(line.is_staged for line in lines.values())
        self.is_converted = any(place == absent or place in times for text in texts for place in text.places)
        self.whole = Rendered(tag, self._text.fixed) if self._text.fixed and len(lines) == 1 else None

    def rendered(self, given: Sequence[object], timezone: str, now_us: int) -> Rendered:
        """The message for these values.

        Raises:
            RenderError: over the bounds, or a value that is absent or cannot be printed.
        """
        scene = Scene(self._locale, timezone, now_us) if self._is_staged else None
        text = self._text.words(given, scene, timezone, now_us)
        title = None if self._title is None else self._title.words(given, scene, timezone, now_us)
        if not self._buttons:
            return Rendered(self._tag, text, title or None)
        buttons = []
        for fixed, label, link in self._buttons:
            if fixed is not None:
                buttons.append(fixed)
            elif shown := label.words(given, scene, timezone, now_us):
                leads = None if link is None else link.words(given, scene, timezone, now_us)
                buttons.append(Button(shown, leads))
        return Rendered(self._tag, text, title or None, tuple(buttons))


def _button(label: _Line, link: _Line | None) -> tuple[Button | None, _Line, _Line | None]:
    """A button made ready; whole, if it is always there and no value changes it."""
    if not label.fixed or (link is not None and link.fixed is None):
        return None, label, link
    return Button(label.fixed, None if link is None else link.fixed), label, link


class Variation:
    """A variant for one event type: `botopt.model.ports.BoundVariant`."""

    def __init__(self, where: str, variant: Variant, way: Reach, default_locale: str) -> None:
        self._where = where
        self._variant = variant
        self._default = default_locale if default_locale in variant.text else next(iter(variant.text), "")
        self.inputs, self._places = _inputs(where, variant, way)
        self._times = tuple(index for index, ref in enumerate(self.inputs) if ref.type is ValueType.TIME)
        self._texts: dict[str, tuple[PreparedText, ...]] = {}
        self._messages: dict[str, _Message] = {}
        self._chosen: dict[str, str] = {}

    def render(self, values: Sequence[object], *, locale: str, timezone: str, now_us: int) -> Rendered:
        """The words for a user with this locale and time zone.

        Raises:
            RenderError: over the bounds, or a value that is absent or cannot be printed.
        """
        tag = self._chosen.get(locale) or self.locale_for(locale)
        message = self._messages.get(tag) or self._message(tag)
        if message.whole is not None:
            return message.whole
        return message.rendered(self.given(values) if message.is_converted else values, timezone, now_us)

    def _message(self, tag: str) -> _Message:
        made = _Message(self._where, tag, self.texts(tag), self._times, len(self.inputs))
        self._messages[tag] = made
        return made

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
        return PreparedText(part, text, tuple(self._places[key] for key in text.keys))

    def write(self, text: PreparedText, given: Sequence[object], tag: str, timezone: str, now_us: int) -> str:
        """One text, without the white space around it.

        Raises:
            TextFailure: over the bounds, a value that is absent or cannot be printed, or nothing at all to say.
        """
        return write(text, given, Scene(babel_locale(tag), timezone, now_us))


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
