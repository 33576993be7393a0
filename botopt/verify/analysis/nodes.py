"""Conditions as trees over the dimensions of a space, and what a box makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Box = tuple[int, ...]
"""For each dimension the cells that are left, as bits."""

LEAF, EVERY, SOME = 0, 1, 2


class Node(NamedTuple):
    """A condition made ready: a LEAF is a dimension and cells of it; EVERY or SOME of its parts must hold.

    `size` is how many leaves it has, which is what it costs to look at it.
    """

    kind: int
    place: int = 0
    mask: int = 0
    parts: tuple[Node, ...] = ()
    size: int = 1


TRUE = Node(EVERY)
FALSE = Node(SOME)


def joined(nodes: Sequence[Node], *, every: bool) -> Node:
    """All of these, or at least one."""
    neutral, final = (TRUE, FALSE) if every else (FALSE, TRUE)
    if final in nodes:
        return final
    parts = tuple(node for node in nodes if node != neutral)
    return parts[0] if len(parts) == 1 else of(EVERY if every else SOME, parts)


def of(kind: int, parts: tuple[Node, ...]) -> Node:
    """Every one of these, or some."""
    return Node(kind, parts=parts, size=sum(part.size for part in parts))


def _may(node: Node, box: Sequence[int]) -> bool:
    """Whether a glance leaves it possible in the box."""
    kind, place, mask, parts, _ = node
    if kind == LEAF:
        return bool(box[place] & mask)
    return all(_may(part, box) for part in parts) if kind == EVERY else any(_may(part, box) for part in parts)


def _does(node: Node, box: Sequence[int]) -> bool:
    """Whether it surely holds in all of the box."""
    kind, place, mask, parts, _ = node
    if kind == LEAF:
        return not box[place] & ~mask
    return all(_does(part, box) for part in parts) if kind == EVERY else any(_does(part, box) for part in parts)


def narrowed(nodes: Sequence[Node], box: list[int]) -> list[list[Node]] | None:
    """Take away from the box what cannot be if all nodes hold; what is left to choose: one of each list.

    None: they cannot all hold.
    """
    waiting = list(nodes)
    choices: list[list[Node]] = []
    while waiting:
        kind, place, mask, parts, _ = waiting.pop()
        if kind == LEAF:
            box[place] &= mask
            if not box[place]:
                return None
        elif kind == EVERY:
            waiting.extend(parts)
        else:
            left = [part for part in parts if _may(part, box)]
            if not left:
                return None
            if len(left) > 1:
                choices.append(left)
            else:
                waiting.append(left[0])
    undecided = []
    for choice in choices:
        left = [part for part in choice if _may(part, box)]
        if not left:
            return None
        if not any(_does(part, box) for part in left):
            undecided.append(left)
    undecided.sort(key=len)
    return undecided
