"""Whether the success rate has changed."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt


def two_proportion_z(first: int, n_first: int, second: int, n_second: int) -> float:
    """Pooled two-proportion statistic, standard normal where both rates are equal (Agresti 2013, section 3.2).

    Returns:
        Positive where the second rate is higher; 0 where neither group varies.
    """
    pooled = (first + second) / (n_first + n_second)
    variance = pooled * (1 - pooled) * (1 / n_first + 1 / n_second)
    return (second / n_second - first / n_first) / sqrt(variance) if variance > 0 else 0.0


class ChangeDetector:
    """Compares the newest episodes with all since the last change, as a window that restarts where it finds one.

    The baseline grows with time, so that slow drifts add up to a finding too (ADWIN does the same for every split;
    Bifet and Gavalda 2007). Asked at every report, it raises a false alarm in about a share `alpha` of reports.

    Args:
        recent: How many of the newest episodes are compared; the baseline has at least as many.
        quantile: Two-sided quantile of the normal distribution that the statistic must exceed.
    """

    def __init__(self, recent: int, quantile: float) -> None:
        self.recent, self.quantile = recent, quantile
        self.since = 0
        """Episodes since the last change."""

    def add(self) -> None:
        """Takes note that an episode ended."""
        self.since += 1

    def changed(self, outcomes: Sequence[bool]) -> bool:
        """Looks at the outcomes, oldest first, that are still known; a change found starts a new baseline."""
        known = outcomes[-self.since :] if self.since else []
        if len(known) < 2 * self.recent:
            return False
        old, new = known[: -self.recent], known[-self.recent :]
        found = abs(two_proportion_z(sum(old), len(old), sum(new), len(new))) > self.quantile
        if found:
            self.since = self.recent
        return found
