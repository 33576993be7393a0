"""Values in conditions: names, constants, arithmetic and windows, each with its type."""

from __future__ import annotations

from jinja2 import nodes

from botopt.loading.expression.syntax import Tree
from botopt.loading.expression.wording import listed
from botopt.model.codes import finding
from botopt.model.condition import NUMERIC, Arithmetic, Expression, Literal, Negative, Ref, Scope, ValueType
from botopt.model.diagnostic import Diagnostic
from botopt.model.durations import parse_duration
from botopt.model.names import BUILT_IN_ATTRIBUTES, ENGAGEMENT_NAMES, TIME_NAMES, Names, did_you_mean
from botopt.model.position import Spans

_ARITHMETIC: tuple[tuple[type[nodes.BinExpr], str], ...] = (
    (nodes.Add, "+"),
    (nodes.Sub, "-"),
    (nodes.Mul, "*"),
    (nodes.Div, "/"),
)
TYPE_WORDS = {
    ValueType.TEXT: "a text",
    ValueType.INTEGER: "a number",
    ValueType.NUMBER: "a number",
    ValueType.BOOLEAN: "true or false",
    ValueType.TIME: "a time",
    ValueType.LIST: "a list",
    ValueType.OBJECT: "an object",
}
_FUNCTIONS = {
    "count": "count('event_type', '10m')",
    "seen": "seen('event_type', '1h')",
    "sent": "sent('24h')",
    "experiment": "experiment('name')",
}
_GROUPS = ("user", "engagement", "time")
_TEXT_METHODS = frozenset("contains includes startswith endswith find index count matches match like".split())
_NAMESPACES = {"engagement": tuple(ENGAGEMENT_NAMES), "time": tuple(TIME_NAMES)}


class TermReader:
    """Reads values. What cannot be read is reported and becomes None; the walk goes on."""

    def __init__(self, tree: Tree, where: Spans, names: Names) -> None:
        self.tree = tree
        self.where = where
        self.names = names
        self.found: list[Diagnostic] = []
        self.neighbour: Expression | None = None

    def report(self, code: str, node: nodes.Node, message: str, hint: str = "") -> None:
        self.report_span(code, self.tree.span(node), message, hint)

    def report_span(self, code: str, place: tuple[int, int], message: str, hint: str = "") -> None:
        """Report it once: the middle of `1 < a < 5` is read twice."""
        found = finding(code, self.where.span(*place), message, hint)
        if found not in self.found:
            self.found.append(found)

    def beside(self, neighbour: Expression | None, node: nodes.Expr) -> Expression | None:
        """A value that is compared with `neighbour`, which says what an unknown name may mean."""
        self.neighbour = neighbour if isinstance(node, nodes.Name) else None
        term = self.term(node)
        self.neighbour = None
        return term

    def term(self, node: nodes.Expr) -> Expression | None:
        """A value, or None where there is a finding about it."""
        for kind, operator in _ARITHMETIC:
            if type(node) is kind:
                return self._arithmetic(operator, node)
        match node:
            case nodes.Const() if isinstance(node.value, str | bool | int | float):
                return self._literal(node)
            case nodes.Name():
                return self._name(node)
            case nodes.Getattr():
                return self._attribute(node)
            case nodes.Call():
                return self._call(node)
            case nodes.Neg():
                inner = self._numeric(node.node)
                if isinstance(inner, Literal) and not isinstance(inner.value, str):
                    return Literal(-inner.value)
                return None if inner is None else Negative(inner)
            case nodes.Pos():
                return self._numeric(node.node)
            case _:
                self.report("B202", node, *_refusal(node, self.tree))
                return None

    def _literal(self, node: nodes.Const) -> Expression | None:
        value = node.value
        if isinstance(value, int | float) and not isinstance(value, bool) and not abs(value) < 2**53:
            self.report("B202", node, f"{self.tree.said(node)[:30]} is too large a number", "type a smaller one")
            return None
        return Literal(value)

    def _arithmetic(self, operator: str, node: nodes.BinExpr) -> Expression | None:
        left, right = self._numeric(node.left), self._numeric(node.right)
        return None if left is None or right is None else Arithmetic(operator, left, right)

    def _numeric(self, node: nodes.Expr) -> Expression | None:
        term = self.term(node)
        if term is None or term.type in NUMERIC:
            return term
        message = f"{self.tree.said(node)} is {kind_of(term)}, and only numbers can be calculated with"
        self.report("B204", node, message, "type a number, or the name of a field that is one")
        return None

    def _name(self, node: nodes.Name) -> Expression | None:
        name = node.name
        if name in self.names.conflicts:
            hint = "limit the suppression to one of them with events: […]"
            self.report("B203", node, self.names.conflicts[name], hint)
            return None
        ref = self.names.field(name)
        if ref is not None:
            return ref
        if name in ("user", "engagement", "time"):
            hint = f"name one of them: {name}.{_first(name, self.names)}"
            self.report("B203", node, f"{name} is a group of values", hint)
        elif name in _FUNCTIONS:
            self.report("B207", node, f"{name} needs brackets", f"type {_FUNCTIONS[name]}")
        elif name.lower() in ("none", "null"):
            hint = "to ask whether a value is there: name is defined"
            self.report("B202", node, f"there is no {name} in conditions", hint)
        else:
            here = " here" if name in self.names.elsewhere else ""
            self.report("B203", node, f'there is no field "{name}"{here}', self._meant(name))
        return None

    def _meant(self, name: str) -> str:
        """What the author of an unknown name may have meant."""
        lower, beside = name.lower(), self.neighbour
        if lower in ("true", "false") or (beside is not None and beside.type is ValueType.BOOLEAN):
            return f"type {lower}" if lower in ("true", "false") else "compare with true or false"
        known = self.names.fields
        if isinstance(beside, Ref) and beside.type is ValueType.TEXT:
            texts = [one for one in beside.one_of if isinstance(one, str)]
            near = next((one for one in texts if one.lower() == lower), "")
            if near or not did_you_mean(name, known):
                return f"text stands in quotes: '{near or name}'"
        if name in self.names.attributes or name in BUILT_IN_ATTRIBUTES:
            return f"the user has it: user.{name}"
        group = next((group for group, parts in _NAMESPACES.items() if name in parts), "")
        if group:
            return f"type {group}.{name}"
        if name in self.names.elsewhere:
            return f"{listed(self.names.elsewhere[name])} has it; declare it here, too, or use another"
        fields = listed(sorted(known)) or "none"
        return did_you_mean(name, known) or f"text stands in quotes: '{name}'; fields are: {fields}"

    def _attribute(self, node: nodes.Getattr) -> Expression | None:
        if not isinstance(node.node, nodes.Name) or node.node.name not in ("user", "engagement", "time"):
            message = f"{self.tree.said(node)}: only user., engagement. and time. have parts"
            self.report("B202", node, message, self._without_parts(node))
            return None
        group, name = node.node.name, node.attr
        if group == "user":
            ref = self.names.attribute(name)
            known: tuple[str, ...] = (*self.names.attributes, *BUILT_IN_ATTRIBUTES)
        elif group == "time":
            ref, known = TIME_NAMES.get(name), tuple(TIME_NAMES)
        else:
            kind = ENGAGEMENT_NAMES.get(name)
            ref, known = (None if kind is None else Ref(Scope.ENGAGEMENT, name, kind)), tuple(ENGAGEMENT_NAMES)
        if ref is None:
            near = did_you_mean(name, known).replace('"', f'"{group}.', 1)
            hint = near or f"there are: {listed(f'{group}.{one}' for one in known)}"
            if group == "user" and not near:
                hint = f"{hint}; or declare it in the section user: {name}: {{type: text}}"
            if group == "user" and name in self.names.fields:
                hint = f"it is a field of the event: type {name} alone"
            self.report("B203", node, f"there is no {group}.{name}", hint)
        return ref

    def _without_parts(self, node: nodes.Getattr) -> str:
        first = node.node
        if node.attr in self.names.fields:
            return f"type {node.attr} alone"
        if isinstance(first, nodes.Name) and first.name in self.names.fields:
            return f"declare {node.attr} as a field of its own"
        near = did_you_mean(first.name, _GROUPS) if isinstance(first, nodes.Name) else ""
        return near or "type the name of a field alone, such as amount"

    def _call(self, node: nodes.Call) -> Expression | None:
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        if name not in _FUNCTIONS:
            is_part = isinstance(node.node, nodes.Getattr) and node.node.attr.lower() in _TEXT_METHODS
            hint = "to look for a text in a text: 'refund' in reason" if is_part else did_you_mean(name, _FUNCTIONS)
            hint = hint or f"there are: {', '.join(_FUNCTIONS.values())}"
            self.report("B202", node, f"{self.tree.said(node)} is not part of the language", hint)
            return None
        if name == "experiment":
            return self._experiment(node)
        wanted = 1 if name == "sent" else 2
        texts = [arg.value for arg in node.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)]
        if len(texts) != wanted or len(node.args) != wanted or node.kwargs or node.dyn_args or node.dyn_kwargs:
            what = "one text in quotes: a duration"
            if name != "sent":
                what = "two texts in quotes: an event type and a duration"
            self.report("B207", node, f"{name} wants {what}", f"type {_FUNCTIONS[name]}")
            return None
        window_us = parse_duration(texts[-1])
        if window_us is None:
            hint = "type 30s, 15m, 6h, 1d or 1h30m; ten years at most"
            self.report("B207", node.args[-1], f'"{texts[-1]}" is not a duration', hint)
        event_type = "" if name == "sent" else texts[0]
        if name != "sent" and event_type not in self.names.event_types:
            hint = did_you_mean(event_type, self.names.event_types) or "declare it under events"
            self.report("B203", node.args[0], f'there is no event type "{event_type}"', hint)
            return None
        if window_us is None:
            return None
        kind = ValueType.BOOLEAN if name == "seen" else ValueType.INTEGER
        return Ref(Scope(name), event_type, kind, window_us)

    def _experiment(self, node: nodes.Call) -> Expression | None:
        """The arm of an experiment in which the user is."""
        known = self.names.experiments
        texts = [arg.value for arg in node.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)]
        if len(texts) != 1 or len(node.args) != 1 or node.kwargs or node.dyn_args or node.dyn_kwargs:
            hint = f"type experiment('{next(iter(known), 'name')}') == 'arm'"
            self.report("B207", node, "experiment wants one text in quotes: the name of an experiment", hint)
            return None
        name = texts[0]
        if name not in known:
            there = f"there are: {listed(sorted(known))}" if known else "declare it in the section experiment"
            self.report("B203", node.args[0], f'there is no experiment "{name}"', did_you_mean(name, known) or there)
            return None
        return Ref(Scope.EXPERIMENT, name, ValueType.TEXT, one_of=known[name])


def kind_of(term: Expression) -> str:
    """What kind of value it is, to put behind "is"."""
    if isinstance(term, Literal) and term.type is ValueType.BOOLEAN:
        return "a yes or no"
    return TYPE_WORDS[term.type]


def _first(group: str, names: Names) -> str:
    return next(iter(names.attributes), "id") if group == "user" else _NAMESPACES[group][0]


_WHY: tuple[tuple[type[nodes.Expr], str, str], ...] = (
    (nodes.Filter, "filters (|) work in messages only", "compare the value itself"),
    (nodes.CondExpr, '"if … else" is not part of conditions', "write two rules"),
    (nodes.Getitem, "square brackets behind a name are not part of conditions", "use a field by its name"),
    (nodes.Tuple, "round brackets do not make a list", "use square brackets: [{0}]"),
    (nodes.List, 'a list can only stand behind "in"', "type: name in ['a', 'b']"),
    (nodes.Concat, '"~" is not part of conditions', "compare the values one by one"),
    (nodes.FloorDiv, '"//" is not part of conditions', 'use "/"'),
    (nodes.Mod, '"%" is not part of conditions', "write shares as numbers: 0.2"),
    (nodes.Pow, '"**" is not part of conditions', "multiply: a * a"),
    (nodes.Compare, "a comparison is no value", "join comparisons with and / or"),
    (nodes.And, '"and" joins comparisons, not values', "repeat the comparison: a > 1 and b > 1"),
    (nodes.Or, '"or" joins comparisons, not values', "repeat the comparison, or use a list: a in [1, 2]"),
    (nodes.Not, '"not" stands before a whole comparison', "type: not (a == b), or a != b"),
    (nodes.Test, '"is" asks whether a value is there', "type: name is defined"),
)


def _refusal(node: nodes.Expr, tree: Tree) -> tuple[str, str]:
    for kind, message, hint in _WHY:
        if isinstance(node, kind):
            return message, hint.format(tree.said(node))
    if isinstance(node, nodes.Const):
        return "there is no none in conditions", "to ask whether a value is there: name is defined"
    return f"{tree.said(node)} is not part of the language", ""
