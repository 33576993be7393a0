"""How fast conditions are matched: the reference, durable_rules asked every time, and durable_rules remembering.

Four rules of an ordinary event type, facts in a fixed pseudo-random order. Rates are medians of interleaved runs.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence

from botopt.model.condition import (
    All,
    AnyOf,
    Comparison,
    Condition,
    Literal,
    Membership,
    Not,
    Ref,
    Scope,
    Truth,
    ValueType,
)
from botopt.network.network import available, make_network
from botopt.network.reference import ReferenceNetwork

AMOUNT = Ref(Scope.EVENT, "amount", ValueType.NUMBER)
ATTEMPTS = Ref(Scope.EVENT, "attempts", ValueType.INTEGER)
CURRENCY = Ref(Scope.EVENT, "currency", ValueType.TEXT)
FIRST = Ref(Scope.EVENT, "first", ValueType.BOOLEAN)
PLAN = Ref(Scope.USER, "plan", ValueType.TEXT)

RULES: tuple[Condition, ...] = (
    Comparison(">=", AMOUNT, Literal(500)),
    All((Comparison(">=", ATTEMPTS, Literal(3)), Membership(PLAN, (Literal("pro"), Literal("vip"))))),
    All((Comparison("<", AMOUNT, Literal(5)), Not(Truth(FIRST)))),
    AnyOf((Comparison("==", CURRENCY, Literal("INR")), Truth(FIRST))),
)
FACTS = 20_000
RUNS = 5


def facts(inputs: Sequence[Ref]) -> list[tuple[object, ...]]:
    """Facts for the rules, the same in every run."""
    chance = random.Random(1)
    makers: dict[str, Callable[[], object]] = {
        "amount": lambda: round(chance.uniform(0, 900), 2),
        "attempts": lambda: chance.randint(1, 5),
        "currency": lambda: chance.choice(("USD", "EUR", "INR")),
        "first": lambda: chance.random() < 0.1,
        "plan": lambda: chance.choice(("free", "pro", "vip")),
    }
    return [tuple(makers[ref.name]() for ref in inputs) for _ in range(FACTS)]


def main() -> None:
    """Print matches a second."""
    reference = ReferenceNetwork().compile(RULES)
    some = facts(reference.inputs)
    contenders: dict[str, Callable[[tuple[object, ...]], int]] = {"reference": reference.match}
    if available().name == "durable_rules":
        remembering = make_network("durable_rules").compile(RULES)
        forgetting = make_network("durable_rules").compile(RULES)
        contenders["durable_rules, remembering"] = remembering.match
        contenders["durable_rules, asked every time"] = lambda fact: _asked(forgetting, fact)
    assert all(len({match(fact) for match in contenders.values()}) == 1 for fact in some)
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(RUNS):
        for name, match in contenders.items():
            began = time.perf_counter()
            for fact in some:
                match(fact)
            rates[name].append(FACTS / (time.perf_counter() - began))
    print(f"{'matcher':<34}{'matches/s':>12}{'ratio':>8}")
    base = statistics.median(rates["reference"])
    for name, found in rates.items():
        rate = statistics.median(found)
        print(f"{name:<34}{rate:>12,.0f}{rate / base:>8.2f}")


def _asked(matcher: object, fact: tuple[object, ...]) -> int:
    matcher._remembered.clear()  # type: ignore[attr-defined]
    mask: int = matcher.match(fact)  # type: ignore[attr-defined]
    return mask


if __name__ == "__main__":
    main()
