"""What a success rate is worth: intervals and the area under the robustness curve."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

from adversarl.seeding import generator
from adversarl.types import CellResult, Rate

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def wilson(successes: int, n: int) -> Rate:
    """A proportion with its Wilson score interval at 95 % (Wilson 1927).

    Unlike the normal approximation it stays inside [0, 1] and is honest at 0 and n successes. For n = 0 the
    interval is [0, 1].
    """
    if n == 0:
        return Rate(0, 0, 0.0, 1.0)
    p, z2 = successes / n, Z95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # At the ends the formula is exact in the reals; floats would leave 1e-17.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Rate(successes, n, low, high)


def rate(results: Sequence[bool]) -> Rate:
    """`wilson` of a sequence of outcomes."""
    return wilson(sum(results), len(results))


def robustness_curve(results: Sequence[CellResult], axis: str = "mixed") -> dict[float, Rate]:
    """Success over intensity for one axis of an evaluation, or for all axes ``mixed``."""
    return {cell.intensity: rate(cell.success) for cell in results if cell.axis == axis}


def robustness_auc(results: Sequence[CellResult], axis: str = "mixed", draws: int = 20_000) -> dict[str, Any]:
    """Mean success over the intensities of a curve, with an interval at 95 %.

    Each intensity weighs the same whatever its number of episodes. The interval is the equal-tailed one of the mean
    of independent Jeffreys posteriors Beta(s + 1/2, n - s + 1/2), one per intensity (Brown, Cai and DasGupta 2001);
    unlike a bootstrap it has a width where no episode, or every episode, succeeds.

    Returns:
        ``{"value", "n", "low", "high"}`` with n the number of episodes over all cells; value is None without any.
    """
    cells = [(sum(cell.success), len(cell.success)) for cell in results if cell.axis == axis]
    if not cells:
        return {"value": None, "n": 0, "low": 0.0, "high": 1.0}
    rng = generator(0, "robustness_auc")
    means = np.mean([rng.beta(s + 0.5, n - s + 0.5, draws) for s, n in cells], axis=0)
    low, high = np.quantile(means, [0.025, 0.975])
    value = float(np.mean([s / n for s, n in cells]))
    return {
        "value": value,
        "n": sum(n for _, n in cells),
        "low": min(float(low), value),
        "high": max(float(high), value),
    }


def paired_gap(first: Sequence[bool], second: Sequence[bool]) -> dict[str, Any]:
    """Success of the second less success of the first on the same episodes, with an interval at 95 %.

    The interval is Bonett and Price's (2012) adjusted one for paired proportions: a Wald interval after one episode of
    either disagreement is added, so that it has a width where the two never disagree.

    Args:
        first: Outcomes in one world.
        second: Outcomes of the same episodes in another one. As long as `first`.

    Returns:
        ``{"value", "n", "low", "high"}``; value is None without any episode.
    """
    n = len(first)
    if not n:
        return {"value": None, "n": 0, "low": -1.0, "high": 1.0}
    won = sum(b and not a for a, b in zip(first, second, strict=True))
    lost = sum(a and not b for a, b in zip(first, second, strict=True))
    gained, missed = (won + 1) / (n + 2), (lost + 1) / (n + 2)
    centre = gained - missed
    half = Z95 * sqrt((gained + missed - centre**2) / (n + 2))
    value = (won - lost) / n
    low, high = max(-1.0, centre - half), min(1.0, centre + half)
    return {"value": value, "n": n, "low": min(low, value), "high": max(high, value)}
