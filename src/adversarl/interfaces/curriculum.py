"""Curriculum strategies: what should the world do next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from adversarl.types import Axis, Episode, FailureReport, Grounding, Preset, Proposal


@dataclass(frozen=True, slots=True)
class World:
    """What a curriculum may know of the world: axes, time limit [control steps], how it grounds text, presets."""

    axes: tuple[Axis, ...]
    max_episode_steps: int
    ground: Callable[[str], Grounding]
    presets: tuple[Preset, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """The episode about to start: sub-environment, running number, environment steps of the run so far."""

    env: int
    episode: int
    env_steps: int


class CurriculumOptions(BaseModel):
    """Keys that every ``[curriculum]`` table has."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    clean_share: float = Field(
        0.1, ge=0, le=1, description="Share of episodes left nominal, so that nominal success is always measured."
    )


class CurriculumStrategy(ABC):
    """Answers failures with prompts.

    The closed loop calls it so, whenever an episode is about to start::

        curriculum.observe(finished_episode)
        for proposal in curriculum.propose(Slot(env, episode, env_steps), latest_report):
            grounding = world.ground(proposal.text)
            schedule(env, grounding.perturbations, proposal.onset, proposal.duration)

    An onset above zero changes the world mid-episode. Episodes of the clean share are not asked for.
    All randomness comes from `rng`, whose state the loop saves and restores.
    """

    Options: ClassVar[type[CurriculumOptions]] = CurriculumOptions

    def __init__(self, options: CurriculumOptions, world: World, rng: np.random.Generator) -> None:
        self.options = options
        self.world = world
        self.rng = rng

    @abstractmethod
    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """Says what the world does in the coming episode; an empty sequence leaves it nominal."""

    def observe(self, episode: Episode) -> None:
        """Takes note of a finished episode."""
        del episode

    def scalars(self) -> dict[str, float]:
        """What trackers should plot, such as ``curriculum/ceiling/camera-position``."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """All that must be kept for an exact resume, apart from the generator; JSON-ready."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        del state
