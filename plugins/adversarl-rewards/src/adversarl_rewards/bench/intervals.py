"""Intervals of what is no share, from a bootstrap over episodes: pictures of one episode resemble each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.metrics import wilson

DRAWS = 1000
"""Bootstrap samples."""
CHUNK = 2_000_000
"""Weights held at a time."""
Weighted = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Statistics of n pictures under weights of Shape (draws, n); nan where one cannot be had. Shape (draws,)."""


def balanced_accuracies(success: NDArray[np.bool_], said: NDArray[np.bool_]) -> Weighted:
    """Means of the shares of solved and of unsolved pictures that are told right."""
    right = (success == said).astype(np.float64)

    def weighted(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        shares = [_divide(weights[:, of] @ right[of], weights[:, of].sum(axis=1)) for of in (success, ~success)]
        return np.asarray((shares[0] + shares[1]) / 2)

    return weighted


def aurocs(success: NDArray[np.bool_], scores: NDArray[np.float64]) -> Weighted:
    """Areas under the ROC curve: how often a solved picture scores above an unsolved one, ties counted half."""
    order = np.argsort(scores, kind="stable")
    first = np.flatnonzero(np.diff(scores[order], prepend=-np.inf) != 0)

    def weighted(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        solved = np.add.reduceat(weights[:, order] * success[order], first, axis=1)
        unsolved = np.add.reduceat(weights[:, order] * ~success[order], first, axis=1)
        below = np.cumsum(unsolved, axis=1) - unsolved / 2
        return _divide((solved * below).sum(axis=1), solved.sum(axis=1) * unsolved.sum(axis=1))

    return weighted


def bounded(
    statistic: Weighted,
    success: NDArray[np.bool_],
    episode: NDArray[np.int64],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """A statistic with its percentile interval at 95 % over `DRAWS` resamples of whole episodes.

    Where everything is told right nothing varies; the lower bound is then the mean of Wilson's for the episodes with
    solved pictures and for those with others. One episode alone bounds nothing.

    Args:
        statistic: Of pictures under weights.
        success: The truth. Shape (n,).
        episode: Which episode each picture is from. Shape (n,).
        rng: Draws the resamples.

    Returns:
        ``{"value", "low", "high"}``; value is None where all pictures are solved, or none is.
    """
    value = float(statistic(np.ones((1, len(success))))[0]) if success.any() and not success.all() else None
    if value is None or len(np.unique(episode)) == 1:
        return {"value": value, "low": 0.0, "high": 1.0}
    if value == 1:
        counts = [len(np.unique(episode[of])) for of in (success, ~success)]
        return {"value": 1.0, "low": sum(wilson(n, n).low for n in counts) / 2, "high": 1.0}
    drawn = _resampled(statistic, episode, rng)
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return {"value": value, "low": min(float(low), value), "high": max(float(high), value)}


def _resampled(statistic: Weighted, episode: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    _, member = np.unique(episode, return_inverse=True)
    n = int(member.max()) + 1
    found, step = list[NDArray[np.float64]](), max(1, CHUNK // len(episode))
    for begin in range(0, DRAWS, step):
        times = rng.multinomial(n, np.full(n, 1 / n), size=min(step, DRAWS - begin))
        found.append(statistic(times[:, member].astype(np.float64)))
    return np.concatenate(found)


def _divide(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))
