"""The student of the benchmark: a small policy-gradient learner in numpy."""

from __future__ import annotations

from ast import literal_eval
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adversarl.interfaces.backend import Observation
from adversarl.interfaces.learner import Learner, LearnerOptions, OnProgress
from adversarl_curricula.bench.critic import Critic, advantages

Array = NDArray[np.float64]


class StudentOptions(LearnerOptions):
    """Options of `Student`."""

    warm_start_steps: int = Field(1024, ge=0, description="Environment steps of the teacher to begin with.")
    rollout: int = Field(32, ge=1, description="Control steps of every environment between two updates.")
    exploration: float = Field(0.5, gt=0, description="Standard deviation of exploration on actions [1].")
    step: float = Field(0.2, gt=0, description="Size of an update: square root of twice its divergence [1].")
    discount: float = Field(0.99, gt=0, le=1, description="Discount factor [1].")
    trace: float = Field(0.95, ge=0, le=1, description="Lambda of generalized advantage estimation [1].")
    averaging: float = Field(
        0.95,
        ge=0,
        lt=1,
        description="Share of the older policies in the running mean that acts without exploration [1].",
    )
    damping: float = Field(0.01, gt=0, description="Added to the diagonal of the Fisher matrix, per sample [1].")


class Student(Learner):
    """REINFORCE with a linear critic and natural gradients, for a Gaussian policy that is linear in features.

    The mean action is W phi(o) for phi = (1, c) x (1, s), all products of the context c and of what is seen, s, with 1.
    An update is the normalized natural gradient of Rajeswaran et al. 2017 (Towards generalization and simplicity in
    continuous control, equations 3 to 5), whose linear policies it follows, with GAE(lambda) advantages.
    """

    Options: ClassVar[type[LearnerOptions]] = StudentOptions
    options: StudentOptions

    def __init__(
        self, options: StudentOptions, env: gymnasium.vector.VectorEnv[Any, Any, Any], rng: np.random.Generator
    ) -> None:
        super().__init__(options, env, rng)
        proprio = env.single_observation_space["proprio"].shape[0]  # type: ignore[index]
        actions = (env.single_action_space.shape or (0,))[0]
        self._policy: Array = np.zeros((actions, features(np.zeros((1, proprio))).shape[1]))
        self._mean_policy = self._policy
        """Running mean of the policies, which acts without exploration. Shape (a, features)."""
        self._critic = Critic()
        self._observation: Observation | None = None
        self.warm_start_total = options.warm_start_steps

    def warm_start(self, on_progress: OnProgress) -> None:
        """Imitates the teacher in the nominal world by least squares; what was never varied keeps weight 0."""
        inputs, labels = list[Array](), list[Array]()
        self._observation, _ = self.env.reset()
        for _ in range(-(-self.warm_start_total // self.env.num_envs)):
            inputs.append(features(self._observation["proprio"]))
            labels.append(self.env.teacher(range(self.env.num_envs)))  # type: ignore[attr-defined]
            self._observation = self.env.step(labels[-1])[0]
        if inputs:
            phi, actions = np.concatenate(inputs), np.concatenate(labels)
            moments = phi.T @ phi + self.options.damping * np.eye(phi.shape[1])
            weights: Array = np.asarray(np.linalg.solve(moments, phi.T @ actions).T, dtype=np.float64)
            self._policy = self._mean_policy = weights
            on_progress({"train/imitation_error": float(np.mean((phi @ self._policy.T - actions) ** 2))})
        self._observation = None

    def learn(self, total_steps: int, on_progress: OnProgress) -> None:
        """Improves until `env_steps` reaches `total_steps`; progress is told once an update."""
        if self._observation is None:
            self._observation, _ = self.env.reset()
        while self.env_steps < total_steps:
            scalars = self._update(*self._roll())
            if not on_progress(scalars):
                return

    def act(self, observation: Observation, *, deterministic: bool = True) -> NDArray[np.float32]:
        """The action of the mean policy; exploration belongs to `learn`. Shape (n, a), in [-1, 1]."""
        del deterministic
        actions: NDArray[np.float32] = np.clip(features(observation["proprio"]) @ self._mean_policy.T, -1.0, 1.0)
        return actions.astype(np.float32)

    def values(self, observation: Observation, state: NDArray[np.float32]) -> Array:
        """The linear critic's estimates, from the privileged state. Shape (n,)."""
        del observation
        return self._critic.values(state)

    def _roll(self) -> tuple[Array, ...]:
        """Plays; returns features, noise, rewards, ends, states and next states. First axes (rollout, num_envs)."""
        columns: list[list[Any]] = [[] for _ in range(6)]
        state = self.env.state()  # type: ignore[attr-defined]
        for _ in range(self.options.rollout):
            assert self._observation is not None
            phi = features(self._observation["proprio"])
            noise = self.options.exploration * self.rng.standard_normal((len(phi), len(self._policy)))
            actions = np.clip(phi @ self._policy.T + noise, -1.0, 1.0).astype(np.float32)
            self._observation, reward, terminated, truncated, _ = self.env.step(actions)
            after = self.env.state()  # type: ignore[attr-defined]
            for column, value in zip(columns, (phi, noise, reward, terminated | truncated, state, after), strict=True):
                column.append(value)
            state = after
            self.env_steps += self.env.num_envs
        return tuple(np.array(column) for column in columns)

    def _update(
        self, phi: Array, noise: Array, rewards: Array, ends: Array, states: Array, after: Array
    ) -> dict[str, float]:
        """One natural gradient step; returns its scalars."""
        options = self.options
        gains, returns = advantages(
            rewards,
            ends > 0,
            self._critic.values(states),
            self._critic.values(after[-1]),
            options.discount,
            options.trace,
        )
        self._critic.fit(states, returns)
        flat = phi.reshape(-1, phi.shape[-1])
        normal = (gains - gains.mean()) / (gains.std() + 1e-8)
        scores = noise.reshape(len(flat), -1) / options.exploration**2
        gradient = (normal.reshape(-1, 1) * scores).T @ flat / len(flat)
        fisher = flat.T @ flat / len(flat) / options.exploration**2
        fisher += options.damping * np.eye(len(fisher)) / options.exploration**2
        natural = np.linalg.solve(fisher, gradient.T).T
        divergence = float(np.sum(natural * gradient))
        self._policy = self._policy + options.step / np.sqrt(divergence + 1e-12) * natural
        kept = options.averaging
        self._mean_policy = kept * self._mean_policy + (1 - kept) * self._policy
        return {
            "rollout/ep_rew_mean": float(rewards.sum() / max(1, ends.sum())),
            "train/gradient_norm": float(np.linalg.norm(gradient)),
            "train/weight_norm": float(np.linalg.norm(self._policy)),
        }

    def save(self, folder: Path) -> None:
        """Writes ``student.npz``."""
        arrays = {f"observation_{key}": value for key, value in (self._observation or {}).items()}
        arrays |= {f"critic_{key}": value for key, value in self._critic.arrays().items()}
        generator = np.array(repr(self.rng.bit_generator.state))
        arrays |= {"policy": self._policy, "mean": self._mean_policy, "steps": np.array(self.env_steps)}
        np.savez(folder / "student.npz", allow_pickle=False, generator=generator, **arrays)

    def load(self, folder: Path) -> None:
        """Brings `save` back."""
        with np.load(folder / "student.npz") as file:
            arrays = dict(file)
        self._policy, self._mean_policy, self.env_steps = arrays["policy"], arrays["mean"], int(arrays["steps"])
        self._critic.load({k.removeprefix("critic_"): v for k, v in arrays.items() if k.startswith("critic_")})
        observation = {k.removeprefix("observation_"): v for k, v in arrays.items() if k.startswith("observation_")}
        self._observation = observation or None
        self.rng.bit_generator.state = literal_eval(str(arrays["generator"]))


def features(proprio: NDArray[Any]) -> Array:
    """(1, c) x (1, s) for what is seen, s, the first two numbers, and the context c, the others.

    Args:
        proprio: Shape (n, 2 + k).

    Returns:
        Shape (n, 3 (1 + k)).
    """
    one = np.ones((len(proprio), 1))
    seen, context = np.hstack([one, proprio[:, :2]]), np.hstack([one, proprio[:, 2:]])
    products: Array = (context[:, :, None] * seen[:, None, :]).reshape(len(proprio), -1)
    return products
