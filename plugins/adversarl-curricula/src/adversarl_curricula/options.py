"""Options of `rules`, and those that it shares with its kin."""

from __future__ import annotations

from pydantic import Field, model_validator

from adversarl.interfaces.curriculum import CurriculumOptions


class TimedOptions(CurriculumOptions):
    """Keys of curricula whose episodes may change while they run; shares are of the episodes that are not clean."""

    axes: tuple[str, ...] = Field((), description="Names of the axes to work with; empty means all of the world's.")
    mid_episode_share: float = Field(
        0.3,
        ge=0,
        le=1,
        description="Share of episodes with several axes that change while they run, from milder conditions.",
    )
    brief_share: float = Field(
        0.5, ge=0, le=1, description="Share of mid-episode changes that end again before the episode does."
    )


class MixtureOptions(TimedOptions):
    """Keys of curricula that vary all axes at once, one alone, or a few."""

    together_share: float = Field(
        0.65, ge=0, le=1, description="Share of episodes in which all axes vary at once, at one intensity."
    )
    alone_share: float = Field(
        0.25, ge=0, le=1, description="Share in which one axis varies alone; the rest combines a few axes."
    )
    combination: int = Field(4, ge=2, description="Most axes of a combination; the fewest are 2.")

    @model_validator(mode="after")
    def _consistent(self) -> MixtureOptions:
        if self.together_share + self.alone_share > 1:
            raise ValueError("together_share + alone_share must not exceed 1. Lower one of them")
        return self


class RulesOptions(MixtureOptions):
    """Keys of a ``[curriculum]`` table with ``use = "rules"``."""

    frontier_share: float = Field(
        0.5, ge=0, le=1, description="Share of episodes within one step of the ceiling; the rest rehearses below it."
    )
    reach_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of episodes with all axes whose intensity ignores the ceiling: U[0, 1], so that what "
        "was too hard is looked at again.",
    )
    uniform_share: float = Field(
        0.5, gt=0, le=1, description="Weight of the uniform draw of axes beside the one by weakness and learnability."
    )
    step: float = Field(0.1, ge=0.05, le=0.5, description="How far a ceiling moves, in intensity [1]; whole percents.")
    together_start: float = Field(0.1, ge=0.05, le=1, description="First ceiling of all axes at once, intensity [1].")
    alone_start: float = Field(0.3, ge=0.05, le=1, description="First ceiling of each axis alone, intensity [1].")
    raise_at: float = Field(0.7, gt=0, le=1, description="Success rate near a ceiling at which it is raised.")
    lower_at: float = Field(0.3, ge=0, lt=1, description="Success rate near a ceiling at which it is lowered.")
    together_window: int = Field(16, ge=1, description="Episodes near the ceiling of all axes that decide a move.")
    alone_window: int = Field(5, ge=1, description="Episodes near the ceiling of one axis alone that decide a move.")

    @model_validator(mode="after")
    def _ordered(self) -> RulesOptions:
        if self.lower_at >= self.raise_at:
            raise ValueError("lower_at must be below raise_at. Lower it, or raise raise_at")
        return self
