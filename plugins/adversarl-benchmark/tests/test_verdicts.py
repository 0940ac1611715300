"""What is said of two conditions."""

from __future__ import annotations

import numpy as np
import pytest
from adversarl_benchmark.statistics import Estimate
from adversarl_benchmark.verdicts import (
    Difference,
    difference,
    episodes_needed,
    holm,
    needed,
    seeds_needed,
    sentence,
    verdict,
)
from scipy.stats import ttest_1samp

from adversarl.metrics import Z95, wilson


def found(value, low, high, seeds=5, deviation=0.05):
    return Difference(Estimate(value, low, high, seeds), deviation, 0.01, (low, high))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 0.2, "better"),
        (-0.2, -0.01, "worse"),
        (-0.04, 0.05, "tie"),
        (-0.06, 0.01, "not enough episodes"),
        (-0.2, 0.2, "not enough episodes"),
        (0.0, 0.0, "tie"),
    ],
)
def test_the_interval_decides(low, high, expected):
    assert verdict(found((low + high) / 2, low, high)) == expected


def test_fewer_than_five_seeds_have_no_winner_whatever_they_say():
    smoke = found(0.6, 0.5, 0.7, seeds=3)
    assert verdict(smoke) == "not enough episodes"
    assert sentence("adaptive", "baseline", smoke, 25) == (
        "adaptive against baseline is a smoke test: 60 points [50, 70] (IQM over 3 seeds x 25 curves); "
        "a comparison needs at least 5 seeds, and an effect of 60 points needs about 5 seeds"
    )


def test_a_winner_is_named_with_points_and_interval():
    said = sentence("adaptive", "baseline", found(0.12, 0.07, 0.17), 25)
    assert said == "adaptive is better than baseline by 12 points [7, 17] (IQM over 5 seeds x 25 curves)"
    said = sentence("adaptive", "baseline", found(-0.12, -0.171, -0.07), 25)
    assert said == "adaptive is worse than baseline by 12 points [7, 17.1] (IQM over 5 seeds x 25 curves)"


def test_a_sure_but_small_difference_is_called_small():
    assert "better than baseline by 2 points [1, 3], less than the 5 points that matter" in sentence(
        "adaptive", "baseline", found(0.02, 0.01, 0.03), 25
    )


def test_a_tie_is_called_a_tie():
    said = sentence("adaptive", "baseline", found(0.01, -0.02, 0.04), 1)
    assert (
        said == "adaptive and baseline tie: 1 points [-2, 4], within 5 points either way (IQM over 5 seeds x 1 curve)"
    )


def test_what_cannot_be_told_comes_with_the_seeds_that_could_tell():
    wide = found(0.03, -0.09, 0.15, deviation=0.1)
    assert sentence("a", "b", wide, 25) == (
        "not enough episodes to tell a from b: 3 points [-9, 15] (IQM over 5 seeds x 25 curves); "
        "an effect of 5 points needs about 34 seeds"
    )
    assert needed(wide) == {"effect": 0.05, "seeds": 34, "episodes": 1570}
    assert needed(found(0.1, -0.1, 0.3))["effect"] == 0.1
    assert needed(found(0.1, -0.1, 0.3, seeds=1, deviation=None))["seeds"] is None
    assert "more than 1000 seeds" in sentence("a", "b", found(0.0, -0.9, 0.9, deviation=3.0), 25)


def test_never_are_as_many_seeds_asked_for_as_there_are():
    unlucky = found(0.025, -0.001, 0.051, deviation=0.02)
    assert verdict(unlucky) == "not enough episodes"
    assert needed(unlucky)["seeds"] == 6


def test_seeds_that_agree_by_chance_are_asked_for_by_their_episodes():
    same = difference(np.full((5, 4), 0.6), np.full((5, 4), 0.55), episodes=0.04)
    assert needed(same)["seeds"] == seeds_needed(0.04 * np.sqrt(5), 0.05)


def test_fifty_episodes_at_one_half_are_plus_or_minus_13_points():
    rate = wilson(25, 50)
    assert round(100 * (rate.high - rate.low) / 2) == 13
    assert Z95 * np.sqrt(0.5 * 0.5 / 50) == pytest.approx(0.1386, abs=1e-4)


def test_the_seeds_asked_for_have_80_percent_power():
    rng = np.random.default_rng(0)
    seeds = seeds_needed(0.1, 0.08)
    for n, at_least, at_most in ((seeds, 0.79, 0.84), (seeds - 2, 0.0, 0.79)):
        p = ttest_1samp(rng.normal(0.08, 0.1, (20_000, n)), 0, axis=1).pvalue
        assert at_least < (p < 0.05).mean() < at_most


def test_the_episodes_asked_for_have_80_percent_power():
    n, rng = episodes_needed(0.2, 0.5), np.random.default_rng(0)
    a, b = rng.binomial(n, 0.6, 50_000) / n, rng.binomial(n, 0.4, 50_000) / n
    z = (a - b) / np.sqrt((a * (1 - a) + b * (1 - b)) / n)
    assert n == 99
    assert (z > Z95).mean() == pytest.approx(0.8, abs=0.03)


def test_a_difference_of_one_curve_is_the_paired_t_test():
    rng = np.random.default_rng(2)
    first, second = rng.random((2, 3, 1)) * 0.2 + 0.4  # with 3 scores and their pairs nothing is trimmed
    gap = difference(first, second)
    expected = ttest_1samp((first - second)[:, 0], 0)
    low, high = expected.confidence_interval(0.95)
    assert (gap.estimate.low, gap.estimate.high) == pytest.approx((low, high))
    assert gap.p == pytest.approx(expected.pvalue)


def test_p_is_below_5_percent_just_where_the_interval_excludes_zero():
    rng = np.random.default_rng(4)
    for _ in range(100):
        first, second = rng.random((2, 5, 4)) * 0.4
        gap = difference(first + rng.random() * 0.2, second, episodes=rng.random() * 0.05)
        assert (gap.p < 0.05) == (gap.estimate.low > 0 or gap.estimate.high < 0)


def test_one_seed_has_no_p_and_the_interval_of_its_episodes():
    gap = difference(np.array([[0.6]]), np.array([[0.4]]), episodes=0.05)
    assert (gap.p, gap.deviation, gap.stratified) == (None, None, None)
    assert gap.estimate.low == pytest.approx(0.2 - Z95 * 0.05)


def test_holm_as_in_the_textbook():
    assert holm([0.01, None, 0.04, 0.03, 0.005]) == pytest.approx([0.03, None, 0.06, 0.06, 0.02])
