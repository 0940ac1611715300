"""How much a condition lowers success, other things being about equal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adversarl_failures.exact import lower_tail

STRATA = (0.0, 0.05, 0.125, 0.25, 0.5, 0.75)
"""Lower bounds (exclusive) of the strata of the other axes' mean intensity; below the first is nothing else at all.

They contain the thresholds at which a condition is split: where all axes share one intensity, a stratum has all its
episodes on one side of a threshold, and so blames none of them."""
PERIODS = 2
"""The window is also stratified by time, because a policy in training changes while the curriculum does."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Episodes with a condition against comparable ones without it.

    Attributes:
        successes: Successes with it.
        n: Episodes with it that have comparable ones without.
        control_n: Comparable episodes without it.
        effect: Success without minus success with it, in [-1, 1].
        z: Mantel-Haenszel test statistic, continuity corrected, 0 where success is not lower with the condition;
            otherwise standard normal where the condition makes no difference.
        margins: Episodes, episodes with it and successes of each stratum. Shape (3, strata).
    """

    successes: int
    n: int
    control_n: int
    effect: float
    z: float
    margins: NDArray[np.float64]

    @property
    def p_value(self) -> float:
        """Exact probability of so few successes with the condition where it makes no difference."""
        return lower_tail(self.successes, *self.margins)

    def interval(self, quantile: float) -> tuple[float, float]:
        """Test-based interval of the effect at a quantile of the normal distribution (Miettinen 1976)."""
        if self.z <= 0:
            return -1.0, 1.0
        half = self.effect * quantile / self.z
        return max(-1.0, self.effect - half), min(1.0, self.effect + half)


NOTHING = Contrast(0, 0, 0, 0.0, 0.0, np.zeros((3, 0)))
"""No episodes to compare."""


def strata_of(others: NDArray[np.float64]) -> NDArray[np.intp]:
    """The stratum of each episode.

    Args:
        others: Mean intensity of the other axes, in time order. Shape (n,).

    Returns:
        Index of its stratum of intensity and time. Shape (n,).
    """
    # A mean of equal intensities is only equal to them up to rounding.
    level = np.searchsorted(np.array(STRATA), others - 1e-9)
    period = np.arange(len(others)) * PERIODS // max(1, len(others))
    return level * PERIODS + period


def crossed(first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.intp]:
    """Strata in which both numbers agree. Shape (n,)."""
    return first * (int(second.max(initial=0)) + 1) + second


def contrast(condition: NDArray[np.bool_], success: NDArray[np.bool_], strata: NDArray[np.intp]) -> Contrast:
    """Compares within strata (Mantel and Haenszel 1959; risk difference of Greenland and Robins 1985).

    A stratum has N episodes, n with the condition, m successful, a both. The condition lacks sum(n m / N - a)
    successes; over the weights sum(n (N - n) / N) that is the mean difference of the two rates, and its variance where
    the condition makes no difference is sum(n (N - n) m (N - m) / (N^2 (N - 1))). Strata that have only one kind
    weigh nothing.

    Args:
        condition: Whether each episode has it. Shape (n,).
        success: Whether each episode succeeded. Shape (n,).
        strata: Stratum of each episode. Shape (n,).
    """
    size = int(strata.max(initial=0)) + 1
    total = np.bincount(strata, minlength=size).astype(float)
    n = np.bincount(strata, condition, size)
    informative = (n > 0) & (n < total)
    total, n = total[informative], n[informative]
    a = np.bincount(strata, condition & success, size)[informative]
    m = np.bincount(strata, success, size)[informative]
    weight = (n * (total - n) / total).sum()
    if not weight:
        return NOTHING
    deficit = (n * m / total - a).sum()
    variance = (n * (total - n) * m * (total - m) / (total**2 * (total - 1))).sum()
    z = max(0.0, deficit - 0.5) / np.sqrt(variance) if variance > 0 else 0.0
    counts = int(a.sum()), int(n.sum()), int((total - n).sum())
    return Contrast(*counts, float(deficit / weight), float(z), np.stack([total, n, m]))
