"""Off-policy estimates: by hand, against an independent oracle, and how often their intervals hold the truth."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botopt.learning import evaluation
from botopt.learning.variants import chances

ROUNDS = st.lists(
    st.tuples(st.floats(0.01, 20), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=40
)


def oracle(rounds):
    """The four formulas as the papers write them."""
    n = len(rounds)
    inverse = sum(w * r for w, r, _, _ in rounds) / n
    normalised = sum(w * r for w, r, _, _ in rounds) / sum(w for w, _, _, _ in rounds)
    model = sum(q for _, _, _, q in rounds) / n
    robust = sum(q + w * (r - t) for w, r, t, q in rounds) / n
    return inverse, normalised, model, robust


@given(ROUNDS)
def test_every_estimate_is_what_its_paper_says(rounds):
    weights, rewards, taken, expected = map(list, zip(*rounds, strict=True))
    found = (
        evaluation.ips(weights, rewards),
        evaluation.snips(weights, rewards),
        evaluation.direct(expected),
        evaluation.doubly_robust(weights, rewards, taken, expected),
    )
    for one, wanted in zip(found, oracle(rounds), strict=True):
        assert one.value == pytest.approx(wanted, rel=1e-12, abs=1e-12)
        assert one.low <= one.value <= one.high


def test_four_rounds_worked_out_by_hand():
    weights, rewards = [2.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 1.0]
    assert evaluation.ips(weights, rewards).value == 0.75
    assert evaluation.snips(weights, rewards).value == 0.75
    assert evaluation.doubly_robust(weights, rewards, [0.5] * 4, [0.5] * 4).value == 0.5 + (1.0 - 0.5 + 0.5) / 4
    assert evaluation.effective_size(weights) == 16 / 6
    half = 1.959963984540054 * math.sqrt((1.25**2 + 0.75**2 + 0.75**2 + 0.25**2) / 3) / math.sqrt(4)
    assert evaluation.ips(weights, rewards).error == pytest.approx(half)


def test_the_log_itself_is_its_mean_whatever_the_method():
    rewards = [1.0, 0.0, 0.0, 1.0, 0.0]
    assert evaluation.ips([1.0] * 5, rewards).value == evaluation.snips([1.0] * 5, rewards).value == 0.4
    estimate, _ = evaluation.per_round([1.0] * 5, [1.0] * 5, rewards)
    assert estimate.value == pytest.approx(0.4)


def test_half_as_many_messages_of_the_same_sort_bring_half_as_many_clicks():
    estimate, apart = evaluation.per_round([0.5] * 4, [0.5] * 4, [1.0, 0.0, 1.0, 0.0])
    assert estimate.value == pytest.approx(0.25)
    assert math.fsum(apart) == pytest.approx(0.0, abs=1e-12)


def test_rounds_of_one_user_are_less_evidence_than_rounds_of_many():
    rewards = [1.0] * 10 + [0.0] * 10
    alone = evaluation.mean(rewards)
    together = evaluation.mean(rewards, [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5)
    assert together.error > 2 * alone.error


def test_a_single_user_is_no_evidence_at_all():
    assert evaluation.mean([1.0, 0.0], [0, 0]).low == -math.inf


def test_equal_weights_are_worth_their_number_and_one_huge_weight_is_worth_one():
    assert evaluation.effective_size([0.5] * 80) == 80
    assert evaluation.effective_size([1e6] + [1.0] * 999) == pytest.approx(1, abs=0.01)
    assert evaluation.effective_size([0.0, 0.0]) == 0


@pytest.mark.parametrize(("relative", "sends"), [(0.20, 4_600), (0.10, 18_400), (0.05, 73_600)])
def test_how_many_messages_it_takes_to_tell_two_texts_apart_at_8_percent_clicks(relative, sends):
    assert evaluation.sends_to_tell(0.08, relative) == sends


TYPES, TEXTS = 5, 4


def learning_log(seed: int, rounds: int = 2_000) -> tuple[list[float], list[float], list[float], list[float], float]:
    """A log of a softmax that learns as it goes, with a floor of 5 %, and what choosing evenly really gets.

    Returns:
        Weights of the even choice, clicks, what a model of earlier clicks foretells of the text taken and of the even
        choice, and the truth over the very types that were met.
    """
    random = Random(seed)
    logit = [[-2.4 + random.gauss(0, 0.5) + random.gauss(0, 0.3) for _ in range(TEXTS)] for _ in range(TYPES)]
    truth = [[1 / (1 + math.exp(-each)) for each in row] for row in logit]
    clicks = [[0.8] * TEXTS for _ in range(TYPES)]
    sends = [[10.0] * TEXTS for _ in range(TYPES)]
    weights, rewards, taken, expected, total = [], [], [], [], 0.0
    for _ in range(rounds):
        kind = random.randrange(TYPES)
        believed = [c / s for c, s in zip(clicks[kind], sends[kind], strict=True)]
        mean = sum(believed) / TEXTS
        odds = chances([each / mean - 1 for each in believed])
        text = random.choices(range(TEXTS), odds)[0]
        reward = float(random.random() < truth[kind][text])
        weights.append(1 / TEXTS / odds[text])
        rewards.append(reward)
        taken.append(believed[text])
        expected.append(mean)
        total += sum(truth[kind]) / TEXTS
        clicks[kind][text] += reward
        sends[kind][text] += 1
    return weights, rewards, taken, expected, total / rounds


def coverage(seeds: range) -> dict[str, float]:
    """The share of worlds in which each interval holds the truth."""
    held = {"ips": 0, "snips": 0, "doubly robust": 0}
    for seed in seeds:
        weights, rewards, taken, expected, truth = learning_log(seed)
        found = {
            "ips": evaluation.ips(weights, rewards),
            "snips": evaluation.snips(weights, rewards),
            "doubly robust": evaluation.doubly_robust(weights, rewards, taken, expected),
        }
        for name, one in found.items():
            held[name] += one.low <= truth <= one.high
    return {name: count / len(seeds) for name, count in held.items()}


def test_with_a_floor_of_5_percent_nine_of_ten_intervals_hold_the_truth():
    found = coverage(range(150))
    assert min(found.values()) >= 0.90, found


def even_log(random: Random, truth: list[float], rounds: int) -> list[tuple[int, float]]:
    """Texts drawn evenly, and whether each was clicked."""
    drawn = [random.randrange(len(truth)) for _ in range(rounds)]
    return [(text, float(random.random() < truth[text])) for text in drawn]


def of_text(log: list[tuple[int, float]], text: int, texts: int) -> float:
    """What always sending this text would have got on a log that drew evenly."""
    return evaluation.snips([texts * float(taken == text) for taken, _ in log], [click for _, click in log]).value


def test_a_policy_looks_better_than_it_is_on_the_log_it_was_chosen_on_and_not_on_a_later_one():
    """Why `botopt evaluate` refuses: ten texts that are all alike, and the best of them by the log."""
    same, later, worlds = 0.0, 0.0, 100
    for seed in range(worlds):
        random = Random(f"greedy {seed}")
        truth = [0.08] * 10
        first, second = even_log(random, truth, 2_000), even_log(random, truth, 2_000)
        best = max(range(10), key=lambda text: of_text(first, text, 10))
        same += of_text(first, best, 10) / worlds
        later += of_text(second, best, 10) / worlds
    assert same > 0.10
    assert later == pytest.approx(0.08, abs=0.005)
