"""How much there is to learn from a level, and how often it is replayed for that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def learnability(successes: Sequence[float]) -> float:
    """Learnability p (1 - p) of the success rate p, in [0, 1/4].

    Rutherford et al. 2024, "No Regrets" (sampling for learnability); Tzannetos et al. 2023.

    Args:
        successes: 1 for a success, 0 for a failure.
    """
    hits, n = sum(successes), len(successes)
    # One division, so that 1/3 and 2/3 tie.
    return hits * (n - hits) / n**2


def discounted_return(rewards: Array, gamma: float) -> float:
    """sum_t gamma^t r_t, the unit that values are in. Shape (T,)."""
    return float(rewards @ gamma ** np.arange(len(rewards)))


def positive_value_loss(rewards: Array, values: Array, end: float, gamma: float, gae_lambda: float) -> float:
    """1/T sum_t max(sum_{k=t}^{T-1} (gamma lambda)^(k-t) delta_k, 0), delta_k = r_k + gamma V(s_{k+1}) - V(s_k).

    Jiang et al. 2021, "Replay-Guided Adversarial Environment Design" (PVL).

    Args:
        rewards: Reward of each step. Shape (T,).
        values: V(s_t) before each step. Shape (T,).
        end: V(s_T), after the last step.
        gamma: Discount per step.
        gae_lambda: Bias against variance of the advantages.
    """
    delta = rewards + gamma * np.append(values[1:], end) - values
    total, advantage = 0.0, 0.0
    for one in reversed(delta.tolist()):
        advantage = one + gamma * gae_lambda * advantage
        total += max(advantage, 0.0)
    return total / len(delta)


def maximum_monte_carlo(highest: float, values: Array) -> float:
    """1/T sum_t (R_max - V(s_t)): how far the critic is below the best that was ever achieved.

    Jiang et al. 2021, "Replay-Guided Adversarial Environment Design" (MaxMC). It was made for a reward at the end
    alone; where rewards are dense, R_max also holds what was earned before s_t.

    Args:
        highest: Highest discounted return achieved, R_max.
        values: V(s_t) before each step. Shape (T,).
    """
    return float(highest - values.mean())


def rank_weights(scores: Sequence[float], beta: float) -> Array:
    """P_score: rank^(-1/beta) over its sum, where the highest score has rank 1. Shape (n,), sums to 1.

    Jiang et al. 2021, "Prioritized Level Replay", section 3. Equal scores share the weight of the ranks they take,
    which is what breaking ties at random gives on average.

    Args:
        scores: Scores of n levels.
        beta: Temperature; lower is greedier.
    """
    descending = -np.asarray(scores, dtype=np.float64)
    by_rank: Array = np.arange(1, len(descending) + 1, dtype=np.float64) ** (-1 / beta)
    group, sizes = np.unique(descending, return_inverse=True, return_counts=True)[1:]
    shared: Array = (np.add.reduceat(by_rank, np.cumsum(sizes) - sizes) / sizes)[group]
    return shared / float(by_rank.sum())


def stale_weights(ages: Sequence[int]) -> Array:
    """P_stale: c - C_i over its sum; uniform while nothing has aged. Shape (n,), sums to 1.

    Jiang et al. 2021, "Prioritized Level Replay", section 3.

    Args:
        ages: Levels sampled, c, since each of n levels was sampled last, at C_i.
    """
    array = np.asarray(ages, dtype=np.float64)
    total = array.sum()
    return array / total if total > 0 else np.full(len(array), 1 / len(array))


def replay_weights(scores: Sequence[float], ages: Sequence[int], beta: float, rho: float) -> Array:
    """P_replay = (1 - rho) P_score + rho P_stale. Shape (n,), sums to 1.

    Jiang et al. 2021, "Prioritized Level Replay", section 3.
    """
    return (1 - rho) * rank_weights(scores, beta) + rho * stale_weights(ages)
