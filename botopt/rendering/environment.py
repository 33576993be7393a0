"""The sandbox in which a template runs.

Three fences stand behind one another. `allowed` refuses every construct that is not on its list before anything is
compiled. `compilation` rewrites what is left so that comparisons, loops and joined texts go through `operations`,
which count their steps. And this environment never asks a Python object for an attribute: only the parts of objects
from events and `loop` can be reached, and there is nothing to call.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Undefined
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from botopt.rendering.filters import FILTERS
from botopt.rendering.operations import LISTS, calculated, compared, joined, printed, signed, turns
from botopt.rendering.scene import Absent, Refusal, kind

LOOP_NAMES = ("index", "first", "last")
"""What a template may ask of `loop`."""

COMPARE, JOIN, TURNS = "$compare", "$join", "$turns"
"""Filters that no author can type: what `compilation` puts in the place of operators."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with nothing in it but what the policy language has."""

    intercepted_binops = frozenset("+-*/")
    intercepted_unops = frozenset("+-")

    def __init__(self) -> None:
        super().__init__(
            undefined=Absent,
            autoescape=False,
            optimized=False,  # folding constants at compile time would run outside all bounds
            cache_size=0,
            finalize=printed,
        )
        self.globals = {}
        self.tests = {"defined": lambda value: not isinstance(value, Undefined)}
        self.filters = {COMPARE: compared, JOIN: joined, TURNS: turns}
        self.filters |= {name: filter_.function for name, filter_ in FILTERS.items()}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> object:  # noqa: ANN401
        return calculated(context, operator, left, right)

    def call_unop(self, context: Context, operator: str, arg: Any) -> object:  # noqa: ANN401
        return signed(operator, arg)

    def getattr(self, obj: object, attribute: str) -> object:
        """A part of an object of an event, or `loop.index`. Python attributes do not exist here."""
        if isinstance(obj, LoopContext) and attribute in LOOP_NAMES:
            return getattr(obj, attribute)
        return _part(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        """An item of a list, or a part of an object by its name."""
        return _part(obj, argument)

    def is_safe_callable(self, obj: object) -> bool:
        """Nothing is called: `count`, `seen` and `sent` are looked up before a template runs."""
        return False


def _part(whole: object, key: object) -> object:
    if isinstance(whole, Undefined):
        return whole  # so `address.city is defined` is false without an address, and its use names the address
    if isinstance(whole, Mapping) and isinstance(key, str):
        found = whole.get(key)
        return Absent(hint=f'"{key}" is absent') if found is None else found
    if isinstance(whole, LISTS) and type(key) is int:
        found = whole[key] if -len(whole) <= key < len(whole) else None
        return Absent(hint=f"the list has no item [{key}]") if found is None else found
    raise Refusal(f'{kind(whole)} has no part "{key}"')


@cache
def sandbox() -> Sandbox:
    """The one environment of this process."""
    return Sandbox()
