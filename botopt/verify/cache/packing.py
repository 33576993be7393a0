"""Findings and policies as bytes, and back: MessagePack by the types of their fields, which can execute nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from botopt.model.policy import ButtonText, Policy, Template, Text, Variant

_Packed = TypeVar("_Packed", bound=msgspec.Struct)


def unplaced(policy: Policy) -> Policy:
    """The policy without the places of its texts' characters, which hold whole files and serve only its checks."""
    templates = {name: _template(template) for name, template in policy.templates.items()}
    return msgspec.structs.replace(policy, templates=templates)


def _template(template: Template) -> Template:
    return msgspec.structs.replace(template, variants=tuple(map(_variant, template.variants)))


def _variant(variant: Variant) -> Variant:
    return msgspec.structs.replace(
        variant,
        text=_texts(variant.text),
        title=_texts(variant.title),
        buttons=tuple(ButtonText(_texts(button.label), _texts(button.link)) for button in variant.buttons),
    )


def _texts(texts: Mapping[str, Text]) -> dict[str, Text]:
    return {locale: Text(text.source) for locale, text in texts.items()}


def pack(value: msgspec.Struct) -> bytes | None:
    """A value with unplaced policies; None for one that MessagePack cannot hold."""
    try:
        return msgspec.msgpack.encode(value, enc_hook=_written)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def _written(part: object) -> object:
    """The pattern behind a bound `fullmatch`."""
    pattern = getattr(getattr(part, "__self__", None), "pattern", None)
    if not isinstance(pattern, str):
        raise TypeError(f"{type(part)} has no place in a policy")
    return pattern


def unpack(data: bytes, kind: type[_Packed]) -> _Packed | None:
    """What was packed; None for any other bytes."""
    try:
        return msgspec.msgpack.decode(data, type=kind, dec_hook=_read)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def _read(kind: object, part: object) -> object:
    """What no field's type describes: patterns, and whatever stands in lists and objects of samples."""
    if kind is object:
        return part
    from botopt.loading.patterns import matcher  # most policies have none

    if not isinstance(part, str):
        raise TypeError("a pattern is a text")
    return matcher(part)
