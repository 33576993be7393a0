"""What the values of a text are, and whether they are there: one walk for each event type that can send it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jinja2 import nodes

from botopt.model.policy import Policy
from botopt.rendering.filters import ANY
from botopt.rendering.linting.expressions import LIST, Expressions, Own, fits
from botopt.rendering.linting.facts import Facts
from botopt.rendering.linting.wording import words
from botopt.rendering.naming import Reach
from botopt.rendering.reading.faults import Fault
from botopt.rendering.reading.syntax import Parsed


class _Statements(Expressions):
    """The tags of a text, with the names that they set."""

    def block(self, body: Iterable[nodes.Node], known: Facts) -> None:
        """Statements one after another."""
        for node in body:
            match node:
                case nodes.Output():
                    for part in node.nodes:
                        if not isinstance(part, nodes.TemplateData):
                            self.printed(part, known)
                case nodes.If():
                    self._if(node, known)
                case nodes.For():
                    self._for(node, known)
                case nodes.Assign():
                    types = self.types(node.node, known)
                    self._set(node.target, Own(types))
                case _:
                    self._set(node, Own(ANY))  # refused by `allowed`; what it sets is not unknown, too

    def _set(self, target: nodes.Node, own: Own) -> None:
        names = [target] if isinstance(target, nodes.Name) else list(target.find_all(nodes.Name))
        for node in names:
            if node.ctx != "store":
                continue
            name, way = node.name, self.way
            if name in way.names.fields or name in way.others or name in way.untyped:
                self.fault("B316", node, f'"{name}" is a field of the event, which cannot be set', "use another name")
            self.own = {**self.own, name: own}

    def _if(self, node: nodes.If, known: Facts) -> None:
        before, branches = self.own, []
        for branch in (node, *node.elif_):
            self.own = before
            self.asked(branch.test, known)
            self.block(branch.body, known | self.if_true(branch.test))
            known |= self.if_false(branch.test)
            branches.append(self.own)
        self.own = before
        self.block(node.else_, known)
        self.own = _merged((*branches, self.own))

    def _for(self, node: nodes.For, known: Facts) -> None:
        types = self.types(node.iter, known)
        if not fits(types, LIST):
            said = self.said(node.iter)
            self.fault("B305", node.iter, f'"for" goes through a list, and "{said}" is {words(types)}')
        before = self.own
        for assigned in node.find_all(nodes.Assign):
            if isinstance(assigned.target, nodes.Name) and assigned.target.name in before:
                message = f'what is set in "{assigned.target.name}" inside "for" is forgotten after each turn'
                self.fault("B316", assigned.target, message, "the size of a list is {{ items | length }}")
        self._set(node.target, Own(ANY))
        if node.test is not None:
            self.asked(node.test, known)
            self.block(node.body, known | self.if_true(node.test))
        else:
            self.block(node.body, known)
        self.own = before
        self.block(node.else_, known)
        self.own = before


def _merged(branches: Sequence[Mapping[str, Own]]) -> dict[str, Own]:
    """The names after an `if`, whichever way it took."""
    merged: dict[str, Own] = {}
    for name in dict.fromkeys(name for branch in branches for name in branch):
        found = [branch[name] for branch in branches if name in branch]
        certain = len(found) == len(branches) and all(own.certain for own in found)
        merged[name] = Own(found[0].types.union(*(own.types for own in found)), certain)
    return merged


def type_faults(policy: Policy, way: Reach, parsed: Parsed, known: Facts) -> tuple[Fault, ...]:
    """What is wrong with the values of an allowed text, for one way to it.

    `known` is what is there whenever this text is used (see `facts`).
    """
    statements = _Statements(policy, way, parsed)
    statements.block(parsed.tree.body, known)
    return tuple(statements.faults)
