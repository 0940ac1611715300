"""Which conditions a window of episodes is best explained by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from adversarl.metrics import Z95, wilson
from adversarl_failures.contrast import PERIODS, Contrast, contrast, crossed, strata_of
from adversarl_failures.history import Table
from adversarl_failures.logistic import adjusted_effect, evidence, fit, scores

FITTED = 2
"""Most conditions that a model of their own is fitted with before one of them is chosen."""
ALIKE = 0.9
"""Two conditions whose episodes agree in this share of those that have either cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Culprit:
    """A condition that is blamed: an index into `Table.conditions`, above a threshold of intensity.

    Attributes:
        index: Of the condition.
        threshold: Intensity that it exceeds.
        found: The comparison of like episodes that convicts it.
        effect: Success without the condition minus success with it, in [-1, 1], the other culprits being equal.
        low: Lower bound of the effect at 95 %.
        high: Upper bound.
    """

    index: int
    threshold: float
    found: Contrast
    effect: float = 0.0
    low: float = 0.0
    high: float = 0.0


class Selection:
    """Blames as few conditions as explain the failures.

    Forward: of the conditions that an exact stratified test convicts (see `contrast`), what earlier ones explain being
    held equal, the one that a logistic model with the earlier ones gains most from. Backward: whichever of them that
    model does not need any more is dropped, such as one that came with two culprits and stood for both. The model also
    knows which part of the window an episode is from, and how much of everything else was in force.

    Args:
        table: The window.
        thresholds: Intensities above which conditions are looked for.
        alpha: Probability that anything is blamed where no condition matters.
        fewest: Fewest episodes with a condition, and comparable ones without it.
        most: Most conditions blamed.
    """

    def __init__(self, table: Table, thresholds: Sequence[float], *, alpha: float, fewest: int, most: int) -> None:
        self.table, self.thresholds, self.fewest, self.most = table, thresholds, fewest, most
        self.level = alpha / max(1, len(table.conditions) * len(thresholds))
        self._quantile = NormalDist().inv_cdf(1 - self.level)
        self._drop = NormalDist().inv_cdf(1 - alpha / max(1, len(table.conditions)))
        self._success = table.success[table.usable]
        self._intensities = table.intensities[table.usable]
        position = np.arange(len(table.success)) * PERIODS // max(1, len(table.success))
        self._period = position[table.usable].astype(float)

    def culprits(self) -> list[Culprit]:
        """The conditions blamed, the one with the highest lower bound of its effect first."""
        chosen = self._needed(self._forward())
        return sorted(self._with_effects(chosen), key=lambda culprit: -culprit.low)

    def _forward(self) -> list[Culprit]:
        chosen = list[Culprit]()
        while len(chosen) < self.most:
            guilty = self._likely(chosen, list(self._convicted(chosen)))
            if not guilty:
                break
            chosen.append(max(guilty, key=lambda one: self._evidence([*chosen, one])))
        return chosen

    def _likely(self, chosen: Sequence[Culprit], guilty: Sequence[Culprit]) -> Sequence[Culprit]:
        """Those that a model is worth fitting with: the highest scores beside what was chosen."""
        design = self._design(chosen)
        if len(guilty) <= FITTED or design is None:
            return guilty
        columns = np.column_stack([self.having(one.index, one.threshold) for one in guilty]).astype(float)
        best = np.argsort(-scores(design, self._success, columns), kind="stable")[:FITTED]
        return [guilty[index] for index in best]

    def _convicted(self, chosen: Sequence[Culprit]) -> Iterator[Culprit]:
        """Every condition and threshold that the exact test convicts among episodes alike in what was chosen."""
        explained = np.zeros(len(self._success), dtype=np.intp)
        for one in chosen:
            explained = 2 * explained + self.having(one.index, one.threshold)
        taken = {index for one in chosen for index in (one.index, *self.alike(one))}
        for index in (i for i in range(len(self.table.conditions)) if i not in taken):
            strata = crossed(strata_of(self.table.others[:, index])[self.table.usable], explained)
            for threshold in self.thresholds:
                found = contrast(self.having(index, threshold), self._success, strata)
                if min(found.n, found.control_n) >= self.fewest and self._convicts(found):
                    yield Culprit(index, threshold, found)

    def _convicts(self, found: Contrast) -> bool:
        success = wilson(found.successes, found.n)
        apart = success.high < success.value + found.effect
        return found.z > self._quantile and apart and found.p_value < self.level

    def having(self, index: int, threshold: float) -> NDArray[np.bool_]:
        """Which of the usable episodes have a condition above a threshold. Shape (usable,)."""
        above: NDArray[np.bool_] = self._intensities[:, index] > threshold
        return above

    def _needed(self, chosen: list[Culprit]) -> list[Culprit]:
        """Without those, weakest first, that the others make superfluous."""
        while len(chosen) > 1:
            found = [self._evidence([*(c for c in chosen if c is not one), one]) for one in chosen]
            weakest = int(np.argmin(found))
            if found[weakest] > self._drop:
                break
            chosen = [one for one in chosen if one is not chosen[weakest]]
        return chosen

    def _evidence(self, chosen: Sequence[Culprit]) -> float:
        """How much worse a model without the last condition is, as a standard normal quantile."""
        design = self._design(chosen)
        return 0.0 if design is None else evidence(design, self._success)

    def _design(self, chosen: Sequence[Culprit]) -> NDArray[np.float64] | None:
        """Columns of the model, the chosen conditions last; None if they depend on one another. Shape (usable, k)."""
        columns = [self.having(one.index, one.threshold) for one in chosen]
        rest = np.delete(self._intensities, [one.index for one in chosen], axis=1).sum(axis=1)
        for nuisance in ((self._period, rest), (self._period,), ()):
            design = np.column_stack([np.ones(len(self._success)), *nuisance, *columns])
            if np.linalg.matrix_rank(design) == design.shape[1]:
                return design
        return None

    def _with_effects(self, chosen: Sequence[Culprit]) -> Iterator[Culprit]:
        design = self._design(chosen)
        model = None if design is None else fit(design, self._success)
        for position, one in enumerate(chosen):
            if design is None or model is None:
                low, high = one.found.interval(Z95)
                yield replace(one, effect=one.found.effect, low=low, high=high)
            else:
                effect, error = adjusted_effect(design, model, design.shape[1] - len(chosen) + position)
                low, high = max(-1.0, effect - Z95 * error), min(1.0, effect + Z95 * error)
                yield replace(one, effect=effect, low=low, high=high)

    def alike(self, culprit: Culprit) -> list[int]:
        """Other conditions that come with it so faithfully that they may be the cause in its place; never both are."""
        mine = self.having(culprit.index, culprit.threshold)
        return [
            index
            for index in range(len(self.table.conditions))
            if index != culprit.index and any(_agree(mine, self.having(index, t)) for t in self.thresholds)
        ]


def _agree(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> bool:
    return bool((first & second).sum() >= ALIKE * (first | second).sum() > 0)
