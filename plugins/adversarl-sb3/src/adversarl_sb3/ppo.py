"""Learner `ppo`: warm start by DAgger, then PPO under the curriculum with annealed on-policy distillation."""

from __future__ import annotations

import adversarl_sb3.openmp  # noqa: F401  # isort: skip  # before torch

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch as th
from numpy.typing import NDArray
from pydantic import Field
from stable_baselines3.common.vec_env import VecTransposeImage

from adversarl.interfaces.backend import Observation
from adversarl.interfaces.learner import LearnerOptions, OnProgress
from adversarl_sb3 import checkpoint
from adversarl_sb3.distill import Dagger, WarmStart
from adversarl_sb3.distilled_ppo import DistilledPPO
from adversarl_sb3.labelled import LabelledFrames
from adversarl_sb3.learner import Sb3Learner, Sb3Options
from adversarl_sb3.policy import AsymmetricPolicy
from adversarl_sb3.rollout import SeededRolloutBuffer
from adversarl_sb3.vecenv import privileged


class PPOOptions(Sb3Options):
    """Keys of ``[learner] use = "ppo"``; plain PPO is ``warm_start_steps = 0`` and ``distillation = 0``."""

    n_steps: int = Field(128, ge=2, le=65536, description="Control steps of each environment between updates.")
    batch_size: int = Field(128, ge=2, le=65536, description="Samples a gradient step.")
    n_epochs: int = Field(3, ge=1, le=50, description="Passes over each rollout.")
    final_learning_rate: float = Field(
        0.05, ge=0, le=1, description="Step size at the end of training, reached linearly, as a share of learning_rate."
    )
    gae_lambda: float = Field(0.95, ge=0, le=1, description="Bias against variance of the advantage estimate.")
    clip_range: float = Field(0.2, gt=0, le=1, description="Largest change of an action's probability ratio.")
    ent_coef: float = Field(0.0, ge=0, le=1, description="Weight of the entropy bonus.")
    vf_coef: float = Field(0.5, ge=0, le=10, description="Weight of the value loss.")
    max_grad_norm: float = Field(0.5, gt=0, le=100, description="Gradients are scaled down to this norm.")
    target_kl: float | None = Field(
        0.03, gt=0, le=1, description="Plain PPO ends a rollout's updates at 1.5 times this divergence, [nat]."
    )
    log_std_init: float = Field(-1.5, ge=-5, le=1, description="Initial logarithm of the actions' deviation.")
    warm_start_steps: int = Field(
        12_000,
        ge=0,
        le=10_000_000,
        description="Frames labelled by the teacher before the curriculum begins; 0 is none.",
    )
    warm_start_passes: float = Field(10, gt=0, le=1000, description="Times a labelled frame is trained on, on average.")
    warm_start_learning_rate: float = Field(2e-3, gt=0, le=1, description="Initial step size of the warm start.")
    warm_start_mixing: float = Field(
        0.5, ge=0, le=1, description="Share of the warm start over which the teacher stops acting itself."
    )
    distillation: float = Field(10.0, ge=0, le=1000, description="Initial weight of the teacher's labels; 0 is none.")
    distillation_end: float = Field(1.0, gt=0, le=1, description="Share of training at which that weight reaches 0.")
    distillation_replay: int = Field(
        16_384, ge=0, le=10_000_000, description="Labelled frames kept for rehearsal; 0 uses the rollout's alone."
    )
    distillation_batch_size: int = Field(
        128, ge=0, le=65536, description="Rehearsed frames a gradient step, beside the rollout's."
    )
    critic_warm_up: int = Field(
        5, ge=0, le=10_000, description="Rollouts that train the critic before its advantages move the policy."
    )


class PPO(Sb3Learner):
    """PPO on pixels that a CPU can afford, thanks to a teacher.

    The run calls it so::

        learner = PPO(PPO.Options(), env, rng)
        learner.warm_start(on_progress)          # DAgger: warm_start_steps labelled frames
        learner.learn(total_steps, on_progress)  # PPO + distillation, a checkpoint may follow every rollout
    """

    Options: ClassVar[type[LearnerOptions]] = PPOOptions
    options: PPOOptions
    algorithm: DistilledPPO

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        plan = WarmStart(
            frames=self.options.warm_start_steps,
            passes=self.options.warm_start_passes,
            batch_size=self.options.batch_size,
            learning_rate=self.options.warm_start_learning_rate,
            mixing=self.options.warm_start_mixing,
        )
        self.warm_start_total = self.options.warm_start_steps
        self.dagger = Dagger(plan, self.venv, self.algorithm.policy, self.frames, self.rng)

    @property
    def warm_start_env_steps(self) -> int:
        """Environment steps of the warm start so far, over all sub-environments."""
        return self.dagger.frames

    def _wants_labels(self) -> bool:
        return self.options.warm_start_steps > 0 or self.options.distillation > 0

    def _make_algorithm(self) -> DistilledPPO:
        o = self.options
        self.frames = LabelledFrames(max(o.distillation_replay, o.warm_start_steps, 1), self.rng, self.device)
        return DistilledPPO(
            AsymmetricPolicy,
            VecTransposeImage(self.venv, skip=True),
            learning_rate=lambda left: o.learning_rate * (left + (1 - left) * o.final_learning_rate),
            n_steps=o.n_steps,
            batch_size=o.batch_size,
            n_epochs=o.n_epochs,
            gamma=o.gamma,
            gae_lambda=o.gae_lambda,
            clip_range=o.clip_range,
            ent_coef=o.ent_coef,
            vf_coef=o.vf_coef,
            max_grad_norm=o.max_grad_norm,
            target_kl=o.target_kl,
            rollout_buffer_class=SeededRolloutBuffer,
            rollout_buffer_kwargs={"rng": self.rng},
            policy_kwargs=self._policy_kwargs(),
            device=self.device,
            distillation=o.distillation,
            distillation_end=o.distillation_end,
            distillation_batch_size=o.distillation_batch_size,
            critic_warm_up=o.critic_warm_up,
            replay=self.frames if o.distillation_replay else None,
        )

    def _policy_kwargs(self) -> dict[str, Any]:
        o = self.options
        features = {"network": o.network, "precision": o.precision, "device": str(self.device)}
        return {"hidden": [o.hidden, o.hidden], "log_std_init": o.log_std_init, "features_extractor_kwargs": features}

    def mean_action(self, observation: dict[str, th.Tensor]) -> th.Tensor:
        """Mean of the Gaussian. Shape (n, a)."""
        return self.algorithm.policy.action_mean(observation)

    def _sample_action(self, observation: dict[str, th.Tensor]) -> th.Tensor:
        return self.algorithm.policy.get_distribution(observation).get_actions()

    def values(self, observation: Observation, state: NDArray[np.float32]) -> NDArray[np.float64]:
        """The critic's estimates of the return discounted by `gamma`, in units of reward; see `privileged`.

        Args:
            observation: A batch of observations.
            state: Their privileged states. Shape (n, s).

        Returns:
            Shape (n,).
        """
        arrays = {"proprio": observation["proprio"], "state": privileged(state, observation["image"])}
        with th.inference_mode():
            tensors = {key: th.as_tensor(value, dtype=th.float32, device=self.device) for key, value in arrays.items()}
            estimates = self.algorithm.policy.predict_values(tensors)
        return estimates.flatten().double().cpu().numpy()

    def warm_start(self, on_progress: OnProgress) -> None:
        """Imitates the teacher in the nominal world; goes on where a checkpoint left it."""
        self.dagger.run(on_progress)

    def learn(self, total_steps: int, on_progress: OnProgress) -> None:
        """Trains until `env_steps` reaches `total_steps` or `on_progress` returns False."""
        self.algorithm._setup_learn(0, reset_num_timesteps=False)
        while self.algorithm.num_timesteps < total_steps:
            self.algorithm.iterate(total_steps)
            if not self._report(on_progress):
                return

    def save(self, folder: Path) -> None:
        """Writes everything, the labelled frames included."""
        super().save(folder)
        checkpoint.save_arrays(folder / "labelled.npz", self.frames.state())

    def load(self, folder: Path) -> None:
        """Brings `save` back."""
        super().load(folder)
        self.frames.load_state(checkpoint.load_arrays(folder / "labelled.npz"))

    def _counters(self) -> dict[str, Any]:
        return {"warm_start": self.dagger.counters()}

    def _load_counters(self, counters: Mapping[str, Any]) -> None:
        self.dagger.load_counters(counters["warm_start"])

    def _running(self) -> checkpoint.Arrays:
        under_way = {} if self.dagger.finished else (self.dagger.observation or {})
        return super()._running() | {f"warm_start.{key}": value for key, value in under_way.items()}

    def _load_running(self, arrays: checkpoint.Arrays) -> None:
        names = [name for name in arrays if name.startswith("warm_start.")]
        self.dagger.observation = {name.removeprefix("warm_start."): arrays.pop(name) for name in names} or None
        super()._load_running(arrays)
