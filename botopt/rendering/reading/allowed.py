"""What a template may be made of. Everything that is not on a list here is refused, with what to type instead.

This is the first fence of the sandbox (`environment` has the others), and it needs no names: it is the same for every
event type, so `bind` asks it again for a policy that nobody validated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from jinja2 import nodes

from botopt.model.names import WORDS, did_you_mean
from botopt.rendering.environment import LOOP_NAMES
from botopt.rendering.filters import FILTERS
from botopt.rendering.reading.arguments import argument_faults, call_faults
from botopt.rendering.reading.faults import Fault
from botopt.rendering.reading.syntax import Parsed, children
from botopt.rendering.reading.uses import FUNCTIONS, GROUPS
from botopt.rendering.scene import MAX_CHARACTERS

MAX_TAGS = 8
"""How deeply `if` and `for` may be nested."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

_PLAIN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.List, nodes.Compare, nodes.Operand, nodes.And,
    nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.Neg, nodes.Pos, nodes.Concat,
    nodes.CondExpr, nodes.Keyword,
)  # fmt: skip
"""Nodes that are always allowed; what they are made of is looked at in turn."""

_TAG_HINT = "the tags are if, for and set"
_REFUSED: Mapping[type[nodes.Node], tuple[str, str]] = {
    nodes.Pow: ('"**" (to the power of) is not allowed', "multiply instead: a * a"),
    nodes.Mod: ('"%" is not allowed inside braces', "for a share, divide: a / b"),
    nodes.FloorDiv: ('"//" is not allowed', 'divide with "/"'),
    nodes.Tuple: ("values with commas between them must be a list", "put them in square brackets: ['a', 'b']"),
    nodes.Dict: ("an object cannot be written out here", "use a field of the event"),
    nodes.Slice: (
        "a part of a text or list cannot be cut out like this",
        "to shorten a text: {{ text | truncate(20) }}",
    ),
    nodes.AssignBlock: ('"set" with a text up to "endset" is not allowed', "type: {% set name = 'text ' ~ value %}"),
    nodes.NSRef: ('"set" can only set a plain name', "type: {% set name = value %}"),
    nodes.FilterBlock: ('the tag "filter" is not allowed', "put the filter after each value: {{ name | title }}"),
    nodes.Include: ('the tag "include" is not allowed', "write the text out where it is needed"),
    nodes.Extends: ('the tag "extends" is not allowed', "write the text out where it is needed"),
    nodes.Block: ('the tag "block" is not allowed', _TAG_HINT),
    nodes.Import: ('the tag "import" is not allowed', "write the text out where it is needed"),
    nodes.FromImport: ('the tag "from" is not allowed', "write the text out where it is needed"),
    nodes.Macro: ('the tag "macro" is not allowed', "write the text out where it is needed"),
    nodes.CallBlock: ('the tag "call" is not allowed', _TAG_HINT),
    nodes.With: ('the tag "with" is not allowed', "type: {% set name = value %}"),
    nodes.ScopedEvalContextModifier: ('the tag "autoescape" is not allowed', _TAG_HINT),
    nodes.Scope: ('the tag "autoescape" is not allowed', _TAG_HINT),
}

Check = Callable[["_Checker", nodes.Node], Iterator[Fault]]


class _Checker:
    """One walk through a tree."""

    def __init__(self, parsed: Parsed) -> None:
        self.parsed = parsed
        self.tags = 0
        self.loops = 0

    def fault(self, node: nodes.Node, message: str, hint: str = "", code: str = "B302") -> Fault:
        return Fault(code, *self.parsed.extent(node), message, hint)

    def walk(self, node: nodes.Node) -> Iterator[Fault]:
        if self.tags > MAX_TAGS:
            yield self.fault(node, '"if" and "for" are nested too deeply', 'join conditions with "and", or use elif')
        elif type(node) in _CHECKS:
            yield from _CHECKS[type(node)](self, node)
        elif isinstance(node, _PLAIN):
            nested = isinstance(node, nodes.If)
            self.tags += nested
            yield from self.inside(node)
            self.tags -= nested
        else:
            message, hint = _REFUSED.get(type(node), ("this is not allowed in a template", _TAG_HINT))
            yield self.refused(node, message, hint)

    def inside(self, node: nodes.Node) -> Iterator[Fault]:
        for child in children(node):
            yield from self.walk(child)

    def refused(self, node: nodes.Node, message: str, hint: str) -> Fault:
        """A fault at the one word or sign that stands for the node."""
        if isinstance(node, nodes.Expr) or not node.lineno:
            return self.fault(node, message, hint)
        start = node.lineno - 1
        return Fault("B302", start, self.parsed.end_of(start), message, hint)


def _for(checker: _Checker, node: nodes.For) -> Iterator[Fault]:
    if not isinstance(node.target, nodes.Name):
        yield checker.fault(node.target, '"for" takes one name', "type: {% for item in items %}, then {{ item.part }}")
    if node.recursive:
        yield checker.refused(node, '"recursive" is not allowed', "use one {% for %} inside another")
    yield from checker.walk(node.iter)
    checker.tags += 1
    checker.loops += 1
    for part in (node.target, *node.body, *([node.test] if node.test else ())):
        yield from checker.walk(part)
    checker.loops -= 1
    for part in node.else_:
        yield from checker.walk(part)
    checker.tags -= 1


def _assign(checker: _Checker, node: nodes.Assign) -> Iterator[Fault]:
    yield from checker.walk(node.target)
    yield from checker.walk(node.node)


def _name(checker: _Checker, node: nodes.Name) -> Iterator[Fault]:
    if node.ctx == "store":
        if not _NAME.fullmatch(node.name):
            yield checker.fault(node, f'"{node.name}" is no name', "use letters, digits and _, a letter first", "B316")
        elif node.name in WORDS or node.name == "loop":
            yield checker.fault(node, f'"{node.name}" is a word with a meaning of its own', "use another name", "B316")
    elif node.name == "loop":
        yield checker.fault(
            node, '"loop" is no value by itself', f"ask for one of its parts: {_parts('loop', LOOP_NAMES)}"
        )
    elif node.name in FUNCTIONS:
        yield checker.fault(node, f'"{node.name}" is asked with brackets', f"type: {_EXAMPLES[node.name]}")
    elif node.name in GROUPS:
        yield checker.fault(
            node, f'"{node.name}" is no value by itself', f"say which part of it: {_EXAMPLES[node.name]}"
        )


_EXAMPLES = {
    "count": "count('payment_failed', '24h')",
    "seen": "seen('payment_failed', '24h')",
    "sent": "sent('24h')",
    "user": "user.name",
    "engagement": "engagement.clicks",
    "time": "time.hour",
}


def _parts(name: str, parts: tuple[str, ...]) -> str:
    return ", ".join(f"{name}.{part}" for part in parts)


def _const(checker: _Checker, node: nodes.Const) -> Iterator[Fault]:
    value = node.value
    if value is None:
        yield checker.fault(node, "nothing (none) is no value here", 'to ask whether a value is there: "is defined"')
    elif isinstance(value, float) and not math.isfinite(value):
        yield checker.fault(node, "this number is too large")
    elif isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
        yield checker.fault(node, "this text holds half a character", "type the character itself, not its number")


def _getattr(checker: _Checker, node: nodes.Getattr) -> Iterator[Fault]:
    base = node.node
    if node.attr.startswith("_"):
        yield checker.fault(node, f'"{node.attr}" is not allowed', "parts of an object begin with a letter")
    elif isinstance(base, nodes.Name) and base.name == "loop":
        if not checker.loops:
            yield checker.fault(node, '"loop" is known only inside {% for %}', code="B303")
        elif node.attr not in LOOP_NAMES:
            hint = did_you_mean(node.attr, LOOP_NAMES) or f"there is {_parts('loop', LOOP_NAMES)}"
            yield checker.fault(node, f'"loop" has no "{node.attr}"', hint)
    elif not isinstance(base, nodes.Name) or base.name not in GROUPS:
        yield from _whole(checker, base)


def _whole(checker: _Checker, base: nodes.Expr) -> Iterator[Fault]:
    """What has parts is named, not computed: a field, or a part of one."""
    if isinstance(base, (nodes.Name, nodes.Getattr, nodes.Getitem)):
        yield from checker.walk(base)
    else:
        yield checker.fault(base, "only a named value has parts", "give it a name first: {% set name = … %}")


def _getitem(checker: _Checker, node: nodes.Getitem) -> Iterator[Fault]:
    base, argument = node.node, node.arg
    if isinstance(base, nodes.Name) and base.name in {*GROUPS, "loop"}:
        part = argument.value if isinstance(argument, nodes.Const) else "part"
        yield checker.fault(node, f'parts of "{base.name}" are asked for with a dot', f"type: {base.name}.{part}")
        return
    yield from _whole(checker, base)
    if not isinstance(argument, nodes.Const):
        yield from (
            checker.walk(argument)
            if isinstance(argument, nodes.Slice)
            else (
                checker.fault(
                    argument, "only a number or a quoted name may stand in these brackets", "for example: items[0]"
                ),
            )
        )
    elif type(argument.value) not in {int, str} or str(argument.value).startswith("_"):
        yield checker.fault(argument, "only a whole number or a quoted name may stand in these brackets")


def _call(checker: _Checker, node: nodes.Call) -> Iterator[Fault]:
    yield from call_faults(checker.parsed, node)


def _filter(checker: _Checker, node: nodes.Filter) -> Iterator[Fault]:
    if node.node is not None:
        yield from checker.walk(node.node)
    start = node.lineno - 1
    if node.name not in FILTERS:
        hint = did_you_mean(node.name, FILTERS) or f"the filters are {', '.join(FILTERS)}"
        yield Fault("B307", start, start + len(node.name), f'unknown filter "{node.name}"', hint)
        return
    yield from argument_faults(checker.parsed, node)
    for argument in (*node.args, *(keyword.value for keyword in node.kwargs)):
        yield from checker.walk(argument)


def _test(checker: _Checker, node: nodes.Test) -> Iterator[Fault]:
    if node.name != "defined" or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
        hint = _TESTS.get(node.name, 'there is "is defined" and "is not defined"; to compare, use "==", "<", "in"')
        yield checker.fault(node, f'"is {node.name}" is not allowed', hint)
    elif not isinstance(node.node, (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Call)):
        yield checker.fault(node.node, '"is defined" asks about a name', "for example: user.name is defined")
    else:
        yield from checker.walk(node.node)


_TESTS = {
    "undefined": 'type "is not defined"',
    "none": 'type "is not defined"',
    "None": 'type "is not defined"',
    "null": 'type "is not defined"',
    "empty": "compare with an empty text: name == ''",
    "equalto": 'type "=="',
    "eq": 'type "=="',
    "ne": 'type "!="',
    "gt": 'type ">"',
    "lt": 'type "<"',
    "in": 'type "in" without "is"',
    "true": "leave the test out: {% if name %}",
    "false": "type: {% if not name %}",
}

_CHECKS: Mapping[type[nodes.Node], Callable[..., Iterator[Fault]]] = {
    nodes.For: _for,
    nodes.Assign: _assign,
    nodes.Name: _name,
    nodes.Const: _const,
    nodes.Getattr: _getattr,
    nodes.Getitem: _getitem,
    nodes.Call: _call,
    nodes.Filter: _filter,
    nodes.Test: _test,
}


@lru_cache(maxsize=256)
def check(parsed: Parsed) -> tuple[Fault, ...]:
    """Everything in a template that is not allowed, whatever its names mean."""
    return (*_too_long(parsed), *_Checker(parsed).walk(parsed.tree))


def _too_long(parsed: Parsed) -> Iterator[Fault]:
    """A text without braces is as long as its source; of others only rendering tells."""
    outputs = [part for part in parsed.tree.body if isinstance(part, nodes.Output)]
    pieces = [piece.data for output in outputs for piece in output.nodes if isinstance(piece, nodes.TemplateData)]
    plain = len(outputs) == len(parsed.tree.body) and len(pieces) == sum(len(output.nodes) for output in outputs)
    if plain and sum(map(len, pieces)) > MAX_CHARACTERS:
        message = f"this text is longer than {MAX_CHARACTERS:,} characters"
        yield Fault("B301", 0, len(parsed.source), message, "nobody reads that much in a chat: make it shorter")
