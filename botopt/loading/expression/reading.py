"""From Jinja's tree to a typed condition."""

from __future__ import annotations

from jinja2 import nodes

from botopt.loading.durations import parse_duration
from botopt.loading.expression.bounds import impossible
from botopt.loading.expression.syntax import Complaint, Tree, parse
from botopt.model.codes import finding
from botopt.model.condition import (
    NUMERIC,
    All,
    AnyOf,
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    Contains,
    Expression,
    IsDefined,
    Literal,
    Membership,
    Negative,
    Not,
    Ref,
    Scope,
    Truth,
    ValueType,
)
from botopt.model.diagnostic import Diagnostic, has_errors
from botopt.model.names import ENGAGEMENT_NAMES, TIME_NAMES, Names, did_you_mean
from botopt.model.position import Spans

_OPERATORS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}
_MIRROR = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ARITHMETIC: tuple[tuple[type[nodes.BinExpr], str], ...] = (
    (nodes.Add, "+"),
    (nodes.Sub, "-"),
    (nodes.Mul, "*"),
    (nodes.Div, "/"),
)
_TYPES = {
    ValueType.TEXT: "a text",
    ValueType.INTEGER: "a number",
    ValueType.NUMBER: "a number",
    ValueType.BOOLEAN: "true or false",
    ValueType.TIME: "a time",
    ValueType.LIST: "a list",
    ValueType.OBJECT: "an object",
}
_FUNCTIONS = {"count": "count('event_type', '10m')", "seen": "seen('event_type', '1h')", "sent": "sent('24h')"}
_NAMESPACES = {"engagement": tuple(ENGAGEMENT_NAMES), "time": tuple(TIME_NAMES)}


def read_condition(text: str, where: Spans, names: Names) -> tuple[Condition | None, tuple[Diagnostic, ...]]:
    """The condition, or None where there is an error; and all findings about it."""
    try:
        tree = parse(text)
    except Complaint as fault:
        place = where.span(fault.start, max(fault.end, fault.start + 1))
        return None, (finding("B201", place, fault.message, fault.hint),)
    reader = _Reader(tree, where, names)
    condition = reader.condition(tree.root)
    found = tuple(reader.found)
    return (None if has_errors(found) else condition), found


class _Reader:
    """One walk through a tree. What cannot be read is reported and becomes None; the walk goes on."""

    def __init__(self, tree: Tree, where: Spans, names: Names) -> None:
        self.tree = tree
        self.where = where
        self.names = names
        self.found: list[Diagnostic] = []
        self.defined: frozenset[str] = frozenset()

    def report(self, code: str, node: nodes.Node, message: str, hint: str = "") -> None:
        place = self.where.span(self.tree.start(node), self.tree.end(node))
        self.found.append(finding(code, place, message, hint))

    def condition(self, node: nodes.Expr) -> Condition | None:
        match node:
            case nodes.And():
                before = self.defined
                self.defined = before | _defined_in(node)
                parts = self._parts(node, nodes.And)
                self.defined = before
                return None if parts is None else All(parts)
            case nodes.Or():
                parts = self._parts(node, nodes.Or)
                return None if parts is None else AnyOf(parts)
            case nodes.Not():
                inner = self.condition(node.node)
                if inner is None:
                    return None
                return Not(inner)
            case nodes.Compare():
                return self._comparisons(node)
            case nodes.Test():
                return self._test(node)
            case nodes.Const() if isinstance(node.value, bool):
                return Constant(node.value)
        return self._bare(node)

    def _parts(self, node: nodes.BinExpr, kind: type[nodes.BinExpr]) -> tuple[Condition, ...] | None:
        parts: list[Condition | None] = []
        for side in (node.left, node.right):
            inner = self.condition(side)
            if type(side) is kind and isinstance(inner, All | AnyOf):
                parts.extend(inner.parts)
            else:
                parts.append(inner)
        whole = tuple(part for part in parts if part is not None)
        return whole if len(whole) == len(parts) else None

    def _bare(self, node: nodes.Expr) -> Condition | None:
        term = self.term(node)
        if term is None:
            return None
        if isinstance(term, Ref) and term.type is ValueType.BOOLEAN:
            return Truth(term)
        said = self.tree.said(node)
        hint = f"compare it: {said} > 0" if term.type in NUMERIC else f"compare it: {said} == 'text'"
        self.report("B206", node, f"{said} is {_TYPES[term.type]}, which is neither true nor false", hint)
        return None

    def _test(self, node: nodes.Test) -> Condition | None:
        if node.name not in ("defined", "undefined") or node.args:
            hint = "to ask whether a value is there: name is defined; to compare: name == 'text'"
            self.report("B202", node, f'"is {node.name}" is not part of the language', hint)
            return None
        ref = self.term(node.node)
        if ref is None:
            return None
        if not isinstance(ref, Ref):
            self.report("B202", node.node, "only a name can be defined", "type a field: reason is defined")
            return None
        return IsDefined(ref) if node.name == "defined" else Not(IsDefined(ref))

    def _comparisons(self, node: nodes.Compare) -> Condition | None:
        parts: list[Condition | None] = []
        left: nodes.Expr = node.expr
        for operand in node.ops:
            parts.append(self._compare(left, operand.op, operand.expr))
            left = operand.expr
        whole = tuple(part for part in parts if part is not None)
        if len(whole) < len(parts):
            return None
        return whole[0] if len(whole) == 1 else All(whole)

    def _compare(self, left: nodes.Expr, op: str, right: nodes.Expr) -> Condition | None:
        if op in ("in", "notin"):
            return self._within(left, right, negated=op == "notin")
        a, b = self.term(left), self.term(right)
        if a is None or b is None:
            return None
        operator = _OPERATORS[op]
        if not self._comparable(operator, a, left, b, right):
            return None
        if isinstance(a, Literal) and isinstance(b, Literal):
            self.report("B205", left, "this compares two fixed values, so it never changes", "compare a field")
            return None
        self._possible(operator, a, b, right)
        self._possible(_MIRROR[operator], b, a, left)
        if operator == "!=":
            self._optional(a, left)
            self._optional(b, right)
        return Comparison(operator, a, b)

    def _comparable(self, operator: str, a: Expression, left: nodes.Expr, b: Expression, right: nodes.Expr) -> bool:
        for term, node in ((a, left), (b, right)):
            if term.type in (ValueType.LIST, ValueType.OBJECT):
                said = self.tree.said(node)
                self.report(
                    "B204", node, f"{said} is {_TYPES[term.type]}; conditions cannot look into it", "use it in a text"
                )
                return False
        same = a.type is b.type or (a.type in NUMERIC and b.type in NUMERIC)
        if not same:
            node, term, other = (right, b, a) if isinstance(b, Literal) or not isinstance(a, Literal) else (left, a, b)
            with_what = self.tree.said(left if node is right else right)
            self.report(
                "B204",
                node,
                f"{self.tree.said(node)} is {_TYPES[term.type]}, and {with_what} is {_TYPES[other.type]}",
                _type_hint(term, other),
            )
            return False
        if operator not in ("==", "!=") and a.type in (ValueType.TEXT, ValueType.BOOLEAN):
            hint = "use == or !=, or a list: name in ['a', 'b']"
            self.report("B204", left, f"{_TYPES[a.type]} has no order, so {operator} has no meaning", hint)
            return False
        return True

    def _within(self, left: nodes.Expr, right: nodes.Expr, *, negated: bool) -> Condition | None:
        item = self.term(left)
        if not isinstance(right, nodes.List):
            whole = self.term(right)
            if item is None or whole is None:
                return None
            for term, node in ((item, left), (whole, right)):
                if term.type is not ValueType.TEXT:
                    said = self.tree.said(node)
                    self.report(
                        "B204",
                        node,
                        f"{said} is {_TYPES[term.type]}; in looks for a text in a text",
                        "or use a list: [1, 2]",
                    )
                    return None
            if negated:
                self._optional(whole, right)
                self._optional(item, left)
            return Contains(item, whole, negated)
        options = [self.term(entry) for entry in right.items]
        if item is None or None in options:
            return None
        if not options:
            self.report("B205", right, "this list is empty, so nothing can be in it", "list the values")
            return None
        fine = True
        for option, entry in zip(options, right.items, strict=True):
            if option is None or not self._comparable("==", item, left, option, entry):
                fine = False
            else:
                self._possible("==", item, option, entry)
        if negated:
            self._optional(item, left)
        terms = tuple(option for option in options if option is not None)
        return Membership(item, terms, negated) if fine else None

    def _possible(self, operator: str, ref: Expression, other: Expression, node: nodes.Expr) -> None:
        if isinstance(ref, Ref) and isinstance(other, Literal):
            problem = impossible(operator, ref, other.value, self.names)
            if problem is not None:
                self.report("B205", node, *problem)

    def _optional(self, term: Expression, node: nodes.Expr) -> None:
        if isinstance(term, Ref) and term.optional and str(term) not in self.defined:
            said = str(term)
            hint = f"add: and {said} is defined; or, if absent should count: or {said} is not defined"
            self.report("B208", node, f"{said} may be absent, and then this comparison is false", hint)

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
            self.report("B205", node, f"{self.tree.said(node)[:30]} is too large a number", "use a smaller one")
            return None
        return Literal(value)

    def _arithmetic(self, operator: str, node: nodes.BinExpr) -> Expression | None:
        left, right = self._numeric(node.left), self._numeric(node.right)
        return None if left is None or right is None else Arithmetic(operator, left, right)

    def _numeric(self, node: nodes.Expr) -> Expression | None:
        term = self.term(node)
        if term is None or term.type in NUMERIC:
            return term
        said = self.tree.said(node)
        self.report(
            "B204", node, f"{said} is {_TYPES[term.type]}, and a number is wanted here", "calculate with numbers only"
        )
        return None

    def _name(self, node: nodes.Name) -> Expression | None:
        name = node.name
        ref = self.names.field(name)
        if name in self.names.conflicts:
            self.report(
                "B203", node, self.names.conflicts[name], "limit the suppression to one of them with events: […]"
            )
            return None
        if ref is not None:
            return ref
        if name in ("user", "engagement", "time"):
            self.report(
                "B203", node, f"{name} is a group of values", f"name one of them: {name}.{_first(name, self.names)}"
            )
        elif name in _FUNCTIONS:
            self.report("B207", node, f"{name} needs brackets", f"type {_FUNCTIONS[name]}")
        elif name in self.names.attributes:
            self.report("B203", node, f'there is no field "{name}"', f"the user has it: user.{name}")
        elif name.lower() in ("none", "null"):
            self.report(
                "B202", node, "there is no none in conditions", "to ask whether a value is there: name is defined"
            )
        elif name in self.names.elsewhere:
            others = ", ".join(self.names.elsewhere[name])
            self.report(
                "B203",
                node,
                f'there is no field "{name}" here; {others} has one',
                "declare it in fields, or use another",
            )
        else:
            near = did_you_mean(name, self.names.fields)
            hint = (
                near or f"text stands in quotes: '{name}'; fields are: {', '.join(sorted(self.names.fields)) or 'none'}"
            )
            self.report("B203", node, f'there is no field "{name}"', hint)
        return None

    def _attribute(self, node: nodes.Getattr) -> Expression | None:
        if not isinstance(node.node, nodes.Name) or node.node.name not in ("user", "engagement", "time"):
            said = self.tree.said(node)
            self.report(
                "B202", node, f"{said}: only user., engagement. and time. have parts", "use a field by its name"
            )
            return None
        group, name = node.node.name, node.attr
        if group == "user":
            ref = self.names.attribute(name)
            known: tuple[str, ...] = (*self.names.attributes, "id", "timezone", "locale")
        elif group == "time":
            ref, known = TIME_NAMES.get(name), tuple(TIME_NAMES)
        else:
            kind = ENGAGEMENT_NAMES.get(name)
            ref, known = (None if kind is None else Ref(Scope.ENGAGEMENT, name, kind)), tuple(ENGAGEMENT_NAMES)
        if ref is None:
            hint = did_you_mean(name, known) or f"there are: {', '.join(f'{group}.{one}' for one in known)}"
            self.report("B203", node, f"there is no {group}.{name}", hint)
        return ref

    def _call(self, node: nodes.Call) -> Expression | None:
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        if name not in _FUNCTIONS:
            hint = did_you_mean(name, _FUNCTIONS) or f"there are: {', '.join(_FUNCTIONS.values())}"
            self.report("B202", node, f"{self.tree.said(node)} is not part of the language", hint)
            return None
        wanted = 1 if name == "sent" else 2
        texts = [arg.value for arg in node.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)]
        if len(texts) != wanted or len(node.args) != wanted or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self.report(
                "B207",
                node,
                f"{name} wants {wanted} text{'s' if wanted > 1 else ''} in quotes",
                f"type {_FUNCTIONS[name]}",
            )
            return None
        window_us = parse_duration(texts[-1])
        if window_us is None:
            self.report("B207", node.args[-1], f'"{texts[-1]}" is not a duration', "type 30s, 15m, 6h, 1d or 1h30m")
        event_type = "" if name == "sent" else texts[0]
        if event_type and event_type not in self.names.event_types:
            hint = did_you_mean(event_type, self.names.event_types)
            self.report("B203", node.args[0], f'there is no event type "{event_type}"', hint)
            return None
        if window_us is None:
            return None
        kind = ValueType.BOOLEAN if name == "seen" else ValueType.INTEGER
        return Ref(Scope(name), event_type, kind, window_us)


def _defined_in(node: nodes.Expr) -> frozenset[str]:
    """Names that a conjunction asks to be defined."""
    match node:
        case nodes.And():
            return _defined_in(node.left) | _defined_in(node.right)
        case nodes.Test(name="defined", node=nodes.Name(name=name)):
            return frozenset({name})
        case nodes.Test(name="defined", node=nodes.Getattr(node=nodes.Name(name=group), attr=name)):
            return frozenset({f"{group}.{name}"})
        case _:
            return frozenset()


def _first(group: str, names: Names) -> str:
    return next(iter(names.attributes), "id") if group == "user" else _NAMESPACES[group][0]


def _type_hint(term: Expression, other: Expression) -> str:
    if isinstance(term, Literal) and isinstance(term.value, str) and other.type in NUMERIC:
        return (
            f"type the number without quotes: {term.value}"
            if term.value.replace(".", "", 1).isdigit()
            else "compare with a number"
        )
    if isinstance(term, Literal) and other.type is ValueType.TEXT:
        return f"put it in quotes: '{term.value}'"
    if other.type is ValueType.BOOLEAN:
        return "compare with true or false"
    return "both sides must be of one kind"


_WHY: tuple[tuple[type[nodes.Expr], str, str], ...] = (
    (nodes.Filter, "filters (|) belong into texts", "compare the value itself"),
    (nodes.CondExpr, '"if … else" is not part of conditions', "write two rules"),
    (nodes.Getitem, "square brackets behind a name are not part of conditions", "use a field by its name"),
    (nodes.Tuple, "round brackets do not make a list", "use square brackets: ['a', 'b']"),
    (nodes.List, "a list can only stand behind in", "type: name in ['a', 'b']"),
    (nodes.Dict, "braces are not part of conditions", "compare fields one by one"),
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
            return message, hint
    if isinstance(node, nodes.Const):
        return "there is no none in conditions", "to ask whether a value is there: name is defined"
    return f"{tree.said(node)} is not part of the language", ""
