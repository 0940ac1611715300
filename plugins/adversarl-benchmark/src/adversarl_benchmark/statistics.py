"""What a matrix of scores says and how sure it is: aggregates, resampling, intervals over seeds.

A score matrix has Shape (seeds, curves): one number for each trained policy and each held-out curve, in [0, 1] here.
Aggregates take any leading axes, so that all draws of a bootstrap are one call.

Two kinds of interval at 95 %:

- `percentile_interval` of `stratified_indices` draws the seeds of every curve independently. That is rliable's
  StratifiedBootstrap (Agarwal et al. 2021, arXiv 2108.13264), to the digit for the same indices. It is right where
  every score comes from a training run of its own, as in Atari.
- `seed_interval` leaves out whole seeds: the jackknife's standard error (Tukey 1958) times Student's t. Here one policy
  plays all curves, so that its scores rise and fall together and the seed is what repeats.

How often an interval of a difference of IQMs held the truth in simulated benchmarks (400 each; 25 curves, 20 episodes
a cell, seeds that differ by 2 to 7 points): with 5 seeds 40 to 77 % (stratified), 82 to 84 % (percentile bootstrap of
whole seeds), 93 to 96 % (`seed_interval`); with 10 seeds 47 to 81 %, 88 to 91 %, 94 to 96 %. Where two conditions were
equal, the stratified interval named a winner in 30 to 62 % of 300 to 1000 tables, `seed_interval` in 2 to 7 %. Hence
verdicts use `seed_interval`; the stratified one stands beside it for those who compare with rliable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t

from adversarl.metrics import Z95

Array = NDArray[np.float64]
Metric = Callable[[Array], Array]

DRAWS = 2000
"""Draws of a bootstrap."""
PRECISION = 6
"""Decimals of the numbers that are written."""


def mean(scores: Array) -> Array:
    """Mean over seeds and curves. Shape (..., seeds, curves) to (...)."""
    return np.asarray(scores.mean(axis=(-2, -1)))


def median(scores: Array) -> Array:
    """Median over curves of the mean over seeds. Shape (..., seeds, curves) to (...)."""
    return np.asarray(np.median(scores.mean(axis=-2), axis=-1))


def iqm(scores: Array) -> Array:
    """Interquartile mean: the mean of the middle half of all scores. Shape (..., seeds, curves) to (...)."""
    flat = np.sort(scores.reshape(*scores.shape[:-2], -1), axis=-1)
    cut = int(0.25 * flat.shape[-1])
    return np.asarray(flat[..., cut : flat.shape[-1] - cut].mean(axis=-1))


def optimality_gap(scores: Array, gamma: float = 1.0) -> Array:
    """How far scores, cut at `gamma`, stay below it on average. Shape (..., seeds, curves) to (...)."""
    return np.asarray(gamma - np.minimum(scores, gamma).mean(axis=(-2, -1)))


METRICS: dict[str, Metric] = {"auc": iqm, "mean": mean, "median": median, "optimality_gap": optimality_gap}
"""Aggregates by their key in results.json."""


def probability_of_improvement(first: Array, second: Array) -> Array:
    """How often a seed of the first beats a seed of the second on a curve, ties count half; mean over curves.

    The Mann-Whitney statistic over the number of pairs, as in rliable.

    Args:
        first: Shape (..., seeds, curves).
        second: Shape (..., seeds', curves).
    """
    one, other = first[..., :, None, :], second[..., None, :, :]
    return np.asarray(((one > other) + 0.5 * (one == other)).mean(axis=(-3, -2, -1)))


def performance_profile(scores: Array, taus: ArrayLike) -> Array:
    """Share of scores above each threshold. Shape (..., seeds, curves) to (..., taus)."""
    return np.asarray((scores[..., None] > np.asarray(taus)).mean(axis=(-3, -2)))


def stratified_indices(seeds: int, curves: int, draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Seeds drawn with replacement for every curve by itself. Shape (draws, seeds, curves)."""
    return rng.integers(seeds, size=(draws, seeds, curves))


def resample(scores: Array, indices: NDArray[np.int64]) -> Array:
    """Scores of drawn seeds. Shape (seeds, curves) and (draws, seeds, curves) to (draws, seeds, curves).

    The same indices for two conditions keep them paired: a seed fixes the initial weights, the warm start and the
    episodes of both, and what they share cancels in a difference.
    """
    return np.asarray(scores[indices, np.arange(scores.shape[1])])


def percentile_interval(values: Array) -> tuple[float, float]:
    """The 2.5 % and 97.5 % quantiles of a bootstrap. Shape (draws,)."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def jackknife_error(statistic: Callable[..., Array], *matrices: Array) -> Array:
    """Standard error over seeds, from leaving each out once (Tukey 1958).

    Args:
        statistic: Of matrices with one leading axis.
        matrices: Shape (seeds, curves) each; the same seed is left out of all of them. At least 2 seeds.
    """
    seeds = len(matrices[0])
    kept = np.array([[other for other in range(seeds) if other != seed] for seed in range(seeds)])
    without = statistic(*(matrix[kept] for matrix in matrices))
    return np.asarray(np.sqrt((seeds - 1) / seeds * ((without - without.mean(axis=0)) ** 2).sum(axis=0)))


@lru_cache(maxsize=64)
def t95(freedom: int) -> float:
    """Two-sided 95 % quantile of Student's t."""
    return float(t.ppf(0.975, freedom))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval at 95 % and how many seeds or episodes it rests on; value None where unknown."""

    value: float | None
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, Any]:
        """``{"value", "low", "high", "n"}``."""
        value = None if self.value is None else tidy(self.value)
        return {"value": value, "low": tidy(self.low), "high": tidy(self.high), "n": self.n}


def tidy(number: float) -> float:
    """Six decimals, and no minus before a zero."""
    return round(float(number), PRECISION) + 0.0


def seed_interval(
    value: float, error: float, seeds: int, *, episodes: float = 0.0, bounds: tuple[float, float] = (0.0, 1.0)
) -> Estimate:
    """An estimate whose interval speaks of new seeds, on the same episodes.

    Args:
        value: The number.
        error: Its standard error over seeds; ignored where there is one seed.
        seeds: Number of seeds.
        episodes: Its standard error from the episodes alone, below which the interval never falls: five seeds that
            agree by chance know no more than their episodes. The only one that a single seed has.
        bounds: Where the interval ends.
    """
    spread = t95(seeds - 1) * error if seeds > 1 else 0.0
    half = max(spread, Z95 * episodes)
    return Estimate(value, max(bounds[0], value - half), min(bounds[1], value + half), seeds)


def aggregate(scores: Array, metric: Metric, *, episodes: float = 0.0) -> Estimate:
    """An aggregate of a score matrix in [0, 1] with its `seed_interval`. Shape (seeds, curves)."""
    seeds = len(scores)
    error = float(jackknife_error(metric, scores)) if seeds > 1 else 0.0
    return seed_interval(float(metric(scores)), error, seeds, episodes=episodes)


def improvement(first: Array, second: Array) -> Estimate:
    """`probability_of_improvement` of paired seeds, with an interval. Shape (seeds, curves) each.

    Where every pair agrees the jackknife sees no spread; the error of a share of seeds squared pairs is the least.
    """
    seeds = len(first)
    value = float(probability_of_improvement(first, second))
    error = float(jackknife_error(probability_of_improvement, first, second)) if seeds > 1 else 0.0
    return seed_interval(value, error, seeds, episodes=sqrt(float(binomial_variance(value * seeds**2, seeds**2))))


def binomial_variance(successes: ArrayLike, n: ArrayLike) -> Array:
    """Variance of a share of n episodes, at Jeffreys' estimate (s + 1/2) / (n + 1), which is never 0 or 1."""
    total = np.maximum(np.asarray(n, dtype=float), 1e-9)
    p = (np.asarray(successes, dtype=float) + 0.5) / (total + 1)
    return np.asarray(p * (1 - p) / total)
