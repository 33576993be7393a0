"""From Jinja's tree to a typed condition."""

from __future__ import annotations

from collections.abc import Iterable

from jinja2 import nodes

from botopt.loading.expression.bounds import impossible
from botopt.loading.expression.syntax import Tree, parse
from botopt.loading.expression.terms import TYPE_WORDS, TermReader, kind_of
from botopt.loading.expression.wording import is_hint
from botopt.loading.expression.words import Complaint
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
    references,
)
from botopt.model.diagnostic import Diagnostic, has_errors
from botopt.model.names import Names
from botopt.model.position import Spans

_OPERATORS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}
_LONG = 60
_MIRROR = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def read_condition(
    text: str, where: Spans, names: Names, thought_of: frozenset[str] = frozenset()
) -> tuple[Condition | None, tuple[Diagnostic, ...]]:
    """The condition, or None where there is an error; and all findings about it.

    `thought_of` are names whose absence another condition beside this one answers (`asked_beside`).
    """
    try:
        tree = parse(text)
    except Complaint as fault:
        place = where.span(fault.start, max(fault.end, fault.start + 1))
        return None, (finding("B201", place, fault.message, fault.hint),)
    reader = _Reader(tree, where, names, thought_of)
    condition = reader.condition(tree.root)
    found = tuple(reader.found)
    return (None if has_errors(found) else condition), found


def asked_beside(texts: Iterable[str], *, every: bool) -> frozenset[str]:
    """Names that one of several conditions asks to be defined, where `every` one must hold; or, else, not to be."""
    asked: frozenset[str] = frozenset()
    for text in texts:
        try:
            asked |= _asked(parse(text).root, nodes.And if every else nodes.Or)
        except Complaint:
            continue  # reported where the condition itself is read
    return asked


class _Reader(TermReader):
    """One walk through a tree.

    `thought_of` are the names whose absence the author has an answer for: `reason is defined and …`,
    `reason is not defined or …`.
    """

    def __init__(self, tree: Tree, where: Spans, names: Names, thought_of: frozenset[str]) -> None:
        super().__init__(tree, where, names)
        self.thought_of = thought_of

    def condition(self, node: nodes.Expr) -> Condition | None:
        match node:
            case nodes.And():
                parts = self._joined(node, nodes.And)
                return None if parts is None else All(parts)
            case nodes.Or():
                parts = self._joined(node, nodes.Or)
                return None if parts is None else AnyOf(parts)
            case nodes.Not(node=nodes.Test() as asked) if asked.lineno == node.lineno:
                return self._test(asked, negated=True)
            case nodes.Not():
                inner = self.condition(node.node)
                return None if inner is None else Not(inner)
            case nodes.Compare():
                return self._comparisons(node)
            case nodes.Test():
                return self._test(node, negated=False)
            case nodes.Const() if isinstance(node.value, bool):
                return Constant(node.value)
        return self._bare(node)

    def _joined(self, node: nodes.BinExpr, kind: type[nodes.BinExpr]) -> tuple[Condition, ...] | None:
        before = self.thought_of
        self.thought_of = before | _asked(node, kind)
        parts: list[Condition | None] = []
        for side in (node.left, node.right):
            inner = self.condition(side)
            if isinstance(inner, All if kind is nodes.And else AnyOf):  # a chain such as 1 < a < 5 is an All, too
                parts.extend(inner.parts)
            else:
                parts.append(inner)
        self.thought_of = before
        whole = tuple(part for part in parts if part is not None)
        return whole if len(whole) == len(parts) else None

    def _bare(self, node: nodes.Expr) -> Condition | None:
        term = self.term(node)
        if term is None:
            return None
        if isinstance(term, Ref) and term.type is ValueType.BOOLEAN:
            return Truth(term)
        said = self.tree.said(node)
        if not references(term):
            whole = node is self.tree.root and term.type is ValueType.TEXT
            hint = "repeat the whole comparison, or use a list: name in ['a', 'b']"
            hint = "take away the quotes around the condition" if whole else hint
            self.report("B206", node, f"{said} stands alone, and is neither true nor false", hint)
            return None
        hints = [f"compare it: {said} > 0"] if term.type in NUMERIC else []
        hints += [f"compare it: {said} == 'text'"] if term.type is ValueType.TEXT else []
        if isinstance(term, Ref) and (term.optional or not hints):
            hints.append(f"to ask whether it is there: {said} is defined")
        message = f"{said} is {TYPE_WORDS[term.type]}, which is neither true nor false"
        self.report("B206", node, message, "; ".join(hints))
        return None

    def _test(self, node: nodes.Test, *, negated: bool) -> Condition | None:
        if node.name not in ("defined", "undefined") or node.args:
            hint = is_hint(node.name, negated=negated, name=self.tree.said(node.node))
            words = f"is not {node.name}" if negated else f"is {node.name}"
            self.report("B202", node, f'"{words}" is not part of the language', hint)
            return None
        ref = self.term(node.node)
        if ref is None:
            return None
        if not isinstance(ref, Ref):
            self.report("B202", node.node, "only a name can be defined", "type a field: reason is defined")
            return None
        return IsDefined(ref) if negated is (node.name == "undefined") else Not(IsDefined(ref))

    def _comparisons(self, node: nodes.Compare) -> Condition | None:
        parts: list[Condition | None] = []
        left: nodes.Expr = node.expr
        for operand in node.ops:
            if operand.op in ("in", "notin"):
                parts.append(self._within(left, operand.expr, negated=operand.op == "notin"))
            else:
                parts.append(self._compare(left, _OPERATORS[operand.op], operand.expr))
            left = operand.expr
        whole = tuple(part for part in parts if part is not None)
        if len(whole) < len(parts):
            return None
        return whole[0] if len(whole) == 1 else All(whole)

    def _pair(self, left: nodes.Expr, right: nodes.Expr) -> tuple[Expression | None, Expression | None]:
        """Both sides; a name that nobody declared is read last, so that its neighbour can say what it may mean."""
        if isinstance(left, nodes.Name) and self.names.field(left.name) is None:
            b = self.term(right)
            return self.beside(b, left), b
        a = self.term(left)
        return a, self.beside(a, right)

    def _compare(self, left: nodes.Expr, operator: str, right: nodes.Expr) -> Condition | None:
        a, b = self._pair(left, right)
        if a is None or b is None or not self._comparable(operator, a, left, b, right):
            return None
        if self._fixed((a, b), left, right):
            return None
        if a == b:
            said = self.tree.said(left)
            self.report("B205", right, f"{said} is compared with itself", "compare it with another value")
            return None
        self._possible(operator, a, b, right)
        self._possible(_MIRROR[operator], b, a, left)
        if operator == "!=":
            self._absence((a, left), (b, right), whole=(left, right))
        return Comparison(operator, a, b)

    def _comparable(self, operator: str, a: Expression, left: nodes.Expr, b: Expression, right: nodes.Expr) -> bool:
        for term, node in ((a, left), (b, right)):
            if term.type in (ValueType.LIST, ValueType.OBJECT):
                message = f"{self.tree.said(node)} is {TYPE_WORDS[term.type]}, and conditions cannot look into it"
                self.report("B204", node, message, "declare what you compare as a field of its own")
                return False
        if a.type is not b.type and not (a.type in NUMERIC and b.type in NUMERIC):
            first = isinstance(a, Literal) and not isinstance(b, Literal)
            node, term, beside, other = (left, a, right, b) if first else (right, b, left, a)
            message = f"{self.tree.said(beside)} is {kind_of(other)}, and {self.tree.said(node)} is {kind_of(term)}"
            self.report("B204", node, message, self._type_hint(node, term, beside, other))
            return False
        if operator not in ("==", "!=") and a.type in (ValueType.TEXT, ValueType.BOOLEAN):
            is_text = a.type is ValueType.TEXT
            message = f"{self.tree.said(left)} is {kind_of(a)}, and {operator} compares only numbers and times"
            hint = "type == or !=, or a list: name in ['a', 'b']" if is_text else "type == or !="
            self.report("B204", left, message, hint)
            return False
        return True

    def _type_hint(self, node: nodes.Expr, term: Expression, beside: nodes.Expr, other: Expression) -> str:
        said, name = self.tree.said(node), self.tree.said(beside)
        match other.type:
            case ValueType.INTEGER | ValueType.NUMBER:
                bare = said[1:-1] if isinstance(term, Literal) and term.type is ValueType.TEXT else ""
                is_number = bare.removeprefix("-").replace(".", "", 1).isdecimal()
                return f"type the number without quotes: {bare}" if is_number else f"compare {name} with a number"
            case ValueType.TEXT if isinstance(term, Literal):
                return f"put it in quotes: '{said}'"
            case ValueType.TEXT:
                return f"compare {name} with a text in quotes, or with a field that is a text"
            case ValueType.BOOLEAN:
                return f"type the name alone: {name}, or: not {name}" if isinstance(other, Ref) else "compare a field"
            case _:
                return f"compare {name} with another field of type {other.type}"

    def _within(self, left: nodes.Expr, right: nodes.Expr, *, negated: bool) -> Condition | None:
        if not isinstance(right, nodes.List):
            return self._text_within(left, right, negated=negated)
        item = self.term(left)
        options = [self.beside(item, entry) for entry in right.items]
        if item is None or None in options:
            return None
        if not options:
            self.report("B205", right, "this list is empty, so nothing can be in it", "type the values between [ and ]")
            return None
        terms = tuple(option for option in options if option is not None)
        pairs = list(zip(terms, right.items, strict=True))
        fitting = [self._comparable("==", item, left, option, entry) for option, entry in pairs]  # each is reported
        if not all(fitting):
            return None
        if self._fixed((item, *terms), left, right):
            return None
        for option, entry in pairs:
            self._possible("==", item, option, entry)
            self._possible("==", option, item, left)
        if negated:
            self._absence((item, left), *pairs, whole=(left, right))
        return Membership(item, terms, negated)

    def _text_within(self, left: nodes.Expr, right: nodes.Expr, *, negated: bool) -> Condition | None:
        item, whole = self._pair(left, right)
        if item is None or whole is None:
            return None
        for term, node in ((whole, right), (item, left)):
            if term.type is not ValueType.TEXT:
                message = f"{self.tree.said(node)} is {kind_of(term)}, and in looks for a text in a text, or in a list"
                is_inside = term.type in (ValueType.LIST, ValueType.OBJECT)
                hint = "declare what you compare as a field of its own" if is_inside else "use a list: name in [1, 2]"
                self.report("B204", node, message, hint)
                return None
        if self._fixed((item, whole), left, right):
            return None
        if negated:
            self._absence((item, left), (whole, right), whole=(left, right))
        return Contains(item, whole, negated)

    def _fixed(self, terms: tuple[Expression, ...], left: nodes.Expr, right: nodes.Expr) -> bool:
        """Whether nothing in a comparison ever changes; then it is reported."""
        if any(references(term) for term in terms):
            return False
        self.report_span(
            "B205",
            (self.tree.span(left)[0], self.tree.span(right)[1]),
            "this compares fixed values only, so it never changes",
            "compare a field: a name without quotes",
        )
        return True

    def _possible(self, operator: str, ref: Expression, other: Expression, node: nodes.Expr) -> None:
        if isinstance(ref, Ref) and isinstance(other, Literal):
            problem = impossible(operator, ref, other.value, self.names)
            if problem is not None:
                self.report("B205", node, *problem)

    def _absence(self, *sides: tuple[Expression, nodes.Expr], whole: tuple[nodes.Expr, nodes.Expr]) -> None:
        """Warn of values that may be absent, where the author has not thought of it."""
        said = self.tree.text[self.tree.span(whole[0])[0] : self.tree.span(whole[1])[1]]
        said = said if len(said) <= _LONG else "…"
        for term, node in sides:
            for ref in references(term):
                if ref.optional and str(ref) not in self.thought_of:
                    hint = (
                        f"type: {ref} is defined and {said}; "
                        f"or, if an absent one should count, too: ({ref} is not defined or {said})"
                    )
                    self.report("B208", node, f"{ref} may be absent, and then this comparison is false", hint)


def _asked(node: nodes.Expr, kind: type[nodes.BinExpr]) -> frozenset[str]:
    """Names that a conjunction asks to be defined, or a disjunction not to be."""
    if isinstance(node, kind):
        return _asked(node.left, kind) | _asked(node.right, kind)
    wants = kind is nodes.And
    while isinstance(node, nodes.Not):
        node, wants = node.node, not wants
    match node:
        case nodes.Test(name="defined" | "undefined" as name, node=nodes.Name(name=asked)):
            said = asked
        case nodes.Test(name="defined" | "undefined" as name, node=nodes.Getattr(node=nodes.Name(name=group)) as asked):
            said = f"{group}.{asked.attr}"
        case _:
            return frozenset()
    return frozenset({said}) if wants is (name == "defined") else frozenset()
