"""Conditions, rules, suppressions and tests of the policy as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from botopt.authoring.handbook.clauses import Clause, clause, heading, words
from botopt.authoring.handbook.effects import effects, stops
from botopt.authoring.handbook.markup import Html, Part, joined, listing, tag
from botopt.authoring.handbook.terms import Speaker
from botopt.authoring.handbook.wording import counted, listed, sentence
from botopt.model.condition import Constant
from botopt.model.policy import Mute, Rule, Suppression, When
from botopt.model.position import Position
from botopt.verify.ruletest.model import Result

_IN_ONE_BREATH = 3  # parts that a reader takes in as one sentence


def place(position: Position) -> Html:
    """Where something stands, as editors open it."""
    return tag("span", f"{position.file}:{position.line}", class_="place") if position.file else Html()


def typed(when: When) -> Html:
    """A condition as its author typed it."""
    return tag("code", when.text)


def said(told: Clause, speaker: Speaker, before: str, after: str = "") -> Html:
    """A sentence with a condition between two parts of it; as a list where it is long."""
    if told.is_flat and len(told.parts) <= _IN_ONE_BREATH:
        return tag("p", sentence(f"{before}{words(told, speaker)}{after}"))
    lead = sentence(f"{before}{heading(told)}").removesuffix(".")
    end = tag("p", sentence(after.removeprefix(": "))) if after else None
    return joined(tag("p", f"{lead}:"), _parts(told, speaker), end)


def _parts(told: Clause, speaker: Speaker) -> Html:
    items: list[Part] = []
    for part in told.parts:
        if part.is_flat and len(part.parts) <= _IN_ONE_BREATH:
            items.append(words(part, speaker))
        else:
            items.append(joined(f"{heading(part)}:", _parts(part, speaker)))
    return listing(*items)


def rule_sentence(rule: Rule, event_type: str) -> Html:
    """When a rule matches, and what then happens."""
    told = clause(rule.when.condition)
    after = listed(list(effects(rule))) or "nothing changes"
    if isinstance(told.leaf, Constant):
        before = "Always" if told.leaf.value is told.holds else "Never"
        return tag("p", f"{before}: {after}.")
    return said(told, Speaker(event_type), "", f": {after}")


def suppression_sentences(suppression: Suppression, event_type: str | None = None) -> Html:
    """What it stops, and when it applies; for one event type, or for all that it is about."""
    speaker = Speaker(event_type)
    lines: list[Part] = []
    when, unless = suppression.when, suppression.unless
    if isinstance(suppression.kind, Mute) and when is not None:
        told = clause(when.condition)
        lines += _mute(suppression, told, speaker)
    else:
        lines += [tag("p", line) for line in stops(suppression, "")]
        if when is not None:
            lines.append(said(clause(when.condition), speaker, "it applies only if "))
    if unless is not None:
        lines.append(said(clause(unless.condition), speaker, "it stops no message for which "))
    typed_ones = [
        joined(f"{word} ", typed(one)) for word, one in (("when", when), ("unless", unless)) if one is not None
    ]
    if typed_ones:
        lines.append(tag("p", joined(*typed_ones, between=", "), class_="note"))
    return joined(*lines)


def _mute(suppression: Suppression, told: Clause, speaker: Speaker) -> Iterable[Html]:
    if told.is_flat and len(told.parts) <= _IN_ONE_BREATH:
        return [tag("p", line) for line in stops(suppression, words(told, speaker))]
    first, *more = stops(suppression, heading(told))
    return [tag("p", f"{first.removesuffix('.')}:"), _parts(told, speaker), *(tag("p", line) for line in more)]


def test_list(results: Sequence[Result]) -> Html:
    """Tests by their names, each with its result and its place."""
    return listing(
        *(
            joined(tag("span", *_verdict(one), class_=_class(one)), f" {one.test.name} ", place(one.test.position))
            for one in results
        )
    )


def _verdict(result: Result) -> tuple[str]:
    return ("failed:",) if result.failures else ("passed:",)


def _class(result: Result) -> str:
    return "bad" if result.failures else "passed"


def tests_in_words(results: Sequence[Result]) -> str:
    """How many there are, and how many failed."""
    failed = sum(bool(one.failures) for one in results)
    if not results:
        return "There are no rule tests."
    outcome = f"{failed} failed" if failed else "all as expected"
    return f"{counted(len(results), 'rule test')}: {outcome}."
