"""The adversary's policy: Stable-Baselines3's actor-critic over a menu of conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch as th
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from adversarl_sb3.adversary_menu import Action

IMPOSSIBLE = -1e8
"""Logit of what a name does not have; not minus infinity, whose product with probability 0 is no number."""


class MenuPolicy(ActorCriticPolicy):
    r"""Chooses what to vary first, then target, intensity and onset for it.

    :math:`\pi(a) = (1 - u) \, p(a_1) \prod_{i>1} p(a_i \mid a_1) + u \, U(a)`: how much is right depends on what is
    varied, so the logits of the later choices get a learnt term for each name. The uniform distribution U over all
    that is allowed is a part of the policy, whose probabilities PPO's ratios are made of; so the policy can never
    stop trying anything, and it stays on its own data.

    Args:
        allowed: Which later choices each name has. Shape (names, later choices).
        uniform_share: The share u.
        *args: As in Stable-Baselines3; the action space is a `gymnasium.spaces.MultiDiscrete`.
        **kwargs: Likewise.
    """

    def __init__(self, *args: Any, allowed: NDArray[np.bool_], uniform_share: float, **kwargs: Any) -> None:
        self.sizes: list[int] = []
        self.barred = ~allowed
        self.uniform_share = uniform_share
        super().__init__(*args, **kwargs)

    def _build(self, lr_schedule: Any) -> None:
        self.sizes = self.action_space.nvec.tolist()  # type: ignore[attr-defined]
        self.conditional = nn.Parameter(th.zeros(self.barred.shape))
        self.register_buffer("bar", IMPOSSIBLE * th.as_tensor(self.barred, dtype=th.float32), persistent=False)
        flat = th.cat([part.log_softmax(-1) for part in self._split(cast(Tensor, self.bar))], -1)
        self.register_buffer("flat", flat, persistent=False)
        super()._build(lr_schedule)

    def _split(self, later: Tensor) -> tuple[Tensor, ...]:
        return th.split(later, self.sizes[1:], dim=-1)

    def factors(self, observation: Tensor) -> tuple[Tensor, list[Tensor], Tensor]:
        """Logarithms of the learnt probabilities, and the value.

        Args:
            observation: Shape (n, size).

        Returns:
            Of the names, Shape (n, names); of each later choice for every name, Shape (n, names, choices); the value,
            Shape (n,).
        """
        latent, critic = self.mlp_extractor(observation)
        logits = self.action_net(latent)
        names, later = logits[:, : self.sizes[0]], logits[:, self.sizes[0] :]
        conditioned = later[:, None] + self.conditional + cast(Tensor, self.bar)
        parts = [part.log_softmax(-1) for part in self._split(conditioned)]
        return names.log_softmax(-1), parts, self.value_net(critic).flatten()

    def evaluate_actions(self, obs: Any, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Values, logarithms of the policy's probabilities, and entropies of its learnt part [nat]. Shape (n,) each."""
        names, parts, values = self.factors(obs)
        entropy = -(names.exp() * names).sum(-1)
        for part in parts:
            entropy = entropy - (names.exp() * (part.exp() * part).sum(-1)).sum(-1)
        return values, self._log_prob(names, parts, actions.long()), entropy

    def _log_prob(self, names: Tensor, parts: Sequence[Tensor], actions: Tensor) -> Tensor:
        """Logarithm of the mixture's probability of actions. Shape (n,)."""
        row, what = th.arange(len(actions)), actions[:, 0]
        learnt, uniform = names[row, what], th.full((len(actions),), -float(np.log(self.sizes[0])))
        for index, (part, flat) in enumerate(zip(parts, self._split(cast(Tensor, self.flat)), strict=True), start=1):
            learnt = learnt + part[row, what, actions[:, index]]
            uniform = uniform + flat[what, actions[:, index]]
        return self._mixed(learnt, uniform)

    def _mixed(self, learnt: Tensor, uniform: Tensor) -> Tensor:
        """Logarithm of the mixture of two probabilities given by theirs."""
        share = self.uniform_share
        if share in (0.0, 1.0):
            return uniform + 0 * learnt if share else learnt
        return th.logaddexp(learnt + float(np.log1p(-share)), uniform + float(np.log(share)))

    def draw(self, observation: NDArray[np.float32], rng: np.random.Generator) -> tuple[Action, float, float, bool]:
        """Draws an action; all randomness comes from `rng`.

        Returns:
            The action, the value, the logarithm of its probability, and whether the uniform part drew it.
        """
        with th.no_grad():
            names, parts, value = self.factors(th.as_tensor(observation)[None])
            uniform = bool(rng.random() < self.uniform_share)
            logits = [th.zeros_like(names), *self._split(cast(Tensor, self.bar)[None])] if uniform else [names, *parts]
            what = _pick(logits[0][0], rng)
            target, level, onset = (_pick(part[0, what], rng) for part in logits[1:])
            action = (what, target, level, onset)
            log_prob = self._log_prob(names, parts, th.tensor([action]))
        return action, float(value), float(log_prob), uniform


def _pick(logits: Tensor, rng: np.random.Generator) -> int:
    """Draws an index by its unnormalised logarithm of probability."""
    weights = np.exp(logits.double().numpy() - float(logits.max()))
    reached = np.cumsum(weights)
    return int(np.searchsorted(reached, rng.random() * reached[-1], side="right"))
