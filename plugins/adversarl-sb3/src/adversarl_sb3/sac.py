"""Learner `sac`: Soft Actor-Critic from pixels with a critic on the simulator's state."""

from __future__ import annotations

import adversarl_sb3.openmp  # noqa: F401  # isort: skip  # before torch

from typing import Any, ClassVar, Literal

import stable_baselines3
import torch as th
from pydantic import Field
from stable_baselines3.common.policies import ContinuousCritic
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.sac.policies import Actor, SACPolicy
from torch import Tensor

from adversarl.interfaces.learner import LearnerOptions
from adversarl_sb3.checkpoint import Arrays
from adversarl_sb3.networks import PrivilegedFeatures
from adversarl_sb3.off_policy import Explorer, OffPolicyLearner, OffPolicyOptions, RawFeatures, observe


class SACOptions(OffPolicyOptions):
    """Keys of ``[learner] use = "sac"``."""

    ent_coef: float | Literal["auto"] = Field(
        "auto", description="Weight of the entropy bonus; auto learns it from 0.1 on (arXiv:1812.05905)."
    )


class _Actor(RawFeatures, Actor):
    """Pixels and proprioception to a squashed Gaussian."""


class _Critic(RawFeatures, ContinuousCritic):
    """State, proprioception and action to two values."""


class _Policy(SACPolicy):
    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)
        self.to(memory_format=th.channels_last)  # type: ignore[call-overload]

    def make_actor(self, features_extractor: Any = None) -> _Actor:
        return _Actor(**self._update_features_extractor(self.actor_kwargs, features_extractor)).to(self.device)

    def make_critic(self, features_extractor: Any = None) -> _Critic:
        del features_extractor
        privileged = PrivilegedFeatures(self.observation_space)  # type: ignore[arg-type]
        return _Critic(**self._update_features_extractor(self.critic_kwargs, privileged)).to(self.device)

    def observe(self, observation: Arrays) -> None:
        """Updates the input moments of all networks."""
        observe([self.actor, self.critic, self.critic_target], observation)


class _Algorithm(Explorer, stable_baselines3.SAC):
    pass


class SAC(OffPolicyLearner):
    """Soft Actor-Critic (Haarnoja et al., arXiv:1812.05905) by Stable-Baselines3."""

    Options: ClassVar[type[LearnerOptions]] = SACOptions
    options: SACOptions
    algorithm: _Algorithm

    def _make_algorithm(self) -> _Algorithm:
        # SB3 begins at 1, where the entropy of one more step outweighs the reward for finishing.
        chosen = "auto_0.1" if self.options.ent_coef == "auto" else self.options.ent_coef
        algorithm = _Algorithm(_Policy, ent_coef=chosen, **self._arguments())
        algorithm.rng, algorithm.noise = self.rng, 0.0
        return algorithm

    def mean_action(self, observation: dict[str, Tensor]) -> Tensor:
        """Mode of the squashed Gaussian. Shape (n, a)."""
        return th.tanh(self.algorithm.actor.get_action_dist_params(observation)[0])
