"""From Jinja's tree to a typed condition."""

from __future__ import annotations

from jinja2 import nodes

from botopt.loading.expression.bounds import impossible
from botopt.loading.expression.syntax import Complaint, Tree, parse
from botopt.loading.expression.terms import TYPE_WORDS, TermReader
from botopt.model.codes import finding
from botopt.model.condition import (
    NUMERIC,
    All,
    AnyOf,
    Comparison,
    Condition,
    Constant,
    Contains,
    Expression,
    IsDefined,
    Literal,
    Membership,
    Not,
    Ref,
    Truth,
    ValueType,
)
from botopt.model.diagnostic import Diagnostic, has_errors
from botopt.model.names import Names
from botopt.model.position import Spans

_OPERATORS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}
_MIRROR = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


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


class _Reader(TermReader):
    """One walk through a tree. `defined` are names that the present conjunction asks to be defined."""

    def __init__(self, tree: Tree, where: Spans, names: Names) -> None:
        super().__init__(tree, where, names)
        self.defined: frozenset[str] = frozenset()

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
        self.report("B206", node, f"{said} is {TYPE_WORDS[term.type]}, which is neither true nor false", hint)
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
                    "B204",
                    node,
                    f"{said} is {TYPE_WORDS[term.type]}; conditions cannot look into it",
                    "use it in a text",
                )
                return False
        same = a.type is b.type or (a.type in NUMERIC and b.type in NUMERIC)
        if not same:
            node, term, other = (right, b, a) if isinstance(b, Literal) or not isinstance(a, Literal) else (left, a, b)
            with_what = self.tree.said(left if node is right else right)
            self.report(
                "B204",
                node,
                f"{self.tree.said(node)} is {TYPE_WORDS[term.type]}, and {with_what} is {TYPE_WORDS[other.type]}",
                _type_hint(term, other),
            )
            return False
        if operator not in ("==", "!=") and a.type in (ValueType.TEXT, ValueType.BOOLEAN):
            hint = "use == or !=, or a list: name in ['a', 'b']"
            self.report("B204", left, f"{TYPE_WORDS[a.type]} has no order, so {operator} has no meaning", hint)
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
                        f"{said} is {TYPE_WORDS[term.type]}; in looks for a text in a text",
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
