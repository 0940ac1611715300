"""Steps to a success that not every run reaches."""

from __future__ import annotations

import numpy as np
import pytest
from adversarl_benchmark.survival import kaplan_meier, median_steps, restricted_mean, sample_efficiency, steps_to
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

STEPS = [0, 100, 200, 300]


@pytest.mark.parametrize(
    ("success", "expected"),
    [
        ((0.1, 0.6, 0.7, 0.8), (100, True)),
        ((0.1, 0.6, 0.2, 0.8), (300, False)),  # one lucky evaluation, and one that nothing confirms
        ((0.5, 0.5, 0.0, 0.0), (0, True)),  # reached is reached: a later dip takes nothing back
        ((0.0, 0.0, 0.0, 0.0), (300, False)),
    ],
)
def test_a_run_is_there_when_the_next_evaluation_says_so_too(success, expected):
    assert steps_to(STEPS, success, 0.5) == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=12))
def test_kaplan_and_meier_as_scipy_computes_them(runs):
    times = np.array([time for time, _ in runs], dtype=float)
    reached = np.array([there for _, there in runs])
    arrivals, waiting = kaplan_meier(times, reached)
    expected = ecdf(CensoredData(times[reached], right=times[~reached])).sf
    assert waiting == pytest.approx(expected.evaluate(arrivals), abs=1e-12)


def test_the_median_is_unknown_while_fewer_than_half_are_there():
    times, reached = np.array([100.0, 300.0, 300.0]), np.array([True, False, False])
    assert median_steps(times, reached) == float("inf")
    assert median_steps(times, np.array([True, True, False])) == 300.0
    assert restricted_mean(times, reached) == pytest.approx((100 + 300 + 300) / 3)


def test_reached_k_of_n_is_told_with_the_steps_of_each():
    found = sample_efficiency([(100.0, True), (200.0, True), (200.0, True), (300.0, False)])
    assert (found["reached"], found["of"], found["each"]) == (3, 4, [100.0, 200.0, 200.0, None])
    assert (found["median"], found["low"], found["high"]) == (200.0, 100.0, None)
    assert found["restricted_mean"] == 200.0


def test_no_run_reached_nothing():
    assert sample_efficiency([])["median"] is None
    never = sample_efficiency([(300.0, False)] * 5)
    assert (never["median"], never["low"], never["high"], never["restricted_mean"]) == (None, None, None, 300.0)
