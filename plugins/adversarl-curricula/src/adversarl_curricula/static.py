"""Prompts that are fixed before training begins: variation by language, without a closed loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.phrases import phrases_of, prompt_for, understood
from adversarl.types import FailureReport, Proposal


class StaticOptions(CurriculumOptions):
    """Options of `Static`."""

    prompts: tuple[str, ...] = Field(
        (),
        description="Prompts to draw from. Empty means one per axis of the world at 50 %, and as many again with all "
        "axes together at 25, 50 and 75 % in turn.",
    )
    per_episode: int = Field(1, ge=1, description="Different prompts drawn for each episode.")


class Static(CurriculumStrategy):
    """Draws prompts from a fixed list at each reset; they hold for the whole episode, whatever the policy does."""

    Options: ClassVar[type[CurriculumOptions]] = StaticOptions
    options: StaticOptions

    def __init__(self, options: StaticOptions, world: World, rng: np.random.Generator) -> None:
        """Checks the prompts.

        Raises:
            GroundingError: A prompt that the world does not understand completely.
        """
        super().__init__(options, world, rng)
        self.prompts = options.prompts or default_prompts(world)
        for prompt in dict.fromkeys(self.prompts):
            understood(world, prompt)

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """Proposals for the prompts drawn, all at the reset."""
        count = min(self.options.per_episode, len(self.prompts))
        drawn = self.rng.choice(len(self.prompts), size=count, replace=False)
        why = f"drawn from {len(self.prompts)} prompts fixed before training"
        return tuple(Proposal(self.prompts[index], why) for index in drawn)


def default_prompts(world: World) -> tuple[str, ...]:
    """One prompt per axis at 50 %, and as many with all axes at 25, 50 and 75 % in turn.

    Half of the episodes then look like those of an evaluation in which all axes vary at once.
    """
    phrases = phrases_of(world, world.axes)
    alone = [prompt_for({name: 50}, phrases) for name in phrases]
    together = [prompt_for(dict.fromkeys(phrases, percent), phrases) for percent in (25, 50, 75)]
    return (*alone, *(together[index % 3] for index in range(len(alone))))
