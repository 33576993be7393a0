"""What passes the check does not fail on a user: findings are made where they can still be mended."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.errors import RenderError
from botopt.model.policy import Value
from botopt.rendering.lint import check_template
from botopt.rendering.renderer import TemplateRenderer
from tests.rendering.making import policy, template, variant

ANYTHING = st.sampled_from(
    ["amount", "reason", "user.name", "eta", "express", "order_id", "engagement.rate", "3", "'b'"]
)


def _of(*patterns: str) -> st.SearchStrategy[str]:
    """A pattern, filled in: `{n}` a number, `{t}` a text, `{b}` true or false, `{e}` a time, `{x}` anything."""
    kinds = {"n": NUMBERS, "t": TEXTS, "b": TRUTHS, "e": st.just("eta"), "x": ANYTHING}

    def filled(pattern: str) -> st.SearchStrategy[str]:
        holes = re.findall(r"\{(\w)\}", pattern)
        pieces = re.split(r"\{\w\}", pattern)
        return st.tuples(*(kinds[hole] for hole in holes)).map(
            lambda values: pieces[0] + "".join(value + piece for value, piece in zip(values, pieces[1:], strict=True))
        )

    return st.sampled_from(patterns).flatmap(filled)


# Mostly well typed; `{x}` sows what is not.
NUMBERS: st.SearchStrategy[str] = st.deferred(
    lambda: (
        st.sampled_from(["amount", "attempts", "number", "time.hour", "count('late', '1d')", "2.5", "-1", "0"])
        | _of(
            "({n} + {n})",
            "({n} * {n})",
            "({n} / {n})",
            "(-{n})",
            "({n} if {b} else {n})",
            "({t} | length)",
            "({x} | default(1))",
        )
    )
)
TEXTS: st.SearchStrategy[str] = st.deferred(
    lambda: st.sampled_from(["order_id", "currency", "user.plan", "'a'", "(reason | default('-'))", "user.name"])
    | _of(
        "({t} | title)", "({n} | money('EUR'))", "({n} | money(currency))", "({t} | truncate(5))", "({n} | number)",
        "({t} ~ {n})", "({t} if {b})", "({t} if {b} else {t})", "({e} | ago)", "({e} | date)",
        "({n} | plural('a', '#'))", "(reason if reason is defined else {t})", "({x} | urlencode)", "({n} | percent)",
        "({t} or {t})",
        "(user.name | title if user.name is defined and {b} else {t})",
    )
)  # fmt: skip
TRUTHS: st.SearchStrategy[str] = st.deferred(
    lambda: st.sampled_from(["express", "time.weekend", "seen('late', '1h')", "reason is defined", "true"])
    | _of(
        "({n} < {n})", "({n} <= {n} < {n})", "({t} == {t})", "({t} in {t})", "({b} and {b})", "({b} or {b})",
        "(not {b})", "({n} in [{n}, {n}])", "({e} > {e})", "(reason is not defined or reason == {t})", "({x} == {x})",
        "({x} != {n})",
    )
)  # fmt: skip

BLOCKS = st.deferred(
    lambda: _of(
        "a {{ {t} }}",
        "a {{ {n} }} {{ {e} }}",
        "a {% if {b} %}{% set y = {t} %}{{ y }}{% else %}{{ {n} }}{% endif %}",
        "a {% if {b} %}{% set y = {n} %}{% endif %}{{ y if y is defined else '-' }}",
        "a {% if reason is not defined %}{{ {t} }}{% elif {b} %}{{ reason }}{% else %}{{ reason ~ {n} }}{% endif %}",
        "a {% set y = {x} %}{{ y }}{{ {t} | default({x}) }}",
        "a {% for i in [{t}, {n}] if {b} %}{{ i }}{{ loop.index * {n} }}{% else %}{{ {t} }}{% endfor %}",
    )
)

VALUES: dict[str, st.SearchStrategy[Value]] = {
    "amount": st.floats(0, 1e12),
    "currency": st.sampled_from(["USD", "EUR", "INR"]),
    "attempts": st.integers(1, 2**53),
    "number": st.integers(-(2**53), 2**53),
    "order_id": st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    "reason": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    "eta": st.integers(-(10**15), 4 * 10**15),
    "express": st.booleans(),
    "user.name": st.none() | st.just("Ann"),
    "user.plan": st.sampled_from(["free", "pro"]),
    "time.hour": st.integers(0, 23),
    "time.weekend": st.booleans(),
    "engagement.rate": st.floats(0, 1),
    "count('late', '1d')": st.integers(0, 5),
    "seen('late', '1h')": st.booleans(),
}
KNOWN = re.compile("divides by zero|calculation is too large|too large to be printed")


@settings(max_examples=250, deadline=None)
@given(BLOCKS, st.data())
def test_a_text_without_findings_renders_on_every_valid_event(source: str, data: st.DataObject) -> None:
    made = template(variant(en=source))
    if check_template(policy(made), made):
        return
    bound = TemplateRenderer(policy(made)).bind("hello", "plain", "late")
    values = [data.draw(VALUES[str(ref)]) for ref in bound.inputs]
    try:
        text = bound.render(values, locale="de", timezone="Asia/Kolkata", now_us=10**15).text
    except RenderError as error:
        text = str(error)
        if not KNOWN.search(text):  # the only faults that depend on numbers
            raise
    assert text
