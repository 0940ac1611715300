"""Which of two conditions is better, in a sentence that says no more than the numbers do.

The difference is that of the IQMs over seeds and curves of the area under the robustness curve, on paired seeds, with
`seed_interval`. It is

- *better* or *worse* where the interval excludes zero;
- a *tie* where the interval lies within ``margin`` on both sides, the smallest effect of interest: two one-sided tests
  at 2.5 % each (Schuirmann 1987);
- *not enough episodes* otherwise, with how many seeds would be needed.

Fewer than 5 seeds are a smoke test and have no winner. Intervals and verdicts are not corrected for the number of
comparisons; each comparison carries Holm's (1979) p beside its own, and a sentence that names a winner says so where
the correction takes it away.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

from scipy.stats import nct, norm, t

from adversarl.metrics import Z95
from adversarl.seeding import generator
from adversarl_benchmark import statistics
from adversarl_benchmark.statistics import DRAWS, Array, Estimate, iqm, jackknife_error, seed_interval, tidy

MARGIN = 0.05
"""Smallest effect of interest: 5 points of success."""
SMOKE = 5
"""Fewer seeds than this are a smoke test."""
POWER = 0.8
_Z_POWER = 0.8416212335729143
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """A condition less another one."""

    estimate: Estimate
    """Of the difference of IQMs; n is the number of paired seeds."""
    deviation: float | None
    """Standard deviation of the difference between seeds, at least that of their episodes; None with fewer than 2."""
    p: float | None
    """Two-sided, of no difference; None with fewer than 2 seeds."""
    stratified: tuple[float, float] | None
    """What rliable's stratified bootstrap would print; too narrow here, see `statistics`. None with one seed."""


def difference(first: Array, second: Array, *, episodes: float = 0.0, name: str = "") -> Difference:
    """The IQM of one score matrix less that of another one.

    Args:
        first: Shape (seeds, curves), at least one of each.
        second: The same seeds and curves of the other condition.
        episodes: Standard error of the difference from episodes alone.
        name: Names the random numbers.
    """
    seeds, curves = first.shape
    value = float(iqm(first) - iqm(second))
    if seeds < 2:
        estimate = seed_interval(value, 0.0, seeds, episodes=episodes, bounds=(-1.0, 1.0))
        return Difference(estimate, None, None, None)
    indices = statistics.stratified_indices(seeds, curves, DRAWS, generator(0, "difference", name))
    drawn = [iqm(statistics.resample(scores, indices)) for scores in (first, second)]
    stratified = statistics.percentile_interval(drawn[0] - drawn[1])
    error = float(jackknife_error(lambda one, other: iqm(one) - iqm(other), first, second))
    estimate = seed_interval(value, error, seeds, episodes=episodes, bounds=(-1.0, 1.0))
    return Difference(estimate, max(error, episodes) * sqrt(seeds), _p_value(value, error, seeds, episodes), stratified)


def _p_value(value: float, error: float, seeds: int, episodes: float) -> float:
    # The larger of two tests, as the interval is the wider of two; so that p < .05 and "excludes zero" agree.
    if value == 0.0:
        return 1.0
    over_seeds = 2 * t.sf(abs(value) / error, seeds - 1) if error else 0.0
    return float(max(over_seeds, 2 * norm.sf(abs(value) / episodes) if episodes else 0.0))


def seeds_needed(deviation: float, effect: float) -> int | None:
    """Paired seeds to tell an effect from zero with 80 % power; None where 1000 would not do.

    The power of the two-sided t test at 5 %, from the noncentral t distribution.

    Args:
        deviation: Standard deviation of the difference between seeds.
        effect: The difference to be seen, positive.
    """

    def power(seeds: int) -> float:
        shift = effect * sqrt(seeds) / max(deviation, 1e-9)
        return float(nct.sf(t.ppf(0.975, seeds - 1), seeds - 1, min(shift, 30.0)))  # scipy loses its way far beyond

    seeds = SMOKE + bisect_left(range(SMOKE, _MOST + 1), POWER, key=power)
    return seeds if seeds <= _MOST else None


def episodes_needed(effect: float, p: float = 0.5) -> int:
    """Episodes of each of two policies that differ by an effect around a success rate p, to see it with 80 % power.

    Of two success rates in one cell, the usual formula 2 p (1 - p) (z_0.975 + z_0.8)^2 / effect^2.
    """
    return ceil(2 * p * (1 - p) * (Z95 + _Z_POWER) ** 2 / effect**2)


def verdict(found: Difference, margin: float = MARGIN) -> str:
    """``better``, ``worse``, ``tie`` or ``not enough episodes``; see the module."""
    low, high = found.estimate.low, found.estimate.high
    if found.estimate.n < SMOKE:
        return "not enough episodes"
    if low > 0 or high < 0:
        return "better" if low > 0 else "worse"
    return "tie" if -margin <= low and high <= margin else "not enough episodes"


def needed(found: Difference, margin: float = MARGIN) -> dict[str, Any]:
    """What it takes to see the observed effect, or the margin where that is larger.

    Returns:
        ``{"effect", "seeds", "episodes"}``: seeds None where unknown (one seed) or above 1000; episodes of each of two
        policies in one cell.
    """
    effect = max(abs(found.estimate.value or 0.0), margin)
    seeds = None if found.deviation is None else seeds_needed(found.deviation, effect)
    if seeds is not None:  # luck left the interval open at a number that would mostly do
        seeds = max(seeds, found.estimate.n + 1)
    return {"effect": tidy(effect), "seeds": seeds, "episodes": episodes_needed(effect)}


def sentence(a: str, b: str, found: Difference, curves: int, margin: float = MARGIN) -> str:
    """The verdict in words, in points of success."""
    estimate, seeds = found.estimate, found.estimate.n
    over = f"(IQM over {seeds} seed{'s' * (seeds != 1)} x {curves} curve{'s' * (curves != 1)})"
    value = estimate.value or 0.0
    said = verdict(found, margin)
    if said in ("better", "worse"):
        sign = 1 if said == "better" else -1
        low, high = sorted((sign * estimate.low, sign * estimate.high))
        small = f", less than the {_points(margin)} points that matter" if abs(value) < margin else ""
        return f"{a} is {said} than {b} by {_points(abs(value))} points [{_points(low)}, {_points(high)}]{small} {over}"
    observed = f"{_points(value)} points [{_points(estimate.low)}, {_points(estimate.high)}]"
    if said == "tie":
        return f"{a} and {b} tie: {observed}, within {_points(margin)} points either way {over}"
    ask = needed(found, margin)
    enough = f"about {ask['seeds']}" if ask["seeds"] else f"more than {_MOST}"
    wanted = f"an effect of {_points(ask['effect'])} points needs {enough} seeds"
    if seeds < SMOKE:
        more = f", and {wanted}" if found.deviation is not None else ""
        return f"{a} against {b} is a smoke test: {observed} {over}; a comparison needs at least {SMOKE} seeds{more}"
    return f"not enough episodes to tell {a} from {b}: {observed} {over}; {wanted}"


def _points(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:g}"


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down correction of p values; None stays None and does not count."""
    order = sorted((p, index) for index, p in enumerate(ps) if p is not None)
    adjusted: list[float | None] = [None] * len(ps)
    largest = 0.0
    for rank, (p, index) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(order) - rank)))
        adjusted[index] = largest
    return adjusted
