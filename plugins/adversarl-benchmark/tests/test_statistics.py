"""Aggregates and intervals: by hand, by scipy, and by rliable to 1e-9 with the same draws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from adversarl_benchmark import statistics
from adversarl_benchmark.statistics import (
    METRICS,
    Estimate,
    aggregate,
    improvement,
    jackknife_error,
    mean,
    percentile_interval,
    performance_profile,
    probability_of_improvement,
    resample,
    seed_interval,
    stratified_indices,
)
from scipy.stats import trim_mean

DATA = Path(__file__).parent / "data"
RLIABLE = json.loads((DATA / "rliable.json").read_text())
NAMES = {"mean": "mean", "median": "median", "iqm": "auc", "optimality_gap": "optimality_gap"}


def matrices():
    atari = json.loads((DATA / "atari_100k.json").read_text())
    low, high = (np.array(list(atari[key].values())) for key in ("random", "human"))
    published = {
        one["agent"].lower(): (np.array(list(one["scores"].values())).T - low) / (high - low) for one in atari["papers"]
    }
    return {key: np.array(one, dtype=float) for key, one in RLIABLE["matrices"].items()} | published


MATRICES = matrices()


def drawn(shapes):
    """The indices that rliable draws after `np.random.seed(0)`, one matrix after the other in every repetition."""
    random = np.random.RandomState(RLIABLE["seed"])
    draws = [[random.choice(shape[0], shape, replace=True) for shape in shapes] for _ in range(RLIABLE["reps"])]
    return [np.array(one) for one in zip(*draws, strict=True)]


@pytest.mark.parametrize("name", RLIABLE["aggregates"])
def test_aggregates_are_those_of_rliable(name):
    for metric, expected in RLIABLE["aggregates"][name].items():
        assert METRICS[NAMES[metric]](MATRICES[name]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", RLIABLE["intervals"])
def test_stratified_intervals_are_those_of_rliable_for_the_same_draws(name):
    scores = MATRICES[name]
    sample = resample(scores, *drawn([scores.shape]))
    for metric, expected in RLIABLE["intervals"][name].items():
        assert percentile_interval(METRICS[NAMES[metric]](sample)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", RLIABLE["profiles"])
def test_performance_profiles_are_those_of_rliable(name):
    scores, expected = MATRICES[name], RLIABLE["profiles"][name]
    assert performance_profile(scores, expected["taus"]) == pytest.approx(expected["value"], abs=1e-9)
    bands = np.percentile(
        performance_profile(resample(scores, *drawn([scores.shape])), expected["taus"]), [2.5, 97.5], 0
    )
    assert bands == pytest.approx(np.array([expected["low"], expected["high"]]), abs=1e-9)


@pytest.mark.parametrize("expected", RLIABLE["improvement"], ids=lambda one: f"{one['a']}-{one['b']}")
def test_probability_of_improvement_is_that_of_rliable(expected):
    first, second = MATRICES[expected["a"]], MATRICES[expected["b"]]
    assert probability_of_improvement(first, second) == pytest.approx(expected["value"], abs=1e-9)
    i, j = drawn([first.shape, second.shape])
    found = percentile_interval(probability_of_improvement(resample(first, i), resample(second, j)))
    assert found == pytest.approx((expected["low"], expected["high"]), abs=1e-9)


def test_rliable_itself_agrees_on_random_matrices():
    library = pytest.importorskip("rliable.library")  # needs arch < 8 and pandas < 3
    metrics = pytest.importorskip("rliable.metrics")
    theirs = {"auc": metrics.aggregate_iqm, "mean": metrics.aggregate_mean, "median": metrics.aggregate_median}
    theirs["optimality_gap"] = metrics.aggregate_optimality_gap
    rng = np.random.default_rng(3)
    for shape in ((1, 7), (2, 3), (5, 25), (10, 4)):
        scores, other = rng.integers(6, size=(2, *shape)) / 5
        for name, metric in METRICS.items():
            assert metric(scores) == pytest.approx(theirs[name](scores), abs=1e-9)
        expected = metrics.probability_of_improvement(scores, other)
        assert probability_of_improvement(scores, other) == pytest.approx(expected, abs=1e-9)
        np.random.seed(RLIABLE["seed"])  # noqa: NPY002  # rliable draws from the global generator
        _, bounds = library.get_interval_estimates({"one": scores}, lambda x: np.array([theirs["auc"](x)]), reps=200)
        found = percentile_interval(METRICS["auc"](resample(scores, *drawn([shape]))))
        assert found == pytest.approx(bounds["one"].ravel(), abs=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 5), (5, 25), (10, 26)])
def test_the_interquartile_mean_is_the_trimmed_mean_of_scipy(shape):
    scores = np.random.default_rng(0).random(shape)
    assert METRICS["auc"](scores) == pytest.approx(trim_mean(scores, 0.25, axis=None), abs=1e-12)


def test_draws_stay_within_their_curve_and_differ_between_curves():
    scores = np.array([[0, 10], [1, 11], [2, 12]], dtype=float)
    sample = resample(scores, stratified_indices(3, 2, 500, np.random.default_rng(0)))
    assert set(sample[:, :, 0].ravel()) == {0, 1, 2}
    assert set(sample[:, :, 1].ravel()) == {10, 11, 12}
    assert not (sample[:, :, 0] + 10 == sample[:, :, 1]).all()


def test_the_jackknife_of_a_mean_is_its_textbook_error():
    scores = np.random.default_rng(1).random((6, 4))
    by_seed = scores.mean(axis=1)
    assert jackknife_error(mean, scores) == pytest.approx(by_seed.std(ddof=1) / np.sqrt(6))
    assert aggregate(scores, mean).low == pytest.approx(
        by_seed.mean() - 2.570582 * by_seed.std(ddof=1) / np.sqrt(6), abs=1e-6
    )


def test_seeds_that_agree_by_chance_know_no_more_than_their_episodes():
    same = np.full((5, 3), 0.5)
    assert aggregate(same, mean) == Estimate(0.5, 0.5, 0.5, 5)
    assert aggregate(same, mean, episodes=0.1).high == pytest.approx(0.696, abs=1e-3)


def test_an_interval_ends_where_success_ends():
    assert seed_interval(0.9, 0.2, 3) == Estimate(0.9, pytest.approx(0.9 - 4.302653 * 0.2, abs=1e-6), 1.0, 3)


def test_one_seed_has_the_interval_of_its_episodes():
    assert aggregate(np.array([[0.4, 0.6]]), mean, episodes=0.05).high == pytest.approx(0.598, abs=1e-3)


def test_five_seeds_that_always_win_are_no_certainty():
    won = improvement(np.ones((5, 2)), np.zeros((5, 2)))
    assert won.value == 1.0
    assert 0.9 < won.low < 0.96
    assert improvement(np.ones((5, 2)), np.ones((5, 2))).value == 0.5


def test_a_written_number_has_six_decimals_and_no_negative_zero():
    assert str(statistics.tidy(-1e-9)) == "0.0"
    assert Estimate(None, 0.0, 1 / 3, 0).to_json() == {"value": None, "low": 0.0, "high": 0.333333, "n": 0}
