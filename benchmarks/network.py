"""How fast conditions are matched: the reference, durable_rules remembering, and durable_rules asked every time.

Rules of an ordinary event type, facts in a fixed pseudo-random order. Rates are medians of interleaved runs.
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
from botopt.network.durable import DurableMatcher
from botopt.network.network import available, make_network
from botopt.network.reference import ReferenceNetwork

AMOUNT = Ref(Scope.EVENT, "amount", ValueType.NUMBER)
ATTEMPTS = Ref(Scope.EVENT, "attempts", ValueType.INTEGER)
CURRENCY = Ref(Scope.EVENT, "currency", ValueType.TEXT)
FIRST = Ref(Scope.EVENT, "first", ValueType.BOOLEAN)
PLAN = Ref(Scope.USER, "plan", ValueType.TEXT)

Fact = tuple[object, ...]

FOUR: tuple[Condition, ...] = (
    Comparison(">=", AMOUNT, Literal(500)),
    All((Comparison(">=", ATTEMPTS, Literal(3)), Membership(PLAN, (Literal("pro"), Literal("vip"))))),
    All((Comparison("<", AMOUNT, Literal(5)), Not(Truth(FIRST)))),
    AnyOf((Comparison("==", CURRENCY, Literal("INR")), Truth(FIRST))),
)
FORTY: tuple[Condition, ...] = tuple(
    All(
        (
            Comparison(">=", AMOUNT, Literal(50 * (number % 4 + 1))),
            Comparison("==", CURRENCY, Literal(("USD", "EUR", "INR")[number % 3])),
            AnyOf((Truth(FIRST), Comparison("==", PLAN, Literal(("free", "pro", "vip")[number // 3 % 3])))),
            Comparison(">", ATTEMPTS, Literal(number % 3)),
        )
    )
    for number in range(40)
)
FACTS = 20_000
RUNS = 5


def facts(inputs: Sequence[Ref]) -> list[Fact]:
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
    print(f"{'rules':<8}{'matcher':<34}{'matches/s':>12}{'ratio':>8}")
    for rules in (FOUR, FORTY):
        rates = _rates(rules)
        base = rates["reference"]
        for name, rate in rates.items():
            print(f"{len(rules):<8}{name:<34}{rate:>12,.0f}{rate / base:>8.2f}")


def _rates(rules: Sequence[Condition]) -> dict[str, float]:
    reference = ReferenceNetwork().compile(rules)
    some = facts(reference.inputs)
    contenders: dict[str, Callable[[Fact], int]] = {"reference": reference.match}
    if available().name == "durable_rules":
        contenders["durable_rules, remembering"] = make_network("durable_rules").compile(rules).match
        contenders["durable_rules, asked every time"] = _forgetting(rules)
    assert all(len({match(fact) for match in contenders.values()}) == 1 for fact in some)
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(RUNS):
        for name, match in contenders.items():
            began = time.perf_counter()
            for fact in some:
                match(fact)
            seconds[name].append(time.perf_counter() - began)
    return {name: FACTS / statistics.median(found) for name, found in seconds.items()}


def _forgetting(rules: Sequence[Condition]) -> Callable[[Fact], int]:
    matcher = make_network("durable_rules").compile(rules)
    assert isinstance(matcher, DurableMatcher)

    def match(fact: Fact) -> int:
        matcher.forget()
        return matcher.match(fact)

    return match


if __name__ == "__main__":
    main()
