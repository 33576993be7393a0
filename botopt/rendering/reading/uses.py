"""Which of a policy's values a template uses: fields, `user.plan`, `count('type', '10m')`, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec
from jinja2 import nodes

from botopt.model.condition import Scope
from botopt.rendering.reading.syntax import Parsed, children

GROUPS = {"user": Scope.USER, "engagement": Scope.ENGAGEMENT, "time": Scope.TIME}
"""Names that have parts: `user.plan`."""

FUNCTIONS = {"count": Scope.COUNT, "seen": Scope.SEEN, "sent": Scope.SENT}
"""Names that are asked with brackets: `seen('type', '1h')`."""

Key = tuple[Scope, str, int]
"""What makes two uses the same value, as in `Ref.key`."""

_DURATION = re.compile(r"(?=\d)(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?", re.ASCII)
_SECONDS = (604_800, 86_400, 3_600, 60, 1)
_LONGEST_US = 3_660 * 86_400 * 1_000_000  # as in conditions


class Use(msgspec.Struct, frozen=True):
    """A value of the policy's where a template uses it, at `source[start:end]`."""

    scope: Scope
    name: str
    window_us: int
    start: int
    end: int

    @property
    def key(self) -> Key:
        return (self.scope, self.name, self.window_us)


def duration_us(text: str) -> int | None:
    """The microseconds of `1h30m`; None if it is no duration, is zero, or is longer than ten years."""
    found = _DURATION.fullmatch(text)
    if not found:
        return None
    seconds = sum(int(part or 0) * size for part, size in zip(found.groups(), _SECONDS, strict=True))
    return seconds * 1_000_000 if 0 < seconds * 1_000_000 <= _LONGEST_US else None


@lru_cache(maxsize=256)
def own_names(tree: nodes.Template) -> frozenset[str]:
    """The names that the template itself gives to values, with `set` and `for`."""
    return frozenset(name.name for name in tree.find_all(nodes.Name) if name.ctx == "store") | {"loop"}


def window_call(node: nodes.Expr) -> tuple[Scope, str, int] | None:
    """The value of `count('type', '10m')`, `seen('type', '1h')` or `sent('24h')`; None if it is none of them."""
    if not isinstance(node, nodes.Call) or not isinstance(node.node, nodes.Name) or node.node.name not in FUNCTIONS:
        return None
    if node.kwargs or node.dyn_args or node.dyn_kwargs:
        return None
    scope = FUNCTIONS[node.node.name]
    words = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
    if len(words) != len(node.args) or len(words) != (1 if scope is Scope.SENT else 2):
        return None
    name, window = ("", *words) if scope is Scope.SENT else words
    us = duration_us(window) if isinstance(window, str) else None
    return (scope, name, us) if isinstance(name, str) and us else None


@lru_cache(maxsize=1024)
def use_of(parsed: Parsed, node: nodes.Node, own: frozenset[str]) -> Use | None:
    """The value that a node stands for by itself, if it is one."""
    key: Key | None = None
    if isinstance(node, nodes.Name):
        if node.ctx == "load" and node.name not in {*own, *GROUPS, *FUNCTIONS}:
            key = (Scope.EVENT, node.name, 0)
    elif isinstance(node, nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name in GROUPS:
            key = (GROUPS[node.node.name], node.attr, 0)
    elif isinstance(node, nodes.Call):
        key = window_call(node)
    return Use(*key, *parsed.extent(node)) if key else None


@lru_cache(maxsize=256)
def uses(parsed: Parsed) -> tuple[Use, ...]:
    """Every use in a template, in reading order."""
    own = own_names(parsed.tree)

    def walk(node: nodes.Node) -> Iterator[Use]:
        use = use_of(parsed, node, own)
        if use:
            yield use
            return
        for child in children(node):
            yield from walk(child)

    return tuple(sorted(walk(parsed.tree), key=lambda use: use.start))
