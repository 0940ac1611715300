"""Stages of the `progressive` curriculum, as options."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adversarl.interfaces.curriculum import CurriculumOptions


class Stage(BaseModel):
    """One entry of ``[[curriculum.stages]]``; it ends when the first of its limits is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=1, description="Name of the stage, for reasons and logs.")
    strength: float | Literal["mixed"] = Field(
        description="Highest intensity of every axis in simulated episodes, in [0, 1]; 0 is nominal. mixed draws one "
        "of the strengths of all earlier stages for each episode.",
    )
    real_share: float = Field(
        0.0, ge=0, le=1, description="Share of episodes that look like the target domain, see real_prompts."
    )
    until_success: float | None = Field(
        None, gt=0, le=1, description="Success rate over the last `window` episodes of the stage that ends it."
    )
    window: int = Field(50, ge=1, description="Episodes that until_success looks at.")
    until_episodes: int | None = Field(
        None, ge=1, description="Finished episodes of the stage that end it at the latest."
    )
    until_steps: int | None = Field(
        None, ge=1, description="Environment steps of the run since the stage began that end it at the latest."
    )

    @model_validator(mode="after")
    def _in_range(self) -> Stage:
        if self.strength != "mixed" and not 0 <= self.strength <= 1:
            raise ValueError(f"strength of stage '{self.name}' must lie in [0, 1] or be \"mixed\", not {self.strength}")
        return self

    @property
    def ends(self) -> bool:
        """Whether anything ends the stage."""
        return any(limit is not None for limit in (self.until_success, self.until_episodes, self.until_steps))


DEFAULT_STAGES = (
    Stage(name="nominal", strength=0.0, until_success=0.8, until_episodes=300),
    Stage(name="mild", strength=0.3, real_share=0.1, until_success=0.7, until_episodes=600),
    Stage(name="strong", strength=1.0, real_share=0.2, until_success=0.6, until_episodes=1200),
    Stage(name="mixed", strength="mixed", real_share=0.3),
)


class ProgressiveOptions(CurriculumOptions):
    """Options of `adversarl_curricula.progressive.Progressive`."""

    stages: tuple[Stage, ...] = Field(DEFAULT_STAGES, min_length=1, description="What to go through, in this order.")
    real_prompts: tuple[str, ...] = Field(
        (),
        description="The real scene in prompts, such as `warm light` and `a wooden table`; all of them hold in an "
        "episode that looks like the target domain. Empty: such an episode is nominal.",
    )
    axes: tuple[str, ...] = Field((), description="Names of the axes to randomize; empty means all of the world's.")

    @model_validator(mode="after")
    def _consistent(self) -> ProgressiveOptions:
        names = [stage.name for stage in self.stages]
        for stage in self.stages:
            if names.count(stage.name) > 1:
                raise ValueError(f"two stages are named '{stage.name}'. Rename one of them")
        for stage in self.stages[:-1]:
            if not stage.ends:
                raise ValueError(f"stage '{stage.name}' never ends. Set until_success, until_episodes or until_steps")
        if self.stages[0].strength == "mixed":
            raise ValueError(f"stage '{names[0]}' is mixed, but there is no stage before it. Give it a strength")
        return self
