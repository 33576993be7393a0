"""How long it takes to write a message: `python -m benchmarks.rendering`.

Each is written in two ways, in turns: as botopt does it, and with Jinja's code alone. Both must say the same.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from time import perf_counter

from botopt.model.condition import ValueType
from botopt.model.policy import ButtonText, EventType, FieldSpec, Policy, Template, Text, Variant
from botopt.rendering.compilation import JinjaText, readable
from botopt.rendering.reading.faults import Fault
from botopt.rendering.renderer import PreparedText, TemplateRenderer, Variation, _Message

ROUNDS = 15
MESSAGES = 2_000
LOCALE, TIMEZONE = "en", "Europe/Berlin"
NOW_US = 1_770_000_000_000_000
HOUR_US = 3_600_000_000

FIELDS = (
    FieldSpec("name", ValueType.TEXT),
    FieldSpec("order_id", ValueType.TEXT),
    FieldSpec("amount", ValueType.NUMBER),
    FieldSpec("currency", ValueType.TEXT),
    FieldSpec("days", ValueType.INTEGER),
    FieldSpec("express", ValueType.BOOLEAN),
    FieldSpec("eta", ValueType.TIME),
    FieldSpec("city", ValueType.TEXT, optional=True),
)


def _variant(name: str, text: str, title: str = "", buttons: Sequence[tuple[str, str]] = ()) -> Variant:
    def one(source: str) -> dict[str, Text]:
        return {LOCALE: Text(source)} if source else {}

    return Variant(
        name, one(text), title=one(title), buttons=tuple(ButtonText(one(label), one(link)) for label, link in buttons)
    )


VARIANTS = (
    _variant("plain text", "Your recent payment failed. Want to try another card?"),
    _variant("three texts", "Hello {{ name }}, order {{ order_id }} is on its way to {{ city }}."),
    _variant("two texts, a number", "Hello {{ name }}, order {{ order_id }} costs {{ amount }}."),
    _variant(
        "title, two buttons",
        "Hello {{ name }}, order {{ order_id }} is on its way to {{ city }}.",
        "Order {{ order_id }}",
        [("Track {{ order_id }}", "https://parcels.example/{{ order_id }}"), ("Get help", "")],
    ),
    _variant("money", "The payment of {{ amount | money(currency) }} failed."),
    _variant(
        "money, link",
        "The payment of {{ amount | money(currency) }} for order {{ order_id }} failed.",
        buttons=[("Use another card", "https://pay.example/orders/{{ order_id | urlencode }}")],
    ),
    _variant("default", "Hello {{ name | default('there') }}!"),
    _variant("date, time", "It comes on {{ eta | date }} at {{ eta | time }}."),
    _variant("ago", "It comes {{ eta | ago }}."),
    _variant("plural", "It comes in {{ days | plural('# day', '# days') }}."),
    _variant("if, else", "{% if express %}Order {{ order_id }} comes today.{% else %}It comes soon.{% endif %}"),
)


def events() -> list[Mapping[str, object]]:
    """Fields of events, the same each time."""
    chance = random.Random(1)
    return [
        {
            "name": chance.choice(("Ann", "Zoë", "Maximilian", "अंजलि")),
            "order_id": f"O-{chance.randrange(10**6)}",
            "amount": round(chance.uniform(1, 5_000), 2),
            "currency": chance.choice(("EUR", "USD", "INR")),
            "days": chance.randint(1, 20),
            "express": chance.random() < 0.5,
            "eta": NOW_US + chance.randrange(1_000 * HOUR_US),
            "city": chance.choice(("Graz", "Köln", "Pune")),
        }
        for _ in range(MESSAGES)
    ]


def with_jinja(bound: Variation) -> Variation:
    """The same variant, all of its texts written by Jinja's code. It takes the place of what `bound` had ready."""
    texts = []
    for text in bound.texts(LOCALE):
        parsed = readable(text.part.text.source)
        assert not isinstance(parsed, Fault)
        jinja = JinjaText(parsed)
        texts.append(PreparedText(text.part, jinja, tuple(bound._places[key] for key in jinja.keys)))
    bound._messages[LOCALE] = _Message("", LOCALE, texts, bound._times, len(bound.inputs))
    return bound


def measure(bound: Variation, given: Sequence[Sequence[object]]) -> float:
    """Microseconds for one message."""
    render = bound.render
    began = perf_counter()
    for values in given:
        render(values, locale=LOCALE, timezone=TIMEZONE, now_us=NOW_US)
    return (perf_counter() - began) / len(given) * 1e6


def main() -> None:
    made = Policy(
        events={"late": EventType("late", fields={field.name: field for field in FIELDS}, message="hello")},
        templates={"hello": Template("hello", VARIANTS)},
    )
    happened = events()
    print(f"\nmicroseconds for one message: medians of {ROUNDS} rounds of {MESSAGES:,}")
    print(f"{'':<20} {'botopt':>8} {'Jinja':>8} {'ratio':>6}")
    for variant in VARIANTS:
        fast, slow = (TemplateRenderer(made).bind("hello", variant.name, "late") for _ in range(2))
        with_jinja(slow)
        given = [[event[ref.name] for ref in fast.inputs] for event in happened]
        for values in given:
            first, second = (
                bound.render(values, locale=LOCALE, timezone=TIMEZONE, now_us=NOW_US) for bound in (fast, slow)
            )
            if first != second:
                raise SystemExit(f"{variant.name}: botopt writes {first}, and Jinja {second}")
        rounds = [(measure(fast, given), measure(slow, given)) for _ in range(ROUNDS)]
        ours, jinjas = (statistics.median(times) for times in zip(*rounds, strict=True))
        print(f"{variant.name:<20} {ours:>8.2f} {jinjas:>8.2f} {jinjas / ours:>6.1f}")


if __name__ == "__main__":
    main()
