"""The policy's conditions as a durable_rules network: the only place that knows durable_rules.

Its C module is driven as docs/adr/0002-rules-network.md says: one constant session, a fact is asserted, every rule that
fires is collected, the fact is retracted. Answers are remembered for each class of facts, so the network is asked once
for each class, and only for a class that comes again and again: asking takes as long as a hundred answers of the
reference, which serves the others. Whatever the network refuses is answered by the reference, too.
"""

from __future__ import annotations

import itertools
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock
from types import ModuleType

from botopt.model.condition import Condition
from botopt.network.lowering import CANARY, MAX_FIRED, RETRACTED, SESSION, Group, Key, Lowered, fact
from botopt.network.reference import ReferenceMatcher
from botopt.network.source import Source, Values

MAX_ALIVE = 64
"""Rulesets alive in the process, of 0.3 to 0.7 MB each. Making one again takes less than a millisecond."""

MAX_REMEMBERED = 20_000
"""Answers of one group. Almost always it has fewer classes; if not, it begins anew."""

PATIENCE = 16
"""How often a class must have come before the network is asked about it, where decisions are made."""

WARMING = 512
"""So many facts of a matcher the reference answers first, where decisions are made: counting the classes of facts that
are few altogether takes longer than answering them."""

_log = logging.getLogger("botopt.network")
_numbers = itertools.count()


class Refused(Exception):
    """durable_rules gave an answer that cannot be right."""


def load_module() -> ModuleType:
    """The C module.

    Raises:
        ImportError: it is not installed, or this Python cannot load it.
    """
    import durable_rules_engine

    module: ModuleType = durable_rules_engine
    return module


class Alive:
    """The rulesets that live in the C module, least recently used first; their number is bounded."""

    def __init__(self, module: ModuleType, most: int = MAX_ALIVE) -> None:
        self._module = module
        self._most = most
        self._handles: OrderedDict[int, int] = OrderedDict()
        self._one_at_a_time = Lock()  # an answer takes several calls

    def __len__(self) -> int:
        """How many live."""
        return len(self._handles)

    def ask(self, number: int, ruleset: str, asserted: str) -> set[str]:
        """The names of all rules that the fact fires.

        Raises:
            Exception: whatever the C module raises; the ruleset is gone then.
            Refused: its answer cannot be right; likewise.
        """
        with self._one_at_a_time:
            handle = self._handles.pop(number, None)
            if handle is None:
                while len(self._handles) >= self._most:
                    self._delete(self._handles.popitem(last=False)[1])
                handle = self._module.create_ruleset(f"botopt{number}", ruleset)
            try:
                fired = self._fired(handle, asserted)
            except BaseException:
                self._module.delete_ruleset(handle)
                raise
            self._handles[number] = handle
            return fired

    def _fired(self, handle: int, asserted: str) -> set[str]:
        module = self._module
        code, session = module.assert_fact(handle, asserted)
        if code != 0:
            raise Refused(f"code {code} for a fact")
        started = module.start_action_for_state(handle, session)
        action = started[1] if started else None
        fired = set()
        for _ in range(MAX_FIRED + 1):
            if not action:
                break
            fired.add(action.split('"', 2)[1])  # {"name of the rule": {"m": the fact}}
            action = module.complete_and_start_action(handle, session)
        module.retract_fact(handle, RETRACTED)
        if action or CANARY not in fired:
            raise Refused("rules fired without end" if action else "the rule that always fires did not")
        return fired

    def _delete(self, handle: int) -> None:
        # Without the first call its session leaks. It is safe only after some rule has fired: the canary has.
        self._module.delete_state(handle, SESSION)
        self._module.delete_ruleset(handle)

    def close(self) -> None:
        """Let go of all."""
        with self._one_at_a_time:
            while self._handles:
                self._delete(self._handles.popitem()[1])


@cache
def warn_once(sentence: str) -> None:
    """Log a warning that nobody needs to read twice."""
    _log.warning("%s", sentence)


@cache
def _shared() -> Alive:
    """The C module keeps its rulesets for the whole process, and so do we."""
    return Alive(load_module())


class Remembered:
    """A group of conditions with its answers: the network is asked once for each class of facts."""

    __slots__ = ("_alive", "_group", "_rulesets", "_seen", "answers")

    def __init__(self, alive: Alive, group: Group) -> None:
        self._alive = alive
        self._group = group
        self._seen: dict[Key, int] = {}
        self._rulesets: tuple[tuple[int, str], ...] = ()  # written when they are needed for the first time
        self.answers: dict[Key, int] = {}

    def is_rare(self, key: Key, patience: int) -> bool:
        """Whether a class came at most so often, this time included."""
        known = self._seen
        seen = known.get(key, 0)
        if seen >= patience:
            del known[key]
            return False
        if not seen and len(known) >= MAX_REMEMBERED:
            known.clear()
        known[key] = seen + 1
        return True

    def ask(self, key: Key) -> int:
        """The network's answer for a class of facts."""
        asserted, answer = fact(key), 0
        if not self._rulesets:
            self._rulesets = tuple((next(_numbers), ruleset) for ruleset in self._group.rulesets())
        for number, ruleset in self._rulesets:
            fired = self._alive.ask(number, ruleset, asserted)
            answer |= sum(1 << int(name[1:]) for name in fired if name != CANARY)
        if len(self.answers) >= MAX_REMEMBERED:
            self.answers.clear()
        self.answers[key] = answer
        return answer


class DurableMatcher:
    """Conditions in groups; bit i of an answer is condition i. `refused` is why the reference answers, if it does."""

    __slots__ = ("_always", "_groups", "_patience", "_reference", "inputs", "match", "refused")

    def __init__(self, alive: Alive, conditions: Sequence[Condition], patience: int = 0, warming: int = 0) -> None:
        self._patience = patience
        reference = ReferenceMatcher(conditions)
        lowered = Lowered(conditions)
        self.inputs = reference.inputs
        self.refused: Exception | None = None
        self._reference: Callable[[Values], int] = reference.match
        self._always = lowered.always
        self._groups = tuple(Remembered(alive, group) for group in lowered.groups)
        self.match: Callable[[Values], int] = self._remembering(lowered.groups, warming)
        """The bit mask of the conditions that hold."""

    def _remembering(self, groups: Sequence[Group], warming: int) -> Callable[[Values], int]:
        """A function that puts together what every group remembers; where one does not, the network is asked."""
        source = Source(self.inputs)
        asked = source.constant(self._asked)
        lines = []
        if warming:
            left = [None] * warming
            lines.append(f"if {source.constant(left)}: return {source.constant(self._warming(left))}(values)")
        for number, (group, remembered) in enumerate(zip(groups, self._groups, strict=True)):
            known = source.constant(remembered.answers.get)
            lines += [
                f"c{number} = {group.key(source)}",
                f"a{number} = {known}(c{number})",
                f"if a{number} is None:",
                f"    a{number} = {asked}({number}, c{number})",
                f"    if a{number} is None: return {source.constant(self._reference)}(values)",
            ]
        parts = [str(self._always), *(f"a{number}" for number in range(len(groups)))]
        return source.compile([*lines, f"return {' | '.join(parts)}"])

    def _warming(self, left: list[None]) -> Callable[[Values], int]:
        """The reference, which takes one from `left` for each answer."""
        reference, pop = self._reference, left.pop

        def answer(values: Values) -> int:
            pop()
            return reference(values)

        return answer

    def _asked(self, number: int, key: Key) -> int | None:
        """The network's answer for a class of facts of a group; None where the reference is to answer."""
        group = self._groups[number]
        if self.refused is None and not (self._patience and group.is_rare(key, self._patience)):
            try:
                return group.ask(key)
            except Exception as fault:  # noqa: BLE001  # whatever a C module may raise: the decision must be right
                self._give_up(fault)
        return None

    def forget(self) -> None:
        """Ask the network anew for each class; for tests and measurements."""
        for group in self._groups:
            group.answers.clear()

    def _give_up(self, fault: Exception) -> None:
        self.refused = fault
        self.forget()  # so that every answer comes from the reference now
        warn_once(f"durable_rules refused ({fault}); the plain matcher answers instead, with the same results")


class DurableNetwork:
    """Compiles conditions into durable_rules; answers by the reference wherever that refuses."""

    name = "durable_rules"

    def __init__(self, alive: Alive | None = None, patience: int = 0, warming: int = 0) -> None:
        self._alive = _shared() if alive is None else alive
        self._patience = patience
        self._warming = warming

    def compile(self, conditions: Sequence[Condition]) -> DurableMatcher:
        """A matcher for the conditions, in their order."""
        return DurableMatcher(self._alive, conditions, self._patience, self._warming)
