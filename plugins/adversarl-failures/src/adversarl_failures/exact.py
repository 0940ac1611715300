"""The exact distribution behind the stratified test, for windows in which failures or conditions are rare."""

from __future__ import annotations

from math import lgamma

import numpy as np
from numpy.typing import NDArray


def lower_tail(a: int, total: NDArray[np.float64], n: NDArray[np.float64], m: NDArray[np.float64]) -> float:
    """Probability of at most `a` successes with the condition where it makes no difference.

    In each stratum, given its margins, that number is hypergeometric; over strata the distributions are convolved
    (Mehta, Patel and Gray 1985 with a common odds ratio of 1).

    Args:
        a: Successes with the condition, over all strata.
        total: Episodes of each stratum. Shape (strata,).
        n: Those with the condition. Shape (strata,).
        m: Those that succeeded. Shape (strata,).
    """
    distribution, lowest = np.ones(1), 0
    for big_n, some, good in zip(total.astype(int), n.astype(int), m.astype(int), strict=True):
        first = max(0, int(some + good - big_n))
        distribution = np.convolve(distribution, _hypergeometric(int(big_n), int(some), int(good), first))
        lowest += first
    return float(distribution[: max(0, a - lowest + 1)].sum())


def _hypergeometric(total: int, n: int, m: int, first: int) -> NDArray[np.float64]:
    """Probabilities of `first`, ..., min(n, m) successes among n drawn from `total`, of which m are successes."""
    constant = _log_binomial(total, n)
    last = min(n, m)
    logs = [_log_binomial(m, k) + _log_binomial(total - m, n - k) - constant for k in range(first, last + 1)]
    probabilities: NDArray[np.float64] = np.exp(np.array(logs))
    return probabilities


def _log_binomial(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
