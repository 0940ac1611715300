"""Reward detectors: was this step good, did the task succeed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from adversarl.interfaces.backend import Notice

MakePart = Callable[[str, Mapping[str, Any]], "RewardDetector"]
"""Makes a detector from a table inside ``[reward]``, named such as ``members.0`` in errors."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a detector may look at after one step of all environments.

    Attributes:
        frames: What the camera saw, uint8. Shape (num_envs, H, W, 3).
        task: The task in English.
        reward: The simulator's own dense reward. Shape (num_envs,).
        success: The simulator's truth, bool. Shape (num_envs,).
        ending: Where the time is up, so that no verdict can be put off; None if nobody knows. Shape (num_envs,).
    """

    frames: NDArray[np.uint8]
    task: str
    reward: NDArray[np.float64]
    success: NDArray[np.bool_]
    ending: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A detector's verdict: reward [1] and success, bool. Shapes (num_envs,)."""

    reward: NDArray[np.float64]
    success: NDArray[np.bool_]


class RewardOptions(BaseModel):
    """Keys that every ``[reward]`` table has."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RewardDetector(ABC):
    """Scores steps; as the reward, as a monitor beside it, or as the test of success at an episode's end.

    The closed loop calls it so::

        detector.begin(frames, starting, task)  # at each reset
        score = detector.score(Step(frames, task, reward, info["success"], ending))
        terminated = score.success  # an episode is over when its detector says so, not when the simulator does
        return observation, score.reward, terminated, truncated, info

    As a test of success it is asked for nothing but its `verdict`. Detectors that look at pictures derive from
    `adversarl.detection.FrameDetector`, which knows cadence, delay, abstention and patience.

    Attributes:
        truth: Whether its success is the simulator's.
        exhausted: Why it must not go on, such as a budget that is spent; a run whose reward it is then saves and stops.
    """

    Options: ClassVar[type[RewardOptions]] = RewardOptions
    truth: ClassVar[bool] = False
    exhausted: str = ""

    def __init__(self, options: RewardOptions) -> None:
        self.options = options

    def assemble(self, part: MakePart) -> None:
        """Makes the detectors that it is made of, if any."""
        del part

    def connect(self, notice: Notice, folder: Path | None) -> None:
        """Is told, before the first reset of a run, how to tell the user something, and where the run lies."""
        del notice, folder

    def begin(self, frames: NDArray[np.uint8], starting: NDArray[np.bool_], task: str = "") -> None:
        """Episodes begin; for detectors that compare with the start. One must be able to score without it too.

        Args:
            frames: What the camera sees now, uint8. Shape (num_envs, H, W, 3).
            starting: In which environments an episode begins. Shape (num_envs,).
            task: The task in English.
        """
        del frames, starting, task

    @abstractmethod
    def score(self, step: Step) -> Score:
        """Scores one step of all environments."""

    def verdict(self, step: Step, ended: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether the task is solved in the environments of a mask, whose episodes end. Shape (ended.sum(),)."""
        return self.score(step).success[ended]

    def reasons(self) -> tuple[str, ...]:
        """Why it judged each environment's last picture so, in English; empty where it has nothing to say."""
        return ()

    def scalars(self) -> dict[str, float]:
        """What it measures of itself, such as ``ms_per_frame`` and ``cost_usd``."""
        return {}

    def close(self) -> None:
        """Ends threads and connections."""
        return

    def state_dict(self) -> dict[str, Any]:
        """All that must be kept for an exact resume."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        del state
