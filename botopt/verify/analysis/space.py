"""All events of one type as a space: a dimension for each value, cut into cells; conditions are unions of boxes in it.

A dimension's cells are bits, so a box is a few integers, and what two conditions have in common is `&`. What cells
cannot tell (arithmetic, one value against another) is a dimension of its own with two cells, which of those can be is
worked out from intervals. Whatever the space says can never be can never be. What it says can be may need a look.
"""

from __future__ import annotations

import math
import operator as operators
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

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
    Scope,
    Truth,
    ValueType,
    references,
)
from botopt.model.names import BUILT_IN_ATTRIBUTES
from botopt.model.policy import EventType, FieldSpec, Policy, QuietHours
from botopt.network.classes import fits
from botopt.network.samples import leaves
from botopt.network.source import compiled
from botopt.verify.analysis.cells import ABSENT, MOST_NEEDLES, Cell, cells_of
from botopt.verify.analysis.moments import Moment, moments, quiet_mask
from botopt.verify.analysis.nodes import FALSE, LEAF, SOME, TRUE, Box, Node, joined, narrowed, of
from botopt.verify.analysis.ranges import ANYTHING, NOTHING, Range, can_fail, can_hold, range_of

Key = tuple[Scope, str, int]
MOST_FOR_A_QUESTION = 50_000
"""So many leaves of conditions are looked at for one question; then it is not decided."""

MOST_FOR_A_TYPE = 500_000
"""So many for all questions about one event type."""

MOST_IN_ALL = 2_000_000
"""So many for all event types of a policy: no policy, however large, keeps its author waiting for more than seconds."""

_MOST_COMBINATIONS = 64
_DERIVED_COST = 40
"""What a leaf costs that intervals decide, in leaves that cells decide."""

_MOMENT: Key = (Scope.TIME, "", 0)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}
_MIRROR = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ENGAGEMENT = {
    "rate": FieldSpec("rate", ValueType.NUMBER, minimum=0, maximum=1),
    "clicks": FieldSpec("clicks", ValueType.INTEGER, minimum=0),
    "ignored_in_a_row": FieldSpec("ignored_in_a_row", ValueType.INTEGER, minimum=0),
}


class UndecidedError(Exception):
    """A question took too many steps: nothing is said about it."""


class Patience:
    """How many leaves may still be looked at, over all event types of a policy."""

    def __init__(self) -> None:
        self.left = MOST_IN_ALL


class Space:
    """The events of one type with their users' attributes, history and moment, as far as these conditions look.

    `quiet` are hours that matter, too, where some condition asks for the time. `released`: messages may be decided
    again later, when their event is no longer counted.
    """

    def __init__(
        self,
        policy: Policy,
        event_type: EventType,
        conditions: Iterable[Condition],
        quiet: Sequence[QuietHours] = (),
        *,
        released: bool = False,
        patience: Patience | None = None,
    ) -> None:
        self.policy = policy
        self.event_type = event_type
        self.released = released
        self.quiet = tuple(quiet)
        self.places: dict[object, int] = {}
        self.cells: list[tuple[Cell, ...]] = []
        self.refs: list[Ref | None] = []
        self.derived: list[tuple[int, Condition]] = []
        self.moments: tuple[Moment, ...] = ()
        self.patience = Patience() if patience is None else patience
        self._remaining = MOST_FOR_A_TYPE
        self._steps = 0
        self._full: list[int] = []
        self._known: dict[tuple[Condition, bool], Node] = {}
        self._gather(conditions)

    # -- what there is

    def _gather(self, conditions: Iterable[Condition]) -> None:
        constants: dict[Key, set[object]] = {}
        needles: dict[Key, set[str]] = {}
        refs: dict[Key, Ref] = {}
        for condition in conditions:
            for leaf in leaves(condition):
                asked, values = compared(leaf)
                if asked is not None:
                    key = asked.key
                    refs.setdefault(key, asked)
                    constants.setdefault(key, set()).update(values)
                    continue
                for ref in references(leaf):
                    refs.setdefault(ref.key, ref)
                if isinstance(leaf, Contains) and isinstance(leaf.needle, Literal) and isinstance(leaf.haystack, Ref):
                    needles.setdefault(leaf.haystack.key, set()).add(str(leaf.needle.value))
        self._needles = {key: found for key, found in needles.items() if len(found) <= MOST_NEEDLES}
        for key, ref in refs.items():
            if ref.scope is not Scope.TIME:
                self._add(key, ref, self._cells(ref, constants.get(key, set())))
        if any(ref.scope is Scope.TIME for ref in refs.values()):
            cuts = frozenset(minute for hours in self.quiet for minute in (hours.start, hours.end))
            self.moments = moments(cuts, hours=(Scope.TIME, "hour", 0) in refs)
            self._add(_MOMENT, None, [Cell(moment) for moment in self.moments])

    def _add(self, key: object, ref: Ref | None, cells: Sequence[Cell]) -> int:
        self.places[key] = place = len(self.cells)
        self.cells.append(tuple(cells) or (Cell(None, sure=False),))
        self.refs.append(ref)
        self._full.append((1 << len(self.cells[-1])) - 1)
        return place

    def _cells(self, ref: Ref, constants: set[object]) -> list[Cell]:
        spec, absent = self.spec(ref)
        if spec is None:
            return [ABSENT]
        return cells_of(spec, constants, self._needles.get(ref.key, ()), absent=absent)

    def spec(self, ref: Ref) -> tuple[FieldSpec | None, bool]:
        """What a value can be, and whether it can be absent; None: it always is."""
        match ref.scope:
            case Scope.EVENT:
                spec = self.event_type.fields.get(ref.name)
                return spec, spec is None or spec.can_be_absent
            case Scope.USER:
                spec = self.policy.attributes.get(ref.name)
                if spec is None:
                    return BUILT_IN_ATTRIBUTES.get(ref.name), False
                return spec, spec.default is None  # nothing says that a user was ever updated
            case Scope.ENGAGEMENT:
                return _ENGAGEMENT[ref.name], False
            case Scope.COUNT:
                least = int(ref.name == self.event_type.name and not self.released)
                return FieldSpec("count", ValueType.INTEGER, minimum=least), False
            case Scope.SENT:
                return FieldSpec("sent", ValueType.INTEGER, minimum=0), False
            case Scope.EXPERIMENT:
                return FieldSpec(ref.name, ValueType.TEXT, one_of=ref.one_of), False
            case _:
                return FieldSpec("seen", ValueType.BOOLEAN), False

    @property
    def everything(self) -> Box:
        """The whole space."""
        return tuple(self._full)

    def quiet_node(self, hours: QuietHours, *, wanted: bool) -> Node:
        """That these hours are quiet, or that they are not."""
        mask = quiet_mask(hours, self.moments)
        place = self.places[_MOMENT]
        return self._leaf(place, mask if wanted else self._full[place] & ~mask)

    # -- conditions as nodes

    def node(self, condition: Condition, *, wanted: bool = True) -> Node:
        """The condition, or its opposite, made ready."""
        known = self._known.get((condition, wanted))
        if known is None:
            known = self._known[condition, wanted] = self._node(condition, wanted=wanted)
        return known

    def _node(self, condition: Condition, *, wanted: bool) -> Node:
        match condition:
            case Constant(value):
                return TRUE if value is wanted else FALSE
            case Not(part):
                return self._node(part, wanted=not wanted)
            case All(parts):
                return joined([self._node(part, wanted=wanted) for part in parts], every=wanted)
            case AnyOf(parts):
                return joined([self._node(part, wanted=wanted) for part in parts], every=not wanted)
            case _:
                place, mask = self._holding(condition)
                return self._leaf(place, mask if wanted else self._full[place] & ~mask)

    def _leaf(self, place: int, mask: int) -> Node:
        if not mask:
            return FALSE
        return TRUE if mask == self._full[place] else Node(LEAF, place, mask)

    def _holding(self, leaf: Condition) -> tuple[int, int]:
        """The dimension of a condition without parts, and the cells in which it holds."""
        test = self._test(leaf)
        if test is None:
            return self._derive(leaf)
        ref, holds = test
        if ref.scope is Scope.TIME:
            place = self.places[_MOMENT]
            held = [holds(moment.value(ref.name)) for moment in self.moments]
        else:
            place = self.places[ref.key]
            held = [holds(cell.value) for cell in self.cells[place]]
        return place, sum(1 << bit for bit, yes in enumerate(held) if yes)

    def _test(self, leaf: Condition) -> tuple[Ref, Callable[[object], bool]] | None:
        """The value on which a leaf depends, and whether it holds for one; None: cells cannot tell."""
        match leaf:
            case IsDefined(ref):
                return ref, lambda value: value is not None
            case Truth(ref):
                return ref, lambda value: value is True
            case Comparison(sign, Ref() as ref, Literal(constant)) if fits(ref, [constant], sign):
                compare = _COMPARE[sign]
                return ref, lambda value: value is not None and compare(value, constant)
            case Comparison(sign, Literal(constant), Ref() as ref) if fits(ref, [constant], sign):
                compare = _COMPARE[_MIRROR[sign]]
                return ref, lambda value: value is not None and compare(value, constant)
            case Membership(Ref() as ref, options, negated) if _literal(ref, options):
                values = frozenset(option.value for option in options if isinstance(option, Literal))
                return ref, lambda value: value is not None and (value in values) is not negated
            case Contains(Literal(needle), Ref() as ref, negated) if self._tells(ref, str(needle)):
                return ref, lambda value: value is not None and (str(needle) in str(value)) is not negated
            case _:
                return None

    def _tells(self, ref: Ref, needle: str) -> bool:
        spec, _ = self.spec(ref)
        return spec is None or bool(spec.one_of) or needle in self._needles.get(ref.key, ())

    def _derive(self, leaf: Condition) -> tuple[int, int]:
        place = self.places.get(leaf)
        if place is None:
            whole = self._outcomes(leaf, self.everything)
            place = self._add(leaf, None, [Cell(value, single=True) for value in (True, False) if value in whole])
            self.derived.append((place, leaf))
        cells = self.cells[place]
        return place, sum(1 << bit for bit, cell in enumerate(cells) if cell.value is True)

    def _outcomes(self, leaf: Condition, box: Sequence[int]) -> set[bool]:
        """What a leaf that cells cannot tell can be in a box."""
        refs = references(leaf)
        choices = [self._values(ref, box) for ref in refs]
        if all(one is not None for one in choices):
            listed = [one for one in choices if one is not None]
            if math.prod(len(one) for one in listed) <= _MOST_COMBINATIONS:
                answer = compiled(leaf, refs)
                return {answer(values) for values in product(*listed)}
        if isinstance(leaf, Comparison) and all(ref.type in NUMERIC for ref in refs):
            left, right = (range_of(side, lambda ref: self._range(ref, box)) for side in (leaf.left, leaf.right))
            yes, no = can_hold(leaf.operator, left, right), can_fail(leaf.operator, left, right)
            return {answer for answer, can_be in ((True, yes), (False, no)) if can_be}
        return {True, False}

    def _values(self, ref: Ref, box: Sequence[int]) -> list[object] | None:
        """All values that are left, if they can be listed."""
        if ref.scope is Scope.TIME:
            return list(dict.fromkeys(moment.value(ref.name) for moment in self._moments_in(box)))
        found = self.left(ref.key, box)
        return [cell.value for cell in found] if all(cell.single for cell in found) else None

    def _moments_in(self, box: Sequence[int]) -> list[Moment]:
        mask = box[self.places[_MOMENT]]
        return [moment for bit, moment in enumerate(self.moments) if mask >> bit & 1]

    def left(self, key: object, box: Sequence[int]) -> list[Cell]:
        """The cells of a dimension that are left in a box."""
        place = self.places[key]
        return [cell for bit, cell in enumerate(self.cells[place]) if box[place] >> bit & 1]

    def _range(self, ref: Ref, box: Sequence[int]) -> Range:
        if ref.scope is Scope.TIME:
            hours = [moment.hour for moment in self._moments_in(box)]
            return Range(min(hours), max(hours)) if ref.name == "hour" and hours else ANYTHING
        cells = self.left(ref.key, box)
        there = [cell for cell in cells if cell is not ABSENT]
        if not there:
            return NOTHING
        return Range(min(c.low for c in there), max(c.high for c in there), absent=len(there) < len(cells))

    # -- questions

    def possible(self, *nodes: Node, within: Box | None = None) -> Box | None:
        """A box in which all of these hold; None: there is none.

        Raises:
            UndecidedError: it would take too long to say.
        """
        return next(self.solutions(nodes, within), None)

    def solutions(self, nodes: Sequence[Node], within: Box | None = None) -> Iterator[Box]:
        """Boxes in which all of these hold.

        Raises:
            UndecidedError: it would take too long to say.
        """
        self._steps = min(MOST_FOR_A_QUESTION, self._remaining, self.patience.left)
        return self._solve(nodes, self._full if within is None else [*within, *self._full[len(within) :]])

    def _solve(self, nodes: Sequence[Node], before: Sequence[int]) -> Iterator[Box]:
        self._spend(sum(node.size for node in nodes))
        box = list(before)
        undecided = narrowed(nodes, box)
        if undecided is None:
            return
        if not undecided:
            if self._consistent(box):
                yield tuple(box)
            return
        rest = [of(SOME, tuple(parts)) for parts in undecided[1:]]
        for part in undecided[0]:
            yield from self._solve([part, *rest], box)
            if part.kind == LEAF:  # what comes now is apart from this
                box[part.place] &= ~part.mask
                if not box[part.place]:
                    return

    def _spend(self, cost: int) -> None:
        self._steps -= cost
        self._remaining -= cost
        self.patience.left -= cost
        if self._steps < 0:
            raise UndecidedError

    def _consistent(self, box: list[int]) -> bool:
        """Whether what was assumed of leaves that cells cannot tell can be, by what else is known in the box."""
        for place, leaf in self.derived:
            if box[place] == self._full[place]:
                continue  # nothing was assumed of it
            self._spend(_DERIVED_COST)
            wanted = {cell.value for bit, cell in enumerate(self.cells[place]) if box[place] >> bit & 1}
            if not wanted & self._outcomes(leaf, box):
                return False
        return True


def compared(leaf: Condition) -> tuple[Ref | None, list[object]]:
    """The value that a leaf compares with constants, and those."""
    match leaf:
        case Comparison(sign, Ref() as ref, Literal(value)) | Comparison(sign, Literal(value), Ref() as ref) if fits(
            ref, [value], sign
        ):
            return ref, [value]
        case Membership(Ref() as ref, options) if _literal(ref, options):
            return ref, [option.value for option in options if isinstance(option, Literal)]
        case _:
            return None, []


def _literal(ref: Ref, options: Sequence[Expression]) -> bool:
    return all(isinstance(option, Literal) for option in options) and fits(
        ref, [option.value for option in options if isinstance(option, Literal)]
    )
