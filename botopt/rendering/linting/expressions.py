"""The types of the expressions in a template, and whether what they use is there.

The walk also goes through what `allowed` refuses, as if anything could come of it: all findings are made in one run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
from jinja2 import nodes

from botopt.model.condition import NUMERIC, Ref, ValueType, type_of_literal
from botopt.model.names import did_you_mean
from botopt.model.policy import Policy
from botopt.rendering.filters import ANY, FILTERS, PLAIN, TEXT, TIME, WHOLE, Types
from botopt.rendering.formats import currencies
from botopt.rendering.linting.facts import Facts
from botopt.rendering.linting.presence import Presence, own_key
from botopt.rendering.linting.wording import unknown, words
from botopt.rendering.naming import Reach
from botopt.rendering.reading.arguments import bound
from botopt.rendering.reading.faults import Fault
from botopt.rendering.reading.syntax import Parsed
from botopt.rendering.reading.uses import FUNCTIONS, GROUPS, Key, Use

BOOLEAN: Types = frozenset({ValueType.BOOLEAN})
LIST: Types = frozenset({ValueType.LIST})
OBJECT: Types = frozenset({ValueType.OBJECT})
PRINTABLE: Types = PLAIN | TIME
ASKABLE: Types = BOOLEAN | TEXT | LIST
"""What `if` can ask: true or false, a text that may be empty, a list that may be."""

_CALCULATIONS = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div)
_SIGNS: Mapping[type[nodes.Node], str] = {nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/"}
_OPERATORS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in"}


def fits(types: Types, wanted: Types) -> bool:
    """Whether a value of these types is always one of those wanted; a value of which nothing is known fits."""
    return types == ANY or types <= wanted


class Own(msgspec.Struct, frozen=True):
    """A name that the template set itself. `certain`: on every way to here."""

    types: Types
    certain: bool = True


class Expressions(Presence):
    """The expressions of one text on one way to it. `faults` grows with each that is looked at."""

    def __init__(self, policy: Policy, way: Reach, parsed: Parsed) -> None:
        super().__init__(parsed)
        self.policy = policy
        self.way = way
        self.faults: list[Fault] = []
        self.own: dict[str, Own] = {}
        self._options: dict[int, Types] = {}  # the types of what stands in lists, by its place in memory
        self._unguarded: set[Key] = set()
        self._rules: Mapping[type[nodes.Node], Callable[..., Types]] = {
            nodes.Name: self._own_name,
            nodes.Const: lambda node, _: ANY if node.value is None else frozenset({type_of_literal[type(node.value)]}),
            nodes.List: self._list,
            nodes.Getattr: self._part,
            nodes.Getitem: self._part,
            nodes.Filter: self._filtered,
            nodes.Test: self._test,
            nodes.Compare: self._compare,
            nodes.Not: self._not,
            nodes.And: self._and,
            nodes.Or: self._or,
            nodes.CondExpr: self._either,
            nodes.Concat: self._concat,
        }

    def fault(self, code: str, node: nodes.Node, message: str, hint: str = "") -> None:
        """Note a fault at a node."""
        self.faults.append(Fault(code, *self.parsed.extent(node), message, hint))

    def said(self, node: nodes.Node) -> str:
        """A node in the author's words, shortened."""
        text = " ".join(self.parsed.said(node).split())
        return text if len(text) <= 40 else text[:39] + "…"

    def _ref_at(self, node: nodes.Node) -> Ref | None:
        use = self.use_at(node)
        return self.way.reference(use) if use else None

    def _use(self, node: nodes.Expr, use: Use, known: Facts) -> Types:
        ref = self.way.reference(use)
        if ref is None and not self.way.knows(use):
            place = node.args[0] if isinstance(node, nodes.Call) else node
            self.fault("B303", place, *unknown(self.policy, self.way, use, self.own))
        elif use.key in known or use.key in self._unguarded:
            pass  # it is there, or its one finding is made
        elif ref is None:
            self._unguarded.add(use.key)
            lacking = f'the event type "{self.way.event_type}" can send this message, and has no field'
            self._absent("B304", node, lacking + ' "{}"')
        elif ref.optional:
            self._unguarded.add(use.key)
            self._absent("B306", node, '"{}" can be absent')
        return self.way.types(use)

    def _absent(self, code: str, node: nodes.Expr, message: str) -> None:
        said = self.said(node)
        guard = f"{{% if {said} is defined %}} … {{% endif %}} or {{{{ {said} | default('…') }}}}"
        self.fault(code, node, message.replace("{}", said), f"type: {guard}")

    def _own_name(self, node: nodes.Name, known: Facts) -> Types:
        own = self.own.get(node.name)
        if node.name in {*GROUPS, *FUNCTIONS, "loop"}:
            return ANY  # no value by itself, as `allowed` says
        if own is None:
            self.fault("B303", node, f'"{node.name}" is used before it is set, or outside the "for" that sets it')
            return ANY
        if not own.certain and own_key(node.name) not in known:
            self.fault("B306", node, f'"{node.name}" is not always set', "set it in every branch, else included")
        return own.types

    # ---------------------------------------------------------------- what is it?

    def types(self, node: nodes.Node, known: Facts) -> Types:
        """The types that an expression can have; faults in it are noted."""
        use = self.use_at(node)
        if use and isinstance(node, nodes.Expr):
            return self._use(node, use, known)
        rule = self._rules.get(type(node), self._calculated)
        return rule(node, known)

    def _list(self, node: nodes.List, known: Facts) -> Types:
        for item in node.items:
            self._options[id(item)] = self.types(item, known)
        return LIST

    def _test(self, node: nodes.Test, known: Facts) -> Types:
        self.types(node.node, known | frozenset(self.path(node.node)))
        return BOOLEAN

    def _not(self, node: nodes.Not, known: Facts) -> Types:
        self.asked(node.node, known)
        return BOOLEAN

    def _and(self, node: nodes.And, known: Facts) -> Types:
        return self.asked(node.left, known) | self.asked(node.right, known | self.if_true(node.left))

    def _or(self, node: nodes.Or, known: Facts) -> Types:
        return self.asked(node.left, known) | self.asked(node.right, known | self.if_false(node.left))

    def _concat(self, node: nodes.Concat, known: Facts) -> Types:
        for part in node.nodes:
            self.printed(part, known)
        return TEXT

    def asked(self, node: nodes.Node, known: Facts) -> Types:
        """A value of which only true or false matters."""
        types = self.types(node, known)
        if not fits(types, ASKABLE):
            said = self.said(node)
            hint = f"compare it: {said} > 0" if fits(types, NUMERIC) else f"ask whether it is there: {said} is defined"
            self.fault("B305", node, f'"{said}" is {words(types)}, not true or false', hint)
        return types

    def printed(self, node: nodes.Node, known: Facts) -> None:
        """A value that is to be read."""
        types = self.types(node, known)
        if fits(types, PRINTABLE):
            return
        said = self.said(node)
        if types & BOOLEAN:
            hint = f"say what to print: {{{{ 'yes' if {said} else 'no' }}}}"
        elif types & LIST:
            hint = f"print its items: {{% for item in {said} %}} {{{{ item }}}} {{% endfor %}}"
        else:
            hint = f"print a part of it: {{{{ {said}.part }}}}"
        self.fault("B305", node, f'"{said}" is {words(types)}, which cannot be printed', hint)

    def _either(self, node: nodes.CondExpr, known: Facts) -> Types:
        self.asked(node.test, known)
        first = self.types(node.expr1, known | self.if_true(node.test))
        if node.expr2 is None:
            return first | TEXT
        return first | self.types(node.expr2, known | self.if_false(node.test))

    def _part(self, node: nodes.Getattr | nodes.Getitem, known: Facts) -> Types:
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "loop":
            return WHOLE if node.attr == "index" else BOOLEAN
        whole = self.types(node.node, known)
        numbered = isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and type(node.arg.value) is int
        if not fits(whole, LIST if numbered else OBJECT):
            said = self.said(node.node)
            hint = f"go through it: {{% for item in {said} %}} … {{% endfor %}}" if whole == LIST else ""
            what = "numbered items" if numbered else "named parts"
            self.fault("B305", node, f'"{said}" is {words(whole)}, which has no {what}', hint)
        return ANY

    def _calculated(self, node: nodes.Node, known: Facts) -> Types:
        if isinstance(node, (nodes.Neg, nodes.Pos)):
            return self._number(node.node, known, "-" if isinstance(node, nodes.Neg) else "+")
        if not isinstance(node, _CALCULATIONS):
            return ANY
        sign = _SIGNS[type(node)]
        sides = self._number(node.left, known, sign) | self._number(node.right, known, sign)
        return sides if sides == WHOLE and sign != "/" else frozenset({ValueType.NUMBER})

    def _number(self, node: nodes.Node, known: Facts, sign: str) -> Types:
        types = self.types(node, known)
        if fits(types, NUMERIC):
            return types
        said = self.said(node)
        hint = "to join texts type ~" if sign == "+" and types & TEXT else ""
        self.fault("B305", node, f'"{sign}" wants a number, and "{said}" is {words(types)}', hint)
        return frozenset({ValueType.NUMBER})

    # ---------------------------------------------------------------- comparisons

    def _compare(self, node: nodes.Compare, known: Facts) -> Types:
        left, types = node.expr, self.types(node.expr, known)
        for operand in node.ops:
            right, others = operand.expr, self.types(operand.expr, known)
            if operand.op in {"in", "notin"}:
                self._within(left, types, right, others)
            else:
                self._comparable(_OPERATORS[operand.op], left, types, right, others)
            left, types = right, others
        return BOOLEAN

    def _within(self, item: nodes.Expr, types: Types, whole: nodes.Expr, others: Types) -> None:
        if isinstance(whole, nodes.List):
            for option in whole.items:
                self._comparable("in", item, types, option, self._options[id(option)])
        elif fits(others, TEXT) and others != ANY:
            if not fits(types, TEXT):
                self.fault("B305", item, f'only text can be "in" a text, and "{self.said(item)}" is {words(types)}')
        elif not fits(others, LIST):
            message = f'"in" wants a list or a text after it, and "{self.said(whole)}" is {words(others)}'
            self.fault("B305", whole, message, "for example: currency in ['EUR', 'USD']")

    def _comparable(self, sign: str, left: nodes.Expr, types: Types, right: nodes.Expr, others: Types) -> None:
        if ANY in (types, others):
            return
        for node, found in ((left, types), (right, others)):
            if found & (LIST | OBJECT):
                self.fault("B305", node, f'"{self.said(node)}" is {words(found)}, which cannot be compared')
                return
        both = f'"{self.said(left)}" is {words(types)}, and "{self.said(right)}" is {words(others)}'
        same = (types | NUMERIC if types & NUMERIC else types) & (others | NUMERIC if others & NUMERIC else others)
        if not same:
            self.fault("B305", right, f"{both}: they are never equal, nor one before the other")
        elif sign not in {"==", "!=", "in"} and not (fits(types | others, NUMERIC) or fits(types | others, TIME)):
            self.fault("B305", right, f'"{sign}" compares numbers and times only', 'for texts there is "==" and "!="')
        else:
            self._possible(left, right)
            self._possible(right, left)

    def _possible(self, node: nodes.Expr, other: nodes.Expr) -> None:
        ref = self._ref_at(node)
        if ref is None or not ref.one_of or not isinstance(other, nodes.Const) or other.value in ref.one_of:
            return
        options = [str(option) for option in ref.one_of]
        hint = did_you_mean(str(other.value), options) or f"it is one of {', '.join(options)}"
        if isinstance(other.value, str):
            self.fault("B305", other, f'"{self.said(node)}" is never "{other.value}"', hint)

    # ---------------------------------------------------------------- filters

    def _filtered(self, node: nodes.Filter, known: Facts) -> Types:
        filter_ = FILTERS.get(node.name)
        given = node.node or nodes.Const("", lineno=node.lineno)
        if filter_ is None:
            self.types(given, known)
            return ANY
        arguments = bound(node, filter_)
        if node.name == "default":
            types = self.types(given, known | frozenset(self.path(given)))
            instead = [self.types(argument, known) for argument in arguments.values()]
            ref = self._ref_at(given)
            return types if ref and not ref.optional else types.union(*instead)
        types = self.types(given, known)
        if not fits(types, filter_.takes):
            wanted = words(filter_.takes)
            kind = "time" if filter_.takes == TIME else "number" if filter_.takes == NUMERIC else ""
            hint = f"declare the field with type: {kind}" if kind and types == TEXT and self._ref_at(given) else ""
            message = f'the filter "{node.name}" wants {wanted}, and "{self.said(given)}" is {words(types)}'
            self.fault("B305", given, message, hint)
        for parameter in filter_.parameters:
            argument = arguments.get(parameter.name)
            if argument is None:
                continue
            found = self.types(argument, known)
            if not fits(found, parameter.types):
                message = f'"{parameter.name}" of the filter "{node.name}" is {words(parameter.types)}'
                hint = f'"{self.said(argument)}" is {words(found)}; for example: {filter_.example}'
                self.fault("B308", argument, message, hint)
            elif parameter.name == "currency":
                self._currency(argument)
        return filter_.gives

    def _currency(self, node: nodes.Expr) -> None:
        ref = self._ref_at(node)
        options: Sequence[object] = ref.one_of if ref else ()
        if isinstance(node, nodes.Const):
            options = (node.value,)
        wrong = next((str(option) for option in options if str(option).upper() not in currencies()), None)
        if wrong is not None:
            said = f'"{wrong}"' if isinstance(node, nodes.Const) else f'"{self.said(node)}" can be "{wrong}", which'
            self.fault("B308", node, f"{said} is no currency", "use its three letters, such as EUR or USD")
