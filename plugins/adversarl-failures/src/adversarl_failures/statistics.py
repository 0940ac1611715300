"""Failure classifier `statistics`: success per condition, with intervals."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adversarl.interfaces.failure import FailureClassifier, FailureOptions
from adversarl.metrics import rate, wilson
from adversarl.types import Axis, Episode, FailureMode, FailureReport, Rate
from adversarl_failures.change import ChangeDetector
from adversarl_failures.contrast import NOTHING, Contrast, contrast, crossed, strata_of
from adversarl_failures.history import Condition, History, Table

THRESHOLDS = (0.0, 0.25, 0.5, 0.75)
"""Intensities above which a condition is looked for; also the bounds of the bins of `Statistics.conditions`."""


class StatisticsOptions(FailureOptions):
    """Options of `Statistics`."""

    window: int = Field(800, ge=20, description="Most recent episodes that failure modes are looked for in.")
    rolling: int = Field(100, ge=1, description="Most recent episodes, and clean episodes, of the rolling success.")
    min_episodes: int = Field(
        10, ge=2, description="Fewest episodes with a condition, and comparable ones without it, that can blame it."
    )
    alpha: float = Field(
        0.05, gt=0, lt=0.5, description="Probability that a report blames anything where no condition matters."
    )
    max_modes: int = Field(6, ge=1, description="Most failure modes of a report.")
    change_episodes: int = Field(50, ge=10, description="Newest episodes compared with those before to find a change.")
    change_alpha: float = Field(0.002, gt=0, lt=0.5, description="Share of reports that find a change where none is.")


@dataclass(frozen=True, slots=True)
class ConditionRate:
    """Success where the intensity of a condition lay in (low, high]."""

    axis: str
    target: str | None
    low: float
    high: float
    success: Rate


class Statistics(FailureClassifier):
    """Compares success with and without each condition among comparable recent episodes.

    A condition is an axis and target above an intensity of 0, 1/4, 1/2 or 3/4. It is compared with the episodes below
    that intensity which have about the same mean intensity of all other axes and lie in the same half of the window
    (`contrast`). It is a failure mode if the exact stratified test rejects "no difference" at `alpha` divided by the
    number of comparisons (Bonferroni), and the 95 % interval of its success lies below the comparable success without
    it. The condition whose effect has the highest lower bound comes first, at its clearest threshold; the next ones are
    looked for among episodes that are alike in this one too, so that a companion of the culprit is not blamed with it.

    Limits: mean intensity is the only thing that makes episodes comparable, so an axis that mostly comes with one
    harmful companion shares its blame; interactions are not told apart; where all axes always share one intensity
    nothing can be blamed. Warm-start episodes, which a teacher plays in part, do not count.
    """

    Options: ClassVar[type[FailureOptions]] = StatisticsOptions
    options: StatisticsOptions

    def __init__(self, options: StatisticsOptions, axes: Sequence[Axis]) -> None:
        super().__init__(options, axes)
        self.episodes = 0
        self._history = History(self.axes, options.window)
        self._clean: deque[bool] = deque(maxlen=options.rolling)
        self._change = ChangeDetector(options.change_episodes, NormalDist().inv_cdf(1 - options.change_alpha / 2))

    def observe(self, episode: Episode) -> None:
        """Takes note of a finished episode of training."""
        if episode.phase != "train":
            return
        self.episodes += 1
        self._history.add(episode)
        self._change.add()
        if episode.clean:
            self._clean.append(episode.success)

    def report(self) -> FailureReport:
        """Success, nominal success (of clean episodes), failure modes, and whether success has changed."""
        outcomes = self._history.outcomes()
        return FailureReport(
            episodes=self.episodes,
            success=rate(outcomes[-self.options.rolling :]),
            nominal=rate(list(self._clean)),
            modes=self._modes(self._history.table()),
            changed=self._change.changed(outcomes),
        )

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
        """Forward selection: what earlier modes explain is held equal when the next one is looked for."""
        level = self.options.alpha / max(1, len(table.conditions) * len(THRESHOLDS))
        quantile = NormalDist().inv_cdf(1 - level)
        explained = np.zeros(len(table.success), dtype=np.intp)
        left, modes = list(range(len(table.conditions))), list[FailureMode]()
        while len(modes) < self.options.max_modes:
            found = [(index, *self._clearest(table, index, explained)) for index in left]
            blamed = [item for item in found if item[2].z > quantile and self._blamed(item[2], level)]
            if not blamed:
                break
            index, threshold, worst = max(blamed, key=lambda item: item[2].lower(quantile))
            modes.append(self._mode(table.conditions[index], threshold, worst, table.intensities[:, index]))
            explained = 2 * explained + (table.intensities[:, index] > threshold)
            left.remove(index)
        return tuple(modes)

    def _clearest(self, table: Table, index: int, explained: NDArray[np.intp]) -> tuple[float, Contrast]:
        """The threshold of one condition with the largest test statistic among those with enough episodes."""
        use, strata = table.usable, crossed(strata_of(table.others[:, index]), explained)
        intensity, success = table.intensities[use, index], table.success[use]
        contrasts = [(t, contrast(intensity > t, success, strata[use])) for t in THRESHOLDS]
        fewest = self.options.min_episodes
        enough = [(t, c) for t, c in contrasts if c.n >= fewest and c.control_n >= fewest]
        return max(enough, key=lambda pair: pair[1].z, default=(0.0, NOTHING))

    @staticmethod
    def _blamed(found: Contrast, level: float) -> bool:
        success = wilson(found.successes, found.n)
        return success.high < success.value + found.effect and found.p_value < level

    @staticmethod
    def _mode(condition: Condition, threshold: float, found: Contrast, intensity: NDArray[np.float64]) -> FailureMode:
        axis, target = condition
        success = wilson(found.successes, found.n)
        above = intensity[intensity > threshold]
        evidence = (float(above.min()), float(above.max()))
        sentence = _sentence(axis, target, threshold, success, found.effect)
        return FailureMode(axis, target, evidence, success, found.effect, sentence)

    def state_dict(self) -> dict[str, Any]:
        """The windows and counters; JSON-ready."""
        return {
            "episodes": self.episodes,
            "history": self._history.state_dict(),
            "clean": list(self._clean),
            "since_change": self._change.since,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.episodes = state["episodes"]
        self._history.load_state_dict(state["history"])
        self._clean = deque(state["clean"], maxlen=self.options.rolling)
        self._change.since = state["since_change"]


def _sentence(axis: str, target: str | None, threshold: float, success: Rate, effect: float) -> str:
    what = f"{axis} ({target})" if target else axis
    what += f" above {100 * threshold:.0f} %" if threshold else ""
    interval = f"{100 * success.value:.0f} % [{100 * success.low:.0f}, {100 * success.high:.0f}] (n={success.n})"
    without = "with less of it" if threshold else "without it"
    rest = 100 * (success.value + effect)
    return f"success with {what} is {interval}, {100 * effect:.0f} points below {rest:.0f} % in like episodes {without}"
