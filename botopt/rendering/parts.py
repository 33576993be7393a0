"""The texts of a variant in one locale: its text, its title, and the label and link of each button."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from botopt.model.policy import Text, Variant
from botopt.rendering.locales import choose


class Part(msgspec.Struct, frozen=True):
    """One text of a message. `kind` is text, title, label or link; `button` counts from 0."""

    kind: str
    text: Text
    button: int = 0

    def __str__(self) -> str:
        """What people call it."""
        return self.kind if self.kind in {"text", "title"} else f"{self.kind} of button {self.button + 1}"

    @property
    def needed(self) -> bool:
        """Whether it is a fault if nothing is left of it."""
        return self.kind in {"text", "link"}


def parts(variant: Variant, locale: str, default: str) -> Iterator[Part]:
    """The texts of a message in a locale. What has none in it falls back as the message itself does.

    Raises:
        KeyError: the variant has no text in this locale, nor one that it falls back to.
    """
    yield Part("text", variant.text[choose(locale, variant.text, default)])
    if title := _nearest(variant.title, locale, default):
        yield Part("title", title)
    for number, button in enumerate(variant.buttons):
        if label := _nearest(button.label, locale, default):
            yield Part("label", label, number)
        if label and (link := _nearest(button.link, locale, default)):
            yield Part("link", link, number)


def _nearest(texts: Mapping[str, Text], locale: str, default: str) -> Text | None:
    return texts.get(choose(locale, texts, default))
