"""Several curricula, one after the other."""

from __future__ import annotations

from collections.abc import Sequence as Several
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, field_validator

from adversarl.interfaces.curriculum import CurriculumOptions, Slot, World
from adversarl_curricula.parts import Composite, PartTable


class Stage(PartTable):
    """A curriculum and how long it is asked."""

    episodes: int | None = Field(None, ge=1, description="Episodes of the run that the stage lasts, clean ones too.")
    steps: int | None = Field(None, ge=1, description="Environment steps of the run that the stage lasts.")


class SequenceOptions(CurriculumOptions):
    """Options of `Sequence`."""

    stages: tuple[Stage, ...] = Field(
        min_length=1,
        description='Tables such as { use = "static", episodes = 500, prompts = ["dim the light"] }, whose other keys '
        "are those of the curriculum named. Each but the last ends after `episodes` episodes or `steps` environment "
        "steps of the run; the last has no end.",
    )

    @field_validator("stages")
    @classmethod
    def _ends(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        for index, stage in enumerate(stages[:-1]):
            if (stage.episodes is None) == (stage.steps is None):
                raise ValueError(f"stage {index} needs an end. Give it either episodes = N or steps = N")
        if stages[-1].episodes is not None or stages[-1].steps is not None:
            raise ValueError("the last stage has no end. Leave out its episodes and steps, or add a stage after it")
        return stages


class Sequence(Composite):
    """Asks its stages one after the other.

    A stage lasts from the first episode that it is asked for; both of its measures count the whole run, so that several
    environments and the clean share make no difference. Episodes that are running when a stage ends are still
    observed by it. Later stages learn from clean episodes only, until their turn comes.
    """

    Options: ClassVar[type[CurriculumOptions]] = SequenceOptions
    options: SequenceOptions

    def __init__(self, options: SequenceOptions, world: World, rng: np.random.Generator) -> None:
        """Makes the stages.

        Raises:
            RecipeError: A key of a stage is wrong.
            UnknownComponent: A stage names no curriculum.
        """
        tables = {f"stages.{index}": stage.table for index, stage in enumerate(options.stages)}
        super().__init__(options, world, rng, tables)
        self.stage = 0
        """Index of the stage that is asked now."""
        self._begun: Several[int] | None = None

    def choose(self, slot: Slot) -> int:
        """The stage whose time it is."""
        if self._begun is None:
            self._begun = (slot.episode, slot.env_steps)
        if self._over(slot, *self._begun):
            self.stage += 1
            self._begun = (slot.episode, slot.env_steps)
        return self.stage

    def _over(self, slot: Slot, episode: int, env_steps: int) -> bool:
        stage = self.options.stages[self.stage]
        if stage.episodes is not None:
            return slot.episode - episode >= stage.episodes
        return stage.steps is not None and slot.env_steps - env_steps >= stage.steps

    def scalars(self) -> dict[str, float]:
        """The number of the stage, from 0, and the stages' own scalars."""
        return {"curriculum/stage": self.stage, **super().scalars()}

    def state_dict(self) -> dict[str, Any]:
        """The stage, when it began, and the stages' states; JSON-ready."""
        begun = None if self._begun is None else list(self._begun)
        return {**super().state_dict(), "stage": self.stage, "begun": begun}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        super().load_state_dict(state)
        self.stage, self._begun = state["stage"], state["begun"]
