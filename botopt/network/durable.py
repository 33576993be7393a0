"""The policy's conditions as a durable_rules network: the only place that knows durable_rules.

Its C module is driven as docs/adr/0002-rules-network.md says: one constant session, a fact is asserted, every rule that
fires is collected, the fact is retracted. Facts hold class numbers that this program made. Answers are remembered for
each class of facts, so the network is asked once for each class. Whatever it refuses is answered by the reference.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from types import ModuleType

from botopt.model.condition import Condition
from botopt.network.lowering import ANCHOR, Lowered
from botopt.network.reference import ReferenceMatcher, inputs_of, test

MAX_RULES = 24
"""More than 32 rules that match one fact are an error in durable_rules; this leaves room."""

MAX_REMEMBERED = 50_000
MAX_RULESETS = 256

_log = logging.getLogger("botopt.network")
_names = itertools.count()


def load_module() -> ModuleType:
    """The C module.

    Raises:
        ImportError: it is not installed, or this Python cannot load it.
    """
    import durable_rules_engine

    module: ModuleType = durable_rules_engine
    return module


class Rulesets:
    """The rulesets that live, oldest use first; their number is bounded."""

    def __init__(self, module: ModuleType, most: int = MAX_RULESETS) -> None:
        self._module = module
        self._most = most
        self._handles: OrderedDict[int, int] = OrderedDict()

    def ask(self, key: int, rules: dict[str, object], fact: str) -> set[str]:
        """The names of all rules that a fact fires."""
        module, handle = self._module, self._handle(key, rules)
        code, session = module.assert_fact(handle, fact)
        fired: set[str] = set()
        try:
            if code == 0:
                started = module.start_action_for_state(handle, session)
                message = started[1] if started else None
                while message:
                    fired.update(json.loads(message))
                    message = module.complete_and_start_action(handle, session)
        finally:
            module.retract_fact(handle, fact)
        return fired

    def _handle(self, key: int, rules: dict[str, object]) -> int:
        handle = self._handles.get(key)
        if handle is None:
            while len(self._handles) >= self._most:
                self._module.delete_ruleset(self._handles.popitem(last=False)[1])
            handle = self._module.create_ruleset(f"botopt{next(_names)}", json.dumps(rules))
            self._handles[key] = handle
        else:
            self._handles.move_to_end(key)
        return handle

    def __len__(self) -> int:
        """How many live."""
        return len(self._handles)

    def drop(self, keys: Sequence[int]) -> None:
        """Forget rulesets that failed."""
        for key in keys:
            handle = self._handles.pop(key, None)
            if handle is not None:
                self._module.delete_ruleset(handle)


class DurableMatcher:
    """Conditions as rulesets of at most `MAX_RULES` rules; bit i of the answer is condition i."""

    __slots__ = (
        "_classes",
        "_derived",
        "_keys",
        "_lowered",
        "_network",
        "_remembered",
        "_slots",
        "inputs",
        "reference",
    )

    def __init__(self, network: DurableNetwork, conditions: Sequence[Condition]) -> None:
        self._network = network
        self.reference = ReferenceMatcher(conditions)
        self.inputs = inputs_of(conditions)
        places = {ref.key: place for place, ref in enumerate(self.inputs)}
        self._lowered = Lowered(conditions)
        self._slots = [(places[cut.ref.key], cut.of) for cut in self._lowered.cuts]
        self._derived = [test(condition, places) for condition in self._lowered.derived]
        groups = range(0, len(conditions), MAX_RULES)
        bits = [range(start, min(start + MAX_RULES, len(conditions))) for start in groups]
        self._keys = [(next(_names), group) for group in bits]
        self._remembered: dict[tuple[int | bool | None, ...], int] = {}

    def match(self, values: Sequence[object]) -> int:
        """The bit mask of the conditions that hold."""
        classes = (*(of(values[place]) for place, of in self._slots), *(holds(values) for holds in self._derived))
        mask = self._remembered.get(classes)
        if mask is None:
            mask = self._network.ask(self, classes, values)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[classes] = mask
        return mask

    def fact(self, classes: Sequence[int | bool | None]) -> str:
        """The fact that stands for a class."""
        fact: dict[str, object] = {"id": 1, "sid": "1", ANCHOR: 1}
        count = len(self._slots)
        for place, number in enumerate(classes[:count]):
            fact[f"a{place}"] = int(number is None)
            if number is not None:
                fact[f"c{place}"] = number
        for place, holds in enumerate(classes[count:]):
            fact[f"d{place}"] = int(bool(holds))
        return json.dumps(fact)

    def ask(self, rulesets: Rulesets, classes: Sequence[int | bool | None]) -> int:
        """The network's own answer."""
        fact, mask = self.fact(classes), 0
        for key, bits in self._keys:
            for name in rulesets.ask(key, dict(self._lowered.rules(bits)), fact):
                mask |= 1 << int(name[1:])
        return mask

    @property
    def keys(self) -> list[int]:
        """The keys of its rulesets."""
        return [key for key, _ in self._keys]


class DurableNetwork:
    """Compiles conditions into durable_rules; answers by the reference wherever it refuses."""

    name = "durable_rules"

    def __init__(self, module: ModuleType | None = None) -> None:
        self._rulesets = Rulesets(load_module() if module is None else module)
        self._broken: set[int] = set()
        self._warned = False

    def compile(self, conditions: Sequence[Condition]) -> DurableMatcher:
        """A matcher for the conditions, in their order."""
        return DurableMatcher(self, conditions)

    def ask(self, matcher: DurableMatcher, classes: Sequence[int | bool | None], values: Sequence[object]) -> int:
        """The network's answer for a class of facts, or the reference's where the network fails."""
        if matcher.keys and matcher.keys[0] not in self._broken:
            try:
                return matcher.ask(self._rulesets, classes)
            except Exception as fault:  # noqa: BLE001  # whatever a C module may raise: the decision must be right
                self._give_up(matcher, fault)
        return matcher.reference.match(values)

    def _give_up(self, matcher: DurableMatcher, fault: Exception) -> None:
        self._rulesets.drop(matcher.keys)
        self._broken.update(matcher.keys)
        if not self._warned:
            self._warned = True
            _log.warning("durable_rules refused a ruleset (%s); the reference matcher answers instead", fault)
