"""Curriculum strategies: what should the world do next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from adversarl.interfaces.trials import Services, Trace
from adversarl.presets import Preset
from adversarl.types import Axis, Episode, FailureReport, Grounding, Proposal


def _no_parts(key: str, table: Mapping[str, Any], world: World, rng: np.random.Generator) -> CurriculumStrategy:
    raise LookupError(f"curriculum.{key} = {table}: this world was made without a registry of curricula")


@dataclass(frozen=True, slots=True)
class World:
    """What a curriculum may know of the world.

    Attributes:
        axes: What it can vary.
        max_episode_steps: Time limit [control steps].
        ground: How it reads a prompt.
        presets: Published ways of randomizing it.
        task: The task in English.
        part: Makes a curriculum that is a part of another one from its table, ``{"use": "rules", ...}``. Called with
            the key that holds the table (for errors), the table, the world and the whole curriculum's generator.
    """

    axes: tuple[Axis, ...]
    max_episode_steps: int
    ground: Callable[[str], Grounding]
    presets: tuple[Preset, ...] = ()
    task: str = ""
    part: Callable[[str, Mapping[str, Any], World, np.random.Generator], CurriculumStrategy] = _no_parts


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
    guard: Literal["none", "teacher", "antagonist"] = Field(
        "none",
        description="Who tries every proposed episode first: the scripted teacher, or the policy of another run. "
        "What it cannot solve is counted and not trained on.",
    )
    guard_attempts: int = Field(
        3, ge=1, le=20, description="Proposals tried for one episode before it is left nominal."
    )
    antagonist: str | None = Field(
        None, description="Run folder whose latest policy is the antagonist, for the guard or for regret."
    )

    @model_validator(mode="after")
    def _somebody_guards(self) -> CurriculumOptions:
        if self.guard == "antagonist" and self.antagonist is None:
            raise ValueError('guard = "antagonist" needs a policy. Set antagonist to the folder of a run')
        return self


class CurriculumStrategy(ABC):
    """Answers failures with prompts.

    The closed loop calls it so, whenever an episode is about to start::

        curriculum.watch(finished_episode, trace)     # only where `traces` is true
        curriculum.observe(finished_episode)
        for proposal in curriculum.propose(slot := Slot(env, episode, env_steps), latest_report):
            grounding = world.ground(proposal.text)
            schedule(env, grounding.perturbations, proposal.onset, proposal.duration)
        if not solvable:                              # where there is a guard
            curriculum.refuse(slot)
            proposals = curriculum.propose(slot, latest_report)

    An onset above zero changes the world mid-episode. Episodes of the clean share are not asked for.
    All randomness comes from `rng`, whose state the loop saves and restores.
    """

    Options: ClassVar[type[CurriculumOptions]] = CurriculumOptions
    traces: bool = False
    """Whether it wants to `watch` how episodes went."""
    values: bool = False
    """Whether those traces have to contain the critic's values."""

    def __init__(self, options: CurriculumOptions, world: World, rng: np.random.Generator) -> None:
        self.options = options
        self.world = world
        self.rng = rng

    @abstractmethod
    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """Says what the world does in the coming episode; an empty sequence leaves it nominal."""

    def connect(self, services: Services) -> None:
        """Takes what the run offers, such as trials of its policy; once, before training."""
        del services

    def watch(self, episode: Episode, trace: Trace) -> None:
        """Looks at how a finished episode of training went, just before it is observed."""
        del episode, trace

    def observe(self, episode: Episode) -> None:
        """Takes note of a finished episode."""
        del episode

    def refuse(self, slot: Slot) -> None:
        """Takes note that the guard could not solve what was proposed for a slot; it is asked for again."""
        del slot

    def close(self) -> None:
        """Releases what it holds, such as threads."""
        return

    def scalars(self) -> dict[str, float]:
        """What trackers should plot, such as ``curriculum/ceiling/camera-position``."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """All that must be kept for an exact resume, apart from the generator; JSON-ready."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        del state
