"""What the three learners share: options, acting, progress, checkpoints."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np
import torch as th
from numpy.typing import NDArray
from pydantic import Field
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.utils import get_device

from adversarl.interfaces.backend import Observation
from adversarl.interfaces.learner import Learner, LearnerOptions, OnProgress
from adversarl_sb3 import checkpoint
from adversarl_sb3.networks import Network, Precision
from adversarl_sb3.vecenv import LoopVecEnv


class Sb3Options(LearnerOptions):
    """Keys that `ppo`, `sac` and `td3` share."""

    learning_rate: float = Field(3e-4, gt=0, le=1, description="Step size of Adam.")
    gamma: float = Field(0.99, ge=0, le=1, description="Discount per control step.")
    network: Network = Field("spatial_softmax", description="Image encoder: keypoints, or the Nature DQN's.")
    hidden: int = Field(256, ge=8, le=4096, description="Units of each of the two hidden layers.")
    precision: Precision = Field(
        "auto", description="Type of the convolutions; auto is bfloat16 where the processor or GPU multiplies in it."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where networks live; auto prefers a GPU.")
    threads: int = Field(0, ge=0, le=256, description="Torch threads; 0 is one per available core, at most 8.")


class ScalarLogger(Logger):
    """An SB3 logger that writes nothing and keeps the latest scalars for `on_progress`."""

    def __init__(self) -> None:
        super().__init__(folder=None, output_formats=[])
        self.latest: dict[str, float] = {}

    def dump(self, step: int = 0) -> None:
        """Takes what was recorded as the latest scalars."""
        self.latest = {key: float(value) for key, value in self.name_to_value.items()}
        super().dump(step)


def use_threads(threads: int) -> None:
    """Sets torch's threads; small batches do not pay for more than 8."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    th.set_num_threads(threads or min(available, 8))


class Sb3Learner(Learner):
    """A Stable-Baselines3 algorithm as a `Learner`."""

    Options: ClassVar[type[LearnerOptions]] = Sb3Options
    options: Any
    algorithm: Any

    def __init__(
        self, options: LearnerOptions, env: gymnasium.vector.VectorEnv[Any, Any, Any], rng: np.random.Generator
    ) -> None:
        super().__init__(options, env, rng)
        use_threads(self.options.threads)
        self.device = get_device(self.options.device)
        # SB3 initialises weights and samples actions from torch's generator.
        th.manual_seed(int(rng.integers(2**63)))
        self.venv = LoopVecEnv(env, labels=self._wants_labels())
        self.algorithm: BaseAlgorithm = self._make_algorithm()
        self.algorithm.ep_info_buffer = deque(maxlen=100)
        self.algorithm.ep_success_buffer = deque(maxlen=100)
        self.scalars = ScalarLogger()
        self.algorithm.set_logger(self.scalars)

    def _wants_labels(self) -> bool:
        """Whether observations must carry the teacher's actions."""
        return False

    @abstractmethod
    def _make_algorithm(self) -> BaseAlgorithm:
        """The untrained algorithm on `venv`."""

    @abstractmethod
    def mean_action(self, observation: dict[str, th.Tensor]) -> th.Tensor:
        """The deterministic action before clipping; needs ``image`` and ``proprio`` alone. Shape (n, a)."""

    @abstractmethod
    def _sample_action(self, observation: dict[str, th.Tensor]) -> th.Tensor:
        """An action of the stochastic policy before clipping. Shape (n, a)."""

    def act(self, observation: Observation, *, deterministic: bool = True) -> NDArray[np.float32]:
        """Actions for a batch; needs ``image`` and ``proprio`` alone. Shape (n, a), in [-1, 1]."""
        with th.inference_mode():
            tensors = {key: th.as_tensor(observation[key], device=self.device) for key in ("image", "proprio")}
            actions = self.mean_action(tensors) if deterministic else self._sample_action(tensors)
        return actions.clamp(-1, 1).float().cpu().numpy()

    def _report(self, on_progress: OnProgress) -> bool:
        """Hands out the scalars of the last iteration; a checkpoint may be taken inside."""
        self.env_steps = self.algorithm.num_timesteps
        self.algorithm.dump_logs()
        return on_progress(self.scalars.latest)

    def save(self, folder: Path) -> None:
        """Writes networks, optimisers, counters, generators and the last observation."""
        checkpoint.save_modules(folder / "networks.pt", self.algorithm)
        checkpoint.save_counters(folder / "counters.json", self.algorithm, self._counters())
        checkpoint.save_generators(folder / "generators.pt", self.rng)
        checkpoint.save_arrays(folder / "running.npz", self._running())

    def load(self, folder: Path) -> None:
        """Brings `save` back; the environment has been rewound to the same moment."""
        checkpoint.load_modules(folder / "networks.pt", self.algorithm)
        self._load_counters(checkpoint.load_counters(folder / "counters.json", self.algorithm))
        checkpoint.load_generators(folder / "generators.pt", self.rng)
        self._load_running(checkpoint.load_arrays(folder / "running.npz"))
        self.env_steps = self.algorithm.num_timesteps

    def _counters(self) -> dict[str, Any]:
        """More numbers for the checkpoint; JSON-ready."""
        return {}

    def _load_counters(self, counters: Mapping[str, Any]) -> None:
        """Brings `_counters` back."""
        del counters

    def _running(self) -> checkpoint.Arrays:
        """What belongs to the episodes that are under way."""
        arrays: checkpoint.Arrays = {"returns": self.venv.returns, "lengths": self.venv.lengths}
        if self.algorithm._last_obs is not None:
            arrays |= {f"obs.{key}": value for key, value in self.algorithm._last_obs.items()}
            arrays["starts"] = self.algorithm._last_episode_starts
        return arrays

    def _load_running(self, arrays: checkpoint.Arrays) -> None:
        self.venv.returns[:] = arrays.pop("returns")
        self.venv.lengths[:] = arrays.pop("lengths")
        starts = arrays.pop("starts", None)
        self.algorithm._last_episode_starts = starts
        last = {name.removeprefix("obs."): value for name, value in arrays.items()}
        self.algorithm._last_obs = last if starts is not None else None
