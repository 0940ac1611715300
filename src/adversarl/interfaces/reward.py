"""Reward detectors: was this step good, did the task succeed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True, slots=True)
class Step:
    """What a detector may look at after one step of all environments.

    Attributes:
        frames: What the camera saw, uint8. Shape (num_envs, H, W, 3).
        task: The task in English.
        reward: The simulator's own dense reward. Shape (num_envs,).
        success: The simulator's truth, bool. Shape (num_envs,).
    """

    frames: NDArray[np.uint8]
    task: str
    reward: NDArray[np.float64]
    success: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Score:
    """A detector's verdict: reward [1] and success, bool. Shapes (num_envs,)."""

    reward: NDArray[np.float64]
    success: NDArray[np.bool_]


class RewardOptions(BaseModel):
    """Keys that every ``[reward]`` table has."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RewardDetector(ABC):
    """Scores steps.

    The closed loop calls it so::

        detector.begin(frames, starting)  # at each reset
        score = detector.score(Step(frames, task, reward, info["success"]))
        return observation, score.reward, terminated, truncated, info
    """

    Options: ClassVar[type[RewardOptions]] = RewardOptions

    def __init__(self, options: RewardOptions) -> None:
        self.options = options

    def begin(self, frames: NDArray[np.uint8], starting: NDArray[np.bool_]) -> None:
        """Episodes begin; for detectors that compare with the start. One must be able to score without it too.

        Args:
            frames: What the camera sees now, uint8. Shape (num_envs, H, W, 3).
            starting: In which environments an episode begins. Shape (num_envs,).
        """
        del frames, starting

    @abstractmethod
    def score(self, step: Step) -> Score:
        """Scores one step of all environments."""

    def state_dict(self) -> dict[str, Any]:
        """All that must be kept for an exact resume."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        del state
