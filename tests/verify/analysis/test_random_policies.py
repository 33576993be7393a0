"""What the checks say of random policies is held against the real engine: every event, in every state that matters."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from botopt.engine.build import build
from botopt.model.diagnostic import Diagnostic, has_errors
from botopt.model.policy import Policy
from botopt.verify.checks import CHECKS
from botopt.verify.ruletest.reading import read_tests
from botopt.verify.ruletest.running import run_tests
from tests.verify.analysis import brute
from tests.verify.analysis.policies import random_policy

SOAK = os.environ.get("BOTOPT_SOAK") == "1"
POLICIES = 1_000 if SOAK else 150
SHARDS = 10
EVERY = 1 if SOAK else 7
"""Of so many events in a row one is tried; seven is prime to how many there are of most things."""


def trials_of(policy: Policy, like: Policy) -> list[brute.Trial]:
    return brute.trials(policy, like=like, every=EVERY)


def findings(policy: Policy) -> list[Diagnostic]:
    return [one for check in CHECKS if check.whole for one in check.findings(policy)]


def wrong(policy: Policy, found: Diagnostic, trials: list[brute.Trial]) -> list[object]:
    """Trials that contradict a finding."""
    words = found.message
    rule = re.search(r"\br\d\b", words)
    stop = re.search(r"\bs\d\b", words)
    match found.code:
        case "B402":
            return [one for one in trials if one.worth and not one.skipped]
        case "B403":
            return [one for one in trials if one.worth and not one.skipped and one.state == "plain"]
        case "B404":
            return [one for one in trials if not one.worth and not one.skipped]
        case "B405":
            return [one for one in trials if rule[0] in one.rules]
        case "B406":
            return brute.changed(trials, trials_of(brute.without_rule(policy, rule[0]), policy))
        case "B407":
            mine = re.search(r"(?:of rule|^rule) (r\d)", words)[1]
            part = "skip" if "never decides" in words else "message" if "the message" in words else "channel"
            return brute.changed(trials, trials_of(brute.without_rule(policy, mine, part), policy))
        case "B408":
            return brute.changed(trials, trials_of(brute.without_suppression(policy, stop[0]), policy))
        case "B409":
            name = re.search(r'of "(\w)"', words)[1]
            return [one for one in trials if one.last.outcome == "sent"] if name == "a" else []
        case "B411":
            return [
                one
                for one in trials
                if one.decision.outcome == "held" and one.decision.by == stop[0] and one.last.reason != "expired"
            ]
        case "B413":
            variant, template = re.search(r'variant (\w+) of "(\w+)"', words).groups()
            return [
                one
                for one in trials
                if one.last.message and (one.last.message.template, one.last.message.variant) == (template, variant)
            ]
        case _:
            return []


def missed(policy: Policy, found: list[Diagnostic], trials: list[brute.Trial]) -> Iterator[tuple[str, bool]]:
    """For each thing that never happened in all trials: its code, and whether there is a finding."""
    said = Counter((one.code, *re.findall(r"\b[rsv]\d\b", one.message)[:1]) for one in found)
    codes = {one.code for one in found}
    if not any((one.worth or policy.events["a"].always) and not one.skipped for one in trials):
        yield "B402", "B402" in codes
    for rule in policy.events["a"].rules:
        if not any(rule.id in one.rules for one in trials):
            yield "B405", ("B405", rule.id) in said
        elif not policy.settings.engagement.effect and not brute.changed(
            trials, trials_of(brute.without_rule(policy, rule.id), policy)
        ):
            yield "B406", bool({("B406", rule.id), ("B407", rule.id)} & set(said)) or bool(codes & {"B402", "B404"})
    if any(one.worth and not one.skipped for one in trials) and not any(one.last.outcome == "sent" for one in trials):
        yield "B409", "B409" in codes


def replayed(policy: Policy, found: list[Diagnostic], folder: Path) -> list[str]:
    """What goes otherwise than the witnesses of the findings say."""
    witnesses = [one.witness for one in found if one.witness]
    if not witnesses:
        return []
    file = folder / "w.test.yaml"
    file.write_text("tests:\n" + "".join(f"  {one}\n" for one in dict.fromkeys(witnesses)), "utf-8")
    read = read_tests(policy, folder, [file])
    assert not has_errors(read.diagnostics), [(one.message, one.source) for one in read.diagnostics]
    results = list(run_tests(build(policy, "reference"), read.tests))
    return [f"{one.test.name}: {failure.differences}" for one in results for failure in one.failures]


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_finding_about_a_random_policy_is_false_and_every_witness_shows_what_it_says(shard, tmp_path, request):
    seen: Counter[str] = Counter()
    misses: Counter[tuple[str, bool]] = Counter()
    for seed in range(shard, POLICIES, SHARDS):
        policy = random_policy(seed)
        found = findings(policy)
        seen.update(one.code for one in found)
        seen.update(f"{one.code} shown" for one in found if one.witness)
        trials = trials_of(policy, policy) if found or SOAK else []
        for one in found:
            against = wrong(policy, one, trials)
            assert not against, f"seed {seed}: {one.code} {one.message}\n{against[0]}"
        assert replayed(policy, found, tmp_path) == [], f"seed {seed}"
        if SOAK:
            misses.update(missed(policy, found, trials))
    print(shard, sorted(seen.items()), sorted(misses.items()))
    assert {"B402", "B405", "B406"} <= set(seen)
    for code in ("B402", "B405") if SOAK else ():  # what never happened in all trials was nearly always found
        assert misses[code, True] >= 0.8 * (misses[code, True] + misses[code, False]), code
