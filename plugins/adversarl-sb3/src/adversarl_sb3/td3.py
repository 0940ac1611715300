"""Learner `td3`: Twin Delayed DDPG from pixels with a critic on the simulator's state."""

from __future__ import annotations

import adversarl_sb3.openmp  # noqa: F401  # isort: skip  # before torch

from typing import Any, ClassVar

import stable_baselines3
import torch as th
from pydantic import Field
from stable_baselines3.common.policies import ContinuousCritic
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.td3.policies import Actor, TD3Policy
from torch import Tensor

from adversarl.interfaces.learner import LearnerOptions
from adversarl_sb3.checkpoint import Arrays
from adversarl_sb3.networks import PrivilegedFeatures
from adversarl_sb3.off_policy import Explorer, OffPolicyLearner, OffPolicyOptions, RawFeatures, observe


class TD3Options(OffPolicyOptions):
    """Keys of ``[learner] use = "td3"``."""

    policy_delay: int = Field(2, ge=1, le=100, description="Critic updates for each update of the actor.")
    exploration_noise: float = Field(0.1, ge=0, le=1, description="Deviation of the noise on the actor's actions.")
    target_policy_noise: float = Field(0.2, ge=0, le=1, description="Deviation of the noise on target actions.")
    target_noise_clip: float = Field(0.5, ge=0, le=2, description="Bound of the noise on target actions.")


class _Actor(RawFeatures, Actor):
    """Pixels and proprioception to an action."""


class _Critic(RawFeatures, ContinuousCritic):
    """State, proprioception and action to two values."""


class _Policy(TD3Policy):
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
        observe([self.actor, self.actor_target, self.critic, self.critic_target], observation)


class _Algorithm(Explorer, stable_baselines3.TD3):
    pass


class TD3(OffPolicyLearner):
    """Twin Delayed DDPG (Fujimoto et al., arXiv:1802.09477) by Stable-Baselines3."""

    Options: ClassVar[type[LearnerOptions]] = TD3Options
    options: TD3Options
    algorithm: _Algorithm

    def _make_algorithm(self) -> _Algorithm:
        o = self.options
        algorithm = _Algorithm(
            _Policy,
            policy_delay=o.policy_delay,
            target_policy_noise=o.target_policy_noise,
            target_noise_clip=o.target_noise_clip,
            **self._arguments(),
        )
        algorithm.rng, algorithm.noise = self.rng, o.exploration_noise
        return algorithm

    def mean_action(self, observation: dict[str, Tensor]) -> Tensor:
        """The actor's output. Shape (n, a)."""
        action: Tensor = self.algorithm.actor(observation)
        return action
