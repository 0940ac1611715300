"""Learners: a policy from an environment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from adversarl.interfaces.backend import Observation

OnProgress = Callable[[Mapping[str, float]], bool]
"""Called where a checkpoint may be taken, with scalars named as Stable-Baselines3 does; False asks to stop there."""


class LearnerOptions(BaseModel):
    """Keys that every ``[learner]`` table has."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Learner(ABC):
    """Trains a policy on the closed loop, a plain `gymnasium.vector.VectorEnv`.

    The run calls it so::

        learner = PPO(PPO.Options(), env, rng)
        learner.warm_start(on_progress)          # optional; the world is still nominal
        learner.learn(total_steps, on_progress)  # may stop early and be called again
        actions = learner.act(observation)

    A learner that needs the teacher or the privileged state finds them on the environment
    (``env.teacher(indices)``, ``env.state()``, see `PerturbableVectorEnv`).
    """

    Options: ClassVar[type[LearnerOptions]] = LearnerOptions
    pictures: bool = True
    """Whether its actions depend on pictures; where they do not, trials are played without drawing."""
    warm_start_total: int = 0
    """Environment steps that `warm_start` will take, for the progress bar; 0 where there is none."""

    def __init__(self, options: LearnerOptions, env: gymnasium.vector.VectorEnv, rng: np.random.Generator) -> None:
        self.options = options
        self.env = env
        self.rng = rng
        self.env_steps = 0
        """Environment steps of `learn` so far, over all sub-environments; warm start apart."""

    def warm_start(self, on_progress: OnProgress) -> None:
        """Prepares the policy before the curriculum begins; nothing by default."""
        del on_progress

    @abstractmethod
    def learn(self, total_steps: int, on_progress: OnProgress) -> None:
        """Trains until `env_steps` reaches `total_steps` or `on_progress` returns False.

        The first call begins with ``env.reset()``, because the warm start ran in another world; a later call,
        or one after `load`, goes on from the environment as it is.
        """

    @abstractmethod
    def act(self, observation: Observation, *, deterministic: bool = True) -> NDArray[np.float32]:
        """Actions for a batch of observations. Shape (n, a), in [-1, 1]."""

    def values(self, observation: Observation, state: NDArray[np.float32]) -> NDArray[np.float64]:
        """The critic's estimates of the return from here on.

        Args:
            observation: A batch of observations.
            state: Their privileged states. Shape (n, s).

        Returns:
            Shape (n,).

        Raises:
            NoCritic: The learner has none.
        """
        from adversarl.errors import NoCritic

        del observation, state
        raise NoCritic(type(self).__name__)

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Writes all that an exact resume needs (policy, optimiser, generators, buffers) into an empty folder."""

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Brings `save` back; the environment has been rewound to the same time already."""
