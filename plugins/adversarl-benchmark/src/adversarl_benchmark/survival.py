"""Environment steps to a success, where some runs never get there: right-censored sample efficiency.

A run *reaches* the threshold at the first evaluation along the way whose success is at least the threshold and whose
next evaluation confirms it. One evaluation of few episodes jumps over a threshold by luck sooner or later; two in a row
seldom do; asking it to stay there for good would punish a long training for one late dip. The last evaluation has no
next one: a run that is not confirmed by then is censored there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.seeding import generator
from adversarl_benchmark.statistics import DRAWS, Array, tidy


def steps_to(steps: Sequence[float], success: Sequence[float], threshold: float) -> tuple[float, bool]:
    """When a run reached the threshold, and True; or when it was last looked at, and False.

    Args:
        steps: Environment steps of its evaluations, in order. At least one.
        success: Success rates in [0, 1], as many.
        threshold: In [0, 1].
    """
    for index in range(len(steps) - 1):
        if min(success[index], success[index + 1]) >= threshold:
            return float(steps[index]), True
    return float(steps[-1]), False


def kaplan_meier(times: Array, reached: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Share of runs that are not there yet (Kaplan and Meier 1958).

    Args:
        times: When each run reached or was last seen. Shape (runs,).
        reached: Which it was. Shape (runs,).

    Returns:
        Times at which a run arrives, ascending, and the share right after each. Shape (times,) both.
    """
    arrivals = np.unique(times[reached])
    at_risk = (times[None, :] >= arrivals[:, None]).sum(axis=1)
    arriving = (times[reached][None, :] == arrivals[:, None]).sum(axis=1)
    return arrivals, np.cumprod(1 - arriving / at_risk)


def median_steps(times: Array, reached: NDArray[np.bool_]) -> float:
    """When half of the runs are there; infinite where they never are."""
    arrivals, waiting = kaplan_meier(times, reached)
    there = np.flatnonzero(waiting <= 0.5 + 1e-12)
    return float(arrivals[there[0]]) if len(there) else float("inf")


def restricted_mean(times: Array, reached: NDArray[np.bool_]) -> float:
    """Mean steps to the threshold, counted up to the last look: the area under `kaplan_meier`."""
    arrivals, waiting = kaplan_meier(times, reached)
    edges = np.concatenate([[0.0], arrivals, [times.max()]])
    return float((np.diff(edges) * np.concatenate([[1.0], waiting])).sum())


def sample_efficiency(runs: Sequence[tuple[float, bool]], name: str = "") -> dict[str, Any]:
    """Steps to the threshold over seeds.

    Args:
        runs: `steps_to` of every seed.
        name: Names the random numbers.

    Returns:
        ``{"median", "low", "high", "restricted_mean", "reached", "of", "each"}`` in environment steps;
        None stands for *not within the training*. The interval of the median is the percentile bootstrap of
        seeds: with 5 seeds it is nearly their whole range.
    """
    each = [time if there else None for time, there in runs]
    result: dict[str, Any] = {"reached": sum(there for _, there in runs), "of": len(runs), "each": each}
    if not runs:
        return {"median": None, "low": None, "high": None, "restricted_mean": None, **result}
    times = np.array([time for time, _ in runs])
    reached = np.array([there for _, there in runs], dtype=bool)
    drawn = generator(0, "sample efficiency", name).integers(len(runs), size=(DRAWS, len(runs)))
    medians = np.sort([median_steps(times[index], reached[index]) for index in drawn])
    low, high = medians[int(0.025 * DRAWS)], medians[int(0.975 * DRAWS)]
    return {
        "median": _finite(median_steps(times, reached)),
        "low": _finite(low),
        "high": _finite(high),
        "restricted_mean": tidy(restricted_mean(times, reached)),
        **result,
    }


def _finite(steps: float) -> float | None:
    return float(steps) if np.isfinite(steps) else None
