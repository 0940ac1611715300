"""Suites: evaluation scenes, as grids of perturbations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from adversarl.types import Axis, Cell


class SuiteOptions(BaseModel):
    """Keys that every ``[evaluation]`` table has."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    episodes: int = Field(100, ge=1, description="Episodes per cell.")


class Suite(ABC):
    """Lists the cells of an evaluation.

    Evaluation calls it so::

        for cell in suite.cells(world.axes, seed):
            world = ...  # the recipe's, but for the keys of [backend] in cell.world
            for seed, perturbations in zip(cell.seeds, cell.perturbations):
                world.perturb([env], [perturbations])
                world.reset(seed=seed)

    Attributes:
        Options: Keys of ``[evaluation]``.
        home: The one backend whose axes it knows; empty where any will do.
    """

    Options: ClassVar[type[SuiteOptions]] = SuiteOptions
    home: ClassVar[str] = ""

    def __init__(self, options: SuiteOptions) -> None:
        self.options = options

    @abstractmethod
    def cells(self, axes: Sequence[Axis], seed: int) -> Sequence[Cell]:
        """The grid; the same seed gives the same episodes, whatever policy is judged.

        A published suite may be one grid for all seeds.
        """
