"""Writing a text by walking its tree: for a few trials that is much faster than compiling it.

What is written, and every step that is counted, comes from the functions that compiled texts call, too; only the way
between them is another. Where a walk comes to an end, compiled code does, with the same words. Where it does not, only
compiled code can tell what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import Undefined, nodes

from botopt.model.condition import ValueType
from botopt.rendering.filters import FILTERS
from botopt.rendering.locales import locale as babel_locale
from botopt.rendering.operations import calculated, compared, joined, printed, signed
from botopt.rendering.reading.syntax import Parsed
from botopt.rendering.reading.uses import Key, own_names, use_of
from botopt.rendering.scene import MAX_CHARACTERS, SCENE, Absent, Scene

_DEEPEST = 12
"""Trees that are deeper are left to the compiler."""

_ABSENT = Absent(hint="it is absent")
_SIGNS: Mapping[type[nodes.Node], str] = {nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/"}
_FORMATTING = frozenset(name for name, one in FILTERS.items() if one.gives == {ValueType.TEXT}) - {"title", "truncate"}
"""Filters that take their time, and whose values come again in one text after the other."""


class Round:
    """One walk: its values, and its scene where filters look for it."""

    __slots__ = ("parent", "pieces", "scene", "tag", "values")

    def __init__(self, values: Mapping[Key, object], tag: str, timezone: str, now_us: int) -> None:
        self.values = values
        self.tag = tag
        self.scene = Scene(babel_locale(tag), timezone, now_us)
        self.parent = {SCENE: self.scene}
        self.pieces: list[str] = []


_Value = Callable[[Any], Any]
_Step = Callable[[Any], None]


class _Unknown(Exception):
    """A text has something in it that only compiled code can do."""


class Walk:
    """A text that can be walked through. `keys` are the values that it wants."""

    __slots__ = ("_steps", "keys")

    def __init__(self, steps: Sequence[_Step], keys: frozenset[Key]) -> None:
        self._steps = steps
        self.keys = keys

    def write(self, values: Mapping[Key, object], tag: str, timezone: str, now_us: int) -> str | None:
        """The text for these values, as `CompiledText` writes it; None where it cannot be written, or nobody knows."""
        state = Round(values, tag, timezone, now_us)
        try:
            for step in self._steps:
                step(state)
            state.scene.spend(len(state.pieces))
            text = "".join(state.pieces)
            text.encode()
        except Exception:  # noqa: BLE001  # compiled code says what it is
            return None
        return text if len(text) <= MAX_CHARACTERS else None


def walk(parsed: Parsed) -> Walk | None:
    """A way through a text that is allowed; None if only compiled code knows one."""
    building = _Building(parsed)
    try:
        steps = building.block(parsed.tree.body, 0)
    except _Unknown:
        return None
    return Walk(steps, frozenset(building.keys))


class _Building:
    """One tree on its way to functions."""

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self._own = own_names(parsed.tree)
        self.keys: set[Key] = set()

    def block(self, body: Sequence[nodes.Node], depth: int) -> list[_Step]:
        """Statements one after another."""
        steps: list[_Step] = []
        for node in body:
            if isinstance(node, nodes.Output):
                steps += (self._piece(part, depth) for part in node.nodes)
            elif isinstance(node, nodes.If):
                steps.append(self._if(node, depth + 1))
            else:
                raise _Unknown
        return steps

    def _piece(self, node: nodes.Node, depth: int) -> _Step:
        if isinstance(node, nodes.TemplateData):
            data = node.data
            return lambda state: state.pieces.append(data)
        value = self.value(node, depth)
        return lambda state: state.pieces.append(printed(state, value(state)))

    def _if(self, node: nodes.If, depth: int) -> _Step:
        branches = [(self.value(branch.test, depth), self.block(branch.body, depth)) for branch in (node, *node.elif_)]
        otherwise = self.block(node.else_, depth)

        def choose(state: Round) -> None:
            taken = next((body for test, body in branches if test(state)), otherwise)
            for step in taken:
                step(state)

        return choose

    def value(self, node: nodes.Node, depth: int) -> _Value:
        """An expression."""
        if depth > _DEEPEST:
            raise _Unknown
        use = use_of(self._parsed, node, self._own)
        if use:
            key = use.key
            self.keys.add(key)

            def look_up(state: Round) -> object:
                found = state.values.get(key)
                return _ABSENT if found is None else found

            return look_up
        return self._composed(node, depth + 1)

    def _composed(self, node: nodes.Node, depth: int) -> _Value:
        match node:
            case nodes.Const():
                constant = node.value
                return lambda state: constant
            case nodes.Filter(node=nodes.Expr() as given):
                return self._filtered(node, self.value(given, depth), depth)
            case nodes.Test(name="defined"):
                asked = self.value(node.node, depth)
                return lambda state: not isinstance(asked(state), Undefined)
            case nodes.Compare():
                sides = self._values([node.expr, *(operand.expr for operand in node.ops)], depth)
                signs = " ".join(operand.op for operand in node.ops)
                return lambda state: compared(state, sides[0](state), signs, *(side(state) for side in sides[1:]))
            case nodes.Concat():
                parts = self._values(node.nodes, depth)
                return lambda state: joined(state, *(part(state) for part in parts))
            case nodes.CondExpr():
                test, yes = self.value(node.test, depth), self.value(node.expr1, depth)
                no = self.value(node.expr2 or nodes.Const(""), depth)
                return lambda state: yes(state) if test(state) else no(state)
            case nodes.Not():
                inner = self.value(node.node, depth)
                return lambda state: not inner(state)
            case nodes.Neg() | nodes.Pos():
                sign, number = "-" if isinstance(node, nodes.Neg) else "+", self.value(node.node, depth)
                return lambda state: signed(sign, number(state))
            case nodes.BinExpr():
                return self._binary(node, self.value(node.left, depth), self.value(node.right, depth))
            case _:
                raise _Unknown

    @staticmethod
    def _binary(node: nodes.BinExpr, left: _Value, right: _Value) -> _Value:
        if isinstance(node, nodes.And):
            return lambda state: left(state) and right(state)
        if isinstance(node, nodes.Or):
            return lambda state: left(state) or right(state)
        sign = _SIGNS.get(type(node))
        if sign is None:
            raise _Unknown
        return lambda state: calculated(state, sign, left(state), right(state))

    def _values(self, many: Sequence[nodes.Node], depth: int) -> list[_Value]:
        return [self.value(node, depth) for node in many]

    def _filtered(self, node: nodes.Filter, given: _Value, depth: int) -> _Value:
        name, function = node.name, FILTERS[node.name].function
        arguments = self._values(node.args, depth)
        named = {str(keyword.key): self.value(keyword.value, depth) for keyword in node.kwargs}
        if name not in _FORMATTING:
            return lambda state: function(
                state,
                given(state),
                *(argument(state) for argument in arguments),
                **{key: argument(state) for key, argument in named.items()},
            )

        def formatted(state: Round) -> object:
            values = (given(state), *(argument(state) for argument in arguments))
            more = tuple((key, argument(state)) for key, argument in named.items())
            scene = state.scene
            text, steps = _formatted(name, state.tag, scene.timezone, scene.now_us, more, *values)
            scene.spend(steps)
            return text

        return formatted


@lru_cache(maxsize=8192, typed=True)  # 1, 1.0 and true are equal, and not formatted alike
def _formatted(
    name: str, tag: str, timezone: str, now_us: int, named: tuple[tuple[str, object], ...], *values: object
) -> tuple[object, int]:
    """What a filter makes of its value, and the steps that it takes."""
    state = Round({}, tag, timezone, now_us)
    return FILTERS[name].function(state, *values, **dict(named)), state.scene.steps
