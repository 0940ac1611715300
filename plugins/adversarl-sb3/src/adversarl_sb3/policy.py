"""Asymmetric actor-critic for PPO: the actor sees pixels, the critic the simulator's state."""

from __future__ import annotations

from typing import Any

import torch as th
from gymnasium import spaces
from stable_baselines3.common.distributions import Distribution
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.type_aliases import Schedule
from torch import Tensor, nn

from adversarl_sb3.networks import ActorFeatures, PrivilegedFeatures

Observation = dict[str, Tensor]


def mlp(width: int, hidden: list[int]) -> nn.Sequential:
    """Fully connected layers with ReLU."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(width, size), nn.ReLU()]
        width = size
    return nn.Sequential(*layers)


class Towers(nn.Module):
    """The two separate trunks, under the names that SB3's policies look for."""

    def __init__(self, actor_width: int, critic_width: int, hidden: list[int]) -> None:
        super().__init__()
        self.latent_dim_pi = self.latent_dim_vf = hidden[-1]
        self.policy_net = mlp(actor_width, hidden)
        self.value_net = mlp(critic_width, hidden)

    def forward_actor(self, features: Tensor) -> Tensor:
        """Latent of the actor. Shape (n, `latent_dim_pi`)."""
        return self.policy_net(features)  # type: ignore[no-any-return]

    def forward_critic(self, features: Tensor) -> Tensor:
        """Latent of the critic. Shape (n, `latent_dim_vf`)."""
        return self.value_net(features)  # type: ignore[no-any-return]


class AsymmetricPolicy(MultiInputActorCriticPolicy):
    """Gaussian policy over image and proprioception; value over privileged state and proprioception.

    The critic has no convolutions, which halves the cost of an update, and the actor can be run without a simulator.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        *,
        hidden: list[int],
        **kwargs: Any,
    ) -> None:
        self.hidden = hidden
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            features_extractor_class=ActorFeatures,
            share_features_extractor=False,
            **kwargs,
        )

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)
        # After the orthogonal initialisation, which cannot handle this layout.
        self.to(memory_format=th.channels_last)  # type: ignore[call-overload]

    def _build_mlp_extractor(self) -> None:
        # SB3 gave both sides the same class of extractor; the critic's is replaced before the optimiser exists.
        self.vf_features_extractor = PrivilegedFeatures(self.observation_space)  # type: ignore[arg-type]
        self.mlp_extractor = Towers(  # type: ignore[assignment]
            self.pi_features_extractor.features_dim, self.vf_features_extractor.features_dim, self.hidden
        )

    def actor_latent(self, observation: Observation) -> Tensor:
        """Trunk of the actor. Shape (n, hidden)."""
        return self.mlp_extractor.forward_actor(self.pi_features_extractor(observation))

    def action_mean(self, observation: Observation) -> Tensor:
        """Mean of the Gaussian, not clipped. Shape (n, a)."""
        return self.action_net(self.actor_latent(observation))  # type: ignore[no-any-return]

    def get_distribution(self, obs: Observation) -> Distribution:  # type: ignore[override]
        """Distribution of actions; needs ``image`` and ``proprio`` alone."""
        return self._get_action_dist_from_latent(self.actor_latent(obs))

    def predict_values(self, obs: Observation) -> Tensor:  # type: ignore[override]
        """Values; needs ``state`` and ``proprio`` alone. Shape (n, 1)."""
        return self.value_net(self.mlp_extractor.forward_critic(self.vf_features_extractor(obs)))  # type: ignore[no-any-return]

    def forward(self, obs: Observation, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:  # type: ignore[override]
        """Actions, values and log-probabilities."""
        distribution = self.get_distribution(obs)
        actions = distribution.get_actions(deterministic=deterministic)
        return actions, self.predict_values(obs), distribution.log_prob(actions)

    def evaluate_actions(self, obs: Observation, actions: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:  # type: ignore[override]
        """Values, log-probabilities and entropy of given actions."""
        distribution = self.get_distribution(obs)
        return self.predict_values(obs), distribution.log_prob(actions), distribution.entropy()

    @th.no_grad()
    def observe(self, observation: Observation) -> None:
        """Updates the input moments of actor and critic; call between updates only."""
        self.pi_features_extractor.observe(observation)  # type: ignore[operator]
        self.vf_features_extractor.observe(observation)  # type: ignore[operator]
