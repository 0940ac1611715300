"""Who wins, ties or loses: means over seeds with intervals, and paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np

Verdict = Literal["wins", "ties", "loses", "unknown"]
FEWEST = 5
"""Seeds below which nothing is said: differences of so few runs can agree by chance."""


@cache
def quantile_of_t(freedom: int) -> float:
    """The 0.975 quantile of Student's t distribution.

    With t = sqrt(k) tan(a), a has the density cos(a)^(k - 1) on (-pi / 2, pi / 2), which is integrated numerically.

    Args:
        freedom: Degrees of freedom k, at least 1.
    """
    angles = np.linspace(0.0, np.pi / 2, 200_001)
    density = np.cos(angles) ** (freedom - 1)
    area = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return float(np.sqrt(freedom) * np.tan(np.interp(0.95 * area[-1], area, angles)))


def interval(values: Sequence[float]) -> dict[str, Any]:
    """The mean over seeds with Student's interval at 95 %.

    Returns:
        ``{"value", "n", "low", "high"}``.

    Raises:
        ValueError: There are fewer than two values, which have no interval.
    """
    n = len(values)
    if n < 2:
        raise ValueError(f"an interval needs two seeds at least, not {n}")
    mean = float(np.mean(values))
    half = quantile_of_t(n - 1) * float(np.std(values, ddof=1)) / n**0.5
    return {"value": mean, "n": n, "low": mean - half, "high": mean + half}


def interquartile_mean(values: Sequence[float]) -> float:
    """The mean without the lowest and the highest quarter, each rounded down (Agarwal et al. 2021)."""
    cut = len(values) // 4
    return float(np.mean(sorted(values)[cut : len(values) - cut]))


def compare(ours: Mapping[int, float], theirs: Mapping[int, float]) -> dict[str, Any]:
    """The difference on the same seeds, ours less theirs, and what it is called.

    It wins where the whole 95 % interval of the paired difference is above zero, loses where it is below, else it ties;
    with fewer than `FEWEST` seeds that is unknown. Intervals are not adjusted for the number of comparisons.

    Args:
        ours: Success by seed, in [0, 1].
        theirs: That of the other curriculum.

    Returns:
        ``{"value", "n", "low", "high", "verdict"}``.
    """
    seeds = sorted(ours.keys() & theirs.keys())
    found = interval([ours[seed] - theirs[seed] for seed in seeds])
    verdict: Verdict = "wins" if found["low"] > 0 else "loses" if found["high"] < 0 else "ties"
    return {**found, "verdict": verdict if len(seeds) >= FEWEST else "unknown"}


def summarize(rows: Sequence[Mapping[str, Any]], controls: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each curriculum, best first.

    Args:
        rows: Outcomes of runs, see `adversarl_curricula.bench.cell.Outcome`.
        controls: Names of the curricula that all are compared with; those without outcomes are left out.
    """
    runs: dict[str, dict[int, Mapping[str, Any]]] = {}
    for row in rows:
        runs.setdefault(row["curriculum"], {})[row["seed"]] = row
    ready = {name: found for name, found in runs.items() if len(found) > 1}
    hard = {name: {seed: row["hard"] for seed, row in found.items()} for name, found in ready.items()}
    result = []
    for name, found in ready.items():
        means = {key: float(np.mean([row[key] for row in found.values()])) for key in MEANS}
        against = {
            other: compare(hard[name], hard[other])
            for other in controls
            if other != name and other in hard and len(hard[name].keys() & hard[other].keys()) > 1
        }
        summary = {
            "curriculum": name,
            "hard": interval([*hard[name].values()]),
            "iqm": interquartile_mean([*hard[name].values()]),
        }
        result.append({**summary, **means, "against": against})
    return sorted(result, key=lambda row: -row["hard"]["value"])


MEANS = ("nominal", "trial_env_steps", "unsolvable", "refused", "training_success", "seconds")
"""What is averaged over seeds beside the success on the hard set."""


WORDS: dict[Verdict, str] = {
    "wins": "win against",
    "ties": "tie with",
    "loses": "lose against",
    "unknown": "(too few seeds to say) are compared with",
}


def sentences(summary: Sequence[Mapping[str, Any]], controls: Sequence[str]) -> list[str]:
    """Who wins, ties or loses against each control, in points of success, and who played more than it trained on."""
    result = []
    for control in controls:
        compared = [row for row in summary if control in row["against"]]
        for verdict, words in WORDS.items():
            found = [row for row in compared if row["against"][control]["verdict"] == verdict]
            names = ", ".join(f"{row['curriculum']} {_points(row['against'][control])}" for row in found)
            if found or (compared and verdict == "wins"):
                result.append(f"{names or 'None'} {words} {control}.")
    aside = [f"{row['curriculum']} {row['trial_env_steps']:,.0f}" for row in summary if row["trial_env_steps"]]
    if aside:
        result.append(f"Steps of training are equal; on top of them a run played env steps aside: {', '.join(aside)}.")
    return result


def _points(found: Mapping[str, Any]) -> str:
    return f"({100 * found['value']:+.0f} [{100 * found['low']:+.0f}, {100 * found['high']:+.0f}])"
