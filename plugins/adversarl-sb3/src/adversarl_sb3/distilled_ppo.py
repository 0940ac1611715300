"""Stable-Baselines3's PPO with a term that imitates the teacher on the states the policy visits."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import stable_baselines3
import torch as th
from stable_baselines3.common.callbacks import CallbackList
from stable_baselines3.common.type_aliases import DictRolloutBufferSamples
from stable_baselines3.common.utils import explained_variance
from torch import Tensor
from torch.nn import functional as F

from adversarl_sb3.distill import descend, imitation_loss
from adversarl_sb3.labelled import LabelledFrames
from adversarl_sb3.policy import AsymmetricPolicy
from adversarl_sb3.rollout import SeededRolloutBuffer


class DistilledPPO(stable_baselines3.PPO):
    r"""Minimises :math:`(L_{PPO} + w(t) \, \lVert \mu(o) - a_{teacher}(s) \rVert^2) / (1 + w(t))`.

    The division keeps the size of gradients, and with it `max_grad_norm`, what it was in the warm start. The weight
    falls linearly from `distillation` to 0 over the first `distillation_end` of training. Without labels and with
    weight 0 it is PPO as Stable-Baselines3 has it (Schulman et al., arXiv:1707.06347), apart from the asymmetric
    critic. Labels on the student's own states follow Czarnecki et al., "Distilling Policy Distillation", AISTATS 2019.
    """

    policy: AsymmetricPolicy
    rollout_buffer: SeededRolloutBuffer

    def __init__(
        self,
        *args: Any,
        distillation: float,
        distillation_end: float,
        distillation_batch_size: int,
        critic_warm_up: int,
        replay: LabelledFrames | None,
        **kwargs: Any,
    ) -> None:
        self.distillation = distillation
        self.distillation_end = distillation_end
        self.distillation_batch_size = distillation_batch_size
        self.critic_warm_up = critic_warm_up
        self.replay = replay
        super().__init__(*args, **kwargs)

    @property
    def distillation_weight(self) -> float:
        """The weight w(t) now."""
        progress = 1.0 - self._current_progress_remaining
        return self.distillation * max(0.0, 1.0 - progress / self.distillation_end)

    def iterate(self, total_steps: int) -> None:
        """One rollout and the updates on it."""
        self._total_timesteps = total_steps
        self.collect_rollouts(self.env, self._init_callback(CallbackList([])), self.rollout_buffer, self.n_steps)  # type: ignore[arg-type]
        self._update_current_progress_remaining(self.num_timesteps, total_steps)
        self.train()

    def train(self) -> None:
        """Several passes over the rollout."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        self.rollout_buffer.flatten()
        if self.replay is not None and self.distillation_weight > 0:
            self.replay.add(self.rollout_buffer.observations)
        scalars: dict[str, list[float]] = defaultdict(list)
        for _ in range(self.n_epochs):
            if not self._pass(scalars):
                break
        self._n_updates += 1
        self._log(scalars)
        low_dimensional = {
            key: self.rollout_buffer.to_torch(self.rollout_buffer.observations[key]) for key in ("state", "proprio")
        }
        self.policy.observe(low_dimensional)

    def _pass(self, scalars: dict[str, list[float]]) -> bool:
        """One pass over the rollout; False when the policy moved too far from the one that collected it."""
        for batch in self.rollout_buffer.get(self.batch_size):
            loss, divergence = self._loss(batch, scalars)
            # Only the reward term overshoots on stale data; labels do not age.
            if self.target_kl is not None and divergence > 1.5 * self.target_kl and self.distillation_weight == 0:
                return False
            descend(loss, self.policy.optimizer, self.max_grad_norm)
        return True

    def _loss(self, batch: DictRolloutBufferSamples, scalars: dict[str, list[float]]) -> tuple[Tensor, float]:
        """The total loss of a minibatch and the approximate KL divergence from the collecting policy."""
        distribution = self.policy.get_distribution(batch.observations)
        log_ratio = distribution.log_prob(batch.actions) - batch.old_log_prob
        clip_range = self.clip_range(self._current_progress_remaining)  # type: ignore[operator]
        policy_loss, clip_fraction = clipped_surrogate(log_ratio, batch.advantages, clip_range)
        value_loss = F.mse_loss(batch.returns, self.policy.predict_values(batch.observations).flatten())
        entropy = distribution.entropy().mean()  # type: ignore[union-attr]
        loss = self.vf_coef * value_loss
        # An untrained critic's advantages are noise, which would undo the warm start. Until then the actor has no
        # gradient rather than one of zero: Adam would go on with the warm start's momentum.
        if self._n_updates >= self.critic_warm_up:
            loss = loss + policy_loss - self.ent_coef * entropy
        if self.distillation_weight > 0:
            imitation = self._imitation(distribution.mode(), batch.observations)
            loss = (loss + self.distillation_weight * imitation) / (1 + self.distillation_weight)
            scalars["train/distillation_loss"].append(imitation.item())
        with th.no_grad():
            # Estimator k3 of http://joschu.net/blog/kl-approx.html, as in SB3.
            divergence = float((th.exp(log_ratio) - 1 - log_ratio).mean())
        scalars["train/loss"].append(loss.item())
        scalars["train/policy_gradient_loss"].append(policy_loss.item())
        scalars["train/value_loss"].append(value_loss.item())
        scalars["train/entropy_loss"].append(-entropy.item())
        scalars["train/clip_fraction"].append(clip_fraction)
        scalars["train/approx_kl"].append(divergence)
        return loss, divergence

    def _imitation(self, mean: Tensor, observations: dict[str, Tensor]) -> Tensor:
        """The distillation term on the minibatch and on as many frames of the replay as asked for."""
        on_policy = imitation_loss(mean, observations["teacher"])
        if self.replay is None or self.distillation_batch_size == 0:
            return on_policy
        batch = self.replay.sample(self.distillation_batch_size)
        replayed = imitation_loss(self.policy.action_mean(batch), batch["teacher"])
        share = len(mean) / (len(mean) + self.distillation_batch_size)
        return share * on_policy + (1 - share) * replayed

    def _log(self, scalars: dict[str, list[float]]) -> None:
        for name, values in scalars.items():
            self.logger.record(name, float(np.mean(values)))
        buffer = self.rollout_buffer
        variance = explained_variance(buffer.values.flatten(), buffer.returns.flatten())
        self.logger.record("train/explained_variance", float(variance))
        self.logger.record("train/std", float(th.exp(self.policy.log_std.detach()).mean()))
        self.logger.record("train/n_updates", self._n_updates)
        if self.distillation > 0:
            self.logger.record("train/distillation_weight", self.distillation_weight)


def clipped_surrogate(log_ratio: Tensor, advantages: Tensor, clip_range: float) -> tuple[Tensor, float]:
    """PPO's policy loss (arXiv:1707.06347, equation 7, negated) and the share of samples it clips."""
    if len(advantages) > 1:
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    ratio = th.exp(log_ratio)
    clipped = th.clamp(ratio, 1 - clip_range, 1 + clip_range)
    fraction = float((th.abs(ratio.detach() - 1) > clip_range).float().mean())
    return -th.min(advantages * ratio, advantages * clipped).mean(), fraction
