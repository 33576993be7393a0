"""Which values a condition inside a template proves to be there."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from botopt.model.condition import Scope
from botopt.rendering.linting.facts import NOTHING, Facts
from botopt.rendering.reading.syntax import Parsed
from botopt.rendering.reading.uses import Key, Use, own_names, use_of


def own_key(name: str) -> Key:
    """What `is defined` says about a name that the template sets; no field is called so."""
    return (Scope.EVENT, f"set {name}", 0)


class Presence:
    """The conditions of one text."""

    def __init__(self, parsed: Parsed) -> None:
        self.parsed = parsed
        self._own_names = own_names(parsed.tree)

    def if_true(self, node: nodes.Node) -> Facts:
        """What is there when a condition of the template holds."""
        match node:
            case nodes.Test():
                return frozenset(self.path(node.node))
            case nodes.Not():
                return self.if_false(node.node)
            case nodes.And():
                return self.if_true(node.left) | self.if_true(node.right)
            case nodes.Or():
                return self.if_true(node.left) & self.if_true(node.right)
            case _:
                return NOTHING

    def if_false(self, node: nodes.Node) -> Facts:
        """What is there when a condition of the template does not hold."""
        match node:
            case nodes.Not():
                return self.if_true(node.node)
            case nodes.And():
                return self.if_false(node.left) & self.if_false(node.right)
            case nodes.Or():
                return self.if_false(node.left) | self.if_false(node.right)
            case _:
                return NOTHING

    def path(self, node: nodes.Node) -> Iterator[Key]:
        """A name whose presence is asked: `address.city is defined` says that there is an `address`, too."""
        use = self.use_at(node)
        if use:
            yield use.key
        elif isinstance(node, nodes.Name):
            yield own_key(node.name)
        elif isinstance(node, (nodes.Getattr, nodes.Getitem)):
            yield from self.path(node.node)

    def use_at(self, node: nodes.Node) -> Use | None:
        """The value of the policy's that a node is."""
        return use_of(self.parsed, node, self._own_names)
