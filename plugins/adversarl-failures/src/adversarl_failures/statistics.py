"""Failure classifier `statistics`: success per condition, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from adversarl.interfaces.failure import FailureOptions
from adversarl.metrics import rate, wilson
from adversarl.types import FailureMode, Rate
from adversarl_failures.blame import BlameOptions, Blames
from adversarl_failures.history import Table
from adversarl_failures.logistic_selection import Culprit, Selection

THRESHOLDS = (0.0, 0.25, 0.5, 0.75)
"""Intensities above which a condition is looked for; also the bounds of the bins of `Statistics.conditions`."""


class StatisticsOptions(BlameOptions):
    """Options of `Statistics`."""

    min_episodes: int = Field(
        5, ge=2, description="Fewest episodes with a condition, and comparable ones without it, that can blame it."
    )


@dataclass(frozen=True, slots=True)
class ConditionRate:
    """Success where the intensity of a condition lay in (low, high]."""

    axis: str
    target: str | None
    low: float
    high: float
    success: Rate


class Statistics(Blames):
    """Compares success with and without each condition among comparable recent episodes.

    A condition is an axis and target above an intensity of 0, 1/4, 1/2 or 3/4. It is compared with the episodes below
    that intensity which have about the same mean intensity of all other axes and lie in the same half of the window
    (`contrast`). It can be blamed if the exact stratified test rejects "no difference" at `alpha` divided by the
    number of comparisons (Bonferroni), and the 95 % interval of its success lies below the comparable success without
    it. Of those, a regularized logistic model over the conditions blamed takes the one that explains most, one after
    the other, among episodes that are alike in what was blamed before (`logistic_selection`): neither a companion of a
    culprit is blamed with it, nor one of two that always come together blamed twice; the sentence then names the other.
    Effects are the model's, with the other culprits held equal; the highest lower bound comes first.

    Limits: interactions are not told apart; where all axes always share one intensity nothing can be blamed.
    Warm-start episodes, which a teacher plays in part, do not count.
    """

    Options: ClassVar[type[FailureOptions]] = StatisticsOptions
    options: StatisticsOptions

    def conditions(self) -> list[ConditionRate]:
        """Success for each condition and bin of intensity in the window, whatever else was in force."""
        table, found = self._history.table(), []
        for index, (axis, target) in enumerate(table.conditions):
            for low, high in zip(THRESHOLDS, (*THRESHOLDS[1:], 1.0), strict=True):
                inside = (table.intensities[:, index] > low) & (table.intensities[:, index] <= high)
                if inside.any():
                    found.append(ConditionRate(axis, target, low, high, rate(table.success[inside].tolist())))
        return found

    def _modes(self, table: Table) -> tuple[FailureMode, ...]:
        options = self.options
        selection = Selection(
            table, THRESHOLDS, alpha=options.alpha, fewest=options.min_episodes, most=options.max_modes
        )
        return tuple(_mode(table, culprit, selection.alike(culprit)) for culprit in selection.culprits())


def _mode(table: Table, culprit: Culprit, alike: Sequence[int]) -> FailureMode:
    axis, target = table.conditions[culprit.index]
    intensity = table.intensities[:, culprit.index]
    above = intensity[intensity > culprit.threshold]
    success = wilson(culprit.found.successes, culprit.found.n)
    sentence = _sentence(axis, target, culprit, success)
    if alike:
        others = " or ".join(_named(*table.conditions[index]) for index in alike)
        sentence += f"; {others} came with it and may be the cause instead"
    return FailureMode(axis, target, (float(above.min()), float(above.max())), success, culprit.effect, sentence)


def _named(axis: str, target: str | None) -> str:
    return f"{axis} ({target})" if target else axis


def _sentence(axis: str, target: str | None, culprit: Culprit, success: Rate) -> str:
    above = f" above {100 * culprit.threshold:.0f} %" if culprit.threshold else ""
    interval = f"{100 * success.value:.0f} % [{100 * success.low:.0f}, {100 * success.high:.0f}] (n={success.n})"
    lost = f"{100 * culprit.effect:.0f} points [{100 * culprit.low:.0f}, {100 * culprit.high:.0f}]"
    without = "with less of it" if culprit.threshold else "without it"
    return f"success with {_named(axis, target)}{above} is {interval}, {lost} below like episodes {without}"
