"""Medians with their intervals, percentiles, and slopes that outliers do not move."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Any

import numpy as np


def median(values: Sequence[float]) -> dict[str, Any]:
    """The median with its distribution-free interval of at least 95 %, from order statistics.

    The interval runs from the k-th smallest to the k-th largest value, where k is the largest for which a binomial
    number of n fair coins lies below k, or above n - k, with a chance of at most 5 % (David & Nagaraja, 2003, 7.1).
    With fewer than six values no such k exists; the interval is then empty (None).

    Returns:
        ``{"median", "low", "high", "n"}``; the first three are None without values.
    """
    ordered = sorted(float(value) for value in values)
    n, k = len(ordered), _rank(len(ordered))
    return {
        "median": float(np.median(ordered)) if n else None,
        "low": ordered[k - 1] if k else None,
        "high": ordered[n - k] if k else None,
        "n": n,
    }


def _rank(n: int) -> int:
    """The largest k with P(B < k) <= 2.5 % for B ~ Binomial(n, 1/2); 0 if there is none."""
    below, k = 0.0, 0
    while k < n // 2 and (below := below + comb(n, k) / 2.0**n) <= 0.025:
        k += 1
    return k


def percentiles(values: Sequence[float], which: Sequence[int] = (5, 50, 95, 99)) -> dict[str, float | None]:
    """Percentiles under names such as ``p95``, and the largest value; None without values."""
    if not len(values):
        return {**{f"p{number}": None for number in which}, "max": None}
    found = np.percentile(np.asarray(values, float), which)
    return {**{f"p{number}": float(value) for number, value in zip(which, found, strict=True)}, "max": max(values)}


def milliseconds(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures in seconds as milliseconds with two decimals; counts stay."""
    return {name: round(1e3 * value, 2) if isinstance(value, float) else value for name, value in figures.items()}


def slope(times: Sequence[float], values: Sequence[float], most: int = 400) -> float:
    """The median of the slopes between all pairs of points (Theil, 1950; Sen, 1968); 0 with fewer than two.

    Args:
        times: Where the values were read.
        values: As many.
        most: Longer series are thinned evenly to so many points.
    """
    step = max(1, -(-len(times) // most))
    x, y = np.asarray(times[::step], float), np.asarray(values[::step], float)
    first, second = np.triu_indices(len(x), 1)
    apart = x[second] - x[first]
    rises = (y[second] - y[first])[apart > 0] / apart[apart > 0]
    return float(np.median(rises)) if len(rises) else 0.0
