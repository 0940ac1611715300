"""What `sac` and `td3` share: replay, exploration, the training loop, their part of a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch as th
from pydantic import Field
from stable_baselines3.common.callbacks import CallbackList
from stable_baselines3.common.vec_env import VecTransposeImage
from torch import Tensor, nn

from adversarl.interfaces.learner import LearnerOptions, OnProgress
from adversarl_sb3 import checkpoint
from adversarl_sb3.learner import Sb3Learner, Sb3Options
from adversarl_sb3.networks import ActorFeatures
from adversarl_sb3.rollout import SeededReplayBuffer

if TYPE_CHECKING:
    from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
else:
    OffPolicyAlgorithm = object


class OffPolicyOptions(Sb3Options):
    """Keys that `sac` and `td3` share."""

    buffer_size: int = Field(20_000, ge=1, le=10_000_000, description="Transitions kept; two images each.")
    learning_starts: int = Field(1000, ge=0, description="Environment steps with random actions before learning.")
    batch_size: int = Field(256, ge=2, le=65536, description="Transitions a gradient step.")
    tau: float = Field(0.005, gt=0, le=1, description="Share of the networks that moves into their targets.")
    train_freq: int = Field(1, ge=1, le=100_000, description="Control steps of each environment between updates.")
    gradient_steps: int = Field(
        1, ge=-1, le=10_000, description="Gradient steps an update; -1 is one for every environment step."
    )
    report_every: int = Field(1000, ge=1, description="Environment steps between two possible checkpoints.")


class RawFeatures:
    """Hands observations to the extractor as they are: it converts images itself, to the type it computes in."""

    def extract_features(self, obs: Any, features_extractor: Any) -> Tensor:
        """Features of a batch."""
        features: Tensor = features_extractor(obs)
        return features


class Explorer(OffPolicyAlgorithm):
    """Mix-in for SB3's off-policy algorithms: all exploration noise comes from one generator, handed in.

    Stable-Baselines3 draws it from numpy's global one and from the action space, which a checkpoint cannot hold.
    """

    policy: Any
    rng: np.random.Generator
    noise: float
    """Standard deviation of Gaussian noise on actions, [1]."""

    def _sample_action(
        self, learning_starts: int, action_noise: Any = None, n_envs: int = 1
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        del action_noise
        assert self.action_space.shape is not None
        shape = (n_envs, *self.action_space.shape)
        if self.num_timesteps < learning_starts:
            actions = self.rng.uniform(-1, 1, shape)
        else:
            observation: Any = self._last_obs
            tensors = {key: th.as_tensor(observation[key], device=self.device) for key in ("image", "proprio")}
            with th.inference_mode():
                actions = self.policy._predict(tensors, deterministic=False).cpu().numpy()
            actions = np.clip(actions + self.noise * self.rng.standard_normal(shape), -1, 1)
        actions = actions.astype(np.float32)
        return actions, actions

    def iterate(self) -> None:
        """Acts for `train_freq` steps and learns from the replay."""
        rollout = self.collect_rollouts(
            self.env,  # type: ignore[arg-type]
            self._init_callback(CallbackList([])),
            self.train_freq,  # type: ignore[arg-type]
            self.replay_buffer,  # type: ignore[arg-type]
            learning_starts=self.learning_starts,
        )
        self.policy.observe(self._last_obs)
        if self.num_timesteps > self.learning_starts:
            steps = self.gradient_steps if self.gradient_steps >= 0 else rollout.episode_timesteps
            self.train(batch_size=self.batch_size, gradient_steps=steps)


def observe(modules: list[nn.Module], observation: checkpoint.Arrays) -> None:
    """Updates the input moments of several networks with a batch of observations."""
    device = next(modules[0].parameters()).device
    batch = {key: th.as_tensor(observation[key], device=device) for key in ("state", "proprio")}
    for module in modules:
        module.features_extractor.observe(batch)  # type: ignore[operator, union-attr]


class OffPolicyLearner(Sb3Learner):
    """A learner with a replay buffer."""

    Options: ClassVar[type[LearnerOptions]] = OffPolicyOptions
    options: Any
    algorithm: Any

    def _arguments(self) -> dict[str, Any]:
        """What both algorithms' constructors take."""
        o = self.options
        features = {"network": o.network, "precision": o.precision, "device": str(self.device)}
        policy = {
            "net_arch": [o.hidden, o.hidden],
            "features_extractor_class": ActorFeatures,
            "features_extractor_kwargs": features,
        }
        return {
            "env": VecTransposeImage(self.venv, skip=True),
            "learning_rate": o.learning_rate,
            "buffer_size": o.buffer_size,
            "learning_starts": o.learning_starts,
            "batch_size": o.batch_size,
            "tau": o.tau,
            "gamma": o.gamma,
            "train_freq": o.train_freq,
            "gradient_steps": o.gradient_steps,
            "replay_buffer_class": SeededReplayBuffer,
            "replay_buffer_kwargs": {"rng": self.rng},
            "policy_kwargs": policy,
            "device": self.device,
        }

    def _sample_action(self, observation: dict[str, Tensor]) -> Tensor:
        action: Tensor = self.algorithm.policy._predict(observation, deterministic=False)
        return action

    def learn(self, total_steps: int, on_progress: OnProgress) -> None:
        """Trains until `env_steps` reaches `total_steps` or `on_progress` returns False."""
        self.algorithm._setup_learn(0, reset_num_timesteps=False)
        self.algorithm._total_timesteps = total_steps
        while self.algorithm.num_timesteps < total_steps:
            until = min(total_steps, self.algorithm.num_timesteps + self.options.report_every)
            while self.algorithm.num_timesteps < until:
                self.algorithm.iterate()
            if not self._report(on_progress):
                return

    def save(self, folder: Path) -> None:
        """Writes everything, the replay buffer included."""
        super().save(folder)
        checkpoint.save_arrays(folder / "replay.npz", self.algorithm.replay_buffer.state())

    def load(self, folder: Path) -> None:
        """Brings `save` back."""
        super().load(folder)
        self.algorithm.replay_buffer.load_state(checkpoint.load_arrays(folder / "replay.npz"))
