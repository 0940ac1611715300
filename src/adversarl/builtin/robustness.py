"""The standard evaluation: success over the strength of all perturbations together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from adversarl.errors import PerturbationError
from adversarl.interfaces.suite import Suite, SuiteOptions
from adversarl.seeding import TRAINING_SEEDS, generator
from adversarl.types import Axis, Cell, Perturbation

Episodes = tuple[tuple[Perturbation, ...], ...]


class RobustnessOptions(SuiteOptions):
    """Options of `Robustness`."""

    intensities: tuple[float, ...] = Field(
        (0.0, 0.25, 0.5, 0.75, 1.0), min_length=1, description="Intensities of the cells, each in [0, 1]."
    )
    axes: tuple[str, ...] = Field((), description="Names of the axes to vary; empty means all of the world's.")
    per_axis: bool = Field(False, description="Whether to add cells in which each axis varies alone.")


class Robustness(Suite):
    """Cells ``mixed`` (all axes at once) at rising intensity, and on request each axis alone.

    Reset and perturbation seeds are the same in every cell: along a curve only the intensity changes, and these
    common random numbers (Glasserman and Yao 1992) make differences between cells and policies less noisy.
    Reset seeds lie in [2**31, 2**32), where training never draws.
    """

    Options: ClassVar[type[RobustnessOptions]] = RobustnessOptions
    options: RobustnessOptions

    def cells(self, axes: Sequence[Axis], seed: int) -> list[Cell]:
        """The grid; intensity 0 appears once, as ``mixed``, because every axis alone would repeat it.

        Raises:
            PerturbationError: The options name an axis that the world does not have.
        """
        names = self._names(axes)
        episodes = self.options.episodes
        resets = generator(seed, "robustness", "resets").integers(TRAINING_SEEDS, 2 * TRAINING_SEEDS, size=episodes)
        drawn = {name: generator(seed, "robustness", name).integers(TRAINING_SEEDS, size=episodes) for name in names}
        curves = [("mixed", names), *((name, (name,)) for name in names if self.options.per_axis)]
        cells = []
        for label, varied in curves:
            for intensity in self.options.intensities:
                if label == "mixed" or intensity > 0:
                    seeds = [[(name, int(drawn[name][i])) for name in varied] for i in range(episodes)]
                    cells.append(Cell(label, intensity, tuple(map(int, resets)), _perturbations(seeds, intensity)))
        return cells

    def _names(self, axes: Sequence[Axis]) -> tuple[str, ...]:
        known = tuple(axis.name for axis in axes)
        for name in self.options.axes:
            if name not in known:
                raise PerturbationError("axis", name, known)
        return self.options.axes or known


def _perturbations(seeds: Sequence[Sequence[tuple[str, int]]], intensity: float) -> Episodes:
    if intensity == 0:
        return tuple(() for _ in seeds)
    return tuple(tuple(Perturbation(name, intensity, seed=s) for name, s in episode) for episode in seeds)
