from __future__ import annotations

import numpy as np
import pytest

from adversarl.metrics import paired_gap, rate, robustness_auc, robustness_curve, wilson
from adversarl.types import CellResult


# Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I,
# method 3 (score without continuity correction).
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_intervals_are_the_published_ones(successes, n, low, high):
    result = wilson(successes, n)
    assert (round(result.low, 4), round(result.high, 4)) == (low, high)
    assert result.value == successes / n


def test_wilson_is_exact_at_the_ends_and_knows_nothing_of_nothing():
    assert wilson(0, 10).low == 0.0
    assert wilson(10, 10).high == 1.0
    assert (wilson(0, 0).low, wilson(0, 0).high, wilson(0, 0).n) == (0.0, 1.0, 0)


def test_wilson_mirrors_success_and_failure():
    a, b = wilson(3, 17), wilson(14, 17)
    assert (a.low, a.high) == pytest.approx((1 - b.high, 1 - b.low))


def cell(intensity, success, axis="mixed"):
    return CellResult(axis, intensity, tuple(range(len(success))), tuple(success), (0.0,) * len(success))


def test_a_curve_takes_one_axis():
    results = [cell(0.0, [True]), cell(1.0, [False, True]), cell(1.0, [False], "fog")]
    assert {k: v.value for k, v in robustness_curve(results).items()} == {0.0: 1.0, 1.0: 0.5}
    assert {k: v.value for k, v in robustness_curve(results, "fog").items()} == {1.0: 0.0}


def test_the_area_weighs_every_intensity_the_same_whatever_its_episodes():
    auc = robustness_auc([cell(0.0, [True] * 90), cell(1.0, [False] * 10)])
    assert (auc["value"], auc["n"]) == (0.5, 100)


# Brown, Cai and DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16 (2001), table 5:
# Jeffreys prior interval for n = 10. The area of a single intensity is a proportion.
@pytest.mark.parametrize(("successes", "low", "high"), [(1, 0.011, 0.381), (2, 0.044, 0.503), (5, 0.224, 0.776)])
def test_the_interval_of_one_intensity_is_the_published_one(successes, low, high):
    auc = robustness_auc([cell(0.0, [True] * successes + [False] * (10 - successes))], draws=200_000)
    assert (auc["low"], auc["high"]) == pytest.approx((low, high), abs=0.003)


def test_the_interval_of_the_area_is_that_of_a_mean_and_repeats_itself():
    rng = np.random.default_rng(0)
    results = [cell(i, (rng.random(100) < 0.7).tolist()) for i in (0.0, 0.5, 1.0)]
    auc = robustness_auc(results)
    assert auc == robustness_auc(results)
    # Standard error of a mean of 300 Bernoulli outcomes at 0.7 is 0.0265; the 95 % interval is about ±0.052.
    assert auc["high"] - auc["low"] == pytest.approx(4 * 0.0265, rel=0.15)
    assert auc["low"] < auc["value"] < auc["high"]


@pytest.mark.parametrize("success", [True, False])
def test_an_area_without_a_failure_or_a_success_still_has_an_interval(success):
    auc = robustness_auc([cell(i, [success] * 20) for i in (0.0, 1.0)])
    assert auc["value"] == float(success)
    assert 0.0 < auc["high"] - auc["low"] < 0.2


def test_no_cells_give_no_area():
    assert robustness_auc([]) == {"value": None, "n": 0, "low": 0.0, "high": 1.0}


def test_rate_counts_outcomes():
    assert rate([True, False, True, True]) == wilson(3, 4)


def test_the_gap_of_paired_episodes_counts_only_those_that_differ():
    first = [True] * 60 + [False] * 40
    second = [True] * 40 + [False] * 55 + [True] * 5
    gap = paired_gap(first, second)
    assert (gap["value"], gap["n"]) == (pytest.approx(-0.15), 100)
    # Bonett and Price (2012): (b + 1 - c - 1) / (n + 2) -/+ 1.96 sqrt((p + q - (p - q)^2) / (n + 2)), b = 5, c = 20
    centre = -15 / 102
    half = 1.959964 * ((27 / 102 - centre**2) / 102) ** 0.5
    assert (gap["low"], gap["high"]) == (pytest.approx(centre - half), pytest.approx(centre + half))


def test_the_gap_has_a_width_where_no_pair_differs_and_none_without_episodes():
    same = paired_gap([True] * 10, [True] * 10)
    assert same["low"] < same["value"] == 0 < same["high"]
    assert paired_gap([], []) == {"value": None, "n": 0, "low": -1.0, "high": 1.0}
