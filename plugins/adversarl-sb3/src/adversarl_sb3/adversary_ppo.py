"""Stable-Baselines3's PPO on one-step episodes whose rewards arrive late and in any order."""

from __future__ import annotations

import base64
import io
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import stable_baselines3
import torch as th
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.type_aliases import RolloutBufferSamples

from adversarl_sb3.adversary_menu import Action
from adversarl_sb3.adversary_policy import MenuPolicy


@dataclass(frozen=True, slots=True)
class Transition:
    """A proposal as a one-step episode: what was seen, what was done, and what came of it.

    Attributes:
        observation: Shape (size,).
        action: Indices into the menu.
        reward: The objective.
        value: The critic's value when the action was drawn.
        log_prob: Logarithm of the action's probability then; the ratios of PPO allow for a policy that has moved since.
    """

    observation: Sequence[float]
    action: Action
    reward: float
    value: float
    log_prob: float


class _Spaces(gymnasium.Env[NDArray[np.float32], NDArray[np.int64]]):
    """Says what is seen and done; the episodes themselves are those of the closed loop, so it is never stepped."""

    def __init__(self, size: int, actions: spaces.MultiDiscrete) -> None:
        self.observation_space = spaces.Box(-1, 1, (size,), np.float32)
        self.action_space = actions


class _Shuffled(RolloutBuffer):
    """A buffer whose minibatches come in an order drawn from `rng` instead of numpy's global generator."""

    def __init__(self, *args: Any, rng: np.random.Generator, **kwargs: Any) -> None:
        self.rng = rng
        super().__init__(*args, **kwargs)

    def get(self, batch_size: int | None = None) -> Generator[RolloutBufferSamples, None, None]:
        """Minibatches in random order; there is one environment, whose axis goes."""
        if not self.generator_ready:
            for name in ("observations", "actions", "values", "log_probs", "advantages", "returns"):
                setattr(self, name, self.swap_and_flatten(getattr(self, name)))
            self.generator_ready = True
        order = self.rng.permutation(self.buffer_size)
        for start in range(0, self.buffer_size, batch_size or self.buffer_size):
            yield self._get_samples(order[start : start + (batch_size or self.buffer_size)])


class ProposalPPO:
    """A second policy, trained on the outcomes of its proposals (Schulman et al., arXiv:1707.06347).

    Args:
        size: Length of the observation.
        actions: The menu's action space.
        rng: Draws the first weights and the order of minibatches.
        policy: Keyword arguments of `MenuPolicy`.
        **ppo: Keyword arguments of `stable_baselines3.PPO`.
    """

    def __init__(
        self, size: int, actions: spaces.MultiDiscrete, rng: np.random.Generator, policy: dict[str, Any], **ppo: Any
    ) -> None:
        self._logger = Logger(folder=None, output_formats=[])
        with th.random.fork_rng(devices=[]):
            th.default_generator.manual_seed(int(rng.integers(2**63)))
            self.algorithm = stable_baselines3.PPO(
                MenuPolicy,
                _Spaces(size, actions),
                rollout_buffer_class=_Shuffled,
                rollout_buffer_kwargs={"rng": rng},
                policy_kwargs=policy,
                device="cpu",
                **ppo,
            )
        self.algorithm.set_logger(self._logger)

    @property
    def policy(self) -> MenuPolicy:
        """What draws the actions."""
        policy = self.algorithm.policy
        assert isinstance(policy, MenuPolicy)
        return policy

    def train(self, transitions: Sequence[Transition]) -> dict[str, float]:
        """One update on `n_steps` finished proposals; where all earned the same, only critic and entropy bonus act.

        Returns:
            ``{"loss", "entropy"}``: the last minibatch's loss, and the mean entropy of the learnt choice [nat].
        """
        buffer = self.algorithm.rollout_buffer
        buffer.reset()
        for one in transitions:
            seen, done = np.array([one.observation], np.float32), np.array([one.action])
            estimates = th.tensor([one.value]), th.tensor([one.log_prob])
            buffer.add(seen, done, np.array([one.reward]), np.ones(1), *estimates)
        buffer.compute_returns_and_advantage(th.zeros(1), np.ones(1))
        if np.ptp(buffer.rewards) == 0:
            # Nothing tells these proposals apart, and normalizing what the critic is off by would make it a preference.
            buffer.advantages[:] = 0
        self.algorithm.train()
        logged = self._logger.name_to_value
        return {"loss": float(logged["train/loss"]), "entropy": -float(logged["train/entropy_loss"])}

    def state_dict(self) -> dict[str, Any]:
        """Weights and optimiser as base64 of what torch writes; JSON-ready."""
        modules = {"policy": self.policy.state_dict(), "optimizer": self.policy.optimizer.state_dict()}
        th.save(modules, written := io.BytesIO())
        return {"torch": base64.b64encode(written.getvalue()).decode("ascii"), "updates": self.algorithm._n_updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back; reads tensors alone, nothing that needs unpickling."""
        written = io.BytesIO(base64.b64decode(state["torch"]))
        modules = th.load(written, map_location="cpu", weights_only=True)
        self.policy.load_state_dict(modules["policy"])
        self.policy.optimizer.load_state_dict(modules["optimizer"])
        self.algorithm._n_updates = state["updates"]
