"""What an episode varies and how much, before any words or times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from adversarl.types import FailureReport
from adversarl_curricula.ladder import GRID, Ladder
from adversarl_curricula.options import RulesOptions

Kind = Literal["together", "reach", "alone", "combination"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The conditions of one episode.

    Attributes:
        kind: All axes below the ceiling, all axes whatever the ceiling, one axis, or a few.
        percents: Intensity of each varied axis [percent], 5 to 100.
        axis: The axis that it is about; empty when all vary.
        percent: The intensity drawn [percent], before any axis is held back.
        near_ceiling: Whether its outcome is evidence for a ladder; not where most axes are held back.
    """

    kind: Kind
    percents: Mapping[str, int]
    axis: str
    percent: int
    near_ceiling: bool


class Planner:
    """Draws plans from ladders and failure reports."""

    def __init__(
        self, options: RulesOptions, together: Ladder, alone: Mapping[str, Ladder], rng: np.random.Generator
    ) -> None:
        self.options, self.together, self.alone, self.rng = options, together, alone, rng
        self._names = tuple(alone)

    def draw(self, report: FailureReport) -> Plan:
        """Draws one episode's conditions."""
        options, u = self.options, float(self.rng.random())
        if u < options.together_share:
            return self._reach() if self.rng.random() < options.reach_share else self._together()
        if u < options.together_share + options.alone_share or len(self._names) == 1:
            return self._alone(report)
        return self._combination(report)

    def _together(self) -> Plan:
        near = bool(self.rng.random() < self.options.frontier_share)
        percent = self._percent(self.together, near=near)
        capped = {name: min(percent, ladder.mastered) for name, ladder in self.alone.items()}
        free = sum(value == percent for value in capped.values())
        return Plan("together", capped, "", percent, near and 2 * free >= len(capped))

    def _reach(self) -> Plan:
        percent = self._grid(0, 100)
        return Plan("reach", dict.fromkeys(self._names, percent), "", percent, near_ceiling=False)

    def _alone(self, report: FailureReport) -> Plan:
        (name,) = self._draw_axes(1, report)
        percent = self._percent(self.alone[name], near=True)
        return Plan("alone", {name: percent}, name, percent, near_ceiling=True)

    def _combination(self, report: FailureReport) -> Plan:
        most = min(self.options.combination, len(self._names))
        names = self._draw_axes(int(self.rng.integers(2, most + 1)), report)
        near = bool(self.rng.random() < self.options.frontier_share)
        percents = {name: self._percent(self.alone[name], near=near) for name in names}
        return Plan("combination", percents, names[0], percents[names[0]], near_ceiling=False)

    def _percent(self, ladder: Ladder, *, near: bool) -> int:
        return self._grid(ladder.ceiling - ladder.rules.step if near else 0, ladder.ceiling)

    def _grid(self, low: int, high: int) -> int:
        """Draws from (low, high], on the grid but for `high` itself; [percent]."""
        steps = max(1, -(-(high - low) // GRID))
        return max(high - GRID * int(self.rng.integers(steps)), 1)

    def _draw_axes(self, count: int, report: FailureReport) -> tuple[str, ...]:
        """Draws different axes, the first being the most urgent, by weighted sampling without replacement.

        Efraimidis and Spirakis 2006: the largest of u^(1/w), with u uniform and w the weight.
        """
        keys = np.log(self.rng.random(len(self._names))) / self.weights(report)
        return tuple(self._names[index] for index in np.argsort(-keys)[:count])

    def weights(self, report: FailureReport) -> NDArray[np.float64]:
        """Probability of each axis, in the order of the ladders. Shape (axes,), sums to 1.

        `uniform_share` of it is uniform, the rest in proportion to learnability plus the effect of the failure modes.
        """
        effects: dict[str, float] = {}
        for mode in report.modes:
            effects[mode.axis] = max(mode.effect, effects.get(mode.axis, 0.0))
        scores = np.array([ladder.learnability + effects.get(name, 0.0) for name, ladder in self.alone.items()])
        share = self.options.uniform_share
        probabilities: NDArray[np.float64] = share / len(scores) + (1 - share) * scores / scores.sum()
        return probabilities
