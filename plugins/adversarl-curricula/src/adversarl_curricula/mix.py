"""Several curricula, each with its share of the episodes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from adversarl.interfaces.curriculum import CurriculumOptions, Slot, World
from adversarl_curricula.parts import Composite, PartTable


class MixPart(PartTable):
    """A curriculum and how often it is asked."""

    share: float = Field(
        1.0, gt=0, description="Its share of the episodes that are not clean, relative to those of the other parts [1]."
    )


class MixOptions(CurriculumOptions):
    """Options of `Mix`."""

    parts: tuple[MixPart, ...] = Field(
        min_length=1,
        description='Tables such as { use = "rules", share = 0.7, step = 0.2 }, whose other keys are those of the '
        "curriculum named; parts may be mixtures again.",
    )


class Mix(Composite):
    """Draws which of its parts proposes the next episode, by their shares and independently of the policy.

    Each part learns from its own episodes, and from the clean ones.
    """

    Options: ClassVar[type[CurriculumOptions]] = MixOptions
    options: MixOptions

    def __init__(self, options: MixOptions, world: World, rng: np.random.Generator) -> None:
        """Makes the parts.

        Raises:
            RecipeError: A key of a part is wrong.
            UnknownComponent: A part names no curriculum.
        """
        tables = {f"parts.{index}": part.table for index, part in enumerate(options.parts)}
        super().__init__(options, world, rng, tables)
        shares = np.array([part.share for part in options.parts])
        self._until = np.cumsum(shares / shares.sum())[:-1]

    def choose(self, slot: Slot) -> int:
        """Draws a part."""
        del slot
        return int(np.searchsorted(self._until, self.rng.random(), side="right"))
