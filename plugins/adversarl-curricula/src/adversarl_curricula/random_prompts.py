"""Prompts that nobody chose: the control of every comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.phrases import chosen_axes
from adversarl.types import Episode, FailureReport, Proposal
from adversarl_curricula.ladder import GRID
from adversarl_curricula.options import MixtureOptions
from adversarl_curricula.plans import Plan
from adversarl_curricula.timing import Timing

LEVELS = 100 // GRID
"""Intensities on the grid, from `GRID` to 100 percent."""


class RandomPrompts(CurriculumStrategy):
    """Says what `rules` could say, as often and at the same times, but draws it uniformly.

    What an adaptive curriculum gains over this one is due to its choices, not to more variation, to prompts, or to
    changes mid-episode. Axes are drawn uniformly, and intensities uniformly from the multiples of 5 %: there is no
    ceiling, and neither outcomes nor the failure report count. The length of successful episodes alone is followed, as
    by `rules`, because a change after the end of an episode would not take effect.
    """

    Options: ClassVar[type[CurriculumOptions]] = MixtureOptions
    options: MixtureOptions

    def __init__(self, options: MixtureOptions, world: World, rng: np.random.Generator) -> None:
        """Checks that the world understands the axes' phrases.

        Raises:
            PerturbationError: The options name an axis that the world does not have.
            GroundingError: The world takes the phrase of an axis for something else.
        """
        super().__init__(options, world, rng)
        axes = chosen_axes(world, options.axes)
        self._names = tuple(axis.name for axis in axes)
        self._timing = Timing(options, world, axes, rng)

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """One proposal at the reset, or a milder one at the reset and one mid-episode."""
        plan = self._draw()
        names = "all axes" if plan.kind == "together" else " and ".join(plan.percents)
        return self._timing.proposals(plan, f"{names}: drawn uniformly at random, whatever the policy does")

    def _draw(self) -> Plan:
        options, u = self.options, float(self.rng.random())
        if u < options.together_share:
            percent = self._percent()
            return Plan("together", dict.fromkeys(self._names, percent), "", percent, near_ceiling=False)
        alone = u < options.together_share + options.alone_share or len(self._names) == 1
        count = 1 if alone else int(self.rng.integers(2, min(options.combination, len(self._names)) + 1))
        drawn = self.rng.choice(len(self._names), size=count, replace=False)
        percents = {self._names[index]: self._percent() for index in drawn}
        first = next(iter(percents))
        return Plan("alone" if alone else "combination", percents, first, percents[first], near_ceiling=False)

    def _percent(self) -> int:
        return GRID * int(self.rng.integers(1, LEVELS + 1))

    def observe(self, episode: Episode) -> None:
        """Takes note of how long a success takes."""
        if episode.success:
            self._timing.observe(episode.length)

    def state_dict(self) -> dict[str, Any]:
        """The usual length of a success; JSON-ready."""
        return {"usual_length": self._timing.usual_length}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self._timing.usual_length = state["usual_length"]
